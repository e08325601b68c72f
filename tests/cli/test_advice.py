"""What messages tell people to type exists: every `lowland …` in a text of the program is a command with such options."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import lowland_gis
from lowland_gis.cli import COMMANDS, lowland

SOURCES = Path(lowland_gis.__file__).parent
# A command ends where a sentence goes on; a hole of an f-string is any word.
_HOLE = " \ue000 "
_CALL = re.compile(r"\blowland ((?:[a-z]|--)[^\n.,;:()'`“”–|<>]*)")
# After a command these begin a sentence, not an argument.
_PROSE = {
    "could", "has", "is", "itself", "knows", "needs", "built", "failed", "wrote", "did", "project", "of", "with", "where", "and",
    "that", "as", "on", "for", "in", "it", "may", "or", "than", "keeps", "…",
}  # fmt: skip


def texts() -> Iterator[tuple[str, str]]:
    """Yield every text of the program with its place, docstrings apart, holes of f-strings as one sign."""
    for file in sorted(SOURCES.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        # Every worker of the tests goes through all sources to know the tests.
        if "lowland " not in source:
            continue
        nodes = list(ast.walk(ast.parse(source)))
        inside = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        documented = {
            id(node.body[0].value)
            for node in nodes
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        apart = inside | documented
        for node in nodes:
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else _HOLE for part in node.values)
                yield f"{file.name}:{node.lineno}", "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
                yield f"{file.name}:{node.lineno}", node.value


def calls() -> dict[str, str]:
    """Return every call that a text proposes, by its place."""
    found = {}
    for place, text in texts():
        for number, call in enumerate(_CALL.findall(text)):
            words = call.split()
            if words and words[0] not in _PROSE:
                found[f"{place}/{number} lowland {call.strip()}"] = call
    return found


def command(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that words name, and what comes after its name."""
    found: click.Command = lowland
    options = {name for parameter in lowland.params for name in parameter.opts}
    while words and words[0] in {*options, "--help"}:
        words = words[2:] if words[0] == "--project" else words[1:]
    if words[:1] in ([], ["…"], [_HOLE.strip()]):
        return found, []
    while words and isinstance(found, click.Group):
        if words[0] == _HOLE.strip():
            # Which one it is is data, as the verbs of the registry's procedure.
            return lowland, []
        if found is lowland:
            assert words[0] in COMMANDS, f"there is no command {words[0]}"
            name = words[0]
            found = getattr(importlib.import_module(f"lowland_gis.cli.{COMMANDS[name][0]}"), name)
        elif words[0] in found.commands:
            found = found.commands[words[0]]
        else:
            assert found.invoke_without_command, f"{found.name} has no {words[0]}"
            return found, words
        words = words[1:]
    return found, words


CALLS = calls()


def test_there_are_calls_to_look_at():
    assert len(CALLS) > 60


@pytest.mark.parametrize("place", CALLS)
def test_what_is_proposed_exists(place):
    found, rest = command(CALLS[place].split())
    options = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options |= {"--help", "-h"}
    for word in rest:
        if word.startswith("--") and len(word) > 2:
            assert word.partition("=")[0] in options, f"{found.name} has no {word}"
    room = [item for item in found.params if isinstance(item, click.Argument)]
    if found is lowland:
        return
    if isinstance(found, click.Group) and not found.invoke_without_command:
        pytest.fail(f"{found.name} alone does nothing")
    given = [
        word
        for before, word in zip(["", *rest], rest, strict=False)
        if word.isupper() and not before.startswith("-")
    ]
    assert room or not given, f"{found.name} takes no {given}"
