#!/usr/bin/env python3
"""A full queue and a full disk are answered, at once and truly: what was acknowledged is there, what was refused is not.

usage: tests/hostile/writing_clients.py ANNALS      (the variable ANNALS_BINARY names another program)

The queue is made full by a crowd that writes at once to a server that lets two writes wait; for a full disk
stands a limit on the size of files that is lowered under the running server, so that a write to the log finds no room, or the next
segment of the log cannot be made.
"""

import json
import pathlib
import resource
import sys
import threading
import time

from hostile import Connection, Server, Wrong, eventually, ordinary_requests, put, run

CROWD = 64
ROUNDS = 30
FILE_BYTES = 40_000   # of the 64 KiB that a segment has here
SEGMENT_ROOM_BYTES = 60_000   # less than a segment, and more than what is written to one


def full_queue(binary: str, directory: pathlib.Path) -> str:
    server = Server(binary, ["--listen", "127.0.0.1:0", "--data", f"{directory}/queue", "--queue-max", "2"], directory)
    barrier = threading.Barrier(CROWD)
    lock = threading.Lock()
    recorded: dict[str, int] = {}
    refused = 0
    wrong: list[str] = []

    def client(number: int) -> None:
        nonlocal refused
        name = f"client-{number}"
        with Connection(server.port) as connection:
            for _ in range(ROUNDS):
                barrier.wait(timeout=60)
                began = time.monotonic()
                reply = put(connection, name, "x")
                took = time.monotonic() - began
                with lock:
                    if reply.status == 200:
                        recorded[name] = recorded.get(name, 0) + 1
                    elif reply.status == 503 and json.loads(reply.body)["code"] == "queue_full" and reply.value("Retry-After"):
                        refused += 1
                    else:
                        wrong.append(f"a write got {reply.status} {reply.body!r}")
                    if took > 20:
                        wrong.append(f"a write was answered after {took:.1f} s")

    try:
        crowd = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(CROWD)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join(timeout=120)
        if wrong:
            raise Wrong(wrong[0])
        if not refused:
            raise Wrong("the queue was never full: this test tests nothing")
        with Connection(server.port) as connection:
            for number in range(CROWD):
                events = json.loads(connection.request("GET", f"/config/client-{number}/history").body)
                if len(events) != recorded.get(f"client-{number}", 0):
                    raise Wrong(f"{recorded.get(f'client-{number}', 0)} writes were acknowledged and {len(events)} are recorded")
        ordinary_requests(server.port, 20)
        server.stop()
    finally:
        server.process.kill()
    return f"a full queue refused {refused} of {CROWD * ROUNDS} writes"


def full_disk(binary: str, directory: pathlib.Path) -> str:
    flags = ["--listen", "127.0.0.1:0", "--data", f"{directory}/disk", "--segment-bytes", "64KiB"]
    server = Server(binary, flags, directory)
    acknowledged: list[str] = []
    refusal = None
    try:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (FILE_BYTES, resource.RLIM_INFINITY))
        connection = Connection(server.port)
        for number in range(100):
            name = f"key-{number}"
            if (refusal := put(connection, name, "v" * 5000)).status != 200:
                break
            acknowledged.append(name)
        if refusal.status != 503 or not acknowledged:
            raise Wrong(f"a write to a full disk got {refusal.status} after {len(acknowledged)} that succeeded")
        if "application/problem+json" not in (refusal.value("Content-Type") or ""):
            raise Wrong("the refusal is no problem document")
        for name in acknowledged:
            if connection.request("GET", f"/config/{name}").status != 200:
                raise Wrong(f"{name} was acknowledged and cannot be read on a full disk")
        if connection.request("GET", "/health").status != 503:
            raise Wrong("/health knows nothing of the full disk")
        eventually(lambda: any('"ERROR"' in line for line in server.log), "an ERROR in the log")
        server.stop_in_failure()
        server = Server(binary, flags, directory)
        connection = Connection(server.port)
        for name in acknowledged:
            if connection.request("GET", f"/config/{name}").body != b"v" * 5000:
                raise Wrong(f"{name} was acknowledged and is gone after a restart")
        ordinary_requests(server.port, 20)
        server.stop()
    finally:
        server.process.kill()
    return f"a full disk refused the write after {len(acknowledged)}, which are all there"


def no_next_segment(binary: str, directory: pathlib.Path) -> str:
    server = Server(binary, ["--listen", "127.0.0.1:0", "--data", f"{directory}/room", "--segment-bytes", "64KiB"], directory)
    refused = 0
    try:
        connection = Connection(server.port)

        def must(name: str, size: int, status: int) -> None:
            if (reply := put(connection, name, "v" * size)).status != status:
                raise Wrong(f"a write of {size} bytes got {reply.status} {reply.body!r}, not {status}")
            if status == 503 and (json.loads(reply.body)["code"] != "no_room" or not reply.value("Retry-After")):
                raise Wrong(f"a write for which there is no room was told {reply.body!r}")

        # What is written lies before the limit, and a whole segment does not.
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (SEGMENT_ROOM_BYTES, resource.RLIM_INFINITY))
        for name in ("first", "second"):
            must(name, 20_000, 200)
        for _ in range(5):
            must("large", 25_000, 503)
            must("small", 10, 200)
            refused += 1
        for path, status in (("/health", 503), ("/readyz", 503), ("/livez", 200), ("/config/small", 200), ("/config/large", 404)):
            if (reply := connection.request("GET", path)).status != status:
                raise Wrong(f"without room, {path} is {reply.status} {reply.body!r}, not {status}")
        eventually(lambda: any("there is no room in the log" in line for line in server.log), "an ERROR in the log")
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        eventually(lambda: connection.request("GET", "/readyz").status == 200, "that room is found, without a write")
        must("large", 25_000, 200)
        events = json.loads(connection.request("GET", "/config/large/history").body)
        if len(events) != 1 or connection.request("GET", "/health").status != 200:
            raise Wrong(f"of refused writes and one success, {len(events)} are recorded")
        server.stop()
    finally:
        server.process.kill()
    return f"without a next segment {refused} writes were refused until there was one"


def test(binary: str, directory: pathlib.Path) -> str:
    return f"{full_queue(binary, directory)}; {full_disk(binary, directory)}; {no_next_segment(binary, directory)}"


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
