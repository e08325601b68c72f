"""Received polygons as rings: proved or found valid as they are, else mended, and counted by fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from lowland_gis.analysis.geometry import repair
from lowland_gis.analysis.geometry.curves import linearised
from lowland_gis.analysis.overlay.rings import Rings, substituted
from lowland_gis.analysis.overlay.wkb import DOUBT, EMPTY, MISSING, UNREAD, Bytes, Floats, Integers, decode

Geometries = npt.NDArray[np.object_]


def polygon_rings(
    shapes: pa.Array,
    *,
    deviation: float,
    to_plane: Callable[[Geometries], Geometries] | None = None,
    xy_room: Callable[[int], Floats] | None = None,
) -> tuple[Rings, Counter[str]]:
    """Return the polygons of a column of WKB as rings, row by row, and how many rows had which fault.

    What is invalid is repaired as at ingest (structure method); points and lines are no polygons, so they meet nothing, as
    do rows that cannot be mended. `deviation` is how far chords may lie from arcs. `to_plane` moves geometries to
    another plane before they are judged. `xy_room` is as with `decode`; the vertices lie elsewhere where a polygon was mended.
    """
    missing = shapes.null_count
    if to_plane is not None:
        shapes = _moved(shapes, deviation, to_plane)
    rings, state = decode(*binary_parts(shapes), xy_room=xy_room)
    faults = Counter(
        {
            "geometry_missing": missing,
            # Something came that is no geometry, or it was not read before it was moved.
            "geometry_unreadable": int((state == MISSING).sum()) - missing,
            "geometry_empty": int((state == EMPTY).sum()),
        }
    )
    rows = np.flatnonzero((state == DOUBT) | (state == UNREAD))
    if len(rows):
        mended = _mended(shapes, rows, deviation)
        faults.update(str(fault) for fault in mended.fault if fault)
        as_it_is = (mended.fault == "") & (state[rows] == DOUBT)
        changed = rows[~as_it_is]
        rings = substituted(rings, changed, _rings(mended.geometries[~as_it_is], mended.usable[~as_it_is]))
    return rings, +faults


def binary_parts(shapes: pa.Array) -> tuple[Bytes, Integers]:
    """Return the bytes of a column and where each row begins in them; a missing value has none."""
    if len(shapes) == 0:
        return np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int64)
    if shapes.null_count:
        shapes = shapes.fill_null(b"")
    width = np.int64 if pa.types.is_large_binary(shapes.type) else np.int32
    _, offsets, content = shapes.buffers()
    starts = np.frombuffer(offsets, dtype=width)[shapes.offset : shapes.offset + len(shapes) + 1]
    return np.frombuffer(content or b"", dtype=np.uint8), starts.astype(np.int64)


def _mended(shapes: pa.Array, rows: npt.NDArray[np.intp], deviation: float) -> repair.Repaired:
    wkb = np.empty(len(rows), dtype=object)
    wkb[:] = shapes.take(pa.array(rows)).to_pylist()
    return repair.repair(*repair.decode(linearised(wkb, deviation=deviation).wkb), "polygon")


def _rings(geometries: Geometries, usable: npt.NDArray[np.bool_]) -> Rings:
    kept = geometries.copy()
    kept[~usable] = None
    return decode(*binary_parts(pa.array(shapely.to_wkb(kept, byte_order=1), pa.large_binary())))[0]


def _moved(shapes: pa.Array, deviation: float, to_plane: Callable[[Geometries], Geometries]) -> pa.Array:
    wkb = np.empty(len(shapes), dtype=object)
    wkb[:] = shapes.to_pylist()
    geometries, _ = repair.decode(linearised(wkb, deviation=deviation).wkb)
    return pa.array(shapely.to_wkb(to_plane(geometries), byte_order=1), pa.large_binary())
