#!/usr/bin/env python3
"""TLS from outside: certificates made by the openssl command line, clients by Python's own library, SIGHUP in between.

usage: tests/hostile/tls_clients.py ANNALS      (the variable ANNALS_BINARY names another program)
"""

import http.client
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading

from hostile import Server, Wrong, eventually, run

SEED = int(os.environ.get("ANNALS_SEED", "20260101"))
BROKEN_HANDSHAKES = 300


def make_pair(directory: pathlib.Path, name: str) -> tuple[pathlib.Path, pathlib.Path]:
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate, "-keyout", key], check=True, capture_output=True)
    return certificate, key


class Client:
    def __init__(self, port: int, trusted: pathlib.Path, version: ssl.TLSVersion | None = None):
        context = ssl.create_default_context(cafile=str(trusted))
        context.set_alpn_protocols(["h2", "http/1.1"])
        if version:
            context.minimum_version = context.maximum_version = version
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
        self._connection.connect()
        if self._connection.sock.selected_alpn_protocol() != "http/1.1":
            raise Wrong("ALPN did not end in http/1.1")

    def request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        self._connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        reply = self._connection.getresponse()
        return reply.status, reply.read()

    def close(self) -> None:
        self._connection.close()


def must(reply: tuple[int, bytes], status: int, body: bytes | None = None) -> None:
    if reply[0] != status or body not in (None, reply[1]):
        raise Wrong(f"expected {status} {body!r}, found {reply[0]} {reply[1][:200]!r}")


def break_handshakes(port: int) -> None:
    """Beginnings of handshakes, cut and bent; whatever the server says, it must go on."""
    chance = random.Random(SEED)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outgoing.read()
    for number in range(BROKEN_HANDSHAKES):
        bytes_sent = bytearray(hello[: chance.randrange(len(hello) + 1)] if number % 2 else hello)
        for _ in range(number % 3):
            if bytes_sent:
                bytes_sent[chance.randrange(len(bytes_sent))] = chance.randrange(256)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            try:
                client.sendall(bytes_sent)
                if number % 4 == 1:
                    client.shutdown(socket.SHUT_WR)
                    client.recv(4096)
                if number % 8 == 2:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            except OSError:
                pass


def in_the_open(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"PUT /config/hidden HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n{\"value\":\"x\"}" * 2)
        received = b""
        while piece := client.recv(65536):
            received += piece
    if received.count(b"HTTP/1.1") != 1 or not received.startswith(b"HTTP/1.1 400 ") or b'"tls_required"' not in received:
        raise Wrong(f"a request in the open was told {received!r}")


def test(binary: str, directory: pathlib.Path) -> str:
    first, second = make_pair(directory, "first"), make_pair(directory, "second")
    served = directory / "served.pem", directory / "served.key"

    def install(pair: tuple[pathlib.Path, pathlib.Path]) -> None:
        for source, target in zip(pair, served):
            target.write_bytes(source.read_bytes())

    def records(part: str) -> list[dict]:
        return [record for record in map(json.loads, server.log) if part in record["message"]]

    install(first)
    served[1].chmod(0o644)
    server = Server(binary, ["--listen", "127.0.0.1:0", "--data", f"{directory}/data", "--header-timeout", "2s",
                             "--tls-certificate", str(served[0]), "--tls-key", str(served[1])], directory)
    stopping = threading.Event()
    failures: list[str] = []
    requests = [0]

    def keep_asking(client: Client) -> None:
        while not stopping.is_set():
            try:
                requests[0] += 1
                must(client.request("PUT", "/config/steady", json.dumps({"value": str(requests[0])})), 200, b"OK")
            except (Wrong, OSError, http.client.HTTPException) as error:
                failures.append(f"{type(error).__name__} {error}")
                return

    try:
        if not server.url.startswith("https://"):
            raise Wrong(f"the address that was printed is {server.url}")
        eventually(lambda: bool(records("may read or change the TLS key")), "the warning about a key that others may read")
        steady = Client(server.port, first[0])
        asking = threading.Thread(target=keep_asking, args=(steady,), daemon=True)
        asking.start()

        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = Client(server.port, first[0], version)
            large = json.dumps({"value": "v" * 1_000_000})
            must(client.request("PUT", "/config/large", large), 200, b"OK")
            must(client.request("GET", "/config/large"), 200, b"v" * 1_000_000)
            client.close()
        in_the_open(server.port)
        descriptors = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        break_handshakes(server.port)
        eventually(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) <= descriptors, "the end of every broken handshake")

        client = Client(server.port, first[0])
        status, page = client.request("GET", "/metrics")
        client.close()
        failed = [int(float(line.split()[1])) for line in page.decode().splitlines() if line.startswith("annals_http_tls_handshakes_failed_total ")]
        if status != 200 or not failed or not BROKEN_HANDSHAKES // 2 < failed[0] <= BROKEN_HANDSHAKES:
            raise Wrong(f"/metrics counts {failed} failed handshakes of {BROKEN_HANDSHAKES}")

        command = [binary, "events", "--url", server.url]
        refused = subprocess.run(command, capture_output=True, text=True)
        if refused.returncode != 1 or "SSL_CERT_FILE" not in refused.stderr or "whether a server runs" in refused.stderr:
            raise Wrong(f"a certificate that nobody trusts: exit {refused.returncode}, {refused.stderr}")
        trusted = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "SSL_CERT_FILE": str(first[0])})
        if trusted.returncode != 0 or not json.loads(trusted.stdout.splitlines()[0])["stream"]:
            raise Wrong(f"with the authority named: exit {trusted.returncode}, {trusted.stderr}")

        served[0].write_text("not a certificate")
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: bool(records("were not replaced")), "the error about a bad certificate")
        Client(server.port, first[0]).close()

        served[1].unlink()
        os.mkfifo(served[1])  # which nobody writes into
        served[0].write_bytes(first[0].read_bytes())
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(records("were not replaced")) == 2, "the error about a key that is a pipe")
        served[1].unlink()

        install(second)
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(records("Serving with a TLS certificate")) == 2, "the word about the new certificate")
        client = Client(server.port, second[0])
        must(client.request("GET", "/config/hidden"), 404)
        try:
            Client(server.port, first[0])
            raise Wrong("the old certificate is still served to new connections")
        except ssl.SSLCertVerificationError:
            pass
        before = requests[0]
        eventually(lambda: requests[0] > before + 20 or bool(failures), "requests on the old connection")
        stopping.set()
        asking.join()
        if failures:
            raise Wrong(f"a connection that was open at SIGHUP: {failures[0]}")
        server.stop()
    finally:
        stopping.set()
        server.process.kill()
    return f"TLS 1.2 and 1.3, a bad pair refused and a good one taken over; {BROKEN_HANDSHAKES} broken handshakes; {requests[0]} writes on one connection throughout"


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
