#!/usr/bin/env python3
"""`annals events --follow` outlives its server: it says once that there is no answer, once that there is one again, and prints every event once, in order.

usage: tests/crash/followed.py ANNALS      (the variable ANNALS_BINARY names another program)

First the real server, which is written to, stopped or killed, and started again on the same port. Then one that answers as it is told: with 503 as a server
does whose database is away, with what a proxy says whose server is away, with half a reply; and at last with what no waiting mends, which ends the command.
"""

import json
import pathlib
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection  # noqa: E402
from played import Wrong, played  # noqa: E402
from server import Server, clean_environment  # noqa: E402

PATIENCE_S = 120
WRITES = 150             # between two ends of the server
ENDS = ("stop", "kill", "stop", "kill")
AWAY_S = 1.5             # several questions long, and one line
AWAY = "it is asked again until it answers"
BACK = "answers again"


class Follower:
    """The command, with what it has printed so far."""

    def __init__(self, binary: str, port: int):
        self.process = subprocess.Popen([binary, "events", "--url", f"http://127.0.0.1:{port}", "--follow"], env=clean_environment({}),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self.said: list[str] = []
        self.readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.said))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def _read(pipe, lines: list[str]) -> None:
        for line in pipe:
            lines.append(line.rstrip("\n"))

    def told(self, part: str) -> int:
        return sum(part in line for line in list(self.said))

    def wait_for(self, what: str, holds: Callable[[], bool]) -> None:
        begun = time.monotonic()
        while not holds():
            if time.monotonic() - begun > PATIENCE_S:
                raise Wrong(f"in vain it was waited for {what}; it printed {len(self.lines)} lines and said {self.said}")
            time.sleep(0.01)

    def expect_told(self, away: int, back: int) -> None:
        # What it says and what it prints come by two pipes, each read by a thread of its own: the one may be ahead of the other.
        self.wait_for("a word on each outage and each end", lambda: len(self.said) >= away + back)
        if (self.told(AWAY), self.told(BACK), len(self.said)) != (away, back, away + back):
            raise Wrong(f"of {away} outages and {back} ends of them it said {self.said}")

    def end(self) -> int:
        """Waits for it to end; its exit code."""
        try:
            code = self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Wrong(f"it goes on, having said {self.said}") from None
        for reader in self.readers:
            reader.join()
        return code

    def __enter__(self) -> "Follower":
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


