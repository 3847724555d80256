#!/usr/bin/env python3
"""Crowds one key: 64 clients write it at once, half of them blindly, half of them with If-Match on the version that they read.

usage: tests/crash/one_key.py [--postgres] ANNALS      (the variable ANNALS_BINARY names another program)

With --postgres the events are in a database of this run's own, in which another transaction stays open all the time.

It must be so that exactly one of 64 creators with `If-None-Match: *` wins; that versions have no gaps and none is given out twice;
that who wins with If-Match on version n gets version n + 1, so that no version is built on twice; and that every success, and nothing
else, is in the history.
"""

import contextlib
import json
import os
import pathlib
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection, Response  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server  # noqa: E402

CLIENTS = 64
WRITES_PER_CLIENT = int(os.environ.get("ANNALS_ONE_KEY_WRITES", "40"))
KEY = "/config/the%2Fone"


class Wrong(Exception):
    pass


class Crowd:
    def __init__(self, port: int):
        self.port = port
        self.lock = threading.Lock()
        self.won: dict[int, str] = {}          # version -> value, of every success
        self.built_on: dict[int, str] = {}     # version -> value of the one success with If-Match on it
        self.lost = 0
        self.wrong: list[str] = []
        self.barrier = threading.Barrier(CLIENTS)

    def put(self, connection: Connection, value: str, *fields: tuple[str, str]) -> Response:
        reply = connection.request("PUT", KEY, json.dumps({"value": value}).encode(), (("Content-Type", "application/json"), *fields))
        if reply.status == 200:
            version = int(reply.value("ETag").strip('"'))
            with self.lock:
                if version in self.won:
                    raise Wrong(f"version {version} was given to {self.won[version]} and to {value}")
                self.won[version] = value
        return reply

    def client(self, number: int) -> None:
        try:
            with Connection(self.port, timeout=120) as connection:
                self.barrier.wait(timeout=60)
                created = self.put(connection, f"{number}/create", ("If-None-Match", "*"))
                if created.status not in (200, 412):
                    raise Wrong(f"a creation got {created.status}")
                self.barrier.wait(timeout=60)
                if len(self.won) != 1:
                    raise Wrong(f"{len(self.won)} of {CLIENTS} creations won")
                self.barrier.wait(timeout=60)
                for write in range(WRITES_PER_CLIENT):
                    (self.blindly if number % 2 else self.on_what_was_read)(connection, f"{number}/{write}")
        except (Wrong, OSError, threading.BrokenBarrierError) as error:
            self.barrier.abort()
            self.wrong.append(f"client {number}: {type(error).__name__} {error}")

    def blindly(self, connection: Connection, value: str) -> None:
        if (reply := self.put(connection, value)).status != 200:
            raise Wrong(f"a PUT without conditions got {reply.status}: {reply.body!r}")

    def on_what_was_read(self, connection: Connection, value: str) -> None:
        tag = connection.request("GET", KEY).value("ETag")
        version = int(tag.strip('"'))
        reply = self.put(connection, value, ("If-Match", tag))
        if reply.status == 412:
            with self.lock:
                self.lost += 1
        elif reply.status != 200:
            raise Wrong(f"a PUT with If-Match got {reply.status}: {reply.body!r}")
        else:
            with self.lock:
                if version in self.built_on:
                    raise Wrong(f"version {version} was built on by {self.built_on[version]} and by {value}")
                self.built_on[version] = value
            if reply.value("ETag") != f'"{version + 1}"':
                raise Wrong(f"a PUT with If-Match on version {version} became {reply.value('ETag')}")

    def play(self) -> None:
        clients = [threading.Thread(target=self.client, args=(number,), daemon=True) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(timeout=240)
        if self.wrong:
            raise Wrong("\n".join(self.wrong))
        with Connection(self.port) as connection:
            events = json.loads(connection.request("GET", f"{KEY}/history").body)
        recorded = [(event["stream_version"], event["data"]["value"]) for event in events]
        if recorded != sorted(self.won.items()):
            raise Wrong(f"the history has {len(recorded)} versions, and {len(self.won)} writes were told of success, or they differ")
        if [version for version, _ in recorded] != list(range(1, len(recorded) + 1)):
            raise Wrong("the history has gaps")
        for before, event in zip([None, *events], events):
            if event["data"]["old_value"] != (before and before["data"]["value"]):
                raise Wrong(f"version {event['stream_version']} says that the value before was {event['data']['old_value']!r}")


def main(arguments: list[str]) -> int:
    with_postgres = arguments[:1] == ["--postgres"]
    arguments = arguments[with_postgres:]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    binary = os.environ.get("ANNALS_BINARY") or str(pathlib.Path(arguments[0]).resolve())
    started = time.monotonic()
    with (tempfile.TemporaryDirectory(prefix="annals-one-key-") as directory,
          PostgresServer() if with_postgres else contextlib.nullcontext() as postgres):
        flags = ["--listen", "127.0.0.1:0", "--data", f"{directory}/data"]
        if postgres is not None:
            flags += ["--store", "postgres", "--database-url", postgres.url(), "--init"]
            postgres.hold_transaction()
        server = Server(binary, flags, pathlib.Path(directory))
        crowd = Crowd(server.port)
        try:
            crowd.play()
            server.stop()
        except Exception as error:
            print(f"{type(error).__name__}: {error}\n{server.last_words()}")
            server.process.kill()
            return 1
    print(f"{CLIENTS} clients on one key: {len(crowd.won)} versions without a gap, {len(crowd.built_on)} won with If-Match, {crowd.lost} lost "
          f"({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
