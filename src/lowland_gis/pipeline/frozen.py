"""Freeze units that people decided on: numbers by the town's scheme, kept in the registry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from lowland_gis import schema
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame, read_geoframe
from lowland_gis.errors import UsageError, listed
from lowland_gis.pipeline.basis import Basis
from lowland_gis.pipeline.drafts import Stored, held_draft
from lowland_gis.pipeline.project import Project, Tell, silent, who
from lowland_gis.pipeline.runs import found_record
from lowland_gis.pipeline.stale import Stale, refuse

FROZEN = "frozen"
# The newest row of a number holds.
_IN_FORCE = (
    "FROM (SELECT DISTINCT ON (number) * FROM registry.unit ORDER BY number, entry_id DESC) newest"
    " WHERE state = 'frozen' ORDER BY number"
)


def freeze(project: Project, which: str, units: tuple[str, ...] = (), *, tell: Tell = silent) -> pd.DataFrame:
    """Freeze units of a draft: give each a number by its town's scheme and keep it in the registry.

    Returns unit_id and number. A unit that was frozen before with the same parcels keeps its number.

    Raises:
        UsageError: a unit is unknown or breaks a rule, or a parcel is in another frozen unit.
        StaleError: the draft is out of date.
    """
    with project.transaction() as connection:
        connection.execute("LOCK TABLE registry.unit IN EXCLUSIVE MODE")
        draft = held_draft(connection, project, which)
        refuse(draft.stale, "Nothing was frozen")
        stored, rows = draft.stored, draft.units()
        wanted = rows[rows["unit_id"].isin(units)] if units else rows
        members = stored.members.dropna(subset="unit_id").groupby("unit_id")["parcel_id"].agg(list)
        held = frozen_units(connection)
        _refuse_freezing(stored, set(units) - set(rows["unit_id"]), wanted, members, held)
        numbers = _numbers(project, wanted, members, held)
        fresh = wanted[~wanted["unit_id"].map(numbers).isin(held["number"])]
        _write_frozen(connection, project, stored.run_id, fresh, members, numbers)
        tell(f"{len(fresh)} units frozen, {len(wanted) - len(fresh)} were frozen already")
    return pd.DataFrame({"unit_id": wanted["unit_id"], "number": wanted["unit_id"].map(numbers)})


def frozen_units(connection: Connection) -> pd.DataFrame:
    """Return the frozen units in force: number, unit_id, town_code, parcels, run_id."""
    return read_frame(connection, f"SELECT number, unit_id, town_code, parcels, run_id {_IN_FORCE}")


def stale_frozen(connection: Connection, basis: Basis) -> Stale | None:
    """Return which frozen units were drawn on other verdicts than those of a basis, or hold parcels that it does not know.

    What people froze stays; that it rests on something else is said.
    """
    held = frozen_units(connection)
    causes = []
    for run_id, rows in held.groupby("run_id"):
        drawn = found_record(connection, int(str(run_id)))
        if drawn is None or drawn.inputs["classify"] != basis.classified.digest:
            rests = (
                "a draft that was thrown away"
                if drawn is None
                else f"the classification run {drawn.inputs['classify_run']}"
            )
            causes.append(
                f"{len(rows)} frozen units ({rows['number'].iloc[0]} …) rest on {rests}, all else on run {basis.run_id}"
            )
    known = _known_parcels(connection, basis, held)
    for number, parcels in zip(held["number"], held["parcels"], strict=True):
        gone = sorted(set(parcels) - known)
        if gone:
            causes.append(
                f"frozen unit {number}: {len(gone)} of its parcels are none any more, for example {gone[0]}"
            )
    return (
        Stale("Frozen units are", tuple(causes), "lowland unit draft, then: lowland unit freeze")
        if causes
        else None
    )


def _known_parcels(connection: Connection, basis: Basis, held: pd.DataFrame) -> set[str]:
    wanted = [parcel for parcels in held["parcels"] for parcel in parcels]
    rows = connection.execute(
        "SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%s) AND parcel_id = ANY(%s)",
        [basis.parcels, wanted],
    ).fetchall()
    return {row[0] for row in rows}


def frozen_shapes(connection: Connection, *, srid: int) -> gpd.GeoDataFrame:
    """Return the frozen units in force as they leave the house, by their numbers.

    Columns: unit_id (the number), town_code, n_parcels, area_m2, low_share, compactness (4πA/P², as it was when frozen), geometry.
    """
    return read_geoframe(
        connection,
        "SELECT number AS unit_id, town_code, jsonb_array_length(parcels) AS n_parcels, area_m2, low_share,"
        " 4 * pi() * area_m2 / nullif((ledger->>'outline_m')::float8, 0) ^ 2 AS compactness, ST_AsBinary(geom) AS geom "
        + _IN_FORCE,
        srid=srid,
    )


def _refuse_freezing(
    stored: Stored,
    unknown: set[str],
    wanted: gpd.GeoDataFrame,
    members: pd.Series,
    held: pd.DataFrame,
) -> None:
    faults = [f"there is no unit {unit}" for unit in sorted(unknown)]
    if len(stored.findings):
        broken = stored.findings[stored.findings["unit_id"].isin(wanted["unit_id"])]
        faults += [
            f"{row['unit_id']} breaks {row['rule']}: {row['message']}" for row in broken.to_dict("records")
        ]
    owner = {
        parcel: number
        for number, parcels in zip(held["number"], held["parcels"], strict=True)
        for parcel in parcels
    }
    same = {tuple(sorted(parcels)) for parcels in held["parcels"]}
    for unit in wanted["unit_id"]:
        parcels = sorted(members[unit])
        taken = sorted({owner[parcel] for parcel in parcels if parcel in owner})
        if taken and tuple(parcels) not in same:
            faults.append(f"{unit} has parcels of the frozen unit(s) {', '.join(taken)}")
    if faults:
        raise UsageError(
            f"draft {stored.name}: nothing was frozen:\n{listed(faults)}\nChoose other units with --unit, or edit the draft."
        )


def _numbers(
    project: Project, wanted: gpd.GeoDataFrame, members: pd.Series, held: pd.DataFrame
) -> dict[str, str]:
    """Number units by town: a unit with the parcels of a frozen one has its number, others the next free ones."""
    settings = project.settings.delineate
    known = {
        tuple(sorted(parcels)): number
        for number, parcels in zip(held["number"], held["parcels"], strict=True)
    }
    used = set(held["number"])
    numbers: dict[str, str] = {}
    for unit, town in zip(wanted["unit_id"], wanted["town_code"], strict=True):
        number = known.get(tuple(sorted(members[unit])))
        counter = 0
        while number is None:
            counter += 1
            tried = settings.town_numbers.get(town, settings.number).format(town=town, n=counter)
            number = None if tried in used else tried
        used.add(number)
        numbers[unit] = number
    return numbers


def _write_frozen(
    connection: Connection,
    project: Project,
    run_id: int,
    units: gpd.GeoDataFrame,
    members: pd.Series,
    numbers: Mapping[str, str],
) -> None:
    terms = [name for name in units.columns if name.endswith(("_m2", "_cost", "_m")) and name != "value_m2"]
    rows: dict[str, Any] = {
        "number": units["unit_id"].map(numbers),
        "unit_id": units["unit_id"],
        "town_code": units["town_code"],
        "parcels": pd.Series(
            [sorted(members[unit]) for unit in units["unit_id"]], index=units.index, dtype=object
        ),
        "area_m2": units["area_m2"],
        "low_share": units["low_share"],
        "value_m2": units["value_m2"],
        "ledger": pd.Series(pd.DataFrame(units[terms]).to_dict("records"), index=units.index, dtype=object),
        "geom": units.geometry,
    }
    constants = {
        "state": FROZEN,
        "run_id": run_id,
        "recorded_at": dt.datetime.now(dt.UTC),
        "recorded_by": who(),
    }
    copy_in(connection, schema.UNIT_FROZEN, pd.DataFrame(rows), srid=project.srid, constants=constants)
