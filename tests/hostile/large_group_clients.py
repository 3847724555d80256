#!/usr/bin/env python3
"""What was recorded in one large group is read as cheaply as what was recorded one by one.

usage: tests/hostile/large_group_clients.py ANNALS      (the variable ANNALS_BINARY names another program)

Two thousand names are set one after another, and two thousand others by one import, which is one group of some 4 MB. Then values of the past are
read of both. What counts is how many bytes the server read from its files, which the system knows, and not how long it took.
"""

import json
import pathlib
import sys

from hostile import Connection, Server, Wrong, put, run

NAMES = 2000
VALUE = "x" * 2000
READ_BYTES_MAX = 64 * 1024   # for one value of the past; the group has some 4 MB


def bytes_read(server: Server) -> int:
    for line in pathlib.Path(f"/proc/{server.process.pid}/io").read_text().splitlines():
        if line.startswith("rchar:"):
            return int(line.split()[1])
    raise Wrong("the system does not say what the server has read")


def name_of(kind: str, number: int) -> str:
    return f"{kind}-{number:05}"


def fill(connection: Connection) -> None:
    for number in range(NAMES):
        if (status := put(connection, name_of("small", number), VALUE).status) != 200:
            raise Wrong(f"a PUT got {status}")
    for value in (VALUE, "changed"):
        lines = "".join(json.dumps({"name": name_of("large", number), "value": value}) + "\n" for number in range(NAMES))
        reply = connection.request("POST", "/-/models/config/import", lines.encode(), (("Content-Type", "application/x-ndjson"),))
        if reply.status != 200:
            raise Wrong(f"the import got {reply.status} {reply.body!r}")


def ask(connection: Connection, path: str, expected: str) -> None:
    reply = connection.request("GET", path)
    if reply.status != 200 or reply.body != expected.encode():
        raise Wrong(f"{path} got {reply.status} {reply.body[:80]!r}")


def test(binary, directory) -> str:
    server = Server(binary, ["--listen", "127.0.0.1:0", "--data", f"{directory}/data"], directory)
    costs = {}
    try:
        with Connection(server.port) as connection:
            fill(connection)
            for kind in ("small", "large"):
                ask(connection, f"/config/{name_of(kind, 0)}?version=1", VALUE)   # the first look at a group may cost all of it
                before = bytes_read(server)
                for number in range(NAMES):
                    ask(connection, f"/config/{name_of(kind, number)}?version=1", VALUE)
                costs[kind] = (bytes_read(server) - before) // NAMES
            reply = connection.request("GET", "/config?prefix=large&limit=1")
            before = bytes_read(server)
            for query in ("at=2999-01-01T00:00:00Z", "diff_from=2000-01-01T00:00:00Z"):
                reply = connection.request("GET", f"/config?prefix=large&{query}")
                if len(json.loads(reply.body)) != NAMES:
                    raise Wrong(f"the list with {query} has {len(json.loads(reply.body))} entries")
            costs["listed"] = (bytes_read(server) - before) // (2 * NAMES)
        server.stop()
    finally:
        server.process.kill()
    if max(costs.values()) > READ_BYTES_MAX:
        raise Wrong(f"to read one value, the server read {costs} bytes")
    return f"to read one value of the past, the server read {costs['small']} bytes, of a large group {costs['large']}, in lists {costs['listed']}"


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
