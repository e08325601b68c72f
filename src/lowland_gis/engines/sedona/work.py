"""What the tasks do: rows that come in Arrow batches, cell by cell, first the zones and then the parcels of each.

Spark calls these functions in its Python workers, so nothing here may need the session or more than what is handed over.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from lowland_gis.analysis.overlay import tabulate, windows
from lowland_gis.analysis.overlay.polygons import binary_parts
from lowland_gis.analysis.overlay.rings import Rings, joined, taken
from lowland_gis.analysis.overlay.wkb import DOUBT, UNREAD, Floats, Integers, decode

# Kinds of rows, in the order in which a cell gets them: zones, what its window sees of large zones, parcels.
ZONE, SEEN, PARCEL = 0, 1, 2
# Classes that are none: the row of a parcel itself, and the row of a task, whose area is the peak of its memory in MB.
ITSELF, PEAK = -1, -2
# Where zones are of several layers, the class of a zone tells its layer, and the cover of a parcel by layer n is the class COVERED - n.
_LAYER_BITS = 32
COVERED = -10

SHUFFLED = ("cell", "kind", "parcel", "klass", "whole", "wkb", "row")
FOUND = ("parcel", "klass", "area_m2", "whole_m2", "rest_m2", "excess_m2")
_SHOWN = 5


def layer_of(classes: Integers) -> Integers:
    """Return the number of the layer of each class, where zones are of several layers."""
    return classes >> _LAYER_BITS


def class_in(layer: int, number: int) -> int:
    """Return the class that a number of a layer is among those of several layers."""
    return (layer << _LAYER_BITS) | number


@dataclass
class _Cell:
    """The zones of the cell that is at work, layer by layer where there are several; made ready when its first parcels come."""

    number: int = -1
    parts: list[Rings] = field(default_factory=list)
    classes: list[Any] = field(default_factory=list)
    ready: list[tabulate.Zones] | None = None

    def zones(self, *, layers: bool) -> list[tabulate.Zones]:
        if self.ready is None:
            numbers, rings = np.concatenate([np.empty(0, np.int64), *self.classes]), joined(self.parts)
            of = layer_of(numbers) if layers else np.zeros(len(numbers), dtype=np.int64)
            some = [np.flatnonzero(of == layer) for layer in np.unique(of)] or [np.arange(0)]
            self.ready = [
                tabulate.zone_layer(taken(rings, rows), numbers[rows], np.empty(0, dtype=object))
                for rows in some
            ]
            self.parts, self.classes = [], []
        return self.ready


def tabulated(
    batches: Iterator[pa.RecordBatch], *, cores: Floats, cover: bool, layers: bool = False
) -> Iterator[pa.RecordBatch]:
    """Yield what the parcels of each cell share with its zones (`FOUND`), from rows in the order of cell and kind (`SHUFFLED`).

    At no time is more held than the zones of one cell and one batch of parcels. The cover of a parcel stands in its own row or, where
    there are several `layers`, in one for each that covers it unevenly: with the area that lies in the layer.
    """
    cell, kind_of_parcel = _Cell(), pa.null()
    for batch in batches:
        kind_of_parcel = batch.schema.field("parcel").type
        number, kind = batch["cell"].to_numpy(), batch["kind"].to_numpy()
        ends = np.flatnonzero((np.diff(number) != 0) | (np.diff(kind) != 0)) + 1
        for start, stop in zip([0, *ends], [*ends, len(number)], strict=True):
            if start == stop:
                continue
            some = batch.slice(start, stop - start)
            if number[start] != cell.number:
                cell = _Cell(int(number[start]))
            if kind[start] == PARCEL and layers:
                yield _found_in_layers(some, cell, cores, cover=cover)
            elif kind[start] == PARCEL:
                yield _found(some, cell, cores, cover=cover)
            else:
                rings = _valid(some, cell.number, cores) if kind[start] == ZONE else as_seen(some["wkb"])
                cell.parts.append(rings)
                cell.classes.append(some["klass"].to_numpy())
    # The type is that of the column that Spark expects, wherever nothing came.
    if kind_of_parcel != pa.null():
        yield _peak(kind_of_parcel)


def boxed(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield rows of a name and WKB with the boxes of their polygons, null where there is none: points and lines have no area."""
    for batch in batches:
        wkb = np.empty(batch.num_rows, dtype=object)
        wkb[:] = batch["wkb"].to_pylist()
        shapes = shapely.from_wkb(wkb)
        box = shapely.bounds(shapes).reshape(-1, 4)
        nothing = np.isnan(box[:, 0]) | (shapely.get_dimensions(shapes) != 2)  # noqa: PLR2004
        columns = [pa.array(box[:, n], mask=nothing) for n in range(4)]
        names = [batch.schema.names[0], "wkb", "x0", "y0", "x1", "y1"]
        yield pa.RecordBatch.from_arrays([batch.column(0), batch["wkb"], *columns], names=names)


