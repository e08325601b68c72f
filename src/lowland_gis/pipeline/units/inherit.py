"""Start a draft from earlier units: of a draft, or those that are frozen; and tell what changed since."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis.units.edit import units_of
from lowland_gis.analysis.units.heirs import unit_changes
from lowland_gis.analysis.units.links import HandLink
from lowland_gis.db.connect import Connection
from lowland_gis.errors import UsageError, listed
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.units.drafts import HeldDraft, draft_units, ground_of, held_draft, read_draft
from lowland_gis.pipeline.units.draw import Inherit
from lowland_gis.pipeline.units.frozen import frozen_shapes, frozen_units
from lowland_gis.pipeline.units.frozen_changes import frozen_changes
from lowland_gis.pipeline.units.ground import Inherited, read_unit_inputs

FROZEN_UNITS = "frozen"
# What a draft is told to have started from, where these are it.
THE_FROZEN = "the frozen units"
# A parcel with a new code stands on the ground of the unit that holds so much of it.
_ON_THE_GROUND = 0.5
# What units are drawn by, beside the shape; an outline that moved by less than this, m, is the same one.
_FACTS = ("area_m2", "low_m2", "public_m2", "kind", "zone", "plan_use", "owner", "reason")
_MOVED_M = 1e-3
# What two outlines share beside a common boundary is no common ground, m².
_COMMON_M2 = 1.0


def from_units(which: str, *, lock: bool = False) -> Inherit:
    """Return what reads the earlier units: `frozen`, or those of a draft by its name or run number.

    With `lock`, those of which no parcel has changed are to stay as they are.
    """

    def read(held: Reading) -> tuple[Inherited, int | None]:
        parcels = land.parcels(
            held.connection, held.basis.versions, srid=held.project.srid, columns=("parcel_id",)
        )
        found, run_id = inherited(held.connection, which, parcels, srid=held.project.srid)
        return (replace(found, quiet=_quiet(held, which, found)), run_id) if lock else (found, run_id)

    return read


def _quiet(held: Reading, which: str, found: Inherited) -> tuple[str, ...]:
    """Return the earlier units of which no parcel has gone, come, or changed in anything that units are drawn by."""
    if which == FROZEN_UNITS:
        touched = set(frozen_changes(held)["number"])
    else:
        old = held_draft(held.connection, held.project, which).inputs().parcels
        changed = _changed_parcels(old, read_unit_inputs(held).parcels)
        touched = {unit for parcel, unit in found.units.items() if parcel in changed}
    return tuple(sorted(found.names - touched - set(found.lost.values())))


def _changed_parcels(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> set[str]:
    """Return the parcels that are new or differ in shape, area, verdict, zone, use, holder or protection."""
    then = old.set_index("parcel_id").reindex(new["parcel_id"])
    there, now = new["parcel_id"].isin(old["parcel_id"]).to_numpy(), new.set_index("parcel_id")
    differ = ~there
    for name in _FACTS:
        left, right = (rows[name].astype(object).where(rows[name].notna(), "") for rows in (then, now))
        differ |= (left.to_numpy() != right.to_numpy()).astype(bool)
    shapes = (shapely.normalize(rows.geometry.to_numpy()) for rows in (then, now))
    differ |= ~shapely.equals_exact(*shapes, tolerance=_MOVED_M)
    return set(now.index[differ])


def inherited(
    connection: Connection, which: str, parcels: gpd.GeoDataFrame, *, srid: int
) -> tuple[Inherited, int | None]:
    """Return the earlier units on some parcels (parcel_id, geometry), and the run of their draft, None where they are the frozen ones.

    A parcel is in the unit in which its code was. A code that was not there then is in the unit whose outline holds at least half of
    the parcel: it was divided, merged or numbered anew on that ground.

    Raises:
        UsageError: there is no such draft, nothing is frozen, or frozen units overlap.
    """
    said: tuple[HandLink, ...]
    if which == FROZEN_UNITS:
        members, outlines = _frozen(connection, srid=srid)
        known, run_id, source, said = set(members), None, THE_FROZEN, ()
    else:
        stored = read_draft(connection, which)
        inside = stored.members.dropna(subset="unit_id")
        members = dict(zip(inside["parcel_id"].astype(str), inside["unit_id"].astype(str), strict=True))
        outlines = draft_units(connection, stored.run_id, srid=srid)
        known, run_id, source = set(stored.members["parcel_id"]), stored.run_id, f"draft {stored.name}"
        said = stored.links
    codes = set(parcels["parcel_id"])
    units = {code: unit for code, unit in members.items() if code in codes}
    units |= _on_the_ground(parcels[~parcels["parcel_id"].isin(known)], outlines)
    lost = {code: unit for code, unit in members.items() if code not in codes}
    links = tuple(link for link in said if {*link.pair} <= codes)
    return Inherited(source, units, lost, frozenset(map(str, outlines["unit_id"])), links=links), run_id


def changes_of(draft: HeldDraft, which: str | None = None) -> pd.DataFrame:
    """Return the parcels of a draft whose unit changed since the earlier units that it started from, or since those of `which`.

    The columns are those of `heirs.CHANGES`.

    Raises:
        UsageError: the draft started from no earlier units and none are named, or those named cannot be read.
    """
    stored, inputs = draft.stored, draft.inputs()
    if which is not None:
        srid = draft.held.project.srid
        inputs = replace(
            inputs, inherited=inherited(draft.held.connection, which, inputs.parcels, srid=srid)[0]
        )
    if inputs.inherited is None:
        raise UsageError(
            f"Draft {stored.name} started from no earlier units, so nothing can have changed. Name them with --from DRAFT or"
            " --from frozen."
        )
    problem = ground_of(inputs, stored)
    table = unit_changes(problem, units_of(problem, stored.members), stored.members, inputs.inherited.lost)
    return table.round({"area_m2": 2, "gain_m2": 2})


def _frozen(connection: Connection, *, srid: int) -> tuple[dict[str, str], gpd.GeoDataFrame]:
    """Return the parcels of frozen units with their numbers, and the outlines."""
    units, outlines = frozen_units(connection), frozen_shapes(connection, srid=srid)
    if units.empty:
        raise UsageError(
            "There are no frozen units to start from. Freeze some with lowland unit freeze, or start from a draft: --from DRAFT"
        )
    found: dict[str, str] = {}
    faults = []
    for number, parcels in zip(units["number"], units["parcels"], strict=True):
        twice = sorted(set(parcels) & set(found))
        faults += [f"parcel {code} is in the frozen units {found[code]} and {number}" for code in twice]
        found |= dict.fromkeys(parcels, str(number))
    faults += _common_ground(outlines)
    if faults:
        raise UsageError(
            f"The frozen units overlap, so it is not known which of them a parcel was in; nothing was drawn:\n{listed(faults)}\n"
            "Withdraw one of each pair with: lowland unit withdraw NUMBER --reason TEXT"
        )
    return found, outlines


def _common_ground(outlines: gpd.GeoDataFrame) -> list[str]:
    shapes, names = outlines.geometry.to_numpy(), outlines["unit_id"].to_numpy(dtype=object)
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="intersects")
    pairs = sorted({(int(a), int(b)) for a, b in zip(one, other, strict=True) if a < b})
    shared = [float(shapely.intersection(shapes[a], shapes[b]).area) for a, b in pairs]
    return [
        f"the frozen units {names[a]} and {names[b]} have {area:,.0f} m² in common"
        for (a, b), area in zip(pairs, shared, strict=True)
        if area > _COMMON_M2
    ]


def _on_the_ground(fresh: gpd.GeoDataFrame, outlines: gpd.GeoDataFrame) -> dict[str, str]:
    """Return the parcels that stand on the ground of a unit, with its name; of two that hold half each, the first."""
    shapes, grounds = fresh.geometry.to_numpy(), outlines.geometry.to_numpy()
    unit, parcel = shapely.STRtree(shapes).query(grounds, predicate="intersects")
    held = shapely.area(shapely.intersection(grounds[unit], shapes[parcel]))
    enough = np.flatnonzero(held >= _ON_THE_GROUND * shapely.area(shapes[parcel]))
    codes, names = fresh["parcel_id"].to_numpy(dtype=object), outlines["unit_id"].to_numpy(dtype=object)
    found: dict[str, str] = {}
    for at in enough:
        found.setdefault(str(codes[parcel[at]]), str(names[unit[at]]))
    return found
