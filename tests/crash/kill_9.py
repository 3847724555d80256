#!/usr/bin/env python3
"""Kills the real server with SIGKILL under load, again and again on the same data, and holds it to its first promise.

usage: tests/crash/kill_9.py [--postgres] ANNALS

After each kill the server is started again and every key's history is read. It must be so that
  - versions run from 1 without a gap or a repetition;
  - each acknowledged PUT is there, at the version that its reply named, with its value;
  - what is there was sent, and is there once; a PUT whose reply never came may be there or not, but only whole;
  - a key's value is that of its last version;
  - the Idempotency-Key of an acknowledged PUT gives the same version again and records nothing, and a PUT whose reply never
    came can be sent again with its Idempotency-Key and is then there exactly once.
Some kills fall into a start, and some into a stop. At the end `annals verify` must find nothing.

With --postgres the events are in a database of this run's own, in which another transaction stays open all the time. In two of
three rounds the database's server is killed too, under the same load: it comes back while Annals lives, or only after Annals has
been killed as well. At the end the tables must say that no position and no version was skipped or given out twice.

Environment: ANNALS_CRASH_ROUNDS (50; with --postgres 9) is the number of kills under load, ANNALS_CRASH_SEED repeats a run's dice
(not its timing).
"""

import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
from typing import NamedTuple

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection, ProtocolError  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server, clean_environment  # noqa: E402

CLIENTS = 12
KEYS = [f"key_{number}" for number in range(24)]
LOAD_SECONDS_MAX = 0.9
SEGMENT_BYTES = 1 << 20
REPLAYED_PER_ROUND = 12
DATABASE_AWAY_SECONDS_MAX = 0.5
UNAVAILABLE_PAUSE_SECONDS = 0.02

# Of a database: the last position and how many events there are, then the streams that are not what their events say.
TABLES = """
SELECT stream_version, (SELECT count(*) FROM stream_events WHERE stream_id = 0), (SELECT coalesce(max(stream_version), 0) FROM stream_events WHERE stream_id = 0),
       (SELECT count(*) FROM events) FROM streams WHERE stream_id = 0;
SELECT s.stream_uuid, s.stream_version, count(e.event_id), max(e.stream_version) FROM streams AS s JOIN stream_events AS e USING (stream_id)
GROUP BY s.stream_id HAVING count(e.event_id) <> s.stream_version OR max(e.stream_version) <> s.stream_version OR min(e.stream_version) <> 1;
"""


class Put(NamedTuple):
    key: str
    value: str
    idempotency_key: str | None


class Wrong(Exception):
    """A promise that was broken."""


def short(value: str) -> str:
    """A value without its padding, for people."""
    return repr(value.rstrip("."))


class Ledger:
    """What was sent and what was acknowledged, by value: every value is sent once only (or again with its idempotency key)."""

    def __init__(self) -> None:
        self.sent: dict[str, Put] = {}
        self.acknowledged: dict[str, int] = {}                       # value -> version
        self.recorded: dict[str, dict[int, str]] = {key: {} for key in KEYS}   # what a history has shown: version -> value
        self.seen: set[str] = set()                                  # values that a history has shown
        self.unavailable = 0
        self.lock = threading.Lock()


class Client(threading.Thread):
    """Sends one PUT after another until the server is gone."""

    def __init__(self, ledger: Ledger, port: int, seed: str):
        super().__init__(daemon=True)
        self.ledger, self.port, self.seed = ledger, port, seed
        self.dice = random.Random(seed)
        self.wrong: str | None = None

    def run(self) -> None:
        try:
            with Connection(self.port, timeout=60) as connection:
                for number in range(1_000_000):
                    if not self.put(connection, number):
                        time.sleep(UNAVAILABLE_PAUSE_SECONDS)
        except (OSError, ProtocolError):
            return  # the server was killed, or drains
        except Wrong as wrong:
            self.wrong = str(wrong)

    def put(self, connection: Connection, number: int) -> bool:
        """False for 503."""
        name = f"{self.seed}/{number}"
        value = name + "." * self.dice.choice((0, 10, 200, 240, 700, 5000))
        put = Put(self.dice.choice(KEYS), value, f"again-{name}" if self.dice.random() < 0.25 else None)
        with self.ledger.lock:
            self.ledger.sent[value] = put
        version = send(connection, put)
        with self.ledger.lock:
            if version is None:
                self.ledger.unavailable += 1
            else:
                self.ledger.acknowledged[value] = version
        return version is not None


def send(connection: Connection, put: Put) -> int | None:
    """The version that the reply names; None for 503, after which the PUT may be recorded or not."""
    fields = (("Content-Type", "application/json"),)
    if put.idempotency_key is not None:
        fields += (("Idempotency-Key", put.idempotency_key),)
    reply = connection.request("PUT", f"/config/{put.key}", json.dumps({"value": put.value}).encode(), fields)
    if reply.status == 503:
        return None
    if reply.status != 200:
        raise Wrong(f"PUT {put.key} got {reply.status}: {reply.body[:500]!r}")
    return int((reply.value("ETag") or "").strip('"'))


