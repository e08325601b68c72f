"""How many square metres of each parcel lie in each class of a layer of zones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.overlay.boxtree import BoxTree, box_tree
from lowland_gis.analysis.overlay.crew import done_in_order
from lowland_gis.analysis.overlay.rings import Rings, room, taken
from lowland_gis.analysis.overlay.sums import covered_of, sums_of
from lowland_gis.analysis.overlay.wkb import rings_of

if TYPE_CHECKING:
    import pandas as pd

Geometries = npt.NDArray[np.object_]
Objects = npt.NDArray[np.object_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# So many parcels are computed at a time by a thread; few, so that at the end none waits long for another.
CHUNK = 250
# Below this a piece is rounding noise of two boundaries that are meant to be one.
NOISE_M2 = 1e-6


class Zones(NamedTuple):
    """A layer of zones, ready to be asked: its polygons by class, the number of each one's class, and the tree of their boxes.

    `names` (C) are the classes in ascending order; `classes` (S) number them.
    """

    rings: Rings
    classes: Integers
    names: Objects
    tree: BoxTree


class Overlaps(NamedTuple):
    """Rows of a tabulation: position of the parcel, number of the class, area in m²; in the order of the first two."""

    parcel: Integers
    klass: Integers
    area_m2: Floats


class Cover(NamedTuple):
    """Of each parcel, in m²: what no zone covers, and what zones cover beyond once (twice counts once, thrice twice)."""

    rest_m2: Floats
    excess_m2: Floats


def overlap_areas(
    parcels: Geometries,
    zones: Geometries,
    codes: Objects,
    *,
    threads: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """Sum overlap areas by parcel and code.

    Returns a frame with `parcel` (position in `parcels`), `code` and `area_m2` (m² on the plane), sorted by the first
    two; what adds up to less than a square millimetre is left out. Every zone counts: where zones of one code overlap each
    other, the place counts once for each. Missing or empty geometries meet nothing. `progress` is told how many
    parcels were done. Chunks of parcels go to `threads` threads; the result is the same to the bit whatever their number.

    Raises:
        ValueError: a geometry is no polygon, not finite or invalid; `analysis.geometry.repair` mends it first.

    >>> square, zone = shapely.box(0, 0, 10, 10), shapely.box(5, 0, 20, 10)
    >>> overlap_areas(np.array([square]), np.array([zone]), np.array(["0601"])).values.tolist()
    [[0, '0601', 50.0]]
    """
    import pandas as pd

    layer = zone_layer(rings_of(zones), *class_numbers(codes))
    found, _ = overlaps(rings_of(parcels), layer, threads=threads, progress=progress)
    return pd.DataFrame({"parcel": found.parcel, "code": layer.names[found.klass], "area_m2": found.area_m2})


def class_numbers(codes: Objects) -> tuple[Integers, Objects]:
    """Return the number of each code among the sorted codes, and these; a missing one is the text ''."""
    import pandas as pd

    numbers, names = pd.factorize(pd.Series(codes, dtype=object).where(pd.notna(codes), ""), sort=True)
    return numbers.astype(np.int64), np.asarray(names, dtype=object)


def zone_layer(rings: Rings, numbers: Integers, names: Objects) -> Zones:
    """Put zones in the order of their classes, equal ones as they came, and pack their boxes."""
    order = np.argsort(numbers, kind="stable")
    by_class = taken(rings, order)
    return Zones(by_class, numbers[order], names, box_tree(by_class.box))


def overlaps(
    parcels: Rings,
    zones: Zones,
    *,
    cover: bool = False,
    threads: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Overlaps, Cover | None]:
    """Return the area of every parcel in every class that it meets, above the noise, and how it is covered if asked.

    Of a cover, figures that are noise are 0, and so are those of a parcel without an area.
    """
    return joined(
        overlaps_in_turn(parcels, zones, cover=cover, threads=threads, progress=progress), cover=cover
    )


def overlaps_in_turn(
    parcels: Rings,
    zones: Zones,
    *,
    cover: bool = False,
    threads: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[tuple[Overlaps, Cover | None]]:
    """Yield what `overlaps` returns for CHUNK parcels after the other, while the threads go on with the next ones."""
    starts = range(0, len(parcels.box), CHUNK)

    def chunk(start: int) -> tuple[Overlaps, Cover | None]:
        return _sums(parcels, start, min(start + CHUNK, len(parcels.box)), zones, cover=cover)

    for start, part in zip(starts, done_in_order(starts, chunk, threads=threads), strict=True):
        progress(min(CHUNK, len(parcels.box) - start))
        yield part


def joined(parts: Iterable[tuple[Overlaps, Cover | None]], *, cover: bool) -> tuple[Overlaps, Cover | None]:
    """Return what was found in turn as one."""
    found, covers = [no_overlaps()], [Cover(np.empty(0), np.empty(0))]
    for some, covered in parts:
        found.append(some)
        covers += [] if covered is None else [covered]
    whole = Overlaps(*map(np.concatenate, zip(*found, strict=True)))
    return whole, Cover(*map(np.concatenate, zip(*covers, strict=True))) if cover else None


def ready(*, cover: bool) -> None:
    """Load the machine code of the sums before they are needed, which may be done beside other work."""
    nothing = room(0, 0, 0, 0)
    zones = zone_layer(nothing, np.empty(0, dtype=np.int64), np.empty(0, dtype=object))
    _sums(nothing, 0, 0, zones, cover=cover)


def _sums(
    parcels: Rings, start: int, stop: int, zones: Zones, *, cover: bool
) -> tuple[Overlaps, Cover | None]:
    """Return what `overlaps` returns for the parcels `start` to `stop` (excluded)."""
    parcel, klass, area = sums_of(parcels, start, stop, zones.rings, zones.classes, zones.tree)
    found = _above_noise(parcel, klass, area)
    if not cover:
        return found, None
    covered = covered_of(parcels, start, stop, zones.rings, zones.tree, parcel, area)
    return found, _cover(parcels.area[start:stop], parcel - start, area, covered)


def _above_noise(parcel: Integers, klass: Integers, area: Floats) -> Overlaps:
    real = area > NOISE_M2
    return Overlaps(parcel[real], klass[real], area[real])


def _cover(parcel_area: Floats, parcel: Integers, area: Floats, covered: Floats) -> Cover:
    rest = np.nan_to_num(parcel_area) - covered
    excess = np.bincount(parcel, area, minlength=len(covered)) - covered
    return Cover(np.where(rest > NOISE_M2, rest, 0.0), np.where(excess > NOISE_M2, excess, 0.0))


def no_overlaps() -> Overlaps:
    """Return a tabulation without rows."""
    return Overlaps(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
