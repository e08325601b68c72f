"""The same tables written another way: headings, orders of columns, types of cells, programs that saved them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd

from lowland_gis.analysis.fields import headings
from lowland_gis.definitions.layer import layer_definition
from variations.forms import as_delivered, gpkg, xlsx, xlsx_as_typed, xlsx_with_title
from variations.incoming import Delivered, rows_of
from workbooks import saved_as, write_xlsb

_TO_HALF = str.maketrans("（）／：，", "()/:,")


def half_width(item: Delivered) -> Delivered:
    """Write the brackets of headings in half width."""
    return _renamed(item, lambda name: name.translate(_TO_HALF))


def broken_headings(item: Delivered) -> Delivered:
    """Break the lines of headings before their unit, as narrow columns have it."""
    return _renamed(item, lambda name: name.replace("（", "\n（"))


def spaced_headings(item: Delivered) -> Delivered:
    """Put blanks round and into headings."""
    return _renamed(item, lambda name: f" {name[:2]}　{name[2:]} ")


def under_title(item: Delivered) -> Delivered:
    """Put a merged title row above the heading."""
    return replace(item, rows=rows_of(item), write=xlsx_with_title)


def by_libreoffice(item: Delivered) -> Delivered:
    """Have LibreOffice open the workbook and save it again."""
    return replace(item, rows=rows_of(item), write=_saved_as(".xlsx"))


def in_kind(suffix: str) -> Callable[[Delivered], Delivered]:
    """Return what has LibreOffice save the workbook in another kind: .xls, .ods, or .et, which is an .xls of WPS."""
    return lambda item: replace(item, rows=rows_of(item), write=_saved_as(suffix))


def as_xlsb(item: Delivered) -> Delivered:
    """Write the workbook as .xlsb."""
    return replace(item, rows=rows_of(item), write=_xlsb)


def numbers_as_text(item: Delivered) -> Delivered:
    """Write every number as a text, as tables that were pasted from a web page have it."""
    rows = rows_of(item)
    texts = rows.apply(lambda column: column.map(_text, na_action="ignore"))
    return replace(item, rows=texts, write=xlsx_as_typed)


def reordered(item: Delivered) -> Delivered:
    """Bring the columns into the opposite order; a shape stays where it is."""
    rows = rows_of(item)
    names = [name for name in rows.columns if name != "geometry"][::-1]
    kept = ["geometry"] if "geometry" in rows.columns else []
    return replace(item, rows=rows[[*names, *kept]], write=item.write or as_delivered)


def with_more_columns(item: Delivered) -> Delivered:
    """Add columns that no definition knows: a number, a text, a date, and one without any value."""
    rows = rows_of(item)
    extra = {"OBJ_ID": range(1, len(rows) + 1), "录入人": "张三", "SHAPE_LENG": 1.5, "备注二": None}
    if "geometry" in rows.columns:
        extra["更新日期"] = pd.Timestamp("2023-12-31")
    return replace(item, rows=rows.assign(**extra), write=item.write or as_delivered)


def only_required(item: Delivered) -> Delivered:
    """Leave out every column that the layer can do without; a layer that needs none keeps a number of its own."""
    rows = rows_of(item)
    fields = layer_definition(item.layer).field
    needed = {field.name for field in fields if field.required}
    taken = headings.found([name for name in rows.columns if name != "geometry"], fields)
    kept = [name for name, hit in taken.items() if hit.standard in needed]
    shape = ["geometry"] if "geometry" in rows.columns else []
    return replace(
        item,
        rows=rows[[*kept, *shape]].assign(**({} if kept else {"OBJ_ID": range(1, len(rows) + 1)})),
        write=gpkg if shape else xlsx,
    )


def codes_as_numbers(*columns: str) -> Callable[[Delivered], Delivered]:
    """Return what turns codes into whole numbers where every one of them is digits, so that leading zeros are lost."""

    def changed(item: Delivered) -> Delivered:
        rows = rows_of(item)
        for name in columns:
            numbers = pd.to_numeric(rows[name], errors="coerce").astype("Int64")
            assert numbers.notna().sum() > 0, f"{item.layer}: no code of {name} is a number"
            rows[name] = numbers
        return replace(item, rows=rows, write=item.write or as_delivered)

    return changed


def _renamed(item: Delivered, change: Callable[[str], str]) -> Delivered:
    rows = rows_of(item)
    names = {name: change(name) for name in rows.columns}
    return replace(item, rows=rows.rename(columns=names), write=xlsx_as_typed)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)


def _saved_as(suffix: str) -> Callable[[Path, Delivered], str]:
    def saved(folder: Path, item: Delivered) -> str:
        with tempfile.TemporaryDirectory() as place:
            first = Path(xlsx(Path(place) / "in", item))
            (path,) = saved_as(".xls" if suffix == ".et" else suffix, folder, first)
        return str(path.rename(path.with_suffix(suffix)))

    return saved


def _xlsb(folder: Path, item: Delivered) -> str:
    with tempfile.TemporaryDirectory() as place:
        first = Path(xlsx(Path(place) / "in", item))
        folder.mkdir(parents=True, exist_ok=True)
        return str(write_xlsb(openpyxl.load_workbook(first), folder / f"{first.stem}.xlsb"))
