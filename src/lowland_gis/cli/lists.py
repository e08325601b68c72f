"""Lists that people take along: the rows that a command shows, as a file that opens in Excel."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import OutputPath

if TYPE_CHECKING:
    import pandas as pd

list_option = click.option(
    "-o",
    "output",
    type=OutputPath(dir_okay=False),
    help="Write the rows to a .csv (it opens in Excel) or .parquet file instead of showing them.",
)


# On a terminal more rows than that are shown by what they say, not one by one.
SHOWN_SINGLY = 40
_PLACES = 5


def on_terminal(
    rows: pd.DataFrame, same: list[str], place: str, *, one_by_one: str, session: Session
) -> pd.DataFrame:
    """Return rows as a terminal shows them: many that are the same in some columns are one, with their number and the first places.

    In a pipe or a file, and where they are few, they stay as they are. `one_by_one` is the command that gives each of them.
    """
    if len(rows) <= SHOWN_SINGLY or not sys.stdout.isatty():
        return rows
    session.tell(f"{len(rows):,} rows; what says the same is one line. Each for itself: {one_by_one}")
    return together(rows, same, place)


def together(rows: pd.DataFrame, same: list[str], place: str) -> pd.DataFrame:
    """Return one row for all that are the same in some columns, with their number `n` and the first places, most frequent first."""
    import pandas as pd

    groups = rows.groupby(same, sort=False, dropna=False)
    lines = [
        (
            *(key if isinstance(key, tuple) else (key,)),
            len(group),
            "、".join(map(str, group[place].iloc[:_PLACES])),
        )
        for key, group in groups
    ]
    table = pd.DataFrame(lines, columns=[*same, "n", f"first {place}"])
    return table.sort_values("n", ascending=False, kind="stable", ignore_index=True)


def write_list(session: Session, rows: pd.DataFrame, target: Path, *, overwrite: bool) -> None:
    """Write a list under the rules of every output; a .csv begins with a mark, without which Excel takes UTF-8 for GBK."""
    from lowland_gis.files.table import check_suffix, write_rows

    check_suffix(target)
    with session.outputs.writing(target, overwrite=overwrite):
        write_rows(rows, target, bom=True)
    session.tell(f"{len(rows):,} rows → {target}")
