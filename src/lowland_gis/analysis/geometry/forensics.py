"""What a column of geometries really is: kinds, faults, doubles, huge rings. Facts only, nothing is repaired."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.curves import has_curves
from lowland_gis.analysis.geometry.extent import FARTHEST

# Rings beyond this make overlays slow, and are mostly a raster that somebody made polygons of.
LARGE_RING = 100_000

_KINDS = {
    1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon",
    7: "GeometryCollection", 8: "CircularString", 9: "CompoundCurve", 10: "CurvePolygon", 11: "MultiCurve",
    12: "MultiSurface", 15: "PolyhedralSurface", 16: "TIN", 17: "Triangle",
}  # fmt: skip
_HEAD = 5


@dataclass(frozen=True)
class Kinds:
    """Counts of rows by kind of geometry as delivered, and how many have heights, measures or arcs."""

    kinds: Counter[str] = field(default_factory=Counter)
    n_z: int = 0
    n_m: int = 0
    n_curves: int = 0

    def __add__(self, other: Kinds) -> Kinds:
        """Return the counts of both batches."""
        return Kinds(
            self.kinds + other.kinds,
            self.n_z + other.n_z,
            self.n_m + other.n_m,
            self.n_curves + other.n_curves,
        )


@dataclass(frozen=True)
class Shapes:
    """Facts about geometries of one or more batches; `reasons` counts what GEOS says of invalid ones.

    `places` holds one example a reason; `digests` one number a geometry, equal where geometries are.
    """

    n_rows: int = 0
    n_null: int = 0
    n_unreadable: int = 0
    n_empty: int = 0
    n_not_finite: int = 0
    n_invalid: int = 0
    n_large_rings: int = 0
    n_multipart: int = 0
    largest_ring: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    places: dict[str, str] = field(default_factory=dict)
    bounds: tuple[float, float, float, float] = (np.inf, np.inf, -np.inf, -np.inf)
    digests: tuple[npt.NDArray[np.uint64], ...] = ()

    def __add__(self, other: Shapes) -> Shapes:
        """Return the facts of both batches."""
        mine, theirs = self.bounds, other.bounds
        return Shapes(
            n_rows=self.n_rows + other.n_rows,
            n_null=self.n_null + other.n_null,
            n_unreadable=self.n_unreadable + other.n_unreadable,
            n_empty=self.n_empty + other.n_empty,
            n_not_finite=self.n_not_finite + other.n_not_finite,
            n_invalid=self.n_invalid + other.n_invalid,
            n_large_rings=self.n_large_rings + other.n_large_rings,
            n_multipart=self.n_multipart + other.n_multipart,
            largest_ring=max(self.largest_ring, other.largest_ring),
            reasons=self.reasons + other.reasons,
            places=other.places | self.places,
            bounds=(
                min(mine[0], theirs[0]), min(mine[1], theirs[1]), max(mine[2], theirs[2]), max(mine[3], theirs[3])
            ),
            digests=self.digests + other.digests,
        )  # fmt: skip

    @property
    def n_duplicates(self) -> int:
        """Return how many rows repeat the geometry of another row."""
        together = np.concatenate(self.digests) if self.digests else np.empty(0, dtype=np.uint64)
        return len(together) - len(np.unique(together))


def kinds(wkb: npt.NDArray[np.object_]) -> Kinds:
    """Count what WKB says it is, ISO or EWKB, without reading the coordinates."""
    words = [
        int.from_bytes(item[1:_HEAD], "little" if item[0] else "big")
        for item in wkb
        if item is not None and len(item) >= _HEAD
    ]
    thousands = [(word & 0x0FFFFFFF) // 1000 for word in words]
    return Kinds(
        Counter(_KINDS.get((word & 0x0FFFFFFF) % 1000, f"type {word}") for word in words),
        sum(bool(word & 0x80000000) or part in (1, 3) for word, part in zip(words, thousands, strict=True)),
        sum(bool(word & 0x40000000) or part in (2, 3) for word, part in zip(words, thousands, strict=True)),
        int(has_curves(wkb).sum()),
    )


def shapes(
    geometries: npt.NDArray[np.object_], fault: npt.NDArray[np.object_], *, first_row: int = 0
) -> Shapes:
    """Return facts about one batch; `fault` says which rows are missing or unreadable, as `repair.decode` does."""
    there = geometries[fault == ""]
    rows = np.flatnonzero(fault == "") + first_row
    empty = shapely.is_empty(there)
    finite = _finite(there)
    checked = ~empty & finite
    reasons, places = _reasons(there[checked], rows[checked])
    largest = _largest_rings(there)
    usable = there[checked]
    return Shapes(
        n_rows=len(geometries),
        n_null=int((fault == "geometry_missing").sum()),
        n_unreadable=int((fault == "geometry_unreadable").sum()),
        n_empty=int(empty.sum()),
        n_not_finite=int((~empty & ~finite).sum()),
        n_invalid=sum(reasons.values()),
        n_large_rings=int((largest > LARGE_RING).sum()),
        n_multipart=int((shapely.get_num_geometries(usable) > 1).sum()),
        largest_ring=int(largest.max(initial=0)),
        reasons=reasons,
        places=places,
        bounds=_bounds(usable),
        digests=(_digests(usable),),
    )


def _finite(geometries: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    coordinates, owner = shapely.get_coordinates(geometries, return_index=True)
    finite = np.ones(len(geometries), dtype=bool)
    finite[owner[~(np.abs(coordinates) < FARTHEST).all(axis=1)]] = False
    return finite


def _bounds(geometries: npt.NDArray[np.object_]) -> tuple[float, float, float, float]:
    if not len(geometries):
        return np.inf, np.inf, -np.inf, -np.inf
    west, south, east, north = (float(value) for value in shapely.total_bounds(geometries))
    return west, south, east, north


def _reasons(
    geometries: npt.NDArray[np.object_], rows: npt.NDArray[np.intp]
) -> tuple[Counter[str], dict[str, str]]:
    """Count GEOS's reasons without their places, and keep the first place of each."""
    invalid = np.flatnonzero(~shapely.is_valid(geometries))
    counted: Counter[str] = Counter()
    places: dict[str, str] = {}
    for index, text in zip(invalid, shapely.is_valid_reason(geometries[invalid]), strict=True):
        reason, _, place = str(text).partition("[")
        counted[reason] += 1
        places.setdefault(reason, f"row {rows[index]} at {place.rstrip(']')}")
    return counted, places


def _largest_rings(geometries: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """Return the vertices of the largest ring of each geometry, counted only where the whole is large enough to matter."""
    largest: npt.NDArray[np.int64] = shapely.get_num_coordinates(geometries).astype(np.int64)
    for index in np.flatnonzero(largest > LARGE_RING):
        rings = shapely.get_rings(shapely.get_parts(geometries[index]))
        if len(rings):
            largest[index] = shapely.get_num_coordinates(rings).max()
    return largest


def _digests(geometries: npt.NDArray[np.object_]) -> npt.NDArray[np.uint64]:
    """Return one number a geometry; the same ring begun elsewhere or turned round has the same number."""
    if not len(geometries):
        return np.empty(0, dtype=np.uint64)
    normal = shapely.to_wkb(shapely.normalize(shapely.force_2d(geometries)))
    hashed: npt.NDArray[np.uint64] = pd.util.hash_array(np.asarray(normal, dtype=object), categorize=False)
    return hashed