def _found(some: pa.RecordBatch, cell: _Cell, cores: Floats, *, cover: bool) -> pa.RecordBatch:
    rings = _valid(some, cell.number, cores)
    overlaps, covered = tabulate.overlaps(rings, cell.zones(layers=False)[0], cover=cover)
    count = len(rings.area)
    given = some["whole"].to_numpy(zero_copy_only=False)
    whole = np.where(np.isnan(given), rings.area, given)
    rows = np.concatenate([overlaps.parcel, np.arange(count)])
    klass = np.concatenate([overlaps.klass, np.full(count, ITSELF)])
    area = np.concatenate([overlaps.area_m2, rings.area])
    none = np.full(len(overlaps.parcel), np.nan)
    cover_m2 = [np.full(count, np.nan)] * 2 if covered is None else list(covered)
    rest, excess = (np.concatenate([none, column]) for column in cover_m2)
    return _rows(some["parcel"].take(pa.array(rows)), klass, area, whole[rows], rest, excess)


def _found_in_layers(some: pa.RecordBatch, cell: _Cell, cores: Floats, *, cover: bool) -> pa.RecordBatch:
    rings = _valid(some, cell.number, cores)
    count = len(rings.area)
    given = some["whole"].to_numpy(zero_copy_only=False)
    whole, cut = np.where(np.isnan(given), rings.area, given), ~np.isnan(given)
    none, own = np.full(count, np.nan), np.full(count, ITSELF)
    found: list[tuple[Any, ...]] = [(np.arange(count), own, rings.area, none, none)]
    for zones in cell.zones(layers=True):
        overlaps, covered = tabulate.overlaps(rings, zones, cover=cover)
        nothing = np.full(len(overlaps.parcel), np.nan)
        found.append((overlaps.parcel, overlaps.klass, overlaps.area_m2, nothing, nothing))
        if covered is None or len(zones.classes) == 0:
            continue
        inside = np.bincount(overlaps.parcel, overlaps.area_m2, minlength=count)
        # What is to be said of a parcel that was cut is known when its pieces are together.
        told = np.flatnonzero((inside > 0) & (cut | (covered.rest_m2 > 0) | (covered.excess_m2 > 0)))
        klass = np.full(len(told), COVERED - int(layer_of(zones.classes[:1])[0]))
        found.append((told, klass, inside[told], covered.rest_m2[told], covered.excess_m2[told]))
    rows, klass, area, rest, excess = (np.concatenate(column) for column in zip(*found, strict=True))
    return _rows(some["parcel"].take(pa.array(rows)), klass, area, whole[rows], rest, excess)


def _rows(parcel: pa.Array, klass: Any, *columns: Floats) -> pa.RecordBatch:
    arrays = [parcel, pa.array(klass, pa.int64()), *(pa.array(column, pa.float64()) for column in columns)]
    return pa.RecordBatch.from_arrays(arrays, names=list(FOUND))


def _peak(kind: pa.DataType) -> pa.RecordBatch:
    """Return the row of a task: how much memory its process has had at most."""
    # Windows does not tell it in this way.
    resource = importlib.import_module("resource")
    peak = np.array([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0])
    return _rows(pa.nulls(1, kind), [PEAK], peak, *[np.full(1, np.nan)] * 3)


def _valid(some: pa.RecordBatch, number: int, cores: Floats) -> Rings:
    """Return polygons as rings.

    Raises:
        ValueError: some are invalid, which names them and the partition.
    """
    rings, state = decode(*binary_parts(some["wkb"]))
    doubtful = np.flatnonzero(state == DOUBT)
    if len(doubtful):
        shapes = shapely.from_wkb(np.array(some["wkb"].take(pa.array(doubtful)).to_pylist(), dtype=object))
        doubtful = doubtful[~shapely.is_valid(shapes)]
    wrong = np.sort(np.concatenate([doubtful, np.flatnonzero(state == UNREAD)]))
    if len(wrong) == 0:
        return rings
    zones = some["kind"][0].as_py() != PARCEL
    west, south, east, north = cores[number]
    shown = [_described(some, int(row), rings, zones=zones) for row in wrong[:_SHOWN]]
    raise ValueError(
        f"partition {number} (x {west:.0f} to {east:.0f}, y {south:.0f} to {north:.0f}): {len(wrong)}"
        f" {'zones' if zones else 'parcels'} are no valid polygons, first: {'; '.join(shown)}"
    )


