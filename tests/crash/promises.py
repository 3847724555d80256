#!/usr/bin/env python3
"""Kills the program while clients write models that promise different things, and read lists that the server keeps.

usage: tests/crash/promises.py ANNALS      (the variable ANNALS_BINARY names another program, ANNALS_CRASH_ROUNDS the number of kills)

Writers set a number in a record of their own, one higher each time, in a model whose writes promise `memory`, one whose creations and
updates promise `local`, and one with a batch_size; all three keep their lists. Readers ask for these lists.

It must be so that each reply says what its model declares; that a list never shows less than what was told before it was asked for; that after
kill -9 everything that was told is there (what promises `memory` has been handed to the system, which was not killed), with versions
and numbers without a gap; and that nothing is there that nobody sent.
"""

import json
import os
import pathlib
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection, ProtocolError  # noqa: E402
from server import Server  # noqa: E402

ROUNDS = max(2, int(os.environ.get("ANNALS_CRASH_ROUNDS", "8")) // 2)
SECONDS_A_ROUND = 1.0
WRITERS = 9
READERS = 3
FIELDS = """
id = { type = "string", primary_key = true }
n = { type = "integer", indexed = true }
"""
MODELS = {
    "note": ('durability = "memory"', {"group": "memory", "periodic": "periodic"}),
    "order": ('operations = { create = { durability = "local" }, update = { durability = "local" } }', {"group": "local", "periodic": "local"}),
    "bulk": ("performance = { batch_size = 2 }", {"group": "local", "periodic": "periodic"}),
}


class Wrong(Exception):
    pass


class Round:
    def __init__(self, port: int, sync: str, told: dict[tuple[str, str], int]):
        self.port = port
        self.sync = sync
        self.told = told                # (model, key) -> the number that was told to be there
        self.over = threading.Event()
        self.wrong: list[str] = []
        self.lists = 0

    def write(self, number: int) -> None:
        model = list(MODELS)[number % len(MODELS)]
        key = f"w{number}"
        expected = MODELS[model][1][self.sync]
        with Connection(self.port, timeout=60) as connection:
            while not self.over.is_set():
                count = self.told.get((model, key), 0) + 1
                method, target = ("POST", f"/{model}") if count == 1 else ("PATCH", f"/{model}/{key}")
                body = json.dumps({"id": key, "n": count} if count == 1 else {"n": count}).encode()
                reply = connection.request(method, target, body, (("Content-Type", "application/json"),))
                if reply.status not in (200, 201):
                    raise Wrong(f"{method} {target} got {reply.status}: {reply.body!r}")
                if reply.value("Annals-Durability") != expected:
                    raise Wrong(f"{model} with {self.sync} promises {reply.value('Annals-Durability')}")
                self.told[model, key] = count

    def read(self, number: int) -> None:
        with Connection(self.port, timeout=60) as connection:
            while not self.over.is_set():
                model = list(MODELS)[(number + self.lists) % len(MODELS)]
                told = dict(self.told)
                reply = connection.request("GET", f"/{model}?sort=-n&n[gte]=0")
                if reply.status != 200 or reply.value("Cache-Control") != "max-age=300":
                    raise Wrong(f"a list got {reply.status} {reply.value('Cache-Control')}")
                shown = {record["id"]: record["n"] for record in json.loads(reply.body)["data"]}
                for (of, key), count in told.items():
                    if of == model and shown.get(key, 0) < count:
                        raise Wrong(f"the list of {model} shows {key} at {shown.get(key)}, and {count} had been told before")
                self.lists += 1

    def run(self, work, number: int) -> None:
        try:
            work(number)
        except (OSError, ProtocolError) as error:
            if not self.over.is_set():
                self.wrong.append(f"{type(error).__name__} {error}")
        except Wrong as error:
            self.wrong.append(str(error))

    def play(self, server: Server) -> None:
        clients = [threading.Thread(target=self.run, args=(self.write, number), daemon=True) for number in range(WRITERS)]
        clients += [threading.Thread(target=self.run, args=(self.read, number), daemon=True) for number in range(READERS)]
        for client in clients:
            client.start()
        time.sleep(SECONDS_A_ROUND)
        self.over.set()
        server.kill()
        for client in clients:
            client.join(timeout=60)
        if self.wrong:
            raise Wrong("\n".join(self.wrong))


def check(port: int, told: dict[tuple[str, str], int]) -> None:
    with Connection(port, timeout=60) as connection:
        for (model, key), count in told.items():
            history = json.loads(connection.request("GET", f"/{model}/{key}/history").body)
            if [event["stream_version"] for event in history] != list(range(1, len(history) + 1)):
                raise Wrong(f"the versions of {model} {key} have gaps")
            numbers = [event["data"].get("values", {}).get("n") or event["data"]["changes"]["n"]["new"] for event in history]
            if numbers != list(range(1, len(numbers) + 1)):
                raise Wrong(f"the numbers of {model} {key} have gaps")
            # One more than was told may have been on its way.
            if not count <= len(numbers) <= count + 1:
                raise Wrong(f"{model} {key} is at {len(numbers)}, and {count} was told")
            told[model, key] = len(numbers)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    binary = os.environ.get("ANNALS_BINARY") or str(pathlib.Path(arguments[0]).resolve())
    started = time.monotonic()
    told: dict[tuple[str, str], int] = {}
    lists = 0
    with tempfile.TemporaryDirectory(prefix="annals-promises-") as directory:
        models = [f'[model.{name}]\npath = "/{name}"\ncache = "300s"\n{lines}\n[model.{name}.fields]{FIELDS}' for name, (lines, _) in MODELS.items()]
        pathlib.Path(directory, "annals.toml").write_text("\n".join(models))
        for number in range(ROUNDS):
            sync = "periodic" if number % 2 else "group"
            flags = ["--listen", "127.0.0.1:0", "--data", f"{directory}/data", "--worker-threads", "3", "--sync", sync]
            server = Server(binary, flags, pathlib.Path(directory))
            try:
                check(server.port, told)
                round_ = Round(server.port, sync, told)
                round_.play(server)
                lists += round_.lists
            except Exception as error:
                print(f"{type(error).__name__}: {error}\n{server.last_words()}")
                server.process.kill()
                return 1
        server = Server(binary, flags, pathlib.Path(directory))
        check(server.port, told)
        server.stop()
    print(f"{ROUNDS} kills, {sum(told.values())} writes told and there, {lists} lists none of which was old ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
