"""Freeze units that people decided on, put corrected ones in their place, withdraw them: the registry is only ever added to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import geopandas as gpd
import pandas as pd

from lowland_gis import schema
from lowland_gis.analysis.units.judge import ACROSS_TOWNS
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.db.role_names import ANALYST
from lowland_gis.errors import UsageError, listed
from lowland_gis.pipeline.base.entries import UNIT, newest_row, record_drafted
from lowland_gis.pipeline.base.procedure import procedure_in_force, take_turn
from lowland_gis.pipeline.base.project import Project, who
from lowland_gis.pipeline.base.runs import found_record
from lowland_gis.pipeline.base.stale import refuse
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.units.drafts import HeldDraft, held_draft
from lowland_gis.pipeline.units.frozen import FROZEN, NEWEST, WITHDRAWN, frozen_shapes, frozen_units
from lowland_gis.pipeline.units.frozen_changes import frozen_changes, members_now, said_of
from lowland_gis.pipeline.units.living_on import living_on

# What two outlines share beside a common boundary is no common ground, m².
_COMMON_M2 = 1.0
_KEPT = [
    column.name
    for column in schema.UNIT_FROZEN.columns
    if column.name not in ("entry_id", "state", "reason", "recorded_at", "recorded_by")
]
_WITHDRAW = (
    f"INSERT INTO registry.unit ({', '.join(_KEPT)}, state, reason, recorded_at, recorded_by)"  # noqa: S608 - names of the dictionary
    f" SELECT {', '.join(_KEPT)}, '{WITHDRAWN}', wanted.reason, %s, %s FROM {NEWEST} newest"
    " JOIN unnest(%s::text[], %s::text[]) AS wanted (number, reason) USING (number)"
    f" WHERE state = '{FROZEN}' ORDER BY number"
)


@dataclass(frozen=True)
class _Freezing:
    """What is to be frozen: units of a draft and their parcels; and frozen units: that stay, that live on, and whose place is taken."""

    draft: HeldDraft
    wanted: gpd.GeoDataFrame
    members: Mapping[str, list[str]]
    held: pd.DataFrame
    going_on: pd.DataFrame
    replaced: gpd.GeoDataFrame

    def parcels(self, unit: str) -> tuple[str, ...]:
        """Return the parcels of a unit in the order of their codes."""
        return tuple(sorted(self.members[unit]))


def freeze(
    project: Project,
    which: str,
    units: tuple[str, ...] = (),
    *,
    replaces: tuple[str, ...] = (),
    dry_run: bool = False,
    tell: Tell = silent,
) -> pd.DataFrame:
    """Freeze units of a draft: give each a number by its town's scheme and keep it in the registry.

    A unit that is frozen already with the same parcels keeps its number; where it was drawn on other verdicts since, that is noted. One
    that carries a frozen one on with other parcels, in a draft that started from the frozen units, keeps its number too.
    The frozen units that `replaces` numbers are withdrawn in the same transaction, and the new ones say whose place they take.

    Returns unit_id and number; with `replaces` also whose place each unit takes.

    Raises:
        UsageError: a unit or number is unknown, a unit breaks a rule, a parcel is in another frozen unit, or a number shares no ground
            with what is to take its place.
        StaleError: the draft is out of date, or a correction has touched frozen units that are not replaced.
    """
    with project.transaction(dry_run=dry_run) as connection:
        take_turn(connection, "freezing and withdrawing units", lambda: (ANALYST,))
        force, before = procedure_in_force(connection), newest_row(connection, schema.UNIT_FROZEN)
        draft = held_draft(connection, project, which)
        refuse(draft.stale, "Nothing was frozen")
        asked = _asked(connection, draft, units, replaces)
        lineage = _lineage(asked)
        _refuse_affected(asked, lineage, replaces)
        _refuse_freezing(connection, asked, set(units), lineage, replaces)
        numbers = _numbers(connection, project, asked)
        written = _written(connection, asked, numbers)
        _withdraw_replaced(connection, asked, lineage, numbers)
        _write_frozen(connection, project, asked, written, numbers, lineage)
        record_drafted(connection, UNIT, force, before, by_program=False)
        there = [*asked.held["number"], *asked.going_on["number"]]
        fresh = int((~written["unit_id"].map(numbers).isin(there)).sum())
        _tell_frozen(asked, fresh, len(written) - fresh - len(asked.going_on), tell)
    done = pd.DataFrame({"unit_id": asked.wanted["unit_id"], "number": asked.wanted["unit_id"].map(numbers)})
    return done if not replaces else done.assign(replaces=done["unit_id"].map(_spelt(lineage)).fillna(""))


def withdraw(project: Project, numbers: Sequence[str], reason: str, *, dry_run: bool = False) -> pd.DataFrame:
    """Withdraw frozen units: they are not filed any more, and stay in the registry with who, when and why.

    Returns number, reason, recorded_at, recorded_by and fresh; what was withdrawn before stays as it was withdrawn then, and is not
    fresh.

    Raises:
        UsageError: a number was never frozen, or no reason is given; nothing was withdrawn.
    """
    if not reason.strip():
        raise UsageError("Nothing was withdrawn, because no reason is given. Say why with --reason TEXT")
    wanted = list(dict.fromkeys(numbers))
    with project.transaction(dry_run=dry_run) as connection:
        take_turn(connection, "freezing and withdrawing units", lambda: (ANALYST,))
        force, before = procedure_in_force(connection), newest_row(connection, schema.UNIT_FROZEN)
        known = _states(connection)
        faults = [_unknown(number, known) for number in wanted if number not in known]
        if faults:
            raise UsageError(f"Nothing was withdrawn:\n{listed(faults)}\n{_SEE_ALL}")
        fresh = [number for number in wanted if known[number] == FROZEN]
        _withdraw(connection, dict.fromkeys(fresh, reason.strip()))
        record_drafted(connection, UNIT, force, before, by_program=False)
        rows = read_frame(
            connection,
            f"SELECT number, reason, recorded_at, recorded_by FROM {NEWEST} newest WHERE number = ANY(%s)",  # noqa: S608 - constants
            [wanted],
        )
    return rows.assign(fresh=rows["number"].isin(fresh))


_SEE_ALL = "Every unit that was ever frozen: lowland unit list --all"


def _states(connection: Connection) -> dict[str, str]:
    """Return the state of every number that was ever given."""
    rows = connection.execute(f"SELECT number, state FROM {NEWEST} newest").fetchall()  # noqa: S608 - constants
    return dict(rows)


def _unknown(number: str, known: Mapping[str, str]) -> str:
    near = get_close_matches(number, known, n=3, cutoff=0.6)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    return f"there is no frozen unit {number}{hint}"


def _withdraw(connection: Connection, reasons: Mapping[str, str]) -> None:
    now = dt.datetime.now(dt.UTC)
    connection.execute(_WITHDRAW, [now, who(), list(reasons), list(reasons.values())])


def _asked(
    connection: Connection, draft: HeldDraft, units: tuple[str, ...], replaces: tuple[str, ...]
) -> _Freezing:
    rows = draft.units()
    wanted = rows[rows["unit_id"].isin(units)] if units else rows
    groups = draft.stored.members.dropna(subset="unit_id").groupby("unit_id")["parcel_id"]
    members = {str(unit): list(parcels) for unit, parcels in groups}
    held = frozen_units(connection)
    outlines = _outlines(connection, srid=draft.held.project.srid)
    going = held["number"].isin(replaces)
    replaced = gpd.GeoDataFrame(
        held[going], geometry=held["number"][going].map(outlines).to_numpy(dtype=object), crs=rows.crs
    )
    looked_at = {unit: members[unit] for unit in wanted["unit_id"]}
    on = held["number"].isin(living_on(draft, looked_at, held[~going]))
    return _Freezing(draft, wanted, members, held[~going & ~on], held[on], replaced)


def _outlines(connection: Connection, *, srid: int) -> dict[str, Any]:
    shapes = frozen_shapes(connection, srid=srid)
    return dict(zip(shapes["unit_id"], shapes.geometry, strict=True))


def _lineage(asked: _Freezing) -> dict[str, list[str]]:
    """Return unit → numbers whose place it takes: those that it shares parcels or ground with."""
    lineage: dict[str, list[str]] = {}
    for unit, shape in zip(asked.wanted["unit_id"], asked.wanted.geometry, strict=True):
        own = set(asked.members[unit])
        lineage[unit] = [
            number
            for number, parcels, outline in zip(
                asked.replaced["number"], asked.replaced["parcels"], asked.replaced.geometry, strict=True
            )
            if own & set(parcels) or shape.intersection(outline).area > _COMMON_M2
        ]
    return lineage


def _refuse_affected(asked: _Freezing, lineage: Mapping[str, list[str]], replaces: tuple[str, ...]) -> None:
    """Refuse to go on beside frozen units that a correction has touched; what takes the place of one mends it."""
    changes = frozen_changes(asked.draft.held, without=(*replaces, *asked.going_on["number"]))
    held = {
        tuple(sorted(parcels)): number
        for number, parcels in zip(asked.held["number"], asked.held["parcels"], strict=True)
    }
    sound = set(held.values()) - set(changes["number"])
    others = [unit for unit, numbers in lineage.items() if not numbers]
    if any(held.get(asked.parcels(unit)) not in sound for unit in others):
        refuse(said_of(changes), "Nothing was frozen")


def _refuse_freezing(
    connection: Connection,
    asked: _Freezing,
    units: set[str],
    lineage: Mapping[str, list[str]],
    replaces: tuple[str, ...],
) -> None:
    stored, wanted, held = asked.draft.stored, asked.wanted, asked.held
    faults = [f"there is no unit {unit}" for unit in sorted(units - set(wanted["unit_id"]))]
    if len(stored.findings):
        broken = stored.findings[stored.findings["unit_id"].isin(wanted["unit_id"])]
        broken = broken[broken["rule"] != ACROSS_TOWNS]
        faults += [
            f"{row['unit_id']} breaks {row['rule']}: {row['message']}" for row in broken.to_dict("records")
        ]
    faults += _wrong_numbers(connection, asked, lineage, replaces)
    owner = {
        parcel: number
        for number, parcels in zip(held["number"], held["parcels"], strict=True)
        for parcel in parcels
    }
    same = {tuple(sorted(parcels)) for parcels in held["parcels"]}
    for unit in wanted["unit_id"]:
        parcels = asked.parcels(unit)
        taken = sorted({owner[parcel] for parcel in parcels if parcel in owner})
        if taken and parcels not in same:
            instead = " ".join(f"--replaces {number}" for number in taken)
            beside = [number for number in taken if number in asked.members and units]
            also = (
                f", or, as they live on in the draft, freeze them too: --unit {' --unit '.join(beside)}"
                if beside
                else ""
            )
            faults.append(
                f"{unit} has parcels of the frozen unit(s) {', '.join(taken)}; where it is to take their place, add {instead}{also}"
            )
    if faults:
        raise UsageError(
            f"draft {stored.name}: nothing was frozen:\n{listed(faults)}\nChoose other units with --unit, or edit the draft."
        )


def _wrong_numbers(
    connection: Connection, asked: _Freezing, lineage: Mapping[str, list[str]], replaces: tuple[str, ...]
) -> list[str]:
    """Return what is wrong with the numbers whose place is to be taken; what was replaced by the same before is not wrong."""
    known = _states(connection)
    going = set(asked.replaced["number"])
    wanted = {asked.parcels(unit) for unit in asked.wanted["unit_id"]}
    taken_before = {
        number
        for parcels, numbers in zip(asked.held["parcels"], asked.held["replaces"], strict=True)
        if tuple(sorted(parcels)) in wanted
        for number in numbers or []
    }
    kept = {number for numbers in lineage.values() for number in numbers}
    faults = []
    for number in dict.fromkeys(replaces):
        if number not in known:
            faults.append(f"{_unknown(number, known)} ({_SEE_ALL[0].lower()}{_SEE_ALL[1:]})")
        elif number not in going and number not in taken_before:
            faults.append(f"the unit {number} was withdrawn already, so nothing can take its place")
        elif number in going and number not in kept:
            faults.append(
                f"no unit that is to be frozen shares ground with {number}; where nothing takes its place, type:"
                f" lowland unit withdraw {number} --reason TEXT"
            )
    return faults


def _numbers(connection: Connection, project: Project, asked: _Freezing) -> dict[str, str]:
    """Number units by town: one with the parcels of a frozen one, or that carries it on, has its number, others one never given before."""
    settings = project.settings.delineate
    held = asked.held
    known = {
        tuple(sorted(parcels)): number
        for number, parcels in zip(held["number"], held["parcels"], strict=True)
    }
    used = set(_states(connection))
    going_on = set(asked.going_on["number"])
    numbers: dict[str, str] = {}
    for unit, town in zip(asked.wanted["unit_id"], asked.wanted["town_code"], strict=True):
        number = unit if unit in going_on else known.get(asked.parcels(unit))
        counter = 0
        while number is None:
            counter += 1
            tried = settings.town_numbers.get(town, settings.number).format(town=town, n=counter)
            number = None if tried in used else tried
        used.add(number)
        numbers[unit] = number
    return numbers


def _written(connection: Connection, asked: _Freezing, numbers: Mapping[str, str]) -> gpd.GeoDataFrame:
    """Return the units that get a row: new ones, and those that were frozen on other verdicts."""
    now = asked.draft.stored.record.inputs["classify"]
    rests = {}
    for run_id in asked.held["run_id"].unique():
        record = found_record(connection, int(run_id))
        rests[run_id] = None if record is None else record.inputs["classify"]
    same = set(asked.held["number"][asked.held["run_id"].map(rests) == now])
    return asked.wanted[~asked.wanted["unit_id"].map(numbers).isin(same)]


def _withdraw_replaced(
    connection: Connection, asked: _Freezing, lineage: Mapping[str, list[str]], numbers: Mapping[str, str]
) -> None:
    successors: dict[str, list[str]] = {number: [] for number in asked.replaced["number"]}
    for unit, replaced in lineage.items():
        for number in replaced:
            successors[number].append(numbers[unit])
    _withdraw(
        connection, {number: f"replaced by {', '.join(others)}" for number, others in successors.items()}
    )


def _write_frozen(
    connection: Connection,
    project: Project,
    asked: _Freezing,
    units: gpd.GeoDataFrame,
    numbers: Mapping[str, str],
    lineage: Mapping[str, list[str]],
) -> None:
    terms = [name for name in units.columns if name.endswith(("_m2", "_cost", "_m")) and name != "value_m2"]
    before = {
        number: replaced
        for rows_ in (asked.held, asked.going_on)
        for number, replaced in zip(rows_["number"], rows_["replaces"], strict=True)
    }
    ledger = pd.DataFrame(units[terms]).astype(object)
    codes = sorted({parcel for unit in units["unit_id"] for parcel in asked.members[unit]})
    facts = {row["parcel_id"]: row for row in _members(connection, asked.draft, codes)}
    rows: dict[str, Any] = {
        "number": units["unit_id"].map(numbers),
        "unit_id": units["unit_id"],
        "town_code": units["town_code"],
        "parcels": _objects(units, lambda unit: list(asked.parcels(unit))),
        "members": _objects(units, lambda unit: [facts[parcel] for parcel in asked.parcels(unit)]),
        "area_m2": units["area_m2"],
        "low_share": units["low_share"],
        "value_m2": units["value_m2"],
        "ledger": pd.Series(
            ledger.where(ledger.notna(), None).to_dict("records"), index=units.index, dtype=object
        ),
        "geom": units.geometry,
        # A unit that is confirmed, or lives on, keeps whose place it took.
        "replaces": _objects(units, lambda unit: lineage[unit] or before.get(numbers[unit])),
    }
    constants = {
        "state": FROZEN,
        "run_id": asked.draft.stored.run_id,
        "recorded_at": dt.datetime.now(dt.UTC),
        "recorded_by": who(),
    }
    copy_in(connection, schema.UNIT_FROZEN, pd.DataFrame(rows), srid=project.srid, constants=constants)


def _members(connection: Connection, draft: HeldDraft, codes: list[str]) -> list[dict[str, Any]]:
    basis = draft.held.basis
    rows = members_now(connection, basis, codes, basis.parcels)
    plain = rows.astype(object).where(rows.notna(), None)
    return [dict(zip(plain.columns, row, strict=True)) for row in plain.itertuples(index=False)]


def _objects(units: gpd.GeoDataFrame, made: Any) -> pd.Series[Any]:
    return pd.Series([made(unit) for unit in units["unit_id"]], index=units.index, dtype=object)


def _spelt(lineage: Mapping[str, list[str]]) -> dict[str, str]:
    return {unit: " ".join(numbers) for unit, numbers in lineage.items()}


def _tell_frozen(asked: _Freezing, fresh: int, confirmed: int, tell: Tell) -> None:
    there = len(asked.wanted) - fresh - confirmed - len(asked.going_on)
    said = f"{fresh} units frozen, {there} were frozen already"
    if confirmed:
        said += f", {confirmed} were frozen on other verdicts and are noted on these"
    if len(asked.going_on):
        numbers = ", ".join(asked.going_on["number"])
        said += f"; {len(asked.going_on)} live on with other parcels under their numbers: {numbers}"
    if len(asked.replaced):
        said += (
            f"; {len(asked.replaced)} withdrawn, their place is taken: {', '.join(asked.replaced['number'])}"
        )
    tell(said)
