"""Lists that people take along: the rows that a command shows, as a file that opens in Excel."""

from __future__ import annotations

from pathlib import Path

import click
import pandas as pd

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import OutputPath

list_option = click.option(
    "-o",
    "output",
    type=OutputPath(dir_okay=False),
    help="Write the rows to a .csv (it opens in Excel) or .parquet file instead of showing them.",
)


def write_list(session: Session, rows: pd.DataFrame, target: Path, *, overwrite: bool) -> None:
    """Write a list under the rules of every output; a .csv begins with a mark, without which Excel takes UTF-8 for GBK."""
    from lowland_gis.files.table import check_suffix, write_rows

    check_suffix(target)
    with session.outputs.writing(target, overwrite=overwrite):
        write_rows(rows, target, bom=True)
    session.tell(f"{len(rows):,} rows → {target}")
