#!/usr/bin/env python3
"""Two servers that share a database and a node id: both serve, and the second says so in its log, until it has the node id to itself.

usage: tests/postgres/same_node_id.py ANNALS
"""

import json
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection  # noqa: E402
from played import Wrong, killed_at_the_end, played  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server  # noqa: E402

PATIENCE_S = 60
SHARED = "Another server uses this database with the same node id"
ALONE = "No other server uses this database with this node id any more"


def said(server: Server, message: str) -> list[dict]:
    lines = [json.loads(line) for line in list(server.log) if line.startswith("{")]
    return [line for line in lines if line["message"].startswith(message)]


def until_said(server: Server, message: str) -> dict:
    begun = time.monotonic()
    while not (lines := said(server, message)):
        if time.monotonic() - begun > PATIENCE_S:
            raise Wrong(f"no line of the log begins with {message!r}\n{server.last_words()}")
        time.sleep(0.02)
    return lines[0]


def until_claimed(database: PostgresServer, count: int) -> None:
    """Until as many servers hold a node id in the database."""
    begun = time.monotonic()
    while (claimed := int(database.psql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted;"))) != count:
        if time.monotonic() - begun > PATIENCE_S:
            raise Wrong(f"{claimed} servers hold a node id, not {count}")
        time.sleep(0.02)


def put(server: Server, value: str) -> None:
    with Connection(server.port, timeout=PATIENCE_S) as connection:
        reply = connection.request("PUT", "/config/color", json.dumps({"value": value}).encode(), (("Content-Type", "application/json"),))
        if reply.status != 200:
            raise Wrong(f"a write got {reply.status}: {reply.body!r}")


def play_over(binary: str, directory: pathlib.Path, database: PostgresServer, started: list[Server]) -> None:
    def start(name: str, node: int) -> Server:
        (directory / name).mkdir(exist_ok=True)
        arguments = ["--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", database.url(), "--init", "--node-id", str(node)]
        started.append(Server(binary, arguments, directory / name))
        return started[-1]

    first, third = start("first", 7), start("third", 8)
    until_claimed(database, 2)
    second = start("second", 7)
    line = until_said(second, SHARED)
    if line["level"] != "WARNING" or line["context"] != {"node_id": 7}:
        raise Wrong(f"it is told as {line}")
    for server, value in ((first, "red"), (second, "green"), (third, "blue")):
        put(server, value)
    # It tells of it once, and again of its end.
    first.stop()
    until_said(second, ALONE)
    if len(said(second, SHARED)) != 1:
        raise Wrong("it is told more than once")
    # One that is started again after it was killed is no other server.
    second.kill()
    until_claimed(database, 1)
    second = start("second", 7)
    until_claimed(database, 2)
    fourth = start("fourth", 7)
    until_said(fourth, SHARED)
    for server in (second, third):
        if said(server, SHARED):
            raise Wrong(f"a server without a twin says that it has one\n{server.last_words()}")
    for server in (second, third, fourth):
        server.stop()


def play(binary: str, directory: pathlib.Path) -> str:
    with PostgresServer() as database, killed_at_the_end() as started:
        play_over(binary, directory, database, started)
    return "the second server of a node id says so, and nobody else"


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
