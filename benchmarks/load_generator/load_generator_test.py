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


class Records:
    """The same of records: their POSTs, PATCHes and batches. The key is the last segment of a path, or the record's id."""

    closes = False

    def __init__(self):
        self.records = {}
        self.lock = threading.Lock()
        self.asked = set()

    def answer(self, method, path, body):
        with self.lock:
            self.asked.add((method, path.rsplit(b"/", 1)[0]))
            if method == b"GET":
                return self.get(path.rsplit(b"/", 1)[1].decode())
            if path == b"/batch":
                return self.batch(json.loads(body))
            if method == b"POST":
                return self.post(json.loads(body))
            return self.patch(path.rsplit(b"/", 1)[1].decode(), json.loads(body))

    def shown(self, status, record):
        return whole(status, json.dumps(record, separators=(",", ":")).encode())

    def get(self, key):
        return self.shown(200, self.records[key]) if key in self.records else whole(404, b"")

    def post(self, record):
        if record["id"] in self.records:
            return whole(409, b"")
        self.records[record["id"]] = record
        return self.shown(201, record)

    def patch(self, key, changes):
        if key not in self.records:
            return whole(404, b"")
        self.records[key] = {**self.records[key], **changes}
        return self.shown(200, self.records[key])

    def batch(self, operations):
        for operation in operations:
            self.post(operation["body"])
        return whole(200, b"[" + b",".join(b'{"status":201}' for _ in operations) + b"]")


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
                if isinstance(self.behaviour, Records):
                    reply = self.behaviour.answer(method, path, stream.read(size))
                elif method == b"PUT":
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
    """Exit code and report of a short run of two connections, over four keys if nothing else is said."""
    server = Server(behaviour)
    keys = [] if "--keys" in arguments else ["--keys", "4"]
    ran = subprocess.run([PROGRAM, "--port", str(server.port), "--connections", "2", *keys, "--seconds", "0.3",
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

    def test_records_are_loaded_made_changed_and_read(self):
        shop = Records()
        load = ["--records", "--mix", "load", "--keys", "25", "--batch", "10", "--verify", "25"]
        code, report = generate(shop, *load)
        self.assertEqual((code, report["errors"], report["replies"], report["acknowledged"], report["verified_wrong"]), (0, 0, 3, 25, 0))
        self.assertEqual((len(shop.records), report["verified"], shop.asked), (25, 25, {(b"POST", b""), (b"GET", b"/api/products")}))
        there = ["--records", "--keys", "25"]
        code, report = generate(shop, *there, "--mix", "get", "--threads", "2")
        self.assertEqual((code, report["errors"]), (0, 0))
        self.assertGreater(report["get_latency_us"]["count"], 0)
        for sequences_after in (1000, 1 << 32):
            code, report = generate(shop, *there, "--mix", "patch", "--verify", "25", "--sequences-after", str(sequences_after))
            self.assertEqual((code, report["errors"], report["verified_wrong"]), (0, 0, 0))
            self.assertGreater(report["verified"], 0)
        code, report = generate(shop, "--records", "--mix", "post", "--first-key", "25", "--keys", "1000000", "--verify", "25")
        self.assertEqual((code, report["errors"], report["verified"], report["verified_wrong"]), (0, 0, 25, 0))
        self.assertEqual(len(shop.records), 25 + report["acknowledged"])

    def test_keys_that_run_out_before_the_time_are_an_error(self):
        code, report = generate(Records(), "--records", "--mix", "post", "--keys", "3")
        self.assertEqual((code, report["acknowledged"]), (1, 3))
        self.assertGreater(report["errors_by_cause"]["no key left"], 0)

    def test_a_reply_that_does_not_tell_what_was_written_is_an_error(self):
        class Careless(Records):
            def shown(self, status, record):
                return super().shown(status, {**record, "stock": 0})

            def batch(self, operations):
                super().batch(operations)
                return whole(200, b'[{"status":201}]')

        for mix in ("post", "load"):
            code, report = generate(Careless(), "--records", "--mix", mix, "--keys", "100", "--verify", "4")
            self.assertEqual((code, report["replies"] > 0, report["acknowledged"]), (1, True, 0), mix)
            self.assertGreater(report["errors_by_cause"]["wrong reply"], 0)

    def test_a_record_that_was_acknowledged_and_is_not_there_is_found_out(self):
        class Forgetful(Records):
            def get(self, key):
                return whole(404, b"")

        code, report = generate(Forgetful(), "--records", "--mix", "load", "--keys", "4", "--batch", "2", "--verify", "4")
        self.assertEqual((code, report["errors"], report["verified_wrong"]), (1, 0, 4))

    def test_a_record_with_another_field_changed_is_wrong(self):
        class Mixing(Records):
            def get(self, key):
                return self.shown(200, {**self.records[key], "price": "1.00000"})

        shop = Mixing()
        generate(shop, "--records", "--mix", "load", "--keys", "4")
        code, report = generate(shop, "--records", "--mix", "get")
        self.assertEqual(code, 1)
        self.assertGreater(report["errors_by_cause"]["wrong value"], 0)

    def test_what_does_not_go_together_is_refused(self):
        for arguments in (["--mix", "post"], ["--mix", "put", "--records"], ["--mix", "post", "--records", "--first-key", "100000000"]):
            ran = subprocess.run([PROGRAM, "--port", "1", *arguments], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((ran.returncode, ran.stdout, ran.stderr != ""), (2, "", True), arguments)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
