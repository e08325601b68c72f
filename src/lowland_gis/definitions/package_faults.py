"""What is wrong with a package definition beside its form: names, frames, columns, units, sheets and paths that do not fit."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from lowland_gis.analysis.rules.faults import Fault, doubles
from lowland_gis.files.coordinate_text.templates import templates
from lowland_gis.quantities import UNITS, same_dimension, unit_named
from lowland_gis.schema.frames import FRAMES, Frame

Table = Mapping[str, Any]
PLACEHOLDERS = ("district_code", "district_name", "year")
SAFE_PART = re.compile(r"[^<>:\"/\\|?*\x00-\x1f]*[^<>:\"/\\|?*\x00-\x1f. ]")
DBF_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,9}")
LONG_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,29}")
LONGEST = {"C": 254, "N": 18, "D": 8}
LONGEST_SHEET_NAME = 31
AREA = "m²"
_LONG = "a name is 1 to 30 of A-Z, 0-9 and _, a letter first"
_NAME = "a DBF name is 1 to 10 of A-Z, 0-9 and _, a letter first"


def package_faults(content: Table) -> Iterator[Fault]:
    """Yield what is wrong with a definition as it was parsed; what its form lacks is looked at elsewhere and passed over here."""
    for key in ("root", "dictionary"):
        yield from path_faults(content.get(key), "", key)
    yield from _form_faults(content)
    layers = _tables(content, "layers")
    for name in doubles(layer.get("name") for layer in layers):
        yield Fault(
            "[[layers]]",
            "name",
            name,
            "two layers have this name, and one file would take the place of the other",
        )
    for number, layer in enumerate(layers, start=1):
        yield from _layer_faults(layer, _place("layers", number, layer))
    for number, workbook in enumerate(_tables(content, "workbooks"), start=1):
        yield from _workbook_faults(workbook, _place("workbooks", number, workbook, "path"), layers)
    texts = _tables(content, "texts")
    for twice in doubles(text.get("path") for text in texts):
        yield Fault(
            "[[texts]]", "path", twice, "two texts have this path, and one would take the place of the other"
        )
    for number, text in enumerate(texts, start=1):
        yield from _text_faults(text, _place("texts", number, text, "path"), layers)


def _text_faults(text: Table, where: str, layers: list[Table]) -> Iterator[Fault]:
    path = text.get("path")
    yield from path_faults(path, where, "path")
    if isinstance(path, str) and not path.lower().endswith(".txt"):
        yield Fault(where, "path", path, "the name of a coordinate text ends in .txt")
    form = text.get("template", "standard")
    if isinstance(form, str) and form not in templates():
        yield Fault(where, "template", form, "there is no such form of coordinate text", tuple(templates()))
    named = text.get("layer")
    known = tuple(str(layer.get("name")) for layer in layers)
    layer = next((layer for layer in layers if layer.get("name") == named), None)
    if layer is None:
        yield Fault(where, "layer", named, f"there is no layer {named} in this definition", known)
        return
    if layer.get("geometry") != "polygon":
        yield Fault(where, "layer", named, "it has no outlines, and a coordinate text is made of them")
    fields = tuple(str(field.get("name")) for field in _tables(layer, "fields"))
    for key in ("number", "name", "use"):
        field = text.get(key)
        if isinstance(field, str) and field not in fields:
            yield Fault(where, key, field, f"{named} has no field {field}", fields)


def _form_faults(content: Table) -> Iterator[Fault]:
    forms, database = content.get("forms"), content.get("database")
    if isinstance(forms, list):
        for twice in doubles(form for form in forms if isinstance(form, str)):
            yield Fault("", "forms", twice, "this form stands twice")
        if database is None and {"filegdb", "geopackage"} & {form for form in forms if isinstance(form, str)}:
            problem = "it is missing, and a FileGDB and a GeoPackage lie there; give a path without an ending"
            yield Fault("", "database", None, problem)
    yield from path_faults(database, "", "database")


def _tables(content: Table, key: str) -> list[Table]:
    found = content.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _place(key: str, number: int, table: Table, name: str = "name") -> str:
    named = table.get(name)
    return f"[[{key}]] {number}" + (f" ({named})" if isinstance(named, str) and named else "")


def _text(table: Table, key: str) -> str | None:
    found = table.get(key)
    return found if isinstance(found, str) else None


def _layer_faults(layer: Table, where: str) -> Iterator[Fault]:
    name, fields = _text(layer, "name"), _tables(layer, "fields")
    if name is not None and not DBF_NAME.fullmatch(name):
        yield Fault(where, "name", name, _NAME)
    for twice in doubles(field.get("name") for field in fields):
        yield Fault(where, "fields", twice, "two fields stand twice under this name")
    names = {field.get("name") for field in fields if "short" not in field}
    for twice in doubles([*names, *(short for field in fields if (short := field.get("short")) is not None)]):
        yield Fault(where, "fields", twice, "two fields have this name in a DBF")
    yield from path_faults(layer.get("folder"), where, "folder")
    for number, field in enumerate(fields, start=1):
        yield from _field_faults(field, f"{where}, {_place('fields', number, field)}")
    frame = _text(layer, "frame")
    if frame is None:
        yield from _frameless_faults(layer, where, fields)
        return
    if frame not in FRAMES:
        yield Fault(where, "frame", frame, "there is no such frame", tuple(FRAMES))
        return
    yield from _frame_faults(layer, FRAMES[frame], where, fields)


def _frameless_faults(layer: Table, where: str, fields: list[Table]) -> Iterator[Fault]:
    """Yield what a layer without a frame cannot have: columns, and a key that is no field."""
    if "frame" in layer:
        return
    names = tuple(str(field.get("name")) for field in fields)
    key = _text(layer, "key")
    if key is not None and key not in names:
        yield Fault(where, "key", key, "the layer has no frame, so its key is the name of a field", names)
    for number, field in enumerate(fields, start=1):
        if "column" in field:
            here = f"{where}, {_place('fields', number, field)}"
            problem = "the layer has no frame that it could be a column of; give the layer a frame, or the field empty = true"
            yield Fault(here, "column", field["column"], problem)


def _frame_faults(layer: Table, frame: Frame, where: str, fields: list[Table]) -> Iterator[Fault]:
    """Yield columns that the frame does not have, and units that do not fit the columns."""
    if layer.get("geometry") == "polygon" and not frame.geometry:
        yield Fault(
            where,
            "geometry",
            "polygon",
            f'the frame {frame.name} has no outlines; give geometry = "none"',
        )
    columns = tuple(column for field in fields if (column := _text(field, "column")) is not None)
    key = _text(layer, "key")
    if key is not None and key not in columns:
        problem = "it is the column of no field, so rows could not be told apart"
        yield Fault(where, "key", key, problem, columns)
    for number, field in enumerate(fields, start=1):
        here, column = f"{where}, {_place('fields', number, field)}", _text(field, "column")
        if column is None:
            continue
        if column not in frame.column_names:
            yield Fault(
                here, "column", column, f"the frame {frame.name} has no such column", frame.column_names
            )
            continue
        unit = frame.unit(column)
        if unit is not None and field.get("type") == "N":
            yield from _unit_faults(field, column, unit, here)


def _unit_faults(field: Table, column: str, column_unit: str, where: str) -> Iterator[Fault]:
    """Yield a unit that is not of the kind of the column's: the figures would mean something else."""
    given = _text(field, "unit") or ""
    unit = unit_named(given)
    if not given and column_unit == "share":
        return
    if unit is None or not same_dimension(unit, column_unit):
        fit = tuple(name for name in UNITS if same_dimension(name, column_unit))
        problem = f"its column {column} is in {column_unit}, so its figures would mean something else"
        yield Fault(where, "unit", given or None, problem if given else f"it is missing; {problem}", fit)


