#!/usr/bin/env python3
"""A private PostgreSQL server for tests: a cluster of its own in a temporary directory, on a free port of 127.0.0.1 and a socket
in that directory. It has nothing to do with the system's own cluster.

As a program it prints one line of JSON, {"host": ..., "port": ..., "user": ..., "url": ...}, serves until its standard input ends, and
leaves nothing behind; so whoever started it cannot forget it by dying. Lines of its input are commands: `stop` (fast), `kill`
(SIGKILL to all of the server), `start`, `standby` (stopped and started as a standby, which only reads) and `promote` (a standby no more);
each is answered by a line `done`.
"""

import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # a killed server loses nothing without it; only a machine that stops does
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
    "log_min_error_statement": "error",
    "timezone": "UTC",
}


def programs() -> pathlib.Path:
    """The folder of the server's programs, of version 15 where there are several."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not folders:
        raise SystemExit("there is no PostgreSQL on this machine: install the package postgresql-15")
    preferred = [path for path in folders if path.parent.parent.name == "15"]
    return (preferred or folders)[-1].parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgresServer:
    """Starts when made. PostgreSQL refuses to run as root: then it runs as the user postgres, or nobody, who must be able to enter
    `parent`, the directory that its own is made in. `prepare`, if given, is called with this before the first start, to put files of its own
    (`own`) beside those that initdb made."""

    def __init__(self, settings: dict[str, str] | None = None, parent: pathlib.Path | None = None,
                 prepare: Callable[["PostgresServer"], None] | None = None):
        self.settings = SETTINGS | (settings or {})
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="annals-postgres-", dir=parent))
        self.data = self.directory / "data"
        self.port = free_port()
        self.user = "annals"
        self.process: subprocess.Popen | None = None
        self.holder: subprocess.Popen | None = None
        self.paused: list[int] = []
        self.identity = {}
        if os.geteuid() == 0:
            name = next(name for name in ("postgres", "nobody") if self._is_user(name))
            account = pwd.getpwnam(name)
            self.identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            os.chown(self.directory, account.pw_uid, account.pw_gid)
        os.chmod(self.directory, 0o755)  # others connect to the socket in it
        try:
            self._run("initdb", "--pgdata", str(self.data), "--username", self.user, "--auth", "trust", "--encoding", "UTF8", "--locale", "C",
                      "--no-sync")
            if prepare is not None:
                prepare(self)
            self.start()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _is_user(name: str) -> bool:
        try:
            pwd.getpwnam(name)
        except KeyError:
            return False
        return True

    def own(self, path: pathlib.Path, text: str) -> None:
        """Writes a file that nobody but the server reads."""
        path.touch(mode=0o600)
        path.write_text(text)
        if self.identity:
            os.chown(path, self.identity["user"], self.identity["group"])

    def _run(self, program: str, *arguments: str) -> None:
        ran = subprocess.run([programs() / program, *arguments], cwd=self.directory, env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **self.identity)
        if ran.returncode != 0:
            raise SystemExit(f"{program} failed: {ran.stdout}")

    def start(self) -> None:
        settings = self.settings | {"port": str(self.port), "unix_socket_directories": str(self.directory)}
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen([programs() / "postgres", "-D", str(self.data), *flags], cwd=self.directory, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                                            start_new_session=True, **self.identity)
        deadline = time.monotonic() + 60
        while subprocess.run([programs() / "pg_isready", "-q", "-h", str(self.directory), "-p", str(self.port), "-U", self.user, "-d", "postgres"],
                             check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the server does not come up: " + (self.directory / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: fast; SIGQUIT: at once."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def kill(self) -> None:
        """SIGKILL to the server and to every process that serves a connection."""
        if self.process is not None:
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            self.process.kill()
            for pid in children:
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()
            self.process = None
            # What shares memory with the dead must be gone before the next start.
            for _ in range(500):
                if not any(pathlib.Path(f"/proc/{pid}").exists() for pid in children):
                    break
                time.sleep(0.01)
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """SIGSTOP to the server and to every process that serves a connection: it takes what is sent, and says nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.paused = [self.process.pid, *map(int, children)]
        for pid in self.paused:
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in self.paused:
            os.kill(pid, signal.SIGCONT)
        self.paused = []

    def hold_transaction(self, database: str = "postgres") -> None:
        """Opens a transaction with a number and a snapshot of its own, which stays open until the server ends or this is called again."""
        self._let_go()
        self.holder = subprocess.Popen(self._psql(database), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.holder.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id();\n")
        self.holder.stdin.flush()
        if not self.holder.stdout.readline().strip().isdigit():
            raise SystemExit("no transaction can be held open")

    def _let_go(self) -> None:
        if self.holder is not None:
            self.holder.kill()
            self.holder.wait()
            self.holder.stdin.close()
            self.holder.stdout.close()
            self.holder = None
    def standby(self) -> None:
        """Of nobody: it reads what it has, and waits for more."""
        self.stop()
        mark = self.data / "standby.signal"
        mark.touch()
        if self.identity:
            os.chown(mark, self.identity["user"], self.identity["group"])
        self.start()

    def promote(self) -> None:
        if self.psql("SELECT pg_promote(true, 60)").strip() != "t":
            raise RuntimeError("the standby was not promoted within a minute")

    def close(self) -> None:
        self.resume()
        self._let_go()
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return f"postgres://{self.user}@127.0.0.1:{self.port}/{database}"

    def _psql(self, database: str) -> list[str]:
        """psql, which prints unaligned and without headings."""
        return [str(programs() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.directory), "-p", str(self.port),
                "-U", self.user, "-d", database]

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Runs a text of SQL; what it prints."""
        ran = subprocess.run(self._psql(database), input=sql, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if ran.returncode != 0:
            raise RuntimeError(f"psql: {ran.stderr}")
        return ran.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this hears of it too, and closes our input
    with PostgresServer() as server:
        print(json.dumps({"host": str(server.directory), "port": server.port, "user": server.user, "url": server.url()}), flush=True)
        for line in sys.stdin:
            {"stop": server.stop, "kill": server.kill, "start": server.start, "standby": server.standby, "promote": server.promote}[line.strip()]()
            print("done", flush=True)


if __name__ == "__main__":
    main()
