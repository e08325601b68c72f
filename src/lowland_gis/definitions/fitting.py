"""Whether definitions fit each other: what a layer, a measure, a check or a code set names exists, and has what is asked of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from lowland_gis.analysis.rules.faults import Fault, doubles
from lowland_gis.definitions.check import CheckDefinition
from lowland_gis.definitions.codes import DOMAINS, ListedCodes, code_rows, code_sets, code_tables
from lowland_gis.definitions.layer import FieldDefinition, LayerDefinition, layer_keys, sound_layers
from lowland_gis.definitions.measure import AnyMeasure, OverlapMeasure, RasterMeasure
from lowland_gis.errors import DefinitionError
from lowland_gis.quantities import UNITS, unit_named

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_KEY_RULE = "a name has small letters, digits and _, at most 40, and begins with a letter"
# Parcels and firms have tables of their own, and the program reads them by name: there is one layer of each.
_ONE_OF_EACH = {"parcel": "parcel", "enterprise": "enterprise"}


def layer_faults(definition: LayerDefinition, key: str) -> Iterator[Fault]:
    """Yield what does not fit in a layer that is to have a key: fields, code lists, other layers."""
    if definition.key != key:
        yield Fault(
            "", "key", definition.key, f"the file is called {key}.toml; the key is the name of the file"
        )
    if not _KEY.fullmatch(key):
        yield Fault("", "key", key, _KEY_RULE)
    if (definition.geometry == "raster") != (definition.stored == "raster"):
        problem = "a raster is stored as raster, and nothing else is"
        yield Fault("", "stored", definition.stored, problem)
    owner = _ONE_OF_EACH.get(definition.stored, key)
    if owner != key:
        yield Fault("", "stored", definition.stored, f"only the layer {owner} is stored so; write feature")
    yield from _naming_faults(definition)
    for name in ("strips", "checked_as"):
        value = getattr(definition, name)
        if value is not None and value not in layer_keys():
            yield Fault("", name, value, "there is no such layer", tuple(layer_keys()))
    yield from _field_faults(definition.field)


def _naming_faults(layer: LayerDefinition) -> Iterator[Fault]:
    """Yield what a layer says of its fields and they do not have."""
    named = tuple(field.name for field in layer.field)
    for name in ("identifier", "area_field", "code", "width", "valid_from", "valid_to"):
        value = getattr(layer, name)
        if value is not None and value not in named:
            yield Fault("", name, value, "the layer has no such field", named)
    if layer.drawn is not None and layer.drawn.way == "names" and layer.drawn.name not in named:
        yield Fault("", "drawn.name", layer.drawn.name, "the layer has no such field", named)
    if layer.unique and layer.identifier is None:
        yield Fault("", "unique", None, "the layer names no identifier that could be unique")
    if layer.tabulate == "code" and layer.code is None and layer.identifier is None:
        yield Fault("", "tabulate", "code", "the layer names no code to sum overlaps by")


def _field_faults(fields: Iterable[FieldDefinition]) -> Iterator[Fault]:
    fields = list(fields)
    words = [word.lower() for field in fields for word in {field.name, *field.synonyms}]
    for word in doubles(words):
        yield Fault("", "field", word, "this name or synonym stands twice, so a heading could mean either")
    for field in fields:
        where = f"field {field.name}"
        if field.codes is not None and field.codes not in code_tables():
            yield Fault(where, "codes", field.codes, "there is no such code list", tuple(code_tables()))
        if field.unit is not None and unit_named(field.unit) is None:
            yield Fault(where, "unit", field.unit, "it is no unit that we know", tuple(UNITS))


def kept_faults(definition: LayerDefinition, shipped: LayerDefinition) -> Iterator[Fault]:
    """Yield what the program reads of a shipped layer and a project's own definition of it no longer has."""
    for name in ("geometry", "stored", "identifier", "code", "tabulate", "width", "strips"):
        before, after = getattr(shipped, name), getattr(definition, name)
        if before != after:
            problem = f"the shipped layer has {before or 'none'}, and measures and checks rest on it; leave it so, or give the layer another key"
            yield Fault("", name, after, problem)
    types = {field.name: field.type for field in definition.field}
    for field in shipped.field:
        if field.name not in types:
            problem = "a field of the shipped layer is missing, which measures, checks and packages may read"
            yield Fault("field", field.name, None, problem)
        elif types[field.name] != field.type:
            problem = f"the shipped layer has {field.type} there, which measures and checks rest on"
            yield Fault(f"field {field.name}", "type", types[field.name], problem)


def measure_faults(name: str, measure: AnyMeasure) -> Iterator[Fault]:
    """Yield what a measure names and is not there, or is not of the kind that it needs."""
    where = f"[{name}]"
    if not _KEY.fullmatch(name):
        yield Fault("", name, None, _KEY_RULE)
    if measure.unit not in UNITS:
        yield Fault(where, "unit", measure.unit or None, "it is no unit that we know", tuple(UNITS))
    for key, (layer, field) in measure.named_fields.items():
        yield from _no_field(layer, field, where, key)
    if isinstance(measure, OverlapMeasure):
        yield from _overlap_faults(measure, where)
    if isinstance(measure, RasterMeasure):
        rasters = [key for key, found in sound_layers().items() if found.stored == "raster"]
        if measure.layer not in rasters:
            yield Fault(where, "layer", measure.layer, "there is no such raster", tuple(rasters))


