"""Turn the field tables of a bureau into a package definition, as TOML that people go on with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lowland_gis.analysis.fields.field_tables import Doubt, FieldTables, TableField, TableLayer
from lowland_gis.analysis.rules.faults import fault_lines
from lowland_gis.definitions.package import (
    ADAPTER,
    FieldDefinition,
    LayerDefinition,
    PackageDefinition,
)
from lowland_gis.definitions.package_faults import package_faults
from lowland_gis.quantities import same_dimension, unit_named
from lowland_gis.schema.frames import FRAMES

SHORT, LONG = 10, 30
FOLDER = "1空间数据库"
_KEYS = re.compile(r"BSM|.*(BSM|BH|DM|BM|ID)$")
_NO_SHAPE = re.compile(r"统计表|清单|台账|汇总表|非空间|无图形|企业表|情况表")
_UNIT_IN_TITLE = re.compile(r"[(（](.+?)[)）]$")


@dataclass(frozen=True)
class Adopted:
    """A definition that was made of field tables, its TOML, and the rows that people should look at."""

    definition: PackageDefinition
    text: str
    doubts: tuple[Doubt, ...]


@dataclass
class _Names:
    """Names that are given out once each, of so many letters."""

    longest: int
    taken: set[str] = field(default_factory=set)

    def give(self, wanted: str) -> str:
        """Return a free name: capital letters, digits and _, cut where it is too long, with a number where it is taken."""
        plain = re.sub(r"[^A-Z0-9_]", "_", wanted.upper())
        plain = plain if plain[:1].isalpha() else f"F{plain}"
        name, number = plain[: self.longest], 2
        while name in self.taken:
            tail = f"_{number}"
            name, number = plain[: self.longest - len(tail)] + tail, number + 1
        self.taken.add(name)
        return name


def adopted(
    tables: FieldTables,
    *,
    name: str,
    source: str,
    crs_epsg: int | None,
    forms: Sequence[str],
    like: PackageDefinition | None,
) -> Adopted:
    """Return the definition that field tables describe; what `like` has under the same names or titles is filled in the same way.

    Raises:
        ValueError: the tables describe no layer, or nothing that a definition can be.
    """
    if not tables.layers:
        raise ValueError(
            "no sheet has a table of fields: a row of headings such as 字段名称, 字段代码, 字段类型, 字段长度"
        )
    doubts = list(tables.doubts)
    names = _Names(SHORT)
    layers = [_layer(layer, names, like, doubts) for layer in tables.layers]
    content: dict[str, Any] = {
        "name": name,
        "title": name,
        "version": "1",
        "example": False,
        "source": source,
        "root": f"{{district_name}}({{district_code}}){name}{{year}}",
        "dictionary": f"{FOLDER}/{{district_name}}({{district_code}})数据字典.xlsx",
        **({} if crs_epsg is None else {"crs_epsg": crs_epsg}),
        "forms": list(forms),
        "database": f"{FOLDER}/{{district_name}}({{district_code}})",
        "layers": layers,
        "workbooks": [_workbook(layer) for layer in layers],
    }
    definition = ADAPTER.validate_python(content)
    faults = fault_lines(list(package_faults(content)))
    if faults:
        raise ValueError("; ".join(faults))
    sheets = list(dict.fromkeys(layer.sheet for layer in tables.layers))
    doubts.sort(
        key=lambda doubt: (sheets.index(doubt.sheet) if doubt.sheet in sheets else len(sheets), doubt.row)
    )
    return Adopted(definition, _toml(content, doubts, source), tuple(doubts))


def emptied(definition: PackageDefinition) -> PackageDefinition:
    """Return a definition of which every layer is delivered without rows, whatever it is mapped to."""
    layers = []
    for layer in definition.layers:
        fields = tuple(
            each.model_copy(update={"column": None, "text": None, "empty": True}) for each in layer.fields
        )
        layers.append(layer.model_copy(update={"frame": None, "key": layer.key_field.name, "fields": fields}))
    return definition.model_copy(update={"layers": tuple(layers)})


def _layer(
    table: TableLayer, names: _Names, like: PackageDefinition | None, doubts: list[Doubt]
) -> dict[str, Any]:
    name = names.give(table.code)
    if name != table.code:
        doubts.append(
            Doubt(
                table.sheet,
                table.row,
                f"the layer {table.code} is called {name}: a name has up to {SHORT} of A-Z, 0-9 and _",
            )
        )
    model = _like(table, like)
    given = _Names(LONG), _Names(SHORT)
    fields = [_field(each, table, given, model, doubts) for each in table.fields]
    shape = "none" if _NO_SHAPE.search(f"{table.title} {table.sheet}") else "polygon"
    if model is not None:
        shape = model.geometry
    else:
        doubts.append(
            Doubt(
                table.sheet,
                table.row,
                f"{name}: whether it has outlines is not said; geometry = {shape!r} is taken",
            )
        )
    key = _key(table, fields, model, doubts)
    frame = None if model is None else model.frame
    if frame is not None and key not in {each.get("column") for each in fields}:
        # Without its key nothing of the frame can be told apart.
        problem = f"{name}: no field holds {key}, so nothing of {frame} is filled in"
        doubts.append(Doubt(table.sheet, table.row, problem))
        frame = None
    for said, each in zip(table.fields, fields, strict=True):
        if frame is not None and each.get("empty") and each.get("required"):
            problem = f"{name}.{each['name']} must be filled, and nothing of ours fills it: give it column or text, or a package cannot be built"
            doubts.append(Doubt(table.sheet, said.row, problem))
    if frame is None:
        fields = [
            {k: v for k, v in each.items() if k != "column"} | ({"empty": True} if "column" in each else {})
            for each in fields
        ]
        key = key if key in {each["name"] for each in fields} else fields[0]["name"]
    return {
        "name": name,
        "title": table.title,
        **({} if frame is None else {"frame": frame}),
        "geometry": shape,
        "folder": FOLDER,
        "key": key,
        "fields": fields,
    }


def _like(table: TableLayer, like: PackageDefinition | None) -> LayerDefinition | None:
    for layer in () if like is None else like.layers:
        if table.code.upper() == layer.name or table.title == layer.title:
            return layer
    return None


def _key(
    table: TableLayer, fields: Sequence[Mapping[str, Any]], model: LayerDefinition | None, doubts: list[Doubt]
) -> str:
    if model is not None and model.frame is not None:
        return model.key
    names = [str(each["name"]) for each in fields]
    needed = [str(each["name"]) for each in fields if each.get("required")]
    candidates = (
        ["BSM"] if "BSM" in names else [each for each in needed if _KEYS.fullmatch(each)] or needed or names
    )
    doubts.append(
        Doubt(
            table.sheet,
            table.row,
            f"{table.code}: no table says which field tells rows apart; key = {candidates[0]!r} is taken",
        )
    )
    return candidates[0]


def _field(
    table: TableField,
    layer: TableLayer,
    names: tuple[_Names, _Names],
    model: LayerDefinition | None,
    doubts: list[Doubt],
) -> dict[str, Any]:
    name = names[0].give(table.code)
    short = names[1].give(name)
    if name != table.code:
        doubts.append(Doubt(layer.sheet, table.row, f"{table.code} is called {name}"))
    if short != name:
        doubts.append(
            Doubt(
                layer.sheet, table.row, f"{name} has more than {SHORT} letters; in a DBF it is called {short}"
            )
        )
    known = (
        None
        if model is None
        else next((each for each in model.fields if each.name == name or each.title == table.title), None)
    )
    codes, doubtful = _codes(table, known)
    if doubtful is not None:
        doubts.append(Doubt(layer.sheet, table.row, f"{name}: {doubtful}"))
    made: dict[str, Any] = {
        "name": name,
        **({} if short == name else {"short": short}),
        "type": table.type.kind,
    }
    if table.type.kind != "D":
        made["length"] = table.type.length
    if table.type.decimals:
        made["decimals"] = table.type.decimals
    made["title"] = table.title
    unit = _unit(table, known, model)
    if unit:
        made["unit"] = unit
    made |= {"meaning": table.note} if table.note else {}
    made |= _filled(table, known, model, unit)
    made |= {"required": True} if table.required else {}
    made |= {"of_shape": True} if known is not None and known.of_shape and "column" in made else {}
    made |= {"codes": codes} if codes else {}
    return made


def _codes(table: TableField, known: FieldDefinition | None) -> tuple[list[dict[str, str]], str | None]:
    """Return the code list of a field, with our values where the field like it says them; and what is wrong with it."""
    if not table.codes or table.type.kind != "C":
        return [], "codes of a number are not checked; they stand in no list" if table.codes else None
    longest = max(len(code.encode("gbk", "replace")) for code, _ in table.codes)
    if longest > table.type.length:
        return (
            [],
            f"its codes have up to {longest} letters, and the field {table.type.length}; the list is left out",
        )
    if len(dict(table.codes)) < len(table.codes):
        return [], "a code stands twice in its list; the list is left out"
    ours = (
        {}
        if known is None
        else {code.title: code.value for code in known.codes}
        | {code.code: code.value for code in known.codes}
    )
    return [
        {"value": ours.get(title, ours.get(code, code)), "code": code, "title": title}
        for code, title in table.codes
    ], None


def _unit(table: TableField, known: FieldDefinition | None, model: LayerDefinition | None) -> str:
    """Return the unit of a number: as it is stated, else as the title says, else as the field like it has it."""
    in_title = _UNIT_IN_TITLE.search(table.title)
    said = [
        table.unit,
        "" if in_title is None else in_title[1],
        *(word for word in ("平方米", "公顷", "亩") if word in table.note),
    ]
    unit = next((word for word in said if unit_named(word) is not None), "")
    if not unit and known is not None and model is not None and table.type.kind == "N":
        return known.unit
    return unit if table.type.kind == "N" else ""


def _filled(
    table: TableField, known: FieldDefinition | None, model: LayerDefinition | None, unit: str
) -> dict[str, Any]:
    """Return what a field is filled from: as the field like it, where that is of the same type and its unit can be the column's."""
    if known is None or model is None or known.type != table.type.kind:
        return {"empty": True}
    if known.text is not None:
        return {"text": known.text}
    if known.column is None or model.frame is None:
        return {"empty": True}
    column_unit = FRAMES[model.frame].unit(known.column)
    mine = unit_named(unit)
    if (
        column_unit is not None
        and table.type.kind == "N"
        and column_unit != "share"
        and (mine is None or not same_dimension(mine, column_unit))
    ):
        return {"empty": True}
    return {"column": known.column}


