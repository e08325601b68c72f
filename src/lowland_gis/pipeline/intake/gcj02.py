"""Hold a delivery against the district that is in the database: does it lie beside it as maps of the internet do?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.geodesy import GaussPlane
from lowland_gis.analysis.geometry.offset import Offset, gcj02_offset
from lowland_gis.analysis.geometry.repair import Repaired
from lowland_gis.db.connect import Connection
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.base.runs import current_versions

# So many features of each batch are enough to see a shift of the whole; memory does not grow with the batch.
_FEATURES_A_BATCH = 500
_VERTICES_A_FEATURE = 20
_MOST_PLACES = 200_000
# A delivery that stays clear of its district by this is of another one; by the other it is of another part of the country.
_CLEAR_M, _FAR_M = 1_000.0, 100_000.0

RULE = "offset_gcj02"
OUTSIDE = "outside_district"


@dataclass
class Beside:
    """Gathers places of a delivery while it is loaded; without a district in the database there is nothing to hold them against."""

    boundary: shapely.Geometry | None
    plane: GaussPlane
    places: list[npt.NDArray[np.float64]] = field(default_factory=list)
    n_places: int = 0

    def look(self, mended: Repaired | None) -> None:
        """Take a few vertices of features over the whole of a batch."""
        if self.boundary is None or mended is None or self.n_places > _MOST_PLACES:
            return
        usable = mended.geometries[mended.usable]
        every = -(-len(usable) // _FEATURES_A_BATCH) or 1
        coordinates, owner = shapely.get_coordinates(usable[::every], return_index=True)
        first = np.searchsorted(owner, owner)
        count = np.bincount(owner)[owner] if len(owner) else first
        kept = (np.arange(len(owner)) - first) % np.maximum(1, count // _VERTICES_A_FEATURE) == 0
        self.places.append(coordinates[kept])
        self.n_places += int(kept.sum())

    def look_at(self, box: npt.NDArray[np.float64]) -> None:
        """Take the place within a box (west, south, east, north) that is nearest to the district, as of a raster."""
        if self.boundary is None:
            return
        west, south, east, north = shapely.bounds(self.boundary).tolist()
        middle = np.array([(west + east) / 2, (south + north) / 2])
        self.places.append(np.clip(middle, box[:2], box[2:])[None])
        self.n_places += 1

    def issues(self) -> pd.DataFrame:
        """Return the doubt as one row of `land.issue`, or none."""
        if self.boundary is None or not self.places:
            return pd.DataFrame()
        places = np.concatenate(self.places)
        away = _away_m(places, self.boundary)
        if away > _CLEAR_M:
            return pd.DataFrame([_outside(away)])
        found = gcj02_offset(places, self.boundary, self.plane)
        return pd.DataFrame() if found is None else pd.DataFrame([_issue(found)])

    def refuse_far(self, name: str) -> None:
        """Refuse a delivery that lies in another part of the country than the district.

        Raises:
            InputRefusedError: all of it is more than 100 km away.
        """
        if self.boundary is None or not self.places:
            return
        away = _away_m(np.concatenate(self.places), self.boundary)
        if away > _FAR_M:
            raise InputRefusedError(
                f"{name}: all of it lies at least {away / 1000:,.0f} km outside the district (行政区) that is in the database, so it is"
                " another district's file, or its coordinate system is not the one that was declared or given. Name the right"
                " file, or give the right system with --src-crs."
            )


def _away_m(places: npt.NDArray[np.float64], boundary: shapely.Geometry) -> float:
    """Return how far the nearest place is from the box around the district; 0 where there is none."""
    places = places[np.isfinite(places).all(axis=1)]
    west, south, east, north = shapely.bounds(boundary).tolist()
    aside = np.maximum(np.array([west, south]) - places, places - np.array([east, north])).clip(min=0)
    return float(np.hypot(*aside.T).min(initial=np.inf)) if len(places) else 0.0


def _outside(away_m: float) -> dict[str, Any]:
    return {
        "row_no": 0,
        "rule": OUTSIDE,
        "action": "kept",
        "message": f"all of it lies at least {away_m / 1000:,.1f} km outside the district (行政区) in the database: another district's file, or"
        " another coordinate system than was declared. Look at it on the map.",
        "place": None,
    }


def beside(connection: Connection, plane: GaussPlane) -> Beside:
    """Return what gathers the places of the next delivery, with the current district (行政区) to hold them against."""
    ids = [version.version_id for version in current_versions(connection).get("district", [])]
    if not ids:
        return Beside(None, plane)
    with connection.cursor(binary=True) as cursor:
        rows: list[Any] = cursor.execute(
            "SELECT ST_AsBinary(geom) FROM land.feature WHERE version_id = ANY(%s)", [ids]
        ).fetchall()
    whole = shapely.union_all(shapely.from_wkb([row[0] for row in rows]))
    return Beside(None if shapely.is_empty(whole) else whole, plane)


def _issue(found: Offset) -> dict[str, Any]:
    who = "the layer looks" if found.shifted == "layer" else "the district (行政区) in the database looks"
    return {
        "row_no": 0,
        "rule": RULE,
        "action": "kept",
        "message": f"{found.outside_share:.1%} of the vertices lie outside the district, and {found.outside_share_undone:.1%} would"
        f" if a shift by {found.east_m:.0f} m east and {found.north_m:.0f} m north were undone: {who} like GCJ-02 (火星坐标),"
        " as maps of the internet are drawn. Ask for survey coordinates.",
        "place": found.place,
    }
