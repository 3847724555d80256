#!/usr/bin/env python3
"""What ./dev does to a machine that lacks packages, with programs in the place of those that would change it: each writes down how it
was called; and what it says when tests fail."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
DEV = pathlib.Path(__file__).resolve().parent.parent / "dev"
TOLD = "/etc/postgresql-common/createcluster.d/annals.conf"


class Installing(unittest.TestCase):
    def calls(self, **codes: int) -> tuple[int, list[str]]:
        """The exit code of `./dev test` where no package is there, and the calls with what was written; `codes` are what programs exit with."""
        exits = {"dpkg-query": 1, "sudo": 0, "apt-get": 0, "mkdir": 0, "tee": 0, "rm": 0, "grep": 1, "cmake": 1} | {
            name.replace("_", "-"): code for name, code in codes.items()}
        with tempfile.TemporaryDirectory() as directory:
            calls = pathlib.Path(directory) / "calls"
            for name, code in exits.items():
                program = pathlib.Path(directory) / name
                lines = {"sudo": 'exec "$@"', "tee": f"cat >>{calls}", "apt-get": '[ "$2" = update ] && exit 0'}.get(name, ":")
                program.write_text(f'#!/bin/sh\necho "{name} $*" >>{calls}\n{lines}\nexit {code}\n')
                program.chmod(0o755)
            environment = os.environ | {"PATH": f"{directory}:{os.environ['PATH']}", "TMPDIR": directory}
            ran = subprocess.run([DEV, "test"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            wanted = ("apt-get", "mkdir", "tee", "create_main_cluster", f"rm -f {TOLD}")
            return ran.returncode, [line for line in calls.read_text().splitlines() if line.startswith(wanted)]

    def assert_installs(self, call: str) -> None:
        self.assertRegex(call, r"^apt-get .*--no-install-recommends install .*\bpostgresql-15\b")

    def test_debians_own_cluster_is_not_made_while_postgresql_is_installed(self):
        _, (update, mkdir, tee, told, install, removed) = self.calls()
        self.assertEqual(update, "apt-get -q update")
        self.assertEqual(mkdir, f"mkdir -p {os.path.dirname(TOLD)}")
        self.assertEqual((tee, told), (f"tee {TOLD}", "create_main_cluster = false"))
        self.assert_installs(install)
        self.assertEqual(removed, f"rm -f {TOLD}")

    def test_what_the_machine_says_of_it_stays_as_it_is(self):
        _, (_, install) = self.calls(grep=0)
        self.assert_installs(install)

    def test_an_installation_that_fails_leaves_nothing_behind_and_ends_the_command(self):
        code, (*_, install, removed) = self.calls(apt_get=100)
        self.assert_installs(install)
        self.assertEqual((code, removed), (100, f"rm -f {TOLD}"))


class TestsThatFail(unittest.TestCase):
    def ran(self, tests: dict[str, str]) -> tuple[int, str]:
        """The exit code of `./dev test` and what it prints, where these are the tests: shell commands by their names. ctest is the real one."""
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            for folder in ("bin", "tools", "build/release"):
                (directory / folder).mkdir(parents=True)
            shutil.copy(DEV, directory / "dev")
            (directory / "tools/packages.txt").touch()
            (directory / "bin/cmake").write_text("#!/bin/sh\n")
            (directory / "bin/cmake").chmod(0o755)
            lines = []
            for test, command in tests.items():
                (directory / f"{test}.sh").write_text(command)
                lines.append(f'add_test({test} "/bin/sh" "{directory}/{test}.sh")\n')
            (directory / "build/release/CTestTestfile.cmake").write_text("".join(lines))
            environment = os.environ | {"PATH": f"{directory}/bin:{os.environ['PATH']}"}
            ran = subprocess.run([directory / "dev", "test"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, check=False)
            return ran.returncode, ran.stdout

    def test_what_they_said_is_told_again_before_the_summary_which_comes_last(self):
        code, said = self.ran({"good": "echo good_one", "bad": "echo bad_one; exit 1",
                               "long": "for line in $(seq 1000); do echo number $line; done; exit 1"})
        self.assertNotEqual(code, 0)
        first, *told = said.split("\n--- what ")
        self.assertIn("The following tests FAILED:", first)
        self.assertCountEqual([one.split(" said, which failed\n")[0] for one in told], ["bad", "long"])
        self.assertNotIn("good_one", "".join(told))
        bad, long = sorted(told)
        self.assertIn("\nbad_one\n", bad)
        self.assertIn("\nnumber 1\n", long)
        self.assertIn("lines are left out", long)
        self.assertIn("\nnumber 1000\n", long)
        self.assertLess(long.count("\n"), 200 + 12)
        self.assertNotIn("[ERROR_MESSAGE]", said)
        summary = r"\n33% tests passed, 2 tests failed out of 3\n\nTotal Test time \(real\) = .*\n\nThe following tests FAILED:\n.*bad \(Failed\)\n" \
                  r".*long \(Failed\)\nErrors while running CTest\n+$"
        self.assertRegex(told[-1], summary)

    def test_where_none_failed_nothing_is_told_again(self):
        code, said = self.ran({"good": "echo good_one"})
        self.assertEqual(code, 0)
        self.assertNotIn("--- what", said)
        self.assertEqual(said.count("100% tests passed"), 1)

    def test_where_there_are_none_it_fails_and_says_so(self):
        code, said = self.ran({})
        self.assertNotEqual(code, 0)
        self.assertNotIn("--- what", said)
        self.assertIn("No tests were found", said)


if __name__ == "__main__":
    unittest.main()
