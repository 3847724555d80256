#!/usr/bin/env python3
"""A server that is asked to stop answers those who wait, each in its way, and does not wait with them.

usage: tests/hostile/drain_clients.py ANNALS      (the variable ANNALS_BINARY names another program)

What they wait for never comes, and they and the server would have minutes for it; the server must have answered and ended long before.
"""

import json
import sys
import time

from hostile import Connection, Server, Wrong, put, run
from http_client import request_bytes

EACH = 20


def ask(port: int, target: str, fields: tuple[tuple[str, str], ...] = ()) -> Connection:
    connection = Connection(port, timeout=60)
    connection.send(request_bytes("GET", target, None, fields))
    return connection


def test(binary, directory) -> str:
    flags = ["--listen", "127.0.0.1:0", "--data", f"{directory}/data", "--drain-timeout", "10m", "--min-position-timeout", "10m", "--request-timeout", "10m"]
    # A table that does not follow never reaches a position that is already recorded.
    (directory / "annals.toml").write_text('[model.config]\nprofile = "kv"\npath = "/config"\nconsistency = "restart"\n')
    server = Server(binary, flags, directory)
    try:
        with Connection(server.port) as connection:
            written = put(connection, "a", "1")
        if written.status != 200:
            raise Wrong(f"a PUT got {written.status}")
        position = written.value("Annals-Position")
        kinds = {
            "position": (f"/config/a?min_position={position}", (), 503),
            "change": ("/config/b?wait=5m", (("If-None-Match", '"0"'),), 304),
            "events": (f"/-/events?after={position}&wait=25s", (), 200),
        }
        waiting = {name: [ask(server.port, target, fields) for _ in range(EACH)] for name, (target, fields, _) in kinds.items()}
        for connections in waiting.values():
            if not connections[-1].silent(0.3):
                raise Wrong("what should wait was answered")
        began = time.monotonic()
        server.stop()
        took = time.monotonic() - began
        if took > 20:
            raise Wrong(f"a stop took {took:.1f} s because of who waited")
        for name, (_, _, status) in kinds.items():
            for connection in waiting[name]:
                reply = connection.receive()
                if reply.status != status:
                    raise Wrong(f"who waited for {name} got {reply.status}, not {status}")
                if status == 503 and (json.loads(reply.body)["code"] != "position_not_reached" or not reply.value("Retry-After")):
                    raise Wrong(f"who waited for a position was told {reply.body!r}")
    finally:
        server.process.kill()
    return f"{EACH * len(kinds)} who waited were answered by a server that stopped in {took:.2f} s; {check_audit_log(binary, directory)}"


def check_audit_log(binary, directory) -> str:
    """Of a store in memory nobody could write the lines later."""
    (directory / "annals.toml").unlink()
    for last in (1, 7):
        server = Server(binary, ["--listen", "127.0.0.1:0", "--store", "memory"], directory)
        try:
            with Connection(server.port) as connection:
                for number in range(last):
                    put(connection, f"key{number}", "1")
            server.stop()
        finally:
            server.process.kill()
        lines = sum('"log":"audit"' in line for line in server.log)
        if lines != last:
            raise Wrong(f"the audit log has {lines} lines of {last} changes before a stop")
    return "each change before a stop has its line"


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
