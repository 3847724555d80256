#!/usr/bin/env python3
"""Requests that two programs could understand differently, each with a write hidden behind it, sent to the real server.

usage: tests/hostile/smuggling_clients.py ANNALS      (the variable ANNALS_BINARY names another program)

For each of them: exactly one reply comes, a refusal that ends the connection; then the connection is closed without a reset, so
that the refusal is read; and the hidden write has not happened. Each is sent in one piece, in two, byte by byte where it is
short, and behind a good request. Beside them, what is odd and yet good HTTP must be understood.

src/http/server/malformed_requests.hpp has more of them, for the parser and the server without its engine.
"""

import os
import random
import re
import socket
import sys
import time

from hostile import Connection, Server, Wrong, ordinary_requests, run

SEED = int(os.environ.get("ANNALS_SEED", "20260101"))
BYTES_SENT_SINGLY = 400
STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d\d\d) [A-Z]")
BODY = b'{"value":"x"}'
HIDDEN = b"PUT /config/hidden HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n" + BODY
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n"
PUT = b"PUT /config/shown HTTP/1.1\r\nHost: a\r\n"
CHUNKED = PUT + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"d\r\n" + BODY + b"\r\n0\r\n\r\n"


def length(text: bytes) -> bytes:
    return b"Content-Length: " + text + b"\r\n"


def coding(text: bytes) -> bytes:
    return b"Transfer-Encoding: " + text + b"\r\n"


