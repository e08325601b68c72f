"""Read a town's plan back from its workbook, look at every cell of it, and record all of it or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowland_gis import schema
from lowland_gis.analysis.fields.form import FormFault, FormRow, Typed, filled
from lowland_gis.analysis.registry.moving import Wish, planned
from lowland_gis.analysis.registry.plan_checks import Found, plan_faults, report_faults
from lowland_gis.analysis.registry.plan_form import PLAN, PROGRESS, plan_form
from lowland_gis.analysis.registry.plan_known import Known, KnownProject
from lowland_gis.analysis.registry.plan_terms import Terms
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.role_names import ANALYST, TOWN
from lowland_gis.definitions.plan import plan_terms
from lowland_gis.errors import InputRefusedError, MoveRefusedError, gathered, listed
from lowland_gis.files.source import opened
from lowland_gis.files.spreadsheet.book import read_cells
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.kept_papers import keep_paper
from lowland_gis.pipeline.base.procedure import InForce, procedure_in_force, take_turn
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.plans.ground import known_ground
from lowland_gis.pipeline.registry.moves import entered, record_events
from lowland_gis.pipeline.registry.subjects import Asked, found_entries

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

# Every cell is named, since a town mends its workbook in one go.
SHOWN = 100_000


@dataclass(frozen=True)
class ReadPlan:
    """What was read: how many projects each town planned, how many reports, and what is not known of them. Not `fresh`: it was recorded before."""

    towns: Mapping[str, int]
    reports: int
    doubts: tuple[str, ...]
    fresh: bool
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Sheet:
    """The records of a workbook: rows of the plan, and reports with status and reason as numbers."""

    plan: tuple[FormRow, ...]
    reports: tuple[FormRow, ...]
    report_values: list[dict[str, Any]]

    @property
    def towns(self) -> list[str]:
        return sorted({row.said["town_code"] for row in self.plan if row.said["town_code"]})


def read_plan(
    project: Project, year: int, file: Path, *, on: dt.date | None = None, dry_run: bool = False
) -> ReadPlan:
    """Read a workbook of the plan of a year and record it: plans of its towns as drafted, its projects as entered, its reports.

    The workbook itself is the paper. Whatever a cell has that does not belong there is told with its place, all at once.

    Raises:
        InputRefusedError: it is no workbook, or a cell of it has a fault; nothing was recorded.
        MoveRefusedError: a town's plan stands where it cannot be drafted anew; nothing was recorded.
    """
    day = on or dt.datetime.now().astimezone().date()
    with opened(str(file), Path()) as source:
        typed = [Typed(sheet.name, sheet.rows, sheet.merged) for sheet in read_cells(source)]
    with project.transaction(dry_run=dry_run) as connection:
        take_turn(connection, "recording plans of towns", lambda: (TOWN, ANALYST))
        force = procedure_in_force(connection)
        terms = plan_terms()
        known = known_ground(project, connection, force, year, without_towns=None)
        form = plan_form(project.settings.project.district_name, year, terms, known.towns, known.units)
        read = filled(form, typed)
        found = _Sheet(
            read.rows.get(PLAN, ()),
            read.rows.get(PROGRESS, ()),
            [_numbered(row) for row in read.rows.get(PROGRESS, ())],
        )
        known = known_ground(project, connection, force, year, found.towns)
        doubts = _refuse_faults(file, [*read.faults], found, known, terms=terms, year=year, day=day)
        digest = keep_paper(connection, file)[0]
        if _recorded(connection, digest, year, found):
            return ReadPlan(_counts(found), len(found.reports), doubts, fresh=False)
        left_out = _record(connection, force, year, found, known, Wish("draft", day, document=digest))
    return ReadPlan(_counts(found), len(found.reports), doubts, fresh=True, left_out=left_out)


def _refuse_faults(
    file: Path, faults: list[FormFault], found: _Sheet, known: Known, *, terms: Terms, year: int, day: dt.date
) -> tuple[str, ...]:
    """Refuse a workbook with faults; return what is not known of its rows, a line each."""
    rows = [row.said for row in found.plan]
    planned_now = {
        row["number"]: KnownProject("not_started", row["town_code"], row["kind"], row["unit"], row["area_m2"])
        for row in rows
        if row["number"]
    }
    seen = [
        *((found.plan, each) for each in plan_faults(rows, known, terms, year)),
        *(
            (found.reports, each)
            for each in report_faults(found.report_values, {**planned_now, **known.projects}, terms, day)
        ),
    ]
    # Of a cell that could not be read nothing else is told.
    unread = {(fault.sheet, fault.cell) for fault in faults}
    later = [(each.open, _at(records, each)) for records, each in seen]
    told = [
        *faults,
        *(fault for is_open, fault in later if not is_open and (fault.sheet, fault.cell) not in unread),
    ]
    if not found.plan and not found.reports and not told:
        told = [FormFault(PLAN, "A4", "nothing is filled in")]
    if told:
        lines = listed(gathered((fault.gathered for fault in _in_order(told)), shown=SHOWN), shown=SHOWN)
        raise InputRefusedError(
            f"{file}: {len(told)} fault(s), so nothing was recorded:\n{lines}\nMend these cells and read the workbook again."
        )
    return tuple(fault.gathered[1] for is_open, fault in later if is_open)


def _at(records: Sequence[FormRow], found: Found) -> FormFault:
    return records[found.place].fault(found.key, found.words)


def _in_order(faults: Sequence[FormFault]) -> list[FormFault]:
    """Return faults sheet by sheet and row by row, as somebody mends them."""
    sheets = list(dict.fromkeys([PLAN, PROGRESS, *(fault.sheet for fault in faults)]))

    def place(fault: FormFault) -> tuple[int, int, int, str]:
        letters = fault.cell.rstrip("0123456789")
        return sheets.index(fault.sheet), int(fault.cell[len(letters) :]), len(letters), letters

    return sorted(faults, key=place)


def _numbered(row: FormRow) -> dict[str, Any]:
    """Return the values of a report with status and reason as numbers: they are chosen as 0 未实施."""
    return {
        **row.said,
        **{
            key: None if row.said[key] is None else int(str(row.said[key]).split()[0])
            for key in ("status", "reason")
        },
    }


def _counts(found: _Sheet) -> dict[str, int]:
    return {town: sum(row.said["town_code"] == town for row in found.plan) for town in found.towns}


def _recorded(connection: Connection, digest: str, year: int, found: _Sheet) -> bool:
    """Return whether the newest plan of each town, and reports, come from the same workbook already."""
    rows = connection.execute(
        "SELECT DISTINCT ON (subject) document_sha256, state FROM registry.current_entry WHERE register = 'plan' AND matter = %s"
        " AND subject = ANY(%s) ORDER BY subject, ordinal DESC",
        [str(year), found.towns],
    ).fetchall()
    reports = connection.execute(
        "SELECT count(*) FROM registry.progress WHERE document_sha256 = %s", [digest]
    ).fetchone()
    same = len(rows) == len(found.towns) and all(row == (digest, "drafted") for row in rows)
    return same and reports is not None and reports[0] == len(found.reports)


def _record(
    connection: Connection, force: InForce, year: int, found: _Sheet, known: Known, wish: Wish
) -> tuple[str, ...]:
    """Record plans, projects, rows and reports; return the projects that were in these plans and are no more."""
    plans = _drafted(connection, force, year, found, wish)
    projects = _projects(connection, force, found, wish)
    before = connection.execute(
        "SELECT DISTINCT number FROM registry.plan_row WHERE year = %s AND town_code = ANY(%s)",
        [year, found.towns],
    ).fetchall()
    rows = [
        {
            **row.said, "plan_entry": plans[row.said["town_code"]][0], "plan_version": plans[row.said["town_code"]][1],
            "project_entry": projects[row.said["number"]], "year": year, "sheet_row": row.number,
        }
        for row in found.plan
    ]  # fmt: skip
    _copy(connection, schema.PLAN_ROW, rows, wish)
    reports = [
        {
            **values, "project_entry": projects[values["number"]], "sheet_row": row.number,
            "town_code": known.projects[values["number"]].town_code if values["number"] in known.projects else _town(found, values["number"]),
        }
        for row, values in zip(found.reports, found.report_values, strict=True)
    ]  # fmt: skip
    _copy(connection, schema.PROGRESS, reports, wish)
    now = {row["number"] for row in rows}
    return tuple(sorted(number for (number,) in before if number not in now))


def _town(found: _Sheet, number: str) -> str | None:
    return next((row.said["town_code"] for row in found.plan if row.said["number"] == number), None)


def _copy(connection: Connection, table: schema.Table, rows: list[dict[str, Any]], wish: Wish) -> None:
    if rows:
        constants = {"document_sha256": wish.document}
        copy_in(connection, table, pd.DataFrame(rows).astype(object), srid=0, constants=constants)


def _drafted(
    connection: Connection, force: InForce, year: int, found: _Sheet, wish: Wish
) -> dict[str, tuple[int, int]]:
    """Record that the plans of the towns were drafted; return entry and version of each.

    Raises:
        MoveRefusedError: one of them cannot be drafted where it stands; the cell of its first row is named.
    """
    if not found.towns:
        return {}
    register = force.register("plan")
    entries = found_entries(
        connection, "plan", register, Asked(tuple(found.towns), matter=str(year)), wish.verb
    ).entries
    plan = planned(register, entries, wish, {})
    if plan.faults:
        first = {row.said["town_code"]: row.cells["town_code"] for row in reversed(found.plan)}
        lines = [
            f"{PLAN}!{first[label.split()[0]]}: the plan of {label}: {words}"
            for label, _, words in plan.faults
        ]
        raise MoveRefusedError(
            f"{register.title}: nothing was recorded:\n{listed(lines, shown=SHOWN)}\nA plan that was approved is returned first:"
            " lowland registry return TOWN --register plan --matter YEAR --reason TEXT"
        )
    events = entered(
        connection, "plan", plan.events, {town: town for town in found.towns}
    )  # fmt: skip
    record_events(connection, force, "plan", events, wish)
    return {row["subject"]: (int(row["entry_id"]), int(row["version"])) for row in events.to_dict("records")}


def _projects(connection: Connection, force: InForce, found: _Sheet, wish: Wish) -> dict[str, int]:
    """Enter the projects that are not in the register, or were withdrawn; return the entry of every project of the workbook."""
    towns = {row.said["number"]: row.said["town_code"] for row in found.plan}
    numbers = list(dict.fromkeys([*towns, *(row.said["number"] for row in found.reports)]))
    if not numbers:
        return {}
    register = force.register("project")
    entries = found_entries(connection, "project", register, Asked(tuple(numbers)), "draft").entries
    fresh = entries[
        entries["subject"].isin(towns) & (entries["entry_id"].isna() | (entries["state"] == "withdrawn"))
    ]
    plan = planned(register, fresh, Wish("draft", wish.on, document=wish.document), {})
    if plan.faults:
        raise MoveRefusedError(
            f"{register.title}: nothing was recorded:\n{listed(gathered(plan.faults))}"
        )  # fmt: skip
    events = entered(connection, "project", plan.events, towns)
    record_events(connection, force, "project", events, wish)
    there = entries[entries["entry_id"].notna()]
    return {
        **dict(zip(there["subject"], there["entry_id"].astype(int), strict=True)),
        **dict(zip(events["subject"], events["entry_id"].astype(int), strict=True)),
    }
