#!/usr/bin/env python3
"""Ten thousand idle connections cost some memory and nothing else.

usage: tests/hostile/idle_clients.py ANNALS      (the variable ANNALS_BINARY names another program)

Half of them have asked something, half never. Ordinary requests go on beside them, an idle server stays idle, each of them is
still served afterwards, and a stop ends them all at once.
"""

import sys
import time

from hostile import Connection, Server, Wrong, cpu_seconds, may_open, memory_bytes, ordinary_requests, run

CONNECTIONS = 10_000
MEMORY_BYTES_MAX = 16 * 1024   # of the server, for each
CPU_SHARE_MAX = 0.25           # of one processor, while nobody asks anything


def test(binary, directory) -> str:
    may_open(CONNECTIONS + 500)
    server = Server(binary, ["--listen", "127.0.0.1:0", "--data", f"{directory}/data", "--connections-max", "20000", "--idle-timeout", "10m", "--drain-timeout", "2m"], directory)
    idle: list[Connection] = []
    try:
        ordinary_requests(server.port, 100)
        memory_before = memory_bytes(server)
        for number in range(CONNECTIONS):
            connection = Connection(server.port)
            idle.append(connection)
            if number % 2 and (status := connection.request("GET", "/livez").status) != 200:
                raise Wrong(f"connection {number} got {status}")
        memory_each = (memory_bytes(server) - memory_before) / CONNECTIONS
        if memory_each > MEMORY_BYTES_MAX and not sanitized(binary):
            raise Wrong(f"an idle connection takes {memory_each:.0f} bytes")
        used, began = cpu_seconds(server), time.monotonic()
        time.sleep(2)
        share = (cpu_seconds(server) - used) / (time.monotonic() - began)
        if share > CPU_SHARE_MAX and not sanitized(binary):
            raise Wrong(f"a server with idle connections takes {share:.0%} of a processor")
        longest = ordinary_requests(server.port, 300)
        for connection in idle[:: CONNECTIONS // 100]:
            if connection.request("GET", "/livez").status != 200:
                raise Wrong("an idle connection is no longer served")
        began = time.monotonic()
        server.stop()
        if (stopping := time.monotonic() - began) > 60:
            raise Wrong(f"a stop took {stopping:.1f} s because of idle connections")
        for connection in idle[:: CONNECTIONS // 100]:
            if not connection.ended(60):
                raise Wrong("an idle connection was not closed at the stop")
    finally:
        server.process.kill()
        for connection in idle:
            connection.close()
    return (f"{CONNECTIONS} idle connections: {memory_each:.0f} bytes each, {share:.1%} of a processor, "
            f"a write and a read beside them in {longest * 1000:.0f} ms at most, a stop in {stopping:.1f} s")


def sanitized(binary: str) -> bool:
    """Sanitizers take memory and time of their own."""
    with open(binary, "rb") as file:
        program = file.read()
    return b"__asan_init" in program or b"__tsan_init" in program


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
