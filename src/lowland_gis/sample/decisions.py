"""What people decided on the first year's drafts: moves with their papers, in the order in which they are recorded."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lowland_gis.definitions.states import shipped_procedure
from lowland_gis.sample.dice import generator
from lowland_gis.sample.grown import Growth
from lowland_gis.sample.lots import NONE
from lowland_gis.sample.write import write_table

PAPERS, LIST = "papers", "truth/decisions.csv"
# Shares of the entries by the last step that they have come to.
STOPS = (
    ("draft", 0.25),
    ("notice", 0.05),
    ("objection", 0.05),
    ("approve", 0.05),
    ("submit", 0.05),
    ("return", 0.06),
    ("review", 0.05),
)
WAY = ("notice", "approve", "submit", "review", "file")
TITLES = {
    "notice": "公示", "objection": "异议书", "approve": "认定文件", "submit": "上报文件", "return": "退回意见", "review": "审核意见",
    "file": "备案回执", "start": "实施方案", "dispose": "验收文件",
}  # fmt: skip
# Whole days after the step before it, from least to most; the determination also waits for the notice period of the procedure.
GAPS = {
    "notice": (20, 40), "objection": (2, 6), "approve": (3, 20), "submit": (5, 15), "return": (10, 20), "review": (20, 40),
    "file": (15, 40), "start": (10, 30), "dispose": (60, 90),
}  # fmt: skip
# So long after the day of the land it was judged and drafted.
DRAFTED = dt.timedelta(days=15)
_REGISTER, _DAYS, _SATURDAY = "low_efficiency", 7, 5


@dataclass(frozen=True)
class Decision:
    """One move of many parcels on one paper (a path below the project's folder), and the day from which it counts."""

    verb: str
    on: dt.date
    parcels: tuple[str, ...]
    paper: str
    number: str
    reason: str | None = None


def listed_decisions(folder: Path) -> tuple[Decision, ...]:
    """Return the decisions that are listed below a folder, in their order."""
    rows = pd.read_csv(folder / LIST, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    return tuple(
        Decision(
            one["verb"].iloc[0],
            dt.date.fromisoformat(one["on"].iloc[0]),
            tuple(one["parcel_id"]),
            one["paper"].iloc[0],
            one["number"].iloc[0],
            one["reason"].iloc[0] or None,
        )
        for _, one in rows.assign(step=rows["step"].astype(int)).groupby("step")
    )


def decide(growth: Growth, folder: Path, land: dt.date) -> tuple[Decision, ...]:
    """Decide about the low-efficient parcels of the first year, write the papers and the list, and list what was disposed of.

    `land` is the day of the first year's land; all is decided in the year after it.

    Disposed are parcels of which the second year shows why: reclaimed, built on, with better figures; and one that shows nothing yet.
    """
    first = growth.first
    lots = first.district.lots
    entries = [
        str(code)
        for code, kind in zip(lots.codes, lots.kind, strict=True)
        if kind != NONE and code not in first.faults
    ]
    disposed = _disposed(growth, set(entries))
    order = generator(growth.seed, "year decisions").permutation(len(entries)).tolist()
    waiting = [entries[place] for place in order if entries[place] not in disposed]
    stops = _stops(waiting)
    disposed.append(next(code for code in waiting if stops[code] == "file"))
    for code in disposed:
        stops[code] = "dispose"
    found = _chain(stops, decided_on(growth.seed, land))
    for code in sorted(disposed):
        row = int(first.district.lots.codes.tolist().index(code))
        area = growth.area(lots.shapes[row])
        gone = row in growth.gone
        growth.changes.add(
            "parcel", "disposed", "decision", before=[code], after=[] if gone else [code], areas=(area, 0.0 if gone else area),
            kind_after=growth.kinds.get(code, ""), note="已处置",
        )  # fmt: skip
    _write(folder, found)
    return found


def _disposed(growth: Growth, entries: set[str]) -> list[str]:
    table = growth.changes.table()
    of_parcels = table[(table["layer"] == "parcel") & table["before"].isin(entries)]
    chosen = []
    for change, causes in (
        ("removed", ("survey_increment",)),
        ("reclassified", ("new_construction", "firm_figures")),
    ):
        for cause in causes:
            rows = of_parcels[(of_parcels["change"] == change) & (of_parcels["cause"] == cause)]
            chosen += sorted(rows["before"])[: max(1, len(rows) // 2)]
    return chosen


def _stops(waiting: list[str]) -> dict[str, str]:
    """Return the last step of each entry; what is left over has come to the end of the way."""
    stops = dict.fromkeys(waiting, "file")
    start = 0
    for verb, share in STOPS:
        count = max(1, round(share * len(waiting)))
        stops |= dict.fromkeys(waiting[start : start + count], verb)
        start += count
    return stops


def decided_on(seed: int, land: dt.date) -> dict[str, dt.date]:
    """Return the day of each step, on working days, with the notice period kept as the shipped procedure has it.

    >>> days = decided_on(1, dt.date(2023, 12, 31))
    >>> (days["approve"] - days["notice"]).days >= shipped_procedure()["low_efficiency"].move["approve"].days
    True
    """
    random = generator(seed, "year days")
    moves = shipped_procedure()[_REGISTER].move
    found: dict[str, dt.date] = {}
    way, aside = land + DRAFTED, {"objection", "return"}
    for verb, (least, most) in GAPS.items():
        wait = moves[verb].days if moves[verb].since in found else 0
        day = _working(way + dt.timedelta(days=wait + int(random.integers(least, most + 1))))
        found[verb] = day
        way = way if verb in aside else day
    return found


def _working(day: dt.date) -> dt.date:
    """Return the day itself, or the Monday after it."""
    return day + dt.timedelta(days=_DAYS - day.weekday() if day.weekday() >= _SATURDAY else 0)


def _chain(stops: dict[str, str], days: dict[str, dt.date]) -> tuple[Decision, ...]:
    """Return the moves: each step takes all that have come so far and go on."""
    reach = {
        "draft": 0,
        "notice": 1,
        "objection": 1,
        "approve": 2,
        "submit": 3,
        "return": 3,
        "review": 4,
        "file": 5,
        "dispose": 5,
    }
    found = []
    for number, verb in enumerate(WAY, start=1):
        found.append(
            _decision(verb, days[verb], [code for code, stop in stops.items() if reach[stop] >= number])
        )
        aside = {"notice": "objection", "submit": "return"}.get(verb)
        if aside:
            found.append(
                _decision(aside, days[aside], [code for code, stop in stops.items() if stop == aside])
            )
    disposed = [code for code, stop in stops.items() if stop == "dispose"]
    found += [_decision(verb, days[verb], disposed) for verb in ("start", "dispose")]
    return tuple(found)


def _decision(verb: str, on: dt.date, parcels: list[str]) -> Decision:
    number = f"示例〔{on.year}〕{list(TITLES).index(verb) + 1}号"
    reason = "面积与权属不符（示例）" if verb == "return" else None
    return Decision(verb, on, tuple(sorted(parcels)), f"{PAPERS}/{TITLES[verb]}.txt", number, reason)


def _write(folder: Path, decisions: tuple[Decision, ...]) -> None:
    (folder / PAPERS).mkdir(parents=True, exist_ok=True)
    for decision in decisions:
        text = f"{TITLES[decision.verb]}（合成数据，虚构文件）\n{decision.number}\n{decision.on}\n宗地{len(decision.parcels)}宗\n"
        (folder / decision.paper).write_text(text, encoding="utf-8", newline="\n")
    rows = [
        (
            step,
            decision.verb,
            decision.on.isoformat(),
            code,
            decision.paper,
            decision.number,
            decision.reason or "",
        )
        for step, decision in enumerate(decisions, start=1)
        for code in decision.parcels
    ]
    (folder / LIST).parent.mkdir(parents=True, exist_ok=True)
    columns = ["step", "verb", "on", "parcel_id", "paper", "number", "reason"]
    write_table(folder / LIST, pd.DataFrame(rows, columns=columns))
