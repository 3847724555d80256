#!/usr/bin/env python3
"""A server that runs out of descriptors says so, goes on, and still opens the files of its store.

usage: tests/hostile/descriptor_clients.py ANNALS      (the variable ANNALS_BINARY names another program)

First the limit of open files is low from the start: then fewer connections are taken than were asked for, so that the store has
descriptors left; it needs them for new segments while every connection there may be is open. Then the limit is taken away under
a running server: it neither spins nor stops, those connected are served, and the others again once there are descriptors.
"""

import json
import os
import pathlib
import resource
import select
import socket
import sys
import time

from hostile import Connection, ProtocolError, Server, Wrong, cpu_seconds, eventually, may_open, ordinary_requests, put, run

LOW_LIMIT = 600
CLIENTS = 700
SEGMENT = "64KiB"
LIMITED = "The limit of open files allows fewer connections"
WARNING = "A connection could not be accepted"


def records(server: Server, message: str) -> list[dict]:
    return [record for record in map(json.loads, server.log) if record["message"].startswith(message)]


def open_descriptors(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def is_open(connection: Connection) -> bool:
    """Nothing more is to come, so what can be read is the end."""
    return not select.select([connection._socket], [], [], 0)[0]


def low_from_the_start(binary: str, directory: pathlib.Path) -> str:
    program = directory / "low_limit"
    program.write_text(f'#!/bin/sh\nulimit -Sn {LOW_LIMIT // 3} && ulimit -Hn {LOW_LIMIT} && exec {binary!r} "$@"\n')
    program.chmod(0o700)
    server = Server(str(program), ["--listen", "127.0.0.1:0", "--data", f"{directory}/low", "--segment-bytes", SEGMENT], directory)
    clients = []
    try:
        eventually(lambda: bool(records(server, LIMITED)), "a word about the limit of open files")
        told = records(server, LIMITED)
        if len(told) != 1 or told[0]["context"]["open_files_max"] != LOW_LIMIT:
            raise Wrong(f"what was said of the limit of {LOW_LIMIT} open files is {told}")
        possible = told[0]["context"]["connections_possible"]
        served = refused = 0
        for _ in range(CLIENTS):
            connection = Connection(server.port)
            status = connection.request("GET", "/livez").status
            served, refused = served + (status == 200), refused + (status == 503)
            clients.append(connection)
        # Each is idle once it is served, and gives way to the next.
        if served != CLIENTS or refused != 0:
            raise Wrong(f"of {CLIENTS} connections that came one after another {served} were served and {refused} refused")
        eventually(lambda: sum(is_open(client) for client in clients) <= possible, f"{possible} connections, as promised")
        if (left := sum(is_open(client) for client in clients)) < possible - 1:
            raise Wrong(f"{left} connections are left, and {possible} were promised")
        segments = len(list((directory / "low").rglob("*")))
        for number in range(40):
            if (reply := put(clients[-1 - number % 100], f"large-{number}", "v" * 20_000)).status != 200:
                raise Wrong(f"a PUT beside {served} connections got {reply.status}: {reply.body!r}")
        if len(list((directory / "low").rglob("*"))) <= segments:
            raise Wrong("no file was opened: this test tests nothing")
        if records(server, WARNING):
            raise Wrong("the connections took the last descriptor")
        server.stop()
    finally:
        server.process.kill()
        for connection in clients:
            connection.close()
    return f"with {LOW_LIMIT} open files {served} connections are served and {refused} told to come again"


def taken_away(binary: str, directory: pathlib.Path) -> str:
    server = Server(binary, ["--listen", "127.0.0.1:0", "--data", f"{directory}/taken"], directory)
    waiting: list[socket.socket] = []
    try:
        before = Connection(server.port)
        if put(before, "a", "1").status != 200:
            raise Wrong("the first PUT failed")
        soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        # The numbers below those that are in use may have gaps, but not many.
        in_use = open_descriptors(server)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (in_use, hard))
        answers = []
        for _ in range(30):
            waiting.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        eventually(lambda: bool(records(server, WARNING)), "a word about the descriptors")
        used, began = cpu_seconds(server), time.monotonic()
        while time.monotonic() - began < 3:
            if put(before, "a", "2").status != 200 or before.request("GET", "/config/a").body != b"2":
                raise Wrong("who was connected before is not served")
            time.sleep(0.05)
        share = (cpu_seconds(server) - used) / (time.monotonic() - began)
        if share > 0.5:
            raise Wrong(f"a server without descriptors takes {share:.0%} of a processor")
        if len(said := records(server, WARNING)) > 1 + 3:
            raise Wrong(f"{len(said)} lines about the same in 3 s")
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        for client in waiting:
            # Turned away by the one descriptor in hand, or served now.
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answers.append(client.recv(65536)[:12])
        if set(answers) - {b"HTTP/1.1 200", b"HTTP/1.1 503"} or not answers.count(b"HTTP/1.1 503"):
            raise Wrong(f"those that came meanwhile were told {sorted(set(answers))}")
        ordinary_requests(server.port, 20)
        server.stop()
    finally:
        server.process.kill()
        for client in waiting:
            client.close()
    return f"without descriptors {answers.count(b'HTTP/1.1 503')} of {len(answers)} clients were told so, at {share:.0%} of a processor"


def test(binary: str, directory: pathlib.Path) -> str:
    may_open(CLIENTS + 100)
    try:
        return f"{low_from_the_start(binary, directory)}; {taken_away(binary, directory)}"
    except (ProtocolError, ConnectionError) as error:
        raise Wrong(f"a client was not answered: {error}") from error


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
