"""`lowland map overview`."""

from __future__ import annotations

from pathlib import Path

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import OutputPath, overwrite_option
from lowland_gis.pipeline.package import overview_map


@click.group("map")
def map() -> None:  # noqa: A001 - the name of the command
    """Draw the overview map (专题图)."""


@map.command()
@click.argument("file", required=False, type=OutputPath(dir_okay=False))
@overwrite_option
@click.pass_obj
def overview(session: Session, file: Path | None, overwrite: bool) -> None:
    """Draw kinds and units of the whole district as a PNG."""
    click.echo(overview_map(session.project, file, overwrite=overwrite, tell=session.tell))
