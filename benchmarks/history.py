"""Whether Annals stays as fast when its history grows, and when its keys do: `./dev bench --history`, `--many-keys`.

The first makes stores of several sizes (`history make`), serves each, and asks the same questions of all of them. The
second loads many keys with `annals import`, and lists them. What is asked of a path is compared, before it is timed,
with what was recorded. README.md beside this file says what each column is.
"""

import contextlib
import http.client
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

from servers import Annals, Failure

SIZES = [10_000, 100_000, 1_000_000, 10_000_000]
KEYS = 100_000
MANY_KEYS = 10_000_000
VALUE_BYTES = 256
KEY_BYTES = len("key-00000000")
PATHS = 64  # that are asked in turn, so that no answer comes from the one before
LISTED = 1000
LISTERS = 4  # connections that ask for lists at the same time
STARTS = 3
LONG, SHORT = "/config/key-00000000", "/config/key-00000001"  # as benchmarks/history/plan.hpp has them
IDLE_SECONDS_MAX = 600


def say(text):
    print(text, flush=True, file=sys.stderr)


def run_program(command, seconds_max=3600):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=seconds_max)
    if done.returncode != 0:
        raise Failure(f"{command[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-1000:].strip()}")
    return done.stdout


def start(options, log=None):
    """A server on the store that is there, and the seconds from its first moment until it was ready for requests."""
    began = time.perf_counter()
    server = Annals(options.programs, options.data, options.annals_flag, kept=True, log=log)
    try:
        status, _, _ = get(server, "/readyz")
        seconds = time.perf_counter() - began
        if status != 200:
            raise Failure(f"/readyz answers {status} after the server has said that it listens")
    except BaseException:
        server.kill()
        raise
    return server, seconds


def starts(options, times, before=lambda: None):
    """The median of some starts; the last server is left running."""
    seconds = []
    for turn in range(times):
        before()
        server, took = start(options)
        seconds.append(took)
        if turn + 1 < times:
            server.stop()
    return server, statistics.median(seconds)


@contextlib.contextmanager
def served(server):
    """A server that must be well and stop as it should at the end."""
    try:
        yield server
        server.check()
        server.stop()
    finally:
        server.kill()


def wait_until_idle(server):
    """Until it does nothing in the background any more: the seconds that this took."""
    began = time.perf_counter()
    used, since = server.cpu_seconds(), began
    while time.perf_counter() - since < 1:
        if time.perf_counter() - began > IDLE_SECONDS_MAX:
            raise Failure("the server is still busy with work of its own")
        time.sleep(0.05)
        now = server.cpu_seconds()
        if now - used > 0.02:
            used, since = now, time.perf_counter()
    return since - began


