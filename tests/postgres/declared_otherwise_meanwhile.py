#!/usr/bin/env python3
"""Two servers of a database run with two declarations: the one that declares less meets what it cannot take, says so instead of telling what is
not so, serves its other models, and is whole again once it is started with a declaration that takes it, or the events are gone.

usage: tests/postgres/declared_otherwise_meanwhile.py ANNALS
"""

import json
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection, Response  # noqa: E402
from played import Wrong, killed_at_the_end, played  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server  # noqa: E402

PATIENCE_S = 90
JSON = (("Content-Type", "application/json"),)
KV = """[model.%s]
profile = "kv"
path = "/%s"
"""
RESOURCE = """[model.%s]
path = "/%s"
[model.%s.fields]
id = { type = "string", primary_key = true }
"""
SIZE = 'size = { type = "enum", values = %s }\n'
BUYS = 'product = { type = "string", references = "product" }\n'
ORDERS = (RESOURCE % ("order", "orders", "order")) + BUYS
# Takes the events of a stream away for good, as a hard delete does.
REMOVED = """
    ALTER TABLE events DISABLE TRIGGER USER;
    ALTER TABLE stream_events DISABLE TRIGGER USER;
    ALTER TABLE streams DISABLE TRIGGER USER;
    CREATE TEMPORARY TABLE gone AS SELECT event_id FROM stream_events JOIN streams USING (stream_id) WHERE stream_uuid = '%s';
    DELETE FROM stream_events WHERE event_id IN (SELECT event_id FROM gone);
    DELETE FROM events WHERE event_id IN (SELECT event_id FROM gone);
    DELETE FROM streams WHERE stream_uuid = '%s';
    ALTER TABLE events ENABLE TRIGGER USER;
    ALTER TABLE stream_events ENABLE TRIGGER USER;
    ALTER TABLE streams ENABLE TRIGGER USER;
"""
# `config` is a model of either profile, and `product` has one size more, or less.
MORE = (RESOURCE % ("config", "config", "config")) + (RESOURCE % ("product", "products", "product")) + SIZE % '["s", "l"]' + ORDERS
LESS = (KV % ("config", "config")) + (RESOURCE % ("product", "products", "product")) + SIZE % '["s"]' + ORDERS


def ask(server: Server, method: str, path: str, body=None) -> Response:
    with Connection(server.port, timeout=PATIENCE_S) as connection:
        return connection.request(method, path, b"" if body is None else json.dumps(body).encode(), JSON)


def expect(server: Server, status: int, method: str, path: str, body=None) -> Response:
    reply = ask(server, method, path, body)
    if reply.status != status:
        raise Wrong(f"{method} {path} got {reply.status}, not {status}: {reply.body!r}")
    return reply


def expect_failing(server: Server, method: str, path: str, body=None) -> None:
    reply = expect(server, 503, method, path, body)
    if json.loads(reply.body)["code"] != "table_failing" or reply.value("Retry-After") is None:
        raise Wrong(f"{method} {path} got {reply.fields} {reply.body!r}")


def wait_until(what: str, holds) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise Wrong(f"{what} did not come about within {PATIENCE_S} s")
        time.sleep(0.02)


def expect_product_fails(less: Server) -> None:
    for path in ("/products/a", "/products/c", "/products", "/products?size=s", "/orders/o?expand=product"):
        expect_failing(less, "GET", path)
    expect_failing(less, "POST", "/products", {"id": "d"})
    expect_failing(less, "PATCH", "/products/a", {"size": None})
    expect_failing(less, "DELETE", "/products/a")
    expect_failing(less, "POST", "/orders", {"id": "p", "product": "a"})
    expect_failing(less, "POST", "/batch", [{"method": "POST", "path": "/orders", "body": {"id": "q"}},
                                            {"method": "POST", "path": "/products", "body": {"id": "d"}}])
    expect(less, 404, "GET", "/orders/q")
    expect(less, 200, "GET", "/orders/o")
    expect(less, 201, "POST", "/orders", {"id": "r"})
    expect(less, 200, "GET", "/livez")
    for path in ("/readyz", "/health"):
        told = expect(less, 503, "GET", path).body.decode()
        if "the read table of product cannot take the event at position" not in told or '"size' not in told.replace("\\", ""):
            raise Wrong(f"{path} says {told}")


def play_over(binary: str, directory: pathlib.Path, database: PostgresServer, started: list[Server]) -> None:
    nodes = {"more": 7, "less": 8}
    for name, declared in (("more", MORE), ("less", LESS)):
        (directory / name).mkdir()
        (directory / name / "annals.toml").write_text(declared)

    def start(name: str) -> Server:
        flags = ["--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", database.url(), "--node-id", str(nodes[name]), "--init"]
        started.append(Server(binary, flags, directory / name))
        return started[-1]

    more, less = start("more"), start("less")
    expect(more, 201, "POST", "/products", {"id": "a", "size": "s"})
    expect(more, 201, "POST", "/orders", {"id": "o", "product": "a"})
    wait_until("what the other recorded", lambda: ask(less, "GET", "/orders/o").status == 200)
    expect(less, 200, "GET", "/readyz")

    expect(more, 201, "POST", "/products", {"id": "c", "size": "l"})
    wait_until("the failure of product", lambda: ask(less, "GET", "/products/c").status == 503)
    expect_product_fails(less)
    expect(more, 200, "GET", "/products/c")

    database.psql(REMOVED % ("product-c", "product-c"))
    wait_until("the recovery of product", lambda: ask(less, "GET", "/products/a").status == 200)
    expect(less, 404, "GET", "/products/c")
    expect(less, 201, "POST", "/products", {"id": "e", "size": "s"})
    expect(less, 200, "GET", "/readyz")

    # A model that has values here, and is a resource there.
    expect(more, 201, "POST", "/config", {"id": "x"})
    wait_until("the failure of config", lambda: ask(less, "GET", "/config/x").status == 503)
    expect_failing(less, "GET", "/config")
    expect_failing(less, "PUT", "/config/y", {"value": "1"})
    if "the read table of config cannot take the event" not in expect(less, 503, "GET", "/readyz").body.decode():
        raise Wrong("/readyz does not name the table")
    expect(less, 200, "GET", "/products/a")

    less.stop()
    (directory / "less" / "annals.toml").write_text(MORE)
    less = start("less")
    wait_until("readiness", lambda: ask(less, "GET", "/readyz").status == 200)
    expect(less, 200, "GET", "/config/x")
    expect(less, 201, "POST", "/config", {"id": "y"})
    less.stop()
    more.stop()


def play(binary: str, directory: pathlib.Path) -> str:
    with PostgresServer() as database, killed_at_the_end() as started:
        play_over(binary, directory, database, started)
    return "a server that meets what its declaration cannot take says so, serves the rest, and is whole again without the cause"


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
