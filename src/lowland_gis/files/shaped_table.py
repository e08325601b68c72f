"""Shapes of a text table: WKT in a column, or points by two columns of coordinates, told by their size."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from lowland_gis.analysis.coordinate_text.axes import Axes, Points, decided, east_north
from lowland_gis.analysis.coordinate_text.lines import FormatError
from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import ROW_NUMBER, Batch, Received, row_numbers
from lowland_gis.files.encoding import Encoding
from lowland_gis.files.plain_table import PlainTable
from lowland_gis.files.source import Source

# What the points of a table are asked for by: FILE.csv:geometry.
GEOMETRY = "geometry"
_PAIRS = (
    ("x", "y"), ("lon", "lat"), ("lng", "lat"), ("long", "lat"), ("longitude", "latitude"), ("经度", "纬度"), ("东坐标", "北坐标"),
    ("横坐标", "纵坐标"), ("x坐标", "y坐标"), ("坐标x", "坐标y"), ("east", "north"), ("easting", "northing"), ("东", "北"),
)  # fmt: skip
_WKT = re.compile(
    r"\s*(SRID\s*=\s*\d+\s*;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\b", re.IGNORECASE
)
_SRID = re.compile(r"\s*SRID\s*=\s*(\d+)\s*;")
_NUMBER = re.compile(r"\s*[+-]?[0-9]+(\.[0-9]*)?\s*")


def with_shapes(source: Source, table: PlainTable) -> Received | None:
    """Return the table with its shapes; None where it has none, or where nobody asked for points of its coordinates.

    Raises:
        InputRefusedError: points are asked for and it cannot be told by which columns, or which of them is north.
    """
    wkt = [name for name in table.rows.column_names if _holds_wkt(table.rows.column(name))]
    asked = source.layer if source.layer != source.path.stem else None
    if len(wkt) == 1 and asked in (None, GEOMETRY, wkt[0]):
        return _by_wkt(source, table, wkt[0])
    if wkt and asked not in wkt:
        raise InputRefusedError(
            f"{source.name}: {', '.join(wkt)} all hold shapes (WKT). Name one: FILE.csv:{wkt[0]}."
        )
    if asked in wkt:
        return _by_wkt(source, table, asked or wkt[0])
    return None if asked is None else _by_points(source, table, asked)


def _holds_wkt(column: pa.ChunkedArray) -> bool:
    values = [value for value in column.to_pylist() if value and value.strip()]
    return bool(values) and all(_WKT.match(value) for value in values)


def _by_wkt(source: Source, table: PlainTable, name: str) -> Received:
    texts = [value or "" for value in table.rows.column(name).to_pylist()]
    numbers = {found[1] for text in texts if (found := _SRID.match(text))}
    if len(numbers) > 1:
        raise InputRefusedError(
            f"{source.name}: the shapes in {name} are of several systems (SRID {', '.join(sorted(numbers))}). Send a file for each."
        )
    plain = np.array([_SRID.sub("", text).strip() or None for text in texts], dtype=object)
    shapes = shapely.from_wkt(plain, on_invalid="ignore")
    bad = np.flatnonzero(shapely.is_missing(shapes) & (plain != np.array(None)))
    doubts = tuple(
        Doubt(int(row), "shape_unreadable", f"{name}: {texts[row][:60]!r} is no WKT that can be read")
        for row in bad
    )
    rows = table.rows.drop_columns([name])
    crs = f"EPSG:{numbers.pop()}" if numbers and numbers != {"0"} else None
    return _received(table, rows, shapes, doubts, crs, f"shapes by the WKT in {name}")


def _by_points(source: Source, table: PlainTable, asked: str) -> Received:
    one, other = _pair(source, table.rows.column_names, asked)
    texts = [[value or "" for value in table.rows.column(name).to_pylist()] for name in (one, other)]
    given = [row for row, pair in enumerate(zip(*texts, strict=True)) if any(text.strip() for text in pair)]
    wrong = [row for row in given if not all(_NUMBER.fullmatch(column[row]) for column in texts)]
    right = [row for row in given if row not in set(wrong)]
    doubts = tuple(
        Doubt(
            row, "shape_unreadable", f"{one} {texts[0][row]!r}, {other} {texts[1][row]!r} are no two numbers"
        )
        for row in wrong
    )
    shapes = np.full(len(texts[0]), None, dtype=object)
    words = "no points"
    if right:
        pairs = np.array([[float(column[row]) for column in texts] for row in right])
        axes, xy = _axes(source, pairs, right)
        shapes[right] = shapely.points(xy)
        first, second = ("north", "east") if axes.north_first else ("east", "north")
        kind = (
            "degrees"
            if axes.degrees
            else f"metres with zone {axes.zone}"
            if axes.zone
            else "metres without a zone"
        )
        words = f"points: {first} in {one}, {second} in {other}, in {kind}, as their size shows"
    return _received(table, table.rows, shapes, doubts, None, words)


def _axes(
    source: Source, pairs: npt.NDArray[np.float64], rows: list[int]
) -> tuple[Axes, npt.NDArray[np.float64]]:
    numbers = np.array(rows, np.int64)
    points = Points(numbers + 1, np.zeros(len(rows), np.int64), [""] * len(rows), [""] * len(rows), pairs, [])
    try:
        axes = decided(points)
    except FormatError as error:
        raise InputRefusedError(
            f"{source.name}: record {error.row:,}: {error.what}. Ask the sender what the columns are."
        ) from error
    return axes, east_north(points, axes)


def _pair(source: Source, names: list[str], asked: str) -> tuple[str, str]:
    """Return the two columns that are asked for by their names, or the only ones that are called as coordinates are."""
    named = [part.strip() for part in asked.split(",")]
    if len(named) == 2 and all(name in names for name in named):  # noqa: PLR2004 - two coordinates
        return named[0], named[1]
    folded = {name.strip().casefold(): name for name in names}
    found = [(folded[one], folded[other]) for one, other in _PAIRS if one in folded and other in folded]
    if asked == GEOMETRY and len(found) == 1:
        return found[0]
    if asked == GEOMETRY and found:
        said = " or ".join(f"{one},{other}" for one, other in found)
        raise InputRefusedError(
            f"{source.name}: its points can be by {said}. Say which, FILE.csv:{','.join(found[0])}."
        )
    raise InputRefusedError(
        f"{source.name}: it has no columns {asked!r} to make points by. It has: {', '.join(names)}. Name two of them, FILE.csv:EAST,NORTH in either order."
    )


def _received(
    table: PlainTable,
    rows: pa.Table,
    shapes: npt.NDArray[np.object_],
    doubts: tuple[Doubt, ...],
    crs: str | None,
    words: str,
) -> Received:
    how = table.encoding or Encoding("utf-8", "")
    kept = rows if rows.column_names else row_numbers(0, rows.num_rows)
    wkb = pa.array(shapely.to_wkb(shapes), pa.binary())
    batch = Batch(0, kept, wkb, doubts=(*table.doubts, *doubts), aside=table.aside)
    said = replace(how, reason=f"{how.reason}; {words}")
    opened = Received(
        tuple(rows.column_names) or (ROW_NUMBER,),
        has_geometry=True,
        declared_crs=crs,
        encoding=said,
        layer=None,
        n_rows=len(shapes),
        batches=iter([batch]),
        doubts=list(table.whole),
    )
    return replace(opened, stated=table.stated)
