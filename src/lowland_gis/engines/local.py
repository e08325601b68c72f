"""Overlaps in this process: polygons in memory, or strip by strip where they are too many for it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.overlay import tabulate
from lowland_gis.analysis.overlay.tabulate import Cover, Integers, Objects, Overlaps, no_overlaps
from lowland_gis.engines.spool import Spool

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

NAME = "local"

# So many parcels are tabulated at a time where the vertices lie in a file.
STRIP_PARCELS = 50_000

# So many parcels make a part that is handed on while the next ones are computed.
PART_PARCELS = 5_000

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
    import pandas as pd

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


class Layer(NamedTuple):
    """Zones, ready to be asked: `classes` number those of each zone among `names`, which are sorted.

    `whole` is None where vertices lie in a file: then the zones of each strip are put in order by themselves.
    """

    zones: Spool
    classes: Integers
    names: Objects
    whole: tabulate.Zones | None


class Part(NamedTuple):
    """What was found of some parcels: their rows, their overlaps (positions among all parcels), and how they are covered."""

    rows: Rows
    overlaps: Overlaps
    cover: Cover | None


def zone_layer(zones: Spool, classes: Integers, names: Objects) -> Layer:
    """Return zones ready to be asked; the work can be done before parcels are there."""
    whole = tabulate.zone_layer(zones.described, classes, names) if zones.in_memory else None
    return Layer(zones, classes, names, whole)


def tabulated(
    parcels: Spool,
    layer: Layer,
    *,
    order: Rows | None = None,
    cover: bool = False,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> Iterator[Part]:
    """Yield the areas of parcels in every class of a layer part by part, each parcel once, while the next ones are computed.

    In each part the overlaps are in the order of its rows and the classes. The parcels come in `order` (as they came without
    one) where all is in memory, else in strips from south to north; the figures are the same. `cover` asks for what no zone
    covers, and what zones cover more than once.
    """
    for some in strips(parcels, layer, order):
        found = tabulate.overlaps_in_turn(
            parcels.taken(some),
            _zones_for(layer, parcels, some),
            cover=cover,
            threads=threads,
            progress=progress,
        )
        for rows in _split(some):
            chunks = islice(found, -(-len(rows) // tabulate.CHUNK))
            overlaps, covered = tabulate.joined(chunks, cover=cover)
            yield Part(rows, overlaps._replace(parcel=some[overlaps.parcel]), covered)


def _split(rows: Rows) -> Iterator[Rows]:
    """Yield the rows of parts, whole chunks: the last ones smaller and smaller, since nothing is computed while the very last is written."""
    while len(rows):
        half = -(-len(rows) // (2 * tabulate.CHUNK)) * tabulate.CHUNK
        part = min(PART_PARCELS, max(half, 2 * tabulate.CHUNK))
        yield rows[:part]
        rows = rows[part:]


def tabulated_in_order(
    parcels: Spool,
    layer: Layer,
    order: Rows,
    *,
    cover: bool = False,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> Generator[Part]:
    """Yield the parts of `tabulated` with the parcels in an order, wherever the vertices lie.

    Where they lie in a file there is one part, after all was computed.
    """
    parts = tabulated(parcels, layer, order=order, cover=cover, threads=threads, progress=progress)
    if _in_memory(parcels, layer):
        yield from parts
        return
    found, covered = together(parts, len(order))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    by_rank = np.argsort(rank[found.parcel], kind="stable")
    yield Part(
        order,
        Overlaps(found.parcel[by_rank], found.klass[by_rank], found.area_m2[by_rank]),
        None if covered is None else Cover(*(column[order] for column in covered)),
    )


def together(found: Iterable[Part], parcels: int) -> tuple[Overlaps, Cover | None]:
    """Return the parts as one, in the order of parcels (as they came) and classes."""
    parts = list(found)
    columns = zip(no_overlaps(), *(part.overlaps for part in parts), strict=True)
    parcel, klass, area = map(np.concatenate, columns)
    order = np.argsort(parcel, kind="stable")
    covers = [(part.rows, part.cover) for part in parts if part.cover is not None]
    cover = Cover(np.zeros(parcels), np.zeros(parcels)) if covers or not parts else None
    for rows, covered in covers:
        for whole, some in zip(cover or (), covered, strict=True):
            whole[rows] = some
    return Overlaps(parcel[order], klass[order], area[order]), cover


def strips(parcels: Spool, layer: Layer, order: Rows | None = None) -> Iterator[Rows]:
    """Yield the parcels of one strip from south to north at a time, each parcel once; all in their order where all is in memory."""
    box = parcels.described.box
    if _in_memory(parcels, layer):
        yield np.arange(len(box)) if order is None else order
        return
    there = np.flatnonzero(~np.isnan(box[:, 1]))
    northward = there[np.argsort(box[there, 1], kind="stable")]
    for start in range(0, len(northward), STRIP_PARCELS):
        yield np.sort(northward[start : start + STRIP_PARCELS])


def _zones_for(layer: Layer, parcels: Spool, some: Rows) -> tabulate.Zones:
    """Return the zones whose boxes reach into the strip of some parcels, or all where all are at hand."""
    if layer.whole is not None:
        return layer.whole
    box, zone_box = parcels.described.box[some], layer.zones.described.box
    south, north = box[:, 1].min(initial=np.inf), box[:, 3].max(initial=-np.inf)
    met = np.flatnonzero((zone_box[:, 1] < north) & (zone_box[:, 3] > south))
    return tabulate.zone_layer(layer.zones.taken(met), layer.classes[met], layer.names)


def _in_memory(parcels: Spool, layer: Layer) -> bool:
    return parcels.in_memory and layer.whole is not None
