#!/usr/bin/env python3
"""Somebody holds the tables of the database locked, as a migration does, while clients ask for the past.

usage: tests/postgres/locked_tables.py ANNALS

Those who ask for the past wait. Meanwhile, on the same I/O thread, the present is told, /livez and /health answer; more who ask for the past
than may wait are refused at once; who waits longer than request_timeout is told so; and once the lock is gone, everybody who still waits gets
the answer. A question about a time that is long over does not wait for a write that waits for the lock on `$all`, also where the last event
was removed. A server that is told to stop while reads wait stops, also when the database is silent altogether.
"""

import json
import pathlib
import subprocess
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection, request_bytes  # noqa: E402
from played import Wrong, played  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server  # noqa: E402

KEYS = 5
READERS = 6  # of the ten connections of a pool, one appends, one follows, and two are left to tables and health
REFUSED = 4
PATIENCE_S = 120


def expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise Wrong(what)


class Lock:
    """Holds the tables of the events until it is let go of."""

    def __init__(self, database: PostgresServer, sql: str = "LOCK TABLE stream_events, events IN ACCESS EXCLUSIVE MODE"):
        self.database = database
        self.holder = subprocess.Popen(database._psql("postgres"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.holder.stdin.write(f"BEGIN;\n{sql};\nSELECT 'locked';\n")
        self.holder.stdin.flush()
        expect(self.holder.stdout.readline().strip() == "locked", "the tables cannot be locked")

    def waiting(self) -> int:
        """Connections that wait for it."""
        return int(self.database.psql("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted;"))

    def until_waiting(self, count: int) -> None:
        begun = time.monotonic()
        while self.waiting() < count:
            expect(time.monotonic() - begun < PATIENCE_S, f"{self.waiting()} reads wait for the lock, not {count}")

    def until_not_waiting(self) -> None:
        begun = time.monotonic()
        while self.waiting() > 0:
            expect(time.monotonic() - begun < PATIENCE_S, f"{self.waiting()} reads wait for the lock, and nobody for them")

    def release(self) -> None:
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()


class Program:
    """One server over the database, with one I/O thread."""

    def __init__(self, binary: str, directory: pathlib.Path, database: PostgresServer, *arguments: str):
        directory.mkdir(exist_ok=True)
        self.server = Server(binary, ["--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", database.url(), "--init",
                                      "--worker-threads", "1", *arguments], directory)

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_) -> None:
        if self.server.process.poll() is None:
            self.server.kill()

    def connect(self) -> Connection:
        return Connection(self.server.port, timeout=PATIENCE_S)

    def send(self, target: str, method: str = "GET", body: bytes | None = None) -> Connection:
        """Asks, and does not wait for the answer."""
        connection = self.connect()
        fields = (("Content-Type", "application/json"),) if body is not None else ()
        connection.send(request_bytes(method, target, body, fields))
        return connection

    def ask(self, target: str):
        with self.connect() as connection:
            return connection.request("GET", target)

    def expect_the_present(self) -> None:
        for number in range(2 * READERS):
            key = f"k{number % KEYS}"
            with self.connect() as connection:
                for target, status in ((f"/config/{key}", 200), ("/livez", 200), ("/config", 200), ("/health", 503)):
                    reply = connection.request("GET", target)
                    expect(reply.status == status, f"{target} got {reply.status} while the tables were locked: {reply.body!r}")
                expect(json.loads(reply.body)["checks"]["database"] == "error", f"/health says {reply.body!r}")


def record(program: Program) -> str:
    """Two values of every key; the time between them."""
    middle = ""
    for value in ("first", "second"):
        with program.connect() as connection:
            for number in range(KEYS):
                body = json.dumps({"value": value}).encode()
                reply = connection.request("PUT", f"/config/k{number}", body, (("Content-Type", "application/json"),))
                expect(reply.status == 200, f"a write got {reply.status}")
        if not middle:
            events = json.loads(program.ask(f"/config/k{KEYS - 1}/history").body)
            middle = urllib.parse.quote(events[-1]["created_at"])
    return middle


def past(middle: str) -> list[str]:
    """What asks the database, each in a way of its own."""
    return [
        "/config/k0/history", "/config/k0/history?limit=1", f"/config/k0?at={middle}", "/config/k0?version=1", f"/config/k0/at/{middle}",
        f"/config?at={middle}", f"/config?limit=3&at={middle}", f"/config?diff_from={middle}", f"/config?limit=2&diff_from={middle}",
        "/config/k0/diff?from_version=1", "/-/events?limit=3", "/-/events?stream=config-k0",
    ]


def check_answers(program: Program, asked: list[tuple[str, Connection]], expected: dict[str, bytes]) -> None:
    """One that waited longer than the database lets anybody wait for a lock is told so, and asks again."""
    for target, connection in asked:
        reply = connection.receive()
        if reply.status == 503:
            expect(json.loads(reply.body)["code"] == "database_away", f"{target} got {reply.body!r}")
            reply = program.ask(target)
        expect(reply.status == 200, f"{target} got {reply.status}: {reply.body!r}")
        expect(reply.body.replace(b"\n", b"") == expected[target], f"{target} got {reply.body!r}, not {expected[target]!r}")
        connection.close()


def play_waiting(binary: str, directory: pathlib.Path, database: PostgresServer) -> int:
    with Program(binary, directory / "waiting", database) as program:
        middle = record(program)
        targets = past(middle)
        # Differences up to now tell where now is, and that is all in which two answers may differ.
        expected = {target: program.ask(target).body.replace(b"\n", b"") for target in targets}
        lock = Lock(database)
        asked = [(target, program.send(target)) for target in targets * 2]
        lock.until_waiting(READERS)
        program.expect_the_present()
        lock.release()
        check_answers(program, asked, expected)
        program.server.stop()
        return len(asked)


def play_full_queue(binary: str, directory: pathlib.Path, database: PostgresServer) -> None:
    with Program(binary, directory / "full", database, "--reads-max", "1") as program:
        lock = Lock(database)
        asked = [program.send("/config/k0/history") for _ in range(READERS)]
        lock.until_waiting(READERS)
        # Of these one may wait; which one, the order decides in which they are read.
        late = [program.send("/config/k1/history") for _ in range(REFUSED + 1)]
        begun = time.monotonic()
        refused = []
        while len(refused) < REFUSED:
            expect(time.monotonic() - begun < PATIENCE_S, f"{len(refused)} reads are refused where one may wait, not {REFUSED}")
            refused += [connection for connection in late if connection not in refused and not connection.silent(0.05)]
        for connection in refused:
            reply = connection.receive()
            expect(reply.status == 503 and json.loads(reply.body)["code"] == "too_many_reads", f"it got {reply}")
            expect(reply.value("Retry-After") is not None, "without Retry-After")
        asked += [connection for connection in late if connection not in refused]
        program.expect_the_present()
        lock.release()
        for connection in asked:
            expect(connection.receive().status in (200, 503), "who waited is answered")
        program.server.stop()


def play_time_out(binary: str, directory: pathlib.Path, database: PostgresServer) -> None:
    with Program(binary, directory / "time", database, "--request-timeout", "300ms", "--drain-timeout", "300ms") as program:
        said_before = (database.directory / "log").stat().st_size
        lock = Lock(database)
        asked = [program.send("/config/k0/history") for _ in range(2 * READERS)]
        for connection in asked:
            reply = connection.receive()
            expect(reply.status == 503 and json.loads(reply.body)["code"] == "request_timeout", f"it got {reply}")
        # What nobody waits for any more ends in the database too, although the lock is held; and not for the lock's sake.
        lock.until_not_waiting()
        said = (database.directory / "log").read_bytes()[said_before:].decode(errors="replace")
        expect("canceling statement due to user request" in said, f"no statement was cancelled: {said[-2000:]}")
        lock.release()
        program.server.stop()
        expect(not any("A request could not be answered" in line for line in program.server.log),
               f"what was given up because nobody waits for it is told as if it had failed: {program.server.last_words()}")


def play_removed(binary: str, directory: pathlib.Path, database: PostgresServer) -> None:
    """The writer knows until when nothing is recorded any more, although the last position has no event."""
    with Program(binary, directory / "removed", database) as program:
        record(program)
        past_time = urllib.parse.quote(json.loads(program.ask("/config/k0/history").body)[-1]["created_at"])
        program.send("/config/gone", "PUT", b'{"value":"gone"}').receive()
        program.server.stop()
    database.psql("SET eventstore.enable_hard_deletes = 'on'; "
                  "CREATE TEMP TABLE gone AS SELECT event_id FROM stream_events JOIN streams USING (stream_id) WHERE stream_uuid = 'config-gone'; "
                  "DELETE FROM stream_events WHERE event_id IN (SELECT event_id FROM gone); "
                  "DELETE FROM events WHERE event_id IN (SELECT event_id FROM gone); DELETE FROM streams WHERE stream_uuid = 'config-gone';")
    with Program(binary, directory / "removed", database) as program:
        lock = Lock(database, "DO $$ BEGIN PERFORM FROM streams WHERE stream_id = 0 FOR UPDATE; END $$")
        write = program.send("/config/k0", "PUT", b'{"value":"third"}')
        lock.until_waiting(1)
        reply = program.ask(f"/config/k0?at={past_time}")
        expect((reply.status, reply.body.strip()) == (200, b"second"), f"the past is told as {reply.status} {reply.body!r}")
        expect(write.silent(0.01), "who asks for the past waits for who writes")
        lock.release()
        expect(write.receive().status == 200, "a write waits for the lock, and is taken")
        program.server.stop()


def play_stop(binary: str, directory: pathlib.Path, database: PostgresServer) -> None:
    with Program(binary, directory / "stop", database, "--drain-timeout", "300ms") as program:
        lock = Lock(database)
        asked = [program.send("/config/k0/history") for _ in range(2 * READERS)]
        lock.until_waiting(READERS)
        # What is read for nobody ends with the server, which does not wait for the lock; its checkpoints need no table.
        program.server.stop()
        expect(not any("A checkpoint could not be written" in line for line in program.server.log),
               f"it needs the tables to write its checkpoints: {program.server.last_words()}")
        lock.until_not_waiting()
        lock.release()
        for connection in asked:
            connection.close()


def play_silence(binary: str, directory: pathlib.Path, database: PostgresServer) -> None:
    """A database that says nothing at all keeps a server from going down no more than a locked one."""
    with Program(binary, directory / "silence", database, "--drain-timeout", "300ms") as program:
        database.pause()
        asked = [program.send("/config/k0/history") for _ in range(READERS)]
        program.server.stop()
        expect(not any("said nothing for" in line for line in program.server.log),
               f"it waited until the database counted as gone: {program.server.last_words()}")
        expect(not any("A checkpoint could not be written" in line for line in program.server.log),
               f"it needs the database to write its checkpoints: {program.server.last_words()}")
        database.resume()
        for connection in asked:
            connection.close()


def play(binary: str, directory: pathlib.Path) -> str:
    with PostgresServer() as database:
        waited = play_waiting(binary, directory, database)
        play_full_queue(binary, directory, database)
        play_time_out(binary, directory, database)
        play_removed(binary, directory, database)
        play_stop(binary, directory, database)
        play_silence(binary, directory, database)
    return f"{waited} reads of the past waited for a lock, and nobody waited with them"


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
