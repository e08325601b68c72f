"""A vector file, or a layer in memory, that is looked at without a project: opened, checked, and brought to a plane batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.fields.columns import array
from lowland_gis.analysis.fields.plain_values import plain_values
from lowland_gis.analysis.geometry import repair
from lowland_gis.analysis.overlay.polygons import Geometries, polygon_rings
from lowland_gis.analysis.overlay.rings import Rings
from lowland_gis.engines.base import Floats, Room
from lowland_gis.engines.parts import Part, Parts
from lowland_gis.errors import InputRefusedError
from lowland_gis.files import crs as reference
from lowland_gis.files import transform
from lowland_gis.files.batches import Batch, Received, bounds
from lowland_gis.files.in_memory import InMemory
from lowland_gis.files.plane_doubts import plane_doubts
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from lowland_gis.pipeline.base.telling import Tell
from lowland_gis.pipeline.intake.given_crs import GivenCrs

# So many polygons of about 50 vertices, as read and as decoded, find room in the second cache of a core.
BATCH_ROWS = 4_000
_LEFT_OUT = "a value is not what it says and counts as missing; lowland inspect lists them"

_CUT = {
    "value_cut": "a text was cut inside a character, whose beginning was left out; lowland inspect lists them"
}


class Done(NamedTuple):
    """Batches without their shapes, the polygons of their rows, and how many rows had which fault."""

    batches: list[Batch]
    rings: Rings
    faults: Counter[str]


@dataclass(frozen=True)
class VectorFile:
    """A vector file that is open: its parts, the plane that they are brought to, and the way there.

    `parts` have the batches one after the other; each may be gone through by one thread at a time, several at the same time. `doubts` are what is wrong
    with the file although it can be read. `row_names` are the labels of the rows of a frame, where these are more than numbers.
    """

    name: str
    parts: tuple[Part[Batch], ...]
    plane: reference.Reference
    doubts: tuple[str, ...]
    fields: tuple[str, ...]
    declared: str | None
    _given: str | None
    _path: transform.Way | None
    row_names: pa.ChunkedArray | None = None

    @property
    def batches(self) -> Iterator[Batch]:
        """Return the batches of all parts; they can be gone through once."""
        return chain.from_iterable(part.items for part in self.parts)

    def portions(self, room: Room, threads: int) -> Parts[Batch, Done]:
        """Yield what is to be done to have the polygons in some room: calls that may be made at the same time (see `Parts`)."""

        def done(batch: Batch) -> Done:
            # The WKB is let go at once, so that its place is there for the next batch.
            return Done([replace(batch, shapes=None)], *self.rings(batch, room))

        return Parts(self.parts, done, threads=threads)

    def rings(self, batch: Batch, xy_room: Room) -> tuple[Rings, Counter[str]]:
        """Return the polygons of a batch on the plane, and how many rows had which fault."""
        moved = None if self._path is None else self._moved
        rings, faults = polygon_rings(
            batch.shapes, deviation=batch.deviation, to_plane=moved, xy_room=xy_room
        )
        if self._path is None and not np.isnan(rings.box).all():
            low, high = np.nanmin(rings.box[:, :2], axis=0), np.nanmax(rings.box[:, 2:], axis=0)
            self._check(np.concatenate([low, high]))
        return rings, faults + self._values_left_out(batch)

    def geometries(self, batch: Batch, kind: repair.Kind) -> tuple[Geometries, Counter[str]]:
        """Return the geometries of a batch on the plane, None where there is none of this kind, and the faults of rows."""
        wkb = np.empty(0, dtype=object) if batch.wkb is None else batch.wkb
        raw, fault = repair.decode(wkb)
        mended = repair.repair(self._moved(raw), fault, kind)
        shapes = mended.geometries.copy()
        shapes[~mended.usable] = None
        return shapes, Counter(str(each) for each in mended.fault if each) + self._values_left_out(batch)

    def _values_left_out(self, batch: Batch) -> Counter[str]:
        """Count the doubts about values of the fields that are asked for."""
        about = tuple(f"{field}: " for field in self.fields)
        return Counter(doubt.rule for doubt in batch.doubts if doubt.words.startswith(about))

    def _moved(self, geometries: Geometries) -> Geometries:
        self._check(bounds(geometries))
        return transform.transformed(geometries, self._path)

    def _check(self, extent: npt.NDArray[np.float64]) -> None:
        """Refuse an extent that contradicts the declared system."""
        reference.resolve(self.declared, self._given, extent, self.name)


def _refuse_missing(name: str, fields: Sequence[str], columns: Sequence[str]) -> None:
    missing = [field for field in fields if field not in columns]
    if missing:
        near = [hit for field in missing for hit in get_close_matches(field, columns, n=1, cutoff=0.5)]
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise InputRefusedError(
            f"{name}: there is no field {', '.join(map(repr, missing))}.{hint} It has: {', '.join(columns) or 'no fields'}."
        )


@contextmanager
def vector_file(
    asked: str | InMemory, fields: Sequence[str], plane: reference.Reference | None, given: GivenCrs
) -> Iterator[VectorFile]:
    """Open a vector file, or a layer in memory, that is to be brought to a plane; without one it is the parcels, whose own plane in metres is taken.

    Raises:
        InputRefusedError: it cannot be read, has no geometries or lacks a field, is in degrees without a plane to go to, or
            its datum differs.
    """
    with ExitStack() as stack:
        doubted: tuple[tuple[str, str], ...] = ()
        row_names: pa.ChunkedArray | None = None
        if isinstance(asked, InMemory):
            name, row_names = asked.name, asked.row_names
            arrived = stack.enter_context(asked.received(fields, BATCH_ROWS))
        else:
            source = stack.enter_context(opened(asked, Path.cwd()))
            name, doubted = asked, source.doubts
            arrived = stack.enter_context(received(source, fields=fields, batch_rows=BATCH_ROWS))
        if not arrived.has_geometry:
            raise InputRefusedError(f"{name}: it holds no geometries. Name a vector file, or FILE:LAYER.")
        _refuse_missing(name, fields, arrived.columns)
        said = given.of("parcels" if plane is None else "zones", arrived.declared_crs)
        system = reference.resolve(arrived.declared_crs, said, np.full(4, np.nan), name)
        if plane is None and system.in_degrees:
            raise InputRefusedError(
                f"{name}: the parcels are in degrees ({system.name}), which have no square metres."
                " Bring them to a plane first, for example EPSG:4548."
            )
        target = plane or reference.in_metres(system)
        path = transform.path_between(system, target, name)
        words = transform.null_shift(system, target)
        doubts = (*(words for _, words in (*doubted, *arrived.doubts)), *([words] if words else []))
        yield VectorFile(
            name, _parts(arrived), target, doubts, tuple(fields), arrived.declared_crs, said, path, row_names
        )


def _parts(arrived: Received) -> tuple[Part[Batch], ...]:
    """Return what can be read at the same time; all in one where the form of the file does not allow it."""
    parts = (Part(-(-each.n_rows // BATCH_ROWS), each.batches()) for each in arrived.parts)
    return tuple(parts) or (Part(1, arrived.batches),)


def column(batches: Sequence[Batch], field: str | None, file: str) -> pa.Array | None:
    """Return a field of all batches, of values that can be compared and sorted; None where none is asked for.

    Raises:
        InputRefusedError: the field holds lists, tables or other things that are no codes.
    """
    if field is None:
        return None
    chunks = [chunk for batch in batches for chunk in batch.attributes.column(field).chunks]
    if not chunks:
        return pa.array([], pa.string())
    try:
        return plain_values(pa.chunked_array(chunks))
    except ValueError as error:
        raise InputRefusedError(
            f"{file}: the field {field} holds {error}, by which nothing can be named or summed. Name a field of texts or numbers."
        ) from error


def tell_plane(file: VectorFile, boxes: Floats, tell: Tell) -> None:
    """Say what speaks against areas on the plane of the parcels where these lie (n × west, south, east, north)."""
    there = boxes[np.isfinite(boxes).all(axis=1)]
    if len(there):
        extent = np.concatenate([there[:, :2].min(axis=0), there[:, 2:].max(axis=0)])
        for doubt in plane_doubts(file.plane, extent):
            tell(f"{file.name}: {doubt}")


def tell_faults(file: VectorFile, faults: Counter[str], tell: Tell) -> None:
    """Say what is wrong with the file, and how many rows had which fault."""
    for doubt in file.doubts:
        tell(doubt)
    for fault, count in faults.items():
        tell(f"{file.name}: {count:,} × {(repair.FAULTS | _CUT).get(fault, _LEFT_OUT)}")


def order_of_names(names: pa.Array, field: str | None, file: str) -> npt.NDArray[np.intp]:
    """Return the positions of the names of parcels in their order; a missing one comes last.

    Raises:
        InputRefusedError: a name stands for several parcels.
    """
    order = pc.sort_indices(names)
    if names.null_count > 1:
        raise InputRefusedError(
            f"{file}: {names.null_count:,} parcels have no {field}, so they cannot be told apart. Name a field with a value for each parcel,"
            " or leave --id away."
        )
    if not _all_differ(names.take(order)):
        counts = names.value_counts()
        doubled = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
        raise InputRefusedError(
            f"{file}: {len(doubled)} values of {field} stand for several parcels, for example {doubled[0].as_py()!r}."
            " Name a field with one value a parcel, or leave --id away."
        )
    return array(order).astype(np.intp)


def _all_differ(ordered: pa.Array) -> bool:
    """Return whether no value stands twice among those of an order."""
    kind = ordered.type
    plain = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)
    if plain and ordered.null_count == 0:
        # Neighbours are compared ten times faster than the distinct ones are counted.
        return pc.any(pc.equal(ordered[:-1], ordered[1:])).as_py() is not True
    return bool(pc.count_distinct(ordered, mode="all").as_py() == len(ordered))
