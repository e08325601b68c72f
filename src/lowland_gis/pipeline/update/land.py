"""The land of two states: parcels that stayed as they were, and what the others share."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.update.balance import NO_TOWN
from lowland_gis.analysis.update.lineage import PER_M2, Integers, Shared, State
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_texts_and_numbers
from lowland_gis.engines.base import Question
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.towns import town_codes
from lowland_gis.pipeline.overlaps.stored_layer import StoredLayer
from lowland_gis.pipeline.overlaps.tabulate import processors, stored_rows

Texts = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]

# Parcels with the same code and the same outline to the last bit, as long as the transaction lasts; and the boxes of new ones that have none.
_STAYED, _BOXES = "stayed_parcel", "moved_box"
# Up to this part of the parcels, the old ones near them are looked up; beyond, reading all of them costs less.
_FEW = 0.25
_MOVED = f"version_id = ANY(%s) AND NOT EXISTS (SELECT FROM {_STAYED} stayed WHERE stayed.parcel_id = land.parcel.parcel_id)"
_NEAR = f"version_id = ANY(%s) AND EXISTS (SELECT FROM {_BOXES} WHERE box && geom)"


@dataclass(frozen=True)
class Parcels:
    """All parcels of a state: codes, areas (hundredths of m²), towns (NO_TOWN where nobody knows), and the places of those that did not stay."""

    ids: Texts
    area: Integers
    town: Texts
    moved: Integers


@dataclass(frozen=True)
class TwoStates:
    """Both states, those of their parcels that did not stay as State, what these share, and land of stayed old parcels that new ones lie on.

    Of each of these, `claimed` has the new one (a position among the moved), the code of the old one, and the area (hundredths of m²).
    """

    old: Parcels
    new: Parcels
    old_moved: State
    new_moved: State
    shared: Shared
    claimed: tuple[tuple[int, str, int], ...]

    def whole(self) -> Shared:
        """Return what all parcels of both states share: those that stayed all of their land."""
        stayed_old = np.setdiff1d(np.arange(len(self.old.ids)), self.old.moved)
        places = {code: place for place, code in enumerate(self.new.ids.tolist())}
        stayed_new = np.array([places[code] for code in self.old.ids[stayed_old].tolist()], dtype=np.int64)
        return Shared(
            np.concatenate([self.old.moved[self.shared.old], stayed_old]),
            np.concatenate([self.new.moved[self.shared.new], stayed_new]),
            np.concatenate([self.shared.area, self.old.area[stayed_old]]),
        )


def two_states(connection: Connection, project: Project, before: Basis, after: Basis) -> TwoStates:
    """Read both states, and sum what the parcels share that did not stay as they were.

    The areas of the register are ellipsoidal; what is shared on the plane is brought there by the mean scale of both parcels.
    """
    _find_stayed(connection, before.parcels, after.parcels)
    old, old_rows = _parcels(connection, before)
    new, new_rows = _parcels(connection, after)
    asked = _question(connection, before.parcels, after.parcels, few=len(new.moved) <= _FEW * len(new.ids))
    names_new, names_old, parcel, klass, area = _summed(project, asked)
    by_new = _scale(new_rows, names_new)
    moved_old = {code: place for place, code in enumerate(old_rows["parcel_id"].tolist())}
    place_old = np.array([moved_old.get(code, -1) for code in names_old.tolist()], dtype=np.int64)
    # Of an old parcel that stayed, and that a new one lies on, the scale is as good as that of the new one.
    scale_old = np.append(old_rows["scale"].to_numpy(dtype=float), np.nan)[place_old]
    mean = np.where(np.isnan(scale_old[klass]), by_new[parcel], (by_new[parcel] + scale_old[klass]) / 2)
    exact = np.round(area * mean * PER_M2).astype(np.int64)
    order = {code: place for place, code in enumerate(new_rows["parcel_id"].tolist())}
    place_new = np.array([order[code] for code in names_new.tolist()], dtype=np.int64)
    within = place_old[klass] >= 0
    shared = Shared(place_old[klass][within], place_new[parcel][within], exact[within])
    beyond = ~within
    found = (place_new[parcel][beyond], names_old[klass][beyond], exact[beyond])
    claimed = tuple(zip(*(column.tolist() for column in found), strict=True))
    return TwoStates(old, new, _state(old_rows), _state(new_rows), shared, claimed)


def _find_stayed(connection: Connection, before: Sequence[int], after: Sequence[int]) -> None:
    connection.execute(f"CREATE TEMP TABLE {_STAYED} (parcel_id text PRIMARY KEY) ON COMMIT DROP")
    connection.execute(
        f"INSERT INTO {_STAYED} SELECT parcel_id FROM land.parcel now JOIN land.parcel held USING (parcel_id)"  # noqa: S608 - a constant
        " WHERE now.version_id = ANY(%s) AND held.version_id = ANY(%s) AND now.geom::bytea = held.geom::bytea",
        [list(after), list(before)],
    )
    connection.execute(f"ANALYZE {_STAYED}")


def _parcels(connection: Connection, basis: Basis) -> tuple[Parcels, pd.DataFrame]:
    """Return all parcels of a state, and those that did not stay: parcel_id, area, perimeter_m and scale (ellipsoid by plane)."""
    read = read_texts_and_numbers(
        connection,
        "SELECT parcel_id, area_m2, planar_m2, CASE WHEN stayed.parcel_id IS NULL THEN ST_Perimeter(geom) ELSE -1 END AS perimeter_m"  # noqa: S608 - a constant
        f" FROM land.parcel LEFT JOIN {_STAYED} stayed USING (parcel_id) WHERE version_id = ANY(%s) ORDER BY parcel_id",
        [basis.parcels],
        texts=("parcel_id",),
        numbers=("area_m2", "planar_m2", "perimeter_m"),
    )
    ids, area = read["parcel_id"], _hundredths(read["area_m2"])
    moved = np.flatnonzero(read["perimeter_m"] >= 0)
    towns = town_codes(connection, basis.measured, ids.tolist())
    town = np.array([code or NO_TOWN for code in towns], dtype=object)
    whole, plane = read["area_m2"][moved], read["planar_m2"][moved]
    scale = np.divide(whole, plane, out=np.ones(len(moved)), where=plane > 0)
    rows = {
        "parcel_id": ids[moved], "area": area[moved], "perimeter_m": read["perimeter_m"][moved], "scale": scale,
    }  # fmt: skip
    return Parcels(ids, area, town, moved), pd.DataFrame(rows)


def _hundredths(area_m2: Any) -> Integers:
    return np.round(np.asarray(area_m2, dtype=float) * PER_M2).astype(np.int64)


def _state(rows: pd.DataFrame) -> State:
    return State(
        rows["parcel_id"].to_numpy(dtype=object),
        rows["area"].to_numpy(dtype=np.int64),
        rows["perimeter_m"].to_numpy(dtype=float),
    )


def _scale(rows: pd.DataFrame, names: Texts) -> Floats:
    known = dict(zip(rows["parcel_id"], rows["scale"], strict=True))
    return np.array([known[name] for name in names.tolist()], dtype=float)


@dataclass(frozen=True)
class _Asked:
    parcels: StoredLayer
    zones: StoredLayer


def _question(connection: Connection, before: Sequence[int], after: Sequence[int], *, few: bool) -> _Asked:
    """Return the new parcels that did not stay, and the old ones that they may lie on: those near, where they are few."""
    chosen = "version_id = ANY(%s)"
    if few:
        connection.execute(
            f"CREATE TEMP TABLE {_BOXES} ON COMMIT DROP AS SELECT ST_Envelope(geom) AS box FROM land.parcel WHERE {_MOVED}",  # noqa: S608 - constants
            [list(after)],
        )
        connection.execute(f"CREATE INDEX ON {_BOXES} USING gist (box)")
        connection.execute(f"ANALYZE {_BOXES}")
        chosen = _NEAR
    read = "SELECT parcel_id, geom FROM land.parcel WHERE {} ORDER BY parcel_id"
    return _Asked(
        StoredLayer(partial(stored_rows, connection, read.format(_MOVED), [list(after)], str)),
        StoredLayer(partial(stored_rows, connection, read.format(chosen), [list(before)], str)),
    )


def _summed(project: Project, asked: _Asked) -> tuple[Texts, Texts, Integers, Integers, Floats]:
    """Return the codes of both, and each overlap: position of the new parcel, of the old one, m² on the plane."""
    engine = project.engine
    question = Question(asked.parcels, [asked.zones], asked.parcels.order, threads=processors())
    parts: list[Any] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    with closing(engine.answers(question)) as answers:
        parts += [tuple(answer.overlaps) for answer in answers]
    parcel, klass, area = map(np.concatenate, zip(*parts, strict=True))
    return asked.parcels.names(), asked.zones.codes()[1], parcel, klass, area
