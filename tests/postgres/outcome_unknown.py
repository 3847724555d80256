#!/usr/bin/env python3
"""The database goes away while it takes a write, and stays away: the client is told that nobody knows, and with the same
Idempotency-Key the write is recorded once, whichever way it went.

usage: tests/postgres/outcome_unknown.py ANNALS
"""

import json
import pathlib
import select
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection  # noqa: E402
from played import Wrong, killed_at_the_end, played  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server  # noqa: E402

PATIENCE_S = 60
COMMITS = b"update_all"  # the last but one statement of the round trip that commits


class Proxy:
    """Hands bytes on to a port; once told to, it cuts everything off at the next commit, before or after the database has had it."""

    def __init__(self, port: int):
        self.target, self.cut, self.away, self.sockets = port, None, False, set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            if self.away:
                client.close()
                continue
            threading.Thread(target=self._carry, args=(client, socket.create_connection(("127.0.0.1", self.target))), daemon=True).start()

    def _carry(self, client: socket.socket, database: socket.socket) -> None:
        self.sockets |= {client, database}
        try:
            while True:
                for ready in select.select([client, database], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    cut = self.cut if ready is client and COMMITS in data else None
                    if cut != "before":
                        (database if ready is client else client).sendall(data)
                    if cut == "after":
                        database.recv(1)  # it answers once it has committed, or is about to
                    if cut:
                        self.cut, self.away = None, True
                        for one in list(self.sockets):
                            one.shutdown(socket.SHUT_RDWR)
                        return
        except OSError:
            pass
        finally:
            client.close()
            database.close()
            self.sockets -= {client, database}


def put(server: Server, value: str, key: str) -> tuple[int, dict | str]:
    fields = (("Content-Type", "application/json"), ("Idempotency-Key", key))
    with Connection(server.port, timeout=PATIENCE_S) as connection:
        reply = connection.request("PUT", "/config/color", json.dumps({"value": value}).encode(), fields)
        return reply.status, json.loads(reply.body) if reply.status >= 400 else ""


def play_over(server: Server, proxy: Proxy, database: PostgresServer) -> None:
    if put(server, "first", "k-first")[0] != 200:
        raise Wrong("the first write failed")
    for number, cut in enumerate(("before", "after"), start=2):
        proxy.cut = cut
        status, problem = put(server, cut, "k-" + cut)
        if (status, problem["code"]) != (503, "outcome_unknown") or "Idempotency-Key" not in problem["detail"]:
            raise Wrong(f"cut {cut} the commit, a write got {status} {problem}")
        status, problem = put(server, "other", "k-other")
        if (status, problem["code"]) != (503, "database_away") or "recorded nothing" not in problem["detail"]:
            raise Wrong(f"a write that was not tried got {status} {problem}")
        proxy.away = False
        begun = time.monotonic()
        while (again := put(server, cut, "k-" + cut))[0] != 200:
            if again[0] != 503 or time.monotonic() - begun > PATIENCE_S:
                raise Wrong(f"tried again, it got {again}")
            time.sleep(0.05)
        events = int(database.psql("SELECT stream_version FROM streams WHERE stream_id = 0;"))
        if events != number:
            raise Wrong(f"cut {cut} the commit, there are {events} events, not {number}")


def play(binary: str, directory: pathlib.Path) -> str:
    with PostgresServer() as database, killed_at_the_end() as started:
        proxy = Proxy(database.port)
        url = f"postgres://{database.user}@127.0.0.1:{proxy.port}/postgres"
        started.append(Server(binary, ["--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", url, "--init"], directory))
        try:
            play_over(started[0], proxy, database)
        except Wrong as wrong:
            raise Wrong(f"{wrong}\n{started[0].last_words()}") from wrong
        started[0].stop()
    return "who writes is told when nobody knows the outcome, and may try again"


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
