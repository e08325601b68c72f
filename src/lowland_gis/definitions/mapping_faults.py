"""What is wrong with a mapping file beside its form: names that the layer does not have, fields named twice, units that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from lowland_gis.analysis.fields.written_quantities import unit_factor
from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.definitions.layer import FieldDefinition, layer_definition, layer_keys

Table = Mapping[str, Any]
_NUMBERS = ("number", "integer")


def mapping_faults(content: Table) -> list[Fault]:
    """Return what is wrong with the names, targets and units of a mapping as it was parsed; its form is looked at elsewhere."""
    layer = content.get("layer")
    if not isinstance(layer, str):
        return []
    if layer not in layer_keys():
        return [Fault("", "layer", layer, "there is no such layer", tuple(layer_keys()))]
    fields = {field.name: field for field in layer_definition(layer).field}
    return [*_unknown(content, layer, fields), *_doubled(content), *_units(content, fields)]


def _table(content: Table, name: str) -> Table:
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _unknown(content: Table, layer: str, fields: Mapping[str, FieldDefinition]) -> Iterator[Fault]:
    problem = f"{layer} has no such field"
    for received, name in _table(content, "rename").items():
        if isinstance(name, str) and name not in fields:
            yield Fault("[rename]", received, name, problem, tuple(fields))
    for table in ("constants", "replace", "unit", "factor"):
        for name in _table(content, table):
            if name not in fields:
                yield Fault(f"[{table}]", name, None, problem, tuple(fields))


def _doubled(content: Table) -> Iterator[Fault]:
    """Yield fields that would get their values from two places."""
    first: dict[str, str] = {}
    for received, name in _table(content, "rename").items():
        if not isinstance(name, str):
            continue
        if name in first:
            problem = f"{first[name]} becomes {name} too, and a field has one column. Keep the one that is right and take the other line out"
            yield Fault("[rename]", received, name, problem)
        first.setdefault(name, received)
    for name in _table(content, "constants"):
        if name in first:
            problem = f"{first[name]} becomes it too, and a field is a column or a constant. Take one of the two lines out"
            yield Fault("[constants]", name, None, problem)
    for name in _table(content, "unit"):
        if name in _table(content, "factor"):
            yield Fault(
                "[factor]",
                name,
                None,
                "it has a unit too, which says the factor. Take one of the two lines out",
            )


def _units(content: Table, fields: Mapping[str, FieldDefinition]) -> Iterator[Fault]:
    for name, unit in _table(content, "unit").items():
        problem = unit_problem(fields[name], unit) if name in fields and isinstance(unit, str) else None
        if problem is not None:
            yield Fault("[unit]", name, unit, problem)
    for name, factor in _table(content, "factor").items():
        if name in fields and fields[name].type not in _NUMBERS:
            yield Fault("[factor]", name, factor, f"{fields[name].title} is no number, so it has no factor")
        elif isinstance(factor, (int, float)) and not 0 < factor < inf:
            yield Fault("[factor]", name, factor, "a factor is a number above 0")


def unit_problem(field: FieldDefinition, unit: str) -> str | None:
    """Return what is wrong with saying that the numbers of a field come in a unit; None where nothing is."""
    if field.unit is None:
        return f"{field.name} {field.title} has no unit, so it cannot come in {unit}"
    if unit_factor(unit, field.unit) is None:
        return f"{field.name} {field.title} is in {field.unit}, which {unit} does not become"
    return None