def history(connection: Connection, key: str, after: int) -> list[dict]:
    reply = connection.request("GET", f"/config/{key}/history?after_version={after}")
    if reply.status != 200:
        raise Wrong(f"the history of {key} got {reply.status}: {reply.body[:500]!r}")
    return json.loads(reply.body)


def check_key(connection: Connection, ledger: Ledger, key: str, whole: bool) -> None:
    """Compares what is recorded since the last look (or, for `whole`, everything) with what was promised."""
    recorded = ledger.recorded[key]
    if whole:
        ledger.seen -= set(recorded.values())
    after = 0 if whole else len(recorded)
    for expected_version, event in enumerate(history(connection, key, after), after + 1):
        version, value = event["stream_version"], event["data"]["value"]
        if version != expected_version:
            raise Wrong(f"{key} has version {version} where {expected_version} should be")
        if whole and version in recorded and recorded[version] != value:
            raise Wrong(f"{key} at version {version} was {short(recorded[version])} and is {short(value)}")
        if value not in ledger.sent or ledger.sent[value].key != key:
            raise Wrong(f"{key} at version {version} has a value that nobody sent to it: {short(value)}")
        if value in ledger.seen:
            raise Wrong(f"{key} at version {version} has a value that is recorded already: {short(value)}")
        if ledger.acknowledged.get(value, version) != version:
            raise Wrong(f"{short(value)} was acknowledged as version {ledger.acknowledged[value]} of {key} and is version {version}")
        recorded[version] = value
        ledger.seen.add(value)
    reply = connection.request("GET", f"/config/{key}")
    if recorded and (reply.body.decode(), reply.value("ETag")) != (recorded[len(recorded)], f'"{len(recorded)}"'):
        raise Wrong(f"GET {key} gives version {reply.value('ETag')}, {reply.body[:100]!r}; its history ends with {len(recorded)}, {short(recorded[len(recorded)])}")


def check(server: Server, ledger: Ledger, whole: bool = False) -> None:
    with Connection(server.port) as connection:
        for key in KEYS:
            check_key(connection, ledger, key, whole)
    lost = [value for value in ledger.acknowledged if value not in ledger.seen]
    if lost:
        put = ledger.sent[lost[0]]
        raise Wrong(f"{len(lost)} acknowledged PUTs are lost, among them {short(put.value)}, version {ledger.acknowledged[put.value]} of {put.key}")


def replay(server: Server, ledger: Ledger, dice: random.Random) -> int:
    """Sends again what has an idempotency key: some of what was acknowledged, and all whose reply never came."""
    keyed = [put for put in ledger.sent.values() if put.idempotency_key is not None]
    acknowledged = [put for put in keyed if put.value in ledger.acknowledged]
    unknown = [put for put in keyed if put.value not in ledger.acknowledged]
    with Connection(server.port) as connection:
        for put in dice.sample(acknowledged, min(len(acknowledged), REPLAYED_PER_ROUND)):
            if (version := send(connection, put)) != ledger.acknowledged[put.value]:
                raise Wrong(f"{put.idempotency_key} gave version {ledger.acknowledged[put.value]} of {put.key}, and now gives {version}")
        for put in unknown:
            version = send(connection, put)
            if version is not None:
                if put.value in ledger.seen and ledger.recorded[put.key].get(version) != put.value:
                    raise Wrong(f"{put.idempotency_key} was recorded before the kill, and sending it again gave version {version}")
                ledger.acknowledged[put.value] = version
    return len(unknown)


