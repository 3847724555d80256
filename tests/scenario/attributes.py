#!/usr/bin/env python3
"""Every attribute of models and of fields, and every type of field, is declared by a scenario that is served.

usage: tests/scenario/attributes.py SETTINGS.md FILE.scenario...

SETTINGS.md is the reference of settings and models, which is made by the program; the names are those of its tables, and of the members
that its accepted examples give to them. What counts are the files that a scenario writes (`file NAME.toml`), read as TOML, and of these
the ones that a server was started with: a file that only `$ annals check` is asked about says nothing of what an attribute does. This
does not see whether the scenario looks at what the attribute does.
"""

import pathlib
import re
import sys
import tomllib

CELLS = re.compile(r"(?<!\\)\|")


def rows_below(page: str, head: str) -> list[list[str]]:
    """The cells of the rows of the table whose head is this line."""
    _, found, rest = page.partition(f"\n{head}\n")
    if not found:
        raise SystemExit(f"the reference has no table with the head {head}")
    rows = []
    for line in rest.splitlines()[1:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in CELLS.split(line)[1:-1]])
    return rows


def name_of(cell: str) -> str:
    return cell.strip("`")


def expected(page: str) -> set[str]:
    """What scenarios have to declare: `model NAME`, `model NAME.MEMBER`, `field NAME`, `type NAME`."""
    wanted = {"include"}
    for name, _profiles, _sentence, accepted, _refused in rows_below(page, "| attribute | profiles | what it is | accepted | refused |"):
        wanted.add(f"model {name_of(name)}")
        if name_of(name) != "fields":
            example = tomllib.loads("\n".join(name_of(line) for line in accepted.split("<br>")).replace("\\|", "|"))
            members = example.get(name_of(name))
            wanted |= {f"model {name_of(name)}.{member}" for member in (members if isinstance(members, dict) else {})}
    wanted |= {f"field {name_of(row[0])}" for row in rows_below(page, "| attribute | what it is | accepted | refused |")}
    wanted |= {f"type {name_of(row[0])}" for row in rows_below(page, "| type | a value is |")}
    return wanted


def served_files(scenario: str) -> list[str]:
    """The texts of files that a server of the scenario reads: those that are there when one is started, or a request needs one."""
    present: dict[str, str] = {}
    served: list[str] = []
    running = False
    lines = scenario.splitlines()
    for place, line in enumerate(lines):
        word, _, rest = line.partition(" ")
        if word == "file" and rest.endswith(".toml"):
            taken = []
            for text in lines[place + 1 :]:
                if text.strip() and not text.startswith("    "):
                    break
                taken.append(text[4:])
            present[rest] = "\n".join(taken)
        elif word in ("restart", "kill") or (word in (">", "start") and not running):
            served += reached(present)
            running = True
        elif word in ("stop", "interrupt", "hasten"):
            running = False
    return served


def reached(present: dict[str, str]) -> list[str]:
    """The texts of annals.toml and of what it includes."""
    texts: list[str] = []
    names = ["annals.toml"]
    for name in names:
        text = present.get(name)
        if text is None:
            continue
        texts.append(text)
        folder = pathlib.PurePosixPath(name).parent
        included = parsed(text).get("include", [])
        for one in [included] if isinstance(included, str) else included if isinstance(included, list) else []:
            path = str(folder / str(one).removeprefix("{{directory}}/"))
            if path not in names:
                names.append(path)
    return texts


def parsed(text: str) -> dict:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}  # a scenario may be about that


def declared(text: str) -> set[str]:
    """What a file declares, in the words of `expected`."""
    root = parsed(text)
    found = {"include"} & root.keys()
    models = root.get("model", {})
    for model in models.values() if isinstance(models, dict) else []:
        for attribute, value in model.items():
            found.add(f"model {attribute}")
            if isinstance(value, dict) and attribute != "fields":
                found |= {f"model {attribute}.{member}" for member in value}
        for field in model.get("fields", {}).values():
            found |= {f"field {attribute}" for attribute in field}
            found |= {f"type {field.get(key)}" for key in ("type", "of")}
    return found


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    wanted = expected(pathlib.Path(arguments[0]).read_text(encoding="utf-8"))
    found: set[str] = set()
    for name in arguments[1:]:
        for text in set(served_files(pathlib.Path(name).read_text(encoding="utf-8"))):
            found |= declared(text)
    missing = sorted(wanted - found)
    for one in missing:
        print(f"no scenario serves what declares: {one}; write one that shows what it accepts and what it refuses")
    print(f"attributes: {len(wanted) - len(missing)} of {len(wanted)} are served by a scenario")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
