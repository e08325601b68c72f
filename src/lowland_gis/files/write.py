"""Write shapefiles and DBF tables with exact fields in GBK; a value that does not fit is refused, never cut.

Delivery form: text in GBK, `.cpg` saying so and the language byte 0x4D in the DBF header, so that readers that
trust either find the right code page. The header's date is given by the caller: same input, same bytes.
"""

from __future__ import annotations

import math
import re
import struct
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Literal

import fiona
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely
from fiona._err import CPLE_BaseError

from lowland_gis.errors import InputRefusedError, listed
from lowland_gis.files.gdal_path import GDAL_ERRORS, gdal_target

CODE_PAGE = "GBK"
LANGUAGE_BYTE = 0x4D
MAX_TEXT_BYTES = 254
MAX_NUMBER_BYTES = 18
MAX_FIELDS = 255
MAX_FILE_BYTES = 2**31 - 1
FIELD_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,9}")
POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)

FieldKind = Literal["C", "N", "D"]
Cell = str | int | float | date | None


@dataclass(frozen=True)
class DbfField:
    """One DBF field: text (C, length in GBK bytes), number (N, length in digits and signs) or date (D)."""

    name: str
    kind: FieldKind
    length: int = 8
    decimals: int = 0
    required: bool = False

    def __post_init__(self) -> None:
        """Refuse a field that a DBF cannot hold."""
        longest = {"C": MAX_TEXT_BYTES, "N": MAX_NUMBER_BYTES, "D": 8}[self.kind]
        shortest = 8 if self.kind == "D" else 1
        if not FIELD_NAME.fullmatch(self.name):
            raise ValueError(f"field name {self.name!r} is not 1 to 10 of A-Z, 0-9 and _, a letter first")
        if not shortest <= self.length <= longest:
            raise ValueError(f"field {self.name}: length {self.length} is not {shortest} to {longest}")
        if self.decimals and (self.kind != "N" or not 0 < self.decimals <= self.length - 2):
            raise ValueError(
                f"field {self.name}: {self.decimals} decimals do not go with its type and length"
            )

    @property
    def driver_type(self) -> str:
        """Return the type in the words of the driver's schema."""
        if self.kind == "C":
            return f"str:{self.length}"
        if self.kind == "D":
            return "date"
        return f"float:{self.length}.{self.decimals}" if self.decimals else f"int64:{self.length}"


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
        cells: list[Cell] = []
        # Texts come again and again: names of towns, titles of kinds.
        known: dict[str, Cell] = {}
        for row, (value, key) in enumerate(zip(records[field.name], keys, strict=True)):
            try:
                if type(value) is not str:
                    cells.append(cell(value, field))
                    continue
                if value not in known:
                    known[value] = cell(value, field)
                cells.append(known[value])
            except CellRefusedError as fault:
                faults.append(Misfit(field.name, f"row {row} ({key})", str(fault), fault.together))
        columns[field.name] = cells
    return columns, faults


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


def write_polygons(
    path: Path,
    fields: Sequence[DbfField],
    columns: Mapping[str, Sequence[Cell]],
    geometries: Sequence[Any],
    *,
    crs: str,
    dated: date,
) -> tuple[Path, ...]:
    """Write a polygon shapefile and return its files; the driver turns exterior rings clockwise, as the format wants."""
    shapes = shapely.force_2d(np.asarray(geometries, dtype=object))
    _refuse_large(path, _shp_bytes(shapes))
    _write_shapes(path, shapes, crs)
    _write(path, fields, columns)
    return _finish(path, dated)


def write_table(
    path: Path, fields: Sequence[DbfField], columns: Mapping[str, Sequence[Cell]], *, dated: date
) -> tuple[Path, ...]:
    """Write a DBF table without geometry and return its files."""
    _write(path, fields, columns)
    return _finish(path, dated)


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