def port_of_our_own() -> int:
    """One that no system gives to who asks for any, so that it is free again after the server has gone."""
    while True:
        port = random.randrange(12000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def play_server(binary: str, directory: pathlib.Path) -> int:
    port = port_of_our_own()
    with Follower(binary, port) as early:
        if early.end() != 1 or AWAY in early.said[0]:
            raise Wrong(f"where nothing ever answered it said {early.said}")

    def start() -> Server:
        return Server(binary, ["--listen", f"127.0.0.1:{port}", "--data", str(directory / "data")], directory)

    server = start()
    written = 0

    def write(count: int) -> None:
        nonlocal written
        with Connection(port) as connection:
            for _ in range(count):
                body = json.dumps({"value": str(written)}).encode()
                reply = connection.request("PUT", f"/config/k{written % 7}", body, (("Content-Type", "application/json"),))
                if reply.status != 200:
                    raise Wrong(f"a write got {reply.status}: {reply.body!r}")
                written += 1

    try:
        write(WRITES)
        with Follower(binary, port) as follower:
            for ends, how in enumerate(ENDS):
                if how == "stop":
                    follower.wait_for("all that was recorded", lambda: len(follower.lines) >= written)
                getattr(server, how)()
                follower.wait_for("a word on the outage", lambda: follower.told(AWAY) > ends)
                time.sleep(AWAY_S)
                follower.expect_told(ends + 1, ends)
                server = start()
                write(WRITES)
                follower.wait_for("what came after the outage", lambda: len(follower.lines) >= written)
                follower.expect_told(ends + 1, ends + 1)
            follower.process.terminate()
            if follower.end() != -signal.SIGTERM:
                raise Wrong(f"terminated, it ended with {follower.process.returncode}")
            values = [json.loads(line)["data"]["value"] for line in follower.lines]
            if values != [str(number) for number in range(written)]:
                raise Wrong(f"of {written} events in order it printed {values}")
        server.stop()
    finally:
        if server.process.poll() is None:
            server.kill()
    return written


def answer(status: int, body: bytes, position: str | None = None, kind: str = "application/problem+json") -> bytes:
    fields = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n" + (f"Annals-Position: {position}\r\n" if position else "")
    return f"HTTP/1.1 {status} X\r\n{fields}Connection: close\r\n\r\n".encode() + body


def problem(status: int, code: str, detail: str) -> bytes:
    return answer(status, json.dumps({"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code}).encode())


def events(position: str, *lines: str) -> bytes:
    return answer(200, "".join(line + "\n" for line in lines).encode(), position, "application/x-ndjson")


def play_told(binary: str, first: list[bytes], last: bytes, expected_code: int) -> Follower:
    """Answers each question with the next of these; every one of `first` but the pages is an outage, or goes on with one."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def accept() -> socket.socket | None:
        """Nobody, once the command has ended."""
        while not over.is_set():
            if select.select([listener], [], [], 0.05)[0]:
                return listener.accept()[0]
        return None

    def serve() -> None:
        for reply in [*first, last]:
            client = accept()
            if client is None:
                return
            with client:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += client.recv(65536)
                query = urllib.parse.urlsplit(request.split(b" ")[1].decode()).query
                asked.append(urllib.parse.parse_qs(query)["after"][0])
                client.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with Follower(binary, listener.getsockname()[1]) as follower:
        code = follower.end()
        over.set()
        thread.join()
    listener.close()
    if code != expected_code:
        raise Wrong(f"it ended with {code}, having said {follower.said}")
    after, expected = "0", []
    for reply in [*first, last]:
        expected.append(after)
        if reply in PAGES:
            after = PAGES[reply]
    if asked != expected:
        raise Wrong(f"it asked for what comes after {asked}, not {expected}")
    return follower


AWAY_REPLY = problem(503, "database_away", "the store cannot be asked now; try again soon")
PROXY_REPLY = answer(502, b"<html>Bad Gateway</html>", kind="text/html")
PAGE_1, PAGE_2, PAGE_3 = events("p-1", "one"), events("p-2", "two", "three"), events("p-3")
PAGES = {PAGE_1: "p-1", PAGE_2: "p-2", PAGE_3: "p-3"}
HALF_A_PAGE = PAGE_2[:-4]


def play_answers(binary: str) -> None:
    gone = problem(410, "cursor_gone", "the cursor comes from another store; read again from the start")
    # An outage is one, whatever it looks like meanwhile; so there are two of them.
    follower = play_told(binary, [AWAY_REPLY, PAGE_1, AWAY_REPLY, PROXY_REPLY, HALF_A_PAGE, AWAY_REPLY, PAGE_2, PAGE_3], gone, 1)
    if follower.lines != ["one", "two", "three"]:
        raise Wrong(f"it printed {follower.lines}")
    if (follower.told(AWAY), follower.told(BACK), len(follower.said)) != (2, 2, 5):
        raise Wrong(f"of two outages and an end it said {follower.said}")
    if "the store cannot be asked now" not in follower.said[0] or "410" not in follower.said[-1] or "cursor comes from another" not in follower.said[-1]:
        raise Wrong(f"it said {follower.said}")
    # What is wrong with the question ends it at once.
    follower = play_told(binary, [], problem(400, "invalid_parameter", "there is no such thing"), 2)
    if follower.lines or "no such thing" not in follower.said[-1] or len(follower.said) != 1:
        raise Wrong(f"of a question that is wrong it said {follower.said}")


def play(binary: str, directory: pathlib.Path) -> str:
    play_answers(binary)
    written = play_server(binary, directory)
    return f"{written} events were followed through {len(ENDS)} ends of their server, each once and in order"


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
