#!/usr/bin/env python3
"""Proves of each rule of tools/tidy that it catches what it is there for, and lets through what it should: every test lays out
a tiny tree and says what must be found in it."""

import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
_path = pathlib.Path(__file__).resolve().parent / "tidy"
_loader = importlib.machinery.SourceFileLoader("tidy", str(_path))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", _loader))
sys.modules["tidy"] = tidy
_loader.exec_module(tidy)

HEADER = "#pragma once\n// What it is.\n"


class Rules(unittest.TestCase):
    def findings(self, files: dict[str, str], layers: str = "base\nplatform\nlog\nhttp\nserver\n") -> list[tuple[str, str, int]]:
        """Rule, file and line of what is found in a tree of these files."""
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "src").mkdir()
            (root / "src" / "LAYERS").write_text("# The order.\n" + layers)
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return [(finding.rule, finding.path, finding.line) for finding in tidy.check(root)]

    def found(self, rule: str, files: dict[str, str], line: int = 1, **keywords) -> None:
        """Exactly one finding, by this rule, in the first file at this line."""
        self.assertEqual(self.findings(files, **keywords), [(rule, next(iter(files)), line)])

    def clean(self, files: dict[str, str], **keywords) -> None:
        self.assertEqual(self.findings(files, **keywords), [])

    def test_a_folder_may_not_include_one_below_it(self):
        self.found("layers", {"src/base/a.cpp": '#include "log/log.hpp"\n', "src/log/log.hpp": HEADER})

    def test_a_folder_may_include_itself_and_those_above_it(self):
        self.clean({"src/log/a.cpp": '#include "base/b.hpp"\n#include "log/c.hpp"\n', "src/base/b.hpp": HEADER, "src/log/c.hpp": HEADER})

    def test_new_has_no_try_among_its_arguments(self):
        for text in ("auto* a = new A(TRY(b()));\n",
                     "return std::unique_ptr<A>(new A{1, TRY(b()), 2});\n",
                     "a.reset(new (place) log::A<int, B>(std::move(c), d(TRY(b()))));\n",
                     "a.reset(new A(f(1),\n              TRY_PARSE(b())));\n"):
            with self.subTest(text):
                self.found("try_in_new", {"src/log/a.cpp": text})
        self.found("try_in_new", {"src/log/a.hpp": HEADER + "auto a() { return new A(TRY(b())); }\n"}, line=3)

    def test_a_try_beside_a_new_expression_is_let_through(self):
        for text in ("auto b = TRY(c());\nauto* a = new A(std::move(b));\n",
                     "f(new A(1), TRY(b()));\n",
                     "auto a = std::make_unique<A>(TRY(b()));\n",
                     "auto* a = new A([&](int c) -> Result<> { TRY(b(c)); return {}; });\n",
                     "// new A(TRY(b()))\n",
                     "const bool is_new = TRY(b());\nRETRY(new A(c));\n"):
            with self.subTest(text):
                self.clean({"src/log/a.cpp": text})

    def test_a_commented_out_include_is_none(self):
        self.clean({"src/base/a.cpp": '// #include "log/log.hpp"\n', "src/log/log.hpp": HEADER})

    def test_a_folder_that_is_not_in_the_list_is_found(self):
        self.assertEqual(self.findings({"src/attic/a.cpp": "int a;\n"}), [("layers_complete", "src/attic", 1)])

    def test_a_folder_that_is_in_the_list_twice_is_found(self):
        self.assertEqual(self.findings({}, layers="base\nlog\nbase\n"), [("layers_complete", "src/LAYERS", 1)])

    def test_a_target_may_not_use_a_folder_below_it(self):
        self.found("targets", {"src/base/CMakeLists.txt": "annals_folder(base USES log)\n"})
        self.clean({"src/log/CMakeLists.txt": "annals_folder(log USES base platform LIBRARIES Some::thing)\n"})

    def test_a_target_has_the_name_of_its_folder(self):
        self.found("targets", {"src/base/CMakeLists.txt": "# Words.\nannals_folder(bass)\n"}, line=2)

    def test_a_room_may_not_be_included_from_another_folder(self):
        self.found("rooms", {"src/http/a.cpp": '#include "log/segment/scan.hpp"\n', "src/log/segment/scan.hpp": HEADER})

    def test_a_room_may_be_included_from_its_own_folder(self):
        self.clean({"src/log/a.cpp": '#include "log/segment/scan.hpp"\n', "src/log/segment/scan.hpp": HEADER})

    def test_only_platform_touches_the_operating_system(self):
        for line in ("std::thread t(f);", "std::jthread t(f);", "auto f = std::async(g);", "pthread_create(&t, 0, f, 0);",
                     "std::this_thread::sleep_for(1s);", "usleep(1);", "nanosleep(&t, 0);",
                     "auto t = std::chrono::system_clock::now();", "auto t = Clock::steady_clock::now();", "clock_gettime(0, &t);",
                     "auto t = time(nullptr);", "auto t = std::time(nullptr);",
                     "std::ofstream out;", "std::ifstream in;", "auto* f = fopen(name, mode);", "int f = ::open(name, 0);",
                     "std::filesystem::remove(p);", "toml::parse_file(p);",
                     "std::random_device d;", "int i = rand();", "RAND_bytes(b, 1);", "auto* v = getenv(name);", "auto* v = std::getenv(name);"):
            with self.subTest(line):
                self.found("platform", {"src/log/a.cpp": f"// Why.\n{line}\n"}, line=2)
                self.clean({"src/platform/a.cpp": f"// Why.\n{line}\n"})

    def test_words_like_those_of_the_operating_system_are_let_through(self):
        for line in ("// system_clock::now() is for platform", 'say("std::thread");', "auto t = clock.time(0);", "std::thread::id id;",
                     "auto r = Server::open(o);", "auto f = files.open(p);", "auto operand(int);", "start_time(nullptr);",
                     "const auto million = 1'000'000; std::string s = \"std::thread\";", 'auto r = R"x(std::jthread " )x";'):
            with self.subTest(line):
                self.clean({"src/log/a.cpp": line + "\n"})

    def test_http_makes_threads_for_its_sockets_but_asks_no_time(self):
        self.clean({"src/http/a.cpp": "std::thread t(f);\n"})
        self.found("platform", {"src/http/a.cpp": "auto t = std::chrono::steady_clock::now();\n"})

    def test_the_server_reads_the_environment(self):
        self.clean({"src/server/a.cpp": "auto* v = std::getenv(name);\n"})

    def test_a_unit_test_may_make_threads(self):
        self.clean({"src/log/a_test.cpp": "std::thread t(f);\n", "src/log/test_world.cpp": "std::thread t(f);\n"})

    def test_asio_is_for_sockets_alone(self):
        self.found("libraries", {"src/log/a.cpp": "#include <boost/asio/post.hpp>\n"})
        self.clean({"src/http/a.cpp": "#include <boost/asio/post.hpp>\n"})

    def test_test_libraries_are_for_tests_alone(self):
        self.found("libraries", {"src/log/a.cpp": "#include <gtest/gtest.h>\n"})
        self.clean({"src/log/a_test.cpp": "#include <gtest/gtest.h>\n"})

    def test_an_include_is_a_path_from_src(self):
        self.found("includes", {"src/log/a.cpp": '#include "b.hpp"\n', "src/log/b.hpp": HEADER})

    def test_a_files_own_header_comes_first(self):
        self.found("includes", {"src/log/a.cpp": '#include <string>\n#include "log/a.hpp"\n', "src/log/a.hpp": HEADER})
        self.clean({"src/log/a.cpp": '#include "log/a.hpp"\n#include <string>\n#include "base/b.hpp"\n', "src/log/a.hpp": HEADER, "src/base/b.hpp": HEADER})

    def test_what_comes_from_outside_stands_before_ours(self):
        self.found("includes", {"src/log/a.cpp": '#include <vector>\n#include "base/b.hpp"\n#include <string>\n', "src/base/b.hpp": HEADER}, line=3)

    def test_using_namespace_is_found(self):
        self.found("using_namespace", {"src/log/a.cpp": "using namespace std;\n"})
        self.found("using_namespace", {"src/log/a.cpp": "using namespace std::chrono_literals;\n"})
        self.found("using_namespace", {"src/log/a.cpp": "void f() {\n  using namespace std;\n}\n"}, line=2)

        self.found("using_namespace", {"src/log/a.hpp": HEADER + "using namespace std::chrono;\n"}, line=3)

    def test_times_and_literals_may_be_used_inside_a_function(self):
        self.clean({"src/log/a.cpp": "void f() {\n  using namespace std::chrono_literals;\n}\n"})
        self.clean({"src/log/a.cpp": "void f() {\n  using namespace std::chrono;\n}\n"})

    def test_tables_of_texts_have_a_hash_that_nobody_knows(self):
        self.found("text_hash", {"src/log/a.cpp": "std::unordered_map<std::string, int> counts;\n"})
        self.found("text_hash", {"src/log/a.cpp": "int a;\nstd::unordered_set<std::string_view> names;\n"}, line=2)
        self.clean({"src/log/a.cpp": "TextMap<std::string, int> counts;\nstd::unordered_map<int, std::string> names;\n"})

    def test_a_header_begins_with_pragma_once(self):
        self.found("pragma_once", {"src/log/a.hpp": "// What it is.\n// More.\n#pragma once\n"})

    def test_a_header_says_what_it_is(self):
        self.found("header_opens", {"src/log/a.hpp": "#pragma once\n#include <string>\n"}, line=2)

    def test_a_test_is_named_by_its_rule(self):
        self.found("test_names", {"src/log/a_test.cpp": "TEST(Log, AppendWorks) {}\n"})
        self.found("test_names", {"src/log/a_test.cpp": "TEST_F(Log, append) {}\n"})
        self.clean({"src/log/a_test.cpp": "TEST(Log, an_append_is_read_back) {}\n"})

    def test_a_test_lives_in_a_test_file(self):
        self.found("test_names", {"src/log/a.cpp": "TEST(Log, an_append_is_read_back) {}\n"})

    def test_a_test_that_is_switched_off_is_found(self):
        self.found("test_names", {"src/log/a_test.cpp": "void f() { GTEST_SKIP(); }\n"})

    def test_a_long_file_is_found(self):
        self.found("length", {"src/log/a.cpp": "int a;\n" * (tidy.LINES_MAX + 1)}, line=tidy.LINES_MAX + 1)
        self.clean({"src/log/a.cpp": "int a;\n" * tidy.LINES_MAX})

    def test_the_ratchet_for_a_long_file_only_goes_down(self):
        tidy.LONGER_FILES["src/log/a.cpp"] = 800
        try:
            self.clean({"src/log/a.cpp": "int a;\n" * 800})
            self.found("length", {"src/log/a.cpp": "int a;\n" * 801}, line=801)
            self.found("length", {"src/log/a.cpp": "int a;\n" * 790})
        finally:
            tidy.LONGER_FILES.clear()

    def test_unfinished_work_is_found(self):
        for word in ("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK"):
            with self.subTest(word):
                self.found("unfinished", {"docs/page.md": f"Text.\n{word}: more.\n"}, line=2)

    def test_names_are_in_snake_case(self):
        self.found("names", {"src/log/segmentScan.cpp": "int a;\n"})
        self.found("names", {"src/log/segment-scan.cpp": "int a;\n"})
        self.found("names", {"docs/Formats/log.md": "Text.\n"})
        self.clean({"src/log/FORMAT.md": "Text.\n", "cmake/Dependencies.cmake": "\n", "src/log/CMakeLists.txt": "annals_folder(log)\n", "README.md": "Text.\n"})


if __name__ == "__main__":
    unittest.main()