def _field_faults(field: Table, where: str) -> Iterator[Fault]:
    name, short, kind = _text(field, "name"), _text(field, "short"), field.get("type")
    if name is not None and not LONG_NAME.fullmatch(name):
        yield Fault(where, "name", name, _LONG)
    elif name is not None and "short" not in field and not DBF_NAME.fullmatch(name):
        problem = "it is missing: the name has more than ten letters, and a DBF cuts it where it likes"
        yield Fault(where, "short", None, problem)
    if short is not None and not DBF_NAME.fullmatch(short):
        yield Fault(where, "short", short, _NAME)
    length = field.get("length", 8)
    whole = isinstance(length, int) and not isinstance(length, bool)
    if kind in LONGEST and whole and not 1 <= length <= LONGEST[kind]:
        yield Fault(where, "length", length, f"a field of type {kind} has length 1 to {LONGEST[kind]}")
    decimals = field.get("decimals", 0)
    if isinstance(decimals, int) and decimals and whole and (kind != "N" or not 0 < decimals <= length - 2):
        yield Fault(where, "decimals", decimals, "decimals need type N and a length at least 2 above them")
    if ("column" in field) + ("text" in field) + (field.get("empty") is True) != 1:
        yield Fault(where, "column", None, "give either column or text, or empty = true")
    yield from _template_faults(field.get("text"), where, "text")
    if whole:
        yield from _code_faults(field, where, length)


