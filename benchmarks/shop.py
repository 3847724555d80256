"""Records of declared fields under load: `./dev bench --app shop`.

The declaration is benchmarks/shop/annals.toml, what records hold benchmarks/load_generator/records.hpp. A store is loaded once by
`POST /batch`; what it gives is checked against what was sent, and then each column runs in each round on a server of its own:

  post    POST of a new record, on a fresh store: validated, its key and its unique value looked up, durable, audited
  add     the same on the store that was loaded
  get     GET of a record by its id, at random among all
  page    100 records of those above a price, in order of prices: filtered and sorted by one index
  sifted  100 records with at least so much stock, the dearest first: sorted by one index, filtered by another field
  picked  100 records with just this stock, the cheapest first: found by one index (a thousandth of all), sorted by another field
  patch   PATCH of one field, at random among all records
  hot     GET of a record by its id, at random among the twentieth that was made first

With `--memory-max SIZE` the model has that `memory_max`; a table more tells what that made of the columns: the server's memory, and how many
texts were read back from the file for each reply.

Beside them runs the bare server with what it can do of it, and the same number of bytes: PUT of a value as long as a record for
what writes, GET of such a value, and GET of a value as long as a page. It keeps at most 100,000 values, which is in its favour.

`--stages` asks `stages` (benchmarks/stages/) what each step of a POST costs.
"""

import contextlib
import itertools
import json
import os
import pathlib
import shutil
import statistics
import sys
import types
import urllib.error
import urllib.request

from history import get, run_program, say, served, start, wait_until_idle
from servers import Annals, Bare, Failure, generate

DECLARATION = pathlib.Path(__file__).resolve().parent / "shop" / "annals.toml"
RECORDS = 1_000_000
RECORDS_MAX = 50_000_000  # of 100,000,000 numbers; the others are for those that `add` makes
NAME_BYTES = 64
COLUMNS = ["post-1", "post-64", "add-64", "get-64", "page-64", "sifted-64", "picked-64", "patch-64"]
WORK = {
    "post": "durable POST", "add": "durable POST beside all records", "get": "GET by id", "page": "page by one index",
    "sifted": "page by one index, another field filtered", "picked": "page of a thousandth, sorted", "patch": "durable PATCH of one field",
    "hot": "GET by id, of a twentieth of all",
}
HOT_SHARE = 20
YARDSTICKS = {"post": "put", "add": "put", "patch": "put", "get": "get", "hot": "get", "page": "page"}
LISTED = 100
PATHS = 64  # that are asked in turn
LOADERS = 4  # connections that load
VERIFIED_KEYS = 500
BARE_KEYS_MAX = 100_000
ADDED_MAX = 5_000_000  # numbers that a run of `add` may use
PATH = "/api/products"

# As benchmarks/load_generator/records.hpp has them.
PRICES, PRICE_STEP, PRICE_MIN = 1_000_000, 7_919, 1_000_000
STOCKS, STOCK_MIN = 1_000, 1_000


def price_text(hundredths):
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def page_paths(kind):
    """The pages that a column asks for, from everywhere among the records."""
    if kind == "page":
        return [f"{PATH}?price[gte]={price_text(PRICE_MIN + i * PRICES * 9 // 10 // PATHS)}&sort=price&limit={LISTED}" for i in range(PATHS)]
    if kind == "sifted":
        return [f"{PATH}?stock[gte]={STOCK_MIN + STOCKS // 4 + i * STOCKS // 2 // PATHS}&sort=-price&limit={LISTED}" for i in range(PATHS)]
    return [f"{PATH}?stock={STOCK_MIN + i * STOCKS // PATHS}&sort=price&limit={LISTED}" for i in range(PATHS)]


def price_of(number):
    return number * PRICE_STEP % PRICES


def expected_page(path, records):
    """The `sku` of each record of a page, as long as no two records have the same price."""
    parameters = dict(one.split("=", 1) for one in path.split("?", 1)[1].split("&"))
    cheapest = round(float(parameters.get("price[gte]", PRICE_MIN / 100)) * 100) - PRICE_MIN
    stock_min = int(parameters.get("stock[gte]", STOCK_MIN)) - STOCK_MIN
    if "stock" in parameters:
        numbers = sorted(range(int(parameters["stock"]) - STOCK_MIN, records, STOCKS), key=price_of)
    else:
        inverse = pow(PRICE_STEP, -1, PRICES)
        prices = range(PRICES - 1, cheapest - 1, -1) if parameters["sort"].startswith("-") else range(cheapest, PRICES)
        numbers = (price * inverse % PRICES for price in prices)
    found = (number for number in numbers if number < records and number % STOCKS >= stock_min)
    return [f"SKU-{number:08d}" for number in itertools.islice(found, LISTED)]


