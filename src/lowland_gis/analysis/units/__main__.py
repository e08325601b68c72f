"""Compile what a draft of units and an edit call, unless it is kept already: `python -m lowland_gis.analysis.units`.

An installation does it once, so that the first draft need not: it takes most of a minute, in which a person would see nothing happen.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.draw import draw_units
from lowland_gis.analysis.units.edit import Edit
from lowland_gis.analysis.units.ground import Limits, Weights, build_problem
from lowland_gis.analysis.units.search import Effort
from lowland_gis.analysis.units.session import EditSession

# Every other row of the larger board was a unit before.
_HALF = 8


def draw() -> None:
    """Draw units over two small boards of lots with lanes, and edit one: one board is searched with all moves, of the other every set is listed."""
    lots = np.concatenate([_board(8, 511_000), _board(3, 512_000)])
    low = np.where(np.arange(len(lots)) % 3 == 0, 0.0, 2500.0)
    parcels = gpd.GeoDataFrame(
        {"parcel_id": [f"P{at:03d}" for at in range(len(lots))], "area_m2": 2500.0, "low_m2": low,
         "public_m2": 0.0, "zone": None, "kind": None, "plan_use": None, "owner": None, "reason": None,
         "before": ["U" if at % 16 < _HALF else None for at in range(len(lots))]},
        geometry=lots, crs=4548,
    )  # fmt: skip
    town = gpd.GeoDataFrame(
        {"town_code": [""]}, geometry=[shapely.box(510_900, 4_344_900, 512_600, 4_345_600)], crs=4548
    )
    cells, effort = barrier_cells(town, np.empty(0, dtype=object)), Effort(rounds=1)
    limits, weights = Limits(min_ha=1.0, max_ha=4.0), Weights(changed_land=0.1)
    drawn = draw_units(parcels, cells, limits, weights, effort)
    editing = EditSession(build_problem(parcels, cells, limits, weights), cells, drawn.members, effort)
    editing.say(Edit("mend", units=(min(editing.division.units),)))


def _board(side: int, west: float) -> npt.NDArray[np.object_]:
    """Return square lots in rows, with lanes of five metres between them."""
    x, y = (each.ravel() * 55.0 for each in np.meshgrid(np.arange(side), np.arange(side)))
    lots: npt.NDArray[np.object_] = shapely.box(west + x, 4_345_000 + y, west + x + 50, 4_345_050 + y)
    return lots


if __name__ == "__main__":
    draw()
