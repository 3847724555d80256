#!/usr/bin/env python3
"""Two servers of a database that declare the same model otherwise.

Of fields: the one that declares less is held, when it starts again, against what the other recorded. Of attributes alone: each
start records one event, and none while the other server does not start, and nothing is refused.

usage: tests/postgres/declared_otherwise.py ANNALS
"""

import json
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection  # noqa: E402
from played import Wrong, killed_at_the_end, played  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server  # noqa: E402

PATIENCE_S = 60
DECLARED = """[model.product]
path = "/products"
[model.product.fields]
id = { type = "string", primary_key = true }
size = { type = "enum", values = %s }
"""
ATTRIBUTES = """[model.product]
path = "/products"
versioned = %d
[model.product.fields]
id = { type = "string", primary_key = true }
size = { type = "string" }
"""


def create(server: Server, key: str, size: str) -> None:
    with Connection(server.port, timeout=PATIENCE_S) as connection:
        body = json.dumps({"id": key, "size": size}).encode()
        reply = connection.request("POST", "/products", body, (("Content-Type", "application/json"),))
        if reply.status != 201:
            raise Wrong(f"the creation of {key} got {reply.status}: {reply.body!r}")


def play_over(binary: str, directory: pathlib.Path, database: PostgresServer, started: list[Server]) -> None:
    nodes = {"more": 7, "less": 8}
    for name, values in (("more", '["s", "l"]'), ("less", '["s"]')):
        (directory / name).mkdir()
        (directory / name / "annals.toml").write_text(DECLARED % values)

    def flags(name: str) -> list[str]:
        return ["--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", database.url(), "--node-id", str(nodes[name])]

    def start(name: str) -> Server:
        started.append(Server(binary, [*flags(name), "--init"], directory / name))
        return started[-1]

    def refusal(*command: str) -> str:
        done = subprocess.run([binary, *command], cwd=directory / "less", capture_output=True, text=True, timeout=PATIENCE_S)
        if done.returncode != 2 or "(product-c, version 1)" not in done.stdout + done.stderr:
            raise Wrong(f"annals {command[0]} ends with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    more, less = start("more"), start("less")
    create(more, "a", "s")
    create(less, "b", "s")
    less.stop()
    start("less").stop()  # what the other recorded suits
    create(more, "c", "l")
    refusal("plan", "--store", "postgres", "--database-url", database.url())
    if "by another server" not in refusal("serve", *flags("less")):
        raise Wrong("it is not told that another server recorded it")
    more.stop()


def declarations(binary: str, database: PostgresServer) -> list[dict]:
    command = [binary, "events", "--data", database.url(), "--stream", "$declarations-product"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    return [json.loads(line)["data"] for line in done.stdout.splitlines()]


def play_attributes(binary: str, directory: pathlib.Path, database: PostgresServer, started: list[Server]) -> None:
    nodes = {"few": 7, "many": 8}
    for name, versions in (("few", 5), ("many", 50)):
        (directory / name).mkdir()
        (directory / name / "annals.toml").write_text(ATTRIBUTES % versions)

    def start(name: str) -> Server:
        flags = ["--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", database.url(), "--node-id", str(nodes[name])]
        started.append(Server(binary, [*flags, "--init"], directory / name))
        return started[-1]

    def expect(versions: list[int], when: str) -> None:
        found = [one["attributes"]["versioned"] for one in declarations(binary, database)]
        if found != versions:
            raise Wrong(f"{when} the declarations that were recorded have the versions {found}, not {versions}")

    for number in range(2):
        few, many = start("few"), start("many")
        expect([5, 50] * (number + 1), "when each has started")
        create(few, f"a{number}", "s")
        create(many, f"b{number}", "s")
        many.stop()
        start("many").stop()
        expect([5, 50] * (number + 1), "when one has started that was the last one to")
        few.stop()
    for one in declarations(binary, database):
        if one["fields"] != declarations(binary, database)[0]["fields"]:
            raise Wrong(f"the fields are not what they were: {one}")


def play(binary: str, directory: pathlib.Path) -> str:
    with PostgresServer() as database, killed_at_the_end() as started:
        play_over(binary, directory, database, started)
    with PostgresServer() as database, killed_at_the_end() as started:
        play_attributes(binary, directory, database, started)
    return "what another server recorded by another declaration is looked at at the next start"


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
