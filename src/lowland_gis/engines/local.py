"""Overlaps in this process: polygons in memory, or strip by strip where they are too many for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis import tabulate
from lowland_gis.analysis.tabulate import Integers, Objects, Overlaps
from lowland_gis.engines.spool import Spool

NAME = "local"

# So many parcels are tabulated at a time where the vertices lie in a file.
STRIP_PARCELS = 50_000

Rows = npt.NDArray[np.intp]
Progress = Callable[[int], None]


def overlaps(
    parcels: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    *,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> pd.DataFrame:
    """Return parcel_id, code, area_m2 and share, sorted by the first two.

    `parcels` has the column `parcel_id`, `zones` the column `code`, both in one plane and valid. `area_m2` is in m² on
    that plane, `share` is of the parcel's own planar area. Parcels that no zone meets have no row; what is no polygon meets
    nothing; a zone without a code has an empty one.

    Raises:
        ValueError: a geometry is invalid.
    """
    shapes = np.asarray(parcels.geometry, dtype=object)
    found = tabulate.overlap_areas(
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


def spooled_overlaps(
    parcels: Spool,
    zones: Spool,
    classes: Integers,
    names: Objects,
    *,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> Overlaps:
    """Return the area of every parcel in every class, in the order of parcels (as they came) and classes.

    `classes` (one for each zone) number `names`, which are sorted. The result does not depend on what is in memory.
    """
    parts = []
    for some, met in strips(parcels, zones):
        layer = tabulate.zone_layer(zones.taken(met), classes[met], names)
        found = tabulate.overlaps(parcels.taken(some), layer, threads=threads, progress=progress)
        parts.append(found._replace(parcel=some[found.parcel]))
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return tabulate.no_overlaps()
    parcel, klass, area = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(parcel, kind="stable")
    return Overlaps(parcel[order], klass[order], area[order])


def strips(parcels: Spool, zones: Spool) -> Iterator[tuple[Rows, Rows]]:
    """Yield parcels of one strip from south to north at a time, each parcel once, and the zones whose boxes reach into it.

    One strip with everything where all is in memory.
    """
    box, zone_box = parcels.described.box, zones.described.box
    if parcels.in_memory and zones.in_memory:
        yield np.arange(len(box)), np.arange(len(zone_box))
        return
    there = np.flatnonzero(~np.isnan(box[:, 1]))
    order = there[np.argsort(box[there, 1], kind="stable")]
    for start in range(0, len(order), STRIP_PARCELS):
        some = np.sort(order[start : start + STRIP_PARCELS])
        south, north = box[some, 1].min(), box[some, 3].max()
        yield some, np.flatnonzero((zone_box[:, 1] < north) & (zone_box[:, 3] > south))
