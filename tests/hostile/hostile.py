"""What the tests of this folder share: a server of their own, requests that must succeed meanwhile, a look at the process."""

import collections.abc
import json
import os
import pathlib
import resource
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection, ProtocolError, Response  # noqa: E402
from server import Server, ServerError  # noqa: E402

__all__ = ["Connection", "ProtocolError", "Response", "Server", "ServerError", "Wrong", "cpu_seconds", "eventually", "may_open", "memory_bytes",
           "ordinary_requests", "put", "run", "tick_seconds"]


class Wrong(Exception):
    """The server did what it must not; the message says what."""


def may_open(descriptors: int) -> None:
    """Raises this process's own limit of open files, which the server inherits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < descriptors:
        raise Wrong(f"this test opens {descriptors} descriptors, and the hard limit of open files here is {hard}: raise it (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < descriptors:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))


def put(connection: Connection, name: str, value: str) -> Response:
    return connection.request("PUT", f"/config/{name}", json.dumps({"value": value}).encode(), (("Content-Type", "application/json"),))


def ordinary_requests(port: int, count: int) -> float:
    """Writes and reads as any client would, on old and new connections; the longest that one took, in seconds."""
    longest = 0.0
    kept = Connection(port)
    for number in range(count):
        connection = kept if number % 10 else Connection(port)
        began = time.monotonic()
        written = put(connection, f"ordinary-{number % 7}", str(number))
        read = connection.request("GET", f"/config/ordinary-{number % 7}")
        longest = max(longest, time.monotonic() - began)
        if written.status != 200 or read.status != 200 or read.body != str(number).encode():
            raise Wrong(f"an ordinary write and read got {written.status} and {read.status} {read.body!r}")
        if connection is not kept:
            connection.close()
    kept.close()
    return longest


def memory_bytes(server: Server) -> int:
    """What the process has in memory that is its own."""
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise Wrong("the system does not say how much memory the server has")


def tick_seconds() -> float:
    return 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(server: Server) -> float:
    """What the process has used of the processors so far."""
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * tick_seconds()


def eventually(condition: collections.abc.Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Wrong(f"{what} did not come about within {seconds} s")
        time.sleep(0.02)


def run(test: collections.abc.Callable[[str, pathlib.Path], str], description: str) -> int:
    """Calls `test` with the program and a fresh directory; it returns one line that says what it saw."""
    arguments = sys.argv[1:]
    if len(arguments) != 1:
        print(description, file=sys.stderr)
        return 2
    binary = os.environ.get("ANNALS_BINARY") or str(pathlib.Path(arguments[0]).resolve())
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="annals-hostile-") as directory:
        try:
            print(f"{test(binary, pathlib.Path(directory))} ({time.monotonic() - began:.1f} s)")
        except (Wrong, ServerError, ProtocolError, OSError) as error:
            print(f"{type(error).__name__}: {error}")
            return 1
    return 0
