"""`lowland update open | diff | increment | close`: last year's filed state against the new deliveries (年度更新)."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from lowland_gis.analysis.geometry.plane import DEFAULT_CRS
from lowland_gis.cli import Session
from lowland_gis.cli.outputs import InputPath, OutputPath, overwrite_option
from lowland_gis.cli.staleness import FINDINGS
from lowland_gis.cli.tables import json_option, show


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
@click.option("--doubts", is_flag=True, help="Show what is to be looked at by a person (存疑).")
@json_option
@click.pass_context
def diff(
    ctx: click.Context, *, output: Path | None, overwrite: bool, kind: str | None, doubts: bool, as_json: bool
) -> None:
    """Compare both states: every change with cause and evidence, and the balance of areas by town.

    Exit code 1 where the balance does not close.
    """
    from lowland_gis.pipeline.update.close import CLOSES_M2
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
    elif doubts:
        show(found.doubts, as_json=False)
    elif kind is not None:
        columns = ["change_no", "cause_title", "town", "old_parcels", "new_parcels", "evidence"]
        show(found.changes.loc[found.changes["kind"] == kind, columns], as_json=False)
    else:
        show(by_kind(found.changes), as_json=False, title=f"{opened.year} 年度更新：变化")
        show(found.balance.drop(columns="town_code"), as_json=False, title="面积平衡 m²")
    if len(found.doubts) and not doubts:
        session.tell(f"{len(found.doubts):,} doubts (存疑) to be looked at: lowland update diff --doubts")
    if found.residual_m2 > CLOSES_M2:
        session.tell(f"The balance does not close: {found.residual_m2:,.2f} m² are not explained")
        ctx.exit(FINDINGS)


@update.command()
@click.argument("before", type=InputPath())
@click.argument("increment", type=InputPath())
@click.argument("now", type=InputPath())
@click.option(
    "-o",
    "output",
    type=OutputPath(dir_okay=False),
    help="Write what does not match: .csv, .parquet, or .gpkg for QGIS.",
)
@click.option(
    "--lineage",
    type=OutputPath(dir_okay=False),
    help="Write which polygon became which, by number and year (.csv, .parquet).",
)
@click.option("--src-crs", help="Coordinate system of the files, where they declare none.")
@overwrite_option
@json_option
@click.pass_context
def increment(
    ctx: click.Context,
    before: Path,
    increment: Path,
    now: Path,
    *,
    output: Path | None,
    lineage: Path | None,
    src_crs: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Check the increment of the yearly survey in files: base BEFORE + INCREMENT = base NOW to 0.01 m²; no database is needed.

    Each is a geodatabase, VCT, shapefile or folder of them. The layers are found by their names: DLTB, DLTBGX, DLTBGXGC, and XZQ, XZQGX,
    XZQGXGC where they are there. Exit code 1 where anything does not match.
    """
    from lowland_gis.pipeline.intake.in_memory import How
    from lowland_gis.pipeline.quality.increment_files import (
        Files,
        check_targets,
        increment_of_files,
        write_breaks,
        write_lineage,
    )

    session: Session = ctx.obj
    plane = session.settings.project.crs if session.project_file.is_file() else DEFAULT_CRS
    check_targets(output, lineage)
    with ExitStack() as stack:
        for target in filter(None, (output, lineage)):
            stack.enter_context(
                session.outputs.writing(target, overwrite=overwrite, inputs=[before, increment, now])
            )
        found = increment_of_files(Files(before, increment, now), How(plane, src_crs), tell=session.tell)
        if output is not None:
            write_breaks(found, output)
        if lineage is not None:
            write_lineage(found, lineage)
    table = found.breaks.drop(columns="geometry")
    if as_json:
        click.echo(table.to_json(orient="records", force_ascii=False))
    elif len(table):
        show(table[["layer", "rule", "message"]], as_json=False, title=f"{found.year} 年度增量：不符")
    balance = found.balance
    session.tell(
        f"{found.year}: {balance.before_m2:,.2f} m² + {balance.came_m2:,.2f} came - {balance.went_m2:,.2f} went = {balance.now_m2:,.2f} m²"
        f" to {balance.residual_m2:,.2f} m²; {balance.changed_m2:,.2f} m² changed in {len(found.lineage):,} pairs; {len(table):,} do not match"
        + ("" if found.towns else "; the towns (XZQ, XZQGX) are not in all three, so they were not looked at")
    )
    if len(table):
        ctx.exit(FINDINGS)


@update.command()
@click.argument("target", required=False, type=OutputPath())
@click.option(
    "--proposals",
    "proposals",
    type=OutputPath(dir_okay=False),
    help="Write the entries that people are asked to withdraw, a list that `registry withdraw --file` takes (.csv).",
)
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record and write nothing.")
@overwrite_option
@json_option
@click.pass_obj
def close(
    session: Session,
    *,
    target: Path | None,
    proposals: Path | None,
    dry_run: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Close the update: lineage of entries, what people are asked to withdraw, and a package of what has changed.

    The package goes to TARGET, a folder or a .zip file; without one beside the whole package. No entry is moved: what is proposed is
    withdrawn by people, with their paper.
    """
    import pandas as pd

    from lowland_gis.cli.lists import write_list
    from lowland_gis.pipeline.update.close import close_update

    if proposals is not None:
        session.outputs.check(proposals, overwrite=overwrite)
    closed = close_update(
        session.project, target=target, overwrite=overwrite, dry_run=dry_run, tell=session.tell
    )
    columns = ["register", "subject", "version", "state", "reason"]
    rows = pd.DataFrame([vars(proposal) for proposal in closed.proposals], columns=columns)
    if as_json or len(rows):
        show(rows, as_json=as_json, title="建议撤销（由人确认）")
    for register, some in rows.groupby("register"):
        file = "LIST.csv"
        if proposals is not None and not dry_run:
            path = proposals.with_stem(f"{proposals.stem}-{register}")
            write_list(session, some, path, overwrite=overwrite)
            file = str(path)
        session.tell(
            f"{len(some):,} entries of {register} are proposed to be withdrawn: lowland registry withdraw --file {file} --register {register}"
            " --document FILE --reason TEXT"
        )
    if closed.package is not None:
        for layer in closed.package.layers:
            session.tell(f"{layer.name} {layer.rows:,} {layer.title} {layer.path}")
        session.tell(f"{len(closed.package.files)} files → {closed.package.target}")
    if closed.circular:
        session.tell(
            f"{closed.circular:,} rows of lineage were left out, since they would go in a circle: parcels that went over into each other, or a number"
            " that came back. Look at them: lowland update diff"
        )
    would = "would be closed (--dry-run)" if dry_run else "is closed"
    session.tell(f"The update of {closed.update.year} {would}: {closed.lineage:,} rows of lineage")
