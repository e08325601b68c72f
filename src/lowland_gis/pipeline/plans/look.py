"""The annual plans as they are recorded: the form for a year, what is planned and how far it has come, what is wrong with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lowland_gis.analysis.registry.plan_checks import plan_faults
from lowland_gis.analysis.registry.plan_form import PLAN, PLAN_COLUMNS, PROGRESS, heading, plan_form
from lowland_gis.analysis.registry.plan_progress import going, quotas
from lowland_gis.db.connect import Connection
from lowland_gis.definitions.plan import plan_terms
from lowland_gis.pipeline.base.procedure import read_procedure
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.plans.ground import (
    known_ground,
    known_towns,
    known_units,
    newest_reports,
    planned_rows,
    town_of,
)
from lowland_gis.products.tables.form import write_form

# So many numbers are offered to each town for new projects.
OFFERED = 10
_ENDED = ("done", "withdrawn")


def write_plan_form(project: Project, year: int, target: Path, town: str | None = None) -> int:
    """Write the form of a year for all towns, or one; return how many projects stand in it already.

    In it stand what was recorded of that year, else the projects of earlier years that go on; numbers for new ones; and on the second
    sheet the numbers of the projects of the year before.

    Raises:
        UsageError: there is no such town; or the database enforces no procedure yet.
    """
    with project.snapshot() as connection:
        code = None if town is None else town_of(connection, town)
        towns = known_towns(connection)
        asked = towns if code is None else {code: towns[code]}
        units = {
            number: unit
            for number, unit in known_units(project, connection, read_procedure(connection)).items()
            if code is None or unit.town_code in (code, None)
        }
        rows = planned_rows(connection, town=code)
    form = plan_form(project.settings.project.district_name, year, plan_terms(), asked, units)
    plan = _written(rows, year)
    offered = [row for each in asked for row in _offered(each, year, rows)]
    values = {
        PLAN: sorted([*plan, *offered], key=lambda row: (row["town_code"], row["number"])),
        PROGRESS: [{"number": row["number"]} for row in rows if row["year"] == year - 1],
    }
    write_form(target, form, values, dated=dt.date(year - 1, 12, 1))
    return len(plan)


def _written(rows: Sequence[Mapping[str, Any]], year: int) -> list[dict[str, Any]]:
    """Return what stands in the form already: of each town its plan of the year, else what goes on of earlier ones."""
    own = {row["town_code"] for row in rows if row["year"] == year}
    newest = {
        row["number"]: row
        for row in rows
        if row["year"] == year
        or (row["year"] < year and row["town_code"] not in own and row["project_state"] not in _ENDED)
    }
    return [{column.key: row[column.key] for column in PLAN_COLUMNS} for row in newest.values()]


def _offered(town: str, year: int, rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    taken = {row["number"] for row in rows}
    tried = (f"{town}-{year}-{number:02}" for number in range(1, OFFERED + len(taken) + 1))
    free = [number for number in tried if number not in taken]
    for number in free[:OFFERED]:
        yield {"town_code": town, "number": number}


# What is shown of each project, in this order; of the report what begins with done_.
SHOWN = (
    "number", "town_code", "town", "title", "kind", "unit", "developer", "content", "phase", "start_on", "end_on", "goal", "area_m2",
    "investment_wan", "plan_state", "project_state", "status", "reason", "step", "started_on", "finished_on", "done_m2", "done_wan",
    "as_of", "reclaimed_m2", "built_m2", "quota_no", "quota_on",
)  # fmt: skip


def plan_list(connection: Connection, year: int, town: str | None = None) -> list[dict[str, Any]]:
    """Return the projects of a year's plans with the newest report of each: the columns of `SHOWN`; states by their titles.

    Raises:
        UsageError: there is no such town; or the database enforces no procedure yet.
    """
    registers, terms = read_procedure(connection).registers, plan_terms()
    towns, reports = known_towns(connection), newest_reports(connection)
    code = None if town is None else town_of(connection, town)
    found = []
    for row in planned_rows(connection, year, code):
        report = reports.get(row["number"], {})
        status, reason = report.get("status"), report.get("reason")
        found.append(
            {
                **row, "town": towns.get(row["town_code"], ""), "plan_state": registers["plan"].state[row["plan_state"]],
                "project_state": registers["project"].state[row["project_state"]],
                "status": None if status is None else f"{status} {terms.status.values[status]}",
                "reason": None if reason is None else f"{reason} {terms.reason.values[reason - 1]}",
                **{key: report.get(key) for key in ("step", "started_on", "finished_on", "as_of")},
                "done_m2": report.get("area_m2"), "done_wan": report.get("investment_wan"),
            }
        )  # fmt: skip
    return [{key: row[key] for key in SHOWN} for row in found]


def check_plan(project: Project, year: int, day: dt.date) -> list[dict[str, Any]]:
    """Return what is wrong with the plans of a year as they are recorded: number, town_code, what, column, words; by number.

    Plans are held against units, control lines and filed entries as these are now, and reports against what was planned.
    `what` is fault, unknown, or how a project is late.
    """
    with project.snapshot() as connection:
        force, terms = read_procedure(connection), plan_terms()
        rows = planned_rows(connection, year)
        known = known_ground(project, connection, force, year, without_towns=None)
        reports = newest_reports(connection)
    # What is finished since was planned rightly.
    open_ = [row for row in rows if row["project_state"] != "done"]
    found = [
        {
            "number": open_[each.place]["number"], "town_code": open_[each.place]["town_code"],
            "what": "unknown" if each.open else "fault", "column": heading(PLAN, each.key), "words": each.words,
        }
        for each in plan_faults(open_, known, terms, year)
    ]  # fmt: skip
    towns = {row["number"]: row["town_code"] for row in rows}
    states = {row["number"]: row["project_state"] for row in rows}
    found += [
        {
            "number": each.number,
            "town_code": towns[each.number],
            "what": each.what,
            "column": "",
            "words": each.words,
        }
        for each in going(rows, reports, states, terms, day)
    ]
    return sorted(found, key=lambda row: (row["number"], row["what"] != "fault"))


def plan_quotas(connection: Connection, year: int) -> list[dict[str, Any]]:
    """Return the balance of exchanged land (增减挂钩) of a year: by project, by town, and of all of it (`analysis.registry.plan_progress`)."""
    return quotas(planned_rows(connection, year), newest_reports(connection), plan_terms())
