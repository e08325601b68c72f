"""Edit sessions of drafts: what a planner says one by one, with the links by hand that a draft keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
import shapely

from lowland_gis.analysis.units.edit import Edit, Said
from lowland_gis.analysis.units.edit_faults import twice
from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.links import HandLink, link_fault, with_links
from lowland_gis.analysis.units.session import Answer, EditSession
from lowland_gis.db.connect import Connection
from lowland_gis.errors import InputRefusedError, UsageError, listed
from lowland_gis.pipeline.units.frozen import frozen_units
from lowland_gis.pipeline.units.ground import UnitInputs, effort_of, limits_of, weights_of
from lowland_gis.settings import DelineateSettings

# What puts parcels into a unit on purpose: such a unit stays as it was said, also where it lost others.
_FILLING = ("move", "swap", "new", "split", "merge")


@dataclass(frozen=True)
class Edited:
    """A session in which everything was said, and the answers that are worth telling, in words."""

    session: EditSession
    answers: tuple[Answer, ...]
    said: str


def session_of(
    inputs: UnitInputs,
    settings: DelineateSettings,
    members: pd.DataFrame,
    said_before: Said | None = None,
    connection: Connection | None = None,
) -> EditSession:
    """Return a session that edits a division under the limits that it was drawn with; `said_before` is what was said of it until now.

    With a connection, the frozen units are known, and an edit that touches one says so.
    """
    frozen: dict[str, str] = {}
    if connection is not None:
        units = frozen_units(connection)
        for number, parcels in zip(units["number"], units["parcels"], strict=True):
            frozen |= dict.fromkeys(map(str, parcels), str(number))
    rule = inputs.by_rule(limits_of(settings), weights_of(settings))
    return EditSession(
        rule, inputs.cells, members, effort_of(settings), said_before=said_before, frozen=frozen
    )


def say_all(session: EditSession, edits: Sequence[Edit], name: str, *, as_said: bool) -> Edited:
    """Say edits one after the other, and have units that only lost parcels drawn again on what they have left, unless `as_said`.

    Raises:
        UsageError: an edit names what is not there, or cannot be; all faults together.
    """
    faults, before = twice(edits), session.value_m2
    for edit in edits:
        try:
            session.say(edit)
        except ValueError as error:
            faults.append(str(error))
    if faults:
        raise UsageError(f"{name}: {listed(faults)}" if len(faults) > 1 else f"{name}: {faults[0]}")
    answers = list(session.answers)
    losers = [] if as_said else _losers(session)
    if losers:
        answers += [answer for answer in [session.say(Edit("mend", units=tuple(losers)))] if _changes(answer)]
    changed = sorted(
        {
            unit.unit_id
            for answer in answers
            for unit in answer.units
            if unit.parcels_before or unit.parcels_after
        }
    )
    said = f"{len(changed)} units changed ({', '.join(changed)}), value {session.value_m2 - before:+,.0f} m²"
    broken = [breach for breach in session.broken if breach.unit_id in changed]
    if broken:
        said += "; broken: " + ", ".join(f"{breach.unit_id} {breach.rule}" for breach in broken)
    return Edited(session, tuple(answers), said)


def _losers(session: EditSession) -> list[str]:
    """Return the units that lost parcels and are as nobody said: not filled, split, merged or locked on purpose."""
    lost, filled = set[str](), set[str]()
    for answer in session.answers:
        # A force, a mend and a redraw leave units as the search has them.
        if answer.edit.kind in (*_FILLING, "forbid"):
            lost |= {unit.unit_id for unit in answer.units if unit.parcels_after < unit.parcels_before}
        filled |= {
            unit.unit_id
            for unit in answer.units
            if answer.edit.kind in _FILLING and unit.parcels_after > unit.parcels_before
        }
        filled |= set(answer.edit.units) if answer.edit.kind in ("split", "merge", "lock") else set()
    division = session.division
    return sorted((lost - filled - division.locked) & set(division.units))


def _changes(answer: Answer) -> bool:
    return any(
        unit.value_before_m2 != unit.value_after_m2 or unit.parcels_before != unit.parcels_after
        for unit in answer.units
    )


def links_layer(inputs: UnitInputs) -> gpd.GeoDataFrame:
    """Return links by hand as lines between their parcels: one, other, joined, reason, said_by, geometry."""
    shapes = inputs.parcels.set_index("parcel_id").geometry
    there = [link for link in inputs.links if {*link.pair} <= set(shapes.index)]
    points = [shapely.point_on_surface(shapes.loc[list(link.pair)].to_numpy()) for link in there]
    columns = {
        name: pd.Series([link.to_json()[name] for link in there], dtype=kind)
        for name, kind in (
            ("one", object),
            ("other", object),
            ("joined", bool),
            ("reason", object),
            ("said_by", object),
        )
    }
    lines = [shapely.LineString(shapely.get_coordinates(pair)) for pair in points]
    return gpd.GeoDataFrame(columns, geometry=lines, crs=inputs.parcels.crs)


def checked_links(
    source: object, problem: Problem, inputs: UnitInputs, links: Sequence[HandLink]
) -> tuple[HandLink, ...]:
    """Return links by hand as a file has them; `problem` is the ground of the rule alone.

    Raises:
        InputRefusedError: one names parcels that are not there, or cannot be; all are named.
    """
    faults, kept = [], list[HandLink]()
    for link in links:
        fault = (
            f"{link.one} and {link.other} stand in it twice"
            if any(link.pair == each.pair for each in kept)
            else link_fault(with_links(problem, kept), inputs.cells, link)
        )
        faults += [fault] if fault else []
        kept += [] if fault else [link]
    if faults:
        raise InputRefusedError(
            f"{source}, layer links: {len(faults)} fault(s), so nothing was imported:\n{listed(faults)}\nMend them in QGIS and import again."
        )
    return tuple(kept)
