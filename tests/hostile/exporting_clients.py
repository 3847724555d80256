#!/usr/bin/env python3
"""An export is of one moment, however much is written meanwhile.

usage: tests/hostile/exporting_clients.py ANNALS      (the variable ANNALS_BINARY names another program)

A client counts up in one key and then in another, of which one is in the first page of an export and the other in its last. At every moment
they are equal, or the first is one ahead.
"""

import json
import subprocess
import sys
import threading

from hostile import Connection, Server, Wrong, eventually, put, run

FILLING = 3000   # names in between, which are several pages
EXPORTS = 12


def fill(port: int) -> None:
    with Connection(port) as connection:
        lines = "".join(json.dumps({"name": f"m-{number:05}", "value": "x" * 200}) + "\n" for number in range(FILLING))
        reply = connection.request("POST", "/-/models/config/import", lines.encode(), (("Content-Type", "application/x-ndjson"),))
        if reply.status != 200:
            raise Wrong(f"the import got {reply.status} {reply.body!r}")


def test(binary, directory) -> str:
    server = Server(binary, ["--listen", "127.0.0.1:0", "--data", f"{directory}/data"], directory)
    stopping = threading.Event()
    counted = [0]
    failures: list[str] = []

    def count() -> None:
        with Connection(server.port) as connection:
            while not stopping.is_set():
                counted[0] += 1
                for name in ("a", "z"):
                    if (status := put(connection, name, str(counted[0])).status) != 200:
                        failures.append(f"a PUT got {status}")
                        return

    try:
        fill(server.port)
        counting = threading.Thread(target=count, daemon=True)
        counting.start()
        eventually(lambda: counted[0] > 10, "the first writes")
        for _ in range(EXPORTS):
            before = counted[0]
            done = subprocess.run([binary, "export", "--url", server.url], cwd=directory, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode != 0:
                raise Wrong(f"the export exited with {done.returncode}: {done.stderr}")
            values = {entry["name"]: entry["value"] for entry in map(json.loads, done.stdout.splitlines())}
            if len(values) != FILLING + 2:
                raise Wrong(f"{len(values)} names were exported, not {FILLING + 2}")
            first, last = int(values["a"]), int(values["z"])
            if first - last not in (0, 1):
                raise Wrong(f"the export has {first} and {last}, which never were at the same moment")
            if last + 1 < before:
                raise Wrong(f"the export has {last} although {before - 1} had been acknowledged before it")
        stopping.set()
        counting.join(timeout=60)
        if failures:
            raise Wrong(failures[0])
        server.stop()
    finally:
        stopping.set()
        server.process.kill()
    return f"{EXPORTS} exports amid {2 * counted[0]} writes were each of one moment"


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