def _overlap_faults(measure: OverlapMeasure, where: str) -> Iterator[Fault]:
    tabulated = [key for key, layer in sound_layers().items() if layer.tabulate != "no"]
    unsound = set(layer_keys()) - set(sound_layers())
    for key in measure.layers:
        if key not in tabulated and key not in unsound:
            problem = "its overlaps are not tabulated" if key in layer_keys() else "there is no such layer"
            yield Fault(where, "layers", key, problem, tuple(tabulated))
    known = ("all", *_sound_sets())
    if measure.codes not in known:
        yield Fault(where, "codes", measure.codes, "there is no such code set", known)
    if measure.classes is None:
        return
    if measure.classes not in code_tables():
        yield Fault(where, "classes", measure.classes, "there is no such code list", tuple(code_tables()))
        return
    listed = [row.get("code") or "" for row in code_rows(measure.classes)]
    for code in measure.traps:
        if code not in listed:
            yield Fault(where, f"traps.{code}", None, f"the list {measure.classes} has no such code")


def check_faults(name: str, check: CheckDefinition) -> Iterator[Fault]:
    """Yield what a check names and is not there."""
    where = f"[{name}]"
    if not _KEY.fullmatch(name):
        yield Fault("", name, None, _KEY_RULE)
    layers = sound_layers()
    for key in check.layer_keys:
        for field in sorted(check.used_fields(key)) if key in layers else ():
            yield from _no_field(key, field, where, f"fields.{key}" if key in check.fields else "when")
    if check.other is not None and check.other not in layer_keys():
        yield Fault(where, "other", check.other, "there is no such layer", tuple(layer_keys()))
    elif check.other is not None and check.other_field is not None:
        yield from _no_field(check.other, check.other_field, where, "other_field")
    known = tuple(dict.fromkeys(layer.family for layer in layers.values()))
    for family in check.families:
        if family not in known:
            yield Fault(where, "families", family, "no layer is of such a family", known)
    yield from _list_faults(check, where)
    for limit in check.limit:
        if limit.parameter not in check.parameter:
            problem = "the check has no such parameter"
            yield Fault(where, "limit", limit.parameter, problem, tuple(check.parameter))


def _list_faults(check: CheckDefinition, where: str) -> Iterator[Fault]:
    if check.law_classes is not None and check.law_classes not in code_tables():
        yield Fault(
            where, "law_classes", check.law_classes, "there is no such code list", tuple(code_tables())
        )
    if check.codes is None:
        return
    kind, _, listed = check.codes.rpartition(":")
    known = sorted({row["domain"] for row in code_rows(DOMAINS)}) if kind == "domain" else code_tables()
    if listed not in known:
        yield Fault(where, "codes", listed, "there is no such code list", tuple(known))


def set_faults(name: str, content: object) -> Iterator[Fault]:
    """Yield what a set of codes names and is not there."""
    if isinstance(content, ListedCodes) or not hasattr(content, "table"):
        return
    where, table, column = f"[{name}]", content.table, getattr(content, "column", "")
    if table not in code_tables():
        yield Fault(where, "table", table, "there is no such code list", tuple(code_tables()))
        return
    columns = tuple(next(iter(code_rows(table)), {}))
    if column not in columns:
        yield Fault(where, "column", column, f"the list {table} has no such column", columns)


def code_faults(
    rows: list[dict[str, str]], columns: Collection[str], needed: Collection[str]
) -> Iterator[Fault]:
    """Yield what is wrong with a code list: columns that are missing, codes without text, codes that stand twice.

    `columns` are those that it has, `needed` those that it must have: a shipped list keeps its own.
    """
    missing = [column for column in needed if column not in columns]
    for column in missing:
        yield Fault("", column, None, "this column is missing")
    if missing:
        return
    for number, row in enumerate(rows, start=2):
        if not (row["code"] or "").strip() or not (row["name"] or "").strip():
            yield Fault(
                f"line {number}", "code", row["code"] or None, "a code and a name are needed in every line"
            )
    for code in doubles((row.get("domain"), row["code"]) for row in rows):
        yield Fault("", "code", code[1], "this code stands twice")


def _no_field(key: str, field: str, where: str, name: str) -> Iterator[Fault]:
    layer = sound_layers().get(key)
    if layer is None:
        return
    named = tuple(item.name for item in layer.field)
    if field not in named:
        yield Fault(where, name, field, f"the layer {key} has no such field", named)


def _sound_sets() -> tuple[str, ...]:
    try:
        return tuple(code_sets())
    except DefinitionError:
        return ()
