#!/usr/bin/env python3
"""Runs the load generator against servers that fail or lie, and sees that it says so.

Usage: load_generator_test.py PATH_OF_LOAD_GENERATOR
"""

import json
import re
import socket
import subprocess
import sys
import threading
import unittest

PROGRAM = ""


class Values:
    """An honest server's behaviour. A subclass changes one answer; `None` closes the connection without one."""

    closes = False  # the connection, after every reply

    def __init__(self):
        self.values = {}
        self.lock = threading.Lock()
        self.puts = 0

    def put(self, key, value):
        with self.lock:
            self.values[key] = value
            self.puts += 1
        return whole(200, b"OK")

    def get(self, key):
        with self.lock:
            return whole(200, self.values[key]) if key in self.values else whole(404, b"")


def whole(status, body):
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


class Server:
    def __init__(self, behaviour):
        self.behaviour = behaviour
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                method, path, _ = line.split()
                size = 0
                while (field := stream.readline()) != b"\r\n":
                    if found := re.match(rb"content-length: (\d+)", field, re.IGNORECASE):
                        size = int(found.group(1))
                key = path.rsplit(b"/", 1)[1]
                if method == b"PUT":
                    reply = self.behaviour.put(key, json.loads(stream.read(size))["value"].encode())
                else:
                    reply = self.behaviour.get(key)
                if reply is None:
                    return
                try:
                    connection.sendall(reply)
                except OSError:
                    return
                if self.behaviour.closes:
                    return


def generate(behaviour, *arguments):
    """Exit code and report of a short run of two connections over four keys."""
    server = Server(behaviour)
    ran = subprocess.run([PROGRAM, "--port", str(server.port), "--connections", "2", "--keys", "4", "--seconds", "0.3",
                          "--warm-up", "0", *arguments], capture_output=True, text=True, timeout=60, check=False)
    server.listener.close()
    return ran.returncode, json.loads(ran.stdout)


class LoadGenerator(unittest.TestCase):
    def test_an_honest_server_has_replies_and_no_errors(self):
        for mix in ("put", "get", "mixed"):
            code, report = generate(Values(), "--mix", mix, "--verify", "4", "--threads", "2")
            self.assertEqual((code, report["errors"], report["verified"], report["verified_wrong"]), (0, 0, 4, 0), mix)
            self.assertGreater(report["replies"], 0)

    def test_refusals_are_errors_and_not_replies(self):
        class Full(Values):
            def put(self, key, value):
                return whole(503, b"")

        code, report = generate(Full(), "--verify", "4")
        self.assertEqual((code, report["replies"], report["verified"]), (1, 0, 0))
        self.assertGreater(report["errors_by_cause"]["status 503"], 0)
        code, report = generate(Full(), "--allow-errors")
        self.assertEqual((code, report["replies"]), (0, 0))

    def test_a_server_that_loses_an_acknowledged_value_is_found_out(self):
        class Forgetful(Values):
            def put(self, key, value):
                return whole(200, b"OK")

        code, report = generate(Forgetful(), "--verify", "4")
        self.assertEqual((code, report["errors"], report["verified_wrong"]), (1, 0, 4))

    def test_a_get_that_is_older_than_an_acknowledged_put_is_stale(self):
        class Lagging(Values):
            def put(self, key, value):
                return super().put(key, self.values.get(key, value))  # keeps the first value for ever

        code, report = generate(Lagging(), "--get-percent", "50")
        self.assertEqual(code, 1)
        self.assertGreater(report["errors_by_cause"]["stale value"], 0)
        code, report = generate(Lagging(), "--get-percent", "50", "--allow-stale")
        self.assertEqual((code, report["errors"]), (0, 0))

    def test_a_value_of_another_key_is_wrong(self):
        class Mixed(Values):
            def get(self, key):
                return super().get(b"key-00000000")

        code, report = generate(Mixed(), "--mix", "get")
        self.assertEqual(code, 1)
        self.assertGreater(report["errors_by_cause"]["wrong value"], 0)

    def test_paths_are_read_in_turn_also_where_replies_come_in_chunks(self):
        asked = set()

        class Pages(Values):
            def get(self, key):
                asked.add(key)
                if key == b"list":
                    return b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
                return whole(200, key)

        code, report = generate(Pages(), "--path", "/config/one", "--path", "/config/list")
        self.assertEqual((code, report["errors"], asked), (0, 0, {b"one", b"list"}))
        self.assertGreater(report["get_latency_us"]["count"], 1)
        self.assertNotIn("put_latency_us", report)

    def test_a_path_that_gives_another_body_than_before_is_an_error(self):
        class Changing(Values):
            def get(self, key):
                self.puts += 1
                return whole(200, b"%d" % (self.puts // 20))

        code, report = generate(Changing(), "--path", "/config/one")
        self.assertEqual(code, 1)
        self.assertGreater(report["errors_by_cause"]["another body"], 0)

    def test_half_a_reply_and_none_are_errors_and_the_load_goes_on(self):
        class Breaking(Values):
            def put(self, key, value):
                reply = super().put(key, value)
                return reply if self.puts % 10 else None

        code, report = generate(Breaking())
        self.assertEqual(code, 1)
        self.assertGreater(report["errors_by_cause"]["closed"], 1)
        self.assertGreater(report["replies"], report["errors"])

        class Halving(Values):
            closes = True

            def put(self, key, value):
                return super().put(key, value)[:-1]

        code, report = generate(Halving())
        self.assertEqual((code, report["replies"]), (1, 0))
        self.assertGreater(report["errors_by_cause"]["short reply"], 0)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
