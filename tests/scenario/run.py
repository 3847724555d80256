#!/usr/bin/env python3
"""Plays a scenario against the real server over a real socket, and stops at the first thing that is not as written.

usage: tests/scenario/run.py [--postgres [--at-once COUNT]] ANNALS FILE.scenario...

ANNALS is the program. The format of the files is described in tests/scenario/README.md. Each scenario has a fresh directory
of its own, which is removed at the end; with --postgres also a database of its own, in a server that is started for this run. COUNT of
them are then played at a time, but for those that stop that server, which come last and one after another.
"""

import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection, ProtocolError, Response, request_bytes  # noqa: E402
from matching import Mismatch, abbreviated, fill_in, match_json, match_text, parse_json  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server, ServerError, clean_environment  # noqa: E402

EVENTUALLY_SECONDS = 60.0  # generous, as all such limits: a machine may be busy
CLOSED_SECONDS = 60.0


class Malformed(Exception):
    """The scenario file itself is wrong."""


class Scenario:
    def __init__(self, binary: str, path: pathlib.Path, directory: pathlib.Path, postgres: PostgresServer | None = None):
        self.binary = binary
        self.path = path
        self.directory = directory
        self.lines = path.read_text().splitlines()
        self.place = 0          # index of the line that is read next
        self.reported = 0       # number of the line that a failure is reported at
        self.server: Server | None = None
        self.connection: Connection | None = None
        self.earlier_log: list[str] = []  # of servers that ended
        self.flags: list[str] = []
        self.environment: dict[str, str] = {}
        self.variables = {"directory": str(directory), "data": str(directory / "data"), "store": str(directory / "data")}
        self.postgres = postgres
        if postgres is not None:
            if postgres.process is None:
                postgres.start()  # the scenario before stopped it and was not played to its end
            self.database = re.sub(r"\W", "_", f"{path.parent.name}_{path.stem}").lower()
            postgres.psql(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE); CREATE DATABASE {self.database};")
            self.environment = {"DATABASE_URL": postgres.url(self.database), "ANNALS_STORE_INIT": "true"}
            self.variables |= {"database": self.database, "database_url": postgres.url(self.database), "store": postgres.url(self.database)}

    # --- reading ---------------------------------------------------------------------------------------------------

    def peek(self) -> str | None:
        return self.lines[self.place] if self.place < len(self.lines) else None

    def block(self, prefix: str) -> list[str]:
        """The lines that begin with this prefix, from here on, without it."""
        taken = []
        while (line := self.peek()) is not None and (line == prefix or line.startswith(prefix + " ")):
            taken.append(line[len(prefix) + 1 :])
            self.place += 1
        return taken

    def indented(self) -> list[str]:
        """The lines from here on that begin with four spaces, without them, and the empty ones between."""
        taken = []
        while (line := self.peek()) is not None and (line.startswith("    ") or not line.strip()):
            taken.append(line[4:])
            self.place += 1
        while taken and not taken[-1].strip():
            taken.pop()
        return taken

    # --- the server ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        if self.server is None:
            arguments = ["--listen", "127.0.0.1:0", *(fill_in(flag, self.variables) for flag in self.flags)]
            if "--data" not in arguments:
                arguments += ["--data", self.variables["data"]]
            environment = {name: fill_in(value, self.variables) for name, value in self.environment.items()}
            self.server = Server(self.binary, arguments, self.directory, environment)
            self.variables |= {"url": self.server.url, "port": str(self.server.port)}

    def end(self, how: str) -> None:
        """Ends the server, if there is one, by its method of this name."""
        if how != "hasten":
            self.hang_up()
        server, self.server = self.server, None
        if server is not None:
            try:
                getattr(server, how)()
            finally:
                self.earlier_log += server.log

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    # --- steps -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Raises Mismatch, Malformed, ProtocolError, ServerError or OSError at the first thing that is wrong."""
        modifiers: dict[str, str] = {}
        while (line := self.peek()) is not None:
            self.reported = self.place + 1
            word, _, rest = line.partition(" ")
            if not line.strip() or word == "#":
                self.place += 1
            elif word == ">":
                self.request(modifiers)
                modifiers = {}
            elif word == "<":
                self.expect(self.block("<"), "GET")  # one more reply on the same connection
            elif word == "$":
                self.place += 1
                self.command(rest)
            elif word in ("raw", "same", "eventually", "times"):
                self.place += 1
                modifiers[word] = rest
            else:
                self.place += 1
                self.direct(word, rest)
        self.reported = len(self.lines)
        self.end("stop")

    def direct(self, word: str, rest: str) -> None:
        if word == "flags":
            self.flags = shlex.split(rest)
        elif word == "environment":
            name, _, value = rest.partition("=")
            self.environment[name] = value
        elif word == "file":
            text = "\n".join(self.indented()) + "\n"
            path = self.directory / fill_in(rest, self.variables)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fill_in(text, self.variables))
        elif word == "private":
            (self.directory / fill_in(rest, self.variables)).chmod(0o600)
        elif word == "nowhere":
            self.nowhere(fill_in(rest, self.variables))
        elif word == "start":
            self.start()
        elif word in ("stop", "interrupt", "hasten"):
            self.end("stop_in_failure" if (word, rest.strip()) == ("stop", "1") else word)
        elif word == "restart":
            self.end("stop")
            self.start()
        elif word == "kill":
            self.end("kill")
            self.start()
        elif word == "remove":
            # Out of the way at first, so that a server that still writes there does not get in between.
            removed = self.directory / "removed"
            (self.directory / fill_in(rest, self.variables)).rename(removed)
            shutil.rmtree(removed) if removed.is_dir() else removed.unlink()
        elif word == "pipe":
            path = self.directory / fill_in(rest, self.variables)
            if path.exists():
                path.unlink()
            os.mkfifo(path)
        elif word == "wait":
            time.sleep(float(rest))
        elif word == "now":
            self.variables[rest] = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        elif word == "closed":
            if self.connection is None or not self.connection.ended(CLOSED_SECONDS):
                raise Mismatch(f"the server did not close the connection within {CLOSED_SECONDS} s, or sent more")
        elif word == "open":
            if self.connection is None or not self.connection.silent(0.2):
                raise Mismatch("the server closed the connection, or sent more")
        elif word == "sql" and self.postgres is not None:
            text = (self.path.parent / rest).read_text() if rest else "\n".join(self.indented())
            self.postgres.psql(fill_in(text, self.variables) if not rest else text, self.database)
        elif word == "database" and self.postgres is not None and rest in ("stop", "start", "kill", "standby", "promote"):
            getattr(self.postgres, rest)()
        elif word == "logged":
            self.logged(rest)
        else:
            raise Malformed(f"not a step: {word} {rest}")

    def request(self, modifiers: dict[str, str]) -> None:
        self.start()
        lines = self.block(">")
        if "raw" in modifiers:
            data = fill_in("".join(lines), self.variables).encode().decode("unicode_escape").encode("latin-1")
            method = data.split(b" ")[0].decode("latin-1")
        else:
            data, method = self.well_formed(lines)
        expectations_at = self.place
        deadline = time.monotonic() + EVENTUALLY_SECONDS
        while True:
            self.place = expectations_at
            known = dict(self.variables)
            try:
                self.exchange(data, method, modifiers)
                return
            except Mismatch:
                if "eventually" not in modifiers or time.monotonic() > deadline:
                    raise
                self.variables = known
                time.sleep(0.05)

    def exchange(self, data: bytes, method: str, modifiers: dict[str, str]) -> None:
        """Sends once, or at once on many connections, and compares what comes back."""
        if "same" not in modifiers or self.connection is None:
            self.hang_up()
            self.connection = Connection(self.server.port)
        others = [Connection(self.server.port) for _ in range(int(modifiers.get("times", "1")) - 1)]
        for connection in [self.connection, *others]:
            connection.send(data)
        if (line := self.peek()) is None or not line.startswith("<"):
            return  # what comes back is expected later, or it is `closed`
        expected_at = self.place
        self.expect(self.block("<"), method)
        for connection in others:
            self.place = expected_at
            self.expect(self.block("<"), method, connection)
            connection.close()

    def well_formed(self, lines: list[str]) -> tuple[bytes, str]:
        """A request from a line of method and target, header lines, and, after an empty line, a body."""
        head, body = lines, None
        if "" in lines:
            head, body = lines[: lines.index("")], "\n".join(lines[lines.index("") + 1 :])
        method, _, target = fill_in(head[0], self.variables).partition(" ")
        fields = []
        for line in head[1:]:
            name, colon, value = fill_in(line, self.variables).partition(":")
            if not colon:
                raise Malformed(f"not a header line: {line}")
            fields.append((name, value.strip()))
        data = None if body is None else fill_in(body, self.variables).encode()
        return request_bytes(method, target, data, tuple(fields)), method

    def expect(self, lines: list[str], method: str, connection: Connection | None = None) -> None:
        """Receives a reply and compares it with `status`, header lines and, after an empty line, a body."""
        self.reported = self.place - len(lines) + 1
        connection = connection or self.connection
        if connection is None:
            raise Malformed("a reply is expected and nothing was sent")
        response = connection.receive(method)
        try:
            head, body = lines, None
            if "" in lines:
                head, body = lines[: lines.index("")], "\n".join(lines[lines.index("") + 1 :])
            match_text(head[0], str(response.status), self.variables, "status")
            for line in head[1:]:
                self.expect_field(line, response)
            if body is not None:
                self.expect_text(body, response.body.decode(errors="backslashreplace"), "body")
            self.always(response, method)
            if method == "HEAD" and not connection.silent(0.05):
                raise Mismatch("a reply to HEAD has a body")
        except Mismatch as mismatch:
            fields = "".join(f"\n    {name}: {value}" for name, value in response.fields)
            text = abbreviated(response.body.decode(errors="backslashreplace"))
            raise Mismatch(f"{mismatch}\n  the whole reply:\n    {response.status}{fields}\n\n    {text}") from None

    def expect_field(self, line: str, response: Response) -> None:
        name, colon, expected = line.partition(":")
        if not colon:
            raise Malformed(f"not a header line: {line}")
        found = response.values(name)
        expected = expected.strip()
        if expected == "(absent)":
            if found:
                raise Mismatch(f"header {name} should be absent\n    found:    {found[0]}")
            return
        if not found:
            raise Mismatch(f"header {name} is absent\n    expected: {expected}")
        if len(found) > 1:
            raise Mismatch(f"header {name} is there {len(found)} times: {found}")
        match_text(expected, found[0], self.variables, f"header {name}")

    def expect_text(self, expected: str, found: str, where: str) -> None:
        """JSON when what is expected looks like it, else text."""
        if expected[:1] in ("{", "[") and not expected.startswith("{{"):
            try:
                wanted = json.loads(expected)
            except ValueError as error:
                raise Malformed(f"the expected {where} is not JSON: {error}") from None
            match_json(wanted, parse_json(found, where), self.variables, where)
        else:
            match_text(expected, found, self.variables, where)

    def always(self, response: Response, method: str) -> None:
        """What holds of every reply, without being written in each scenario."""
        if response.status >= 200 and len(response.values("X-Request-Id")) != 1:
            raise Mismatch("a reply has one X-Request-Id")
        is_write = response.value("Annals-Durability") is not None  # among raw bytes
        if method in ("GET", "HEAD") and not is_write and len(response.values("Cache-Control")) != 1:
            raise Mismatch("a reply to GET has one Cache-Control: caches keep some that have none as long as they like")
        kind = response.value("Content-Type") or ""
        if response.body and kind.partition(";")[0] in ("application/json", "application/problem+json"):
            value = parse_json(response.body.decode(), "body")
            if kind.startswith("application/problem+json"):
                members = {"type", "title", "status", "detail", "code", "request_id"}
                if not isinstance(value, dict) or not members <= value.keys() <= members | {"errors"}:
                    raise Mismatch(f"a problem has the members {', '.join(sorted(members))} and perhaps errors")
                if value["status"] != response.status or value["request_id"] != response.value("X-Request-Id"):
                    raise Mismatch("a problem has the status and the request id of its reply")
        if response.status >= 400 and response.body and kind.partition(";")[0] not in ("application/problem+json", "text/plain") \
                and not (response.status == 503 and "unhealthy" in response.body.decode()):
            raise Mismatch(f"a refusal is application/problem+json, not {kind or 'nothing'}")

    def command(self, line: str) -> None:
        words = [fill_in(word, self.variables) for word in shlex.split(line)]
        if words[:1] != ["annals"]:
            raise Malformed(f"only annals is run, not {line}")
        output = subprocess.PIPE
        if words[-2:-1] == [">"]:
            output = open(self.directory / words[-1], "w")
            words = words[:-2]
        standard_input = {"stdin": subprocess.DEVNULL}
        if words[-2:-1] == ["<"]:
            standard_input = {"input": (self.directory / words[-1]).read_text()}
            words = words[:-2]
        expected_output, expected_errors = self.block("|"), self.block("!")
        expected_code = "0"
        if (following := self.peek()) is not None and following.startswith("exit "):
            expected_code = following.removeprefix("exit ")
            self.place += 1
        done = subprocess.run([self.binary, *words[1:]], cwd=self.directory, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60,
                              env=clean_environment(self.environment), check=False, **standard_input)
        if output is not subprocess.PIPE:
            output.close()
            done.stdout = ""
        try:
            match_text(expected_code, str(done.returncode), self.variables, "exit code")
            if expected_output:
                self.expect_lines(expected_output, done.stdout.splitlines(), "standard output")
            if expected_errors:
                self.expect_lines(expected_errors, done.stderr.splitlines(), "standard error")
        except Mismatch as mismatch:
            raise Mismatch(f"{mismatch}\n  standard output:\n{abbreviated(done.stdout, 6000)}\n  standard error:\n{abbreviated(done.stderr, 6000)}") from None

    def expect_lines(self, expected: list[str], found: list[str], where: str) -> None:
        """Line by line; a line `...` stands for any number of lines, up to the one that the next expectation matches."""
        place, skipping = 0, False
        for wanted in expected:
            if wanted == "...":
                skipping = True
                continue
            while True:
                if place >= len(found):
                    raise Mismatch(f"{where} ends without the line\n    expected: {wanted}")
                known = dict(self.variables)
                try:
                    self.expect_text(wanted, found[place], f"{where}, line {place + 1}")
                    break
                except Mismatch:
                    self.variables = known
                    if not skipping:
                        raise
                    place += 1
            place, skipping = place + 1, False
        if wanted != "..." and place < len(found):
            raise Mismatch(f"{where} goes on with\n    found:    {found[place]}")

    def nowhere(self, text: str) -> None:
        """No file of the data and no line of the servers' logs so far has the text."""
        data = pathlib.Path(self.variables["data"])
        files = [path for path in sorted(data.rglob("*")) if path.is_file()]
        if not files:
            raise Malformed(f"{data} has no files that could be looked at")
        for path in files:
            if (place := path.read_bytes().find(text.encode())) >= 0:
                raise Mismatch(f"{path.relative_to(data)} has {text!r} at byte {place}")
        for line in [*self.earlier_log, *(self.server.log if self.server else [])]:
            if text in line:
                raise Mismatch(f"the log has {text!r}\n    found:    {line}")

    def logged(self, expected: str) -> None:
        """A line of the server's log, now or soon."""
        if self.server is None:
            raise Malformed("no server runs whose log could be read")
        deadline = time.monotonic() + EVENTUALLY_SECONDS
        while True:
            for line in list(self.server.log):
                known = dict(self.variables)
                try:
                    self.expect_text(expected, line, "log")
                    return
                except Mismatch:
                    self.variables = known
            if time.monotonic() > deadline:
                raise Mismatch(f"no line of the log is\n    expected: {expected}\n{self.server.last_words()}")
            time.sleep(0.05)


