"""`lowland unit …`: draw, judge, edit, tell apart and freeze redevelopment units; lists, tiers and potential stand in modules beside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowland_gis.cli import Session
from lowland_gis.cli.drafts import draft_option
from lowland_gis.cli.outputs import InputPath, OutputPath, overwrite_option
from lowland_gis.cli.staleness import mark, tell_findings
from lowland_gis.cli.tables import Rows, json_option, show
from lowland_gis.cli.unit_edits import edit, said_values
from lowland_gis.cli.unit_lists import LISTS
from lowland_gis.cli.unit_potential import brief, potential
from lowland_gis.cli.unit_tiers import TIERS
from lowland_gis.errors import UsageError

if TYPE_CHECKING:
    from lowland_gis.pipeline.units.drafts import Compared

_LIST = [
    "run_id",
    "name",
    "origin",
    "n_units",
    "value_m2",
    "bound_m2",
    "gap",
    "coverage",
    "n_findings",
    "frozen",
    "stale",
]
_METRICS = ["unit_id", "n_parcels", "area_m2", "low_share", "compactness", "neck_m", "value_m2"]
dry_run_option = click.option("--dry-run", is_flag=True, help="Do everything, then roll it back.")
layer_option = click.option("--layer", help="Layer of the file; without it `members`, else the first one.")


@click.group()
def unit() -> None:
    """Draw, judge, edit and freeze redevelopment units (再开发单元)."""


for listing in (*LISTS, *TIERS, potential, brief, edit):
    unit.add_command(listing)


@unit.command()
@click.argument("name", required=False)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of [delineate], such as min_ha=3 or weights.outline=20.",
)
@click.option("--rounds", type=int, help="Rounds of search; 0 is quickest.")
@click.option("--prove", "proof", type=int, help="Rounds that prove a tighter bound.")
@click.option("--seed", type=int, help="Another seed may find other units of nearly the same value.")
@click.option(
    "--from",
    "start",
    metavar="DRAFT|frozen",
    help="Start from the units of a draft, or from the frozen ones: units that live on keep their names.",
)
@click.option(
    "--stability",
    type=click.FloatRange(min=0),
    metavar="PRICE",
    help="m² of low-efficiency land that a m² costs which changes its unit (weights.changed_land); with --from.",
)
@click.option(
    "--lock-quiet",
    "lock",
    is_flag=True,
    help="With --from: units of which no parcel has changed stay as they are.",
)
@click.pass_context
def draft(
    ctx: click.Context,
    /,
    name: str | None,
    changes: tuple[str, ...],
    start: str | None,
    stability: float | None,
    lock: bool,
    **effort: int | None,
) -> None:
    """Draw units from the current verdicts; with NAME a draft beside those of the flow, under changed settings."""
    from lowland_gis.pipeline.units.drafts import read_draft
    from lowland_gis.pipeline.units.draw import delineate
    from lowland_gis.pipeline.units.draw import draft as draw
    from lowland_gis.pipeline.units.inherit import from_units

    wanted = _changes(changes) | {key: value for key, value in effort.items() if value is not None}
    if stability is not None:
        if start is None:
            raise UsageError(
                "--stability prices what changes since earlier units. Name those: --from DRAFT or --from frozen"
            )
        wanted["weights.changed_land"] = stability
    if lock and start is None:
        raise UsageError("--lock-quiet keeps earlier units. Name those: --from DRAFT or --from frozen")
    if name is None and (wanted or start is not None):
        raise UsageError(
            "Changed settings need a name, so that the draft can be told apart. Type: lowland unit draft NAME …"
        )
    project, tell = ctx.obj.project, ctx.obj.tell
    inherit = None if start is None else from_units(start, lock=lock)
    done = (
        delineate(project, tell=tell)
        if name is None
        else draw(project, name, wanted, inherit=inherit, tell=tell)
    )
    click.echo(f"run {done.run_id}{'' if done.fresh else ' holds already: nothing has changed'}")
    with project.transaction() as connection:
        findings = read_draft(connection, str(done.run_id)).findings
    tell_findings(ctx, findings)


def _changes(texts: tuple[str, ...]) -> dict[str, object]:
    changes: dict[str, object] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"--set {text}: write it as KEY=VALUE, for example --set min_ha=3")
        try:
            changes[key] = json.loads(value)
        except json.JSONDecodeError:
            changes[key] = value
    return changes


@unit.command("list")
@click.option(
    "--all",
    "frozen",
    is_flag=True,
    help="List every unit that was ever frozen instead, the withdrawn ones with their reason.",
)
@json_option
@click.pass_context
def list_drafts(ctx: click.Context, frozen: bool, as_json: bool) -> None:
    """List the drafts side by side: units, value, bound, gap, coverage, broken rules, frozen units, and whether out of date.

    Exit code 1 when the newest one is out of date, or a correction has touched a frozen unit.
    """
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.units.frozen_changes import affected_frozen
    from lowland_gis.pipeline.units.listed import drafts, stale_drafts

    if frozen:
        _list_frozen(ctx, as_json=as_json)
        return
    with reading(ctx.obj.project) as held:
        rows, touched = drafts(held.connection), affected_frozen(held)
        stale = stale_drafts(held, rows)
    rows = [row | {"stale": by is not None} for row, by in zip(rows, stale, strict=True)]
    if not as_json:
        rows = [row | {name: f"{row[name]:.2%}" for name in ("gap", "coverage")} for row in rows]
    show(Rows.of(rows, _LIST), as_json=as_json)
    mark(ctx, stale[-1] if stale else None, touched)


def _list_frozen(ctx: click.Context, *, as_json: bool) -> None:
    """List every unit that was ever frozen."""
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.units.frozen import unit_history
    from lowland_gis.pipeline.units.frozen_changes import frozen_changes, said_of

    with reading(ctx.obj.project) as held:
        entries, changes = unit_history(held.connection), frozen_changes(held)
    touched = entries["newest"] & entries["number"].isin(changes["number"])
    show(entries.assign(touched=touched).drop(columns="newest"), as_json=as_json)
    mark(ctx, said_of(changes))


@unit.command()
@click.argument("what", default="latest")
@layer_option
@json_option
@click.pass_context
def metrics(ctx: click.Context, what: str, layer: str | None, as_json: bool) -> None:
    """Show every unit of a draft with its ledger; or judge a FILE of polygons or members by the limits of lowland.toml."""
    import pandas as pd

    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.units.drafts import judged_polygons, reading_draft
    from lowland_gis.pipeline.units.frozen_changes import affected_frozen
    from lowland_gis.pipeline.units.tiers import tiers_of

    project = ctx.obj.project
    if Path(what).suffix:
        with reading(project) as held:
            judged, frozen = judged_polygons(held, Path(what), layer), affected_frozen(held)
        rows, findings, stale = judged.units, judged.findings, (held.stale, frozen)
    else:
        with reading_draft(project, what) as draft:
            rows = pd.DataFrame(draft.units().drop(columns="geometry"))
            plans = tiers_of(draft).parcels.dropna(subset="unit_id").groupby("unit_id")["plan_id"].first()
            rows.insert(2, "plan_id", rows["unit_id"].map(plans))
        findings, stale = draft.stored.findings, (draft.stale, draft.frozen)
    # A drawing by hand has no rule that limits it; drafts of before necks were measured have none.
    shown = rows if as_json else rows[[name for name in (*_METRICS, "limited_by") if name in rows.columns]]
    show(shown, as_json=as_json)
    tell_findings(ctx, findings, *stale)


def _tell_compared(ctx: click.Context, done: Compared) -> None:
    show(done.changed, as_json=False)
    click.echo(said_values(done))
    tell_findings(ctx, done.findings)


@unit.command()
@click.argument("target", type=OutputPath())
@draft_option
@overwrite_option
@click.pass_context
def export(ctx: click.Context, target: Path, which: str, overwrite: bool) -> None:
    """Write a draft as a GeoPackage for QGIS: `members` (edit unit_id) and `units` (edit outlines)."""
    from lowland_gis.pipeline.units.drafts import reading_draft
    from lowland_gis.pipeline.units.exported import export as export_draft

    with reading_draft(ctx.obj.project, which) as draft:
        click.echo(export_draft(draft, target, overwrite=overwrite))
    mark(ctx, draft.stale, draft.frozen)


@unit.command("import")
@click.argument("source", type=InputPath())
@draft_option
@click.option("--name", help="Name of the new draft; without it that of the file.")
@layer_option
@click.pass_context
def import_(ctx: click.Context, source: Path, which: str, name: str | None, layer: str | None) -> None:
    """Bring a draft back that was edited in QGIS, check it by the rules of --draft, and show what the edit cost."""
    from lowland_gis.pipeline.units.drafts import import_edited

    done = import_edited(ctx.obj.project, which, name or source.stem, source, layer, tell=ctx.obj.tell)
    _tell_compared(ctx, done)


@unit.command()
@draft_option
@click.option("--unit", "units", multiple=True, help="Freeze only these units.")
@click.option(
    "--replaces",
    multiple=True,
    metavar="NUMBER",
    help="Withdraw this frozen unit in the same step; the new ones take its place.",
)
@dry_run_option
@json_option
@click.pass_obj
def freeze(
    session: Session,
    which: str,
    units: tuple[str, ...],
    replaces: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Freeze units of a draft: they get numbers by the town's scheme and stay in the registry.

    Refused with 3 while a correction has touched frozen units that these do not replace.
    """
    from lowland_gis.pipeline.units.freeze import freeze as freeze_units

    done = freeze_units(session.project, which, units, replaces=replaces, dry_run=dry_run, tell=session.tell)
    show(done, as_json=as_json)
    _tell_dry_run(session, dry_run)


