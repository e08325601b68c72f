"""How many square metres of each parcel lie in each class of a layer of zones."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

Geometries = npt.NDArray[np.object_]

CHUNK = 5_000
# Below this a piece is rounding noise of two boundaries that are meant to be one.
NOISE_M2 = 1e-6


def overlap_areas(
    parcels: Geometries,
    zones: Geometries,
    codes: npt.NDArray[np.object_],
    *,
    threads: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """Sum overlap areas by parcel and code.

    Returns a frame with `parcel` (position in `parcels`), `code` and `area_m2` (m² on the plane), sorted by the first
    two; pairs that only touch are left out. Every zone counts: where zones of one code overlap each other, the place
    counts once for each. Geometries must be valid; missing or empty ones meet nothing. `progress` is told how many
    parcels were done. Chunks of parcels go to `threads` threads; the result is the same to the bit whatever their number.

    >>> square, zone = shapely.box(0, 0, 10, 10), shapely.box(5, 0, 20, 10)
    >>> overlap_areas(np.array([square]), np.array([zone]), np.array(["0601"])).values.tolist()
    [[0, '0601', 50.0]]
    """
    tree = shapely.STRtree(zones)
    parts = [_no_overlaps()]

    def areas(start: int) -> pd.DataFrame:
        return _chunk_areas(parcels[start : start + CHUNK], start, tree, zones, codes)

    with ThreadPoolExecutor(max_workers=threads) as workers:
        for start, part in enumerate(workers.map(areas, range(0, len(parcels), CHUNK))):
            parts.append(part)
            progress(min(CHUNK, len(parcels) - start * CHUNK))
    sums = pd.concat(parts).groupby(["parcel", "code"], sort=True)["area_m2"].sum()
    return sums.reset_index()


def _chunk_areas(
    chunk: Geometries, start: int, tree: shapely.STRtree, zones: Geometries, codes: npt.NDArray[np.object_]
) -> pd.DataFrame:
    parcel, zone = tree.query(chunk)
    # The order of a tree query is its own business; sums must not depend on it.
    order = np.lexsort((zone, parcel))
    parcel, zone = parcel[order], zone[order]
    shapely.prepare(chunk)
    inside = shapely.covers(chunk[parcel], zones[zone])
    areas = np.empty(len(parcel))
    areas[inside] = shapely.area(zones[zone[inside]])
    areas[~inside] = shapely.area(shapely.intersection(chunk[parcel[~inside]], zones[zone[~inside]]))
    pieces = pd.DataFrame({"parcel": parcel + start, "code": codes[zone], "area_m2": areas})
    return pieces[pieces["area_m2"] > NOISE_M2]


def _no_overlaps() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "parcel": pd.Series(dtype=np.intp),
            "code": pd.Series(dtype=object),
            "area_m2": pd.Series(dtype=np.float64),
        }
    )
