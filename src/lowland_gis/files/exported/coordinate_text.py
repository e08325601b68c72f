"""Write a layer as coordinate text (勘测定界 TXT) in one of the forms that receiving systems ask for, in GBK."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Geod

from lowland_gis.analysis.coordinate_text.parcel_lines import AREA, COUNT, KIND
from lowland_gis.analysis.geometry.extent import DATUMS
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.coordinate_text.templates import STANDARD, Template, template
from lowland_gis.files.exported.layer import NONE, Layer, Written, family, is_plain, plain
from lowland_gis.quantities import M2_PER_HA

_ENCODING, _END = "GBK", "\r\n"
_PLACES_M, _PLACES_DEGREES, _AREA_PLACES = 3, 9, 4
_KINDS = {"Polygon": "面", "LineString": "线", "Point": "点"}
_WORDS = dict(zip(DATUMS, ("2000国家大地坐标系", "80国家大地坐标系", "54北京坐标系"), strict=True))
_IN_DEGREES = dict(zip((4490, 4610, 4214), DATUMS, strict=True))
_N_ZONES_3, _FIRST_3, _N_ZONES_6, _FIRST_6 = 21, 25, 11, 13
_LEAST = 3
# What a value of the line may come from, where the layer has no column of its own name: what layers of this field call it.
_SYNONYMS = {
    "地块编号": ("DKBH", "ZDDM", "TBBH", "BSM"), "地块名称": ("DKMC", "ZDMC", "XMMC"), "图幅号": ("TFH",),
    "地块用途": ("DKYT", "YT", "TDYT", "PZYT"), "地类编码": ("DLBM",),
}  # fmt: skip
PROJECT = ("项目名称", "项目编号", "批次名称", "批准文号")
_SWAPPED = str.maketrans({",": "，", "@": "＠", "\r": " ", "\n": " ", "\t": " ", "\0": " "})


@dataclass(frozen=True)
class Plane:
    """A plane as a header says it: datum, width and number of its zone, and whether the number stands before the east; or degrees."""

    datum: str
    width: int = 0
    zone: int = 0
    before: bool = False


def plane_of(system: str) -> Plane | None:
    """Return what a header says of a system, None where it can say none."""
    number = CRS.from_user_input(system).to_epsg() or 0
    if number in _IN_DEGREES:
        return Plane(_IN_DEGREES[number])
    for datum, (numbered_3, plain_3, numbered_6, plain_6) in DATUMS.items():
        for first, before, count, width, zone in (
            (numbered_3, True, _N_ZONES_3, 3, _FIRST_3), (plain_3, False, _N_ZONES_3, 3, _FIRST_3),
            (numbered_6, True, _N_ZONES_6, 6, _FIRST_6), (plain_6, False, _N_ZONES_6, 6, _FIRST_6),
        ):  # fmt: skip
            if 0 <= number - first < count:
                return Plane(datum, width, number - first + zone, before)
    return None


def with_zone(system: str) -> str:
    """Return the same plane with the number of its zone before the east, as the rule for these texts wants it; others as they are."""
    found = plane_of(system)
    if found is None or not found.zone or found.before:
        return system
    first = DATUMS[found.datum][0 if found.width == 3 else 2]  # noqa: PLR2004 - zones of 3 or 6 degrees
    return f"EPSG:{first + found.zone - (_FIRST_3 if found.width == 3 else _FIRST_6)}"  # noqa: PLR2004


def write_txt(layers: Sequence[Layer], path: Path, dated: date, form: str = STANDARD) -> list[Written]:
    """Write the one layer.

    Raises:
        InputRefusedError: there are several layers, or one without shapes or in a system that a header cannot say; a row has no shape
            or one of fewer than three points; or a value has no place in GBK.
        UsageError: there is no such form.
    """
    chosen = template(form)
    if len(layers) != 1:
        names = ", ".join(layer.name for layer in layers)
        raise InputRefusedError(
            f"{path.name}: holds one layer, and these are {len(layers)}: {names}. Name one, FILE:LAYER."
        )
    layer = layers[0]
    if layer.geometries is None:
        raise InputRefusedError(
            f"{path.name}: {layer.name} has no shapes, and a coordinate text is made of them. Write a .dbf."
        )
    plane = None if layer.crs is None else plane_of(layer.crs)
    if plane is None:
        raise InputRefusedError(
            f"{path.name}: a header of a coordinate text says planes of CGCS2000, Xian 1980 and Beijing 1954 and their degrees, and {layer.name} is"
            f" in {layer.crs or 'none'}. Bring it there: --crs EPSG:4527, for example."
        )
    missing = np.flatnonzero(shapely.is_missing(layer.geometries) | shapely.is_empty(layer.geometries))
    if len(missing):
        raise InputRefusedError(
            f"{path.name}: {len(missing):,} rows have no shape, first row {missing[0] + 1}, and a coordinate text holds none such. Leave them out."
        )
    kind = family(layer, "coordinate text")
    written = Written(_ENCODING, by_name=True)
    values = _values(layer, chosen, plane, "Polygon" if kind == NONE else kind, written)
    rows = [*_head(layer, chosen, plane, dated, written), *_parcels(layer, chosen, plane, values, path.name)]
    _write(rows, path)
    return [written]


def _write(rows: list[str], path: Path) -> None:
    bad = next((row for row in rows if not _in_gbk(row)), None)
    if bad is not None:
        raise InputRefusedError(
            f"{path.name}: {bad[:60]!r} holds characters that GBK does not have, and the format is in it. Replace them."
        )
    path.write_bytes("".join(row + _END for row in rows).encode(_ENCODING))


def _in_gbk(text: str) -> bool:
    try:
        text.encode(_ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _head(layer: Layer, chosen: Template, plane: Plane, dated: date, written: Written) -> Iterator[str]:
    project = [
        (name, values.pop())
        for name in PROJECT
        if name in layer.attributes.column_names and len(values := _distinct(layer, name)) == 1
    ]
    if project and layer.n_rows:
        yield "[项目信息]"
        for name, value in project:
            written.names[name] = name
            written.left_out.pop(name, None)
            yield f"{name}={_spelt(value)}"
    said = {
        "day": f"{dated:%Y-%m-%d}", "datum": _WORDS[plane.datum], "width": str(plane.width or ""), "zone": str(plane.zone or ""),
        "unit": "米" if plane.zone else "度",
    }  # fmt: skip
    yield "[属性描述]"
    for row in chosen.header:
        yield row.format(**said)
    yield "[地块坐标]"


def _distinct(layer: Layer, name: str) -> set[Any]:
    return (
        set(plain(layer.attributes.column(name)).to_pylist()) - {None, ""}
        if None not in plain(layer.attributes.column(name)).to_pylist()
        else set()
    )


def _values(
    layer: Layer, chosen: Template, plane: Plane, kind: str, written: Written
) -> dict[str, list[str]]:
    """Return the texts of each value of the line by its name; what no value holds is left out, by name."""
    table, n_rows = layer.attributes, layer.n_rows
    found: dict[str, list[str]] = {"": [""] * n_rows}
    for name in chosen.line:
        if name in ("", COUNT):
            continue
        column = next(
            (
                each
                for each in (name, *_SYNONYMS.get(name, ()))
                if each in table.column_names and is_plain(table.column(each).type)
            ),
            None,
        )
        if column is not None:
            written.names[column] = name
            values = plain(table.column(column)).to_pylist()
            found[name] = [_hectares(value) if name == AREA else _spelt(value) for value in values]
        elif name == AREA:
            found[name] = [f"{area / M2_PER_HA:.{_AREA_PLACES}f}" for area in _areas(layer, plane)]
            written.notes.append(f"{AREA} is that of the shapes, in hectares")
        else:
            found[name] = [_KINDS[kind] if name == KIND else ""] * n_rows
    why = "the form has no place for it"
    written.left_out |= {name: why for name in table.column_names if name not in written.names}
    return found


def _areas(layer: Layer, plane: Plane) -> npt.NDArray[np.float64]:
    shapes = layer.geometries
    if plane.zone or shapes is None:
        return np.asarray(shapely.area(shapes))
    ellipsoid = Geod(ellps="GRS80")
    return np.array(
        [abs(ellipsoid.geometry_area_perimeter(shapely.orient_polygons(shape))[0]) for shape in shapes]
    )


def _hectares(value: float | str | None) -> str:
    """Return a number with four decimals, or with as many as it has."""
    if value is None:
        return ""
    try:
        number = float(value)
    except ValueError:
        return _spelt(value)
    spelt = f"{number:.{_AREA_PLACES}f}"
    return spelt if float(spelt) == number else np.format_float_positional(number)


def _spelt(value: Any) -> str:
    return "" if value is None else str(value).translate(_SWAPPED)


def _parcels(
    layer: Layer, chosen: Template, plane: Plane, values: dict[str, list[str]], where: str
) -> Iterator[str]:
    shapes = layer.geometries
    assert shapes is not None  # noqa: S101 - for the type checker
    places = _PLACES_M if plane.zone else _PLACES_DEGREES
    for row, shape in enumerate(shapes):
        lines = _rings(shape, places)
        short = next(
            (line for line in lines if len(line) < (_LEAST if shape.geom_type.endswith("Polygon") else 1)),
            None,
        )
        if short is not None:
            raise InputRefusedError(
                f"{where}: row {row + 1} has a ring of {len(short)} points once these are written to {10.0**-places:g}. Leave it out."
            )
        points = list(_points(lines, chosen, places, closed=shape.geom_type.endswith("Polygon")))
        count = len(points) - (chosen.counts == "less one")
        yield (
            ",".join(str(count) if name == COUNT else values[name][row] for name in chosen.line)
            + f",@{chosen.behind}"
        )
        yield from points


def _rings(shape: shapely.Geometry, places: int) -> list[npt.NDArray[np.float64]]:
    """Return rings without the vertex that closes them, outer ones clockwise from their north-western corner, or lines, or points as one."""
    parts = shapely.get_parts(shape)
    if shape.geom_type.endswith("Point"):
        return [np.round(shapely.get_coordinates(parts), places)]
    if not shape.geom_type.endswith("Polygon"):
        return [np.round(shapely.get_coordinates(part), places) for part in parts]
    found = []
    for part in shapely.orient_polygons(parts, exterior_cw=True):
        for ring in (part.exterior, *part.interiors):
            vertices = np.round(shapely.get_coordinates(ring), places)
            kept = vertices[:-1][(vertices[:-1] != vertices[1:]).any(axis=1)]
            found.append(np.roll(kept, -_corner(kept), axis=0) if len(kept) else kept)
    return found


def _corner(ring: npt.NDArray[np.float64]) -> int:
    """Return which vertex lies farthest to the north-west."""
    west, north = ring[:, 0] - ring[:, 0].min(), ring[:, 1].max() - ring[:, 1]
    return int(np.lexsort((ring[:, 0], west + north))[0])


def _points(
    lines: list[npt.NDArray[np.float64]], chosen: Template, places: int, *, closed: bool
) -> Iterator[str]:
    number = 1
    for ring, line in enumerate(lines, 1):
        first = number
        for east, north in line:
            yield chosen.point.format(
                label=f"J{number}", ring=ring, east=f"{east:.{places}f}", north=f"{north:.{places}f}"
            )
            number += 1
        if closed:
            east, north = line[0]
            yield chosen.point.format(
                label=f"J{first}", ring=ring, east=f"{east:.{places}f}", north=f"{north:.{places}f}"
            )