def ask_json(server, path):
    status, _, body = get(server, path)
    if status != 200:
        raise Failure(f"GET {path} answers {status}: {body[:200]!r}")
    return json.loads(body)


def total(server):
    return ask_json(server, f"{PATH}?limit=1&count=true")["total"]


def expect_total(server, expected):
    found = total(server)
    if found != expected:
        raise Failure(f"{found} records are there, and {expected} POSTs of records were acknowledged")


def post(server, body):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{PATH}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.headers, json.load(reply)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, json.load(refused)


def check_rules(server):
    """That what was measured did all that is said of it: rules of fields, the unique value, the audit, durability."""
    record = ask_json(server, f"{PATH}?limit=1")["data"][0]
    status, fields, refused = post(server, {"sku": "sku", "price": "-1", "stock": -1})
    pointers = sorted(error["pointer"] for error in refused.get("errors", []))
    if status != 422 or pointers != ["/name", "/price", "/sku", "/stock"]:
        raise Failure(f"a record against all rules is answered {status}, with {pointers}")
    status, _, refused = post(server, {**record, "id": "00000000-0000-4000-8000-ffffffffffff"})
    if status != 409 or refused.get("code") != "not_unique":
        raise Failure(f"a record with another's unique value is answered {status}: {refused}")
    entries = ask_json(server, f"{PATH}/{record['id']}/audit")
    if not entries or entries[0]["action"] != "create" or entries[0]["new_values"]["sku"] != record["sku"]:
        raise Failure(f"the audit of {record['id']} is {entries}")
    return fields["Annals-Durability"]


def check_pages(server, records):
    """The pages are what the records that were sent make of them, and indexes are used for them. Their size."""
    sizes = []
    for kind in ("page", "sifted", "picked"):
        for path in page_paths(kind):
            status, _, body = get(server, path)
            found = [record["sku"] for record in json.loads(body)["data"]] if status == 200 else []
            if records <= PRICES and found != expected_page(path, records):
                raise Failure(f"GET {path} answers {status} with {found[:3]}..., and {expected_page(path, records)[:3]}... were expected")
            sizes.append(len(body))
        explain = ask_json(server, page_paths(kind)[0] + "&explain=true")["explain"]
        say(f"{kind}: {explain}")
        if records >= 100_000 and explain["way"] != "index":
            raise Failure(f"GET {page_paths(kind)[0]} is not found by an index: {explain}")
    return round(statistics.mean(sizes[:PATHS]))


