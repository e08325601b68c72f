"""Say what of a result is out of date and which findings it has, on stderr, and end with the code of findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import pandas as pd

    from lowland_gis.pipeline.base.stale import Stale

FINDINGS = 1


def mark(ctx: click.Context, *stale: Stale | None) -> None:
    """Say of each what is out of date, by what and what to type, and end with 1; do nothing where all is up to date."""
    found = [item for item in stale if item is not None]
    for item in found:
        click.echo(f"Stale: {item}", err=True)
    if found:
        ctx.exit(FINDINGS)


def tell_findings(ctx: click.Context, findings: pd.DataFrame, *stale: Stale | None) -> None:
    """Say which rules are broken, what is not known of units and what is out of date, on stderr, and end with the code of findings."""
    import pandas as pd

    for row in findings.to_dict("records"):
        parcels = f" ({row['parcels']})" if row["parcels"] else ""
        unit_id = "–" if pd.isna(row["unit_id"]) else row["unit_id"]
        click.echo(f"{unit_id}: {row['rule']}: {row['message']}{parcels}", err=True)
    mark(ctx, *stale)
    if len(findings):
        ctx.exit(FINDINGS)
