"""Say what of a result is out of date, on stderr, and end with the code of findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lowland_gis.pipeline.stale import Stale

FINDINGS = 1


def mark(ctx: click.Context, stale: Stale | None) -> None:
    """Say what is out of date, by what and what to type, and end with 1; do nothing where all is up to date."""
    if stale is not None:
        click.echo(f"Stale: {stale}", err=True)
        ctx.exit(FINDINGS)