class Run:
    def __init__(self, binary: str, directory: pathlib.Path, seed: int, postgres: PostgresServer | None):
        self.binary, self.directory, self.seed, self.postgres = binary, directory, seed, postgres
        self.dice = random.Random(seed)
        self.arguments = ["--listen", "127.0.0.1:0", "--data", str(directory / "data")]
        if postgres is not None:
            self.arguments += ["--store", "postgres", "--database-url", postgres.url(), "--init"]
            postgres.hold_transaction()
        self.environment = {"ANNALS_STORE_SEGMENT_BYTES": str(SEGMENT_BYTES)}
        self.ledger = Ledger()
        self.server: Server | None = None
        self.start_seconds_max = 0.0
        self.database_kills = 0

    def start(self) -> Server:
        server = self.server = Server(self.binary, self.arguments, self.directory, self.environment)
        self.start_seconds_max = max(self.start_seconds_max, server.start_seconds)
        return server

    def start_and_kill_early(self) -> None:
        """A kill while the server recovers what the last kill left."""
        process = subprocess.Popen([self.binary, "serve", *self.arguments], cwd=self.directory, env=clean_environment(self.environment),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.dice.uniform(0, 0.05))
        process.kill()
        process.wait()

    def load_and_kill(self, server: Server, number: int) -> None:
        clients = [Client(self.ledger, server.port, f"{self.seed}/{number}/{client}") for client in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(self.dice.uniform(0.02, LOAD_SECONDS_MAX))
        if self.postgres is not None and number % 3 != 0:
            self.postgres.kill()
            self.database_kills += 1
            time.sleep(self.dice.uniform(0, DATABASE_AWAY_SECONDS_MAX))
            if number % 3 == 1:
                self.start_database()
                time.sleep(self.dice.uniform(0.02, LOAD_SECONDS_MAX))
        if self.dice.random() < 0.1:
            server.process.terminate()
            time.sleep(self.dice.uniform(0, 0.01))
        server.kill()
        if self.postgres is not None and self.postgres.process is None:
            self.start_database()
        for client in clients:
            client.join(timeout=60)
            if client.is_alive():
                raise Wrong("a client still waits for a reply from a server that was killed")
            if client.wrong:
                raise Wrong(client.wrong)

    def start_database(self) -> None:
        self.postgres.start()
        self.postgres.hold_transaction()

    def play(self, rounds: int) -> str:
        early, sent_again = 0, 0
        server = self.start()
        for number in range(rounds):
            self.load_and_kill(server, number)
            while self.dice.random() < 0.25:
                self.start_and_kill_early()
                early += 1
            server = self.start()
            check(server, self.ledger)
            sent_again += replay(server, self.ledger, self.dice)
        check(server, self.ledger)
        server.stop()
        if self.postgres is None:
            self.verify_directory(rounds)
        else:
            self.verify_tables()
        server = self.start()
        check(server, self.ledger, whole=True)
        server.stop()
        unacknowledged = len(self.ledger.seen - self.ledger.acknowledged.keys())
        of_database = f", {self.database_kills} of the database" if self.postgres is not None else ""
        return (f"{rounds} kills under load{of_database} and {early} during a start: {len(self.ledger.acknowledged)} PUTs acknowledged and there, "
                f"{unacknowledged} more recorded without their reply, {sent_again} sent again, {self.ledger.unavailable} refused with 503; "
                f"slowest start {self.start_seconds_max:.2f} s")

    def verify_directory(self, rounds: int) -> None:
        verified = subprocess.run([self.binary, "verify", "--data", str(self.directory / "data")], capture_output=True, text=True,
                                  env=clean_environment({}), stdin=subprocess.DEVNULL, check=False)
        if verified.returncode != 0:
            raise Wrong(f"verify exited with {verified.returncode}: {verified.stdout}{verified.stderr}")
        # A run that never filled a segment has proved less than it says.
        files = [path for path in (self.directory / "data").rglob("*") if path.is_file() and path.stat().st_size >= SEGMENT_BYTES // 2]
        if rounds >= 20 and len(files) < 3:
            raise Wrong(f"the run was to fill several segments of {SEGMENT_BYTES} bytes, and there are {len(files)} files of about that size")

    def verify_tables(self) -> None:
        places, *odd = self.postgres.psql(TABLES).splitlines()
        if len(set(places.split("|"))) != 1 or odd:
            raise Wrong(f"last position|places|highest place|events: {places}; streams that are not what their events say: {odd[:5]}")


def main(arguments: list[str]) -> int:
    with_postgres = arguments[:1] == ["--postgres"]
    arguments = arguments[with_postgres:]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    binary = os.environ.get("ANNALS_BINARY") or str(pathlib.Path(arguments[0]).resolve())
    rounds = int(os.environ.get("ANNALS_CRASH_ROUNDS") or (9 if with_postgres else 50))
    seed = int(os.environ.get("ANNALS_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"seed {seed}", flush=True)
    with PostgresServer() if with_postgres else contextlib.nullcontext() as postgres:
        return play(binary, rounds, seed, postgres)


def play(binary: str, rounds: int, seed: int, postgres: PostgresServer | None) -> int:
    started = time.monotonic()
    # Kept when something is wrong: it is the evidence.
    directory = pathlib.Path(tempfile.mkdtemp(prefix="annals-kill-9-"))
    run = Run(binary, directory, seed, postgres)
    try:
        print(run.play(rounds), f"({time.monotonic() - started:.0f} s)")
    except Exception as error:
        print(f"seed {seed}: {type(error).__name__}: {error}\nthe data is left in {directory}")
        if run.server is not None:
            code = run.server.process.poll()
            print(f"the server {'still runs' if code is None else f'exited with {code}'}\n{run.server.last_words()}")
            run.server.process.kill()
        return 1
    subprocess.run(["rm", "-rf", str(directory)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
