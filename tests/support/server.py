"""The real server as a child process: started on a free port, asked to stop, or killed."""

import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time

LISTENING = re.compile(r"annals: listening on (https?://([0-9.]+|\[[0-9a-f:]+\]):(\d+))")

# A start reads what the log holds; under a sanitizer that takes its time.
START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 120
# A server that is asked to stop again does not finish its requests; what it drains for is longer than this.
DRAIN_SECONDS = 0.5
HASTENED_SECONDS_MAX = 8


class ServerError(Exception):
    """The server did not start or stop as it should; the message holds what it said last."""


def clean_environment(extra: dict[str, str]) -> dict[str, str]:
    """The caller's environment without settings of Annals, so that a test means the same everywhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANNALS_") and name != "DATABASE_URL"}
    return kept | extra


class Server:
    """Starts on construction and returns once it listens. Its standard error is kept in `log`, line by line."""

    def __init__(self, binary: str, arguments: list[str], directory: pathlib.Path, environment: dict[str, str] | None = None):
        self.log: list[str] = []
        started = time.monotonic()
        self.process = subprocess.Popen(
            [binary, "serve", *arguments], cwd=directory, env=clean_environment(environment or {}), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        self._said: queue.Queue[str | None] = queue.Queue()
        self._readers = [threading.Thread(target=self._read_log, daemon=True), threading.Thread(target=self._read_output, daemon=True)]
        for reader in self._readers:
            reader.start()
        while True:
            try:
                line = self._said.get(timeout=max(0.0, started + START_SECONDS_MAX - time.monotonic()))
            except queue.Empty:
                self.kill()
                raise ServerError(f"the server did not listen within {START_SECONDS_MAX} s\n{self.last_words()}") from None
            if line is None:
                code = self.process.wait()
                self._join()
                raise ServerError(f"the server exited with {code} before it listened\n{self.last_words()}")
            if match := LISTENING.search(line):
                self.url, self.port = match[1], int(match[3])
                break
        self.start_seconds = time.monotonic() - started

    def _read_log(self) -> None:
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))

    def _read_output(self) -> None:
        for line in self.process.stdout:
            self._said.put(line)
        self._said.put(None)

    def _join(self) -> None:
        for reader in self._readers:
            reader.join(timeout=60)
        self.process.stdout.close()
        self.process.stderr.close()

    def last_words(self) -> str:
        return "\n".join("  server: " + line for line in self.log[-12:])

    def stop(self) -> None:
        """SIGTERM; the server must exit 0."""
        self._end_with(signal.SIGTERM, 0)

    def stop_in_failure(self) -> None:
        """SIGTERM; the server must exit 1, because it could not close its store as it should."""
        self._end_with(signal.SIGTERM, 1)

    def interrupt(self) -> None:
        """SIGINT; the server must exit 0."""
        self._end_with(signal.SIGINT, 0)

    def hasten(self) -> None:
        """SIGTERM, and while the server drains once more; it must exit 1."""
        self.process.send_signal(signal.SIGTERM)
        time.sleep(DRAIN_SECONDS)
        if self.process.poll() is not None:
            self._join()
            raise ServerError(f"the server exited with {self.process.returncode} although it had something to finish\n{self.last_words()}")
        self._end_with(signal.SIGTERM, 1, HASTENED_SECONDS_MAX)

    def _end_with(self, number: signal.Signals, expected: int, seconds_max: float = STOP_SECONDS_MAX) -> None:
        self.process.send_signal(number)
        try:
            code = self.process.wait(timeout=seconds_max)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerError(f"the server did not stop within {seconds_max} s of {number.name}\n{self.last_words()}") from None
        self._join()
        if code != expected:
            raise ServerError(f"the server exited with {code} after {number.name}, not {expected}\n{self.last_words()}")

    def kill(self) -> None:
        """SIGKILL, as a crash of the process would end it."""
        self.process.kill()
        self.process.wait()
        self._join()
