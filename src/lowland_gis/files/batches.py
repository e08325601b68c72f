"""What comes out of a file: rows batch by batch, attributes as received, geometries as WKB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely
from pyproj import CRS

from lowland_gis.analysis.fields.columns import numbers
from lowland_gis.analysis.fields.doubts import Aside, Doubt
from lowland_gis.analysis.fields.stated_quantities import NOTHING, Stated
from lowland_gis.analysis.geometry.curves import MAX_DEVIATION_M, linearised
from lowland_gis.analysis.geometry.extent import FARTHEST
from lowland_gis.files.encoding import Encoding

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 10_000
ROW_NUMBER = "FID"
METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a source: the number of the first one, attributes as spelt in the file, WKB as Arrow bytes or None.

    `deviation` is how far chords may lie from their arcs, in the unit of the coordinates. `doubts` are about values that were not
    taken as they stand, `aside` are rows that are no records; both count rows from the first one of the source.
    """

    first_row: int
    attributes: pa.Table
    shapes: pa.Array | None
    deviation: float = MAX_DEVIATION_M
    doubts: tuple[Doubt, ...] = ()
    aside: tuple[Aside, ...] = ()

    @cached_property
    def wkb(self) -> npt.NDArray[np.object_] | None:
        """Return WKB row by row, arcs turned into chords; None where the source holds no geometries."""
        if self.shapes is None:
            return None
        values = np.empty(len(self.shapes), dtype=object)
        values[:] = self.shapes.to_pylist()
        return linearised(values, deviation=self.deviation).wkb

    @classmethod
    def empty(cls, columns: tuple[str, ...], *, has_geometry: bool) -> Batch:
        """Return a batch without rows."""
        table = pa.table({name: pa.array([], pa.string()) for name in columns})
        return cls(0, table, pa.array([], pa.binary()) if has_geometry else None)


@dataclass(frozen=True)
class Part:
    """A part of a source that can be read beside others: its rows, and what opens it and gives its batches."""

    n_rows: int
    batches: Callable[[], Iterator[Batch]]


@dataclass(frozen=True)
class Received:
    """A source that is open; `batches` can be gone through once and raises when fewer rows come than the header counts.

    `n_rows` is what the header says, where it says so. `parts`, where there are any, give the same batches and can be gone through
    at the same time, each by a thread of its own. `doubts` are about the source as a whole, each a code and words; they are complete
    when the batches are at their end. `stated` are the units that a line beside a table names for all of it.
    """

    columns: tuple[str, ...]
    has_geometry: bool
    declared_crs: str | None
    encoding: Encoding | None
    layer: str | None
    n_rows: int | None
    batches: Iterator[Batch]
    parts: tuple[Part, ...] = ()
    doubts: list[tuple[str, str]] = field(default_factory=list)
    stated: Stated = NOTHING


@dataclass(frozen=True)
class Whole:
    """All rows of a source at once."""

    attributes: pd.DataFrame
    wkb: npt.NDArray[np.object_] | None
    declared_crs: str | None
    encoding: Encoding | None
    layer: str | None


def row_numbers(first: int, rows: int) -> pa.Table:
    """Return the only thing that can be said of rows without fields: their numbers."""
    return pa.Table.from_arrays([numbers(np.arange(first, first + rows))], names=[ROW_NUMBER])


def deviation_in(crs: str | None) -> float:
    """Return how far chords may lie from their arcs, in the unit of the coordinates: a millimetre, in degrees too."""
    if crs and CRS.from_user_input(crs).is_geographic:
        return MAX_DEVIATION_M / METRES_PER_DEGREE
    return MAX_DEVIATION_M


def bounds(geometries: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Return west, south, east, north of all geometries that lie on Earth; NaN when there are none.

    One vertex that is infinite says nothing of where the others are.
    """
    each = shapely.bounds(geometries)
    each = each[(np.abs(each) < FARTHEST).all(axis=1)]
    if len(each) == 0:
        return np.full(4, np.nan)
    return np.concatenate([each[:, :2].min(axis=0), each[:, 2:].max(axis=0)])
