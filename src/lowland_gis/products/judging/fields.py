"""Which column of a delivered layer is which field of the definition, and what is wrong with the columns themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lowland_gis.definitions.package import FILEGDB, GEOPACKAGE, SHAPEFILE, FieldDefinition, LayerDefinition
from lowland_gis.products.judging.delivered import Arrived, DbfFact
from lowland_gis.products.judging.findings import Finding

GBK, LANGUAGE_BYTE = "GBK", 0x4D
# What GIS software puts into a table by itself; forms of which some are a natural part.
_OF_SOFTWARE = re.compile(
    r"(?i)(objectid(_\d+)?|fid(_\d+)?|ogc_fid|id|orig_fid|target_fid|join_count|shape|shape_le?ng?t?h?(_\d+)?|shape_le_\d|shape_area(_\d+)?|shape_ar_\d|layer|path|smid|smuserid)"
)
_NATURAL = {
    FILEGDB: re.compile(r"(?i)objectid|shape_length|shape_area"),
    GEOPACKAGE: re.compile(r"(?i)fid|ogc_fid"),
}
_KINDS = {"C": "text", "N": "number", "D": "day"}
# A DBF holds so many letters of a name.
_DBF_LETTERS = 10
_TAIL = re.compile(r"_\d+$")


@dataclass(frozen=True)
class Matched:
    """Definition's field → column of the file, and the findings on the way."""

    columns: Mapping[str, str]
    findings: tuple[Finding, ...]


def matched(arrived: Arrived, layer: LayerDefinition) -> Matched:
    """Find the columns of the fields: by their names, else by what programs and people make of names."""
    form = arrived.held.form
    wanted = {field.name: field.dbf_name if form == SHAPEFILE else field.name for field in layer.fields}
    given = list(arrived.table.column_names)
    columns = {name: called for name, called in wanted.items() if called in given}
    findings = []
    for field in layer.fields:
        if field.name in columns:
            continue
        free = [name for name in given if name not in columns.values()]
        other = _other_name(field, wanted[field.name], free)
        if other is None:
            expected = f"{field.dbf_name} {_described(field)}"
            findings.append(
                _of_layer("field_missing", arrived, layer, field=wanted[field.name], expected=expected)
            )
        else:
            columns[field.name] = other
            findings.append(_of_layer("field_name", arrived, layer, field=wanted[field.name], value=other, expected=wanted[field.name]))  # fmt: skip
    findings += _extra(arrived, layer, [name for name in given if name not in columns.values()])
    order = [name for name in given if name in columns.values()]
    wanted_order = [columns[field.name] for field in layer.fields if field.name in columns]
    if order != wanted_order:
        findings.append(
            _of_layer("field_order", arrived, layer, value=", ".join(order), expected=", ".join(wanted_order))
        )
    for field in layer.fields:
        if field.name in columns:
            findings += _form_of(field, columns[field.name], arrived, layer)
    return Matched(columns, tuple(findings))


def text_findings(arrived: Arrived, layer: LayerDefinition) -> Iterator[Finding]:
    """Yield what is wrong with the encoding of a shapefile: what it declares, and what its bytes are."""
    if arrived.held.form != SHAPEFILE:
        return
    if arrived.cpg == "":
        yield _of_layer("cpg_missing", arrived, layer, expected=f".cpg: {GBK}")
    elif arrived.cpg is not None and arrived.cpg.upper() != GBK:
        yield _of_layer("cpg_other", arrived, layer, value=arrived.cpg, expected=GBK)
    if arrived.language_byte != LANGUAGE_BYTE:
        yield _of_layer(
            "language_byte", arrived, layer, value=f"0x{arrived.language_byte or 0:02X}", expected="0x4D"
        )
    found = arrived.encoding
    if found is not None and found.name != "gb18030" and "ASCII" not in found.reason:
        yield _of_layer("encoding", arrived, layer, value=found.name, expected=GBK)


def _of_layer(rule: str, arrived: Arrived, layer: LayerDefinition, **more: str) -> Finding:
    return Finding(rule, arrived.held.file, layer.name, **more)  # type: ignore[arg-type]


def _other_name(field: FieldDefinition, wanted: str, free: Sequence[str]) -> str | None:
    """Return the column that is the field under another name: in other letters, cut, with a number, or by its title."""
    names = {wanted, field.name, field.dbf_name}
    exact = {name.casefold() for name in names} | {name[:_DBF_LETTERS].casefold() for name in names}
    titles = {field.title, field.heading, *(_cut(title) for title in (field.title, field.heading))}
    for name in free:
        if name.casefold() in exact or _TAIL.sub("", name).casefold() in exact or name.strip() in titles:
            return name
        if (
            len(name) == _DBF_LETTERS
            and _TAIL.search(name)
            and field.name.casefold().startswith(_TAIL.sub("", name).casefold())
        ):
            return name
    return None


def _cut(title: str) -> str:
    return title.encode("gbk", "replace")[:_DBF_LETTERS].decode("gbk", "ignore")


def _extra(arrived: Arrived, layer: LayerDefinition, names: Sequence[str]) -> Iterator[Finding]:
    natural = _NATURAL.get(arrived.held.form)
    for name in names:
        if natural is not None and natural.fullmatch(name):
            continue
        rule = "field_of_software" if _OF_SOFTWARE.fullmatch(name) else "field_extra"
        yield _of_layer(rule, arrived, layer, field=name, value=name)


def _form_of(
    field: FieldDefinition, column: str, arrived: Arrived, layer: LayerDefinition
) -> Iterator[Finding]:
    fact = arrived.dbf.get(column)
    if fact is not None:
        yield from _dbf_form(field, fact, arrived, layer)
        return
    if arrived.n_rows == 0:
        # Types of a table without rows are not told by its values.
        return
    kind = kind_of(arrived.table.column(column).type)
    if kind is not None and kind != field.type and not (field.type == "D" and kind == "C"):
        called = arrived.table.column(column).type
        yield _of_layer(
            "field_type", arrived, layer, field=column, value=str(called), expected=_KINDS[field.type]
        )


def _dbf_form(
    field: FieldDefinition, fact: DbfFact, arrived: Arrived, layer: LayerDefinition
) -> Iterator[Finding]:
    kind = "N" if fact.kind == "F" else fact.kind
    found = f"{fact.kind} {fact.length}" + (f".{fact.decimals}" if fact.decimals else "")
    if kind != field.type:
        yield _of_layer(
            "field_type", arrived, layer, field=field.dbf_name, value=found, expected=_described(field)
        )
    elif (fact.length, fact.decimals) != (field.length, field.decimals) and kind != "D":
        yield _of_layer(
            "field_width", arrived, layer, field=field.dbf_name, value=found, expected=_described(field)
        )


def _described(field: FieldDefinition) -> str:
    return f"{field.type} {field.length}" + (f".{field.decimals}" if field.decimals else "")


def kind_of(kind: pa.DataType) -> str | None:
    """Return whether a column holds texts (C), numbers (N) or days (D); None where nothing says it."""
    if pa.types.is_null(kind):
        return None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "C"
    if pa.types.is_temporal(kind):
        return "D"
    return (
        "N"
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        else "other"
    )
