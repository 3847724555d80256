#!/usr/bin/env python3
"""A thousand slow clients, as many as the server takes by default, hold nothing up: ordinary requests succeed beside them, before the first
of them is cut off and until the last one has been.

usage: tests/hostile/slow_clients.py ANNALS      (the variable ANNALS_BINARY names another program)

A third of them send a header one byte at a time, a third a body, and a third ask for a long list and hardly read. None is ever
done. Each must be cut off once its time is up, the first two after a 408; those that have not sent a whole header may have to give way to
others before that, without a word.
"""

import contextlib
import selectors
import socket
import sys
import threading
import time

from hostile import Connection, Server, Wrong, eventually, ordinary_requests, put, run

CLIENTS = 1000
LIMIT_SECONDS = 10
ORDINARY_MIN = 20   # requests beside all of them: of a server that waits for the slow there would be none, however late it is
LIST_KEYS, LIST_VALUE = 400, "v" * 20_000
HEAD = b"GET /config HTTP/1.1\r\nHost: a\r\n"


class SlowClient:
    def __init__(self, port: int, kind: str):
        self.kind = kind
        self.received = b""
        self.ended_after: float | None = None
        self.socket = socket.socket()
        if kind == "reader":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", port))
        self.began = time.monotonic()
        self.socket.sendall({"header": HEAD + b"X-Slow: ", "body": b"PUT /config/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n{",
                             "reader": HEAD + b"\r\n"}[kind])
        self.socket.setblocking(False)

    def trickle(self) -> None:
        """One byte more in its direction."""
        with contextlib.suppress(OSError):
            if self.kind != "reader":
                self.socket.send(b"x")

    def take(self, size: int) -> None:
        """Notes what the server says and whether it still listens."""
        try:
            piece = self.socket.recv(size)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self.received = (self.received + piece)[-2000:] if self.received else piece[:2000]
        if not piece:
            self.ended_after = time.monotonic() - self.began
            self.socket.close()


def trickle_all(clients: list[SlowClient], stopping: threading.Event) -> None:
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
    while not stopping.is_set() and selector.get_map():
        for key, _ in selector.select(timeout=0.2):
            # A reader takes a byte each time, far less than the 64 KiB in LIMIT_SECONDS that count as progress.
            key.data.take(1 if key.data.kind == "reader" else 65536)
            if key.data.ended_after is not None:
                selector.unregister(key.fileobj)
        for key in list(selector.get_map().values()):
            key.data.trickle()
        stopping.wait(0.25)
    selector.close()


def fill(port: int) -> None:
    with Connection(port) as connection:
        for number in range(LIST_KEYS):
            if (reply := put(connection, f"long-{number}", LIST_VALUE)).status != 200:
                raise Wrong(f"a PUT got {reply.status}")


def check_end(client: SlowClient) -> bool:
    """False for one that had to give way to another."""
    if client.kind == "header" and not client.received:
        return False
    if client.ended_after < LIMIT_SECONDS * 0.9:
        raise Wrong(f"a slow {client.kind} was cut off after {client.ended_after:.1f} s already")
    if client.kind == "reader":
        return True
    if client.received.count(b"HTTP/1.1") != 1 or not client.received.startswith(b"HTTP/1.1 408 "):
        raise Wrong(f"a slow {client.kind} was told {client.received!r}")
    return True


def test(binary, directory) -> str:
    server = Server(binary, ["--listen", "127.0.0.1:0", "--data", f"{directory}/data",
                             "--header-timeout", f"{LIMIT_SECONDS}s", "--request-timeout", f"{LIMIT_SECONDS}s"], directory)
    stopping = threading.Event()
    try:
        fill(server.port)
        clients = [SlowClient(server.port, ("header", "body", "reader")[number % 3]) for number in range(CLIENTS)]
        trickling = threading.Thread(target=trickle_all, args=(clients, stopping), daemon=True)
        trickling.start()
        longest, requests, beside_all = 0.0, 0, 0
        # Beside all of them at first, and on while they are cut off.
        while any(client.ended_after is None and client.kind != "reader" for client in clients):
            longest = max(longest, ordinary_requests(server.port, 10))
            requests += 20
            if not any(client.received for client in clients if client.kind != "reader"):
                beside_all = requests
            if time.monotonic() - clients[-1].began > 120:
                raise Wrong("slow clients are still connected after 120 s")
        if beside_all < ORDINARY_MIN:
            raise Wrong(f"{beside_all} ordinary requests were answered before the first slow client was cut off")
        displaced = sum(not check_end(client) for client in clients if client.kind != "reader")
        if displaced == 0:
            raise Wrong("the server took more connections than it should")
        if displaced > requests:
            raise Wrong(f"{displaced} slow clients had to give way to {requests} requests")
        # A reader has the end only behind what its socket holds, which it takes now.
        stopping.set()
        trickling.join()
        readers = [client for client in clients if client.kind == "reader"]

        def read_up(client: SlowClient) -> bool:
            while client.ended_after is None:
                before = client.received
                client.take(65536)
                if client.received == before and client.ended_after is None:
                    return False
            return True

        eventually(lambda: all([read_up(client) for client in readers]), "the end of those that do not read")
        longest = max(longest, ordinary_requests(server.port, 50))
        with Connection(server.port) as connection:
            if connection.request("GET", "/config/slow").status != 404:
                raise Wrong("half a body was taken for a value")
        server.stop()
    finally:
        stopping.set()
        server.process.kill()
    return f"{CLIENTS} slow clients were cut off, {displaced} of them for others' sake; {requests} ordinary requests beside them, {beside_all} of them beside all, a write and a read in {longest * 1000:.0f} ms at most"


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
