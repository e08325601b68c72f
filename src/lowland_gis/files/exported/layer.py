"""What is handed to a writer, and what it says of what the form of its file does to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from lowland_gis.errors import InputRefusedError

# Kinds of geometry as GEOS numbers them: those of one part, and those of several of the same dimension.
_FAMILIES = {
    0: "Point",
    1: "LineString",
    2: "LineString",
    3: "Polygon",
    4: "Point",
    5: "LineString",
    6: "Polygon",
}
_OF_SEVERAL = {
    shapely.GeometryType.MULTIPOINT,
    shapely.GeometryType.MULTILINESTRING,
    shapely.GeometryType.MULTIPOLYGON,
}
NONE = "none"


@dataclass(frozen=True)
class Layer:
    """A layer or a table: its name, its columns, its geometries (None for a table) in the system `crs` (EPSG:… or WKT).

    `title` is how people call it; `titles` and `widths` (in letters) are those of its fields, for forms that hold such.
    """

    name: str
    attributes: pa.Table
    geometries: npt.NDArray[np.object_] | None
    crs: str | None
    title: str | None = None
    titles: Mapping[str, str] = field(default_factory=dict)
    widths: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Return how many rows it has."""
        return int(self.attributes.num_rows)


@dataclass
class Written:
    """What a writer made of a layer: how fields are called in the file, how texts are encoded, and what it did to them in words.

    `left_out` are fields that the form cannot hold at all; what a value became is seen when the file is read again.
    `by_name` says that the file has further fields of its own, so that fields are found by their names and not by their order.
    """

    encoding: str
    names: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    by_name: bool = False


def family(layer: Layer, form: str) -> str:
    """Return whether a layer is of Polygon, LineString or Point, as forms want that hold one kind; NONE where it has no shapes.

    Raises:
        InputRefusedError: it holds several kinds, or geometries of no kind.
    """
    kinds = set(np.unique(shapely.get_type_id(layer.geometries)).tolist()) - {-1}
    found = {_FAMILIES.get(kind, "GeometryCollection") for kind in kinds}
    if len(found) > 1 or "GeometryCollection" in found:
        said = " and ".join(sorted(found)) if len(found) > 1 else "collections of several kinds"
        raise InputRefusedError(
            f"{layer.name}: holds {said} in one layer, which a {form} cannot. Convert it to a GeoPackage (.gpkg)."
        )
    return found.pop() if found else NONE


def has_several_parts(geometries: npt.NDArray[np.object_]) -> bool:
    """Return whether any geometry is of a kind that can have several parts."""
    return bool(np.isin(shapely.get_type_id(geometries), list(_OF_SEVERAL)).any())


def as_multi(geometries: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return geometries of which single polygons, lines and points are made such of one part, since columns have one kind."""
    made = geometries.copy()
    kinds = shapely.get_type_id(geometries)
    for one, gather in (
        (shapely.GeometryType.POLYGON, shapely.multipolygons), (shapely.GeometryType.LINESTRING, shapely.multilinestrings),
        (shapely.GeometryType.LINEARRING, shapely.multilinestrings), (shapely.GeometryType.POINT, shapely.multipoints),
    ):  # fmt: skip
        rows = np.flatnonzero(kinds == one)
        if len(rows):
            made[rows] = gather(geometries[rows], indices=np.arange(len(rows)))
    return made


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column whose values stand for themselves: dictionaries are resolved."""
    kind: Any = column.type
    return column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column holds texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_plain(kind: pa.DataType) -> bool:
    """Return whether a column holds one value a row that forms of tables know: text, number, yes or no, day or moment."""
    tests = (
        is_text, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_date, pa.types.is_timestamp,
        pa.types.is_decimal, pa.types.is_null,
    )  # fmt: skip
    return any(test(kind) for test in tests)
