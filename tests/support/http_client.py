"""HTTP/1.1 over a bare socket: sends exactly the bytes it is given and takes replies apart without forgiving anything."""

import socket
from typing import NamedTuple


class ProtocolError(Exception):
    """The reply is not HTTP as it should be, or the connection ended inside it."""


class Response(NamedTuple):
    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        values = self.values(name)
        return values[0] if values else None


class Connection:
    def __init__(self, port: int, timeout: float = 30.0):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def request(self, method: str, target: str, body: bytes | None = None, fields: tuple[tuple[str, str], ...] = ()) -> Response:
        self.send(request_bytes(method, target, body, fields))
        return self.receive(method)

    def _more(self) -> bool:
        received = self._socket.recv(262144)
        self._buffer += received
        return bool(received)

    def _line(self) -> str:
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                line = bytes(self._buffer[: end + 1])
                del self._buffer[: end + 1]
                if not line.endswith(b"\r\n"):
                    raise ProtocolError(f"a line that does not end in CRLF: {line!r}")
                return line[:-2].decode("latin-1")
            if not self._more():
                raise ProtocolError(f"the connection ended inside a line, after {bytes(self._buffer)!r}")

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            if not self._more():
                raise ProtocolError(f"the connection ended {count - len(self._buffer)} bytes before the end of a body")
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def receive(self, method: str = "GET") -> Response:
        """The next reply; `method` is that of its request, since a reply to HEAD has no body."""
        version, _, rest = self._line().partition(" ")
        status, _, reason = rest.partition(" ")
        if version != "HTTP/1.1" or len(status) != 3 or not status.isdigit() or not reason:
            raise ProtocolError(f"not a status line: {version} {rest}")
        fields = []
        while line := self._line():
            name, colon, value = line.partition(":")
            if not colon or name != name.strip() or not name:
                raise ProtocolError(f"not a header line: {line!r}")
            fields.append((name, value.strip()))
        response = Response(int(status), fields, b"")
        lengths, codings = response.values("Content-Length"), response.values("Transfer-Encoding")
        if len(lengths) + len(codings) > 1:
            raise ProtocolError(f"a reply with more than one length: {fields}")
        if method == "HEAD" or response.status in (204, 304) or response.status < 200:
            return response
        if codings:
            if codings != ["chunked"]:
                raise ProtocolError(f"an unknown transfer coding: {codings}")
            return response._replace(body=self._chunks())
        if not lengths:
            raise ProtocolError(f"a reply without a length: {fields}")
        return response._replace(body=self._exactly(int(lengths[0])))

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = int(self._line(), 16)
            body += self._exactly(size)
            if self._line() != "":
                raise ProtocolError("a chunk that is longer than it says")
            if size == 0:
                return bytes(body)

    def ended(self, within: float) -> bool:
        """True when the server closes the connection in time and sends nothing before."""
        self._socket.settimeout(within)
        try:
            return not self._buffer and not self._more()
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True

    def silent(self, for_seconds: float) -> bool:
        """True when nothing comes for so long."""
        timeout = self._socket.gettimeout()
        self._socket.settimeout(for_seconds)
        try:
            return not self._buffer and not self._more()
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(timeout)


def request_bytes(method: str, target: str, body: bytes | None = None, fields: tuple[tuple[str, str], ...] = ()) -> bytes:
    """A request with the Host and Content-Length that it needs, unless the fields name them."""
    named = {name.lower() for name, _ in fields}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in named:
        lines.append("Host: localhost")
    lines += [f"{name}: {value}" for name, value in fields]
    if body is not None and "content-length" not in named and "transfer-encoding" not in named:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")