def _workbook(layer: Mapping[str, Any]) -> dict[str, Any]:
    title = str(layer["title"])
    safe = re.sub(r"[\[\]:*?/\\'<>\"|]", "", title)[:25] or str(layer["name"])
    return {
        "path": f"2表格/{{district_name}}({{district_code}}){safe}.xlsx",
        "title": f"{{district_name}}{title}（{{year}}年）",
        "sheets": [{"form": "list", "name": safe, "layer": layer["name"]}],
    }


def _toml(content: Mapping[str, Any], doubts: Sequence[Doubt], source: str) -> str:
    """Return a definition as TOML, with the doubts above it."""
    lines = [
        f"# Made by `lowland package adopt` from {source}. Look at each of these rows, then take its line away:"
    ]
    lines += [f"#   {_printable(str(each))}" for each in doubts]
    lines += [
        f"{key} = {_value(value)}" for key, value in content.items() if key not in ("layers", "workbooks")
    ]
    for layer in content["layers"]:
        lines += ["", "[[layers]]", *_pairs(layer, "fields")]
        for each in layer["fields"]:
            lines += ["", "[[layers.fields]]", *_pairs(each, "codes")]
            if "codes" in each:
                lines += ["codes = [", *(f"  {_value(code)}," for code in each["codes"]), "]"]
    for workbook in content["workbooks"]:
        lines += ["", "[[workbooks]]", *_pairs(workbook, "sheets")]
        for sheet in workbook["sheets"]:
            lines += ["", "[[workbooks.sheets]]", *_pairs(sheet)]
    return "\n".join(lines) + "\n"


def _printable(text: str) -> str:
    """Return a text on one line, as a comment can hold it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _pairs(table: Mapping[str, Any], *besides: str) -> Iterator[str]:
    return (f"{key} = {_value(value)}" for key, value in table.items() if key not in besides)


def _value(value: Any) -> str:
    """Return a value as TOML spells it; texts as JSON does, whose escapes are TOML's too."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
