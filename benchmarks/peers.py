"""PostgreSQL, etcd and Redis on the same work as Annals, each by its own fastest load generator.

What each does for a durable PUT of one value, with every reply after its flush:

  Redis       XADD to the stream of a key, `appendonly yes`, `appendfsync always`; redis-benchmark. GET: GET.
  PostgreSQL  INSERT ... ON CONFLICT DO UPDATE of one row by its primary key, prepared, defaults that flush
              (`fsync`, `synchronous_commit` on), over a Unix socket; pgbench. GET: SELECT by primary key.
  etcd        Put over gRPC, one request at a time on a connection; h2load. GET: Range of one key, linearizable.

All of that is in their favour: none validates a body, keeps a history beside the value (but Redis' stream), writes an
audit log, or speaks HTTP/1.1 with JSON. h2load sends one and the same body, so etcd writes one key again and again.
"""

import csv
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

START_SECONDS_MAX = 60


class PeerFailure(Exception):
    """A peer that could not be measured; its text says why."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command, **keywords):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, **keywords)
    if done.returncode != 0:
        raise PeerFailure(f"{command[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-1000:].strip()}")
    return done.stdout


class Peer:
    """A server in a process of its own, on a fresh directory and a free port of 127.0.0.1."""

    name = ""
    programs = ()

    @classmethod
    def missing(cls):
        return [program for program in cls.programs if not cls.find(program)]

    @staticmethod
    def find(program):
        found = shutil.which(program)
        if found:
            return found
        beside = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
        return str(beside[-1]) if beside else None

    def __init__(self, data, options):
        self.options = options
        self.directory = pathlib.Path(data) / self.name
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.port = free_port()
        self.prepare()
        self.log = (pathlib.Path(data) / f"{self.name}.log").open("wb")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        cwd=self.directory, **self.ownership())
        try:
            self.wait_until_ready()
        except PeerFailure:
            self.kill()
            raise

    def ownership(self):
        return {}

    def prepare(self):
        pass

    def command(self):
        raise NotImplementedError

    def wait_until_ready(self):
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end and self.process.poll() is None:
            if self.is_ready():
                return
            time.sleep(0.1)
        raise PeerFailure(f"{self.name} did not start; see {self.log.name}")

    def is_ready(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def fill(self):
        """What GETs are to find."""

    def measure(self, mix, connections):
        """Requests a second."""
        raise NotImplementedError

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # for PostgreSQL: at once, not when the last client has gone
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Redis(Peer):
    name = "redis"
    programs = ("redis-server", "redis-benchmark")

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory), "--save", "",
                "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"]

    def benchmark(self, count, connections, *command):
        said = run(["redis-benchmark", "-h", "127.0.0.1", "-p", str(self.port), "-c", str(connections), "-n", str(count),
                    "-r", str(self.options.keys), "--csv", *command])
        return float(list(csv.reader(said.strip().splitlines()))[-1][1])

    def fill(self):
        self.benchmark(20 * self.options.keys, 64, "SET", "key:__rand_int__", "v" * self.options.value_bytes)

    def measure(self, mix, connections):
        value = "v" * self.options.value_bytes
        command = (("XADD", "stream:__rand_int__", "*", "value", value) if mix == "put" else ("GET", "key:__rand_int__"))
        rate = self.benchmark(200 * connections, connections, *command)  # to know how many fill the time
        return self.benchmark(max(1000, int(rate * self.options.seconds)), connections, *command)


class PostgreSQL(Peer):
    name = "postgres"
    programs = ("initdb", "postgres", "pgbench", "psql")

    def ownership(self):
        # It refuses to run as root.
        return {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}

    def prepare(self):
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
            for parent in self.directory.parents:
                if parent.stat().st_mode & 0o001 == 0:
                    raise PeerFailure(f"{parent} cannot be entered by the user postgres; name another --data")
        run([self.find("initdb"), "-D", str(self.directory / "data"), "-U", "bench", "-A", "trust", "--no-sync"],
            cwd=self.directory, **self.ownership())

    def command(self):
        return [str(pathlib.Path(self.find("initdb")).parent / "postgres"), "-D", str(self.directory / "data"), "-p", str(self.port),
                "-k", str(self.directory), "-c", "listen_addresses=", "-c", "max_connections=600",
                "-c", "shared_buffers=1GB", "-c", "max_wal_size=8GB"]

    def psql(self, statement):
        return run(["psql", "-h", str(self.directory), "-p", str(self.port), "-U", "bench", "-q", "-t", "-c", statement, "postgres"])

    def is_ready(self):
        try:
            self.psql("select 1")
            return True
        except PeerFailure:
            return False

    def fill(self):
        self.psql("create table if not exists config (name text primary key, value text not null);"
                  f"insert into config select 'key:' || i, repeat('v', {self.options.value_bytes})"
                  f" from generate_series(1, {self.options.keys}) i on conflict do nothing; checkpoint")

    def measure(self, mix, connections):
        script = self.directory / f"{mix}.sql"
        upsert = (f"insert into config values ('key:' || :key, repeat(chr(97 + :letter), {self.options.value_bytes})) "
                  "on conflict (name) do update set value = excluded.value;")
        script.write_text(f"\\set key random(1, {self.options.keys})\n\\set letter random(0, 25)\n" +
                          (upsert if mix == "put" else "select value from config where name = 'key:' || :key;") + "\n")
        said = run(["pgbench", "-h", str(self.directory), "-p", str(self.port), "-U", "bench", "-n", "-M", "prepared", "-f",
                    str(script), "-c", str(connections), "-j", "1", "-T", str(max(1, round(self.options.seconds))), "postgres"])
        return float(re.search(r"tps = ([0-9.]+)", said).group(1))


class Etcd(Peer):
    name = "etcd"
    programs = ("etcd", "h2load")

    def command(self):
        self.peer_port = free_port()
        client, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.peer_port}"
        return ["etcd", "--data-dir", str(self.directory / "data"), "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
                "--log-level", "error", "--quota-backend-bytes", str(8 << 30)]

    @staticmethod
    def field(number, value):
        """A field of bytes in Protocol Buffers' encoding."""
        size, length = len(value), b""
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + value

    def call(self, method, message, connections, *amount):
        body = self.directory / "body"
        body.write_bytes(b"\0" + struct.pack(">I", len(message)) + message)  # a message of gRPC, not compressed
        said = run(["h2load", "-c", str(connections), "-m", "1", "-t", "1", *amount, "-d", str(body), "-H", "te: trailers",
                    "-H", "content-type: application/grpc", f"http://127.0.0.1:{self.port}/etcdserverpb.KV/{method}"])
        counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", said)
        if counts is None or counts.group(2) != "0" or counts.group(3) != "0":
            raise PeerFailure(f"etcd did not answer every request: {said[-500:]}")
        return float(re.search(r"([0-9.]+) req/s", said).group(1))

    def put(self, connections, *amount):
        value = b"v" * self.options.value_bytes
        return self.call("Put", self.field(1, b"key") + self.field(2, value), connections, *amount)

    def fill(self):
        self.put(1, "-n", "1")

    def measure(self, mix, connections):
        amount = ("-D", str(max(1, round(self.options.seconds))), "--warm-up-time", "1")
        if mix == "put":
            return self.put(connections, *amount)
        return self.call("Range", self.field(1, b"key"), connections, *amount)


PEERS = [Redis, PostgreSQL, Etcd]


def measure(kind, column, options):
    """One peer, one column: {"per_second": rate}; None for work that its load generator cannot do."""
    mix, connections = column.rsplit("-", 1)
    if mix not in ("put", "get"):
        return None
    os.sync()
    peer = kind(options.data, options)
    try:
        peer.fill()
        return {"per_second": peer.measure(mix, int(connections))}
    finally:
        peer.kill()