def stops_the_database(path: pathlib.Path) -> bool:
    return any(line.startswith("database ") for line in path.read_text().splitlines())


def play(binary: str, path: pathlib.Path, postgres: PostgresServer | None) -> bool:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="annals-scenario-") as directory:
        scenario = Scenario(binary, path, pathlib.Path(directory), postgres)
        try:
            scenario.run()
        except (Mismatch, Malformed, ProtocolError, ServerError, OSError, subprocess.TimeoutExpired) as error:
            words = scenario.server.last_words() if scenario.server else ""
            print(f"{path}:{scenario.reported}: {type(error).__name__}: {error}\n{words}")
            return False
        finally:
            if scenario.server is not None:
                scenario.end("kill")
    print(f"{path.name}: as written, in {time.monotonic() - started:.1f} s")
    return True


def main(arguments: list[str]) -> int:
    with_postgres = arguments[:1] == ["--postgres"]
    arguments = arguments[with_postgres:]
    at_once = 1
    if with_postgres and arguments[:1] == ["--at-once"] and arguments[1:]:
        at_once, arguments = int(arguments[1]), arguments[2:]
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    binary = str(pathlib.Path(arguments[0]).resolve())
    paths = [pathlib.Path(name) for name in arguments[1:]]
    if not with_postgres:
        return 0 if all([play(binary, path, None) for path in paths]) else 1
    with PostgresServer() as postgres, concurrent.futures.ThreadPoolExecutor(at_once) as players:
        together = [path for path in paths if not stops_the_database(path)]
        results = list(players.map(lambda path: play(binary, path, postgres), together))
        results += [play(binary, path, postgres) for path in paths if path not in together]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
