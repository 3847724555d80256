#!/usr/bin/env python3
"""The address of a database, password and all, in every wrong place of the command line, the environment and the file:
no word of the password is ever shown. Usage: password_clients.py ANNALS

With ANNALS_PASSWORD_STRIDE=N only each N-th place is tried, others in each run: a program under a sanitizer takes minutes to be
started a thousand times."""

import itertools
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

SECRET = "hunter2secret"
# Nobody listens at port 1; what is not escaped is a slip that happens.
GIVEN = [
    "postgres://u:hunter2secret@127.0.0.1:1/x",
    "postgres://u:hunter2@hunter2secret@127.0.0.1:1/x",
    "host=127.0.0.1 port=1 password=hunter2secret",
]
# The same with a slip where it is told from a name.
MISWRITTEN = [
    "postgres//u:hunter2secret@h/db",
    "postgres:/u:hunter2secret@h/db",
    "postgresql//u:hunter2secret@h/db",
    "postgres:u:hunter2secret@h",
    "postgres;//u:hunter2secret@h/db",
    "POSTGRES://u:hunter2secret@h/db",
    "POSTGRES//u:hunter2 secret@h/db",
    "Ecto:/u:hunter2/secret@h/db",
    "postgres//u:hunter2@hunter2secret@h/db",
    "postgres//u:hunter2secret",
    "//u:hunter2secret@h/db",
    "u:hunter2secret@h/db",
    "u:hunter2://secret@h/db",
    "postgres://u@h/db?pasword=hunter2secret",
    "postgres//u@h/db?pass word=hunter2secret",
]
# Lines of a configuration in which somebody slipped: the key is misspelt, stands in a table that is not its own, or what is
# behind it is not TOML.
SLIPS = [
    'pasword = "hunter2secret"',
    'store.pasword = "hunter2secret"',
    '"pass word" = "hunter2secret"',
    'databse_url = "postgres://u:hunter2@hunter2secret@h/db"',
    'username = "u:hunter2secret"',
    '[model.a]\npath = "postgres//u:hunter2secret@h/db"\nprofile = "none"',
    '[model.a]\npath = "/a"\nprofile = "u:hunter2secret@h"',
    'include = "postgres//u:hunter2secret@h/db"',
    'pin = 4711 # hunter2secret',
    'store = { pasword = "hunter2secret", lisen = "x" }',
    'lisen = "x" # "hunter2secret"',
    '[server]\npassword = "hunter2secret"',
    '[store]\npasword = """\nhunter2secret"""',
    "[store]\npassword = '''\nhunter2secret",
    '[store]\npassword = hunter2secret',
    '[store]\npassword = "hunter2secret',
    '[store]\npassword = "hunter2"secret',
    '[store]\npassword: hunter2secret',
    '[store]\npassword hunter2secret',
    '[store]\npassword = "x"\npassword = "hunter2secret"',
    '[store]\npassword = ["hunter2secret"]',
    '[store] password = "hunter2secret"',
    '[store]\ndatabase_url = postgres://u:hunter2secret@h/db',
    '[secrets]\nkeyfile = "k1 hunter2secret"',
    '[model.a]\npath = "/a"\nprofile = "kv"\npassword = "hunter2secret"',
    '[model.a]\npath = "/a"\n[model.a.fields]\nid = "hunter2secret"',
    '[model.a]\npath = "/a"\n[model.a.fields]\nid = { type = "uuid", primary_key = true, pasword = "hunter2secret" }',
    '[model.a]\npath = "/a"\n[model.a.fields]\npin = { type = "string", secret = true, default = "hunter2secret" }',
]


def words(help_text, heading):
    """What stands first in the lines under a heading of a page of help."""
    part = help_text.split(heading + ":", 1)
    return re.findall(r"^  (\S+)", part[1], re.M) if len(part) == 2 else []