class Bench:
    """What the columns of one benchmark share: the loaded store, how many records it has, how long they are."""

    def __init__(self, options):
        self.options = options
        self.flags = [f"--config={self.declaration(options)}", *options.annals_flag]
        self.memory = {}
        self.loaded = options.data / "loaded"
        self.present = 0
        self.record_bytes = 0
        self.page_bytes = 0

    @staticmethod
    def declaration(options):
        if not options.memory_max:
            return DECLARATION
        text = DECLARATION.read_text()
        bounded = text.replace("audited = true\n", f'audited = true\nmemory_max = "{options.memory_max}"\n', 1)
        if bounded == text:
            raise Failure(f"{DECLARATION} has no line to put memory_max behind")
        path = options.data / "bounded.toml"
        path.write_text(bounded)
        return path

    def note_memory(self, column, server, figures):
        """What a column did to a model with memory_max, its last round."""
        _, _, page = get(server, "/metrics")
        values = {line.split("{")[0]: float(line.rsplit(" ", 1)[1]) for line in page.decode().splitlines() if line.startswith("annals_table_")}
        self.memory[column] = {
            "resident_mebibytes": round(server.resident_mebibytes(), 1), "hot_mebibytes": round(values["annals_table_hot_bytes"] / 2**20, 1),
            "cold_records": int(values["annals_table_cold_records"]), "records": int(values["annals_table_rows"]),
            "table_mebibytes": round(values["annals_table_bytes"] / 2**20, 1),
            "index_mebibytes": round(values["annals_table_index_bytes"] / 2**20, 1),
            "file_mebibytes": round(values["annals_table_spill_bytes"] / 2**20, 1),
            "recalls": int(values["annals_table_recalls_total"]),
            "loads_per_reply": round(values["annals_table_loads_total"] / max(figures["replies"] * self.with_warm_up(), 1), 2)}

    def with_warm_up(self):
        """How much more was done than is counted, for those who count all."""
        return (self.options.seconds + self.options.warm_up) / self.options.seconds

    def on_loaded(self):
        return Annals(self.options.programs, self.loaded, self.flags, kept=True)

    def generate(self, server, what, *arguments):
        options = self.options
        return generate(options.programs, server, [
            "--value-bytes", NAME_BYTES, "--seconds", options.seconds, "--warm-up", options.warm_up, "--threads", options.threads,
            *arguments], options.seconds + options.warm_up + 120, what)

    def load(self):
        options = self.options
        shutil.rmtree(self.loaded, ignore_errors=True)
        say(f"loading {options.records:,} records by POST /batch")
        with served(self.on_loaded()) as server:
            told = generate(options.programs, server, [
                "--records", "--mix", "load", "--keys", options.records, "--connections", LOADERS, "--value-bytes", NAME_BYTES,
                "--verify", VERIFIED_KEYS], 3600, "loading")
            self.present = told["acknowledged"]
            figures = {"records": self.present, "seconds": told["seconds"], "per_second": round(self.present / told["seconds"], 1),
                       "cpu_us_per_record": round(told["server_cpu_seconds"] / self.present * 1e6, 2)}
            expect_total(server, options.records)
            figures["durability"] = check_rules(server)
            self.page_bytes = check_pages(server, options.records)
            first = ask_json(server, f"{PATH}?limit=1")["data"][0]
            self.record_bytes = len(get(server, f"{PATH}/{first['id']}")[2])
            wait_until_idle(server)
            figures["resident_mebibytes"] = round(server.resident_mebibytes(), 1)
        figures.update(record_bytes=self.record_bytes, page_bytes=self.page_bytes)
        server, figures["start_seconds"] = self.timed_start()
        with served(server):
            expect_total(server, self.present)
            figures["resident_mebibytes_after_start"] = round(server.resident_mebibytes(), 1)
        say(f"loaded: {figures['per_second']:,.0f} records a second")
        return figures

    def timed_start(self):
        return start(types.SimpleNamespace(programs=self.options.programs, data=self.loaded, annals_flag=self.flags))

    def measure_annals(self, kind, connections, round_number):
        server = Annals(self.options.programs, self.options.data, self.flags) if kind == "post" else self.on_loaded()
        with served(server):
            figures = self.measure_on(server, kind, connections, round_number)
            if self.options.memory_max:
                self.note_memory(f"{kind}-{connections}", server, figures)
            return figures

    def measure_on(self, server, kind, connections, round_number):
        what = f"annals, {kind}-{connections}"
        arguments = ["--records", "--connections", connections]
        if kind in ("page", "sifted", "picked"):
            return self.generate(server, what, "--connections", connections, *[f"--path={path}" for path in page_paths(kind)])
        if kind in ("get", "hot"):
            keys = self.options.records // (HOT_SHARE if kind == "hot" else 1)
            return self.generate(server, what, *arguments, "--mix", "get", "--keys", keys)
        if kind == "patch":
            return self.generate(server, what, *arguments, "--mix", "patch", "--keys", self.options.records, "--verify", VERIFIED_KEYS,
                                 "--sequences-after", (round_number + 1) << 32)
        first_key = self.options.records + round_number * ADDED_MAX if kind == "add" else 0
        figures = self.generate(server, what, *arguments, "--mix", "post", "--first-key", first_key, "--keys", ADDED_MAX,
                                "--verify", VERIFIED_KEYS)
        before = self.present if kind == "add" else 0
        expect_total(server, before + figures["acknowledged"])
        check_rules(server)
        if kind == "add":
            self.present += figures["acknowledged"]
        return figures

    def measure_bare(self, kind, connections):
        options = self.options
        size = self.page_bytes if kind == "page" else self.record_bytes
        keys = {"put": 10_000, "get": min(options.records, BARE_KEYS_MAX), "page": PATHS}[YARDSTICKS[kind]]
        server = Bare(options.programs, options.data)
        with served(server):
            return generate(options.programs, server, [
                "--mix", "put" if YARDSTICKS[kind] == "put" else "get", "--connections", connections, "--keys", max(keys, int(connections)),
                "--value-bytes", size, "--seconds", options.seconds, "--warm-up", options.warm_up, "--verify", VERIFIED_KEYS,
                "--threads", options.threads], options.seconds + options.warm_up + 180, f"bare, {kind}-{connections}")


@contextlib.contextmanager
def loaded_store(options):
    bench = Bench(options)
    try:
        yield bench
    finally:
        shutil.rmtree(bench.loaded, ignore_errors=True)


