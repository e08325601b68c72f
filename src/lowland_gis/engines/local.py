"""Overlaps in this process: polygons in memory, or strip by strip where they are too many for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis import tabulate
from lowland_gis.analysis.tabulate import Cover, Integers, Objects, Overlaps, no_overlaps
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


class Strip(NamedTuple):
    """What was found of some parcels: their rows, their overlaps (positions among all parcels), and how they are covered."""

    rows: Rows
    overlaps: Overlaps
    cover: Cover | None


def tabulated(
    parcels: Spool,
    zones: Spool,
    classes: Integers,
    names: Objects,
    *,
    cover: bool = False,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> Iterator[Strip]:
    """Yield the areas of parcels in every class strip by strip, each parcel once, in the order of parcels and classes.

    `classes` (one for each zone) number `names`, which are sorted. Where all is in memory there is one strip. The figures
    do not depend on what is in memory. `cover` asks for what no zone covers, and what zones cover more than once.
    """
    for some, met in strips(parcels, zones):
        layer = tabulate.zone_layer(zones.taken(met), classes[met], names)
        ours = parcels.taken(some)
        found = tabulate.overlaps(ours, layer, threads=threads, progress=progress)
        covered = tabulate.cover(ours, layer, threads=threads) if cover else None
        yield Strip(some, found._replace(parcel=some[found.parcel]), covered)


def together(found: Iterable[Strip], parcels: int) -> tuple[Overlaps, Cover | None]:
    """Return the strips as one, in the order of parcels (as they came) and classes."""
    strips_found = list(found)
    columns = zip(*(strip.overlaps for strip in strips_found), strict=True)
    parcel, klass, area = (np.concatenate(column) for column in columns) if strips_found else no_overlaps()
    order = np.argsort(parcel, kind="stable")
    covers = [(strip.rows, strip.cover) for strip in strips_found if strip.cover is not None]
    cover = Cover(np.zeros(parcels), np.zeros(parcels)) if covers or not strips_found else None
    for rows, part in covers:
        for whole, some in zip(cover or (), part, strict=True):
            whole[rows] = some
    return Overlaps(parcel[order], klass[order], area[order]), cover


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
