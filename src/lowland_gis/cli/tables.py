"""Print a table for people, or the same rows as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

WIDTH_IN_A_PIPE = 120

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def show(
    rows: pd.DataFrame, *, as_json: bool, headings: Sequence[str] | None = None, title: str | None = None
) -> None:
    """Print rows on stdout."""
    if as_json:
        click.echo(json.dumps(rows.to_dict("records"), ensure_ascii=False, default=str, indent=1))
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name, heading in zip(rows.columns, headings or rows.columns, strict=True):
        numeric = pd.api.types.is_numeric_dtype(rows[name]) and not pd.api.types.is_bool_dtype(rows[name])
        table.add_column(str(heading), justify="right" if numeric else "left")
    for row in rows.itertuples(index=False):
        table.add_row(*map(_cell, row))
    console().print(table)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the error boundary: a reader that went away, as head does, is no failure."""
        raise BrokenPipeError


def console() -> Console:
    """Return a console on stdout that does not cut rows in a pipe."""
    terminal = _Console()
    return terminal if terminal.is_terminal else _Console(width=WIDTH_IN_A_PIPE, no_color=True)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    # A name in a file may hold brackets, which are no markup.
    return escape(str(value))
