"""How far the projects of a plan have come, held against what was planned; and whether exchanged land (增减挂钩) is balanced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lowland_gis.analysis.registry.plan_checks import HUNDREDTH_M2, balanced
from lowland_gis.analysis.registry.plan_terms import DONE, NOT_STARTED, Terms

Row = Mapping[str, Any]

# What is found of a project that goes on, by name; the last is what only a paper can settle.
LATE, OVERDUE, UNREPORTED, BEHIND, LARGER, UNBALANCED, UNPROVEN = (
    "late_start", "overdue", "not_reported", "behind", "larger", "unbalanced", "unproven",
)  # fmt: skip
# The move that brings a project into a state.
_MOVES = {"in_progress": "start", "done": "dispose"}


@dataclass(frozen=True)
class Going:
    """What is found of how far a project has come: its number, what, and words."""

    number: str
    what: str
    words: str


def going(
    rows: Iterable[Row], reports: Mapping[str, Row], states: Mapping[str, str], terms: Terms, day: dt.date
) -> Iterator[Going]:
    """Yield what is late or does not fit of projects on a day.

    `rows` are those of a plan with its year, `reports` the newest report of each project, `states` where each stands in the register.
    A project of which nothing was reported is unknown, and not late: that is said of it, and nothing else.
    """
    for row in rows:
        report = reports.get(row["number"])
        if report is None:
            if row["start_on"] <= day:
                words = f"it was to begin on {row['start_on']}, and nothing was reported of it"
                yield Going(row["number"], UNREPORTED, words)
            continue
        yield from _late(row, report, terms, day)
        yield from _beside(row, report, states.get(row["number"]), terms)


def _late(row: Row, report: Row, terms: Terms, day: dt.date) -> Iterator[Going]:
    number, status = row["number"], report["status"]
    why = (
        ""
        if report["reason"] is None
        else f": {report['reason']} {terms.reason.values[report['reason'] - 1]}"
    )
    if status == NOT_STARTED and row["start_on"] <= day:
        yield Going(number, LATE, f"it was to begin on {row['start_on']} and has not{why}")
    if status != DONE and row["end_on"] < day:
        yield Going(number, OVERDUE, f"it was to be finished on {row['end_on']} and is not{why}")
    kind = terms.kind_titled(row["kind"])
    if kind is not None and status != DONE and day > dt.date(row["year"], 12, 31):
        reached = kind.steps.index(report["step"]) if report["step"] in kind.steps else -1
        if row["goal"] in kind.steps and reached < kind.steps.index(row["goal"]):
            stands = report["step"] or "没有步骤"
            yield Going(
                number,
                BEHIND,
                f"{row['goal']} was to be reached by the end of {row['year']}; it stands at {stands}",
            )


def _beside(row: Row, report: Row, state: str | None, terms: Terms) -> Iterator[Going]:
    number = row["number"]
    if report["area_m2"] is not None and report["area_m2"] > row["area_m2"] + HUNDREDTH_M2:
        yield Going(
            number,
            LARGER,
            f"{report['area_m2']:,.2f} m² were carried out, and {row['area_m2']:,.2f} m² planned",
        )
    reclaimed, built = report["reclaimed_m2"], report["built_m2"]
    if reclaimed is not None and built is not None and not balanced(reclaimed, built, terms.balance.ratio):
        yield Going(
            number, UNBALANCED, f"{built:,.2f} m² are built on, and {reclaimed:,.2f} m² reclaimed so far"
        )
    reported = terms.status.states[report["status"]]
    if state is not None and state != reported:
        move = _MOVES.get(reported)
        mend = (
            ""
            if move is None
            else f"; with its paper: lowland registry {move} {number} --register project --document FILE"
        )
        yield Going(number, UNPROVEN, f"{terms.status.values[report['status']]} was reported, and the register has {state}{mend}")  # fmt: skip


def quotas(rows: Sequence[Row], reports: Mapping[str, Row], terms: Terms) -> list[dict[str, Any]]:
    """Return the balance of exchanged land: by project, by town, and of all of it.

    Each has level, name, planned and actual area reclaimed and built on (m²), both balances, and whether it holds: `holds` says it of
    what is planned, `holds_now` of what is done; None where one of its projects has not reported.
    """
    ours = [
        row
        for row in rows
        if (kind := terms.kind_titled(row["kind"])) is not None and kind.quota
    ]  # fmt: skip
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in ours:
        groups[("项目", row["number"])] = [row]
    for row in ours:
        groups.setdefault(("镇街", row["town_code"]), []).append(row)
    if ours:
        groups["全区", str(ours[0]["year"])] = ours
    return [_quota(level, name, group, reports, terms) for (level, name), group in groups.items()]


def _quota(
    level: str, name: str, rows: Sequence[Row], reports: Mapping[str, Row], terms: Terms
) -> dict[str, Any]:
    ratio = terms.balance.ratio
    reclaimed, built = (sum(row[key] for row in rows) for key in ("reclaimed_m2", "built_m2"))
    done_reclaimed, done_built = (_total(rows, reports, key) for key in ("reclaimed_m2", "built_m2"))
    left = holds = None
    if done_reclaimed is not None and done_built is not None:
        left, holds = done_reclaimed - done_built * ratio, balanced(done_reclaimed, done_built, ratio)
    return {
        "level": level, "name": name, "reclaimed_m2": reclaimed, "built_m2": built, "balance_m2": reclaimed - built * ratio,
        "holds": balanced(reclaimed, built, ratio), "done_reclaimed_m2": done_reclaimed, "done_built_m2": done_built,
        "done_balance_m2": left, "holds_now": holds,
    }  # fmt: skip


def _total(rows: Sequence[Row], reports: Mapping[str, Row], key: str) -> float | None:
    """Return the sum of what was reported of projects, None where one of them did not report it."""
    found: list[Any] = [reports.get(row["number"], {}).get(key) for row in rows]
    return None if None in found else float(sum(found))
