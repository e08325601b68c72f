"""`lowland run`: the whole flow."""

from __future__ import annotations

import click

from lowland_gis.cli import Session
from lowland_gis.cli.engines import master_option
from lowland_gis.engines import named
from lowland_gis.pipeline.base.stages import STAGES


@click.command()
@click.option(
    "--from", "first", default=STAGES[0], show_default=True, type=click.Choice(STAGES), help="First stage."
)
@click.option(
    "--to", "last", default=STAGES[-1], show_default=True, type=click.Choice(STAGES), help="Last stage."
)
@click.option(
    "--engine",
    type=click.Choice(named.NAMES),
    help="What computes the overlaps, instead of what [tabulate] of lowland.toml says; the figures agree to 1e-6 m².",
)
@master_option
@click.option("--strict", is_flag=True, help="End with 1 where rows of a delivery were set aside.")
@click.pass_obj
def run(session: Session, first: str, last: str, engine: str | None, master: str | None, strict: bool) -> int:
    """Run the stages that lowland.toml describes; what has not changed is not run again."""
    from lowland_gis.pipeline.flow import run as run_stages

    project = session.project.computed_by(engine, master)
    reports = run_stages(project, first=first, last=last, tell=session.tell)
    for report in reports:
        click.echo(f"{report.stage:<10} {report.text}")
    return 1 if strict and any(report.n_rejected for report in reports) else 0
