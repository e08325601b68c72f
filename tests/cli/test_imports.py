"""What a command loads: help needs click alone."""

import json
import subprocess
import sys

# One process asks for the help of every command in turn, and says after each what was loaded for it.
_HELP = """
import contextlib, io, json, sys

def libraries():
    return {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)

before = libraries() | {"click", "lowland_gis"}
import click
from lowland_gis.cli import lowland

def paths(command, path):
    yield path
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                yield from paths(command.get_command(context, name), [*path, name])

loaded = {}
for path in paths(lowland, []):
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            lowland.main([*path, "--help"], prog_name="lowland", standalone_mode=False)
    except SystemExit:
        pass
    now = libraries()
    loaded[" ".join(path)] = [sorted(now - before), said.getvalue()]
    before |= now
print(json.dumps(loaded))
"""


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True, timeout=120
    )
    return done.stdout


def test_help_of_no_command_loads_a_library_beside_click() -> None:
    loaded = json.loads(run(_HELP))
    assert {"tabulate", "classify explain", "unit list", "registry problems"} <= loaded.keys()
    assert all(text.startswith("Usage: lowland") for _, text in loaded.values())
    assert {command: names for command, (names, _) in loaded.items() if names} == {}
