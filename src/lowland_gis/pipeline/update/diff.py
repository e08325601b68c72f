"""Compare the two states of the update that is open: every change with cause and evidence, and the balance of areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lowland_gis import schema
from lowland_gis.analysis.rules.pack import KIND
from lowland_gis.analysis.update import lineage as became
from lowland_gis.analysis.update.balance import COLUMNS, NO_TOWN, Side, balance
from lowland_gis.analysis.update.causes import field_cause
from lowland_gis.analysis.update.lineage import PER_M2, Lineage, is_land, lineage, rests
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.definitions.update import UpdateDefinition, update_definition
from lowland_gis.errors import StaleError
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.base.land import refuse_double_parcels
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Request, Run, recorded
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.reading import read_in
from lowland_gis.pipeline.update.built import built_causes
from lowland_gis.pipeline.update.doubts import keep_doubts, lineage_doubts
from lowland_gis.pipeline.update.fields import Outline, differing_fields
from lowland_gis.pipeline.update.land import TwoStates, two_states
from lowland_gis.pipeline.update.opening import (
    Filed,
    Update,
    bases,
    entries_digest,
    filed_entries,
    opened,
)
from lowland_gis.pipeline.update.surveyed import (
    Increment,
    increment_in_force,
    keep_pair_doubts,
    survey_doubts,
)
from lowland_gis.pipeline.update.verdicts import reclassified

UPDATE = "update"
ATTRIBUTES, DISPOSED = "attribute_changed", "disposed"
# Another answer to the question of the kind, and to any other question of the rules.
RECLASSIFIED, REANSWERED = "reclassified", "reanswered"
# The parcel itself is the same one in both states; of a renumbered one under another number.
_ITSELF = (became.DRIFTED, became.RESHAPED, became.RENUMBERED, became.SAME)


def diff_update(project: Project, *, tell: Tell = silent) -> tuple[Update, Run]:
    """Compare the two states of the update that is open, and keep what was found as a run; the same again is not computed twice.

    Raises:
        UsageError: no update is open.
        StaleError: deliveries, rules or verdicts are others by now than those that it was opened with.
        InputRefusedError: a parcel stands in two parts; or a state is not in the database any more.
    """
    with project.turn(UPDATE) as connection:
        update = opened(connection)
        refuse_moved_on(connection, project, update)
        states, entries = bases(connection, update), filed_entries(connection)
        increment, definition = increment_in_force(connection), update_definition()
        request = comparison(update, states, entries, increment, definition)

        def work(run_id: int) -> None:
            for basis in states:
                refuse_double_parcels(connection, basis.versions)
            _Comparison(connection, project, states, definition, tell).write(run_id, entries, increment)

        return update, recorded(connection, request, work)


def comparison(
    update: Update,
    states: Sequence[Basis],
    entries: Sequence[Filed],
    increment: Increment,
    definition: UpdateDefinition,
) -> Request:
    """Return what the comparison of an update rests on."""
    return Request(
        UPDATE,
        {
            "update": update.update_id,
            "before": states[0].classified.digest,
            "after": states[1].classified.digest,
            "entries": entries_digest(entries),
            "increment": increment.recorded,
        },
        {"definition": definition.model_dump(mode="json"), "year": update.year},
    )


def refuse_moved_on(connection: Connection, project: Project, update: Update) -> None:
    """Refuse an update that was opened with other deliveries, rules or verdicts than those in force.

    Raises:
        StaleError: it was; with the command to type.
    """
    held = read_in(connection, project)
    again = f"lowland update open {update.year} --again"
    if held.stale is not None:
        raise StaleError(
            f"The update of {update.year} cannot be compared, because {held.stale}, then: {again}"
        )
    if held.basis.run_id != update.runs[1]:
        raise StaleError(
            f"The update of {update.year} was opened with the classification {update.runs[1]}, and the newest one is {held.basis.run_id}, so"
            f" it would compare what is not in force any more. Have it rest on what is: {again}"
        )


@dataclass(frozen=True)
class _Made:
    """What became of the parcels, and to whom codes belong: old code → outline of parcels that are the same one and did not stay."""

    land: TwoStates
    found: Lineage
    outlines: Mapping[str, Outline]
    strangers: frozenset[str]

    @property
    def renumbered(self) -> dict[str, str]:
        return {one: outline.code for one, outline in self.outlines.items() if one != outline.code}


class _Comparison:
    def __init__(
        self,
        connection: Connection,
        project: Project,
        states: tuple[Basis, Basis],
        definition: UpdateDefinition,
        tell: Tell,
    ) -> None:
        self.connection, self.project, self.states, self.definition, self.tell = (
            connection, project, states, definition, tell,
        )  # fmt: skip

    def write(self, run_id: int, entries: Sequence[Filed], increment: Increment) -> None:
        """Write the changes and the balance under a run, and the doubts as issues of the deliveries."""
        before, after = self.states
        self.tell("update: land of both states")
        land = two_states(self.connection, self.project, before, after)
        made = self._became(land)
        fields = differing_fields(self.connection, before, after, self.definition, made.outlines)
        fields = {pair: found for pair, found in fields.items() if pair[0] not in made.strangers}
        self.tell("update: verdicts of both states")
        verdicts = reclassified(self.connection, self.states, self.definition, made.renumbered, fields)
        rows = [
            *self._land_rows(made),
            *self._field_rows(made.land, fields),
            *self._verdict_rows(made, verdicts),
            *self._disposed_rows(made.land, entries),
        ]
        columns = [name for name in schema.CHANGE.column_names if name != "run_id"]
        # Column by column: of rows pandas would look for the columns in each.
        table = {name: [row[name] for row in rows] for name in columns if name != "change_no"}
        self._copied(schema.CHANGE, run_id, pd.DataFrame({"change_no": range(1, len(rows) + 1), **table}))
        self._copied(schema.CHANGE_BALANCE, run_id, self._balance(made))
        doubts = list(lineage_doubts(land, made.found, self.definition.limits))
        if increment.usable:
            self.tell("update: survey increment")
            doubts += survey_doubts(self.connection, increment, self.states, rows, self.definition)
        keep_doubts(self.connection, self.states, doubts, increment.pieces)
        keep_pair_doubts(self.connection, increment, self.definition, self.project.settings.folder)

    def _copied(self, table: schema.Table, run_id: int, rows: pd.DataFrame) -> None:
        copy_in(self.connection, table, rows, srid=self.project.srid, constants={"run_id": run_id})

    def _became(self, land: TwoStates) -> _Made:
        found = lineage(land.old_moved, land.new_moved, land.shared, self.definition.limits)
        old, new = land.old_moved.ids, land.new_moved.ids
        outlines = {
            str(old[change.old[0]]): Outline(str(new[change.new[0]]), _share(change))
            for change in found.changes
            if change.kind in _ITSELF
        }
        kept = {one for one, outline in outlines.items() if one == outline.code}
        strangers = (set(old.tolist()) & set(new.tolist())) - kept
        return _Made(land, found, outlines, frozenset(map(str, strangers)))

    def _land_rows(self, made: _Made) -> list[dict[str, Any]]:
        land, found = made.land, made.found
        old, new = land.old_moved, land.new_moved
        lost_land, gained_land = is_land(found, old, new, land.shared, self.definition.limits)
        pairs = _pairs(found, land)
        built = self._built(found, land)
        gained, lost = (
            np.where(real, rest, 0).tolist()
            for real, rest in zip((gained_land, lost_land), rests(old, new, land.shared), strict=True)
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
            evidence: dict[str, Any] = (
                {"shared_m2": pairs.get(number, [])} if change.old and change.new else {}
            )
            if change.moved_m == change.moved_m:
                evidence["displaced_m"] = round(change.moved_m, 4)
                evidence["bound_m"] = self.definition.drift.bound_m
            codes = [old_ids[p] for p in change.old], [new_ids[p] for p in change.new]
            if change.kind in (became.SPLIT, became.MERGED, became.REGROUPED):
                kept = sorted({*codes[0]} & {*codes[1]})
                evidence.update({"kept_number": kept} if kept else {})
            cause = self.definition.kind_cause[change.kind]
            came_or_went = change.kind in (became.ADDED, became.REMOVED)
            seen = built.get((codes[0] or codes[1])[0]) if came_or_went else None
            if seen is not None:
                cause, evidence["buildings"] = seen[0], list(seen[1])
            rows.append(self._row(change.kind, cause, *codes, areas, town, evidence=evidence))
        return rows

    def _built(self, found: Lineage, land: TwoStates) -> dict[str, tuple[str, tuple[int, int]]]:
        added = [
            str(land.new_moved.ids[change.new[0]]) for change in found.changes if change.kind == became.ADDED
        ]
        removed = [
            str(land.old_moved.ids[change.old[0]])
            for change in found.changes
            if change.kind == became.REMOVED
        ]
        return built_causes(self.connection, self.states, added, removed)

    def _field_rows(
        self, land: TwoStates, fields: Mapping[tuple[str, str], Mapping[str, tuple[Any, Any]]]
    ) -> list[dict[str, Any]]:
        places = _Places(land)
        rows = []
        for (one, other), differences in fields.items():
            cause = field_cause(differences, self.definition.field_cause, "use_changed")
            evidence = {"fields": {name: list(values) for name, values in differences.items()}}
            rows.append(
                self._row(ATTRIBUTES, cause, [one], [other], *places.of(one, other), evidence=evidence)
            )
        return rows

    def _verdict_rows(self, made: _Made, verdicts: Sequence[Any]) -> list[dict[str, Any]]:
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
            row = self._row(
                RECLASSIFIED if found.question == KIND else REANSWERED,
                found.cause,
                [found.old],
                [found.new],
                *places.of(found.old, found.new),
                evidence=evidence,
            )
            rows.append({**row, "basis": found.basis})
        return rows

    def _disposed_rows(self, land: TwoStates, entries: Sequence[Filed]) -> list[dict[str, Any]]:
        disposed = [entry for entry in entries if entry.state == DISPOSED and not self._closed_before(entry)]
        said = _disposals(self.connection, [entry.entry_id for entry in disposed])
        places = _Places(land)
        there = set(land.new.ids.tolist())
        return [
            self._row(
                DISPOSED,
                self.definition.kind_cause[DISPOSED],
                [entry.subject],
                [entry.subject] if entry.subject in there else [],
                *places.of(entry.subject, entry.subject),
                evidence={"register": entry.register, "entry": entry.entry_id, **said[entry.entry_id]},
            )
            for entry in disposed
        ]

    def _closed_before(self, entry: Filed) -> bool:
        """Return whether an earlier update has told of a disposal already."""
        row = self.connection.execute(
            "SELECT EXISTS (SELECT FROM registry.annual_update closed JOIN registry.event ON event.entry_id = %s AND event.to_state = %s"
            " WHERE closed.step = 'closed' AND event.recorded_at < closed.recorded_at)",
            [entry.entry_id, DISPOSED],
        ).fetchone()
        return bool(row and row[0])

    def _row(
        self,
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

    def _balance(self, made: _Made) -> pd.DataFrame:
        land = made.land
        lost, gained = is_land(
            made.found, land.old_moved, land.new_moved, land.shared, self.definition.limits
        )
        real_old, real_new = np.zeros(len(land.old.ids), dtype=bool), np.zeros(len(land.new.ids), dtype=bool)
        real_old[land.old.moved], real_new[land.new.moved] = lost, gained
        table = balance(
            Side(land.old.area, land.old.town, real_old),
            Side(land.new.area, land.new.town, real_new),
            land.whole(),
        )
        # What the deliveries hold, counted by the database and not by what was compared.
        held = [_held(self.connection, basis) for basis in self.states]
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


def _held(connection: Connection, basis: Basis) -> int:
    row = connection.execute(
        "SELECT coalesce(sum(round((area_m2 * 100)::numeric)), 0)::bigint FROM land.parcel WHERE version_id = ANY(%s)",
        [basis.parcels],
    ).fetchone()
    return int(row[0]) if row else 0


def _disposals(connection: Connection, entries: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return day, number and digest of the paper with which each entry was disposed of."""
    rows = connection.execute(
        "SELECT DISTINCT ON (entry_id) entry_id, on_date, document_no, document_sha256 FROM registry.event"
        " WHERE entry_id = ANY(%s) AND to_state = %s ORDER BY entry_id, version DESC",
        [list(entries), DISPOSED],
    ).fetchall()
    return {
        entry: {"on": str(day), "document_no": number, "document_sha256": digest}
        for entry, day, number, digest in rows
    }
