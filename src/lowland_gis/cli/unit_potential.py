"""`lowland unit potential | brief`: what units could gain, and the planning brief of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lowland_gis.cli.drafts import draft_option
from lowland_gis.cli.lists import list_option, write_list
from lowland_gis.cli.outputs import InputPath, OutputPath, overwrite_option
from lowland_gis.cli.staleness import mark
from lowland_gis.cli.tables import Rows, json_option, show
from lowland_gis.errors import UsageError

_SHOWN = ("figures", "uses", "parcels", "parameters")


@click.command()
@click.argument("unit_id", required=False, metavar="[UNIT]")
@click.option(
    "--all", "every", is_flag=True, help="All units of the draft, one a row; so it is without UNIT too."
)
@click.option(
    "--show",
    "shown",
    type=click.Choice(_SHOWN),
    default="figures",
    show_default=True,
    help="Of UNIT: its figures, next uses with reasons, or parcels; or all parameters with their documents.",
)
@draft_option
@list_option
@overwrite_option
@json_option
@click.pass_context
def potential(
    ctx: click.Context,
    /,
    unit_id: str | None,
    every: bool,
    shown: str,
    which: str,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Say what units could gain by redevelopment, what they could be used for next and what that costs (再开发潜力).

    Low and high are what the figures can be as far as their inputs are known; an empty end is not known. Prices, shares and weights are
    parameters, most of them examples: --show parameters lists them, definitions/potential.toml of the project sets its own.
    """
    from lowland_gis.pipeline.products.potential import unit_potentials
    from lowland_gis.pipeline.products.potential_tables import rows_of
    from lowland_gis.pipeline.products.unit_sheet import sheet_of
    from lowland_gis.pipeline.units.drafts import reading_draft

    if every and unit_id is not None:
        raise UsageError(f"Either the unit {unit_id} or --all units, not both.")
    if unit_id is None and shown in ("uses", "parcels"):
        raise UsageError(f"--show {shown} is of one unit: lowland unit potential UNIT --show {shown}")
    if unit_id is not None:
        which, unit_id = sheet_of(ctx.obj.project, which, unit_id)
    with reading_draft(ctx.obj.project, which) as draft:
        found = unit_potentials(draft, () if unit_id is None else (unit_id,))
        columns, rows = rows_of(draft, found, shown, one=unit_id is not None)
    for doubt in found.doubts:
        ctx.obj.tell(f"Warning: {doubt}")
    _show(ctx, columns, rows, output, overwrite=overwrite, as_json=as_json)
    mark(ctx, draft.stale, draft.frozen)


def _show(
    ctx: click.Context,
    columns: list[str],
    rows: list[dict[str, Any]],
    output: Path | None,
    *,
    overwrite: bool,
    as_json: bool,
) -> None:
    if output is None:
        show(Rows.of(rows, columns), as_json=as_json)
        return
    import pandas as pd

    from lowland_gis.pipeline.products.potential_rows import HEADINGS

    frame = pd.DataFrame(rows, columns=columns).rename(columns=HEADINGS)
    write_list(ctx.obj, frame, output, overwrite=overwrite)


@click.command()
@click.argument("unit_id", metavar="UNIT")
@click.option(
    "--out",
    "target",
    type=OutputPath(dir_okay=False),
    required=True,
    help="FILE.docx, or FILE.pdf, which LibreOffice makes.",
)
@click.option(
    "--template",
    type=InputPath(dir_okay=False),
    help="A template (.docx) in the place of the project's own or the shipped one.",
)
@draft_option
@overwrite_option
@click.pass_context
def brief(
    ctx: click.Context, /, unit_id: str, target: Path, template: Path | None, which: str, *, overwrite: bool
) -> None:
    """Write the planning brief of a unit, or of a frozen one by its number, as Word or PDF (单元规划策划简报).

    The template is templates/unit_brief.docx of the project where it is there; `lowland report template` writes it, to be edited in Word.
    """
    from lowland_gis.pipeline.products.unit_brief import unit_brief
    from lowland_gis.pipeline.products.unit_sheet import sheet_of
    from lowland_gis.pipeline.units.drafts import reading_draft

    which, unit_id = sheet_of(ctx.obj.project, which, unit_id)
    with reading_draft(ctx.obj.project, which) as draft:
        click.echo(
            unit_brief(draft, unit_id, target, template=template, overwrite=overwrite, tell=ctx.obj.tell)
        )
    mark(ctx, draft.stale, draft.frozen)
