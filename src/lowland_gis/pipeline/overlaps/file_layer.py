"""A vector file, or a layer in memory, as engines read it: its polygons, or lines as strips, and what else its rows say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from lowland_gis.analysis.fields.columns import array, number, numbers, text
from lowland_gis.analysis.fields.plain_values import plain_values
from lowland_gis.analysis.geometry import strips
from lowland_gis.analysis.overlay.polygons import Geometries
from lowland_gis.analysis.overlay.rings import Rings
from lowland_gis.analysis.overlay.wkb import rings_of
from lowland_gis.engines.base import Floats, Integers, Layer, Room
from lowland_gis.engines.parts import Part, Parts
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import Batch
from lowland_gis.pipeline.base.telling import Tell
from lowland_gis.pipeline.overlaps.vector_file import Done, VectorFile, column, tell_faults, tell_plane

ALL = "all"


class FileLayer(Layer):
    """The polygons of a file, with the values of a field (None where none is named), and how many rows had which fault.

    With `width` its features are lines, each a strip as wide as that field says.
    """

    def __init__(self, file: VectorFile, field: str | None, width: str | None = None) -> None:
        """Take a file that is open."""
        self.file = file
        self._field, self._width = field, width
        self._batches: list[Batch] = []
        self._faults = Counter[str]()
        self._boxes: list[Floats] = []
        self._rows = 0

    def portions(self, room: Room, threads: int) -> Parts[Batch, Done] | Parts[VectorFile, Done]:
        """Return calls that read and decode a batch each; lines with a width come as one, since strips take each other's ground."""
        if self._width is not None:
            return Parts([Part(1, iter([self.file]))], lambda _: self._strips(), threads=threads)
        return self.file.portions(room, threads)

    def took(self, done: Done) -> Rings:
        """Return the polygons of batches, and keep what else is known of them."""
        self._keep(done.batches, done.faults, done.rings.box)
        return done.rings

    def wkb(self) -> Iterator[pa.Array]:
        """Yield the polygons as WKB batch by batch."""
        if self._width is not None:
            yield self._kept([], Counter(), self._derived())
            return
        for batch in self.file.batches:
            shapes, faults = self.file.geometries(batch, "polygon")
            yield self._kept([replace(batch, shapes=None)], faults, shapes)

    def values(self) -> pa.Array | None:
        """Return the field that was asked for, once all rows were read."""
        return column(self._batches, self._field, self.file.name)

    def names(self) -> pa.Array:
        """Return what names each row: the field, the label of its row in a frame, or its number."""
        values = self.values()
        if values is not None:
            return values
        if self.file.row_names is not None:
            return plain_values(self.file.row_names)
        return numbers(np.arange(self._rows))

    def codes(self) -> tuple[Integers, pa.Array]:
        """Return the number of each zone's code among the sorted codes, and these.

        Numbers are sorted as numbers; a zone without a code has an empty one, which comes first and makes texts of all.
        """
        codes = self.values()
        if codes is None:
            return np.zeros(self._rows, dtype=np.int64), text(ALL)
        distinct = codes.drop_null().unique()
        names = distinct.take(pc.sort_indices(distinct))
        places = pc.index_in(codes, names)
        if codes.null_count:
            if "" not in (texts := names.cast(pa.string())).to_pylist():
                texts = pa.concat_arrays([text(""), texts])
                places = pc.add(places, number(1))
            names = texts
        return array(pc.fill_null(places, number(0).cast(places.type))).astype(np.int64), names

    def classes(self) -> Integers:
        """Return the number of each zone's code."""
        return self.codes()[0]

    def tell(self, tell: Tell) -> None:
        """Say what is wrong with the file, and how many rows had which fault."""
        tell_faults(self.file, self._faults, tell)

    def tell_plane(self, tell: Tell) -> None:
        """Say what speaks against areas on the plane where the rows lie."""
        tell_plane(self.file, np.concatenate([np.empty((0, 4)), *self._boxes]), tell)

    def _keep(self, batches: list[Batch], faults: Counter[str], boxes: Floats) -> None:
        self._batches += batches
        self._faults.update(faults)
        self._boxes.append(boxes)
        self._rows += len(boxes)

    def _kept(self, batches: list[Batch], faults: Counter[str], shapes: Geometries) -> pa.Array:
        self._keep(batches, faults, shapely.bounds(shapes).reshape(-1, 4))
        return pa.array(shapely.to_wkb(shapes, byte_order=1, output_dimension=2), pa.large_binary())

    def _strips(self) -> Done:
        """Read the lines and make each a strip; what is said of them is kept at once, since they are one portion."""
        return Done([], rings_of(self._derived()), Counter())

    def _derived(self) -> Geometries:
        """Return each line as a strip of its own width; a line without a width meets nothing."""
        batches = list(self.file.batches)
        read = [self.file.geometries(batch, "line") for batch in batches]
        lines = np.concatenate([np.empty(0, dtype=object), *(shapes for shapes, _ in read)])
        widths = _widths(column(batches, self._width, self.file.name), str(self._width), self.file.name)
        made = strips.of_lines(lines, widths)
        self._batches += batches
        self._faults.update(sum((faults for _, faults in read), Counter[str]()))
        self._faults.update(+Counter(geometry_derived=int(made.failed.sum())))
        return made.geometries


def _widths(values: pa.Array | None, field: str, name: str) -> Floats:
    """Return widths in metres, NaN where there is none."""
    try:
        return np.asarray(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowInvalid as error:
        raise InputRefusedError(
            f"{name}: the field {field} holds something else than widths ({error}). Name the field with the widths in metres."
        ) from error