def get(server, path):
    """Status, fields and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()


def expect(server, path, check):
    """The body must be what was recorded."""
    status, _, body = get(server, path)
    if status != 200 or not check(body.decode()):
        raise Failure(f"GET {path} answers {status} with {body[:200]!r}, which is not what was recorded")


def generator(options, server, *arguments):
    return [options.programs / "load_generator", "--port", server.port, "--warm-up", options.warm_up,
            "--server-process", server.process.pid, *arguments]


def ask(options, server, paths, connections=1):
    """Latencies in microseconds and replies a second of GETs of these paths in turn."""
    told = json.loads(run_program(generator(options, server, "--connections", connections, "--seconds", options.seconds,
                                            *[f"--path={path}" for path in paths])))
    return {"per_second": told["per_second"], **{name: told["latency_us"][name] for name in ("p50", "p99", "max")}}


def value_begins(key, version):
    return f"{key:08d}-{version:016x}-"


def paths_of_keys(server, keys):
    """Those of some keys that are there, from everywhere among all."""
    paths = []
    for i in range(PATHS):
        key = i * keys // PATHS
        while get(server, f"/config/key-{key:08d}")[0] != 200:
            key += 1
            if key == keys:
                raise Failure("there are too few keys to ask for")
        paths.append(f"/config/key-{key:08d}")
    return paths


def questions(options, made, server):
    """The paths of each question, those of single records checked."""
    then = {"long": [time_of for _, time_of in made["long"]], "short": [time_of for _, time_of in made["short"]]}
    asked = {"get": paths_of_keys(server, options.history_keys)}
    for name, path, key in (("long", LONG, 0), ("short", SHORT, 1)):
        at = [(f"{path}?at={moment}" if version % 2 else f"{path}/at/{moment}", version) for version, moment in made[name]]
        for one, version in at:
            expect(server, one, lambda body, key=key, version=version: body.startswith(value_begins(key, version)))
        asked[f"at_{name}"] = [one for one, _ in at]
    asked["version"] = [f"{LONG}?version={version}" for version, _ in made["long"]]
    for path, (version, _) in zip(asked["version"], made["long"]):
        expect(server, path, lambda body, version=version: body.startswith(value_begins(0, version)))
    asked["diff"] = [f"{LONG}/diff?from={earlier}&to={later}" for earlier, later in zip(then["long"], then["long"][1:])]
    for path, (version, _) in zip(asked["diff"], made["long"][1:]):
        expect(server, path, lambda body, version=version: json.loads(body)["to"]["version"] == version)
    asked["list_at"] = [f"/config?at={moment}&limit={LISTED}" for moment in then["long"][-8:]]
    asked["list"] = pages_of(server, f"/config?limit={LISTED}", 8)
    return asked


def pages_of(server, path, count):
    """The paths of this page and of those after it that are full."""
    pages = []
    while path and len(pages) < count:
        _, fields, _ = get(server, path)
        link = re.match(r"<([^>]+)>", fields.get("Link", ""))
        pages.append(path)
        path = link.group(1) if link else None
    return pages[:-1] if len(pages) > 1 and not path else pages


def get_while_putting(options, server, paths):
    """GETs on one connection beside 64 that PUT as fast as they are answered; to keys that nobody reads."""
    seconds = options.seconds + 1
    putting = subprocess.Popen([str(word) for word in generator(
        options, server, "--connections", 64, "--base", "/config/load-", "--seconds", seconds)],
        stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(options.warm_up + 0.3)
        gets = ask(options, server, paths)
        told, _ = putting.communicate(timeout=seconds + 60)
    finally:
        if putting.poll() is None:
            putting.kill()
            putting.wait()
    if putting.returncode != 0:
        raise Failure(f"the load generator that PUTs ended with {putting.returncode}: {told.strip()}")
    return {"get": gets, "puts_per_second": json.loads(told)["per_second"]}


def forget_what_is_made_anew(store):
    """All but the log, and the place up to which the audit log has been written."""
    shutil.rmtree(store / "index", ignore_errors=True)
    for path in (store / "checkpoints").glob("*"):
        if path.name != "audit":
            path.unlink()


def measure_size(options, events):
    store = options.data / Annals.name / "store"
    shutil.rmtree(store.parent, ignore_errors=True)
    store.parent.mkdir(parents=True)
    try:
        return measure_store(options, events, store)
    finally:
        shutil.rmtree(store.parent, ignore_errors=True)


def measure_store(options, events, store):
    figures = {"events": events}
    history = options.programs / "history"
    say(f"{events:,} events: making them")
    made = json.loads(run_program([history, "make", "--data", store, "--events", events, "--keys", options.history_keys,
                                   "--value-bytes", options.value_bytes]))
    figures.update(keys=made["keys"], make_seconds=made["seconds"], log_bytes=made["log_bytes"])

    with served(start(options)[0]) as server:  # so that indexes and checkpoints are as a server leaves them
        figures["index_seconds"] = wait_until_idle(server)
    say(f"{events:,} events: reading them back")
    rebuilt = [json.loads(run_program([history, "rebuild", "--data", store])) for _ in range(STARTS)]
    figures["rebuild_per_second"] = statistics.median(one["events"] / one["seconds"] for one in rebuilt)
    figures["rebuild_per_cpu_second"] = statistics.median(one["events"] / one["cpu_seconds"] for one in rebuilt)

    say(f"{events:,} events: asking")
    server, figures["start_seconds"] = starts(options, STARTS)
    with served(server):
        figures["resident_mebibytes"] = server.resident_mebibytes()
        asked = questions(options, made, server)
        for name, paths in asked.items():
            figures[name] = ask(options, server, paths)
        figures["lists"] = ask(options, server, asked["list"], LISTERS)
        figures["resident_mebibytes_after"] = server.resident_mebibytes()
        figures["under_puts"] = get_while_putting(options, server, asked["get"])

    say(f"{events:,} events: starting from the log alone")
    server, figures["bare_start_seconds"] = starts(options, 1, lambda: forget_what_is_made_anew(store))
    with served(server):
        figures["bare_start_busy_seconds"] = wait_until_idle(server)
    return figures


def history_table(rows):
    def latency(name):
        return lambda row: f"{row[name]['p50']:,.0f} / {row[name]['p99']:,.0f}"

    columns = [
        ("events", lambda row: f"{row['events']:,}"),
        ("made in, s", lambda row: f"{row['make_seconds']:.1f}"),
        ("log, MiB", lambda row: f"{row['log_bytes'] / 2**20:,.0f}"),
        ("start, s", lambda row: f"{row['start_seconds']:.2f}"),
        ("start from the log alone, s", lambda row: f"{row['bare_start_seconds']:.2f}"),
        ("memory, MiB", lambda row: f"{row['resident_mebibytes']:,.0f}"),
        ("table from the log, events a second", lambda row: f"{row['rebuild_per_second']:,.0f}"),
        ("GET, us", latency("get")),
        ("`at`, a tenth of the events, us", latency("at_long")),
        ("`at`, 10 versions, us", latency("at_short")),
        ("`version`, us", latency("version")),
        ("`diff`, us", latency("diff")),
        (f"list of {LISTED:,} `at`, us", latency("list_at")),
        (f"list of {LISTED:,}, us", latency("list")),
        (f"lists a second, {LISTERS} connections", lambda row: f"{row['lists']['per_second']:,.0f}"),
        ("PUT a second, 64 connections", lambda row: f"{row['under_puts']['puts_per_second']:,.0f}"),
        ("GET meanwhile, us", lambda row: latency("get")(row["under_puts"])),
    ]
    return [[name for name, _ in columns], ["---:"] * len(columns)] + [[cell(row) for _, cell in columns] for row in rows]


def measure_history(options):
    """The table's rows as text, and the figures."""
    figures = [measure_size(options, events) for events in options.sizes]
    return history_table(figures), figures


