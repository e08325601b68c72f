"""What a comparison tells of two states: a row of `result.change` for each change of land, fields and verdicts, and for each disposal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.rules.pack import KIND
from lowland_gis.analysis.update import lineage as became
from lowland_gis.analysis.update.balance import COLUMNS, NO_TOWN, Side, balance
from lowland_gis.analysis.update.causes import field_cause
from lowland_gis.analysis.update.limits import Limits
from lowland_gis.analysis.update.lineage import PER_M2, Lineage, is_land, lineage, rests
from lowland_gis.definitions.update import UpdateDefinition
from lowland_gis.pipeline.update.fields import Outline
from lowland_gis.pipeline.update.land import TwoStates
from lowland_gis.pipeline.update.opening import Filed
from lowland_gis.pipeline.update.verdicts import Reclassified

ATTRIBUTES, DISPOSED = "attribute_changed", "disposed"
# Another answer to the question of the kind, and to any other question of the rules.
RECLASSIFIED, REANSWERED = "reclassified", "reanswered"
# The parcel itself is the same one in both states; of a renumbered one under another number.
_ITSELF = (became.DRIFTED, became.RESHAPED, became.RENUMBERED, became.SAME)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Became:
    """What became of the parcels that moved, and to whom codes belong.

    `outlines`: old code → outline of parcels that are the same one and did not stay. `strangers` are codes that belong to another parcel
    by now. `lost` and `gained` say of each moved parcel, old and new, whether what no other parcel holds of it is land, and no strip.
    """

    land: TwoStates
    found: Lineage
    outlines: Mapping[str, Outline]
    strangers: frozenset[str]
    lost: npt.NDArray[np.bool_]
    gained: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, land: TwoStates, limits: Limits) -> Became:
        """Return what became of parcels by the land that they share."""
        found = lineage(land.old_moved, land.new_moved, land.shared, limits)
        old, new = land.old_moved.ids, land.new_moved.ids
        outlines = {
            str(old[change.old[0]]): Outline(str(new[change.new[0]]), _share(change))
            for change in found.changes
            if change.kind in _ITSELF
        }
        kept = {one for one, outline in outlines.items() if one == outline.code}
        strangers = (set(old.tolist()) & set(new.tolist())) - kept
        lost, gained = is_land(found, land.old_moved, land.new_moved, land.shared, limits)
        return cls(land, found, outlines, frozenset(map(str, strangers)), lost, gained)

    @property
    def renumbered(self) -> dict[str, str]:
        """Return old code → new code of parcels that go on under another number."""
        return {one: outline.code for one, outline in self.outlines.items() if one != outline.code}

    @property
    def added(self) -> list[str]:
        """Return the codes of parcels on land that was no parcel's."""
        return [
            str(self.land.new_moved.ids[change.new[0]])
            for change in self.found.changes
            if change.kind == became.ADDED
        ]

    @property
    def removed(self) -> list[str]:
        """Return the codes of parcels on whose land there is none any more."""
        return [
            str(self.land.old_moved.ids[change.old[0]])
            for change in self.found.changes
            if change.kind == became.REMOVED
        ]


def land_rows(
    made: Became, definition: UpdateDefinition, built: Mapping[str, tuple[str, tuple[int, int]]]
) -> Rows:
    """Return what became of the land of parcels; `built` says of those that came or went which buildings stood there before and after."""
    land, found = made.land, made.found
    old, new = land.old_moved, land.new_moved
    pairs = _pairs(found, land)
    gained, lost = (
        np.where(real, rest, 0).tolist()
        for real, rest in zip((made.gained, made.lost), rests(old, new, land.shared), strict=True)
    )
    # Plain lists: one value out of an array costs as much as all that is done with it here.
    old_ids, new_ids = old.ids.tolist(), new.ids.tolist()
    old_town, new_town = land.old.town[land.old.moved].tolist(), land.new.town[land.new.moved].tolist()
    rows = []
    for number, change in enumerate(found.changes):
        if change.kind == became.SAME:
            continue
        added = sum(gained[place] for place in change.new)
        removed = sum(lost[place] for place in change.old)
        areas = (change.old_area, added, removed, change.new_area)
        town = _first(new_town, change.new) or _first(old_town, change.old)
        evidence: dict[str, Any] = {"shared_m2": pairs.get(number, [])} if change.old and change.new else {}
        if change.moved_m == change.moved_m:
            evidence["displaced_m"] = round(change.moved_m, 4)
            evidence["bound_m"] = definition.drift.bound_m
        codes = [old_ids[p] for p in change.old], [new_ids[p] for p in change.new]
        if change.kind in (became.SPLIT, became.MERGED, became.REGROUPED):
            kept = sorted({*codes[0]} & {*codes[1]})
            evidence.update({"kept_number": kept} if kept else {})
        cause = definition.kind_cause[change.kind]
        came_or_went = change.kind in (became.ADDED, became.REMOVED)
        seen = built.get((codes[0] or codes[1])[0]) if came_or_went else None
        if seen is not None:
            cause, evidence["buildings"] = seen[0], list(seen[1])
        rows.append(_row(change.kind, cause, *codes, areas, town, evidence=evidence))
    return rows


