"""Tables are whole in a pipe; on a terminal texts are wrapped, and codes are never cut."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

CODE = "120113001001GB00001"
SHOW = """
import sys
import pandas as pd
from lowland_gis.cli.tables import show
rows = pd.DataFrame({{
    "parcel_id": ["{code}", "120113001001GB00002"], "firm": ["天津市某某制造有限公司" * {long}, "x"],
    "said": ["[red]a[/red] \\x1b[31m b", "{code}, {code}"], "area_m2": [1234567.891, None], "n": [1, 20000], "ok": [True, False],
}})
show(rows, as_json=False, title="题 [b]")
"""


def on_terminal(text: str, columns: int) -> str:
    """Return what a program prints on a terminal of so many columns, without colours."""
    master, slave = pty.openpty()
    variables = os.environ | {"COLUMNS": str(columns), "TERM": "xterm"}
    with subprocess.Popen([sys.executable, "-c", text], stdout=slave, env=variables) as process:
        os.close(slave)
        found = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            found += piece
            if not piece:
                break
        assert process.wait() == 0
    os.close(master)
    return re.sub(r"\x1b\[[0-9;]*m", "", found.decode())


@pytest.mark.parametrize("long", [1, 40])
def test_a_table_in_a_pipe_is_whole(long):
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(code=CODE, long=long)],
        capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "40", "FORCE_COLOR": "1"},
    )  # fmt: skip
    rows = [line for line in done.stdout.splitlines() if line.startswith("│")]
    assert len(rows) == 2
    assert "天津市某某制造有限公司" * long in rows[0]
    assert "[red]a[/red]  [31m b" in rows[0]
    assert f"{CODE}, {CODE}" in rows[1]
    assert "1,234,567.89" in rows[0]
    assert "\x1b" not in done.stdout
    assert "题 [b]" in done.stdout


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
def test_codes_are_whole_on_a_terminal_of_any_width(columns):
    said = on_terminal(SHOW.format(code=CODE, long=4), columns)
    assert said.count(CODE) == 3
    assert "1,234,567.89" in said
    assert "…" not in said
    # A text that is broken has all its letters.
    assert len(re.findall("[天津市某制造有限公司]", said)) == 44
    if columns >= 80:
        assert all(len(line) <= columns for line in said.splitlines())