# What it is; what is sent before the hidden write; the status that refuses it, 400 if none is said.
ATTACKS: list[tuple] = [
    # Two lengths.
    ("two lengths, the first for us", PUT + length(b"13") + length(b"%d" % (13 + len(HIDDEN))) + b"\r\n" + BODY),
    ("two lengths, the second for us", PUT + length(b"%d" % (13 + len(HIDDEN))) + length(b"13") + b"\r\n" + BODY),
    ("two equal lengths", PUT + length(b"13") + length(b"13") + b"\r\n" + BODY),
    ("a list of equal lengths", PUT + length(b"13, 13") + b"\r\n" + BODY),
    ("a length of nothing and another", GET + length(b"0") + length(b"%d" % len(HIDDEN)) + b"\r\n"),
    ("a length with a plus", PUT + length(b"+13") + b"\r\n" + BODY),
    ("a negative length", PUT + length(b"-1") + b"\r\n"),
    ("a length in octal or decimal", PUT + length(b"0o15") + b"\r\n" + BODY),
    ("a length that wraps around 64 bits", PUT + length(b"18446744073709551629") + b"\r\n" + BODY),
    ("a length with a blank before its colon", PUT + b"Content-Length : 13\r\n\r\n" + BODY),
    ("a length with NUL behind it", PUT + length(b"13\0") + b"\r\n" + BODY),
    ("a length on a folded line", PUT + b"Content-Length:\r\n 13\r\n\r\n" + BODY),
    # CL.TE and TE.CL: one of the two programs takes the length, the other the coding.
    ("CL.TE", PUT + length(b"%d" % (5 + len(HIDDEN))) + coding(b"chunked") + b"\r\n0\r\n\r\n"),
    ("TE.CL", PUT + coding(b"chunked") + length(b"4") + b"\r\n%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n"),
    ("CL.TE with a length of nothing", PUT + length(b"0") + coding(b"chunked") + b"\r\n" + CHUNKS),
    ("TE.TE, the second unknown", PUT + coding(b"chunked") + coding(b"x") + b"\r\n" + CHUNKS),
    ("TE.TE, the first unknown", PUT + coding(b"x") + coding(b"chunked") + b"\r\n" + CHUNKS),
    ("TE.CL with a coding that only looks right", PUT + coding(b"xchunked") + length(b"13") + b"\r\n" + BODY),
    ("TE.CL with a tab", PUT + b"Transfer-Encoding\t: chunked\r\n" + length(b"13") + b"\r\n" + BODY),
    ("TE.CL with a vertical tab", PUT + coding(b"\x0bchunked") + length(b"13") + b"\r\n" + BODY),
    ("TE.CL with the coding behind a bare LF", PUT + b"X: y\n" + coding(b"chunked") + length(b"13") + b"\r\n" + BODY),
    ("TE.CL with a blank before the coding's line", PUT + b" " + coding(b"chunked") + length(b"13") + b"\r\n" + BODY),
    ("TE.0 in HTTP/1.0", b"PUT /config/shown HTTP/1.0\r\n" + coding(b"chunked") + b"\r\n" + CHUNKS),
    # A transfer coding other than `chunked`.
    ("identity", PUT + coding(b"identity") + b"\r\n"),
    ("gzip, chunked", PUT + coding(b"gzip, chunked") + b"\r\n" + CHUNKS),
    ("chunked, identity", PUT + coding(b"chunked, identity") + b"\r\n" + CHUNKS),
    ("chunked twice", PUT + coding(b"chunked, chunked") + b"\r\n" + CHUNKS),
    ("chunked with a parameter", PUT + coding(b"chunked;a=b") + b"\r\n" + CHUNKS),
    ("chunked in quotes", PUT + coding(b'"chunked"') + b"\r\n" + CHUNKS),
    # Chunks.
    ("a size with a plus", CHUNKED + b"+d\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("a size with a minus", CHUNKED + b"-d\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("a size with 0x", CHUNKED + b"0xd\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("a size behind a blank", CHUNKED + b" d\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("a size before a blank", CHUNKED + b"d \r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("a size with an underscore", CHUNKED + b"0_d\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("a size that wraps around 64 bits", CHUNKED + b"1000000000000000d\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("a size that wraps around 32 bits", CHUNKED + b"10000000d\r\n" + BODY + b"\r\n0\r\n\r\n", 413),
    ("a size that ends in a bare LF", CHUNKED + b"d\n" + BODY + b"\r\n0\r\n\r\n"),
    ("a size that ends in a bare CR", CHUNKED + b"d\r" + BODY + b"\r\n0\r\n\r\n"),
    ("no size", CHUNKED + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("an extension that ends in a bare LF", CHUNKED + b"d;a=b\n" + BODY + b"\r\n0\r\n\r\n"),
    ("an extension without a name", CHUNKED + b"d;\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("an extension with open quotes", CHUNKED + b'd;a="\r\n' + BODY + b"\r\n0\r\n\r\n"),
    ("an extension whose quotes hold a line end", CHUNKED + b'd;a="\r\n0\r\n\r\n' + HIDDEN + b'"\r\n' + BODY + b"\r\n0\r\n\r\n"),
    ("a chunk longer than its size", CHUNKED + b"c\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("a chunk that ends in a bare LF", CHUNKED + b"d\r\n" + BODY + b"\n0\r\n\r\n"),
    ("a chunk that ends in two other bytes", CHUNKED + b"d\r\n" + BODY + b"xx0\r\n\r\n"),
    ("a last line that is a bare LF", CHUNKED + b"d\r\n" + BODY + b"\r\n0\r\n\n"),
    ("a folded trailer", CHUNKED + b"d\r\n" + BODY + b"\r\n0\r\nX: a\r\n b\r\n\r\n"),
    ("a request for a trailer", CHUNKED + b"d\r\n" + BODY + b"\r\n0\r\n"),
    ("NUL in a trailer", CHUNKED + b"d\r\n" + BODY + b"\r\n0\r\nX: \0\r\n\r\n"),
    ("trailers without an end", CHUNKED + b"d\r\n" + BODY + b"\r\n0\r\n" + b"X: y\r\n" * 3000 + b"\r\n", 431),
    # obs-fold, blanks, NUL, control characters.
    ("obs-fold", GET + b"X: a\r\n b\r\n\r\n"),
    ("obs-fold with a tab", GET + b"X: a\r\n\tb\r\n\r\n"),
    ("obs-fold over the hidden request", GET + b"X: a\r\n "),
    ("a blank before a colon", GET + b"X : a\r\n\r\n"),
    ("a blank in a name", GET + b"X Y: a\r\n\r\n"),
    ("a line without a colon", GET + b"X\r\n\r\n"),
    ("a line without a name", GET + b": a\r\n\r\n"),
    ("NUL in a value", GET + b"X: a\0b\r\n\r\n"),
    ("NUL in a name", GET + b"X\0: b\r\n\r\n"),
    ("NUL in the target", b"GET /livez\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a control character in a value", GET + b"X: \x08\r\n\r\n"),
    ("a blank before the method", b" " + GET + b"\r\n"),
    ("two blanks in the request line", b"GET  /livez HTTP/1.1\r\nHost: a\r\n\r\n"),
    # Host.
    ("no Host", b"GET /livez HTTP/1.1\r\n\r\n"),
    ("two Hosts", GET + b"Host: b\r\n\r\n"),
    ("two equal Hosts", GET + b"Host: a\r\n\r\n"),
    ("an empty Host", b"GET /livez HTTP/1.1\r\nHost: \r\n\r\n"),
    ("a Host with a port that is none", b"GET /livez HTTP/1.1\r\nHost: a:x\r\n\r\n"),
    ("absolute-form with another Host", b"GET http://b/livez HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("absolute-form without Host", b"GET http://a/livez HTTP/1.1\r\n\r\n"),
    # Bare LF and CR.
    ("bare LF everywhere", b"GET /livez HTTP/1.1\nHost: a\n\n"),
    ("bare LF behind the request line", b"GET /livez HTTP/1.1\nHost: a\r\n\r\n"),
    ("bare LF behind a field", b"GET /livez HTTP/1.1\r\nHost: a\n\r\n"),
    ("bare LF for the last line", GET + b"\n"),
    ("bare CR in a value", GET + b"X: a\rb\r\n\r\n"),
    ("CR CR LF", GET + b"X: a\r\r\n\r\n"),
    ("bare LF before the request", b"\n" + GET + b"\r\n"),
    # HTTP/0.9 and other versions.
    ("HTTP/0.9", b"GET /livez\r\n"),
    ("HTTP/0.9 said aloud", b"GET /livez HTTP/0.9\r\nHost: a\r\n\r\n"),
    ("another version", b"GET /livez HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("a version with more digits", b"GET /livez HTTP/1.11\r\nHost: a\r\n\r\n"),
    ("a TLS client", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"),
    # Forms of the target.
    ("an asterisk without OPTIONS", b"GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("authority-form without CONNECT", b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("CONNECT, and what is meant for the other end", b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 405),
    ("another scheme", b"GET gopher://a/livez HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a fragment", b"GET /livez#x HTTP/1.1\r\nHost: a\r\n\r\n"),
    # Too much.
    ("a target that is too long", b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ("a line without an end", b"x" * 40_000, 414),
    ("a field that is too long", GET + b"X: " + b"x" * 40_000 + b"\r\n\r\n", 431),
    ("a header that is too long", GET + (b"X: " + b"x" * 900 + b"\r\n") * 40 + b"\r\n", 431),
    ("too many fields", GET + b"X: y\r\n" * 200 + b"\r\n", 431),
    ("a body that is too long", PUT + length(b"999999999") + b"\r\n", 413),
]

# What is odd and good: what is sent, the statuses of all its replies. Behind each stands a write that is not hidden.
GOOD: list[tuple] = [
    ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", [204]),
    ("absolute-form", b"GET http://a/livez HTTP/1.1\r\nHost: a\r\n\r\n", [200]),
    ("two empty lines before a request", b"\r\n\r\n" + GET + b"\r\n", [200]),
    ("a Host with a port", b"GET /livez HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", [200]),
    ("chunks of one byte", CHUNKED + b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n", [200]),
    ("CHUNKED", PUT + coding(b"CHUNKED") + b"\r\n" + CHUNKS, [200]),
    ("blanks before a coding", PUT + coding(b" \t chunked") + b"\r\n" + CHUNKS, [200]),
    ("a size with zeros before it", CHUNKED + b"000d\r\n" + BODY + b"\r\n000\r\n\r\n", [200]),
    ("extensions", CHUNKED + b'd;a;b=c;d="e;\\"f"\r\n' + BODY + b"\r\n0;last\r\n\r\n", [200]),
    ("trailers that may not be there, and have no effect",
     CHUNKED + b"d\r\n" + BODY + b"\r\n0\r\nContent-Length: 500\r\nHost: b\r\nTransfer-Encoding: gzip\r\nIf-Match: \"999\"\r\nConnection: close\r\n\r\n", [200]),
    ("a body of a GET", GET + length(b"13") + b"\r\n" + BODY, [200]),
    ("many requests at once", (GET + b"\r\n") * 50, [200] * 50),
]


class Peer:
    """A socket and all that came from it."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, pieces: list[bytes]) -> None:
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(0.001 if len(pieces) < 10 else 0)
            try:
                self.socket.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                return  # refused and over before all was sent; what it said is still to be read

    def receive_to_end(self, what: str) -> bytes:
        received = b""
        try:
            while piece := self.socket.recv(65536):
                received += piece
        except TimeoutError:
            raise Wrong(f"{what}: the connection was not closed; there came {received!r}") from None
        except ConnectionResetError:
            raise Wrong(f"{what}: the connection was reset after {received!r}") from None
        finally:
            self.socket.close()
        return received


def statuses(received: bytes) -> list[int]:
    """Of all replies; none of their bodies has a status line in it."""
    return [int(status) for status in STATUS_LINE.findall(received)]


def ways(sent: bytes, chance: random.Random) -> list[list[bytes]]:
    cut = chance.randrange(1, len(sent))
    pieces = [[sent], [sent[:cut], sent[cut:]], [GET + b"\r\n" + sent]]
    if len(sent) <= BYTES_SENT_SINGLY:
        pieces.append([sent[place : place + 1] for place in range(len(sent))])
    return pieces


def attack(port: int, chance: random.Random) -> int:
    count = 0
    for what, bytes_before, *status in ATTACKS:
        expected = status[0] if status else 400
        for pieces in ways(bytes_before + HIDDEN + HIDDEN, chance):
            behind_good = pieces[0].startswith(GET + b"\r\n" + bytes_before)
            if behind_good and bytes_before.startswith((b"\r\n", b" ")) and len(pieces) > 1:
                continue
            count += 1
            peer = Peer(port)
            peer.send(pieces)
            received = peer.receive_to_end(what)
            found = statuses(received)
            if found != ([200] if behind_good else []) + [expected]:
                raise Wrong(f"{what}, in {len(pieces)} pieces: expected one {expected}, found {found}: {received[:600]!r}")
            refusal = received[list(STATUS_LINE.finditer(received))[-1].start() :]
            if b"\r\nConnection: close\r\n" not in refusal or b"application/problem+json" not in refusal:
                raise Wrong(f"{what}: the refusal does not close, or is no problem document: {refusal!r}")
    return count


def be_good(port: int) -> None:
    for number, (what, sent, expected) in enumerate(GOOD):
        behind = b"PUT /config/behind-%d HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\nConnection: close\r\n\r\n" % number + BODY
        for pieces in ([sent + behind], [(sent + behind)[place : place + 1] for place in range(len(sent + behind))]):
            peer = Peer(port)
            peer.send(pieces)
            received = peer.receive_to_end(what)
            if statuses(received) != expected + [200]:
                raise Wrong(f"{what}: expected {expected} and 200, found {statuses(received)}: {received[:1000]!r}")


def test(binary, directory) -> str:
    server = Server(binary, ["--listen", "127.0.0.1:0", "--data", f"{directory}/data"], directory)
    chance = random.Random(SEED)
    try:
        be_good(server.port)
        attacks = attack(server.port, chance)
        with Connection(server.port) as connection:
            if (history := connection.request("GET", "/config/hidden/history")).body != b"[]":
                raise Wrong(f"a hidden write took effect: {history.body[:500]!r}")
            shown = connection.request("GET", "/config/shown/history").body.count(b'"stream_version"')
            wanted = 2 * sum(b"/config/shown" in sent for _, sent, _ in GOOD)
            if shown != wanted:
                raise Wrong(f"{shown} writes took effect that stand before hidden ones or are good; {wanted} of them are good")
        ordinary_requests(server.port, 20)
        server.stop()
    finally:
        server.process.kill()
    return f"{attacks} attempts of {len(ATTACKS)} kinds were refused once each (seed {SEED}); {len(GOOD)} odd good requests were understood"


if __name__ == "__main__":
    sys.exit(run(test, __doc__))