def _write_shapes(path: Path, shapes: Any, crs: str) -> None:
    """Write the geometries all at once; the table that the driver puts beside them makes way for the one with our fields."""
    rows = pa.table({"geometry": pa.array(shapely.to_wkb(shapes), pa.binary())})
    try:
        with gdal_target(path) as target:
            pyogrio.write_arrow(
                rows,
                target,
                driver="ESRI Shapefile",
                geometry_name="geometry",
                geometry_type="Polygon",
                crs=crs,
            )
    except GDAL_ERRORS as error:
        raise OSError(str(error)) from error
    for suffix in (".dbf", ".cpg"):
        path.with_suffix(suffix).unlink(missing_ok=True)


def _write(path: Path, fields: Sequence[DbfField], columns: Mapping[str, Sequence[Cell]]) -> None:
    """Write the table of a shapefile, or one that stands by itself."""
    names = [field.name for field in fields]
    rows = list(zip(*(columns[name] for name in names), strict=True))
    _refuse_large(path, len(rows) * (1 + sum(field.length for field in fields)))
    schema = {"geometry": "None", "properties": {field.name: field.driver_type for field in fields}}
    options = {"driver": "ESRI Shapefile", "schema": schema, "encoding": CODE_PAGE}
    try:
        with fiona.open(path.with_suffix(".dbf"), "w", **options) as sink:
            sink.writerecords(
                {"type": "Feature", "geometry": None, "properties": dict(zip(names, row, strict=True))}
                for row in rows
            )
    except CPLE_BaseError as error:
        raise OSError(str(error)) from error
    _confirm_size(path)
    _confirm(path, fields, len(rows))


def _confirm_size(path: Path) -> None:
    """Compare the lengths of the parts with their headers: of a record that finds no room on the disk GDAL only writes a line to a log.

    Raises:
        OSError: a part is shorter than it says.
    """
    head = _start(path.with_suffix(".dbf"), 12)
    records, header, width = struct.unpack("<IHH", head[4:12]) if len(head) == 12 else (1, 0, 0)  # noqa: PLR2004 - a whole header
    wanted = {".dbf": header + records * width}
    for suffix in (".shp", ".shx") if path.suffix == ".shp" else ():
        start = _start(path.with_suffix(suffix), 100)
        wanted[suffix] = 2 * int.from_bytes(start[24:28], "big") if len(start) == 100 else 100  # noqa: PLR2004 - the same
    short = [suffix for suffix, size in wanted.items() if path.with_suffix(suffix).stat().st_size < size]
    if short or not header:
        raise OSError(f"{path.stem}{' and '.join(short)} came out shorter than it says; the disk may be full")


def _start(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _confirm(path: Path, fields: Sequence[DbfField], n_rows: int) -> None:
    """Compare the header that was written with what was asked for: drivers shorten names without failing."""
    head = _start(path.with_suffix(".dbf"), 32 + 32 * len(fields))
    written = [
        (head[at : at + 11].rstrip(b"\0").decode("ascii"), chr(head[at + 11]), head[at + 16], head[at + 17])
        for at in range(32, len(head), 32)
    ]
    asked = [(field.name, field.kind, field.length, field.decimals) for field in fields]
    (count,) = struct.unpack("<I", head[4:8])
    if written != asked or count != n_rows:
        raise InputRefusedError(
            f"{path.name} came out with other fields or rows than asked for, so it is not delivered:\n"
            + listed([f"asked {a}, written {b}" for a, b in zip(asked, written, strict=False) if a != b])
            + f"\n{count} of {n_rows} rows. Build the package again; if it stays, check the definition's fields."
        )


def _finish(path: Path, dated: date) -> tuple[Path, ...]:
    table = path.with_suffix(".dbf")
    with table.open("r+b") as stream:
        stream.seek(1)
        stream.write(bytes((dated.year - 1900, dated.month, dated.day)))
        stream.seek(29)
        stream.write(bytes((LANGUAGE_BYTE,)))
    path.with_suffix(".cpg").write_text(CODE_PAGE, encoding="ascii")
    return tuple(sorted(path.parent.glob(f"{path.stem}.*")))
