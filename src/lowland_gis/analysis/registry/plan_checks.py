"""What is wrong with rows of an annual plan, and with reports of how far projects have come: held against units, control lines, filed entries."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from lowland_gis.analysis.registry.plan_known import Known, KnownProject, KnownUnit
from lowland_gis.analysis.registry.plan_terms import DONE, IN_PROGRESS, NOT_STARTED, Kind, Terms

_NUMBER = re.compile(r"^(?P<town>\d{9}|\d{12})-(?P<year>\d{4})-\d{2,4}$")
# Areas are kept to the hundredth of a square metre.
HUNDREDTH_M2 = 0.01
_SHOWN = 3
_QUOTA = ("reclaimed_m2", "built_m2", "quota_no", "quota_on")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """What was found of one row: its place among the rows, the column, and words. `open` is what is not known, and no fault."""

    place: int
    key: str
    words: str
    open: bool = False


def plan_faults(rows: Sequence[Row], known: Known, terms: Terms, year: int) -> Iterator[Found]:
    """Yield what is wrong with rows of the plan of a year, by place and column; a column that is empty by a fault is passed over."""
    numbers = Counter(row["number"] for row in rows)
    units = Counter(row["unit"] for row in rows if row["unit"])
    for place, row in enumerate(rows):
        kind = terms.kind_titled(row["kind"] or "")
        found = [
            *_of_town(row, known), *_of_number(row, known, numbers, year), *_of_unit(row, kind, known, units), *_of_days(row, year),
            *_of_area(row, known.units.get(row["unit"] or "")), *_of_step(row, "goal", kind), *_of_quota(row, kind, terms),
        ]  # fmt: skip
        for key, words in found:
            yield Found(place, key, words)
        unit = known.units.get(row["unit"] or "")
        if unit is not None and unit.unknown:
            named = _named([f"{parcel} {why}" for parcel, why in unit.unknown])
            yield Found(place, "unit", f"of {row['unit']} it is not known whether it is protected: {named}", open=True)  # fmt: skip


def _of_town(row: Row, known: Known) -> Iterator[tuple[str, str]]:
    town = row["town_code"]
    if town and town not in known.towns:
        near = get_close_matches(town, known.towns, n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]} {known.towns[near[0]]}?" if near else ""
        yield "town_code", f"there is no town {town}{hint}"


def _of_number(row: Row, known: Known, numbers: Counter[str], year: int) -> Iterator[tuple[str, str]]:
    number = row["number"]
    if not number:
        return
    form = _NUMBER.match(number)
    if form is None:
        yield "number", f"{number!r} is no number of a project: write town-year-number, such as {row['town_code'] or '120113101'}-{year}-01"  # fmt: skip
    elif row["town_code"] and form["town"] != row["town_code"]:
        yield (
            "number",
            f"{number} is a number of the town {form['town']}, and the row is of {row['town_code']}",
        )
    elif int(form["year"]) > year:
        yield "number", f"{number} is a number of a later year than {year}"
    if numbers[number] > 1:
        yield "number", f"{number} stands in {numbers[number]} rows: one project is one row"
    project = known.projects.get(number)
    if project is None:
        return
    if project.state == "done":
        yield "number", f"{number} is finished (已完成), so it cannot be planned again"
    if project.kind and row["kind"] and project.kind != row["kind"]:
        yield "kind", f"{number} is {project.kind} since it was first planned, and not {row['kind']}: give another project another number"  # fmt: skip


def _of_unit(
    row: Row, kind: Kind | None, known: Known, units: Counter[str]
) -> Iterator[tuple[str, str]]:  # fmt: skip
    name = row["unit"]
    if not name:
        if kind is not None and kind.unit:
            yield "unit", f"{row['kind']} is carried out in a frozen unit, and none is named"
        return
    if units[name] > 1:
        yield "unit", f"{name} stands in {units[name]} rows: one unit is one row"
    if name in known.taken:
        yield "unit", f"{name} is in the plan of the year already, as project {known.taken[name]}"
    unit = known.units.get(name)
    if unit is None:
        yield "unit", _not_frozen(name, known)
        return
    if row["town_code"] and unit.town_code and unit.town_code != row["town_code"]:
        yield "unit", f"{name} lies in the town {unit.town_code}, and the row is of {row['town_code']}"
    if unit.protected:
        named = _named([f"{parcel} {why}" for parcel, why in unit.protected])
        yield "unit", f"{name} holds land of control lines: {named}"
    if unit.unfiled:
        named = _named([f"{parcel} {state}" for parcel, state in unit.unfiled])
        yield "unit", f"{name} holds {len(unit.unfiled)} low-efficiency parcel(s) that are not filed (备案): {named}"  # fmt: skip
    elif not unit.filed:
        yield "unit", f"{name} holds no parcel that is filed (备案) as low-efficiency land"


def _not_frozen(name: str, known: Known) -> str:
    if name in known.withdrawn:
        return f"the unit {name} is not frozen any more: {known.withdrawn[name]}"
    near = get_close_matches(name, known.units, n=1, cutoff=0.6)
    return f"there is no frozen unit {name}" + (f"; did you mean {near[0]}?" if near else "")


def _of_days(row: Row, year: int) -> Iterator[tuple[str, str]]:
    start, end = row["start_on"], row["end_on"]
    if start and start > dt.date(year, 12, 31):
        yield "start_on", f"{start} lies after the year {year}"
    if end and end < dt.date(year, 1, 1):
        yield "end_on", f"{end} lies before the year {year}"
    if start and end and end < start:
        yield "end_on", f"{end} lies before the beginning ({start})"


def _of_area(row: Row, unit: KnownUnit | None) -> Iterator[tuple[str, str]]:
    area = row["area_m2"]
    if area is None:
        return
    if area <= 0:
        yield "area_m2", "a project without area is none"
    if unit is not None and area > unit.area_m2 + HUNDREDTH_M2:
        yield "area_m2", f"{area:,.2f} m² is more than the unit {row['unit']} has ({unit.area_m2:,.2f} m²)"


def _of_step(row: Row, key: str, kind: Kind | None) -> Iterator[tuple[str, str]]:
    step = row[key]
    if step and kind is not None and step not in kind.steps:
        yield key, f"{step!r} is no step of {kind.title}; its steps: {'→'.join(kind.steps)}"


def _of_quota(row: Row, kind: Kind | None, terms: Terms) -> Iterator[tuple[str, str]]:
    if kind is None:
        return
    if not kind.quota:
        for key in _QUOTA:
            if row[key] not in (None, ""):
                yield key, f"only 增减挂钩 has it, and this is {kind.title}: leave it empty"
        return
    for key in _QUOTA:
        if row[key] in (None, ""):
            yield key, f"{kind.title} needs it, and it is empty"
    reclaimed, built = row["reclaimed_m2"], row["built_m2"]
    if reclaimed is not None and built is not None and not balanced(reclaimed, built, terms.balance.ratio):
        yield "built_m2", f"{built:,.2f} m² are built on and only {reclaimed:,.2f} m² reclaimed: {_balance(terms)}"  # fmt: skip


def balanced(reclaimed_m2: float, built_m2: float, ratio: float) -> bool:
    """Tell whether enough is reclaimed for what is newly built on.

    >>> balanced(100.0, 100.0, 1.0), balanced(100.0, 100.02, 1.0)
    (True, False)
    """
    return reclaimed_m2 >= built_m2 * ratio - HUNDREDTH_M2


def _balance(terms: Terms) -> str:
    rule = terms.balance
    times = "" if rule.ratio == 1 else f" × {rule.ratio:g}"
    return f"复垦面积 ≥ 建新面积{times}（{rule.document}，{rule.date}）"


def report_faults(
    rows: Sequence[Row], projects: Mapping[str, KnownProject], terms: Terms, today: dt.date
) -> Iterator[Found]:
    """Yield what is wrong with reports of how far projects have come; `status` and `reason` are numbers here."""
    numbers = Counter(row["number"] for row in rows)
    for place, row in enumerate(rows):
        for key, words in _of_report(row, projects, numbers, terms, today):
            yield Found(place, key, words)


def _of_report(
    row: Row, projects: Mapping[str, KnownProject], numbers: Counter[str], terms: Terms, today: dt.date
) -> Iterator[tuple[str, str]]:
    number = row["number"]
    project = projects.get(number or "")
    if number and project is None:
        near = get_close_matches(number, projects, n=1, cutoff=0.6)
        yield "number", f"there is no project {number} in the register" + (f"; did you mean {near[0]}?" if near else "")  # fmt: skip
    if number and numbers[number] > 1:
        yield "number", f"{number} stands in {numbers[number]} rows: one project is one row"
    kind = None if project is None or project.kind is None else terms.kind_titled(project.kind)
    yield from _of_step(row, "step", kind)
    yield from _of_status(row)
    yield from _of_report_days(row, project, today)
    if kind is not None and not kind.quota:
        for key in ("reclaimed_m2", "built_m2"):
            if row[key] is not None:
                yield key, f"only 增减挂钩 has it, and {number} is {kind.title}: leave it empty"


def _of_status(row: Row) -> Iterator[tuple[str, str]]:
    status, started, finished = row["status"], row["started_on"], row["finished_on"]
    if status == NOT_STARTED and row["reason"] is None:
        yield "reason", "what has not begun needs its reason (1 未到时序, 2 企业原因, 3 政府原因)"
    if status == DONE and row["reason"] is not None:
        yield "reason", "what is finished has no reason for not being so: leave it empty"
    if status == NOT_STARTED and started:
        yield "started_on", f"it began on {started}, and is said not to have begun"
    if status in (IN_PROGRESS, DONE) and not started:
        yield "started_on", "it is said to have begun, and the day is empty"
    if status in (NOT_STARTED, IN_PROGRESS) and finished:
        yield "finished_on", f"it was finished on {finished}, and is said not to be"
    if status == DONE and not finished:
        yield "finished_on", "it is said to be finished, and the day is empty"


def _of_report_days(
    row: Row, project: KnownProject | None, today: dt.date
) -> Iterator[tuple[str, str]]:  # fmt: skip
    as_of, started, finished = row["as_of"], row["started_on"], row["finished_on"]
    if as_of and as_of > today:
        yield "as_of", f"{as_of} lies in the future"
    if as_of and project is not None and project.reported_on and as_of < project.reported_on:
        yield "as_of", f"a later day ({project.reported_on}) was reported already"
    for key, day in (("started_on", started), ("finished_on", finished)):
        if day and as_of and day > as_of:
            yield key, f"{day} lies after the day of the report ({as_of})"
    if started and finished and finished < started:
        yield "finished_on", f"{finished} lies before the beginning ({started})"


def _named(items: Sequence[str]) -> str:
    more = f" … and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return "; ".join(items[:_SHOWN]) + more
