"""`lowland run`: the whole flow."""

from __future__ import annotations

import click

from lowland_gis.cli import Session
from lowland_gis.pipeline.base.stages import STAGES


@click.command()
@click.option(
    "--from", "first", default=STAGES[0], show_default=True, type=click.Choice(STAGES), help="First stage."
)
@click.option(
    "--to", "last", default=STAGES[-1], show_default=True, type=click.Choice(STAGES), help="Last stage."
)
@click.option("--strict", is_flag=True, help="End with 1 where rows of a delivery were set aside.")
@click.pass_obj
def run(session: Session, first: str, last: str, strict: bool) -> int:
    """Run the stages that lowland.toml describes; what has not changed is not run again."""
    from lowland_gis.pipeline.flow import run as run_stages

    reports = run_stages(session.project, first=first, last=last, tell=session.tell)
    for report in reports:
        click.echo(f"{report.stage:<10} {report.text}")
    return 1 if strict and any(report.n_rejected for report in reports) else 0
