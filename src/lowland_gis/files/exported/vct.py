"""Write layers as version 3 of the exchange format of land surveys (VCT), the form of the third survey, in GBK."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from pyproj import CRS

from lowland_gis.analysis.geometry.extent import DATUMS
from lowland_gis.analysis.vct.edges import edges
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.exported.layer import NONE, Layer, Written, family, is_plain, plain

_ENCODING = "GBK"
# Edges of polygons that are no line of a layer of their own.
_EDGE_CLASS = 1099000000
_FIRST_CLASS = 9000000001
_CLASS_FIELD, _CLASS_DIGITS = "YSDM", 10
_PLACES_M, _PLACES_DEGREES = 4, 9
_KINDS = {"Point": "Point", "LineString": "Line", "Polygon": "Polygon"}
_PER_ROW = 8
_ROWS = 50_000
_COMMA = "，"
_SHORT, _SMALL = 32, 1000
_GAUSS = "Transverse Mercator"


@dataclass
class _Part:
    """A layer as it is written: class, kind, places of its rows with a shape, and their ids in the file."""

    layer: Layer
    code: int
    kind: str
    ids: npt.NDArray[np.int64]
    columns: dict[str, tuple[str, list[str]]] = field(default_factory=dict)


def write_vct(layers: Sequence[Layer], path: Path, dated: date) -> list[Written]:
    """Write the layers.

    Raises:
        InputRefusedError: they are in several systems, or in one that the head of the format cannot say; a layer holds several kinds of
            geometry, points or lines of several parts; or a value has no place in GBK.
    """
    systems = {layer.crs for layer in layers if layer.crs is not None}
    if len(systems) > 1:
        raise InputRefusedError(
            f"{path.name}: its layers are in several systems ({', '.join(sorted(systems))}); bring them into one: --crs."
        )
    system = CRS.from_user_input(systems.pop()) if systems else None
    written, parts, next_id, taken = [], [], 1, set[int]()
    for layer in layers:
        made = Written(_ENCODING)
        part = _part(layer, next_id, taken, made)
        next_id += layer.n_rows
        written.append(made)
        parts.append(part)
    with path.open("w", encoding=_ENCODING, newline="") as file:
        for row in _rows(parts, system, dated, next_id):
            file.write(row + "\r\n")
    return written


def _part(layer: Layer, first: int, taken: set[int], written: Written) -> _Part:
    kind = "NoneGeometry" if layer.geometries is None else _KINDS.get(family(layer, "VCT"), "Polygon")
    if (
        layer.geometries is not None
        and family(layer, "VCT") != NONE
        and kind != "Polygon"
        and (shapely.get_num_geometries(layer.geometries) > 1).any()
    ):
        raise InputRefusedError(
            f"{layer.name}: holds points or lines of several parts, which a VCT cannot. Convert it to a GeoPackage (.gpkg)."
        )
    part = _Part(layer, _class_of(layer, taken), kind, np.arange(first, first + layer.n_rows, dtype=np.int64))
    for name in layer.attributes.column_names:
        column = plain(layer.attributes.column(name))
        if not is_plain(column.type):
            written.left_out[name] = f"the form has no field for values of this kind ({column.type})"
            continue
        part.columns[name] = _spelt(name, column, layer.name, written)
        written.names[name] = name
    if not part.columns:
        raise InputRefusedError(
            f"{layer.name}: has no field, and a table of a VCT needs one. Write a .gpkg, .gdb or .parquet."
        )
    return part


def _class_of(layer: Layer, taken: set[int]) -> int:
    """Return the code of the class: what the layer says itself in YSDM, where all its rows say the same, else a free one."""
    found = set()
    if _CLASS_FIELD in layer.attributes.column_names:
        found = {str(each) for each in pc.unique(plain(layer.attributes.column(_CLASS_FIELD))).to_pylist()}
    said = next(iter(found)) if len(found) == 1 else ""
    code = int(said) if len(said) == _CLASS_DIGITS and said.isdecimal() else _FIRST_CLASS
    while code in taken:
        code = max(code, _FIRST_CLASS - 1) + 1
    taken.add(code)
    return code


def _spelt(name: str, column: pa.ChunkedArray, layer: str, written: Written) -> tuple[str, list[str]]:
    """Return the type of a field, and its values as they are written."""
    kind = column.type
    values = column.to_pylist()
    if pa.types.is_boolean(kind):
        return "Int1", ["" if value is None else str(int(value)) for value in values]
    if pa.types.is_integer(kind):
        return "Int8" if kind.bit_width > _SHORT else "Int4", [
            "" if value is None else str(value) for value in values
        ]
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        texts = [
            "" if value is None or not math.isfinite(value) else _number(float(value)) for value in values
        ]
        decimals = max((len(text.partition(".")[2]) for text in texts if "e" not in text), default=0)
        return f"Double,{max(map(len, texts), default=1) or 1},{decimals}", texts
    if pa.types.is_date(kind):
        return "Date", ["" if value is None else f"{value:%Y%m%d}" for value in values]
    if pa.types.is_timestamp(kind):
        written.notes.append(f"{name}: moments are texts, as a VCT has days only")
        values = column.cast(pa.string()).to_pylist()
    texts = ["" if value is None else _word(str(value)) for value in values]
    bad = [row for row, text in enumerate(texts) if not _in_gbk(text)]
    if bad:
        raise InputRefusedError(
            f"{layer}: {len(bad):,} values of {name} hold characters that GBK does not have, first in row {bad[0] + 1}: {texts[bad[0]]!r}."
            " Nothing was written; a .gpkg, .gdb or .parquet holds them."
        )
    return f"Char,{max((len(text.encode(_ENCODING)) for text in texts), default=1) or 1}", texts


def _number(value: float) -> str:
    spelt = repr(value)
    return spelt.removesuffix(".0") if "e" not in spelt else f"{value:.17f}".rstrip("0").rstrip(".")


def _word(text: str) -> str:
    """Return a text without what would end a value or a row."""
    return text.replace(",", _COMMA).replace("\r", " ").replace("\n", " ")


def _in_gbk(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode(_ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _rows(parts: list[_Part], system: CRS | None, dated: date, next_id: int) -> Iterator[str]:
    degrees = system is not None and system.is_geographic
    places = _PLACES_DEGREES if degrees else _PLACES_M
    yield from ("HeadBegin", *_head(parts, system, dated), "HeadEnd")
    yield "FeatureCodeBegin"
    for part in parts:
        if part.kind in _KINDS.values():
            yield f"{part.code},{part.layer.name},{part.kind},{part.layer.name}"
    yield "FeatureCodeEnd"
    yield "TableStructureBegin"
    for part in parts:
        alone = "" if part.kind in _KINDS.values() else ",NoneGeometry"
        yield f"{part.layer.name},{len(part.columns)}{alone}"
        yield from (f"{name},{kind}" for name, (kind, _) in part.columns.items())
        yield "0"
    yield "TableStructureEnd"
    yield "PointBegin"
    for part in parts:
        if part.kind == "Point":
            yield from _points(part, places)
    yield "PointEnd"
    polygons: list[str] = []
    yield "LineBegin"
    for part in parts:
        if part.kind == "Line":
            yield from _lines(part, places)
        elif part.kind == "Polygon":
            next_id = yield from _polygon_lines(part, places, next_id, polygons)
    yield "LineEnd"
    yield from ("PolygonBegin", *polygons, "PolygonEnd")
    yield from ("AnnotationBegin", "AnnotationEnd", "AttributeBegin")
    for part in parts:
        yield part.layer.name
        values = [texts for _, texts in part.columns.values()]
        yield from (
            ",".join((str(number), *row)) for number, *row in zip(part.ids.tolist(), *values, strict=True)
        )
        yield "TableEnd"
    yield "AttributeEnd"


def _head(parts: list[_Part], system: CRS | None, dated: date) -> Iterator[str]:
    yield from ("Datamark:LANDUSE-VCT", "Version:3.0")
    shapes = [shape for part in parts if part.layer.geometries is not None for shape in part.layer.geometries]
    bounds = shapely.total_bounds(np.array(shapes, dtype=object)) if shapes else np.full(4, np.nan)
    west, south, east, north = np.nan_to_num(bounds).tolist()
    yield from _system(system)
    yield from (
        f"ExtentMin:{west:.4f},{south:.4f}",
        f"ExtentMax:{east:.4f},{north:.4f}",
        "MapScale:2000",
        "Offset:0,0",
    )
    yield from (f"Date:{dated:%Y%m%d}", "Separator:,")


def _system(system: CRS | None) -> Iterator[str]:
    """Yield what the head says of the system.

    Raises:
        InputRefusedError: it is none of the planes and systems of China.
    """
    if system is None:
        yield from ("CoordinateSystemType:P", "Dim:2", "XAxisDirection:E", "YAxisDirection:N", "XYUnit:M")
        return
    datum, zone = _known(system)
    ellipsoid = system.ellipsoid
    if datum is None or ellipsoid is None:
        raise InputRefusedError(
            f"a VCT says a Gauss-Krüger plane of China or degrees of one of its datums, and {system.name} is neither. Bring it into one,"
            " for example: --crs EPSG:4548"
        )
    yield f"CoordinateSystemType:{'P' if zone else 'D'}"
    yield from ("Dim:2", "XAxisDirection:E", "YAxisDirection:N", f"XYUnit:{'M' if zone else 'D'}")
    yield f"Spheroid:{datum},{ellipsoid.semi_major_metre:.3f},{ellipsoid.inverse_flattening:.9f}"
    yield "PrimeMeridian:Greenwich"
    if zone:
        yield "Projection:高斯-克吕格投影"
        yield "Parameters:" + ",".join(
            f"{number:g}" if number < _SMALL else f"{number:.0f}" for number in zone
        )


def _known(system: CRS) -> tuple[str | None, tuple[float, ...] | None]:
    """Return the datum, and of a plane its meridian, scale, false easting and northing, and width of zones."""
    code = system.to_epsg()
    for name, firsts in DATUMS.items():
        short = name.partition(" (")[0]
        for first, width, count in zip(firsts, (3, 3, 6, 6), (21, 21, 11, 11), strict=True):
            operation = system.coordinate_operation
            if (
                code is not None
                and first <= code < first + count
                and operation is not None
                and operation.method_name == _GAUSS
            ):
                numbers = {each.name: float(each.value) for each in operation.params}
                return short, (
                    numbers["Longitude of natural origin"], numbers["Scale factor at natural origin"], numbers["False easting"],
                    numbers["False northing"], width,
                )  # fmt: skip
    return {4490: "CGCS2000", 4610: "Xian 1980", 4214: "Beijing 1954"}.get(code or 0), None


def _points(part: _Part, places: int) -> Iterator[str]:
    for number, shape in zip(part.ids.tolist(), _shapes(part), strict=True):
        if shape is not None and not shape.is_empty:
            x, y = shapely.get_coordinates(shape)[0]
            yield from (str(number), str(part.code), "unknown", "1", f"{x:.{places}f},{y:.{places}f}", "0")


def _lines(part: _Part, places: int) -> Iterator[str]:
    for number, shape in zip(part.ids.tolist(), _shapes(part), strict=True):
        if shape is not None and not shape.is_empty:
            yield from _line(number, part.code, shapely.get_coordinates(shape), places)


def _shapes(part: _Part) -> list[Any]:
    shapes: list[Any] = list(part.layer.geometries) if part.layer.geometries is not None else []
    return shapes


def _line(number: int, code: int, coordinates: npt.NDArray[np.float64], places: int) -> Iterator[str]:
    yield from (str(number), str(code), "unknown", "1", "1", "11", str(len(coordinates)))
    pattern = f"%.{places}f,%.{places}f"
    yield from (pattern % (x, y) for x, y in coordinates.tolist())
    yield "0"


def _polygon_lines(part: _Part, places: int, next_id: int, polygons: list[str]) -> Generator[str, None, int]:
    """Yield the lines of the boundaries, note the polygons of them, and return the id after the last."""
    geometries = part.layer.geometries
    if geometries is None:
        return next_id
    rounded = shapely.transform(shapely.force_2d(geometries), lambda xy: np.round(xy, places))
    found = edges(rounded)
    for place in range(len(found.starts) - 1):
        yield from _line(
            next_id + place,
            _EDGE_CLASS,
            found.coordinates[found.starts[place] : found.starts[place + 1]],
            places,
        )
    inside = shapely.point_on_surface(rounded)
    for place, number in enumerate(part.ids.tolist()):
        references = found.references[found.of_starts[place] : found.of_starts[place + 1]]
        if len(references):
            signed = np.where(
                references == 0, 0, np.sign(references) * (np.abs(references) + next_id - 1)
            ).tolist()
            x, y = shapely.get_coordinates(inside[place])[0]
            polygons += [
                str(number),
                str(part.code),
                "unknown",
                "100",
                f"{x:.{places}f},{y:.{places}f}",
                "21",
                str(len(signed)),
            ]
            polygons += [
                ",".join(map(str, signed[start : start + _PER_ROW]))
                for start in range(0, len(signed), _PER_ROW)
            ]
            polygons.append("0")
    return next_id + len(found.starts) - 1
