"""Write shapefiles and DBF tables with exact fields in GBK; a value that does not fit is refused, never cut.

Delivery form: text in GBK, `.cpg` saying so and the language byte 0x4D in the DBF header, so that readers that
trust either find the right code page. The header's date is given by the caller: same input, same bytes.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.dbf_table import CODE_PAGE, Cell, DbfField, table_bytes
from lowland_gis.files.gdal_path import GDAL_ERRORS, gdal_target

MAX_FILE_BYTES = 2**31 - 1
_SHP_HEADER = 100
POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


class CellRefusedError(ValueError):
    """One value cannot stand in one field; the message says why, `together` the same without the value."""

    def __init__(self, why: str, together: str | None = None) -> None:
        """Keep both sentences."""
        super().__init__(why)
        self.together = together or why


@dataclass(frozen=True)
class Misfit:
    """One fault of one row: `field` and `row` (with its key) are where, `why` is what, `together` what is true of other rows too."""

    field: str
    row: str
    why: str
    together: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.field} {self.row}: {self.why}"


def cell(value: Any, field: DbfField) -> Cell:
    """Return a value as the field will hold it, None where it is missing.

    Missing are None, NaN, NaT and empty text. Numbers are rounded half to even to the field's decimals.

    Raises:
        CellRefusedError: the value has another kind, does not fit, or is missing though required.

    >>> cell(12.345, DbfField("MJ", "N", 8, 1))
    12.3
    """
    if (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or value == ""
        or (_is_float(value) and math.isnan(value))
    ):
        if field.required:
            raise CellRefusedError("missing, though the field is required")
        return None
    if field.kind == "C":
        return _text(value, field)
    return _date(value) if field.kind == "D" else _number(value, field)


def text_fault(text: str) -> str | None:
    """Say why a text cannot stand in a GBK field, None where it can."""
    if text.isascii() and text.isprintable():
        return None
    control = next((letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Cs")), None)
    if control is not None:
        return f"holds the invisible character U+{ord(control):04X}: {text!r}"
    try:
        text.encode(CODE_PAGE)
    except UnicodeEncodeError as fault:
        letter = text[fault.start]
        return f"holds {letter!r} (U+{ord(letter):04X}), which GBK does not have: {text!r}"
    return None


def columns_for(
    records: Mapping[str, Sequence[Any]], fields: Sequence[DbfField], keys: Sequence[str]
) -> tuple[dict[str, list[Cell]], list[Misfit]]:
    """Return the columns as they will be written, and every fault."""
    columns: dict[str, list[Cell]] = {}
    faults: list[Misfit] = []
    for field in fields:
        values = records[field.name]
        cells = _all_fit(values, field)
        if cells is None:
            cells, misfits = _one_by_one(values, field, keys)
            faults += misfits
        columns[field.name] = cells
    return columns, faults


def _all_fit(values: Sequence[Any], field: DbfField) -> list[Cell] | None:
    """Return a column of plain values that all fit as `cell` returns each, else None; that many at once take a fifth of the time."""
    kinds = set(map(type, values))
    if field.kind == "C" and kinds <= {str, type(None)}:
        try:
            # Texts come again and again: names of towns, titles of kinds.
            known = {value: cell(value, field) for value in set(values)}
        except CellRefusedError:
            return None
        return [known[value] for value in values]
    if field.kind == "N" and field.decimals and kinds == {float}:
        numbers: list[Cell] = [round(value, field.decimals) for value in values if math.isfinite(value)]
        if len(numbers) == len(values):
            # Of numbers the least or the greatest is the longest; a zero may have a sign.
            ends = (min(numbers) or -0.0, max(numbers))  # type: ignore[type-var]
            if all(len(f"{end:.{field.decimals}f}") <= field.length for end in ends):
                return numbers
    return None


def _one_by_one(
    values: Sequence[Any], field: DbfField, keys: Sequence[str]
) -> tuple[list[Cell], list[Misfit]]:
    cells: list[Cell] = []
    faults: list[Misfit] = []
    for row, (value, key) in enumerate(zip(values, keys, strict=True)):
        try:
            cells.append(cell(value, field))
        except CellRefusedError as fault:
            faults.append(Misfit(field.name, f"row {row} ({key})", str(fault), fault.together))
    return cells, faults


def geometry_faults(geometries: Sequence[Any], keys: Sequence[str]) -> list[Misfit]:
    """Say which geometries are not valid, non-empty polygons with finite coordinates."""
    shapes = np.asarray(geometries, dtype=object)
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    polygonal = np.isin(shapely.get_type_id(shapes), POLYGONAL)
    valid = shapely.is_valid(shapes)
    good = ~missing & polygonal & valid
    faults = []
    for row in np.flatnonzero(~good):
        reason = (
            "no geometry" if missing[row] else "not a polygon" if not polygonal[row] else "invalid geometry"
        )
        detail = "" if missing[row] or not polygonal[row] else f" ({shapely.is_valid_reason(shapes[row])})"
        faults.append(Misfit("geometry", f"row {row} ({keys[int(row)]})", f"{reason}{detail}", reason))
    return faults


def write_shapefile(
    path: Path,
    fields: Sequence[DbfField],
    columns: Mapping[str, Sequence[Cell]],
    geometries: Sequence[Any],
    *,
    crs: str,
    dated: date,
    kind: str = "Polygon",
) -> tuple[Path, ...]:
    """Write a shapefile and return its files; the driver turns exterior rings of polygons clockwise, as the format wants.

    `kind` is Polygon, LineString, MultiPoint or Point; heights are left out.
    """
    shapes = shapely.force_2d(np.asarray(geometries, dtype=object))
    _refuse_large(path, _shp_bytes(shapes))
    _write_shapes(path, shapes, crs, kind)
    _confirm_size(path)
    return write_table(path, fields, columns, dated=dated)


def write_table(
    path: Path, fields: Sequence[DbfField], columns: Mapping[str, Sequence[Cell]], *, dated: date
) -> tuple[Path, ...]:
    """Write the table of a shapefile, or one that stands by itself, and return the files of that name."""
    _refuse_large(path, len(columns[fields[0].name]) * (1 + sum(field.length for field in fields)))
    with path.with_suffix(".dbf").open("wb") as stream:
        for piece in table_bytes(fields, columns, dated):
            stream.write(piece)
    path.with_suffix(".cpg").write_text(CODE_PAGE, encoding="ascii")
    return tuple(sorted(path.parent.glob(f"{path.stem}.*")))


def _is_float(value: object) -> bool:
    return isinstance(value, (float, np.floating))


def _text(value: Any, field: DbfField) -> str:
    if not isinstance(value, str):
        raise CellRefusedError(
            f"{value!r} is not text; a code given as a number has lost its leading zeros",
            "not text; a code given as a number has lost its leading zeros",
        )
    fault = text_fault(value)
    if fault:
        raise CellRefusedError(fault, fault.partition(": ")[0])
    size = len(value.encode(CODE_PAGE))
    if size > field.length:
        raise CellRefusedError(
            f"{size} bytes in GBK, the field holds {field.length}: {value!r}",
            f"more bytes in GBK than the {field.length} that the field holds",
        )
    return value


def _number(value: Any, field: DbfField) -> int | float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise CellRefusedError(f"{value!r} is not a number", "not a number")
    if not math.isfinite(value):
        raise CellRefusedError(f"{value!r} is not finite", "not finite")
    if not field.decimals and value != int(value):
        raise CellRefusedError(f"{value!r} is not a whole number", "not a whole number")
    number = round(float(value), field.decimals) if field.decimals else int(value)
    if len(f"{number:.{field.decimals}f}" if field.decimals else str(number)) > field.length:
        raise CellRefusedError(
            f"{value!r} needs more than the {field.length} places of the field",
            f"needs more than the {field.length} places of the field",
        )
    return number


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        if value.time() != time():
            raise CellRefusedError(
                f"{value!r} has a time of day, a DBF date has none",
                "a time of day, which a DBF date does not have",
            )
        return value.date()
    if not isinstance(value, date):
        raise CellRefusedError(f"{value!r} is not a date", "not a date")
    return value


def _shp_bytes(shapes: Any) -> int:
    rings = shapely.get_num_interior_rings(shapely.get_parts(shapes)) + 1
    return int(100 + 52 * len(shapes) + 4 * rings.sum() + 16 * shapely.get_num_coordinates(shapes).sum())


def _refuse_large(path: Path, size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise InputRefusedError(
            f"{path.name} would be {size / 1e9:.1f} GB, and a shapefile part ends at 2 GB, so readers would lose rows. "
            "Build the package town by town."
        )


def _write_shapes(path: Path, shapes: Any, crs: str, kind: str) -> None:
    """Write the geometries all at once; the table that the driver puts beside them makes way for the one with our fields."""
    rows = pa.table({"geometry": pa.array(shapely.to_wkb(shapes), pa.binary())})
    try:
        with gdal_target(path) as target:
            pyogrio.write_arrow(
                rows,
                target,
                driver="ESRI Shapefile",
                geometry_name="geometry",
                geometry_type=kind,
                crs=crs,
            )
    except GDAL_ERRORS as error:
        raise OSError(str(error)) from error
    for suffix in (".dbf", ".cpg"):
        path.with_suffix(suffix).unlink(missing_ok=True)


def _confirm_size(path: Path) -> None:
    """Compare the lengths of the parts with their headers: of a record that finds no room on the disk GDAL only writes a line to a log.

    Raises:
        OSError: a part is shorter than it says.
    """
    short = []
    for suffix in (".shp", ".shx"):
        start = _start(path.with_suffix(suffix), _SHP_HEADER)
        wanted = 2 * int.from_bytes(start[24:28], "big") if len(start) == _SHP_HEADER else _SHP_HEADER
        if path.with_suffix(suffix).stat().st_size < wanted:
            short.append(suffix)
    if short:
        raise OSError(f"{path.stem}{' and '.join(short)} came out shorter than it says; the disk may be full")


def _start(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)
