"""Print a table for people, or the same rows as JSON for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

# Wider than any table: what goes into a pipe or a file is read by programs and is neither cut nor wrapped.
_NO_LIMIT = 1_000_000
# A column of texts is not made narrower than this; the frame of a column takes 3 more.
_LEAST_WIDTH = 12
_FRAME = 3
# A code, a date, a number is never broken; Chinese text has no gaps and may be broken anywhere.
_WORD = re.compile(r"[\x21-\x7e]+")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def show(
    rows: pd.DataFrame, *, as_json: bool, headings: Sequence[str] | None = None, title: str | None = None
) -> None:
    """Print rows on stdout: whole in a pipe or a file; on a terminal texts are wrapped and codes are not.

    Where a terminal is too narrow for that, each row is printed as a list of its own.
    """
    from rich.markup import escape
    from rich.table import Table

    from lowland_gis.cli.console import console

    if as_json:
        click.echo(json.dumps(rows.to_dict("records"), ensure_ascii=False, default=str, indent=1))
        return
    names = [str(name) for name in headings or rows.columns]
    cells = [list(map(_cell, row)) for row in rows.itertuples(index=False)]
    out = console(_NO_LIMIT)
    widths = [_needed([row[place] for row in cells]) for place in range(len(names))]
    if sum(widths) + _FRAME * len(names) + 1 > out.width:
        _show_records(out, names, cells, title)
        return
    table = Table(title=None if title is None else escape(title), title_justify="left", header_style="bold")
    for name, width, numeric in zip(names, widths, map(_is_numeric, rows.dtypes), strict=True):
        table.add_column(
            escape(name), justify="right" if numeric else "left", min_width=width, overflow="fold"
        )
    for row in cells:
        table.add_row(*map(escape, row))
    out.print(table)


def _show_records(out: Console, names: list[str], cells: list[list[str]], title: str | None) -> None:
    """Print one line a value, which the terminal breaks where it ends, so that nothing is lost when it is copied."""
    from rich.markup import escape

    if title:
        out.print(escape(title), soft_wrap=True)
    for row in cells:
        for name, text in zip(names, row, strict=True):
            out.print(f"[bold]{escape(name)}[/bold]: {escape(text)}", soft_wrap=True, highlight=False)
        out.print()


def _needed(column: list[str]) -> int:
    """Return the least width of a column: all of the longest code in it, part of a text."""
    from rich.cells import cell_len

    widest = max(map(cell_len, column), default=1)
    longest = max((len(word) for text in column for word in _WORD.findall(text)), default=1)
    return max(longest, min(widest, _LEAST_WIDTH))


def _is_numeric(kind: Any) -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def _cell(value: Any) -> str:
    import pandas as pd

    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in str(value))
