"""`lowland plan YEAR`, `plan write | read | show | check | quotas`: the annual plans of the towns (年度实施计划)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import InputPath, OutputPath, overwrite_option
from lowland_gis.cli.staleness import FINDINGS
from lowland_gis.cli.tables import Rows, json_option, show
from lowland_gis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_YEARS = click.IntRange(2000, 2100)
_FINDINGS = ("number", "town_code", "what", "column", "words")
_QUOTAS = (
    "level", "name", "reclaimed_m2", "built_m2", "balance_m2", "holds", "done_reclaimed_m2", "done_built_m2", "done_balance_m2",
    "holds_now",
)  # fmt: skip
year_argument = click.argument("year", type=_YEARS)
town_option = click.option("--town", help="Only this town (code or name).")


class _Plans(click.Group):
    """Commands of the plan; a year in the place of one shows that year."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is typed."""
        typed = ["show", *args] if args and args[0].isdecimal() else args
        return super().resolve_command(ctx, typed)


@click.group(cls=_Plans, options_metavar="", subcommand_metavar="YEAR | COMMAND [ARGS]...")
def plan() -> None:
    """Send out, read back, show and check the annual plans of the towns (年度实施计划); `lowland plan YEAR` shows one."""


@plan.command()
@year_argument
@click.option(
    "-o", "output", required=True, type=OutputPath(dir_okay=False), help="The workbook (.xlsx) to write."
)
@town_option
@overwrite_option
@click.pass_obj
def write(session: Session, year: int, output: Path, town: str | None, *, overwrite: bool) -> None:
    """Write the form of YEAR: a workbook with lists to choose from, for the towns to fill in.

    In it stand what was recorded of YEAR, else the projects of earlier years that go on, and the numbers of those of the year before,
    of which the towns report how far they have come.
    """
    from lowland_gis.files.whole import refused, whole
    from lowland_gis.pipeline.plans.look import write_plan_form

    if output.suffix.lower() != ".xlsx":
        raise UsageError(
            f"{output}: the form is a workbook, so nothing was written. Name it with .xlsx, such as -o plan{year}.xlsx"
        )
    with session.outputs.writing(output, overwrite=overwrite), whole(output) as partial, refused(output):
        count = write_plan_form(session.project, year, partial, town)
    session.tell(f"{count} projects stand in it → {output}. Back: lowland plan read {year} FILE.xlsx")


@plan.command()
@year_argument
@click.argument("file", type=InputPath(dir_okay=False))
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="Day on which it was drawn up.  [default: today]")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
@click.pass_context
def read(ctx: click.Context, year: int, file: Path, *, on: dt.datetime | None, dry_run: bool) -> None:
    """Read FILE, a workbook of the plan of YEAR that came back: all of it is recorded, or nothing.

    Every fault is named by its cell (计划!B7). The file is kept as the paper of the plan. Exit code 1 when something of it is not known.
    """
    from lowland_gis.pipeline.plans.recorded import read_plan

    session: Session = ctx.obj
    day = None if on is None else on.date()
    done = read_plan(session.project, year, file, on=day, dry_run=dry_run)
    towns = "; ".join(f"{town}: {count} projects" for town, count in done.towns.items())
    would = "would be recorded (--dry-run)" if dry_run else "recorded"
    end = would if done.fresh else "was recorded before, so nothing was added"
    session.tell("; ".join(part for part in (towns, f"{done.reports} reports") if part) + f" – {end}")
    for number in done.left_out:
        session.tell(
            f"{number} was in the plan before and is no more; it stays in the register until it is withdrawn:"
            f" lowland registry withdraw {number} --register project --reason TEXT"
        )
    for doubt in done.doubts:
        session.tell(f"Not known: {doubt}")
    if done.doubts:
        ctx.exit(FINDINGS)


@plan.command("show")
@year_argument
@town_option
@json_option
@click.pass_obj
def show_(session: Session, year: int, town: str | None, *, as_json: bool) -> None:
    """Show what is planned for YEAR, and how far it has come by the newest report of each project."""
    from lowland_gis.pipeline.plans.look import SHOWN, plan_list

    with session.project.snapshot() as connection:
        rows = plan_list(connection, year, town)
    _print(session, rows, SHOWN, year, as_json=as_json)


@plan.command()
@year_argument
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="Day for which it is asked what is late.  [default: today]")  # fmt: skip
@json_option
@click.pass_context
def check(ctx: click.Context, year: int, *, on: dt.datetime | None, as_json: bool) -> None:
    """Check the plans of YEAR against units, control lines, filed entries and reports as they are now. Exit code 1 when anything is found."""
    from lowland_gis.pipeline.plans.look import check_plan

    session: Session = ctx.obj
    day = dt.datetime.now().astimezone().date() if on is None else on.date()
    rows = check_plan(session.project, year, day)
    show(Rows.of(rows, _FINDINGS), as_json=as_json)
    session.tell(f"{len(rows)} findings of the plans of {year} on {day}")
    if rows:
        ctx.exit(FINDINGS)


@plan.command()
@year_argument
@json_option
@click.pass_context
def quotas(ctx: click.Context, year: int, *, as_json: bool) -> None:
    """Balance exchanged village land (增减挂钩) of YEAR: reclaimed against newly built on, by project, by town and of all. Exit code 1 when one does not hold."""
    from lowland_gis.pipeline.plans.look import plan_quotas

    with ctx.obj.project.snapshot() as connection:
        rows = plan_quotas(connection, year)
    show(Rows.of(rows, _QUOTAS), as_json=as_json)
    if any(row["holds"] is False or row["holds_now"] is False for row in rows):
        ctx.exit(FINDINGS)


def _print(
    session: Session, rows: list[dict[str, Any]], columns: Sequence[str], year: int, *, as_json: bool
) -> None:  # fmt: skip
    show(Rows.of(rows, columns), as_json=as_json)
    if not rows:
        session.tell(
            f"No plan of {year} is recorded. Send out the form: lowland plan write {year} -o FILE.xlsx"
        )
