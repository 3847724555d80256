"""Annals over PostgreSQL beside pgbench over the same tables: `./dev bench --store postgres`.

One private server of the machine's package for the whole run, on a free port, in a directory of its own, with settings
that flush; each run of each column gets a fresh database in it, with the tables that `annals store init` makes, and a
checkpoint before it begins. Both sides reach it through its Unix socket. What takes part:

  annals                 PUT /config/<key> through HTTP, `annals serve --store postgres`.
  pgbench                A transaction, of one prepared statement, for each request: it records one event, raises the version of
                         the event's stream and that of `$all`, and writes the event's two rows of stream_events. Triggers and
                         foreign keys do what they do for everybody.
  pgbench without order  The same without the version of `$all` and its row of stream_events, and without the trigger that
                         notifies, because PostgreSQL lets transactions that notify commit one after another: no lock that
                         all transactions share, no order of everything, and nothing that tells a reader to look.
  annals on embedded     For GETs: the same server on its own store.

In pgbench's favour: its streams are there before it begins; it validates nothing, knows no old value, and its client
makes no value and reads back none; what a connection's first transactions cost lies before the measured time.
"""

import contextlib
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys

from servers import Annals, Failure

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "support"))
import postgres  # noqa: E402  (it lies beside the tests' other helpers)

SETTINGS = {"fsync": "on", "listen_addresses": "", "max_connections": "600", "shared_buffers": "1GB", "max_wal_size": "8GB",
            "min_wal_size": "1GB"}
DATABASE = "bench"
EVENT_TYPE = "Elixir.ConfigApi.Events.ConfigValueSet"
# What Annals writes of a PUT beside the value and the one before: names, quotes and the time.
DATA_BYTES_ASIDE = 94
METADATA_BYTES = 21

OWN_STREAM = """\\set key random(1, {keys})
WITH recorded AS (
  INSERT INTO events (event_id, event_type, correlation_id, data, metadata, created_at)
  VALUES (gen_random_uuid(), '{type}', gen_random_uuid(), convert_to(repeat('v', {data_bytes}), 'UTF8'),
          convert_to(repeat('m', {metadata_bytes}), 'UTF8'), clock_timestamp())
  RETURNING event_id
), own AS (
  UPDATE streams SET stream_version = stream_version + 1 WHERE stream_uuid = 'config-key-' || :key
  RETURNING stream_id, stream_version
)"""
INSERT_PLACES = """
INSERT INTO stream_events (event_id, stream_id, stream_version, original_stream_id, original_stream_version)
SELECT event_id, stream_id, own.stream_version, stream_id, own.stream_version FROM recorded, own"""
ORDERED = OWN_STREAM + """, everything AS (
  UPDATE streams SET stream_version = stream_version + 1 WHERE stream_id = 0 RETURNING stream_version
)""" + INSERT_PLACES + """
UNION ALL
SELECT event_id, 0, everything.stream_version, stream_id, own.stream_version FROM recorded, own, everything;
"""
UNORDERED = OWN_STREAM + INSERT_PLACES + ";\n"


class Database:
    """The private server. Confined to one benchmark; `close` leaves nothing behind."""

    def __init__(self, options):
        self.options = options
        parent = options.data
        closed = [path for path in (parent, *parent.parents) if path.stat().st_mode & 0o001 == 0] if os.geteuid() == 0 else []
        if closed:
            if not options.no_record:
                raise Failure(f"{closed[-1]} cannot be entered by the user that PostgreSQL runs as; name another --data")
            parent = None  # a look, and no measurement: wherever temporary files lie
        self.server = postgres.PostgresServer(SETTINGS, parent)
        self.url = f"postgres:///{DATABASE}?host={self.server.directory}&port={self.server.port}&user={self.server.user}"

    def close(self):
        self.server.close()

    def begin(self):
        """A fresh database with the tables of Annals."""
        self.server.psql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        self.server.psql(f"CREATE DATABASE {DATABASE}")
        made = subprocess.run([self.options.programs / "annals", "store", "init", "--database-url", self.url], capture_output=True,
                              text=True, check=False)
        if made.returncode != 0:
            raise Failure(f"annals store init ended with {made.returncode}: {made.stderr.strip()}")
        self.server.psql("CHECKPOINT")

    def cpu_seconds(self):
        """Of the server and all that served a connection, in steps of 10 ms."""
        ticks = 0
        pid = self.server.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process, fields_read in [(pid, (11, 12, 13, 14)), *((child, (11, 12)) for child in children)]:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended, and counts with its parent next time
                fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
                ticks += sum(int(fields[place]) for place in fields_read)
        return ticks / os.sysconf("SC_CLK_TCK")

    def events(self):
        return int(self.server.psql("SELECT count(*) FROM events", DATABASE))


