"""`lowland run`: the whole flow."""

from __future__ import annotations

import click

from lowland_gis.cli import Session
from lowland_gis.pipeline.run import STAGES
from lowland_gis.pipeline.run import run as run_stages


@click.command()
@click.option(
    "--from", "first", default=STAGES[0], show_default=True, type=click.Choice(STAGES), help="First stage."
)
@click.option(
    "--to", "last", default=STAGES[-1], show_default=True, type=click.Choice(STAGES), help="Last stage."
)
@click.pass_obj
def run(session: Session, first: str, last: str) -> None:
    """Run the stages that lowland.toml describes; what has not changed is not run again."""
    for report in run_stages(session.project, first=first, last=last, tell=session.tell):
        click.echo(f"{report.stage:<10} {report.text}")
