"""A supplier's mapping file: which of its fields are which of ours, and which of its words are which of our codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.analysis.fields.headings import parted
from lowland_gis.analysis.fields.written_quantities import known_unit, unit_factor
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.definitions.mapping_faults import mapping_faults, unit_problem
from lowland_gis.definitions.reading import parsed, validated
from lowland_gis.errors import InputRefusedError, listed

Value = str | int | float | bool


class Mapping(BaseModel):
    """How one supplier delivers one layer.

    `rename` is received name → standard name; `constants` are standard fields that the file lacks and that have one value
    in all of it; `replace` is standard field → received value → standard value, applied after renaming. `unit` is standard field →
    the unit that its numbers come in, `factor` standard field → what they are multiplied by where no unit says it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    supplier: str = Field(description="Whose files come so; it stands in messages")
    layer: str = Field(description="Key of the layer that it is for (`layers.md`)")
    rename: dict[str, str] = Field(
        default={}, description="Received name = field of the layer; each received name must be in the file"
    )
    constants: dict[str, Value] = Field(
        default={},
        description="Field = value, for a field that the file lacks and that is the same in every row",
    )
    replace: dict[str, dict[str, str]] = Field(
        default={},
        description='`[replace.FIELD]`: received value = our value; others stay, and `""` is an empty one',
    )
    unit: dict[str, str] = Field(
        default={},
        description="Field = unit that its numbers come in, where no heading says it; they are converted",
    )
    factor: dict[str, float] = Field(
        default={}, description="Field = what its numbers are multiplied by, where no unit says it"
    )