class AnnalsOnEmbedded(Annals):
    name = "annals on embedded"


ORDERED_PGBENCH, UNORDERED_PGBENCH = "pgbench", "pgbench without order"


def quantile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def read_log(path, seconds):
    """Of pgbench's log of every transaction: those that ended in the last `seconds`."""
    ended = []  # when, and after how long, in microseconds
    for line in path.read_text().splitlines():
        _, _, took, _, second, microsecond = line.split()[:6]
        ended.append((int(second) * 1_000_000 + int(microsecond), int(took)))
    if not ended:
        raise Failure("pgbench finished no transaction")
    begin = max(when for when, _ in ended) - seconds * 1_000_000
    latencies = sorted(took for when, took in ended if when > begin)
    return {"replies": len(latencies), "per_second": round(len(latencies) / seconds, 1),
            "latency_us": {"p50": quantile(latencies, 0.5), "p90": quantile(latencies, 0.9), "p99": quantile(latencies, 0.99),
                           "p999": quantile(latencies, 0.999), "max": latencies[-1]}}


def run_pgbench(database, script, connections, options):
    directory = options.data / "pgbench"
    directory.mkdir(exist_ok=True)
    for left in directory.iterdir():
        left.unlink()
    text = script.format(keys=options.keys, type=EVENT_TYPE, data_bytes=2 * options.value_bytes + DATA_BYTES_ASIDE,
                         metadata_bytes=METADATA_BYTES)
    (directory / "script.sql").write_text(text)
    # A second longer than its warm-up: a connection's first transactions fill the caches of its process.
    seconds = math.ceil(options.seconds + options.warm_up) + 1
    done = subprocess.run(
        [postgres.programs() / "pgbench", "--no-vacuum", "--protocol=prepared", "--file=script.sql", f"--client={connections}",
         f"--jobs={options.threads if connections >= options.threads else 1}", f"--time={seconds}", "--log", "--log-prefix=log",
         "-h", database.server.directory, "-p", str(database.server.port), "-U", database.server.user, DATABASE],
        cwd=directory, capture_output=True, text=True, timeout=seconds + 120, check=False)
    failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
    if done.returncode != 0 or failed is None or failed.group(1) != "0":
        raise Failure(f"pgbench ended with {done.returncode}: {(done.stdout + done.stderr)[-1000:].strip()}")
    logs = directory / "all"
    logs.write_text("".join(path.read_text() for path in sorted(directory.glob("log.*"))))
    return read_log(logs, options.seconds)


def make_streams(database, options):
    """Those that pgbench's transactions name."""
    database.server.psql("INSERT INTO streams (stream_uuid) SELECT 'config-key-' || i FROM generate_series(1, "
                         f"{options.keys}) AS i; VACUUM ANALYZE streams; CHECKPOINT", DATABASE)


class Measurement:
    """What takes part, by name: each gives the figures of one run of one column."""

    def __init__(self, database, measure, options):
        self.database = database
        self.measure = measure
        self.options = options

    def of(self, name, column):
        if name == AnnalsOnEmbedded.name:
            return self.measure(AnnalsOnEmbedded, column, self.options)
        self.database.begin()
        if name != Annals.name:
            make_streams(self.database, self.options)
        if name == UNORDERED_PGBENCH:
            self.database.server.psql("ALTER TABLE streams DISABLE TRIGGER event_notification", DATABASE)
        used, recorded = self.database.cpu_seconds(), self.database.events()
        if name == Annals.name:
            figures = self.measure(Annals, column, self.options, ["--store", "postgres", "--database-url", self.database.url])
        else:
            script = ORDERED if name == ORDERED_PGBENCH else UNORDERED
            figures = run_pgbench(self.database, script, int(column.rsplit("-", 1)[1]), self.options)
        used = self.database.cpu_seconds() - used
        if column.startswith("put"):
            figures["database_cpu_us_per_event"] = round(used / max(1, self.database.events() - recorded) * 1e6, 2)
        return figures


