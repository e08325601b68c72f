"""Say what of a result is out of date, on stderr, and end with the code of findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lowland_gis.pipeline.base.stale import Stale

FINDINGS = 1


def mark(ctx: click.Context, *stale: Stale | None) -> None:
    """Say of each what is out of date, by what and what to type, and end with 1; do nothing where all is up to date."""
    found = [item for item in stale if item is not None]
    for item in found:
        click.echo(f"Stale: {item}", err=True)
    if found:
        ctx.exit(FINDINGS)
