#!/usr/bin/env python3
"""A server that starts without its index serves at once, and no answer and no version is wrong while the index is made anew.

usage: tests/crash/lost_index.py ANNALS      (the variable ANNALS_BINARY names another program)

A store of some hundred thousand events in many small segments loses all or some files of its directory `index`, or finds them damaged. The server is
started and asked at once: values of now are there; writes get the version that follows, under If-Match too; histories are right, or refused with 503,
Retry-After and the code index_missing until the index is there. It is killed in the midst of that and started again. At last all of it is made anew, the
log of the server says so, and `annals verify` finds nothing wrong. Then the same with the checkpoints gone too.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection, Response  # noqa: E402
from server import Server, clean_environment  # noqa: E402

KEYS = int(os.environ.get("ANNALS_LOST_INDEX_KEYS", "30000"))
ROUNDS = 8                # versions of each key before the server is started for the first time
SEGMENT_BYTES = "512KiB"
KEYS_WRITTEN = 150        # each time
WAIT_SECONDS_MAX = 600    # for what is made in the background on a busy machine
ENVIRONMENT = {"ANNALS_STORE_SEGMENT_BYTES": SEGMENT_BYTES}

# What the log of the server says when an index is found to be missing, and when it is there again.
ENDS = {
    "indexes of the log are missing": "the indexes of the log have been made anew",
    "segments are without an index of streams": "the indexes of streams have been made anew",
}


class Wrong(Exception):
    pass


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Wrong(what)


class Store:
    """The store, and what is known of it: how many versions each key has, and its value."""

    def __init__(self, binary: str, directory: pathlib.Path, seed: int):
        self.binary = binary
        self.directory = directory
        self.data = directory / "data"
        self.dice = random.Random(seed)
        self.versions: dict[str, int] = {}
        self.written = 0

    def run(self, *arguments: str) -> str:
        done = subprocess.run([self.binary, *arguments], cwd=self.directory, env=clean_environment(ENVIRONMENT), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"annals {arguments[0]} exits with {done.returncode}: {done.stderr}")
        return done.stdout + done.stderr

    @staticmethod
    def value(key: str, version: int) -> str:
        return f"{key} in version {version} " + "v" * 60

    def fill(self) -> None:
        lines = self.directory / "values.jsonl"
        for version in range(1, ROUNDS + 1):
            with lines.open("w") as out:
                for number in range(KEYS):
                    key = f"key{number:06}"
                    self.versions[key] = version
                    out.write(json.dumps({"name": key, "value": self.value(key, version)}) + "\n")
            self.run("import", str(lines), "--data", str(self.data))
        lines.unlink()

    def serve(self) -> Server:
        return Server(self.binary, ["--listen", "127.0.0.1:0", "--data", str(self.data)], self.directory, ENVIRONMENT)

    def put(self, connection: Connection, key: str, if_match: int | None = None) -> None:
        version = self.versions.get(key, 0) + 1
        fields = (("Content-Type", "application/json"),) + ((("If-Match", f'"{if_match}"'),) if if_match is not None else ())
        reply = connection.request("PUT", f"/config/{key}", json.dumps({"value": self.value(key, version)}).encode(), fields)
        expect(reply.status == 200 and reply.value("ETag") == f'"{version}"',
               f"PUT of {key} is answered {reply.status} {reply.value('ETag')}, not 200 \"{version}\": {reply.body[:300]!r}")
        self.versions[key] = version

    def check_value(self, connection: Connection, key: str) -> None:
        reply = connection.request("GET", f"/config/{key}")
        version = self.versions[key]
        expect(reply.status == 200 and reply.value("ETag") == f'"{version}"' and self.value(key, version) in reply.body.decode(),
               f"GET of {key} is answered {reply.status} {reply.value('ETag')}, not 200 \"{version}\": {reply.body[:300]!r}")

    def check_history(self, connection: Connection, key: str) -> bool:
        """False when it was refused, as it may be."""
        reply = connection.request("GET", f"/config/{key}/history")
        if is_refused(reply):
            return False
        expect(reply.status == 200, f"the history of {key} is answered {reply.status}: {reply.body[:300]!r}")
        events = json.loads(reply.body)
        found = [(event["stream_version"], event["data"]["value"]) for event in events]
        expect(found == [(version, self.value(key, version)) for version in range(1, self.versions.get(key, 0) + 1)],
               f"the history of {key} is not that of its {self.versions.get(key, 0)} versions: {found}")
        return True

    def ask_at_once(self, port: int) -> int:
        """The number of histories that were refused."""
        refused = 0
        with Connection(port, timeout=120) as connection:
            for _ in range(KEYS_WRITTEN):
                key = f"key{self.dice.randrange(KEYS):06}"
                self.check_value(connection, key)
                choice = self.dice.randrange(3)
                if choice == 0:
                    self.written += 1
                    self.put(connection, f"new{self.written:06}")
                elif choice == 1:
                    wrong = connection.request("PUT", f"/config/{key}", b'{"value": "x"}',
                                               (("Content-Type", "application/json"), ("If-Match", f'"{self.versions[key] - 1}"')))
                    expect(wrong.status in (409, 412), f"a PUT under a condition that does not hold is answered {wrong.status}")
                    self.put(connection, key, self.versions[key])
                else:
                    self.put(connection, key)
            for _ in range(5):
                refused += not self.check_history(connection, f"key{self.dice.randrange(KEYS):06}")
            self.check_history(connection, "never")
        return refused

    def check_all_of_some(self, port: int) -> None:
        some = self.dice.sample(sorted(self.versions), 200) + [key for key in self.versions if key.startswith("new")][-100:]
        with Connection(port, timeout=120) as connection:
            for key in some:
                self.check_value(connection, key)
                expect(self.check_history(connection, key), f"the history of {key} is refused although no index is missing")
            expect(self.check_history(connection, "never"), "the history of no key is refused although no index is missing")

    def index_files(self) -> list[pathlib.Path]:
        folder = self.data / "index"
        return sorted(folder.iterdir()) if folder.exists() else []


def is_refused(reply: Response) -> bool:
    if reply.status != 503:
        return False
    expect(json.loads(reply.body)["code"] == "index_missing" and reply.value("Retry-After") is not None, f"a refusal without its cause: {reply}")
    return True


def unindexed(port: int) -> int:
    with Connection(port, timeout=120) as connection:
        for line in connection.request("GET", "/metrics").body.decode().splitlines():
            if line.startswith("annals_store_segments_unindexed "):
                return int(line.rsplit(" ", 1)[1])
    raise Wrong("the metric annals_store_segments_unindexed is missing")


def wait_until_whole(server: Server) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while unindexed(server.port) > 0:
        expect(time.monotonic() < deadline, f"the index is not made anew within {WAIT_SECONDS_MAX} s\n{server.last_words()}")
        time.sleep(0.1)


def wait_for_line(server: Server, words: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not any(words in line for line in list(server.log)):
        expect(time.monotonic() < deadline, f"the log has no line \"{words}\"\n{server.last_words()}")
        time.sleep(0.05)


def delete(files: list[pathlib.Path]) -> None:
    for file in files:
        file.unlink()


def damage(files: list[pathlib.Path]) -> None:
    for file in files:
        content = bytearray(file.read_bytes())
        for place in range(20, len(content), 512):
            content[place] ^= 0x10
        file.write_bytes(content)


def lose(store: Store, name: str, change, begun: list[str]) -> None:
    """Changes files of the index, and goes through two starts, the first of which ends in a kill. `begun` are the lines that it begins with."""
    change(store.index_files())
    server = store.serve()
    try:
        refused = store.ask_at_once(server.port)
        for line in begun:
            wait_for_line(server, line)
        server.kill()
        server = store.serve()
        refused += store.ask_at_once(server.port)
        wait_until_whole(server)
        for line in begun:
            if any(line in said for said in list(server.log)):
                wait_for_line(server, ENDS[line])
        store.check_all_of_some(server.port)
        server.stop()
    except BaseException:
        server.kill()
        raise
    verify(store)
    print(f"{name}: {refused} of 10 histories had to be asked for again", flush=True)


def lose_in_peace(store: Store) -> None:
    """All files are deleted, and come back while nobody asks for anything."""
    delete(store.index_files())
    server = store.serve()
    try:
        wait_until_whole(server)
        for begun, ended in ENDS.items():
            wait_for_line(server, begun)
            wait_for_line(server, ended)
        server.stop()
    except BaseException:
        server.kill()
        raise
    verify(store)


def verify(store: Store) -> None:
    said = store.run("verify", "--data", str(store.data))
    expect("is sound" in said and "/index/" not in said, f"verify says: {said}")


def play(binary: str, directory: pathlib.Path, seed: int) -> None:
    store = Store(binary, directory, seed)
    store.fill()
    server = store.serve()
    try:
        wait_until_whole(server)
        store.check_all_of_some(server.port)
        server.stop()
    except BaseException:
        server.kill()
        raise
    segments = len(list((store.data / "log").glob("*.segment")))
    expect(segments > 100, f"there are {segments} segments only")
    of_log, of_streams = ENDS
    lose_in_peace(store)
    lose(store, "all deleted", delete, [of_log, of_streams])
    lose(store, "all damaged", damage, [of_log, of_streams])
    lose(store, "summaries deleted", lambda files: delete([file for file in files if file.suffix == ".summary"]), [of_log])
    lose(store, "streams files deleted", lambda files: delete([file for file in files if file.suffix == ".streams"]), [of_streams])

    def delete_checkpoints_too(files: list[pathlib.Path]) -> None:
        delete(files)
        delete([file for file in (store.data / "checkpoints").iterdir() if file.name != "audit"])

    lose(store, "checkpoints deleted too", delete_checkpoints_too, [of_log, of_streams])


def main() -> None:
    binary = os.environ.get("ANNALS_BINARY") or sys.argv[-1]
    seed = int(os.environ.get("ANNALS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    print(f"ANNALS_SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="annals-lost-index-") as directory:
        try:
            play(str(pathlib.Path(binary).resolve()), pathlib.Path(directory), seed)
        except Wrong as wrong:
            sys.exit(f"lost_index: {wrong} (ANNALS_SEED={seed})")


if __name__ == "__main__":
    main()
