#!/usr/bin/env python3
"""Many slow clients with large bodies take no more memory than all bodies together may: who finds it used up is refused, and small requests go on.

usage: tests/hostile/body_clients.py ANNALS      (the variable ANNALS_BINARY names another program)

Each client sends all of a large body but its end, by its length or in chunks. Together they send many times what the server may keep.
"""

import json
import selectors
import socket
import sys
import time

from hostile import Connection, Server, Wrong, eventually, memory_bytes, ordinary_requests, run

CLIENTS = 300
BODY_BYTES = 5_000_000
LIMIT_BYTES = 32 << 20
# What the bodies may take, 64 KiB of each that do not count, copies made while buffers grow, what the allocator keeps of them, and the shadow that a sanitizer
# keeps of it all. Every body would be 1.5 GB.
GROWTH_BYTES_MAX = 6 * LIMIT_BYTES + CLIENTS * (64 << 10)
PIECE = b"x" * 65536
REFUSALS = 'annals_http_refusals_total{cause="body_memory_full"}'


class Client:
    def __init__(self, port: int, chunked: bool):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        length = f"Transfer-Encoding: chunked\r\n\r\n{BODY_BYTES:x}\r\n" if chunked else f"Content-Length: {BODY_BYTES}\r\n\r\n"
        self.socket.sendall(b"PUT /config/large HTTP/1.1\r\nHost: a\r\n" + length.encode())
        self.socket.setblocking(False)
        self.left = BODY_BYTES - 1
        self.received = b""
        self.ended = False

    def go_on(self) -> None:
        """Sends what the server takes, and takes what it says."""
        try:
            while self.left and not self.received:
                self.left -= self.socket.send(PIECE[: min(len(PIECE), self.left)])
        except BlockingIOError:
            pass
        except OSError:
            self.left = 0   # the server has closed its side; what it said is still to be read
        try:
            piece = self.socket.recv(65536)
            self.received += piece
            self.ended = self.ended or not piece
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True


def send_all(clients: list[Client], server: Server) -> int:
    """Until every client has sent all but the end of its body or has been refused; the most memory that the server had meanwhile."""
    most = 0
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
    deadline = time.monotonic() + 60
    while selector.get_map():
        if time.monotonic() > deadline:
            raise Wrong("the server neither took nor refused the bodies within 60 s")
        for key, _ in selector.select(timeout=0.2):
            client = key.data
            client.go_on()
            if client.ended or not client.left and not client.received:
                selector.unregister(client.socket)
        most = max(most, memory_bytes(server))
    selector.close()
    return most


def check_refusals(refused: list[Client]) -> None:
    for client in refused:
        head, _, body = client.received.partition(b"\r\n\r\n")
        told = json.loads(body) if head.startswith(b"HTTP/1.1 503 ") else {}
        if told.get("code") != "body_memory_full" or b"\r\nRetry-After: " not in head or b"\r\nConnection: close" not in head:
            raise Wrong(f"who found no memory was told {client.received!r}")
        if b"\r\nAnnals-Durability: " not in head:
            raise Wrong(f"the refusal of a write does not say what a success would mean: {head!r}")


def metric(port: int, name: str) -> int:
    with Connection(port) as connection:
        for line in connection.request("GET", "/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return int(float(line.rpartition(" ")[2]))
    return 0


def test(binary, directory) -> str:
    server = Server(binary, ["--listen", "127.0.0.1:0", "--data", f"{directory}/data", "--bodies-bytes-max", f"{LIMIT_BYTES >> 20}MiB",
                             "--request-timeout", "10m"], directory,
                    {"ASAN_OPTIONS": "quarantine_size_mb=8"})  # that sanitizer keeps what was freed for a while
    try:
        ordinary_requests(server.port, 20)
        before = memory_bytes(server)
        clients = [Client(server.port, number % 2 == 1) for number in range(CLIENTS)]
        grown = send_all(clients, server) - before
        def refused_ones() -> list[Client]:
            for client in clients:
                if not client.ended:
                    client.go_on()
            # Who goes on sending for longer than the server drains may lose the reply to a reset; the others have it.
            return [client for client in clients if client.received or client.ended]

        # What they have sent may be on its way still.
        eventually(lambda: metric(server.port, REFUSALS) == len(refused_ones()), "as many refusals in /metrics as clients that were refused")
        refused = refused_ones()
        told = [client for client in refused if client.received]
        if len(refused) < CLIENTS / 2 or len(refused) == CLIENTS or len(told) < len(refused) / 2:
            raise Wrong(f"{len(refused)} of {CLIENTS} were refused, and {len(told)} know why")
        check_refusals(told)
        if grown > GROWTH_BYTES_MAX:
            raise Wrong(f"the server grew by {grown >> 20} MiB")
        if not 0 < metric(server.port, "annals_http_body_bytes") <= LIMIT_BYTES:
            raise Wrong(f"/metrics says that bodies take {metric(server.port, 'annals_http_body_bytes')} bytes")
        ordinary_requests(server.port, 50)
        # When they have left, all of it can be had again.
        for client in clients:
            client.socket.close()
        eventually(lambda: metric(server.port, "annals_http_body_bytes") == 0, "that no body takes memory")
        with Connection(server.port) as connection:
            value = json.dumps({"value": "v" * 1_000_000}).encode()
            if (reply := connection.request("PUT", "/config/large", value, (("Content-Type", "application/json"),))).status != 200:
                raise Wrong(f"a large PUT got {reply.status} after all others had left")
        server.stop()
    finally:
        server.process.kill()
    return f"{len(refused)} of {CLIENTS} large bodies were refused; the server grew by {grown >> 20} MiB"


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
