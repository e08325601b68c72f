"""Drafts of units side by side: list, read, edit, export to QGIS and import back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from lowland_gis.analysis.units.draw import Draft, redescribe
from lowland_gis.analysis.units.edit import Edit, Said
from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.judge import FINDINGS, Judgement, judge, members_of_polygons
from lowland_gis.analysis.units.links import HandLink
from lowland_gis.analysis.units.reasons import Alternative, alternatives
from lowland_gis.analysis.units.search import no_wishes, solve_component
from lowland_gis.analysis.units.session import Answer
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame, read_geoframe
from lowland_gis.errors import InputRefusedError, UsageError, listed
from lowland_gis.files.units import read_edited
from lowland_gis.pipeline.base.basis import LATEST, basis_of
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import DRAFT, units
from lowland_gis.pipeline.base.runs import (
    Record,
    Request,
    Run,
    Versions,
    record_of,
    recorded,
    recorded_versions,
)
from lowland_gis.pipeline.base.stale import Stale, refuse
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.reading import Reading, read_in
from lowland_gis.pipeline.units.draw import INHERITED, LINKS, said_links, write_draft
from lowland_gis.pipeline.units.editing import checked_links, say_all, session_of
from lowland_gis.pipeline.units.frozen import FROZEN, NEWEST
from lowland_gis.pipeline.units.frozen_changes import frozen_changes, said_of
from lowland_gis.pipeline.units.ground import (
    Inherited,
    UnitInputs,
    effort_of,
    limits_of,
    read_unit_inputs,
    weights_of,
)
from lowland_gis.pipeline.units.listed import drafts, own_settings, stale_draft
from lowland_gis.settings import DelineateSettings

# Under these settings a run keeps the parcels that edits keep out of every unit, and those that must be in one.
_OUT, _IN = "kept_out", "kept_in"


@dataclass(frozen=True)
class Stored:
    """A draft as the database keeps it: its head, its run, the settings that it was drawn with, its members."""

    run_id: int
    record: Record
    name: str
    origin: str
    value_m2: float
    bound_m2: float
    settings: DelineateSettings
    members: pd.DataFrame
    findings: pd.DataFrame

    @property
    def inherited(self) -> Inherited | None:
        """Return the earlier units that it started from, None where it started from none."""
        kept = self.record.settings.get(INHERITED)
        return None if kept is None else Inherited.of_json(kept)

    @property
    def links(self) -> tuple[HandLink, ...]:
        """Return the links by hand that it was edited with."""
        return tuple(HandLink.of_json(kept) for kept in self.record.settings.get(LINKS, []))

    @property
    def said(self) -> Said:
        """Return what edits said of it beside who is in which unit."""
        kept_out, kept_in = (tuple(self.record.settings.get(name, ())) for name in (_OUT, _IN))
        return Said(self.links, kept_out, kept_in)


@dataclass(frozen=True)
class Compared:
    """What became of a draft by an edit or an import: both values, the units that changed, what is broken now, and the answer to each edit."""

    run: Run
    before_m2: float
    after_m2: float
    changed: pd.DataFrame
    findings: pd.DataFrame
    answers: tuple[Answer, ...] = ()


def current_draft(connection: Connection) -> int | None:
    """Return the draft that people work on: the one frozen last and not withdrawn, else the newest of the flow."""
    for query in (
        f"SELECT run_id FROM {NEWEST} newest WHERE state = '{FROZEN}' ORDER BY entry_id DESC LIMIT 1",  # noqa: S608 - constants
        "SELECT run_id FROM result.run WHERE stage = 'delineate' ORDER BY run_id DESC LIMIT 1",
    ):
        row = connection.execute(query).fetchone()
        if (
            row is not None
            and connection.execute("SELECT 1 FROM result.draft WHERE run_id = %s", [row[0]]).fetchone()
        ):
            return int(row[0])
    return None


def read_draft(connection: Connection, which: str) -> Stored:
    """Return a draft by its name (the newest of that name), its run number, or `latest`.

    Raises:
        UsageError: there is no such draft.
    """
    table = drafts(connection)
    found = [row for row in table if which in ("latest", row["name"], str(row["run_id"]))]
    if not found:
        known = ", ".join(dict.fromkeys(row["name"] for row in table)) or "none yet; type: lowland unit draft"
        raise UsageError(f"There is no draft {which!r}. The drafts are: {known}")
    head = found[-1]
    run_id = int(head["run_id"])
    members = read_frame(
        connection,
        "SELECT parcel_id, unit_id, reason FROM result.member WHERE run_id = %s ORDER BY parcel_id",
        [run_id],
    )
    record = record_of(connection, run_id, str(head["stage"]))
    findings = connection.execute("SELECT findings FROM result.draft WHERE run_id = %s", [run_id]).fetchone()
    return Stored(
        run_id,
        record,
        str(head["name"]),
        str(head["origin"]),
        float(head["value_m2"]),
        float(head["bound_m2"]),
        own_settings(record),
        members,
        pd.DataFrame(findings[0] if findings else []),
    )


@dataclass(frozen=True)
class HeldDraft:
    """One state of the database with a draft that is looked at in it: the verdicts and deliveries that it was drawn on.

    `stale` says by what the draft is out of date, None where it is not; `changes` what became of the parcels of frozen units, whatever
    draft these are of (`frozen_changes.frozen_changes`).
    """

    held: Reading
    stored: Stored
    dividing: Versions
    stale: Stale | None
    changes: pd.DataFrame

    @property
    def frozen(self) -> Stale | None:
        """Return which frozen units a correction has touched, None where none is."""
        return said_of(self.changes)

    def inputs(self) -> UnitInputs:
        """Return what the draft was drawn from."""
        read = read_unit_inputs(self.held, self.stored.settings, self.dividing)
        return replace(read, inherited=self.stored.inherited, links=self.stored.links)

    def units(self) -> gpd.GeoDataFrame:
        """Return the units of the draft with their ledgers as columns."""
        return draft_units(self.held.connection, self.stored.run_id, srid=self.held.project.srid)


@contextmanager
def reading_draft(project: Project, which: str) -> Iterator[HeldDraft]:
    """Yield one state of the database in which a draft is looked at; nothing can be written.

    Raises:
        UsageError: there is no such draft.
    """
    with project.snapshot() as connection:
        yield held_draft(connection, project, which)


def held_draft(connection: Connection, project: Project, which: str) -> HeldDraft:
    """Return a draft with all that it rests on, over a connection that is open.

    Raises:
        UsageError: there is no such draft.
    """
    stored = read_draft(connection, which)
    newest = read_in(connection, project)
    basis = basis_of(connection, str(stored.record.inputs["classify_run"]))
    stale = stale_draft(newest, stored.record, stored.settings)
    read = stored.record.inputs["versions"]
    # Drafts of older programs kept no numbers of deliveries.
    known = isinstance(read, dict)
    dividing = recorded_versions(connection, stored.run_id, read) if known else newest.current
    return HeldDraft(
        replace(newest, basis=basis, stale=stale), stored, dividing, stale, frozen_changes(newest)
    )


def draft_units(connection: Connection, run_id: int, *, srid: int) -> gpd.GeoDataFrame:
    """Return the units of a draft with their ledgers as columns."""
    rows = read_geoframe(
        connection,
        "SELECT unit_id, town_code, n_parcels, area_m2, low_share, public_share, compactness, value_m2, limited_by,"
        " alternative, ledger, ST_AsBinary(geom) AS geom FROM result.unit WHERE run_id = %s ORDER BY unit_id",
        [run_id],
        srid=srid,
    )
    ledger = pd.DataFrame(list(rows["ledger"]), index=rows.index)
    return gpd.GeoDataFrame(rows.drop(columns="ledger").join(ledger), crs=rows.crs)


def edit(
    project: Project,
    which: str,
    name: str,
    edits: tuple[Edit, ...],
    *,
    as_said: bool = False,
    tell: Tell = silent,
) -> Compared:
    """Write a new draft that is another one with a planner's edits, and answer each of them.

    Units that only lose parcels are drawn again on what they have left, unless `as_said`.

    Raises:
        UsageError: an edit names a parcel or unit that is not there, or cannot be; nothing is written.
        StaleError: the draft is out of date.
    """
    with project.turn(DRAFT) as connection:
        draft = held_draft(connection, project, which)
        refuse(draft.stale, "Nothing was edited")
        stored, inputs = draft.stored, draft.inputs()
        asked: dict[str, Any] = {"asked": [_told(edit) for edit in edits]}
        asked |= {"as_said": True} if as_said else {}
        repeated = _is_repeat(draft, which, (name, "edit"), asked)
        base = read_draft(connection, str(stored.record.inputs["base_run"])) if repeated else stored
        if repeated:
            inputs = replace(inputs, links=base.links)
        session = session_of(inputs, stored.settings, base.members, base.said, connection)
        done = say_all(session, edits, base.name, as_said=as_said)
        if repeated:
            return replace(_there(draft, session.problem), answers=done.answers)
        tell(done.said)
        made = _Made(session.draft(stored.bound_m2), done.said, session.said)
        return replace(_kept(draft, (name, "edit"), made, asked), answers=done.answers)


def _told(edit: Edit) -> dict[str, Any]:
    """Return an edit as a run records it; what it does not say is left out."""
    return {key: value for key, value in asdict(edit).items() if value}


def import_edited(
    project: Project, which: str, name: str, source: Path, layer: str | None = None, *, tell: Tell = silent
) -> Compared:
    """Write a new draft from a file that was edited in QGIS, judged by the limits of the draft that it came from.

    A layer with parcel_id and unit_id is a membership table; one with unit_id and polygons is a drawing, and a parcel belongs
    where at least half of it lies. Links by hand are those of its layer `links`; without one, those of the draft.

    Raises:
        InputRefusedError: the file holds unknown parcels, parcels in two units, or links that cannot be; all are named, nothing is written.
        StaleError: the draft is out of date.
    """
    with project.turn(DRAFT) as connection:
        draft = held_draft(connection, project, which)
        refuse(draft.stale, "Nothing was imported")
        stored, inputs = draft.stored, draft.inputs()
        given = read_edited(source, layer, srid=project.srid)
        links = stored.links
        if given.links is not None:
            rule = inputs.by_rule(limits_of(stored.settings), weights_of(stored.settings))
            links = checked_links(source, rule, inputs, given.links)
            inputs = replace(inputs, links=links)
        problem = ground_of(inputs, stored)
        drawn = pd.DataFrame(columns=list(FINDINGS))
        if given.polygons is not None:
            members, drawn = members_of_polygons(inputs.parcels, given.polygons)
        else:
            members = given.members
        _refuse_members(source, problem, members, drawn)
        done = redescribe(problem, inputs.cells, members, stored.bound_m2).with_findings(drawn)
        tell(f"{source.name}: {len(done.units)} units")
        asked = {"asked": _digestible(done.members)}
        if links == stored.links and _is_repeat(draft, which, (name, "import"), asked):
            return _there(draft, problem)
        return _kept(
            draft,
            (name, "import"),
            _Made(done, f"import {source.name}", replace(stored.said, links=links)),
            asked,
        )


def _is_repeat(draft: HeldDraft, which: str, label: tuple[str, str], asked: dict[str, Any]) -> bool:
    """Say whether the newest draft is what the same command has made: one whose answer was lost is typed again."""
    stored = draft.stored
    told = json.loads(json.dumps(asked["asked"]))
    return (
        which == LATEST
        and label == (stored.name, stored.origin)
        and stored.record.settings.get("asked") == told
    )


def _there(draft: HeldDraft, problem: Problem) -> Compared:
    """Return what became of the draft below one that is there already."""
    stored, connection = draft.stored, draft.held.connection
    base = read_draft(connection, str(stored.record.inputs["base_run"]))
    own = ground_of(replace(draft.inputs(), links=base.links), base)
    before, after = judge(own, base.members), judge(problem, stored.members)
    run = Run(stored.run_id, stored.record.stage, stored.record.digest, fresh=False)
    changed = _changed(base, before, stored.members, after.units)
    return Compared(run, before.value_m2, stored.value_m2, changed, stored.findings)


def _refuse_members(source: Path, problem: Problem, members: pd.DataFrame, drawn: pd.DataFrame) -> None:
    """Refuse what has no meaning: parcels that are not there or stand in two units."""
    judged = judge(problem, members).findings
    fatal = judged[judged["rule"].isin(["unknown_parcel", "two_units"])]
    if len(drawn):
        fatal = pd.concat([drawn[drawn["rule"] == "units_overlap"], fatal])
    if len(fatal):
        faults = [
            f"{row['rule']}: {row['message']}" + (f" ({row['parcels']})" if row["parcels"] else "")
            for row in fatal.to_dict("records")
        ]
        raise InputRefusedError(
            f"{source}: {len(fatal)} fault(s), so nothing was imported:\n{listed(faults)}\nMend them in QGIS and import again."
        )


@dataclass(frozen=True)
class _Made:
    """A draft that was made from another one, what was done in words, and what is said of it beside who is in which unit."""

    draft: Draft
    done: str
    said: Said


def _kept(base: HeldDraft, label: tuple[str, str], made: _Made, asked: dict[str, Any]) -> Compared:
    """Write a draft under a name and origin and compare it with the one that it was made from."""
    name, origin = label
    held, stored, draft = base.held, base.stored, made.draft
    said = {"members": _digestible(draft.members), "edit": made.done, **asked, **said_links(made.said.links)}
    said |= {name: list(codes) for name, codes in ((_OUT, made.said.out), (_IN, made.said.inside)) if codes}
    if stored.inherited is not None:
        said[INHERITED] = stored.inherited.to_json()

    def work(run_id: int) -> None:
        write_draft(held, run_id, name, origin, draft, base=stored.run_id)

    plain = units(DRAFT, name, stored.settings, held.current, held.basis.classified)
    inputs = {**plain.inputs, "base_run": stored.run_id}
    run = recorded(held.connection, Request(DRAFT, inputs, {**plain.settings, **said}), work)
    # Each is judged on its own ground: links by hand may be others.
    before = judge(ground_of(base.inputs(), stored), stored.members)
    return Compared(
        run,
        before.value_m2,
        draft.value_m2,
        _changed(stored, before, draft.members, draft.units),
        draft.findings,
    )


def _digestible(members: pd.DataFrame) -> dict[str, str]:
    inside = members[members["unit_id"].notna()]
    return dict(zip(inside["parcel_id"].astype(str), inside["unit_id"].astype(str), strict=True))


def _changed(stored: Stored, before: Judgement, members: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the units whose parcels changed: unit_id, parcels and value before and after."""
    old = stored.members.dropna(subset="unit_id").groupby("unit_id")["parcel_id"].agg(frozenset)
    new = members.dropna(subset="unit_id").groupby("unit_id")["parcel_id"].agg(frozenset)
    worth = before.units.set_index("unit_id")["value_m2"], after.set_index("unit_id")["value_m2"]
    rows = [
        (unit, len(old.get(unit, ())), len(new.get(unit, ())), worth[0].get(unit), worth[1].get(unit))
        for unit in sorted({*old.index, *new.index})
        if old.get(unit) != new.get(unit)
    ]
    columns = ["unit_id", "parcels_before", "parcels_after", "value_before_m2", "value_after_m2"]
    return pd.DataFrame(rows, columns=columns)


