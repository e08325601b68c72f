"""Hold a delivery against the district that is in the database: does it lie beside it as maps of the internet do?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.geodesy import GaussPlane
from lowland_gis.analysis.offset import Offset, gcj02_offset
from lowland_gis.analysis.repair import Repaired
from lowland_gis.db.connect import Connection
from lowland_gis.pipeline.runs import current_versions

# So many features of each batch are enough to see a shift of the whole; memory does not grow with the batch.
_FEATURES_A_BATCH = 500
_VERTICES_A_FEATURE = 20
_MOST_PLACES = 200_000

RULE = "offset_gcj02"


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

    def issues(self) -> pd.DataFrame:
        """Return the doubt as one row of `land.issue`, or none."""
        if self.boundary is None or not self.places:
            return pd.DataFrame()
        found = gcj02_offset(np.concatenate(self.places), self.boundary, self.plane)
        return pd.DataFrame() if found is None else pd.DataFrame([_issue(found)])


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
