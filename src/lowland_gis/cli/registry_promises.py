"""`lowland registry promise | promises`: contracts with promises of firms, and how they stand (承诺履约)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import InputPath
from lowland_gis.cli.staleness import FINDINGS
from lowland_gis.cli.tables import Rows, json_option, show

_DAY = click.DateTime(["%Y-%m-%d"])
_COLUMNS = (
    "contract", "firms", "names", "parcels", "item", "year", "due", "promised", "actual", "status", "title", "words",
)  # fmt: skip
_STATUS = ("met", "breached", "due", "unknown", "not_due")


@click.command()
@click.argument("file", type=InputPath(dir_okay=False))
@click.option("--on", "on", type=_DAY, help="Day on which they were recorded.  [default: today]")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
@click.pass_obj
def promise(session: Session, file: Path, *, on: dt.datetime | None, dry_run: bool) -> None:
    """Record the contracts of FILE (.xlsx, .csv) with what firms promise: investment, tax, output, beginning, end (承诺).

    One row for each firm and parcel of a contract. A contract that is there already is amended: the newer one holds, the older stays.
    The paper of each is named by its file, beside FILE, or by its SHA-256.
    """
    from lowland_gis.pipeline.registry.promises import record_promises

    fresh, before = record_promises(
        session.project, file, on=None if on is None else on.date(), dry_run=dry_run
    )
    would = "would be recorded (--dry-run)" if dry_run else "recorded"
    for contract in fresh:
        click.echo(contract)
    session.tell(f"{len(fresh)} contracts {would}, {before} were recorded before")


@click.command()
@click.option("--firm", help="Only this firm (统一社会信用代码 or name).")
@click.option("--parcel", help="Only this parcel (宗地代码).")
@click.option("--due", "due", type=_DAY, help="How they stand on this day.  [default: today]")
@click.option("--status", type=click.Choice(_STATUS), help="Only what stands so.")
@click.option("--propose", is_flag=True, help="Put what is breached on the problem list as proposals, and take back what is not any more.")  # fmt: skip
@json_option
@click.pass_context
def promises(
    ctx: click.Context,
    *,
    firm: str | None,
    parcel: str | None,
    due: dt.datetime | None,
    status: str | None,
    propose: bool,
    as_json: bool,
) -> None:
    """List what firms promised and how it stands by the figures delivered: met, breached, due, unknown, not yet due.

    A figure that was not delivered is unknown, and not a breach. Exit code 1 when something is breached.
    """
    from lowland_gis.pipeline.registry.promises import promise_rows, propose_breaches

    session: Session = ctx.obj
    day = dt.datetime.now().astimezone().date() if due is None else due.date()
    if propose:
        fresh, back = propose_breaches(session.project, day)
        session.tell(f"{fresh} problems proposed, {back} taken back. See: lowland registry list --register problem")  # fmt: skip
    with session.project.snapshot() as connection:
        rows = promise_rows(connection, day, firm=firm, parcel=parcel)
    shown = [row for row in rows if status is None or row["status"] == status]
    show(Rows.of(shown, _COLUMNS), as_json=as_json)
    counts = {name: sum(row["status"] == name for row in rows) for name in _STATUS}
    session.tell(f"On {day}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    if counts["breached"]:
        ctx.exit(FINDINGS)
