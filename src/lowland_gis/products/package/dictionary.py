"""Say what the tables of a package hold: sheets of the data dictionary, and of summaries and lists, from its layers."""

from __future__ import annotations

from collections.abc import Sequence

from lowland_gis.definitions.package import FieldDefinition, Sheet, SummarySheet
from lowland_gis.files.dbf_table import Cell
from lowland_gis.products.package.layers import PreparedLayer
from lowland_gis.products.tables.sheet_rows import Value
from lowland_gis.products.tables.workbook import AreaRow, Column, SheetContent, area_summary

TYPES = {"C": "文本", "N": "数值", "D": "日期"}
GEOMETRIES = {"polygon": "面", "none": "无（属性表）"}


def dictionary_sheets(layers: Sequence[PreparedLayer]) -> tuple[SheetContent, ...]:
    """Return the sheets of the data dictionary: layers, fields, codes."""
    return _layer_sheet(layers), _field_sheet(layers), _code_sheet(layers)


def sheet_content(sheet: Sheet, layer: PreparedLayer) -> SheetContent:
    """Return one defined sheet, taken from the written columns so that tables and layers agree."""
    if isinstance(sheet, SummarySheet):
        return area_summary(sheet.name, sheet.by_title, _area_rows(sheet, layer))
    fields = layer.definition.fields
    shown = [_shown(layer.columns[field.name], field) for field in fields]
    rows: tuple[tuple[Value, ...], ...] = tuple(zip(*shown, strict=True))
    return SheetContent(sheet.name, tuple(Column(field.heading, _format(field)) for field in fields), rows)


def _area_rows(sheet: SummarySheet, layer: PreparedLayer) -> list[AreaRow]:
    places = zip(*(layer.columns[name] for name in (sheet.town_code, sheet.town_name, sheet.by)), strict=True)
    field = layer.definition.field(sheet.area)
    areas = [field.in_m2(float(str(area or 0))) for area in layer.columns[sheet.area]]
    return [
        AreaRow(str(code or ""), str(town or "（未知镇街）"), str(kind or "（未分类）"), area)
        for (code, town, kind), area in zip(places, areas, strict=True)
    ]


def _shown(values: Sequence[Cell], field: FieldDefinition) -> Sequence[Value]:
    """Show codes by their titles when no field beside them does; here every code keeps its written form."""
    titles = {entry.code: f"{entry.code} {entry.title}" for entry in field.codes}
    if not titles:
        return values
    return [titles.get(value, value) if isinstance(value, str) else value for value in values]


def _format(field: FieldDefinition) -> str:
    if field.type != "N":
        return "General"
    return "0." + "0" * field.decimals if field.decimals else "0"


def _layer_sheet(layers: Sequence[PreparedLayer]) -> SheetContent:
    columns = tuple(
        Column(heading) for heading in ("图层", "名称", "几何类型", "坐标系", "关键字段", "记录数（条）")
    )
    rows = tuple(
        (
            layer.definition.name,
            layer.definition.title,
            GEOMETRIES[layer.definition.geometry],
            layer.crs,
            layer.definition.key_field.name,
            layer.n_rows,
        )
        for layer in layers
    )
    return SheetContent("图层", columns, rows)


def _field_sheet(layers: Sequence[PreparedLayer]) -> SheetContent:
    headings = ("图层", "序号", "字段名", "名称", "类型", "长度（字节）", "小数位", "单位", "必填", "说明")
    rows = tuple(
        (
            layer.definition.name,
            number,
            field.name,
            field.title,
            f"{field.type} {TYPES[field.type]}",
            field.length,
            field.decimals,
            field.unit,
            "是" if field.required else "否",
            _meaning(field),
        )
        for layer in layers
        for number, field in enumerate(layer.definition.fields, start=1)
    )
    return SheetContent("字段", tuple(Column(heading) for heading in headings), rows)


def _meaning(field: FieldDefinition) -> str:
    """Return what a field means, and what it is called in a DBF where that is another name."""
    short = [] if field.short is None else [f"在 DBF 中为 {field.short}"]
    return "；".join([*([field.meaning] if field.meaning else []), *short])


def _code_sheet(layers: Sequence[PreparedLayer]) -> SheetContent:
    rows = tuple(
        (layer.definition.name, field.name, code.code, code.title)
        for layer in layers
        for field in layer.definition.fields
        for code in field.codes
    )
    return SheetContent(
        "代码", tuple(Column(heading) for heading in ("图层", "字段名", "代码", "含义")), rows
    )
