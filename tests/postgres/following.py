#!/usr/bin/env python3
"""How soon a server shows what another one has recorded: two servers share one database; a client writes through one and asks the other
until it shows the write.

usage: tests/postgres/following.py ANNALS      (ANNALS_FOLLOWED_WRITES is the number of writes)

It prints the delays from the acknowledgement of a write to the first answer of the other server that has it, with the database's hints
and after its connections were ended. As a test it asks only that every write shows; how soon is for the reader.
"""

import os
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection  # noqa: E402
from played import Wrong, killed_at_the_end, played  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server  # noqa: E402

WRITES = int(os.environ.get("ANNALS_FOLLOWED_WRITES", "200"))
PATIENCE_S = 60


def until(what: str, condition) -> float:
    """Asks until it is so; when that was."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > PATIENCE_S:
            raise Wrong(f"{what} did not come true within {PATIENCE_S} s")
    return time.monotonic()


class Pair:
    """Writes through one server, asks the other."""

    def __init__(self, one: Server, other: Server):
        self.writing = Connection(one.port, timeout=PATIENCE_S)
        self.asking = Connection(other.port, timeout=PATIENCE_S)

    def write(self, value: str) -> bool:
        body = b'{"value":"' + value.encode() + b'"}'
        return self.writing.request("PUT", "/config/followed", body, (("Content-Type", "application/json"),)).status == 200

    def delay(self, value: str) -> float:
        until(f"a write of {value}", lambda: self.write(value))
        acknowledged = time.monotonic()
        return until(f"{value} at the other server", lambda: self.asking.request("GET", "/config/followed").body == value.encode()) - acknowledged

    def delays(self, name: str, count: int) -> list[float]:
        return sorted(self.delay(f"{name}{number}") for number in range(count))


def told(name: str, delays: list[float]) -> str:
    at = [delays[min(len(delays) - 1, int(len(delays) * share))] * 1000 for share in (0.5, 0.95, 1)]
    return f"{name:<32} {len(delays):>6} {at[0]:>8.1f} {at[1]:>8.1f} {at[2]:>8.1f}"


def play(binary: str, directory: pathlib.Path) -> str:
    with PostgresServer() as database, killed_at_the_end() as servers:
        for number in (1, 2):
            (directory / str(number)).mkdir()
            arguments = ["--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", database.url(), "--init", "--node-id", str(number)]
            servers.append(Server(binary, arguments, directory / str(number)))
        return measure(database, servers)


def measure(database: PostgresServer, servers: list[Server]) -> str:
    there, back = Pair(*servers), Pair(*reversed(servers))
    lines = [f"{'delays in ms':<32} {'writes':>6} {'p50':>8} {'p95':>8} {'max':>8}"]
    lines.append(told("from one to the other", there.delays("there", WRITES)))
    lines.append(told("and back", back.delays("back", WRITES)))
    # Whoever listens has to notice, to connect and to listen again.
    again = []
    for number in range(max(1, WRITES // 20)):
        database.psql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'annals'")
        again.append(there.delay(f"again{number}"))
    lines.append(told("after connections were ended", sorted(again)))
    for server in servers:
        server.stop()
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
