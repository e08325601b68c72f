"""What is wrong with the values of a delivered layer, row by row, and the values as the definition means them."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lowland_gis.definitions.package import FieldDefinition, LayerDefinition
from lowland_gis.files.dbf_table import CODE_PAGE, Cell
from lowland_gis.files.write import text_fault
from lowland_gis.products.package.layers import PackageNames

# A row that is at fault: its number from 0, the field, the rule, what is expected.
RowFault = tuple[int, str, str, str]
Verdict = tuple[str, str]

_SCIENTIFIC = re.compile(r"[+-]?\d(\.\d+)?[eE]\+?\d{1,3}")
_DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(T00:00:00(\.0+)?(Z|\+00:00)?)?")
_NO_DAY = re.compile(r"0{8}")


def cleaned(values: Sequence[Any], field: FieldDefinition) -> list[Cell]:
    """Return values as the field means them: texts, numbers, days; None where nothing or something else stands."""
    known: dict[Any, Cell] = {}
    for value in set(values):
        known[value] = _clean(value, field)
    return [known[value] for value in values]


def value_faults(
    columns: Mapping[str, Sequence[Any]], layer: LayerDefinition, names: PackageNames | None
) -> Iterator[RowFault]:
    """Yield what is wrong with the values of fields, by field and row; `columns` are those of the file, by the names of the fields."""
    for field in layer.fields:
        if field.name not in columns:
            continue
        values = columns[field.name]
        look = _looker(field, names)
        wrong = {value: verdict for value in set(values) if (verdict := look(value)) is not None}
        if wrong:
            for row, value in enumerate(values):
                if value in wrong:
                    rule, expected = wrong[value]
                    yield row, field.name, rule, expected
    yield from _key_faults(columns, layer)


def _key_faults(columns: Mapping[str, Sequence[Any]], layer: LayerDefinition) -> Iterator[RowFault]:
    key = layer.key_field
    if not layer.unique or key.name not in columns:
        return
    values = columns[key.name]
    twice = {value for value, n in Counter(values).items() if n > 1 and not _is_nothing(value)}
    for row, value in enumerate(values if twice else ()):
        if value in twice:
            yield row, key.name, "key_twice", "unique"


def _looker(field: FieldDefinition, names: PackageNames | None) -> Callable[[Any], Verdict | None]:
    """Return what looks at one value of a field."""
    fixed = field.text
    if fixed is not None:
        fixed = None if names is None and "{" in fixed else fixed if names is None else names.fill(fixed)
    codes = {code.code: code.title for code in field.codes}
    look = {"C": _text_verdict, "N": _number_verdict, "D": _day_verdict}[field.type]

    def verdict(value: Any) -> Verdict | None:
        if _is_nothing(value) or (field.type == "D" and isinstance(value, str) and _NO_DAY.fullmatch(value)):
            return ("value_missing", "") if field.required else None
        if fixed is not None and _spelt(value) != fixed:
            return "value_other", fixed
        return look(value, field, codes)

    return verdict


def _text_verdict(value: Any, field: FieldDefinition, codes: Mapping[str, str]) -> Verdict | None:
    text = _spelt(value)
    if codes:
        return _code_verdict(text, codes)
    if _SCIENTIFIC.fullmatch(text):
        return "code_as_number", "the digits themselves"
    if text_fault(text) is not None:
        return "value_letters", CODE_PAGE
    if len(text.encode(CODE_PAGE)) > field.length:
        return "value_long", str(field.length)
    return None


def _code_verdict(text: str, codes: Mapping[str, str]) -> Verdict | None:
    if text in codes:
        return None
    stripped = [code for code in codes if len(code) > len(text) and code.lstrip("0") == text.lstrip("0")]
    return ("zeros_lost", stripped[0]) if stripped else ("code_unknown", ", ".join(codes))


def _number_verdict(value: Any, field: FieldDefinition, codes: Mapping[str, str]) -> Verdict | None:
    del codes
    number = _number(value)
    if number is None:
        return "not_a_number", "a number"
    if len(f"{number:.{field.decimals}f}") > field.length:
        return "value_long", f"{field.length}.{field.decimals}"
    if round(number, field.decimals) != number:
        return "decimals", f"{number:.{field.decimals}f}"
    return None


def _day_verdict(value: Any, field: FieldDefinition, codes: Mapping[str, str]) -> Verdict | None:
    del field, codes
    if isinstance(value, int | float):
        return "date_as_number", "YYYYMMDD"
    return None if _day(value) is not None else ("not_a_date", "YYYYMMDD")


def _clean(value: Any, field: FieldDefinition) -> Cell:
    if _is_nothing(value):
        return None
    if field.type == "C":
        return _spelt(value)
    if field.type == "D":
        return _day(value)
    number = _number(value)
    return number if number is None or field.decimals or number % 1 else int(number)


def _is_nothing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _spelt(value: Any) -> str:
    """Return a value as a code is spelt; a number of a whole amount has no point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _day(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    found = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        return dt.date(*(int(found[part]) for part in (1, 2, 3)))
    except ValueError:
        return None
