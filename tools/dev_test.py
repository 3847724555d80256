#!/usr/bin/env python3
"""What ./dev does to a machine that lacks packages, with programs in the place of those that would change it: each writes down how it
was called."""

import os
import pathlib
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


if __name__ == "__main__":
    unittest.main()
