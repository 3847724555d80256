#!/usr/bin/env python3
"""The page on metrics and the server say the same: every metric that the page names is in /metrics, and every one there is on the page.

usage: tests/readme/metrics.py ANNALS METRICS.md

What is compared are the names, kinds and labels of the page's table of all metrics, and the names and labels in the expressions of its
table of what to watch. The server is asked enough for every metric to have a sample.
"""

import pathlib
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection  # noqa: E402
from server import Server  # noqa: E402

NAME = re.compile(r"\b(?:annals|process)_[a-z0-9_]+\b")
SAMPLE = re.compile(r"(?P<name>[a-z0-9_]+)(?:\{(?P<labels>.*)\})? [0-9.e+-]+|[a-z0-9_]+ NaN")
OF_HISTOGRAMS = ("_bucket", "_sum", "_count")

# Some metrics are of records of declared fields.
DECLARED = """[model.config]
profile = "kv"
path = "/config"
[model.product]
path = "/products"
memory_max = "1MiB"
[model.product.fields]
id = { type = "string", primary_key = true }
"""

REQUESTS = [("PUT", "/config/a", b'{"value":"x"}', 200), ("GET", "/config/a", None, 200), ("GET", "/config/missing", None, 404),
            ("GET", "/nowhere", None, 404)]


class Metric:
    def __init__(self, kind: str):
        self.kind = kind
        self.labels: set[str] = set()


def served(text: str) -> dict[str, Metric]:
    """What /metrics has: each metric with the labels of its samples."""
    metrics: dict[str, Metric] = {}
    sampled: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            metrics[name] = Metric(kind)
        elif line and not line.startswith("#"):
            match = SAMPLE.fullmatch(line)
            if not match:
                raise SystemExit(f"/metrics has a line that is no sample: {line}")
            name = base_of(match["name"], metrics)
            if name not in metrics:
                raise SystemExit(f"/metrics has a sample of {name} before it says what that is")
            sampled.add(name)
            metrics[name].labels |= set(re.findall(r'(\w+)="', match["labels"] or "")) - {"le"}
    for name in metrics.keys() - sampled:
        raise SystemExit(f"/metrics has no sample of {name}: this test has to ask for more")
    return metrics


def base_of(name: str, metrics: dict[str, Metric]) -> str:
    for ending in OF_HISTOGRAMS:
        base = name.removesuffix(ending)
        if base != name and base in metrics and metrics[base].kind == "histogram":
            return base
    return name


def rows_below(page: str, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without the two lines of its head."""
    section = page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def described(page: str) -> dict[str, tuple[str, str]]:
    """What the page's table of all metrics has: each name with its kind ("" where that is left to convention), and what it says of labels."""
    found: dict[str, tuple[str, str]] = {}
    for names, kind, *labels in rows_below(page, "All of them"):
        kinds = [one.strip().removesuffix("s") for one in kind.split(",")]
        all_names = re.findall(r"`([a-z0-9_]+)`", names)
        if len(kinds) not in (1, len(all_names)):
            raise SystemExit(f"the page has {len(all_names)} names and {len(kinds)} kinds in the row {names}: one for each, or one for all")
        for place, name in enumerate(all_names):
            one = kinds[place % len(kinds)]
            found[name] = (one if one in ("gauge", "counter", "histogram") else "", " ".join(labels))
    return found


def differences(page: str, text: str) -> list[str]:
    metrics = served(text)
    wrong = []
    table = described(page)
    for name in sorted(table.keys() - metrics.keys()):
        wrong.append(f"{name} is on the page and not in /metrics")
    for name in sorted(metrics.keys() - table.keys()):
        wrong.append(f"{name} is in /metrics and not in the page's table of all metrics")
    for name in sorted(metrics.keys() & table.keys()):
        kind, labels = table[name]
        if kind and kind != metrics[name].kind:
            wrong.append(f"{name} is a {kind} on the page and a {metrics[name].kind} in /metrics")
        for label in sorted(metrics[name].labels):
            if f"`{label}`" not in labels:
                wrong.append(f"{name} has the label {label}, of which the page says nothing")
    for _, expression, *worry in rows_below(page, "What to watch, and when to worry"):
        for name in NAME.findall(" ".join([expression, *worry])):
            base = base_of(name, metrics)
            if base not in metrics:
                wrong.append(f"{name} is to be watched, and is not in /metrics")
            elif metrics[base].kind == "histogram" and base == name:
                wrong.append(f"{name} is to be watched, and is a histogram: nothing has that name itself")
        for name, selector in re.findall(r"((?:annals|process)_[a-z0-9_]+)\{([^}]*)\}", expression):
            for label in re.findall(r"(\w+)\s*[=!]", selector):
                if base_of(name, metrics) in metrics and label not in metrics[base_of(name, metrics)].labels:
                    wrong.append(f"{name} is to be watched by its label {label}, which it does not have")
    return wrong


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="annals-metrics-") as directory:
        pathlib.Path(directory, "annals.toml").write_text(DECLARED, encoding="utf-8")
        server = Server(str(pathlib.Path(sys.argv[1]).resolve()), ["--listen", "127.0.0.1:0"], pathlib.Path(directory))
        try:
            with Connection(server.port) as connection:
                for method, target, body, expected in REQUESTS:
                    reply = connection.request(method, target, body)
                    if reply.status != expected:
                        raise SystemExit(f"{method} {target} got {reply.status}, not {expected}: {reply.body!r}")
                text = connection.request("GET", "/metrics").body.decode()
        finally:
            server.kill()
    wrong = differences(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"), text)
    for sentence in wrong:
        print(sentence)
    print(f"metrics: {'the page is not what the server says' if wrong else 'the page and the server agree'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
