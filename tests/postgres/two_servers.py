#!/usr/bin/env python3
"""Two servers share one database, which is killed and comes back meanwhile, and in which another transaction stays open all the time: 64
clients write through both, a reader follows from the start.

usage: tests/postgres/two_servers.py ANNALS      (ANNALS_SHARED_WRITES is the number of writes of each client)

It must be so that every acknowledged write is there once, with the version that was told; that versions have no gaps, and who wins with
If-Match on version n gets n + 1, whichever server it asked; that an idempotency key is recorded once, whichever servers it is sent
to; that a reader of everything sees each position once, in order, without a gap; and that both servers show the same in the end.
"""

import collections
import json
import os
import pathlib
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection  # noqa: E402
from played import Wrong, played  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server  # noqa: E402

CLIENTS = 64
WRITES_PER_CLIENT = int(os.environ.get("ANNALS_SHARED_WRITES", "25"))
KEYS = 6
PATIENCE_S = 60


class Run:
    def __init__(self, ports: list[int]):
        self.ports = ports
        self.lock = threading.Lock()
        self.told: dict[tuple[str, int], str] = {}  # (key, version) -> value, of every acknowledged write
        self.unknown: set[str] = set()              # values whose write was answered by 503 or not at all
        self.by_idempotency: dict[str, set[tuple[str, int]]] = collections.defaultdict(set)
        self.conflicts = 0
        self.retries = 0
        self.wrong: list[str] = []
        self.finished = threading.Event()

    def put(self, connections: list[Connection | None], server: int, key: str, value: str, fields: tuple) -> int | None:
        """The status, or None when there was no reply."""
        try:
            if connections[server] is None:
                connections[server] = Connection(self.ports[server], timeout=90)
            reply = connections[server].request("PUT", f"/config/{key}", json.dumps({"value": value}).encode(),
                                                (("Content-Type", "application/json"), *fields))
        except OSError:
            connections[server] = None
            return None
        if reply.status == 200:
            version = int(reply.value("ETag").strip('"'))
            with self.lock:
                if self.told.setdefault((key, version), value) != value:
                    raise Wrong(f"version {version} of {key} was given to {self.told[key, version]} and to {value}")
                for name, text in fields:
                    if name == "If-Match" and int(text.strip('"')) + 1 != version:
                        raise Wrong(f"{value} won with If-Match {text} and got version {version}")
                    if name == "Idempotency-Key":
                        self.by_idempotency[text].add((key, version))
        return reply.status

    def client(self, number: int) -> None:
        connections: list[Connection | None] = [None, None]
        try:
            for write in range(WRITES_PER_CLIENT):
                key = f"k{(number + write) % KEYS}"
                value = f"{number}/{write}"
                kind = write % 3
                if kind == 0:
                    self.write_with_key(connections, number, key, value)
                elif kind == 1:
                    status = self.put(connections, number % 2, key, value, ())
                    if status != 200:
                        self.not_told(status, value)
                else:
                    self.write_on_what_was_read(connections, number % 2, key, value)
        except (Wrong, OSError) as error:
            self.wrong.append(f"client {number}: {type(error).__name__} {error}")

    def not_told(self, status: int | None, value: str) -> None:
        if status not in (503, None):
            raise Wrong(f"{value} got {status}")
        with self.lock:
            self.unknown.add(value)
        time.sleep(0.05)

    def write_with_key(self, connections, number: int, key: str, value: str) -> None:
        """Sends it to both servers, one after the other, until both have said yes."""
        begun = time.monotonic()
        for server in (number % 2, 1 - number % 2):
            while (status := self.put(connections, server, key, value, (("Idempotency-Key", value),))) != 200:
                if status not in (503, None) or time.monotonic() - begun > PATIENCE_S:
                    raise Wrong(f"{value} with its key got {status}")
                with self.lock:
                    self.retries += 1
                time.sleep(0.05)

    def write_on_what_was_read(self, connections, server: int, key: str, value: str) -> None:
        try:
            if connections[server] is None:
                connections[server] = Connection(self.ports[server], timeout=90)
            read = connections[server].request("GET", f"/config/{key}")
        except OSError:
            connections[server] = None
            return
        if read.status != 200:
            return
        status = self.put(connections, server, key, value, (("If-Match", read.value("ETag")),))
        if status == 412:
            with self.lock:
                self.conflicts += 1
        elif status != 200:
            self.not_told(status, value)

    def reader(self) -> None:
        """Follows everything from the start through the second server."""
        try:
            after, expected = "0", 1
            while True:
                last_look = self.finished.is_set()
                try:
                    with Connection(self.ports[1], timeout=90) as connection:
                        reply = connection.request("GET", f"/-/events?after={after}&limit=200&wait=200ms")
                except OSError:
                    continue
                if reply.status == 503:
                    time.sleep(0.05)
                    continue
                if reply.status != 200:
                    raise Wrong(f"the reader got {reply.status}: {reply.body!r}")
                for line in reply.body.splitlines():
                    position = int(json.loads(line)["position"])
                    if position != expected:
                        raise Wrong(f"the reader saw position {position} after {expected - 1}")
                    expected += 1
                after = reply.value("Annals-Position") or after
                if last_look and not reply.body:
                    self.read, self.read_up_to = expected - 1, after
                    return
        except (Wrong, OSError) as error:
            self.wrong.append(f"reader: {type(error).__name__} {error}")

    def check(self) -> None:
        seen = []
        for port in self.ports:
            with Connection(port, timeout=90) as connection:
                histories = {}
                for number in range(KEYS):
                    key = f"k{number}"
                    events = json.loads(connection.request("GET", f"/config/{key}/history").body)
                    versions = [event["stream_version"] for event in events]
                    if versions != list(range(1, len(versions) + 1)):
                        raise Wrong(f"versions of {key} on port {port}: {versions}")
                    histories[key] = [event["data"]["value"] for event in events]
                    # What the other server has written comes here a little later: the reader has seen everything.
                    now = connection.request("GET", f"/config/{key}?min_position={self.read_up_to}").body.decode()
                    if now != histories[key][-1]:
                        raise Wrong(f"{key} on port {port} is {now}, and its history ends with {histories[key][-1]}")
                seen.append(histories)
        if seen[0] != seen[1]:
            raise Wrong("the two servers tell different histories")
        recorded = collections.Counter(value for history in seen[0].values() for value in history)
        for (key, version), value in self.told.items():
            if seen[0][key][version - 1] != value:
                raise Wrong(f"{value} was told version {version} of {key}, which is {seen[0][key][version - 1]}")
        for value, count in recorded.items():
            if count > 1:
                raise Wrong(f"{value} was recorded {count} times")
        told = set(self.told.values())
        if stray := set(recorded) - told - self.unknown:
            raise Wrong(f"recorded and not told: {sorted(stray)[:5]}")
        for key, places in self.by_idempotency.items():
            if len(places) != 1:
                raise Wrong(f"the idempotency key {key} was answered by {places}")
        if sum(recorded.values()) != self.read:
            raise Wrong(f"{sum(recorded.values())} events are recorded, and the reader saw {self.read}")


def play(binary: str, directory: pathlib.Path) -> str:
    with PostgresServer() as database:
        database.hold_transaction()
        arguments = ["--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", database.url(), "--init"]
        for name in ("one", "two"):
            (directory / name).mkdir()
        servers = [Server(binary, [*arguments, "--data", name, "--node-id", str(place + 1)], directory / name)
                   for place, name in enumerate(("one", "two"))]
        run = Run([server.port for server in servers])
        threads = [threading.Thread(target=run.client, args=(number,)) for number in range(CLIENTS)]
        reader = threading.Thread(target=run.reader)
        for thread in (*threads, reader):
            thread.start()
        time.sleep(1)
        database.kill()
        time.sleep(0.3)
        database.start()
        database.hold_transaction()
        for thread in threads:
            thread.join()
        run.finished.set()
        reader.join()
        if run.wrong:
            raise Wrong("; ".join(run.wrong[:5]))
        run.check()
        for server in servers:
            server.stop()
        return (f"{len(run.told)} versions told by two servers, {len(run.unknown)} of unknown outcome, {run.retries} tried again, "
                f"{run.conflicts} refused by If-Match, {run.read} events read once and in order")


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
