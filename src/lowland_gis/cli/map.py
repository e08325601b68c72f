"""`lowland map overview | page`."""

from __future__ import annotations

from pathlib import Path

import click

from lowland_gis.cli.outputs import OutputPath, overwrite_option
from lowland_gis.cli.staleness import mark


@click.group("map")
def map() -> None:  # noqa: A001 - the name of the command
    """Draw the overview map (专题图) and the page to click (网页图)."""


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


@map.command()
@click.argument("file", type=OutputPath(dir_okay=False))
@overwrite_option
@click.pass_context
def page(ctx: click.Context, file: Path, overwrite: bool) -> None:
    """Write one HTML file that opens without a network: click a parcel for its clauses, search, filter (网页图).

    A link to a parcel is FILE.html#parcel=CODE.
    """
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.products.page import draw_page, page_contents

    project = ctx.obj.project
    with reading(project) as held:
        data, contents = page_contents(held)
    click.echo(draw_page(project, data, contents, file, overwrite=overwrite, tell=ctx.obj.tell))
    mark(ctx, contents.stale, contents.frozen)
