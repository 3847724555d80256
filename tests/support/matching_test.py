#!/usr/bin/env python3
"""Proves that expectations catch what differs: a scenario that would pass whatever comes back is worth nothing."""

import sys
import unittest

sys.dont_write_bytecode = True
from matching import Mismatch, fill_in, match_json, match_text, parse_json  # noqa: E402


class Text(unittest.TestCase):
    def test_text_without_blanks_is_equal_or_differs(self):
        match_text("a.b", "a.b", {}, "here")
        for found in ("axb", "a.b ", "A.b", ""):
            with self.subTest(found), self.assertRaises(Mismatch):
                match_text("a.b", found, {}, "here")

    def test_a_blank_takes_a_value_and_keeps_it(self):
        variables = {}
        match_text('"{{version}}"', '"7"', variables, "here")
        self.assertEqual(variables, {"version": "7"})
        match_text("v{{version}}", "v7", variables, "here")
        with self.assertRaises(Mismatch):
            match_text("v{{version}}", "v8", variables, "here")

    def test_a_blank_that_is_there_twice_must_be_the_same(self):
        match_text("{{a}}-{{a}}", "x-x", {}, "here")
        with self.assertRaises(Mismatch):
            match_text("{{a}}-{{a}}", "x-y", {}, "here")

    def test_a_blank_must_match_its_expression(self):
        match_text("{{year:[0-9]{4}}}!", "2026!", {}, "here")
        match_text("{{:[0-9]+}}{{*}}", "2026!", {}, "here")
        with self.assertRaises(Mismatch):
            match_text("{{year:[0-9]{4}}}", "26", {}, "here")

    def test_a_blank_is_not_empty_and_an_expression_is_not_left_behind_by_a_mismatch(self):
        variables = {}
        with self.assertRaises(Mismatch):
            match_text("x{{a}}", "x", variables, "here")
        self.assertEqual(variables, {})

    def test_what_is_sent_needs_every_value(self):
        self.assertEqual(fill_in("{{a}}{{xy*3}}", {"a": "1"}), "1xyxyxy")
        with self.assertRaises(Mismatch):
            fill_in("{{b}}", {"a": "1"})


class Json(unittest.TestCase):
    def differs(self, expected, found):
        with self.assertRaises(Mismatch):
            match_json(expected, found, {}, "here")

    def test_equal_values_match_whatever_the_order_of_members(self):
        match_json({"a": [1, None, "x"], "b": True}, {"b": True, "a": [1, None, "x"]}, {}, "here")

    def test_every_difference_is_found(self):
        for expected, found in (({"a": 1}, {}), ({}, {"a": 1}), ({"a": 1}, {"a": 2}), ({"a": 1}, {"a": "1"}), ({"a": 1}, {"a": True}), (1, 1.0),
                                ([1], [1, 2]), ([1, 2], [1]), ([1, 2], [2, 1]), (None, False), ("", None)):
            with self.subTest(f"{expected} {found}"):
                self.differs(expected, found)

    def test_open_objects_and_arrays_allow_more_but_not_less(self):
        match_json({"a": 1, "...": "..."}, {"a": 1, "b": 2}, {}, "here")
        self.differs({"a": 1, "...": "..."}, {"b": 2})
        match_json([1, "..."], [1, 2, 3], {}, "here")
        self.differs([1, "..."], [])

    def test_blanks_work_inside(self):
        variables = {}
        match_json({"id": "{{id}}", "x": "{{*}}"}, {"id": "7", "x": {"any": []}}, variables, "here")
        self.assertEqual(variables, {"id": "7"})
        with self.assertRaises(Mismatch):
            match_json(["{{id}}"], ["8"], variables, "here")

    def test_only_strict_json_is_json(self):
        for text in ('{"a":1,"a":1}', "NaN", "[1,]", "", "{} {}"):
            with self.subTest(text), self.assertRaises(Mismatch):
                parse_json(text, "here")


if __name__ == "__main__":
    unittest.main()