def measure(options, summarise):
    """Tables (lists of rows), and what is recorded of them."""
    if options.stages:
        stages = measure_stages(options)
        return [stages_table(stages)], {"columns": [], "stages": stages}
    with loaded_store(options) as bench:
        loading = bench.load()
        runs = {}
        for round_number in range(options.rounds):
            for column in options.columns:
                kind, connections = column.rsplit("-", 1)
                names = [one.name for one in options.servers if one is not Bare or kind in YARDSTICKS]
                for name in names if round_number % 2 == 0 else names[::-1]:
                    os.sync()  # so that nobody pays for what the run before has left to be written
                    figures = (bench.measure_bare(kind, connections) if name == Bare.name
                               else bench.measure_annals(kind, connections, round_number))
                    runs.setdefault(column, {}).setdefault(name, []).append(figures)
                    print(f"round {round_number + 1}, {column}, {name}: {figures['per_second']:,.0f} a second", file=sys.stderr, flush=True)
    summaries = [summarise(column, runs[column]) for column in options.columns]
    if options.memory_max:
        return [columns_table(summaries, options.servers), loading_table(loading), memory_table(options.memory_max, bench.memory)], {
            "columns": summaries, "loading": loading, "memory_max": options.memory_max, "memory": bench.memory}
    stages = measure_stages(options)
    return [columns_table(summaries, options.servers), loading_table(loading), stages_table(stages)], {
        "columns": summaries, "loading": loading, "stages": stages}


def measure_stages(options):
    say(f"stages, with {options.records:,} records")
    directory = options.data / "stages"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    try:
        return json.loads(run_program([options.programs / "stages", "--declaration", DECLARATION, "--data", directory,
                                       "--records", options.records, "--name-bytes", NAME_BYTES, "--batches", options.stage_batches]))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def columns_table(summaries, servers):
    def figures_of(entry):
        latency = entry["latency_us"]
        return [f"{entry['per_second']:,.0f}", f"{latency['p50'] / 1000:.2f} / {latency['p99'] / 1000:.2f}"]

    has_bare = Bare in servers
    head = ["work", "connections", "annals, a second", "annals p50 / p99, ms", "processor time a reply, us"]
    rows = [head + (["bare, a second", "bare p50 / p99, ms", "annals to bare"] if has_bare else [])]
    rows.append(["---", "---:"] + ["---:"] * (len(rows[0]) - 2))
    for summary in summaries:
        kind, connections = summary["column"].rsplit("-", 1)
        entry = summary["servers"][Annals.name]
        row = [WORK[kind], connections, *figures_of(entry), f"{entry['cpu_us_per_reply']:.1f}"]
        if has_bare:
            bare = summary["servers"].get(Bare.name)
            row += [*figures_of(bare), f"{entry['ratio_to_bare']:.2f}"] if bare else ["", "", ""]
        rows.append(row)
    return rows


def loading_table(loading):
    return [["loading", ""], ["---", "---:"],
            ["records", f"{loading['records']:,}"],
            [f"a second, by POST /batch of 1,000 on {LOADERS} connections", f"{loading['per_second']:,.0f}"],
            ["processor time a record, us", f"{loading['cpu_us_per_record']:.1f}"],
            ["memory of the server then, MiB", f"{loading['resident_mebibytes']:,.0f}"],
            ["start with them, s", f"{loading['start_seconds']:.2f}"],
            ["bytes of a record, of a page", f"{loading['record_bytes']:,}, {loading['page_bytes']:,}"]]


def memory_table(memory_max, columns):
    rows = [[f"with memory_max {memory_max}", "memory of the server, MiB", "texts in memory, MiB", "rows and texts, MiB", "indexes, MiB",
             "records not in memory", "file, MiB", "texts read back a reply"], ["---"] + ["---:"] * 7]
    for column, one in columns.items():
        rows.append([WORK[column.rsplit("-", 1)[0]], f"{one['resident_mebibytes']:,.0f}", f"{one['hot_mebibytes']:,.1f}",
                     f"{one['table_mebibytes']:,.1f}", f"{one['index_mebibytes']:,.1f}",
                     f"{one['cold_records']:,} of {one['records']:,}", f"{one['file_mebibytes']:,.0f}", f"{one['loads_per_reply']:,.2f}"])
    return rows


def stages_table(stages):
    """The steps of a POST with their sum, parts of a step behind it, and then what is not a step."""
    def row(one):
        return [("- of that: " if one["kind"] == "part" else "") + one["stage"], f"{one['nanoseconds']:,.0f}", f"{one['least']:,.0f}"]

    steps = [one for one in stages["stages"] if one["kind"] == "step"]
    together = {"stage": "all steps together", "kind": "step", **{name: sum(one[name] for one in steps) for name in ("nanoseconds", "least")}}
    rows = [["a record's share of a batch of 64", "median, ns", "least, ns"], ["---", "---:", "---:"]]
    rows += [row(one) for one in stages["stages"] if one["kind"] != "aside"] + [row(together)]
    return rows + [row(one) for one in stages["stages"] if one["kind"] == "aside"]
