"""`lowland unit planning | key-areas`: the tier above the units, and where low-efficiency land gathers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowland_gis.cli.outputs import InputPath, OutputPath, overwrite_option
from lowland_gis.cli.staleness import mark
from lowland_gis.cli.tables import json_option, show

if TYPE_CHECKING:
    import geopandas as gpd

    from lowland_gis.analysis.units.key_areas import KeyRules
    from lowland_gis.pipeline.units.drafts import HeldDraft
    from lowland_gis.pipeline.units.tiers import Tiers

_SHOWN = [
    "rank",
    "key",
    "area_id",
    "town",
    "low_ha",
    "low_share",
    "n_units",
    "score",
    "gathered_share",
    "reason",
]
output_option = click.option(
    "-o",
    "output",
    type=OutputPath(dir_okay=False),
    help="Write a table (.csv, .parquet), a layer (.gpkg), or a map with the figures beside it (.png, .pdf) instead of showing the rows.",
)


@click.command()
@click.argument("which", metavar="[DRAFT]", default="latest")
@output_option
@overwrite_option
@json_option
@click.pass_context
def planning(ctx: click.Context, which: str, output: Path | None, overwrite: bool, as_json: bool) -> None:
    """List the planning units (规划单元) that hold the units of a draft, and what each holds.

    Limits that one does not keep, and land without low-efficiency parcels or without a unit, are named in its row and on stderr.
    """
    from lowland_gis.pipeline.products.key_areas import PLANNING_HEADINGS, planning_list
    from lowland_gis.pipeline.units.drafts import reading_draft

    with reading_draft(ctx.obj.project, which) as draft:
        table, tiers = planning_list(draft)
        _shown(draft, (table, PLANNING_HEADINGS, None, tiers), output, overwrite=overwrite, as_json=as_json)
    for row in tiers.findings.to_dict("records"):
        click.echo(f"{row['plan_id']}: {row['rule']}: {row['message']}", err=True)
    mark(ctx, draft.stale, draft.frozen)


@click.command("key-areas")
@click.argument("which", metavar="[DRAFT]", default="latest")
@click.option(
    "--by",
    type=click.Choice(["planning", "block"]),
    help="Draw them from planning units or from blocks; without it as the rules say.",
)
@click.option(
    "--rules",
    type=InputPath(),
    help="A TOML file of the office with criteria and weights, instead of the shipped example.",
)
@output_option
@overwrite_option
@json_option
@click.pass_context
def key_areas(
    ctx: click.Context,
    which: str,
    by: str | None,
    rules: Path | None,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Rank where low-efficiency land gathers as key areas (重点区域), each rank with its reasons; as a table, a layer or a map."""
    from lowland_gis.pipeline.products.key_areas import HEADINGS
    from lowland_gis.pipeline.products.key_areas import key_areas as ranked
    from lowland_gis.pipeline.units.drafts import reading_draft

    with reading_draft(ctx.obj.project, which) as draft:
        found = ranked(draft, rules, by)
        contents = (found.areas, HEADINGS, found.rules, found.tiers)
        _shown(draft, contents, output, overwrite=overwrite, as_json=as_json)
    for doubt in found.doubts:
        ctx.obj.tell(f"Warning: {doubt}")
    if found.rules.example:
        ctx.obj.tell("The weights are examples: no official ones are public")
    mark(ctx, draft.stale, draft.frozen)


def _shown(
    draft: HeldDraft,
    contents: tuple[gpd.GeoDataFrame, dict[str, str], KeyRules | None, Tiers],
    output: Path | None,
    *,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Show areas, or write them where a file is named."""
    from lowland_gis.pipeline.products.key_areas import write_areas

    areas, headings, rules, tiers = contents
    if output is not None:
        click.echo(write_areas(draft, areas, headings, output, rules=rules, tiers=tiers, overwrite=overwrite))
        return
    rows = areas.drop(columns="geometry")
    show(rows if as_json or rules is None else rows[_SHOWN], as_json=as_json)


TIERS = (planning, key_areas)
