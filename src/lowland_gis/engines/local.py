"""Overlaps in this process, on geometries in memory."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis.tabulate import overlap_areas

NAME = "local"


def overlaps(
    parcels: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    *,
    threads: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """Return parcel_id, code, area_m2 and share, sorted by the first two.

    `parcels` has the column `parcel_id`, `zones` the column `code`, both in one plane and valid. `area_m2` is in m² on
    that plane, `share` is of the parcel's own planar area. Parcels that no zone meets have no row.
    """
    shapes = np.asarray(parcels.geometry, dtype=object)
    found = overlap_areas(
        shapes,
        np.asarray(zones.geometry, dtype=object),
        zones["code"].to_numpy(dtype=object),
        threads=threads,
        progress=progress,
    )
    position = found["parcel"].to_numpy(dtype=np.intp)
    rows = pd.DataFrame(
        {
            "parcel_id": parcels["parcel_id"].to_numpy(dtype=object)[position],
            "code": found["code"],
            "area_m2": found["area_m2"],
            "share": found["area_m2"] / shapely.area(shapes)[position],
        }
    )
    return rows.sort_values(["parcel_id", "code"], kind="stable", ignore_index=True)
