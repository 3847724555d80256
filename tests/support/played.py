"""What programs of tests that play against the real server have in common: one argument, a directory of their own, and an end that says
what was wrong."""

import contextlib
import os
import pathlib
import sys
import tempfile
from collections.abc import Callable, Iterator

from server import Server


class Wrong(Exception):
    """The server did not do as it should."""


def played(play: Callable[[str, pathlib.Path], str], usage: str | None) -> int:
    """The exit code of a program whose one argument is the path of `annals` (the environment's ANNALS_BINARY goes before it). `play` is given
    that and an empty directory, and returns what to print."""
    if len(sys.argv) != 2:
        print(usage, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="annals-played-") as directory:
        try:
            print(play(os.path.abspath(os.environ.get("ANNALS_BINARY", sys.argv[1])), pathlib.Path(directory)))
        except Wrong as wrong:
            print(f"wrong: {wrong}", file=sys.stderr)
            return 1
    return 0


@contextlib.contextmanager
def killed_at_the_end() -> Iterator[list[Server]]:
    """A list for servers that are started; those that still run at the end are killed, whatever went wrong."""
    started: list[Server] = []
    try:
        yield started
    finally:
        for server in started:
            if server.process.poll() is None:
                server.kill()