def _described(some: pa.RecordBatch, row: int, rings: Rings, *, zones: bool) -> str:
    where = ", ".join(f"{value:.2f}" for value in rings.box[row][:2])
    return f"near {where}" if zones else f"{some['parcel'][row].as_py()} near {where}"


def as_seen(wkb: pa.Array) -> Rings:
    """Return what a window sees of polygons that were valid: rings that count by their direction."""
    rings, _ = decode(*binary_parts(wkb))
    return rings._replace(ring_sign=np.ones(len(rings.ring_sign)))


def zones_seen(
    batches: Iterator[pa.RecordBatch], *, window: Floats, numbers: Integers, parcel: pa.DataType
) -> Iterator[pa.RecordBatch]:
    """Yield, of zones of very many vertices, what the window of each cell sees of them, as rows that are shuffled.

    Raises:
        ValueError: a zone is no valid polygon.
    """
    for batch in batches:
        for row in range(batch.num_rows):
            klass = batch["klass"][row].as_py()
            shape = _one(batch["wkb"][row].as_py(), "zone")
            rings = windows.oriented_rings(shape)
            rows = [
                (number, windows.as_wkb(few)) for number, few in windows.seen_by_each(rings, window, numbers)
            ]
            if rows:
                row_no = batch["row"][row].as_py() if "row" in batch.schema.names else None
                yield _shuffled(rows, SEEN, pa.nulls(len(rows), parcel), klass, None, row_no)


def parcels_cut(
    batches: Iterator[pa.RecordBatch], *, core: Floats, numbers: Integers
) -> Iterator[pa.RecordBatch]:
    """Yield wide parcels as their pieces on the ground of each cell, with the area of the whole, as rows that are shuffled.

    Raises:
        ValueError: a parcel is no valid polygon.
    """
    for batch in batches:
        for row in range(batch.num_rows):
            name = batch["parcel"][row].as_py()
            shape = _one(batch["wkb"][row].as_py(), f"parcel {name}")
            pieces = [
                (number, shapely.to_wkb(piece, byte_order=1))
                for number, piece in _pieces(shape, core, numbers)
            ]
            whole = decode(*binary_parts(pa.array([batch["wkb"][row].as_py()], pa.binary())))[0].area[0]
            if pieces:
                names = pa.repeat(batch["parcel"][row], len(pieces))
                yield _shuffled(pieces, PARCEL, names, None, float(whole))


def _pieces(shape: Any, core: Floats, numbers: Integers) -> Iterator[tuple[int, Any]]:
    """Yield the pieces of a polygon on the grounds of cells; these lie side by side, so halves of them are asked first."""
    west, south, east, north = shape.bounds
    near = (core[:, 0] < east) & (core[:, 2] > west) & (core[:, 1] < north) & (core[:, 3] > south)
    core, numbers = core[near], numbers[near]
    for number, ground in zip(numbers, core, strict=True):
        limits = np.clip(ground, [west - 1, south - 1] * 2, [east + 1, north + 1] * 2)
        piece = shapely.intersection(shape, shapely.box(*limits))
        areal = [part for part in shapely.get_parts(piece) if shapely.get_dimensions(part) == 2]  # noqa: PLR2004
        if areal:
            yield int(number), areal[0] if len(areal) == 1 else shapely.multipolygons(areal)


def _one(wkb: bytes, name: str) -> Any:
    shape = shapely.from_wkb(wkb)
    if shapely.get_dimensions(shape) != 2 or not shapely.is_valid(shape):  # noqa: PLR2004
        x, y = shape.bounds[:2]
        raise ValueError(f"1 {name} is no valid polygon, near {x:.2f}, {y:.2f}")
    return shape


def _shuffled(
    rows: list[tuple[int, bytes]],
    kind: int,
    parcel: pa.Array,
    klass: int | None,
    whole: float | None,
    row: int | None = None,
) -> pa.RecordBatch:
    count = len(rows)
    return pa.RecordBatch.from_arrays(
        [
            pa.array([number for number, _ in rows], pa.int32()),
            pa.array([kind] * count, pa.int32()),
            parcel,
            pa.array([klass] * count, pa.int64()),
            pa.array([whole] * count, pa.float64()),
            pa.array([wkb for _, wkb in rows], pa.binary()),
            pa.array([row] * count, pa.int64()),
        ],
        names=list(SHUFFLED),
    )
