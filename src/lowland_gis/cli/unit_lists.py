"""`lowland unit members | changes | why`: lists of parcels of a draft that people take along."""

from __future__ import annotations

from pathlib import Path

import click

from lowland_gis.cli.drafts import draft_option
from lowland_gis.cli.lists import list_option, write_list
from lowland_gis.cli.outputs import overwrite_option
from lowland_gis.cli.staleness import mark
from lowland_gis.cli.tables import json_option, show

# Headings of the list of parcels as a file, which people open.
_MEMBERS = {
    "unit_id": "单元编号",
    "plan_id": "规划单元",
    "parcel_id": "宗地代码",
    "town_code": "镇街代码",
    "town": "镇街",
    "kind": "低效用地类型",
    "area_ha": "面积（公顷）",
    "low_ha": "低效面积（公顷）",
    "reason": "未划入原因",
}
_CHANGES = {
    "parcel_id": "宗地代码",
    "from_unit": "原单元",
    "to_unit": "现单元",
    "area_m2": "面积（平方米）",
    "gain_m2": "调整收益（平方米）",
    "reason": "调整原因",
}


@click.command()
@click.argument("which", metavar="[DRAFT]", default="latest")
@click.option("--unit", "units", multiple=True, metavar="UNIT", help="Only the parcels of this unit.")
@list_option
@overwrite_option
@json_option
@click.pass_context
def members(
    ctx: click.Context,
    which: str,
    units: tuple[str, ...],
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """List the parcels of a draft unit by unit, then those in none with the reason; -o writes it for Excel (单元宗地清单)."""
    from lowland_gis.pipeline.products.members import member_list
    from lowland_gis.pipeline.units.drafts import reading_draft

    with reading_draft(ctx.obj.project, which) as draft:
        rows = member_list(draft, units)
    if output is not None:
        write_list(ctx.obj, rows.rename(columns=_MEMBERS), output, overwrite=overwrite)
    else:
        show(rows, as_json=as_json)
    mark(ctx, draft.stale, draft.frozen)


@click.command()
@click.argument("which", metavar="[DRAFT]", default="latest")
@click.option(
    "--from",
    "start",
    metavar="DRAFT|frozen",
    help="What changed since these units; without it since those that the draft started from.",
)
@list_option
@overwrite_option
@json_option
@click.pass_context
def changes(
    ctx: click.Context, which: str, start: str | None, output: Path | None, overwrite: bool, as_json: bool
) -> None:
    """List the parcels whose unit changed since earlier units: from, to, area, why, and what the change brings (单元调整清单).

    gain_m2 is what the draft would be worth less if this parcel alone were back where it was; it is missing where it cannot be.
    """
    from lowland_gis.pipeline.units.drafts import reading_draft
    from lowland_gis.pipeline.units.inherit import changes_of

    with reading_draft(ctx.obj.project, which) as draft:
        rows = changes_of(draft, start)
    if output is not None:
        write_list(ctx.obj, rows.rename(columns=_CHANGES), output, overwrite=overwrite)
    else:
        show(rows, as_json=as_json)
    mark(ctx, draft.stale, draft.frozen)


@click.command()
@click.argument("parcel")
@draft_option
@json_option
@click.pass_context
def why(ctx: click.Context, parcel: str, which: str, as_json: bool) -> None:
    """Say where PARCEL is in a draft or why it is left out, and the next-best units that would hold it."""
    import pandas as pd

    from lowland_gis.pipeline.units.drafts import next_best, reading_draft
    from lowland_gis.pipeline.units.frozen import holding
    from lowland_gis.pipeline.units.tiers import plan_of

    with reading_draft(ctx.obj.project, which) as draft:
        said, found = next_best(draft, parcel)
        frozen, plan = holding(draft.held.connection, parcel), plan_of(draft, parcel)
    said += "; in no planning unit" if plan is None else f"; in the planning unit {plan}"
    ctx.obj.tell(f"{parcel}: {said}" + ("" if frozen is None else f"; it is in the frozen unit {frozen}"))
    rows = [(len(item.parcels), item.value_m2, item.loses_m2, " ".join(item.parcels)) for item in found]
    show(pd.DataFrame(rows, columns=["n_parcels", "value_m2", "loses_m2", "parcels"]), as_json=as_json)
    mark(ctx, draft.stale, draft.frozen)


LISTS = (members, changes, why)
