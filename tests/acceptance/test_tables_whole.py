"""What a command prints into a pipe is whole: no table is cut to a width, and every code of the rows stands in it.

The list of commands is walked, so a command that prints a table is in it by itself.
"""

import io
import json
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

import click
import pytest

from lowland_gis.cli import lowland, main

CODE = re.compile(r"[0-9]{6}[0-9A-Z]{6,}(?:-[0-9]{3})?")
MOVES = (
    "survey", "notice", "objection", "approve", "submit", "review", "return", "file", "start", "step", "ask", "resolve", "dispose",
    "withdraw", "enter",
)  # fmt: skip
# What stands for required arguments; a new command is to be given an example here.
ARGUMENTS = {
    "check show": ["mandatory"],
    "classify compare": ["{run}", "latest"],
    "classify explain": ["{parcel}"],
    "classify rerun": ["{run}"],
    "classify todo": ["--parcels"],
    "convert": None,  # it says of each layer what came of it
    "inspect": ["{folder}/incoming/不动产登记中心/宗地.shp"],
    "layers diff": ["parcel", "latest", "latest"],
    "layers rejects": ["parcel"],
    "layers show": ["parcel"],
    "measures show": ["construction2_share"],
    "rules check": ["{pack}"],
    "rules show": ["example_beichen"],
    "rules test": ["example_beichen"],
    "rules what-if": ["--set", "tax_min=8", "--parcels"],
    "package check": ["{folder}/out/package"],
    "plan check": ["2026"],
    "plan quotas": ["2026"],
    "plan show": ["2026"],
    "registry history": ["{parcel}"],
    "registry list": ["--register", "low_efficiency"],
    "registry verify": None,  # where all is well it prints no table
    "registry show": ["{parcel}"],
    **dict.fromkeys(
        f"registry {move}" for move in MOVES
    ),  # they write: their table is that of `registry list`
    "db verify": None,  # it names tables and no codes
    "unit changes": None,  # nothing has changed: its rows stand in database/test_units_from_before.py
    "unit why": ["{parcel}"],
    "update close": None,
    "update increment": None,  # of two bases and an increment: cli/test_increment_files.py
    "update diff": None,  # it compares what is open, and nothing is: its tables stand in database/test_update.py
    "unit freeze": None,  # it writes: its table is that of `unit list`
    "unit draft": None,
    "unit edit": None,
    "unit import": None,
    "unit withdraw": None,
}
# They print a page, sums by rule, or fewer columns.
PAGES = {"check run", "classify explain", "inspect", "unit key-areas", "unit metrics"}


def commands(group, above=()):
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        elif any(each.name == "as_json" for each in command.params):
            yield " ".join((*above, name))


TABLES = [name for name in commands(lowland) if ARGUMENTS.get(name, []) is not None]


def said(demo, *arguments):
    """Run a command in this process and return what it printed on stdout."""
    out = io.StringIO()
    narrow = mock.patch.dict(os.environ, LOWLAND_DSN=demo.dsn, COLUMNS="40")
    with redirect_stdout(out), redirect_stderr(io.StringIO()), narrow, pytest.raises(SystemExit) as left:
        main(["--project", str(demo.folder / "lowland.toml"), *arguments])
    assert left.value.code in (0, 1), arguments
    return out.getvalue()


def codes_in(value):
    if isinstance(value, dict):
        return {code for item in value.values() for code in codes_in(item)}
    if isinstance(value, list):
        return {code for item in value for code in codes_in(item)}
    return set(CODE.findall(value)) if isinstance(value, str) else set()


@pytest.mark.parametrize("name", TABLES)
def test_every_code_of_the_rows_stands_in_the_table(demo, name):
    (parcel,) = demo.rows("SELECT max(parcel_id) FROM result.member WHERE unit_id IS NOT NULL")[0]
    (run,) = demo.rows("SELECT min(run_id) FROM result.run WHERE stage = 'classify'")[0]
    named = {"parcel": parcel, "run": run, "folder": demo.folder, "pack": PACK}
    arguments = [*name.split(), *(text.format(**named) for text in ARGUMENTS.get(name, []))]
    text = said(demo, *arguments)
    assert text
    if name not in PAGES:
        assert codes_in(json.loads(said(demo, *arguments, "--json"))) <= set(CODE.findall(text))
        assert not re.search(r"\w…\s*[│┃]", text)


PACK = "src/lowland_gis/definitions/rules/example_beichen.toml"
