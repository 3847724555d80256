#!/usr/bin/env python3
"""Executes the commands of a document and compares their output with what the document says comes back.

usage: tests/readme/run.py ANNALS DOCUMENT.md...

What is executed are the fenced blocks marked `console`:

    ```console
    $ curl http://127.0.0.1:4000/config/color
    green
    $ curl --include \\
        http://127.0.0.1:4000/config/color
    HTTP/1.1 200 OK
    Date: …
    …
    green
    ```

A line `$ ...` is a command (a backslash at its end goes on in the next line), what follows it is its output, standard error included. In the
output `…` stands for any text within a line, and a line `…` alone for any number of lines. A command must exit 0; to show one that does not,
write `; echo $?` behind it. Blocks of any other mark (`sh` for those that a reader types and a test cannot) are not executed.

All commands of a document run in one shell, in a fresh directory in which `build/release/bin/annals` is the program, beside a server that
was started there with its data in `annals-data`. Beside a document with an `annals.toml` all files of its folder are there too. The document's address of it, http://127.0.0.1:4000, is replaced by the one that is used.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from typing import NamedTuple

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from server import Server, clean_environment  # noqa: E402

ADDRESS = "127.0.0.1:4000"
END = "-- the end of what a command says --"
COMMAND_SECONDS_MAX = 60


class Command(NamedTuple):
    line: int
    text: str
    output: list[str]


def commands_of(text: str) -> list[Command]:
    commands: list[Command] = []
    inside, continued = False, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            inside = line.strip() == "```console" and not inside
        elif inside and continued:
            commands[-1] = commands[-1]._replace(text=commands[-1].text + "\n" + line)
            continued = line.endswith("\\")
        elif inside and line.startswith("$ "):
            commands.append(Command(number, line[2:], []))
            continued = line.endswith("\\")
        elif inside and not commands:
            raise ValueError(f"line {number}: output without a command: {line}")
        elif inside:
            commands[-1].output.append(line)
    return commands


def matches(expected: list[str], found: list[str]) -> bool:
    """`…` alone: any lines; inside a line: any text of that line."""
    pattern = ""
    for line in expected:
        pattern += r"(?:[^\n]*\n)*?" if line.strip() == "…" else "[^\n]*?".join(re.escape(part) for part in line.split("…")) + r"\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in found)) is not None


class Shell:
    def __init__(self, directory: pathlib.Path):
        environment = clean_environment({"CURL_HOME": str(directory), "HOME": str(directory)})
        (directory / ".curlrc").write_text("silent\nshow-error\n")  # as on a terminal, where no progress is shown
        self.process = subprocess.Popen(["bash"], cwd=directory, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def run(self, command: str) -> tuple[list[str], int]:
        """Lines of output and the exit code."""
        self.process.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n%s %s\\n' '{END}' \"$?\"\n")
        self.process.stdin.flush()
        output = ""
        alarm = threading.Timer(COMMAND_SECONDS_MAX, self.process.kill)
        alarm.start()
        try:
            for line in self.process.stdout:
                if line.startswith(END):
                    return output.replace("\r\n", "\n").rstrip("\n").splitlines(), int(line.split()[-1])
                output += line
        finally:
            alarm.cancel()
        return [*output.splitlines(), f"(the shell ended, or this took more than {COMMAND_SECONDS_MAX} s)"], -1


def execute(binary: pathlib.Path, document: pathlib.Path) -> bool:
    commands = commands_of(document.read_text())
    if not commands:
        print(f"{document}: there is no ```console block in it to execute")
        return False
    with tempfile.TemporaryDirectory(prefix="annals-readme-") as name:
        directory = pathlib.Path(name)
        (directory / "build/release/bin").mkdir(parents=True)
        (directory / "build/release/bin/annals").symlink_to(binary)
        folder = document.resolve().parent
        if (folder / "annals.toml").exists():
            shutil.copytree(folder, directory, dirs_exist_ok=True)
        server = Server(str(binary), ["--listen", "127.0.0.1:0"], directory)
        address = f"127.0.0.1:{server.port}"
        shell = Shell(directory)
        try:
            for command in commands:
                found, code = shell.run(command.text.replace(ADDRESS, address))
                found = [line.replace(address, ADDRESS) for line in found]
                expected = list(command.output)
                while expected and not expected[-1].strip():
                    expected.pop()
                if code != 0 or not matches(expected, found):
                    print(f"{document}:{command.line}: $ {command.text}\n  expected:")
                    print("\n".join("    " + line for line in expected))
                    print(f"  found (exit code {code}):")
                    print("\n".join("    " + line for line in found))
                    return False
            server.stop()
        finally:
            shell.process.kill()
            shell.process.wait()
            if server.process.poll() is None:
                server.kill()
    print(f"{document}: {len(commands)} commands, as written")
    return True


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    binary = pathlib.Path(arguments[0]).resolve()
    results = [execute(binary, pathlib.Path(name)) for name in arguments[1:]]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