def _code_faults(field: Table, where: str, length: int) -> Iterator[Fault]:
    codes = _tables(field, "codes")
    for twice in doubles(code.get("value") for code in codes):
        yield Fault(where, "codes", twice, "this value stands twice in the code list")
    for code in codes:
        text = _text(code, "code")
        if text is not None and (field.get("type") != "C" or len(text.encode("gbk", "replace")) > length):
            yield Fault(
                where, "codes", text, f"this code does not fit the field, which holds {length} bytes of text"
            )


def _workbook_faults(workbook: Table, where: str, layers: list[Table]) -> Iterator[Fault]:
    path = _text(workbook, "path")
    yield from path_faults(path, where, "path")
    if path is not None and not path.endswith(".xlsx"):
        yield Fault(where, "path", path, "the name of a workbook ends in .xlsx")
    for number, sheet in enumerate(_tables(workbook, "sheets"), start=1):
        yield from _sheet_faults(sheet, f"{where}, {_place('sheets', number, sheet)}", layers)


def _sheet_faults(sheet: Table, where: str, layers: list[Table]) -> Iterator[Fault]:
    name = _text(sheet, "name")
    if name is not None and (not 1 <= len(name) <= LONGEST_SHEET_NAME or re.search(r"[\[\]:*?/\\']", name)):
        yield Fault(where, "name", name, "a sheet name has 1 to 31 characters and none of []:*?/\\'")
    named = _text(sheet, "layer")
    if named is None:
        return
    layer = next((layer for layer in layers if layer.get("name") == named), None)
    if layer is None:
        known = tuple(str(layer.get("name")) for layer in layers)
        yield Fault(where, "layer", named, f"there is no layer {named} in this definition", known)
        return
    if sheet.get("form") == "summary":
        yield from _summary_faults(sheet, where, layer)


def _summary_faults(sheet: Table, where: str, layer: Table) -> Iterator[Fault]:
    fields = {field.get("name"): field for field in _tables(layer, "fields")}
    for key, kind in (("by", "C"), ("town_code", "C"), ("town_name", "C"), ("area", "N")):
        name = _text(sheet, key)
        if name is not None and (name not in fields or fields[name].get("type") != kind):
            known = tuple(str(one) for one, field in fields.items() if field.get("type") == kind)
            yield Fault(where, key, name, f"{layer.get('name')} has no field {name} of type {kind}", known)
    area = fields.get(_text(sheet, "area"))
    if area is not None and area.get("type") == "N" and not is_area(_text(area, "unit") or ""):
        problem = (
            f"{layer.get('name')}.{area.get('name')} has the unit {area.get('unit') or 'none'}, so its areas cannot be summed. "
            "Give the field unit = 'm²', '亩' or '公顷'"
        )
        yield Fault(where, "area", sheet.get("area"), problem)


def is_area(unit: str) -> bool:
    """Tell whether a unit is one of area."""
    known = unit_named(unit)
    return known is not None and same_dimension(known, AREA)


def _template_faults(template: Any, where: str, key: str) -> Iterator[Fault]:
    """Yield a template with anything but the known placeholders, bare."""
    if not isinstance(template, str):
        return
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as fault:
        yield Fault(where, key, template, str(fault))
        return
    for _, name, form, conversion in parts:
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            yield Fault(where, key, template, f"only {', '.join(PLACEHOLDERS)} may stand in braces")
            return


def path_faults(template: Any, where: str, key: str) -> Iterator[Fault]:
    """Yield a path template that leaves the package or that another system cannot store."""
    if not isinstance(template, str):
        return
    unsafe = (
        Fault(where, key, template, f"{part!r} is no file name that every system can store")
        for part in template.split("/")
        if part in (".", "..") or not SAFE_PART.fullmatch(part)
    )
    # What is in braces may be the reason that a part is no file name.
    yield from islice(chain(_template_faults(template, where, key), unsafe), 1)