def write_names(path, keys, value_bytes):
    """Names with values for `annals import`, in no order."""
    filling = "".join(chr(65 + (i * 7919 + i // 7) % 26) for i in range(value_bytes + 997))
    step = 7_368_787  # a prime, so that every key comes up once
    if keys % step == 0:
        raise Failure(f"--many-keys cannot be a multiple of {step}")
    with path.open("w", encoding="ascii") as lines:
        for first in range(0, keys, 10_000):
            lines.write("".join(
                f'{{"name":"key-{key:08d}","value":"{key:08d}-{filling[key % 997:key % 997 + value_bytes - 9]}"}}\n'
                for key in (i * step % keys for i in range(first, min(first + 10_000, keys)))))


def stream_list(server, keys):
    """The whole list as it comes: time to its first byte and to its last, and what the server held meanwhile at most."""
    before = server.resident_mebibytes()
    most = before
    began = time.perf_counter()
    first, size, tail, buffer = 0.0, 0, b"", bytearray(1 << 20)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET /config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        looked = 0
        while count := connection.recv_into(buffer):
            first = first or time.perf_counter() - began
            size += count
            tail = (tail + bytes(buffer[max(0, count - 64):count]))[-64:]
            if size - looked > 64 << 20:
                looked = size
                most = max(most, server.resident_mebibytes())
    seconds = time.perf_counter() - began
    if not tail.endswith(b"]\r\n0\r\n\r\n") or size < keys * (KEY_BYTES + VALUE_BYTES):
        raise Failure(f"the whole list ended after {size} bytes with {tail!r}")
    return {"first_byte_ms": first * 1000, "seconds": seconds, "bytes": size, "grown_mebibytes": most - before}


def bytes_beyond(server, options):
    return server.resident_mebibytes() * 2**20 / options.many_keys - KEY_BYTES - options.value_bytes


def measure_many_keys(options):
    home = options.data / Annals.name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    try:
        figures = load_many_keys(options, home)
        figures.update(list_many_keys(options))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return many_keys_table(figures), figures


def load_many_keys(options, home):
    keys = options.many_keys
    figures = {"keys": keys}
    names = home / "names.jsonl"
    say(f"{keys:,} keys: writing their names")
    write_names(names, keys, options.value_bytes)
    say(f"{keys:,} keys: importing them")
    began = time.perf_counter()
    run_program([options.programs / "annals", "import", "--data", home / "store", names])
    figures["import_seconds"] = time.perf_counter() - began
    names.unlink()

    say(f"{keys:,} keys: starting from the log alone")
    server, figures["bare_start_seconds"] = start(options, log="/dev/null")  # where all of the audit log goes now
    with served(server):
        figures["bare_start_busy_seconds"] = wait_until_idle(server)
        figures["bytes_beyond_of_log"] = bytes_beyond(server, options)
    return figures


def list_many_keys(options):
    keys = options.many_keys
    figures = {}
    say(f"{keys:,} keys: starting, and listing")
    server, figures["start_seconds"] = starts(options, STARTS)
    with served(server):
        wait_until_idle(server)
        figures["resident_mebibytes"] = server.resident_mebibytes()
        figures["bytes_beyond"] = bytes_beyond(server, options)
        middle = keys // 2 // LISTED
        link = get(server, f"/config?prefix=key-{middle:05d}&limit={LISTED - 1}")[1]["Link"]
        after = re.search(r"after=([^&>]+)", link).group(1)
        figures["first_page"] = ask(options, server, [f"/config?limit={LISTED}"])
        figures["middle_page"] = ask(options, server, [f"/config?limit={LISTED}&after={after}"])
        figures["prefix_page"] = ask(options, server, [f"/config?prefix=key-{middle:05d}&limit={LISTED}"])
        figures["get"] = ask(options, server, [f"/config/key-{i * 7919 % keys:08d}" for i in range(1000)])
        figures["whole_list"] = stream_list(server, keys)
    return figures


def many_keys_table(row):
    def latency(name):
        return f"{row[name]['p50']:,.0f} / {row[name]['p99']:,.0f}"

    whole = row["whole_list"]
    return [["question", "answer"], ["---", "---:"],
            ["keys", f"{row['keys']:,}"],
            ["`annals import` into a store, s", f"{row['import_seconds']:.1f}"],
            ["names a second", f"{row['keys'] / row['import_seconds']:,.0f}"],
            ["start from the log alone, s", f"{row['bare_start_seconds']:.2f}"],
            ["start, s", f"{row['start_seconds']:.2f}"],
            ["memory of the server, MiB", f"{row['resident_mebibytes']:,.0f}"],
            ["bytes a key beyond key and value", f"{row['bytes_beyond']:.1f}"],
            ["the same after a start from the log alone", f"{row['bytes_beyond_of_log']:.1f}"],
            ["GET, us", latency("get")],
            [f"first page of {LISTED:,}, us", latency("first_page")],
            [f"page of {LISTED:,} in the middle, us", latency("middle_page")],
            [f"page of a prefix with {LISTED:,}, us", latency("prefix_page")],
            ["whole list: first byte, ms", f"{whole['first_byte_ms']:.1f}"],
            ["whole list, s", f"{whole['seconds']:.1f}"],
            ["whole list, keys a second", f"{row['keys'] / whole['seconds']:,.0f}"],
            ["memory that it took meanwhile, MiB", f"{whole['grown_mebibytes']:.0f}"]]
