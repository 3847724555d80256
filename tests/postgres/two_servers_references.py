#!/usr/bin/env python3
"""Two servers share one database; clients of both create records that refer to others, delete those others, and do both in batches, all at
once and about few keys.

usage: tests/postgres/two_servers_references.py ANNALS      (ANNALS_SHARED_WRITES is the number of writes of each client)

It must be so that nothing ever refers to what does not exist; that of a batch all was recorded or nothing; that both servers show the
same in the end; and that each kind of outcome came about, so that the above says something.
"""

import collections
import json
import os
import pathlib
import random
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection  # noqa: E402
from played import Wrong, played  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server  # noqa: E402

CLIENTS = 16
WRITES_PER_CLIENT = int(os.environ.get("ANNALS_SHARED_WRITES", "25"))
CUSTOMERS = 12

DECLARATION = """
[model.customer]
path = "/customers"
[model.customer.fields]
id = { type = "integer", primary_key = true }

[model.order]
path = "/orders"
[model.order.fields]
id       = { type = "uuid", primary_key = true }
customer = { type = "integer", references = "customer" }
seller   = { type = "integer", references = "customer", on_delete = "cascade" }
pair     = { type = "string" }
"""


class Run:
    def __init__(self, ports: list[int]):
        self.ports = ports
        self.lock = threading.Lock()
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []

    def ask(self, connection: Connection, method: str, path: str, body=None) -> int:
        content = b"" if body is None else json.dumps(body).encode()
        reply = connection.request(method, path, content, (("Content-Type", "application/json"),))
        code = "" if reply.status < 400 else " " + json.loads(reply.body)["code"]
        with self.lock:
            self.outcomes[f"{method} {path.split('/')[1]} {reply.status}{code}"] += 1
        if reply.status >= 500 and reply.status != 503:
            raise Wrong(f"{method} {path} got {reply.status}: {reply.body!r}")
        return reply.status

    def client(self, number: int, seed: int) -> None:
        chance = random.Random(seed * 1000 + number)
        try:
            with Connection(self.ports[number % 2], timeout=90) as connection:
                for write in range(WRITES_PER_CLIENT):
                    customer = chance.randrange(CUSTOMERS)
                    kind = chance.randrange(4)
                    if kind == 0:
                        self.ask(connection, "DELETE", f"/customers/{customer}")
                    elif kind == 1:
                        self.ask(connection, "POST", "/customers", {"id": customer})
                    elif kind == 2:
                        field = "customer" if chance.randrange(8) == 0 else "seller"
                        self.ask(connection, "POST", "/orders", {field: customer})
                    else:
                        order = {"seller": customer, "pair": f"{number}-{write}"}
                        self.ask(connection, "POST", "/batch", [{"method": "POST", "path": "/orders", "body": order}] * 2)
        except (Wrong, OSError) as error:
            self.wrong.append(f"client {number}: {type(error).__name__} {error}")

    def check(self) -> None:
        # What a server told its clients of, it shows; the other one shows it soon after.
        positions = []
        for port in self.ports:
            with Connection(port, timeout=90) as connection:
                positions.append(connection.request("GET", "/orders?limit=1").value("Annals-Position"))
        seen = []
        for port in self.ports:
            with Connection(port, timeout=90) as connection:
                for position in positions:
                    if connection.request("GET", f"/orders?limit=1&min_position={position}").status != 200:
                        raise Wrong(f"the server on port {port} does not come to position {position}")
                    connection.request("GET", f"/customers?limit=1&min_position={position}")
                seen.append([json.loads(connection.request("GET", path).body)["data"] for path in ("/customers", "/orders?limit=1000")])
        if seen[0] != seen[1]:
            only = [[row for row in one if row not in other] for one, other in zip(seen[0] + seen[1], seen[1] + seen[0])]
            raise Wrong(f"the servers show different records; each has alone: {only}")
        customers = {customer["id"] for customer in seen[0][0]}
        pairs = collections.Counter()
        for order in seen[0][1]:
            for field in ("customer", "seller"):
                if order[field] is not None and order[field] not in customers:
                    raise Wrong(f"{order} refers by {field} to none of {customers}")
            if order["pair"] is not None:
                pairs[order["pair"]] += 1
        if halves := [pair for pair, count in pairs.items() if count != 2]:
            raise Wrong(f"of these batches not all is there: {halves}")


def play(binary: str, directory: pathlib.Path) -> str:
    seed = random.randrange(1_000_000)
    with PostgresServer() as database:
        arguments = ["--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", database.url(), "--init"]
        for name in ("one", "two"):
            (directory / name).mkdir()
            (directory / name / "annals.toml").write_text(DECLARATION)
        servers = [Server(binary, [*arguments, "--data", "data", "--node-id", str(place + 1)], directory / name)
                   for place, name in enumerate(("one", "two"))]
        try:
            run = Run([server.port for server in servers])
            for customer in range(CUSTOMERS):
                with Connection(run.ports[0], timeout=90) as connection:
                    run.ask(connection, "POST", "/customers", {"id": customer})
            threads = [threading.Thread(target=run.client, args=(number, seed)) for number in range(CLIENTS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if run.wrong:
                raise Wrong(f"seed {seed}: " + "; ".join(run.wrong[:5]))
            run.check()
            for outcome in ("POST orders 201", "POST orders 409 reference_missing", "POST batch 200", "POST batch 409 reference_missing",
                            "DELETE customers 204"):
                if run.outcomes[outcome] == 0:
                    raise Wrong(f"seed {seed}: there was no {outcome} among {dict(run.outcomes)}")
            for server in servers:
                server.stop()
        finally:
            for server in servers:
                server.kill()
        return f"seed {seed}: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(run.outcomes.items()))


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
