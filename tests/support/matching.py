"""Expectations with blanks in them: text and JSON in which `{{name}}` stands for something that is only known once it is there.

In what is expected, `{{name}}` is any text, which from then on is that variable's value and must be the same wherever the
name comes again; `{{name:REGEX}}` must match REGEX as well; `{{*}}` is anything, each time anew; `{{:REGEX}}` anything that
matches. In JSON, `"{{*}}"` as a whole value is any value at all, a member `"...": "..."` allows further members, and a last
element `"..."` further elements. In what is sent, `{{name}}` is the variable's value and `{{TEXT*COUNT}}` is TEXT repeated.
"""

import json
import re

BLANK = re.compile(r"\{\{(?:(?P<name>[a-z][a-z0-9_]*)|(?P<any>\*))?(?::(?P<pattern>.*?))?\}\}(?!\})")
REPEAT = re.compile(r"\{\{(?P<text>[^{}*]+)\*(?P<count>\d+)\}\}")


class Mismatch(Exception):
    """What was found is not what was expected; the message says where and how."""


def fill_in(text: str, variables: dict[str, str]) -> str:
    """What is to be sent."""
    def value(match: re.Match) -> str:
        if match["name"] not in variables:
            raise Mismatch(f"the variable {match[0]} has no value yet; there are: {', '.join(sorted(variables)) or 'none'}")
        return variables[match["name"]]

    text = REPEAT.sub(lambda match: match["text"] * int(match["count"]), text)
    return BLANK.sub(value, text)


def match_text(expected: str, found: str, variables: dict[str, str], where: str) -> None:
    """Raises Mismatch, or gives the variables that were blank their values."""
    expected = REPEAT.sub(lambda match: match["text"] * int(match["count"]), expected)
    pattern, place, groups = "", 0, {}
    for blank in BLANK.finditer(expected):
        pattern += re.escape(expected[place : blank.start()])
        place = blank.end()
        name, rule = blank["name"], blank["pattern"]
        if name is None:
            pattern += f"(?:{rule or '.*'})"
        elif name in variables:
            pattern += re.escape(variables[name])
        elif name in groups.values():
            pattern += f"(?P={name})"
        else:
            pattern += f"(?P<{name}>{rule or '.+?'})"
            groups[name] = name
    pattern += re.escape(expected[place:])
    match = re.fullmatch(pattern, found, re.DOTALL)
    if not match:
        shown = BLANK.sub(lambda blank: variables.get(blank["name"] or "", blank[0]), expected)
        raise Mismatch(f"{where}\n    expected: {abbreviated(shown)}\n    found:    {abbreviated(found)}")
    variables.update(match.groupdict())


def abbreviated(text: str, length_max: int = 2000) -> str:
    return text if len(text) <= length_max else f"{text[:length_max]}... ({len(text)} characters)"


def unique_members(pairs: list[tuple[str, object]]) -> dict:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member that is there twice")
    return members


def parse_json(text: str, where: str) -> object:
    """Strictly: no member twice, no NaN."""
    def refuse(constant: str):
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=unique_members, parse_constant=refuse)
    except ValueError as error:
        raise Mismatch(f"{where} is not JSON ({error}): {abbreviated(text)}") from None


def match_json(expected: object, found: object, variables: dict[str, str], where: str) -> None:
    if expected == "{{*}}":
        return
    if isinstance(expected, str) and isinstance(found, str):
        match_text(expected, found, variables, where)
        return
    if type(expected) is not type(found):
        raise Mismatch(f"{where}\n    expected: {json.dumps(expected)}\n    found:    {json.dumps(found)}")
    if isinstance(expected, dict):
        open_ended = "..." in expected
        wanted = {name for name in expected if name != "..."}
        if missing := sorted(wanted - found.keys()):
            raise Mismatch(f"{where} lacks {', '.join(missing)}\n    found:    {abbreviated(json.dumps(found))}")
        if not open_ended and (more := sorted(found.keys() - wanted)):
            raise Mismatch(f"{where} has the unexpected {', '.join(more)}\n    found:    {abbreviated(json.dumps(found))}")
        for name in expected:
            if name != "...":
                match_json(expected[name], found[name], variables, f"{where}/{name}")
    elif isinstance(expected, list):
        open_ended = bool(expected) and expected[-1] == "..."
        wanted_elements = expected[:-1] if open_ended else expected
        if len(found) < len(wanted_elements) or (len(found) > len(wanted_elements) and not open_ended):
            raise Mismatch(f"{where} has {len(found)} elements, not {len(wanted_elements)}\n    found:    {abbreviated(json.dumps(found))}")
        for index, element in enumerate(wanted_elements):
            match_json(element, found[index], variables, f"{where}/{index}")
    elif expected != found:
        raise Mismatch(f"{where}\n    expected: {json.dumps(expected)}\n    found:    {json.dumps(found)}")