_ADAPTER = TypeAdapter(Mapping)


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        DefinitionError: it is no TOML, does not fit, or names a layer or fields that there are not; with every fault.
    """
    content = parsed(path)
    return validated(content, _ADAPTER, path, beside=mapping_faults(content))


def apply(mapping: Mapping, columns: pa.Table) -> pa.Table:
    """Return the columns of a delivery, or of a batch of it, under standard names, with constants and codes put in.

    A received column that already has the name of a renamed one is kept under the name with `_2` after it. Values are
    compared as text (601 and 601.0 as `601`); values that the mapping does not name stay, as text in a replaced column.
    A column whose numbers come in another unit carries it behind its name, as headings do, and so does one whose unit the mapping
    settles by a factor or a constant.

    Raises:
        InputRefusedError: the file lacks a field that is renamed, has one that is said to be constant, or a heading names a unit that
            the field cannot be in.
    """
    present = [str(name) for name in columns.column_names]
    _refuse_other_file(mapping, present)
    names = _names(mapping, present)
    named = columns.rename_columns([names.get(name, name) for name in present])
    for name, value in mapping.constants.items():
        named = named.append_column(name, pa.array([value] * named.num_rows, type=pa.scalar(value).type))
    for name, words in mapping.replace.items():
        position = named.schema.get_field_index(name)
        if position >= 0:
            replaced = [_replaced(value, words) for value in named.column(position).to_pylist()]
            named = named.set_column(position, name, pa.array(replaced, pa.string()))
    for name, factor in mapping.factor.items():
        position = named.schema.get_field_index(name)
        if position >= 0:
            named = named.set_column(position, name, _times(named.column(position), factor))
    units = _units(mapping, present)
    return named.rename_columns(
        [f"{name}({units[name]})" if name in units else name for name in named.column_names]
    )


def _units(mapping: Mapping, columns: list[str]) -> dict[str, str]:
    """Return the units of renamed columns: as the mapping says, else as the heading says."""
    fields = {field.name: field for field in layer_definition(mapping.layer).field}
    settled = {name: fields[name].unit for name in (*mapping.factor, *mapping.constants)}
    units, faults = {name: unit for name, unit in settled.items() if unit and known_unit(unit)}, []
    units |= mapping.unit
    for received in columns:
        name = mapping.rename.get(received)
        unit = None if name is None else parted(received)[1]
        if name is None or unit is None or name in mapping.factor:
            continue
        said = units.setdefault(name, unit)
        fault = unit_problem(fields[name], unit)
        if unit_factor(unit, said) != 1.0:
            faults.append(f"{received} is in {unit} by its heading, in {said} by the mapping")
        elif fault is not None:
            faults.append(f"{received}: {fault}. Give a factor under [factor] if it is right")
    if faults:
        raise InputRefusedError(
            f"The mapping of {mapping.supplier} crosses units, so nothing was loaded:\n{listed(faults)}\nMend the mapping."
        )
    return units


def _times(values: pa.ChunkedArray, factor: float) -> pa.Array:
    """Multiply numbers, also those that came as texts; what is no number stays as it came."""
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pc.multiply(values.cast(pa.float64(), safe=False), factor)
    return pa.array([_multiplied(value, factor) for value in values.to_pylist()], pa.string())


def _multiplied(value: Any, factor: float) -> str | None:
    if value is None:
        return None
    try:
        return repr(float(str(value)) * factor)
    except ValueError:
        return str(value)


def _refuse_other_file(mapping: Mapping, columns: list[str]) -> None:
    present = set(columns)
    renamed = present - set(mapping.rename) | {mapping.rename[name] for name in present & set(mapping.rename)}
    faults = [
        *(f"{name} is not in the file" for name in mapping.rename if name not in present),
        *(
            f"{name} is said to be constant, but the file has it"
            for name in mapping.constants
            if name in renamed
        ),
    ]
    if faults:
        raise InputRefusedError(
            f"The mapping of {mapping.supplier} does not fit this file, so nothing was loaded:\n{listed(faults)}\n"
            f"The file has: {', '.join(columns) or 'no fields'}. Mend the mapping, or name another."
        )


def _names(mapping: Mapping, columns: list[str]) -> dict[str, str]:
    names = dict(mapping.rename)
    taken = {*columns, *names.values()}
    for column in columns:
        if column in names or column not in names.values():
            continue
        number = next(number for number in range(2, len(taken) + 3) if f"{column}_{number}" not in taken)
        names[column] = f"{column}_{number}"
        taken.add(names[column])
    return names


def _replaced(value: Any, words: dict[str, str]) -> str | None:
    if value is None:
        return words.get("")
    word = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    return words.get(word, word)


def as_toml(mapping: Mapping, notes: dict[str, str]) -> str:
    """Return a mapping as the text of its file; `notes` maps a received name to the comment beside it."""
    lines = [f"supplier = {quoted(mapping.supplier)}", f"layer = {quoted(mapping.layer)}", "", "[rename]"]
    for received, standard in mapping.rename.items():
        note = f"  # {' '.join(notes[received].split())}" if received in notes else ""
        lines.append(f"{quoted(received)} = {quoted(standard)}{note}")
    if mapping.constants:
        lines += [
            "",
            "[constants]",
            *(f"{quoted(name)} = {_literal(value)}" for name, value in mapping.constants.items()),
        ]
    if mapping.unit:
        lines += [
            "",
            "[unit]",
            *(_unit_line(mapping.layer, name, unit) for name, unit in mapping.unit.items()),
        ]
    if mapping.factor:
        lines += ["", "[factor]", *(f"{quoted(name)} = {value!r}" for name, value in mapping.factor.items())]
    for field, words in mapping.replace.items():
        lines += ["", f"[replace.{quoted(field)}]"]
        lines += [f"{quoted(received)} = {quoted(standard)}" for received, standard in words.items()]
    return "\n".join(lines) + "\n"


def _unit_line(layer: str, name: str, unit: str) -> str:
    into = next(field.unit for field in layer_definition(layer).field if field.name == name)
    factor = unit_factor(unit, into or "")
    note = "" if factor is None else f"  # times {factor:.10g}, to {into}"
    return f"{quoted(name)} = {quoted(unit)}{note}"


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text: str) -> str:
    """Return a TOML basic string; control characters are written by number, so no text can end it."""
    return '"' + "".join(_letter(letter) for letter in text) + '"'


def _letter(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
