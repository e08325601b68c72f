"""A supplier's mapping file: which of its fields are which of ours, and which of its words are which of our codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, TypeAdapter

from lowland_gis.definitions.layer import layer_definition
from lowland_gis.definitions.reading import read_toml
from lowland_gis.errors import DefinitionError, InputRefusedError, listed

Value = str | int | float | bool


class Mapping(BaseModel):
    """How one supplier delivers one layer.

    `rename` is received name → standard name; `constants` are standard fields that the file lacks and that have one value
    in all of it; `replace` is standard field → received value → standard value, applied after renaming.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    supplier: str
    layer: str
    rename: dict[str, str] = {}
    constants: dict[str, Value] = {}
    replace: dict[str, dict[str, str]] = {}


_ADAPTER = TypeAdapter(Mapping)


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        DefinitionError: it is no TOML, does not fit, or names fields that the layer does not have.
        UsageError: there is no such layer key.
    """
    mapping = read_toml(path, _ADAPTER)
    faults = _faults(mapping)
    if faults:
        raise DefinitionError(
            f"{path}: {len(faults)} fault(s), so fields would come to lie wrongly:\n{listed(faults)}\n"
            f"Mend them; lowland layers show {mapping.layer} lists the fields."
        )
    return mapping


def _faults(mapping: Mapping) -> list[str]:
    known = {field.name for field in layer_definition(mapping.layer).field}
    targets = list(mapping.rename.values())
    named = [*targets, *mapping.constants, *mapping.replace]
    return [
        *(f"{mapping.layer} has no field {name}" for name in dict.fromkeys(named) if name not in known),
        *(f"two fields are renamed to {name}" for name in dict.fromkeys(targets) if targets.count(name) > 1),
        *(f"{name} is both renamed to and constant" for name in mapping.constants if name in targets),
    ]


def apply(mapping: Mapping, columns: pa.Table) -> pa.Table:
    """Return the columns of a delivery, or of a batch of it, under standard names, with constants and codes put in.

    A received column that already has the name of a renamed one is kept under the name with `_2` after it. Values are
    compared as text (601 and 601.0 as `601`); values that the mapping does not name stay, as text in a replaced column.

    Raises:
        InputRefusedError: the file lacks a field that is renamed, or has one that is said to be constant.
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
    return named


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
    lines = [f"supplier = {_quoted(mapping.supplier)}", f"layer = {_quoted(mapping.layer)}", "", "[rename]"]
    for received, standard in mapping.rename.items():
        note = f"  # {' '.join(notes[received].split())}" if received in notes else ""
        lines.append(f"{_quoted(received)} = {_quoted(standard)}{note}")
    if mapping.constants:
        lines += [
            "",
            "[constants]",
            *(f"{_quoted(name)} = {_literal(value)}" for name, value in mapping.constants.items()),
        ]
    for field, words in mapping.replace.items():
        lines += ["", f"[replace.{_quoted(field)}]"]
        lines += [f"{_quoted(received)} = {_quoted(standard)}" for received, standard in words.items()]
    return "\n".join(lines) + "\n"


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    """Return a TOML basic string; control characters are written by number, so no text can end it."""
    return '"' + "".join(_letter(letter) for letter in text) + '"'


def _letter(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
