#!/usr/bin/env python3
"""A database is copied while a server records in it: the command says that the copy lacks what came meanwhile, and not that it is damaged; given
again once nobody records, it goes on from there.

usage: tests/postgres/migrated_meanwhile.py ANNALS
"""

import json
import pathlib
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection  # noqa: E402
from played import Wrong, killed_at_the_end, played  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server, clean_environment  # noqa: E402

PATIENCE_S = 60
ATTEMPTS = 20  # of copying while somebody records, of which one at least must meet him
ENOUGH = 3


def record_until(server: Server, over: threading.Event, failures: list[str]) -> None:
    with Connection(server.port, timeout=PATIENCE_S) as connection:
        number = 0
        while not over.is_set():
            body = json.dumps({"value": str(number)}).encode()
            reply = connection.request("PUT", f"/config/k{number % 10}", body, (("Content-Type", "application/json"),))
            if reply.status != 200:
                failures.append(f"a write got {reply.status} {reply.body!r}")
                return
            number += 1


def annals(binary: str, directory: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([binary, *arguments], cwd=directory, env=clean_environment({}), capture_output=True, text=True, check=False)


def play(binary: str, directory: pathlib.Path) -> str:
    with PostgresServer() as database, killed_at_the_end() as started:
        server = Server(binary, ["--listen", "127.0.0.1:0", "--database-url", database.url(), "--init"], directory)
        started.append(server)
        copying = ("migrate", "--from", database.url(), "--to", "copy")
        over, failures = threading.Event(), []
        writer = threading.Thread(target=record_until, args=(server, over, failures))
        writer.start()
        met = 0
        try:
            for _ in range(ATTEMPTS):
                ran = annals(binary, directory, *copying)
                if ran.returncode == 0:
                    continue
                if ran.returncode != 1 or "meanwhile; those up to position" not in ran.stderr:
                    raise Wrong(f"while somebody recorded, the copy ended with {ran.returncode}: {ran.stderr}")
                met += 1
                if met == ENOUGH:
                    break
        finally:
            over.set()
            writer.join()
        if failures:
            raise Wrong(failures[0])
        if met == 0:
            raise Wrong(f"{ATTEMPTS} copies never met who recorded")
        server.stop()
        ran = annals(binary, directory, *copying)
        if ran.returncode != 0:
            raise Wrong(f"once nobody recorded, the copy ended with {ran.returncode}: {ran.stderr}")
        events = [annals(binary, directory, "events", "--data", store).stdout for store in (database.url(), "copy")]
        if not events[0] or events[0] != events[1]:
            raise Wrong("the copy has other events")
    return f"{events[0].count(chr(10))} events were copied, {met} times while others came"


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
