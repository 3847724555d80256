"""The servers of this repository, each in a process of its own, for those who measure them."""

import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import time
import urllib.request

START_SECONDS_MAX = 900  # a start from a long log alone takes minutes
STOP_SECONDS_MAX = 60


class Failure(Exception):
    """A run that gives no figure; its text says why."""


class Server:
    """A server in a process of its own, on a data directory and a free port of 127.0.0.1. The directory is a fresh one,
    and goes with the server, unless `kept`."""

    name = ""

    def __init__(self, programs, data, flags=(), kept=False, log=None):
        self.directory = pathlib.Path(data) / self.name
        self.kept = kept
        if not kept:
            shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log = pathlib.Path(log or pathlib.Path(data) / f"{self.name}.log")
        settings = ("ANNALS_", "DATABASE_URL", "PG")  # a setting of the caller's would be measured unseen
        environment = {key: value for key, value in os.environ.items() if not key.startswith(settings)}
        self.process = subprocess.Popen(
            [*self.command(programs), *flags], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.log.open("wb"), cwd=self.directory, env=environment)
        try:
            self.port = self.wait_until_listening()
        except Failure:
            self.process.kill()
            self.process.wait()
            raise

    def command(self, programs):
        raise NotImplementedError

    def wait_until_listening(self):
        end = time.monotonic() + START_SECONDS_MAX
        said = b""
        while time.monotonic() < end:
            ready, _, _ = select.select([self.process.stdout], [], [], end - time.monotonic())
            piece = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            said += piece
            found = re.search(rb"listening on http://127\.0\.0\.1:(\d+)", said)
            if found:
                return int(found.group(1))
            if ready and not piece:
                break
        raise Failure(f"{self.name} did not say that it listens; its log ends: {self.end_of_log()}")

    def end_of_log(self):
        return self.log.read_text(errors="replace")[-2000:].strip() or "(empty)"

    def check(self):
        """After a run: the server still runs, and is well as far as it can tell."""
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended with {self.process.returncode}; its log ends: {self.end_of_log()}")

    def memory_mebibytes(self):
        """The most it has held."""
        return self.of_status("VmHWM")

    def resident_mebibytes(self):
        """What it holds now."""
        return self.of_status("VmRSS")

    def of_status(self, name):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(name + r":\s+(\d+)", status).group(1)) / 1024

    def cpu_seconds(self):
        """Of all its threads, in steps of 10 ms."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"{self.name} did not stop within {STOP_SECONDS_MAX} s of SIGTERM") from None
        if code != 0:
            raise Failure(f"{self.name} stopped with {code}; its log ends: {self.end_of_log()}")
        if not self.kept:
            shutil.rmtree(self.directory)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Bare(Server):
    name = "bare"

    def command(self, programs):
        return [programs / "bare_server", "--port", "0", "--file", self.directory / "values"]


class Annals(Server):
    name = "annals"

    def command(self, programs):
        return [programs / "annals", "serve", "--listen", "127.0.0.1:0", "--data", self.directory / "store"]

    def check(self):
        super().check()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as reply:
                health = json.load(reply)
        except (OSError, ValueError) as error:
            raise Failure(f"annals: /health after the run: {error}") from error
        if health.get("status") != "healthy":
            raise Failure(f"annals: /health after the run: {health}")


def generate(programs, server, arguments, seconds_max, what):
    """What the load generator says of a run on this server, with the most memory that the server held. `what` is for errors."""
    command = [programs / "load_generator", "--port", server.port, "--server-process", server.process.pid, *arguments]
    generator = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=seconds_max, check=False)
    if generator.returncode != 0:
        said = (generator.stdout + generator.stderr).strip()
        raise Failure(f"{what}: the load generator ended with {generator.returncode}: {said}")
    figures = json.loads(generator.stdout)
    figures["server_memory_mebibytes"] = round(server.memory_mebibytes(), 1)
    return figures
