"""`lowland map overview`."""

from __future__ import annotations

from pathlib import Path

import click

from lowland_gis.cli.outputs import OutputPath, overwrite_option
from lowland_gis.cli.staleness import mark


@click.group("map")
def map() -> None:  # noqa: A001 - the name of the command
    """Draw the overview map (专题图)."""


@map.command()
@click.argument("file", required=False, type=OutputPath(dir_okay=False))
@overwrite_option
@click.pass_context
def overview(ctx: click.Context, file: Path | None, overwrite: bool) -> None:
    """Draw kinds and units of the whole district as a PNG."""
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.products.package import draw_overview, map_contents

    project = ctx.obj.project
    with reading(project) as held:
        contents = map_contents(held)
    click.echo(draw_overview(project, contents, file, overwrite=overwrite, tell=ctx.obj.tell))
    mark(ctx, contents.stale, contents.frozen)
