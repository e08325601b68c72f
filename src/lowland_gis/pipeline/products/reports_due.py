"""What is due of reports (报告日历): on which working day, what is made already, and what is missing to make it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from lowland_gis.analysis.registry.report_calendar import Occasion, occasions
from lowland_gis.db.connect import Connection
from lowland_gis.definitions.reports import report_calendar
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import CHECK, CLASSIFY, DELINEATE, DETERMINE
from lowland_gis.pipeline.base.runs import latest_record
from lowland_gis.pipeline.intake.reading import read_in
from lowland_gis.pipeline.plans.ground import newest_reports, planned_rows

COLUMNS = (
    "due",
    "days",
    "state",
    "report",
    "title",
    "period",
    "covers",
    "recipient",
    "made_on",
    "file",
    "missing",
    "command",
)
MADE, OVERDUE, DUE, COMING = "made", "overdue", "due", "coming"
# So far back and ahead is looked.
_BACK, _AHEAD = dt.timedelta(days=92), dt.timedelta(days=184)


def reports_due(project: Project, day: dt.date) -> list[dict[str, Any]]:
    """Return the reports from three months before a day to half a year after it: the `COLUMNS`, by the day on which they are due.

    days are working days until then, below 0 when it is past. state: made, overdue, due (near enough), or coming.
    """
    found = report_calendar()
    with project.snapshot() as connection:
        lacking = list(_lacking(project, connection))
        return [_row(connection, each, day, lacking) for each in occasions(found, day - _BACK, day + _AHEAD)]


def calendar_doubts(day: dt.date) -> list[str]:
    """Return what is not known of the working days that are counted."""
    found = report_calendar()
    years = sorted({(day - _BACK).year, day.year, (day + _AHEAD).year})
    return [
        f"The days off of {year} are not in reports.toml, so only Saturdays and Sundays are off."
        " Put them into definitions/reports.toml when they are announced (节假日安排)."
        for year in years
        if not found.announced(year)
    ]


def _row(connection: Connection, each: Occasion, day: dt.date, lacking: list[str]) -> dict[str, Any]:
    found = report_calendar()
    made_on, file = _made(connection, each)
    days = found.working_days_until(day, each.due)
    if made_on is not None:
        state = MADE
    elif each.due < day:
        state = OVERDUE
    else:
        state = DUE if days <= found.working.ahead else COMING
    missing = [] if state == MADE else [*lacking, *_unplanned(connection, each)]
    return {
        "due": each.due, "days": days, "state": state, "report": each.report, "title": each.title, "period": each.period,
        "covers": f"{each.first} – {each.last}", "recipient": each.recipient, "made_on": made_on, "file": file,
        "missing": "；".join(missing), "command": "" if state == MADE else _command(each),
    }  # fmt: skip


def _made(connection: Connection, each: Occasion) -> tuple[dt.date | None, str | None]:
    """Return on which day a report was made, and its file; the update of a year is made when it is closed."""
    if each.made_by == "update":
        row = connection.execute(
            "SELECT recorded_at::date, 'lowland update close' FROM registry.annual_update WHERE step = 'closed' AND year = ANY(%s)"
            " ORDER BY recorded_at DESC LIMIT 1",
            [[each.last.year - 1, each.last.year]],
        ).fetchone()
    else:
        row = connection.execute(
            "SELECT recorded_at::date, file_name FROM registry.report WHERE report = %s AND period = %s ORDER BY row_id DESC LIMIT 1",
            [each.report, each.period],
        ).fetchone()
    return (None, None) if row is None else (row[0], row[1])


def _command(each: Occasion) -> str:
    if each.how or not each.made_by or each.made_by == "update":
        return each.how
    named = each.report if each.made_by == "evaluation" else each.period
    return f"lowland report {each.made_by} {named}"


def _lacking(project: Project, connection: Connection) -> Iterator[str]:
    """Yield what every report lacks now."""
    if latest_record(connection, CLASSIFY) is None:
        yield "no verdicts 未认定 (lowland run)"
        return
    try:
        if read_in(connection, project).stale is not None:
            yield "verdicts out of date 成果已过期 (lowland run)"
    except (UsageError, InputRefusedError) as error:
        yield str(error).splitlines()[0]
    for stage, words in (
        (DELINEATE, "no units 未划单元 (lowland run)"),
        (DETERMINE, "no register drafts 三库未起草 (lowland registry draft)"),
        (CHECK, "checks not run 未质检 (lowland check run)"),
    ):
        if latest_record(connection, stage) is None:
            yield words


def _unplanned(connection: Connection, each: Occasion) -> Iterator[str]:
    """Yield what of plans a report lacks: the plan of its year, or reports of its projects."""
    year = each.last.year
    rows = planned_rows(connection, year)
    if not rows:
        yield f"no plan of {year} 无年度计划 (lowland plan read {year} FILE)"
        return
    reports = newest_reports(connection)
    silent = sorted({row["town_code"] for row in rows if row["number"] not in reports})
    if silent:
        yield f"progress not reported 未报进度: {', '.join(silent)}"