def names_for(column):
    if column.startswith("put"):
        return [Annals.name, ORDERED_PGBENCH, UNORDERED_PGBENCH]
    return [Annals.name, AnnalsOnEmbedded.name]


def summarise(column, runs):
    """Medians of a column's rounds, and the medians of Annals' ratios to the others within each round."""
    summary = {"column": column, "servers": {}}
    for name, figures in runs.items():
        entry = {"per_second": round(statistics.median(one["per_second"] for one in figures), 1),
                 "rounds": [one["per_second"] for one in figures],
                 "latency_us": {share: round(statistics.median(one["latency_us"][share] for one in figures), 1)
                                for share in ("p50", "p90", "p99", "p999", "max")}}
        if "server_cpu_seconds" in figures[0]:
            spent = [one["server_cpu_seconds"] / max(1, one["replies"]) * 1e6 for one in figures]
            entry["cpu_us_per_reply"] = round(statistics.median(spent), 2)
            entry["memory_mebibytes"] = max(one["server_memory_mebibytes"] for one in figures)
        if "database_cpu_us_per_event" in figures[0]:
            entry["database_cpu_us_per_event"] = round(statistics.median(one["database_cpu_us_per_event"] for one in figures), 2)
        if name != Annals.name:
            ratios = [own["per_second"] / other["per_second"] for own, other in zip(runs[Annals.name], figures)]
            entry["annals_to_it"] = round(statistics.median(ratios), 3)
            entry["ratios"] = [round(ratio, 3) for ratio in ratios]
        summary["servers"][name] = entry
    return summary


def table(summaries, mixes):
    names = [name for name in (*names_for("put"), AnnalsOnEmbedded.name) if any(name in one["servers"] for one in summaries)]
    head = ["work", "connections"]
    for name in names:
        head += [f"{name}, a second", f"{name} p50 / p99, ms"]
    head += ["processor time a PUT, us: annals + database"]
    head += [f"annals to {name.removeprefix('annals on ')}" for name in names[1:]]
    rows = [head, ["---", "---:"] + ["---:"] * (len(head) - 2)]
    for summary in summaries:
        mix, connections = summary["column"].rsplit("-", 1)
        row = [mixes[mix], connections]
        for name in names:
            entry = summary["servers"].get(name)
            row += [f"{entry['per_second']:,.0f}", f"{entry['latency_us']['p50'] / 1000:.2f} / {entry['latency_us']['p99'] / 1000:.2f}"
                    ] if entry else ["", ""]
        own = summary["servers"][Annals.name]
        row += [f"{own['cpu_us_per_reply']:.0f} + {own['database_cpu_us_per_event']:.0f}" if mix == "put" else ""]
        row += [f"{summary['servers'][name]['annals_to_it']:.2f}" if name in summary["servers"] else "" for name in names[1:]]
        rows.append(row)
    return rows


def compare(options, measure, mixes):
    """Rows of a table, and summaries for the record. `measure(kind, column, options, flags)` gives the figures of a server."""
    runs = {column: {name: [] for name in names_for(column)} for column in options.columns}
    database = Database(options)
    try:
        measurement = Measurement(database, measure, options)
        for round_number in range(options.rounds):
            for column in options.columns:
                names = names_for(column)
                for name in names if round_number % 2 == 0 else names[::-1]:
                    figures = measurement.of(name, column)
                    runs[column][name].append(figures)
                    print(f"round {round_number + 1}, {column}, {name}: {figures['per_second']:,.0f} a second", file=sys.stderr, flush=True)
    finally:
        database.close()
    summaries = [summarise(column, of_column) for column, of_column in runs.items()]
    return table(summaries, mixes), summaries