class Program:
    def __init__(self, annals, folder):
        self.annals, self.folder, self.runs = annals, folder, 0
        self.stride = max(int(os.environ.get("ANNALS_PASSWORD_STRIDE", "1")), 1)
        self.turn = random.randrange(self.stride)

    def help(self, *command):
        return subprocess.run([self.annals, *command, "--help"], capture_output=True, text=True, check=True).stdout

    def run_sampled(self, *arguments, **expected):
        self.turn += 1
        if self.turn % self.stride == 0:
            self.run(*arguments, **expected)

    def run(self, arguments, environment=None, codes=(1, 2)):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANNALS_", "PG", "DATABASE_URL"))}
        done = subprocess.run([self.annals, *arguments], cwd=self.folder, env={**kept, **(environment or {})},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.runs += 1
        said = done.stdout + done.stderr
        if "hunter2" in said:
            sys.exit(f"annals {arguments} {environment or ''} showed the password:\n{said}")
        if done.returncode not in codes:
            sys.exit(f"annals {arguments} {environment or ''} ended with {done.returncode}:\n{said}")
        left = [name for name in os.listdir(self.folder) if "hunter2" in name]
        if left:
            sys.exit(f"annals {arguments} made {left}")
        return said


def miswritten(program, settings, given, number):
    """Whatever takes the name of a store, of a file or of what belongs to a database takes no such address for one. Each place
    gets a quarter of them, and each of them a quarter of the places: how they are told from names is in one place."""
    turn = itertools.count(number)

    def run(*arguments, **expected):
        if next(turn) % 4 == 0:
            program.run_sampled(*arguments, **expected)

    for command in (["settings"], ["verify"], ["events"], ["check"], ["serve"], ["export"], ["import", "none.jsonl"],
                    ["plan"], ["store", "create"], ["store", "init"], ["store", "drop", "--yes"]):
        run([*command, "--data", given])
        # A password that is no part of an address is known to be one only by its place.
        if command != ["settings"] and command != ["check"]:
            run([*command, "--data", "none", "--database-url", given])
    said = program.run(["settings", "--database-url", given], codes=(0,))
    assert "****" in said, said
    for flag in ("--database", "--database-hostname", "--database-username", "--database-schema", "--listen", "--store",
                 "--event-type-prefix", "--secrets-key-file", "--tls-certificate", "--config"):
        for command in ("check", "settings"):
            run([command, flag, given], codes=(0, 1, 2))
        run(["serve", "--listen", "nowhere", flag, given])
    run([given])
    run(["serve", given])
    run(["import", given])
    run(["events", "--url", given])
    run(["migrate", "--from", given, "--to", "copy"])
    run(["migrate", "--from", "none", "--to", given])
    run(["migrate", "--from", given, "--to", given])
    for variable in ("DATABASE_URL", "ANNALS_STORE_DATABASE_URL", "ANNALS_STORE_DIRECTORY"):
        run(["serve", "--listen", "127.0.0.1:0"], {variable: given})
        for command in ("settings", "check"):
            run([command], {variable: given}, codes=(0, 1, 2))
    for key in (variable.removeprefix("ANNALS_STORE_").lower() for variable in settings if "_STORE_" in variable):
        pathlib.Path(program.folder, "given.toml").write_text(f'[store]\n{key} = "{given}"\n')
        for command in ("check", "settings"):
            run([command, "--config", "given.toml"], codes=(0, 1, 2))
        run(["serve", "--config", "given.toml", "--listen", "nowhere"])


def paths(program):
    """What is written as a path is one, whatever is in it."""
    for name in ("./a:b@c", "../" + pathlib.Path(program.folder).name + "/postgres:x@y", program.folder + "/d:e@f"):
        program.run(["store", "init", "--data", name], codes=(0,))
        assert os.path.isdir(os.path.join(program.folder, name)), os.listdir(program.folder)
        program.run(["verify", "--data", name], codes=(0,))
        program.run(["check", "--data", name], codes=(0,))
        program.run(["events", "--data", name], codes=(0,))
        program.run(["migrate", "--from", name, "--to", name + "-copy"], codes=(0,))
        said = program.run(["verify", "--data", name.rsplit("/", 1)[1]])
        assert ":****@" in said and "begins with /, ./ or ../" in said, said
        program.run(["store", "drop", "--yes", "--data", name], codes=(0,))


def main():
    annals = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        program = Program(annals, folder)
        commands = words(program.help(), "Subcommands")
        assert len(commands) > 8, commands
        settings = re.findall(r"Environment: (ANNALS_\w+)\.", re.sub(r"\s+", " ", program.help("serve")))
        assert len(settings) > 30, settings
        tried = set()  # flags that several commands have are of one kind
        for given in GIVEN:
            program.run_sampled([given])
            program.run_sampled([given, "serve"])
            program.run_sampled(["--" + given])
            for command in commands:
                program.run_sampled([command, given])
                program.run_sampled([command, "init", given])
                program.run_sampled([command, given, given])
                program.run_sampled([command, "--" + given])
                if given != GIVEN[0]:
                    continue
                for flag in sorted(set(re.findall(r"--[a-z][a-z-]*", program.help(command))) - {"--help"} - tried):
                    tried.add(flag)
                    program.run_sampled([command, flag, given, "--no-such-flag"])
                    program.run_sampled([command, flag + "=" + given, "behind"])
            # What is taken as it is meant, or is found to be wrong later.
            for command in (["store", "init"], ["events"], ["export"], ["plan"], ["import", "none.jsonl"]):
                program.run_sampled([*command, "--database-url", given])
            for flag in ("--config", "--listen", "--data", "--store", "--node-id", "--tls-certificate", "--event-type-prefix",
                         "--database", "--database-hostname", "--database-username", "--database-schema", "--database-url"):
                program.run_sampled(["serve", flag, given])
            program.run_sampled(["import", given])
            program.run_sampled(["verify", "--data", given])
            program.run_sampled(["verify", "--expect", given])
            program.run_sampled(["export", "--at", given])
            program.run_sampled(["events", "--after", given])
            program.run_sampled(["events", "--url", given])
            program.run_sampled(["events", "--data", given])
            program.run_sampled(["reference", given])
            program.run_sampled(["migrate", "--from", given, "--to", "copy"])
            program.run_sampled(["migrate", "--from", "none", "--to", given])
            if given == GIVEN[1]:
                continue  # what is not escaped is masked in the same place
            for variable in settings:
                if variable not in ("ANNALS_STORE_DATABASE_URL", "ANNALS_STORE_PASSWORD"):
                    program.run_sampled(["serve", "--listen", "nowhere"], {variable: given})
            for variable in ("DATABASE_URL", "ANNALS_STORE_DATABASE_URL"):
                program.run_sampled(["serve", "--listen", "127.0.0.1:0"], {variable: given})
            for variable in settings:
                key = variable.removeprefix("ANNALS_").lower()
                for section in ("server", "store", "writer", "idempotency", "kv", "secrets", "audit", "log"):
                    if key.startswith(section + "_"):
                        key = section + "." + key.removeprefix(section + "_")
                        break
                config = pathlib.Path(folder) / "given.toml"
                config.write_text(f'{key} = "{given}"\n')
                program.run_sampled(["serve", "--config", "given.toml", "--listen", "nowhere"])
            config.write_text(f'[model.a]\npath = "{given}"\n')
            program.run_sampled(["check", "--config", "given.toml"])
            config.write_text(f'include = "{given}"\n')
            program.run_sampled(["check", "--config", "given.toml"])
        paths(program)
        for number, given in enumerate(MISWRITTEN):
            miswritten(program, settings, given, number)
        pathlib.Path(folder, "including.toml").write_text('include = ["given.toml"]\n')
        for slip in SLIPS:
            config.write_text(slip + "\n")
            for command in (["check"], ["verify"], ["export", "--prefix", "a"]):
                said = program.run([*command, "--config", "given.toml"])
                assert "given.toml:" in said and "^" in said, said
            program.run_sampled(["settings", "--config", "including.toml"])
        for command in ("check", "settings", "verify"):
            said = program.run([command, "--config", "none.toml"], {"ANNALS_PASWORD": "hunter2secret"})
            assert "did you mean ANNALS_STORE_PASSWORD?" in said, said
        said = program.run(["serve", GIVEN[0]])
        assert 'did you mean "--database-url"' in said, said
    print(f"The password was shown by none of {program.runs} runs.")


if __name__ == "__main__":
    main()