@unit.command()
@click.argument("numbers", nargs=-1, required=True, metavar="UNIT...")
@click.option("--reason", required=True, help="Why; it stays in the registry.")
@dry_run_option
@json_option
@click.pass_obj
def withdraw(session: Session, numbers: tuple[str, ...], reason: str, dry_run: bool, as_json: bool) -> None:
    """Withdraw frozen units by their numbers: they are not filed any more, and new ones can be frozen over their ground.

    Nothing is deleted: who, when and why stay in the registry, see lowland unit list --all.
    """
    from lowland_gis.pipeline.units.freeze import withdraw as withdraw_units

    done = withdraw_units(session.project, numbers, reason, dry_run=dry_run)
    for row in done[~done["fresh"]].to_dict("records"):
        session.tell(
            f"{row['number']} was withdrawn before, by {row['recorded_by']} on {row['recorded_at']:%Y-%m-%d}: {row['reason']};"
            " nothing was added"
        )
    show(done, as_json=as_json)
    _tell_dry_run(session, dry_run)


def _tell_dry_run(session: Session, dry_run: bool) -> None:
    if dry_run:
        session.tell("Dry run: nothing was kept")


@unit.command()
@click.argument("unit_id")
@click.argument("target", type=OutputPath())
@draft_option
@overwrite_option
@click.pass_context
def sheet(ctx: click.Context, unit_id: str, target: Path, which: str, overwrite: bool) -> None:
    """Draw the one-page planning sheet of a unit, or of a frozen one by its number, as PDF or PNG (单元规划一页图)."""
    from lowland_gis.pipeline.products.unit_sheet import sheet_of, unit_sheet
    from lowland_gis.pipeline.units.drafts import reading_draft

    which, unit_id = sheet_of(ctx.obj.project, which, unit_id)
    with reading_draft(ctx.obj.project, which) as draft:
        click.echo(unit_sheet(draft, unit_id, target, overwrite=overwrite, tell=ctx.obj.tell))
    mark(ctx, draft.stale, draft.frozen)