def ground_of(inputs: UnitInputs, stored: Stored) -> Problem:
    """Return the ground under the limits that a draft was drawn with."""
    return inputs.problem(limits_of(stored.settings), weights_of(stored.settings))


def judged_polygons(
    held: Reading, source: Path, layer: str | None = None, settings: DelineateSettings | None = None
) -> Judgement:
    """Judge hand-drawn polygons or a membership table by the limits of lowland.toml; nothing is written."""
    settings = settings or held.project.settings.delineate
    inputs = read_unit_inputs(held, settings)
    problem = inputs.problem(limits_of(settings), weights_of(settings))
    given = read_edited(source, layer, srid=held.project.srid)
    if given.polygons is None:
        return judge(problem, given.members)
    members, drawn = members_of_polygons(inputs.parcels, given.polygons)
    judged = judge(problem, members)
    return Judgement(judged.units, pd.concat([drawn, judged.findings], ignore_index=True))


def next_best(draft: HeldDraft, parcel_id: str) -> tuple[str, list[Alternative]]:
    """Return where a parcel is in a draft (or why it is in no unit), and the next-best units that hold it.

    Raises:
        UsageError: there is no such parcel.
    """
    stored, inputs = draft.stored, draft.inputs()
    row = stored.members[stored.members["parcel_id"] == parcel_id]
    if row.empty:
        raise UsageError(
            f"Draft {stored.name} knows no parcel {parcel_id!r}. Check the code (宗地代码 ZDDM)."
        )
    unit, reason = row.iloc[0]["unit_id"], row.iloc[0]["reason"]
    problem = ground_of(inputs, stored)
    place = int(problem.component[list(problem.ids).index(parcel_id)])
    said = f"in unit {unit}" if unit is not None else str(reason)
    if place < 0:
        return said, []
    found = solve_component(problem, place, effort_of(stored.settings), no_wishes(problem))
    return said, alternatives(problem, found, parcel_id)
