"""`lowland map overview | page | sheet | sheets`."""

from __future__ import annotations

from pathlib import Path

import click

from lowland_gis.cli.outputs import OutputPath, overwrite_option
from lowland_gis.cli.staleness import mark


@click.group("map")
def map() -> None:  # noqa: A001 - the name of the command
    """Draw the overview map (专题图), the page to click (网页图) and sheets of cases (图表)."""


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


_PAPER = click.option(
    "--paper", type=click.Choice(["a4", "a3"]), default="a4", show_default=True, help="Size of the pages."
)


@map.command()
@click.argument("case", metavar="PARCEL|UNIT|TOWN")
@click.argument("file", required=False, type=OutputPath(dir_okay=False))
@_PAPER
@overwrite_option
@click.pass_context
def sheet(ctx: click.Context, case: str, file: Path | None, paper: str, overwrite: bool) -> None:
    """Draw the sheet of a parcel, unit or town as PDF: map, clauses, occupation, neighbours, boundary points (宗地图表)."""
    from lowland_gis.errors import UsageError
    from lowland_gis.pipeline.products.case_sheets import draw_sheet, sheets_of

    project = ctx.obj.project
    target = file or project.settings.path(project.settings.package.folder) / "sheets" / f"{case}.pdf"
    if target.suffix.lower() != ".pdf":
        raise UsageError(f"{target}: a sheet is a PDF. Give a name that ends in .pdf.")
    with sheets_of(project, paper, tell=ctx.obj.tell) as (book, drawer, stale):
        click.echo(draw_sheet(book, case, target, drawer, overwrite=overwrite))
    mark(ctx, *stale)


@map.command()
@click.argument("folder", type=OutputPath(file_okay=False))
@click.option(
    "--of", "of", type=click.Choice(["parcels", "units", "towns"]), default="parcels", show_default=True,
    help="Of what: low-efficient parcels, units, or towns.",
)  # fmt: skip
@click.option("--most", type=click.IntRange(min=1), help="Only the first so many, by their codes.")
@_PAPER
@overwrite_option
@click.pass_context
def sheets(ctx: click.Context, folder: Path, of: str, most: int | None, paper: str, overwrite: bool) -> None:
    """Draw a sheet of every low-efficient parcel, every unit or every town into FOLDER (成批图表)."""
    from lowland_gis.pipeline.products.case_sheets import draw_sheets, sheets_of

    with sheets_of(ctx.obj.project, paper, tell=ctx.obj.tell) as (book, drawer, stale):
        count = sum(
            1
            for _ in draw_sheets(book, of, folder, drawer, overwrite=overwrite, most=most, tell=ctx.obj.tell)
        )
    click.echo(f"{folder}: {count:,} sheets")
    mark(ctx, *stale)
