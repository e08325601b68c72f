"""Hold the sheets of a delivered workbook against the layers that they are of: every row, every cell, and codes that became numbers."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lowland_gis.analysis.fields.spreadsheet import Formula, Lost
from lowland_gis.definitions.package import ListSheet, Sheet, WorkbookDefinition
from lowland_gis.errors import LowlandError
from lowland_gis.files.source import opened
from lowland_gis.files.spreadsheet.book import read_cells, read_sheet, sheet_names
from lowland_gis.products.judging.findings import Finding
from lowland_gis.products.package.dictionary import sheet_content
from lowland_gis.products.package.layers import PreparedLayer
from lowland_gis.products.tables.sheet_rows import Value
from lowland_gis.products.tables.workbook import SheetContent

# Headings are looked for in so many rows.
_LOOKED_AT = 20
_SAME = 1e-9
_TEXTS, _TOWN_AND_KIND = 3, 3
_SPACE = re.compile(r"\s+")

Rows = Sequence[Sequence[Any]]


def sheet_rows(path: Path) -> dict[str, Rows]:
    """Return the cells of every sheet of a workbook as they stand; in a .xlsx a formula is one.

    Raises:
        InputRefusedError: it is no workbook.
    """
    with opened(str(path), path.parent) as source:
        if source.driver == "XLSX":
            return {sheet.name: sheet.rows for sheet in read_cells(source)}
        names = sheet_names(source)
    found: dict[str, Rows] = {}
    for name in names:
        with opened(f"{path}:{name}", path.parent) as source:
            found[name] = read_sheet(source).rows
    return found


def workbook_findings(
    file: str, path: Path, workbook: WorkbookDefinition, layers: Mapping[str, PreparedLayer]
) -> Iterator[Finding]:
    """Yield what of a workbook is not as its definition and the layers of the package say."""
    try:
        sheets = sheet_rows(path)
    except LowlandError as error:
        yield Finding("unreadable", file, value=str(error))
        return
    for sheet in workbook.sheets:
        layer = layers.get(sheet.layer)
        if sheet.name not in sheets:
            if layer is not None:
                yield Finding("table_missing", file, sheet.name, expected=sheet.name)
        elif layer is not None:
            yield from _sheet_findings(file, sheet, sheets[sheet.name], layer)


def _sheet_findings(file: str, sheet: Sheet, rows: Rows, layer: PreparedLayer) -> Iterator[Finding]:
    expected = sheet_content(sheet, layer)
    headings = [column.heading for column in expected.columns]
    top, places = _places(rows, headings)
    for heading in headings:
        if heading not in places:
            yield Finding("heading_missing", file, sheet.name, field=heading, expected=heading)
    if not places:
        return
    given = [
        (number, [row[places[heading]] if heading in places and places[heading] < len(row) else None for heading in headings])
        for number, row in enumerate(rows[top + 1 :], start=top + 2)
    ]  # fmt: skip
    given = [(number, row) for number, row in given if any(not _is_nothing(cell) for cell in row)]
    known = [place for place, heading in enumerate(headings) if heading in places]
    yield from _held_against(file, sheet, given, expected, (known, _key(sheet, layer)))


def _key(sheet: Sheet, layer: PreparedLayer) -> tuple[int, ...] | None:
    """Return the columns by which rows of a sheet are told apart; None where a key may stand several times."""
    if not isinstance(sheet, ListSheet):
        return tuple(range(_TOWN_AND_KIND))
    if not layer.definition.unique:
        return None
    return (layer.definition.fields.index(layer.definition.key_field),)


def _places(rows: Rows, headings: Sequence[str]) -> tuple[int, dict[str, int]]:
    """Return the row of the headings, 0-based, and heading → column; no column where nothing looks like them."""
    wanted = {_bare(heading): heading for heading in headings}
    short = {_bare(heading.partition("（")[0]): heading for heading in headings}
    best: tuple[int, dict[str, int]] = (0, {})
    for number, row in enumerate(rows[:_LOOKED_AT]):
        found: dict[str, int] = {}
        for place, cell in enumerate(row):
            heading = wanted.get(_bare(cell)) or short.get(_bare(cell)) if isinstance(cell, str) else None
            if heading is not None:
                found.setdefault(heading, place)
        if len(found) > len(best[1]):
            best = number, found
    return best


def _bare(text: str) -> str:
    return _SPACE.sub("", unicodedata.normalize("NFKC", text))


def _held_against(
    file: str,
    sheet: Sheet,
    given: Sequence[tuple[int, list[Any]]],
    content: SheetContent,
    by: tuple[list[int], tuple[int, ...] | None],
) -> Iterator[Finding]:
    known, key = by
    if key is None or not set(key) <= set(known):
        yield from _as_heap(file, sheet, given, content, known)
        return
    wanted = {tuple(_spelt(row[place]) for place in key): row for row in content.rows}
    loose = {tuple(part.lstrip("0") for part in name): name for name in wanted}
    seen: set[tuple[str, ...]] = set()
    for number, row in given:
        name = tuple(_spelt(row[place]) for place in key)
        if name not in wanted:
            name = loose.get(tuple(part.lstrip("0") for part in name), name)
        said = " ".join(part for part in name if part)
        if name not in wanted or name in seen:
            rule = "row_extra" if name not in wanted else "key_twice"
            # A key that became a number has lost what tells its row.
            lost = [place for place in key if isinstance(row[place], int | float | Lost)]
            rule = "code_as_number" if lost and rule == "row_extra" else rule
            yield Finding(rule, file, sheet.name, number, said, content.columns[key[0]].heading, said)
            continue
        seen.add(name)
        for place in known:
            yield from _cell_finding(
                file, sheet, (number, said), content.columns[place].heading, (row[place], wanted[name][place])
            )
    for name in wanted.keys() - seen:
        said = " ".join(part for part in name if part)
        yield Finding("row_missing", file, sheet.name, None, said, expected=said)


def _as_heap(
    file: str,
    sheet: Sheet,
    given: Sequence[tuple[int, list[Any]]],
    content: SheetContent,
    known: Sequence[int],
) -> Iterator[Finding]:
    """Compare rows that no key tells apart: each must be there as often as in the layer."""
    left = Counter(tuple(_spelt(row[place]) for place in known) for row in content.rows)
    for number, row in given:
        name = tuple(_spelt(row[place]) for place in known)
        for place in known:
            yield from _formula_finding(file, sheet, number, content.columns[place].heading, row[place])
        if left[name] > 0:
            left[name] -= 1
        else:
            yield Finding("row_extra", file, sheet.name, number, value=" | ".join(name)[:200])
    for name, count in left.items():
        for _ in range(count):
            yield Finding("row_missing", file, sheet.name, expected=" | ".join(name)[:200])


def _formula_finding(file: str, sheet: Sheet, number: int, heading: str, cell: Any) -> Iterator[Finding]:
    if isinstance(cell, Formula):
        yield Finding("formula", file, sheet.name, number, field=heading, value=cell.text[:200])


def _cell_finding(
    file: str, sheet: Sheet, where: tuple[int, str], heading: str, cells: tuple[Any, Value]
) -> Iterator[Finding]:
    given, expected = cells
    rule = _cell_fault(given, expected)
    if rule is not None:
        value = None if _is_nothing(given) else given.text if isinstance(given, Formula) else _spelt(given)
        yield Finding(rule, file, sheet.name, where[0], where[1], heading, value, _spelt(expected))


def _cell_fault(given: Any, expected: Value) -> str | None:
    """Return the rule that a cell breaks."""
    nothing = expected is None or expected == ""
    if isinstance(given, Formula):
        return "formula"
    if expected is None or nothing or _is_nothing(given):
        return None if nothing and _is_nothing(given) else "cell_other"
    if isinstance(expected, str):
        return _text_fault(given, expected)
    if isinstance(expected, dt.date):
        same = _spelt(given)[:10] == expected.isoformat()
        return "date_as_number" if isinstance(given, int | float) else None if same else "cell_other"
    if isinstance(given, bool) or not isinstance(given, int | float):
        return "not_a_number"
    return None if abs(given - expected) <= _SAME * max(1.0, abs(expected)) else "cell_other"


def _text_fault(given: Any, expected: str) -> str | None:
    """Return the rule that a cell of a text breaks: a number has the digits of the code, or has lost zeros, or is another one."""
    if isinstance(given, Lost):
        return "code_as_number"
    text = _spelt(given)
    if text == expected:
        return None if isinstance(given, str) else "code_as_number"
    return "zeros_lost" if text == expected.lstrip("0") else "cell_other"


def _is_nothing(cell: Any) -> bool:
    return cell is None or cell == ""


def _spelt(value: Any) -> str:
    """Return a value as a code is spelt; a whole number has no point, whatever its type."""
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(round(value, 6))
    return value if isinstance(value, str) else str(value)
