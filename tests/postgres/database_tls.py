#!/usr/bin/env python3
"""The connection to the database is encrypted, and goes to nobody but the database that was meant: certificates made by the openssl
command line, a private PostgreSQL that takes nobody over the network without TLS.

usage: tests/postgres/database_tls.py ANNALS

With sslmode=verify-full and the right authority every connection of a server is encrypted. Another authority, another host name, no
encryption, and encryption of a database that has none are refused before anything is asked: one line, exit code 2.
"""

import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from http_client import Connection  # noqa: E402
from played import Wrong, played  # noqa: E402
from postgres import PostgresServer  # noqa: E402
from server import Server, clean_environment  # noqa: E402


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """Signs certificates."""

    def __init__(self, directory: pathlib.Path, name: str):
        self.directory = directory
        self.certificate, self.key = directory / f"{name}.pem", directory / f"{name}.key"
        openssl("req", "-x509", *NEW_KEY, "-days", "2", "-subj", f"/CN={name}", "-out", self.certificate, "-keyout", self.key)

    def sign(self, address: str) -> tuple[str, str]:
        """The certificate and the key of a server at an IP address."""
        request, key, certificate, extensions = (self.directory / f"server.{ending}" for ending in ("csr", "key", "pem", "cnf"))
        extensions.write_text(f"subjectAltName=IP:{address}\n")
        openssl("req", "-new", *NEW_KEY, "-subj", "/CN=database", "-out", request, "-keyout", key)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-set_serial", "1", "-days", "2", "-extfile", extensions,
                "-out", certificate)
        return certificate.read_text(), key.read_text()


def start_database(authority: Authority) -> PostgresServer:
    certificate, key = authority.sign("127.0.0.1")

    def prepare(database: PostgresServer) -> None:
        database.own(database.data / "server.crt", certificate)
        database.own(database.data / "server.key", key)
        database.own(database.data / "pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.1/32 trust\n")

    return PostgresServer(settings={"ssl": "on"}, prepare=prepare)


def check_served(binary: str, directory: pathlib.Path, database: PostgresServer, url: str) -> None:
    server = Server(binary, ["--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", url, "--init"], directory)
    with Connection(server.port, timeout=60) as connection:
        for method, target, body in (("PUT", "/config/color", b'{"value":"red"}'), ("GET", "/config/color", None), ("GET", "/config/color/history", None),
                                     ("GET", "/health", None)):
            reply = connection.request(method, target, body, (("Content-Type", "application/json"),) if body else ())
            if reply.status != 200:
                raise Wrong(f"{method} {target} got {reply.status}: {reply.body!r}")
    encrypted = database.psql("SELECT count(*), bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'annals'").strip()
    count, _, all_are = encrypted.partition("|")
    if int(count) < 3 or all_are != "t":
        raise Wrong(f"of the server's {count} connections not all are encrypted")
    server.stop()


def check_refused(binary: str, directory: pathlib.Path, url: str, expected: str) -> None:
    arguments = ["serve", "--listen", "127.0.0.1:0", "--store", "postgres", "--database-url", url, "--data", "refused"]
    ran = subprocess.run([binary, *arguments], cwd=directory, env=clean_environment({}), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=60, check=False)
    lines = ran.stderr.splitlines()
    if ran.returncode != 2 or len(lines) != 1 or not lines[0].startswith("annals: ") or "\t" in lines[0] or expected not in lines[0]:
        raise Wrong(f"{url}: expected exit 2 and one line with {expected!r}, found {ran.returncode} and\n{ran.stderr}")


def play(binary: str, directory: pathlib.Path) -> str:
    right, other = Authority(directory, "right"), Authority(directory, "other")
    with start_database(right) as database:
        by_address = f"postgres://{database.user}@127.0.0.1:{database.port}/postgres"
        by_name = f"postgres://{database.user}@localhost:{database.port}/postgres"
        trusted, verified = f"sslrootcert={right.certificate}", "sslmode=verify-full"
        check_served(binary, directory, database, f"{by_address}?{verified}&{trusted}")
        refusals = [
            (f"{by_address}?{verified}&sslrootcert={other.certificate}", "certificate verify failed"),
            (f"{by_name}?{verified}&{trusted}", 'does not match host name "localhost"'),
            (f"{by_address}?{verified}&sslrootcert={directory}/none.pem", "root certificate file"),
            (f"{by_address}?sslmode=disable", "no encryption"),
        ]
        for url, expected in refusals:
            check_refused(binary, directory, url, expected)
        database.stop()
        database.settings["ssl"] = "off"
        database.start()
        check_refused(binary, directory, f"{by_address}?{verified}&{trusted}", "server does not support SSL, but SSL was required")
        return f"a server over TLS served, and {len(refusals) + 1} that could not trust the database were refused"


if __name__ == "__main__":
    sys.exit(played(play, __doc__))
