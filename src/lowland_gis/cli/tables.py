"""Print a table for people, or the same rows as JSON for programs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Rows:
    """Rows of a table as plain values, for lists that need no pandas: it takes longer to load than they take to make."""

    columns: tuple[str, ...]
    lines: tuple[tuple[Any, ...], ...]

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Rows:
        """Return some columns of rows that know their columns by name."""
        return cls(tuple(columns), tuple(tuple(row[name] for name in columns) for row in rows))

    def records(self) -> list[dict[str, Any]]:
        """Return a mapping from column to value a row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.lines]

    def numeric(self) -> list[bool]:
        """Return which columns hold numbers and nothing else."""
        columns = zip(*self.lines, strict=True) if self.lines else [()] * len(self.columns)
        return [bool(column) and all(map(_is_number, column)) for column in columns]


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def _known(value: Any) -> Any:
    """Return a value as JSON can hold it: what is missing, in whatever way of pandas, and what is no finite number, is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def show_json(found: Any) -> None:
    """Print lists and mappings as JSON; what is missing in them, in whatever way, is null."""
    click.echo(json.dumps(_plain(found), ensure_ascii=False, default=str, indent=1))


def _plain(found: Any) -> Any:
    if isinstance(found, Mapping):
        return {name: _plain(value) for name, value in found.items()}
    return list(map(_plain, found)) if isinstance(found, list | tuple) else _known(found)


def show(
    rows: pd.DataFrame | Rows,
    *,
    as_json: bool,
    headings: Sequence[str] | None = None,
    title: str | None = None,
) -> None:
    """Print rows on stdout: whole in a pipe or a file; on a terminal texts are wrapped and codes are not.

    Where a terminal is too narrow for that, each row is printed as a list of its own.
    """
    if as_json:
        records = rows.records() if isinstance(rows, Rows) else rows.to_dict("records")
        show_json(records)
        return

    from rich.markup import escape
    from rich.table import Table

    from lowland_gis.cli.console import console

    names = [str(name) for name in headings or rows.columns]
    lines = rows.lines if isinstance(rows, Rows) else rows.itertuples(index=False)
    numeric = rows.numeric() if isinstance(rows, Rows) else list(map(_is_numeric, rows.dtypes))
    cells = [list(map(_cell, row)) for row in lines]
    out = console(_NO_LIMIT)
    widths = [_needed([row[place] for row in cells]) for place in range(len(names))]
    if sum(widths) + _FRAME * len(names) + 1 > out.width:
        _show_records(out, names, cells, title)
        return
    table = Table(title=None if title is None else escape(title), title_justify="left", header_style="bold")
    for name, width, right in zip(names, widths, numeric, strict=True):
        table.add_column(escape(name), justify="right" if right else "left", min_width=width, overflow="fold")
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


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in str(value))
