"""`lowland update open | diff | close`: last year's filed state against the new deliveries (年度更新)."""

from __future__ import annotations

from pathlib import Path

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import OutputPath, overwrite_option
from lowland_gis.cli.staleness import FINDINGS
from lowland_gis.cli.tables import json_option, show

# The balance closes where no town is off by more.
_CLOSES_M2 = 0.005


@click.group()
def update() -> None:
    """Compare last year's filed state with the new deliveries, and close the year (年度更新)."""


@update.command("open")
@click.argument("year", type=int)
@click.option("--again", is_flag=True, help="Have an update that is open rest on what is in force by now.")
@click.option("--reason", help="Why it is opened again.")
@click.pass_obj
def open_(session: Session, year: int, *, again: bool, reason: str | None) -> None:
    """Open the update of YEAR: fix what is compared, the land of the filed state and that of the newest classification."""
    from lowland_gis.pipeline.update.opening import open_update

    opened = open_update(session.project, year, again=again, reason=reason)
    for title, said in (("before", opened.before), ("after", opened.after)):
        click.echo(
            f"{title:<7} run {said['classify']}, judged for {said['as_of']}, {len(said['versions'])} deliveries, rules {said['pack']}"
        )
    click.echo(
        f"{opened.before['entries']:,} entries were filed; head of the chain {opened.before['registry_head']}"
    )
    session.tell(f"The update of {year} is open. Next: lowland update diff")


@update.command()
@click.option(
    "-o",
    "output",
    type=OutputPath(dir_okay=False),
    help="Write the changes: .csv, .xlsx (with the balance), .parquet, or .gpkg for QGIS.",
)
@overwrite_option
@click.option("--kind", help="Show only changes of this kind, such as split.")
@json_option
@click.pass_context
def diff(ctx: click.Context, output: Path | None, overwrite: bool, kind: str | None, as_json: bool) -> None:
    """Compare both states: every change with cause and evidence, and the balance of areas by town.

    Exit code 1 where the balance does not close.
    """
    from lowland_gis.pipeline.update.diff import diff_update
    from lowland_gis.pipeline.update.listed import as_records, by_kind, found_changes, write_changes

    session: Session = ctx.obj
    if output is not None:
        session.outputs.check(output, overwrite=overwrite)
    opened, run = diff_update(session.project, tell=session.tell)
    with session.project.snapshot() as connection:
        found = found_changes(connection, opened, run.run_id)
    if output is not None:
        count = write_changes(session.project, found, output, overwrite=overwrite)
        session.tell(f"{count:,} changes → {output}")
    elif as_json:
        click.echo(as_records(found))
    elif kind is not None:
        columns = ["change_no", "cause_title", "town", "old_parcels", "new_parcels", "evidence"]
        show(found.changes.loc[found.changes["kind"] == kind, columns], as_json=False)
    else:
        show(by_kind(found.changes), as_json=False, title=f"{opened.year} 年度更新：变化")
        show(found.balance.drop(columns="town_code"), as_json=False, title="面积平衡 m²")
    if len(found.doubts):
        session.tell(f"{len(found.doubts):,} doubts (存疑) to be looked at: lowland layers rejects parcel")
    if found.residual_m2 > _CLOSES_M2:
        session.tell(f"The balance does not close: {found.residual_m2:,.2f} m² are not explained")
        ctx.exit(FINDINGS)
