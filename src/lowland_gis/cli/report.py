"""`lowland report due | bulletin | midyear | annual | evaluation | template`: what is due, and the reports themselves (简报与报告)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import InputPath, OutputPath, overwrite_option
from lowland_gis.cli.staleness import mark
from lowland_gis.cli.tables import Rows, json_option, show

_YEARS = click.IntRange(2000, 2100)
_DAY = click.DateTime(["%Y-%m-%d"])
_DUE = ("due", "days", "state", "title", "period", "made_on", "missing", "command")


@click.group()
def report() -> None:
    """Say which reports are due, and make them as Word documents with their workbooks (简报与报告)."""


on_option = click.option(
    "--on", type=_DAY, help="The day that figures are of, and due days are counted from; today without it."
)


def _making(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that every report has."""
    options = (
        click.argument("file", required=False, type=OutputPath(dir_okay=False)),
        click.option(
            "--template",
            type=InputPath(dir_okay=False),
            help="A template (.docx) in the place of the project's own or the shipped one.",
        ),
        on_option,
        click.option(
            "--case",
            "cases",
            multiple=True,
            metavar="PARCEL",
            help="A typical case (典型案例) to tell of; may be repeated.",
        ),
        click.option(
            "--photos",
            type=InputPath(file_okay=False),
            help="A folder of photos CODE-前.jpg and CODE-后.jpg; each parcel in it is a case.",
        ),
        overwrite_option,
        click.pass_context,
    )
    for option in reversed(options):
        command = option(command)
    return command


@report.command()
@on_option
@json_option
@click.pass_obj
def due(session: Session, on: dt.datetime | None, *, as_json: bool) -> None:
    """List what is due: the working day, what is made already, and what is missing to make it (报告日历)."""
    from lowland_gis.pipeline.products.reports_due import COLUMNS, calendar_doubts, reports_due

    day = dt.datetime.now().astimezone().date() if on is None else on.date()
    project = session.project
    for doubt in calendar_doubts(day):
        session.tell(f"Warning: {doubt}")
    rows = reports_due(project, day)
    show(Rows.of(rows, COLUMNS if as_json else _DUE), as_json=as_json)


@report.command()
@click.argument("month", metavar="YYYY-MM")
@_making
def bulletin(ctx: click.Context, month: str, **typed: Any) -> None:
    """Make the bulletin (工作简报) of an odd month, which covers that month and the one before."""
    _make(ctx, "bulletin", month, typed)


@report.command()
@click.argument("year", type=_YEARS)
@_making
def midyear(ctx: click.Context, year: int, **typed: Any) -> None:
    """Make the progress report (工作进展报告) of the first half of a year."""
    _make(ctx, "midyear", str(year), typed)


@report.command()
@click.argument("year", type=_YEARS)
@_making
def annual(ctx: click.Context, year: int, **typed: Any) -> None:
    """Make the annual summary (年度工作总结报告) of a year, due in November."""
    _make(ctx, "annual", str(year), typed)


@report.command()
@click.argument("which", type=click.Choice(["midterm", "final"]))
@_making
def evaluation(ctx: click.Context, which: str, **typed: Any) -> None:
    """Make the mid-term evaluation (中期评估报告) or the final report (试点总结报告)."""
    _make(ctx, which, which, typed)


@report.command()
@click.argument("folder", default="templates", type=OutputPath(file_okay=False))
@overwrite_option
@click.pass_obj
def template(session: Session, folder: Path, *, overwrite: bool) -> None:
    """Write the shipped templates into FOLDER, to be edited in Word; those in templates/ of the project are used from then on."""
    from lowland_gis.pipeline.products.report import write_templates

    for path in write_templates(
        session.project, session.project.settings.path(str(folder)), overwrite=overwrite
    ):
        click.echo(path)


def _make(ctx: click.Context, name: str, period: str, typed: dict[str, Any]) -> None:
    from lowland_gis.pipeline.products.report import Asked, asked_occasion, make_report

    project = ctx.obj.project
    on = typed["on"]
    asked = Asked(
        typed["file"],
        typed["template"],
        None if on is None else on.date(),
        tuple(typed["cases"]),
        typed["photos"],
        typed["overwrite"],
    )
    made = make_report(project, asked_occasion(name, period), asked, tell=ctx.obj.tell)
    click.echo(made.document)
    click.echo(made.workbook)
    mark(ctx, *made.stale)
