#!/usr/bin/env python3
"""Records that do not fit memory_max, under load by several clients, over kills and a clean restart.

usage: tests/crash/cold_records.py ANNALS      (the variable ANNALS_BINARY names another program)

Each client has records of its own, ten times more than the model's memory_max allows together. It creates, changes, deletes and reads them at
random, and finds in every reply what it wrote last, never an older text: by key, and in pages by an index that walk over the records of all. Then the server is killed
(and once stopped), and after its start every record must be what was acknowledged last, or what was under way when it was killed.
"""

import json
import os
import pathlib
import random
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection, ProtocolError, Response  # noqa: E402
from server import Server  # noqa: E402

CLIENTS = 6
RECORDS = 80           # of each client
NOTE_BYTES = 25_000    # so that all of them take some 12 MB
ROUNDS = int(os.environ.get("ANNALS_COLD_ROUNDS", "3"))
STEPS = int(os.environ.get("ANNALS_COLD_STEPS", "400"))  # of each client in each round
DECLARATION = """
[model.thing]
path = "/things"
memory_max = "1MiB"
[model.thing.fields]
id    = { type = "string", primary_key = true }
owner = { type = "integer", indexed = true }
step  = { type = "integer", indexed = true }
note  = { type = "text" }
"""


class Wrong(Exception):
    pass


def note_of(owner: int, step: int) -> str:
    return f"{owner}-{step}-" + chr(ord("a") + step % 26) * (NOTE_BYTES - step % 1000)


class Client:
    """One client: what it knows of its records. `expected` is each record's last acknowledged step, None where it does not exist; `pending` is
    what a request that was not answered would make of one."""

    def __init__(self, number: int, seed: int):
        self.number = number
        self.dice = random.Random(seed)
        self.expected: dict[str, int | None] = {f"r{number}-{i}": None for i in range(RECORDS)}
        self.pending: tuple[str, int | None] | None = None
        self.step = 0
        self.wrong = ""

    def body(self, key: str, step: int) -> bytes:
        return json.dumps({"id": key, "owner": self.number, "step": step, "note": note_of(self.number, step)}).encode()

    def check(self, key: str, reply: Response, steps: set[int | None]) -> int | None:
        if reply.status == 404:
            found = None
        elif reply.status == 200:
            record = json.loads(reply.body)
            found = record["step"]
            if record["id"] != key or record["owner"] != self.number or record["note"] != note_of(self.number, found):
                raise Wrong(f"{key}: the record is not of one version: {reply.body[:100]!r}")
        else:
            raise Wrong(f"GET of {key} is answered {reply.status}: {reply.body[:200]!r}")
        if found not in steps:
            raise Wrong(f"{key} is of step {found}, and {steps} was written last")
        return found

    def change(self, connection: Connection) -> None:
        key = self.dice.choice(list(self.expected))
        self.step += 1
        known = self.expected[key]
        json_type = (("Content-Type", "application/json"),)
        if known is None:
            method, target, step, good = "POST", "/things", self.step, 201
        elif self.dice.random() < 0.15:
            method, target, step, good = "DELETE", f"/things/{key}", None, 204
        else:
            method, target, step, good = "PUT", f"/things/{key}", self.step, 200
        self.pending = (key, step)
        body = None if step is None else self.body(key, step)
        reply = connection.request(method, target, body, json_type if body else ())
        if reply.status != good:
            raise Wrong(f"{method} of {key} is answered {reply.status}: {reply.body[:200]!r}")
        self.expected[key] = step
        self.pending = None

    def page(self, connection: Connection) -> None:
        """A page by an index, of the records of anybody; those of this client are as it knows them."""
        reply = connection.request("GET", f"/things?step[gte]={self.dice.randrange(max(self.step, 1))}&sort=step&limit=20")
        if reply.status != 200:
            raise Wrong(f"a page is answered {reply.status}: {reply.body[:200]!r}")
        for record in json.loads(reply.body)["data"]:
            if record["note"] != note_of(record["owner"], record["step"]):
                raise Wrong(f"{record['id']} is not of one version in a page")
            if record["owner"] == self.number and self.expected[record["id"]] != record["step"]:
                raise Wrong(f"{record['id']} is of step {record['step']} in a page, and {self.expected[record['id']]} was written last")

    def work(self, port: int, steps: int | None) -> None:
        """So many steps, or, with None, until the server is gone."""
        try:
            with Connection(port, timeout=60) as connection:
                while steps is None or steps > 0:
                    choice = self.dice.random()
                    if choice < 0.5:
                        self.change(connection)
                    elif choice < 0.9:
                        key = self.dice.choice(list(self.expected))
                        self.check(key, connection.request("GET", f"/things/{key}"), {self.expected[key]})
                    else:
                        self.page(connection)
                    if steps is not None:
                        steps -= 1
        except (OSError, ProtocolError) as gone:
            if steps is not None:
                self.wrong = f"client {self.number}: {gone}"
        except Wrong as wrong:
            self.wrong = f"client {self.number}: {wrong}"

    def check_all(self, port: int) -> None:
        with Connection(port, timeout=60) as connection:
            for key, step in self.expected.items():
                steps = {step} | ({self.pending[1]} if self.pending and self.pending[0] == key else set())
                self.expected[key] = self.check(key, connection.request("GET", f"/things/{key}"), steps)
        self.pending = None


