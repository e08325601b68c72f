"""What came of a layer in a file that was written: rows, geometries and values, held against those that were handed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from lowland_gis.files.exported.layer import Layer, as_multi, plain

# Coordinates of surveys are given to the millimetre; the grid of a FileGDB is a tenth of one.
TOLERANCE_M = 0.001
_METRES_PER_DEGREE = 111_320.0
_NOT_GIVEN = "none"


@dataclass(frozen=True)
class Change:
    """Values of a field that came back otherwise: how many, and the first with its 1-based row, as it was and as it is."""

    field: str
    n_rows: int
    row: int
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """Rows and summed areas (in the unit of the plane, squared) before and after, geometries that differ by more than a millimetre, values that differ."""

    n_before: int
    n_after: int
    area_before: float
    area_after: float
    n_moved: int = 0
    first_moved: int = 0
    changes: tuple[Change, ...] = field(default=())

    @property
    def same(self) -> bool:
        """Return whether nothing differs."""
        return self.n_before == self.n_after and not self.n_moved and not self.changes


def compared(sent: Layer, back: Layer, names: Mapping[str, str], *, in_degrees: bool = False) -> Comparison:
    """Hold a layer that was read again against the one that was written; `names` are those of its fields in the file.

    Geometries are the same where their vertices are, to a millimetre, whichever ring or part comes first; a polygon is the same as
    a multipolygon of it. Numbers are the same where they are equal, NaN being none; a day is its spelling, and yes and no are 1 and 0.
    """
    before, after = _area(sent.geometries), _area(back.geometries)
    if sent.n_rows != back.n_rows:
        return Comparison(sent.n_rows, back.n_rows, before, after)
    tolerance = TOLERANCE_M / _METRES_PER_DEGREE if in_degrees else TOLERANCE_M
    moved = np.flatnonzero(_moved(sent.geometries, back.geometries, tolerance))
    found = (
        _change(name, sent.attributes.column(name), back.attributes.column(names[name])) for name in names
    )
    return Comparison(
        sent.n_rows,
        back.n_rows,
        before,
        after,
        len(moved),
        int(moved[0]) + 1 if len(moved) else 0,
        tuple(change for change in found if change is not None),
    )


def _area(shapes: npt.NDArray[np.object_] | None) -> float:
    return 0.0 if shapes is None else float(np.nansum(shapely.area(shapes)))


def _moved(
    before: npt.NDArray[np.object_] | None, after: npt.NDArray[np.object_] | None, tolerance: float
) -> npt.NDArray[np.bool_]:
    """Return which geometries are others."""
    if before is None or after is None:
        n_rows = 0 if before is None and after is None else len(before if before is not None else after)  # type: ignore[arg-type]
        return np.ones(n_rows, dtype=bool)
    ours, theirs = as_multi(shapely.force_2d(before)), as_multi(shapely.force_2d(after))
    gone = shapely.is_missing(ours) != shapely.is_missing(theirs)
    there = ~shapely.is_missing(ours) & ~shapely.is_missing(theirs)
    other = np.zeros(len(ours), dtype=bool)
    other[there] = ~shapely.equals_exact(ours[there], theirs[there], tolerance)
    rows = np.flatnonzero(other)
    # Forms turn rings round and begin them elsewhere.
    other[rows] = ~shapely.equals_exact(
        shapely.normalize(ours[rows]), shapely.normalize(theirs[rows]), tolerance
    )
    rows = np.flatnonzero(other)
    other[rows] = [not _near(ours[row], theirs[row], tolerance) for row in rows]
    different: npt.NDArray[np.bool_] = other | gone
    return different


def _near(one: shapely.Geometry, two: shapely.Geometry, tolerance: float) -> bool:
    """Return whether two geometries are the same up to which vertex of a ring comes first, where rounding changed their order."""
    if one.is_empty or two.is_empty:
        return bool(one.is_empty and two.is_empty)
    same_count = shapely.get_num_coordinates(one) == shapely.get_num_coordinates(two)
    return bool(same_count and shapely.hausdorff_distance(one, two) <= tolerance)


def _change(name: str, before: pa.ChunkedArray, after: pa.ChunkedArray) -> Change | None:
    ours, theirs = _comparable(plain(before), plain(after))
    gone = pc.not_equal(pc.is_null(ours, nan_is_null=True), pc.is_null(theirs, nan_is_null=True))
    differs = pc.or_(
        gone, pc.fill_null(pc.and_(pc.not_equal(ours, theirs), pc.invert(gone)), fill_value=False)
    )
    both_nan = pc.and_(pc.is_null(ours, nan_is_null=True), pc.is_null(theirs, nan_is_null=True))
    rows = pc.indices_nonzero(pc.and_(differs, pc.invert(both_nan)))
    if not len(rows):
        return None
    row = rows[0].as_py()
    return Change(name, len(rows), row + 1, _spelt(before[row]), _spelt(after[row]))


def _spelt(value: pa.Scalar) -> str:
    known = value.as_py()
    return _NOT_GIVEN if known is None else repr(known) if isinstance(known, str) else str(known)


def _comparable(one: pa.ChunkedArray, two: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return two columns of one type, in which what means the same is equal."""
    kinds = [one.type, two.type]
    if all(pa.types.is_null(kind) for kind in kinds):
        return one.cast(pa.string()), two.cast(pa.string())
    if all(map(_is_whole, kinds)):
        return _cast(one, two, pa.int64())
    if all(pa.types.is_temporal(kind) for kind in kinds):
        return _instant(one), _instant(two)
    if all(map(_is_number, kinds)):
        return _cast(one, two, pa.float64())
    return _cast(one, two, pa.string())


def _instant(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return milliseconds since 1970; a moment without an offset counts as one of UTC, a day as its midnight."""
    if pa.types.is_date(column.type):
        return column.cast(pa.timestamp("ms")).cast(pa.int64())
    return column.cast(pa.timestamp("ms", column.type.tz)).cast(pa.int64())


def _cast(
    one: pa.ChunkedArray, two: pa.ChunkedArray, kind: pa.DataType
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    try:
        return one.cast(kind), two.cast(kind)
    except pa.ArrowInvalid:
        return one.cast(pa.string()), two.cast(pa.string())


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(_is_whole(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
