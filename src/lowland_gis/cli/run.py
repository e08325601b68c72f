"""`lowland run`: the whole flow."""

from __future__ import annotations

from pathlib import Path

import click

from lowland_gis.cli import Session
from lowland_gis.cli.engines import master_option
from lowland_gis.cli.outputs import OutputPath
from lowland_gis.engines import named
from lowland_gis.engines.sedona.place import Place
from lowland_gis.errors import UsageError
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
@click.option(
    "-o",
    "--output",
    type=OutputPath(file_okay=False),
    help="With --engine sedona: no database is used. The layers of [sedona.layers] are tabulated, measured and classified, and overlaps,"
    " evidence and verdicts are written as Parquet below this folder.",
)
@click.option("--strict", is_flag=True, help="End with 1 where rows of a delivery were set aside.")
@click.pass_obj
def run(
    session: Session,
    first: str,
    last: str,
    engine: str | None,
    master: str | None,
    output: Path | None,
    strict: bool,
) -> int:
    """Run the stages that lowland.toml describes; what has not changed is not run again."""
    if output is not None:
        _without_database(session, engine, master, output)
        return 0
    from lowland_gis.pipeline.flow import run as run_stages

    project = session.project.computed_by(engine, master)
    reports = run_stages(project, first=first, last=last, tell=session.tell)
    for report in reports:
        click.echo(f"{report.stage:<10} {report.text}")
    return 1 if strict and any(report.n_rejected for report in reports) else 0


def _without_database(session: Session, engine: str | None, master: str | None, output: Path) -> None:
    from lowland_gis.definitions.take_up import take_up
    from lowland_gis.pipeline.verdicts import without_database

    settings = session.settings
    asked = settings.tabulate
    if (engine or asked.engine) not in named.ON_SPARK:
        raise UsageError(
            "-o is for a run on Spark without a database. Leave -o away, or type: lowland run --engine sedona -o FOLDER"
        )
    place = Place(master or asked.master, asked.memory, asked.cell_mb)
    without_database.run(settings, take_up(settings.folder), output, place=place, tell=session.tell)
    click.echo(f"overlaps, evidence and verdicts → {output}")