def figures(port: int) -> dict[str, int]:
    with Connection(port) as connection:
        lines = connection.request("GET", "/metrics").body.decode().splitlines()
    return {line.split("{")[0]: int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("annals_table_")}


def let_work(clients: list[Client], port: int, steps: int | None) -> list[threading.Thread]:
    threads = [threading.Thread(target=client.work, args=(port, steps)) for client in clients]
    for thread in threads:
        thread.start()
    return threads


def expect_good(clients: list[Client]) -> None:
    wrong = [client.wrong for client in clients if client.wrong]
    if wrong:
        raise Wrong("; ".join(wrong))


def check_memory(port: int) -> dict[str, int]:
    now = figures(port)
    if now["annals_table_hot_bytes"] > now["annals_table_hot_bytes_max"] or now["annals_table_cold_records"] < 100:
        raise Wrong(f"the records are not kept to memory_max: {now}")
    if now["annals_table_recalls_total"] > 0:
        raise Wrong(f"the file did not give back what was written: {now}")
    return now


def play(binary: str, directory: pathlib.Path, seed: int) -> None:
    (directory / "annals.toml").write_text(DECLARATION)
    clients = [Client(number, seed + number) for number in range(CLIENTS)]
    arguments = ["--listen", "127.0.0.1:0", "--data", str(directory / "data")]
    for round_number in range(ROUNDS):
        server = Server(binary, arguments, directory)
        try:
            for client in clients:
                client.check_all(server.port)
            for thread in let_work(clients, server.port, STEPS):
                thread.join()
            expect_good(clients)
            now = check_memory(server.port)
            print(f"round {round_number + 1}: {now['annals_table_cold_records']} of {now['annals_table_rows']} records were not in memory, "
                  f"{now['annals_table_loads_total']} texts were read back")
            if round_number % 2 == 0:
                threads = let_work(clients, server.port, None)
                threads[0].join(timeout=0.3)
                server.kill()
                for thread in threads:
                    thread.join()
                expect_good(clients)
            else:
                server.stop()
        except BaseException:
            server.stop_in_failure()
            raise
    server = Server(binary, arguments, directory)
    try:
        for client in clients:
            client.check_all(server.port)
        check_memory(server.port)
        server.stop()
    except BaseException:
        server.stop_in_failure()
        raise


def main() -> None:
    binary = os.environ.get("ANNALS_BINARY") or sys.argv[-1]
    seed = int(os.environ.get("ANNALS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    print(f"ANNALS_SEED={seed}")
    with tempfile.TemporaryDirectory(prefix="annals-cold-") as directory:
        try:
            play(str(pathlib.Path(binary).resolve()), pathlib.Path(directory), seed)
        except Wrong as wrong:
            sys.exit(f"cold_records: {wrong} (ANNALS_SEED={seed})")


if __name__ == "__main__":
    main()
