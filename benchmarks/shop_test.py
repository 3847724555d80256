#!/usr/bin/env python3
"""Runs the checks of `./dev bench --app shop` against servers that are honest, and against some that are not."""

import contextlib
import decimal
import http.server
import io
import json
import threading
import types
import unittest
import urllib.parse

import shop
from servers import Failure

RECORDS = 12_345


def record_of(number):
    hundredths = shop.PRICE_MIN + shop.price_of(number)
    return {"id": f"id-{number}", "sku": f"SKU-{number:08d}", "name": "n", "price": shop.price_text(hundredths),
            "stock": shop.STOCK_MIN + number % shop.STOCKS}


class Shop:
    """An honest one: looks at all records for each list. A subclass changes one answer."""

    unique = True
    audited = True

    def __init__(self):
        self.records = [record_of(number) for number in range(RECORDS)]

    def total(self):
        return len(self.records)

    def page(self, rows):
        return rows

    def list(self, query):
        parameters = dict(urllib.parse.parse_qsl(query))
        rows = self.records
        if "price[gte]" in parameters:
            least = decimal.Decimal(parameters["price[gte]"])
            rows = [one for one in rows if decimal.Decimal(one["price"]) >= least]
        if "stock[gte]" in parameters:
            rows = [one for one in rows if one["stock"] >= int(parameters["stock[gte]"])]
        if "stock" in parameters:
            rows = [one for one in rows if one["stock"] == int(parameters["stock"])]
        if "sort" in parameters:
            rows = sorted(rows, key=lambda one: decimal.Decimal(one["price"]), reverse=parameters["sort"].startswith("-"))
        return {"data": self.page(rows[:int(parameters["limit"])]), "next": None, "total": self.total(), "explain": {"way": "index"}}

    def post(self, record):
        if "name" not in record:
            return 422, {"code": "invalid_record", "errors": [{"pointer": f"/{name}"} for name in ("sku", "price", "stock", "name")]}
        return (409, {"code": "not_unique"}) if self.unique else (201, record)

    def audit(self, key):
        number = int(key.removeprefix("id-"))
        return [{"action": "create", "new_values": self.records[number]}] if self.audited else []


@contextlib.contextmanager
def serving(kept):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, body):
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Annals-Durability", "local")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self):
            path, _, query = self.path.partition("?")
            self.answer(200, kept.audit(path.split("/")[3]) if path.endswith("/audit") else kept.list(query))

        def do_POST(self):
            self.answer(*kept.post(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield types.SimpleNamespace(port=server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Checks(unittest.TestCase):
    def refused(self, kept, check, *arguments):
        with serving(kept) as server, contextlib.redirect_stderr(io.StringIO()), self.assertRaises(Failure) as raised:
            check(server, *arguments)
        return str(raised.exception)

    def test_an_honest_server_passes(self):
        with serving(Shop()) as server, contextlib.redirect_stderr(io.StringIO()):
            self.assertGreater(shop.check_pages(server, RECORDS), shop.LISTED * 50)
            self.assertEqual(shop.check_rules(server), "local")
            shop.expect_total(server, RECORDS)

    def test_a_page_in_another_order_or_with_a_gap_is_found_out(self):
        class Disordered(Shop):
            def page(self, rows):
                return rows[:5] + rows[6:7] + rows[5:6] + rows[7:]

        class Leaving(Shop):
            def page(self, rows):
                return rows[:-1]

        self.assertIn("were expected", self.refused(Disordered(), shop.check_pages, RECORDS))
        self.assertIn("were expected", self.refused(Leaving(), shop.check_pages, RECORDS))

    def test_records_that_are_missing_are_found_out(self):
        class Forgetful(Shop):
            def total(self):
                return super().total() - 1

        self.assertIn("acknowledged", self.refused(Forgetful(), shop.expect_total, RECORDS))

    def test_a_server_that_does_less_than_is_said_of_it_is_found_out(self):
        class Lax(Shop):
            def post(self, record):
                return 422, {"errors": [{"pointer": "/name"}]}

        kept = Shop()
        kept.unique = False
        self.assertIn("unique", self.refused(kept, shop.check_rules))
        kept = Shop()
        kept.audited = False
        self.assertIn("audit", self.refused(kept, shop.check_rules))
        self.assertIn("rules", self.refused(Lax(), shop.check_rules))

    def test_the_steps_of_a_post_are_summed_without_their_parts(self):
        stages = [{"stage": stage, "kind": kind, "nanoseconds": 2000.0, "least": 1000.0}
                  for stage, kind in (("read", "step"), ("append", "step"), ("encode", "part"), ("GET", "aside"))]
        rows = shop.stages_table({"stages": stages})
        self.assertEqual([row[0] for row in rows[2:]], ["read", "append", "- of that: encode", "all steps together", "GET"])
        self.assertEqual(rows[5][1:], ["4,000", "2,000"])


if __name__ == "__main__":
    unittest.main()