def field_rows(
    land: TwoStates,
    fields: Mapping[tuple[str, str], Mapping[str, tuple[Any, Any]]],
    definition: UpdateDefinition,
) -> Rows:
    """Return the parcels that are the same with other fields, each field with what it was and is."""
    places = _Places(land)
    rows = []
    for (one, other), differences in fields.items():
        cause = field_cause(differences, definition.field_cause, "use_changed")
        evidence = {"fields": {name: list(values) for name, values in differences.items()}}
        rows.append(_row(ATTRIBUTES, cause, [one], [other], *places.of(one, other), evidence=evidence))
    return rows


def verdict_rows(made: Became, verdicts: Sequence[Reclassified]) -> Rows:
    """Return the parcels with another answer, those to the question of the kind first."""
    places = _Places(made.land)
    rows = []
    for found in sorted(verdicts, key=lambda found: found.question != KIND):
        if found.old in made.strangers:
            continue
        evidence = {
            "question": found.question,
            "answer": [found.before, found.after],
            "tipped": found.tipped,
        }
        row = _row(
            RECLASSIFIED if found.question == KIND else REANSWERED,
            found.cause,
            [found.old],
            [found.new],
            *places.of(found.old, found.new),
            evidence=evidence,
        )
        rows.append({**row, "basis": found.basis})
    return rows


def disposed_rows(
    land: TwoStates,
    disposed: Sequence[Filed],
    said: Mapping[int, Mapping[str, Any]],
    definition: UpdateDefinition,
) -> Rows:
    """Return the entries that were disposed of; `said` has day and paper of each."""
    places = _Places(land)
    there = set(land.new.ids.tolist())
    return [
        _row(
            DISPOSED,
            definition.kind_cause[DISPOSED],
            [entry.subject],
            [entry.subject] if entry.subject in there else [],
            *places.of(entry.subject, entry.subject),
            evidence={"register": entry.register, "entry": entry.entry_id, **said[entry.entry_id]},
        )
        for entry in disposed
    ]


def balance_lines(made: Became, held: Sequence[int]) -> pd.DataFrame:
    """Return the lines of `result.change_balance`; `held` is what the database counts in the deliveries of both states, in 0.01 m²."""
    land = made.land
    real_old, real_new = np.zeros(len(land.old.ids), dtype=bool), np.zeros(len(land.new.ids), dtype=bool)
    real_old[land.old.moved], real_new[land.new.moved] = made.lost, made.gained
    table = balance(
        Side(land.old.area, land.old.town, real_old),
        Side(land.new.area, land.new.town, real_new),
        land.whole(),
    )
    beside = (held[1] - int(land.new.area.sum())) - (held[0] - int(land.old.area.sum()))
    whole = table["town_code"].isna()
    table.loc[whole, "residual"] += beside / PER_M2
    lines = table.rename(columns={name: f"{name}_m2" for name in (*COLUMNS, "residual")})
    lines["town_code"] = [
        None if code in (None, NO_TOWN) and row else code
        for code, row in zip(lines["town_code"], whole, strict=True)
    ]
    lines.insert(0, "line_no", np.arange(1, len(lines) + 1))
    return lines


class _Places:
    """Area and town of a parcel that is one and the same in both states."""

    def __init__(self, land: TwoStates) -> None:
        self.land = land
        self.old = {code: place for place, code in enumerate(land.old.ids.tolist())}
        self.new = {code: place for place, code in enumerate(land.new.ids.tolist())}

    def of(self, one: str, other: str) -> tuple[tuple[int, int, int, int], str]:
        """Return old, added, removed and new area, and the town."""
        was, now = self.old.get(one), self.new.get(other)
        before = 0 if was is None else int(self.land.old.area[was])
        after = 0 if now is None else int(self.land.new.area[now])
        town = NO_TOWN if was is None else str(self.land.old.town[was])
        return (before, 0, 0, after), town if now is None else str(self.land.new.town[now])


def _row(
    kind: str,
    cause: str,
    old: list[str],
    new: list[str],
    areas: tuple[int, int, int, int],
    town: str,
    *,
    evidence: Mapping[str, Any],
) -> dict[str, Any]:
    was, added, removed, now = areas
    # What is told of a parcel beside what became of its land changes no area.
    drift = 0 if kind in (ATTRIBUTES, RECLASSIFIED, REANSWERED, DISPOSED) else now - was - added + removed
    return {
        "kind": kind, "cause": cause, "basis": None, "town_code": town or None, "old_parcels": old, "new_parcels": new,
        "old_m2": was / PER_M2, "added_m2": added / PER_M2, "removed_m2": removed / PER_M2, "drift_m2": drift / PER_M2,
        "new_m2": now / PER_M2, "evidence": dict(evidence),
    }  # fmt: skip


def _share(change: became.Change) -> float:
    """Return by which share the area of a parcel has changed."""
    return abs(change.new_area - change.old_area) / max(change.old_area, 1)


def _first(towns: Sequence[str], places: Sequence[int]) -> str:
    return towns[places[0]] if places else NO_TOWN


def _pairs(found: Lineage, land: TwoStates) -> dict[int, list[list[Any]]]:
    """Return change → old code, new code and m² of each pair within it."""
    pairs: dict[int, list[list[Any]]] = {}
    shared = land.shared
    change = found.old_change[shared.old]
    within = change == found.new_change[shared.new]
    old = land.old_moved.ids[shared.old[within]].tolist()
    new = land.new_moved.ids[shared.new[within]].tolist()
    areas = (shared.area[within] / PER_M2).tolist()
    for number, *pair in zip(change[within].tolist(), old, new, areas, strict=True):
        pairs.setdefault(number, []).append(pair)
    return {number: sorted(each) for number, each in pairs.items()}
