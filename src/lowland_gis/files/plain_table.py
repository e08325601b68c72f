"""Tables without geometries: one sheet of a workbook, or a text file; whole, with every value as it stands."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace

import pyarrow as pa

from lowland_gis.analysis.fields.attributes import arrow_table
from lowland_gis.analysis.fields.doubts import Aside, Doubt
from lowland_gis.analysis.fields.spreadsheet import SheetTable, table_of
from lowland_gis.analysis.fields.stated_quantities import NOTHING, Stated, stated_units
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.encoding import (
    CUT,
    Encoding,
    cells_decoded,
    cut_words,
    names_cut_words,
    text_encoding,
)
from lowland_gis.files.names import unique
from lowland_gis.files.source import Source
from lowland_gis.files.spreadsheet.book import read_sheet


@dataclass(frozen=True)
class PlainTable:
    """Rows, the encoding of a text file, the name of a sheet, and the doubts: of rows, of values, of the whole; `stated` units."""

    rows: pa.Table
    encoding: Encoding | None
    sheet: str | None
    doubts: tuple[Doubt, ...] = ()
    aside: tuple[Aside, ...] = ()
    whole: tuple[tuple[str, str], ...] = ()
    stated: Stated = NOTHING


def workbook(source: Source) -> PlainTable:
    """Read the table of one sheet; cells come as they are stored, so codes stay text.

    Raises:
        InputRefusedError: it is no workbook, or it must be said which of its sheets.
    """
    sheet = read_sheet(source)
    table = table_of(sheet.rows, sheet.merged)
    rows = arrow_table(table.columns)
    return PlainTable(
        rows, None, sheet.name, table.doubts, table.aside, sheet.doubts, stated_units(table.beside)
    )


def text_table(source: Source, encoding: str | None) -> PlainTable:
    """Read the table of a CSV; every value stays text.

    Raises:
        InputRefusedError: it is empty, its encoding cannot be told, or a line has another number of values than the heading.
    """
    content = source.path.read_bytes()
    how = text_encoding(source.path, content, encoding)
    try:
        lines = list(csv.reader(io.StringIO(cells_decoded(content, how).removeprefix("\ufeff"))))
    except csv.Error as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read as CSV ({error}). Ask for it again."
        ) from error
    table = table_of([[cell if cell.strip() else None for cell in line] for line in lines])
    if not table.columns:
        raise InputRefusedError(f"{source.name}: it is empty. Ask the sender for it again.")
    width, first = len(lines[table.heading]), table.heading + 1
    wrong = [
        number for number, line in enumerate(lines[first:], first + 1) if len(line) != width and any(line)
    ]
    if wrong:
        raise InputRefusedError(
            f"{source.name}: line {wrong[0]} has another number of values than the heading, so values and columns cannot be"
            " told apart. Ask the sender for it again."
        )
    table, whole = _without_cuts(table)
    columns = {
        name: pa.array(["" if value is None else value for value in values], pa.string())
        for name, values in table.columns.items()
    }
    stated = stated_units(table.beside)
    return PlainTable(pa.table(columns), how, None, table.doubts, table.aside, whole, stated)


def _without_cuts(table: SheetTable) -> tuple[SheetTable, tuple[tuple[str, str], ...]]:
    """Take the marks of characters that were cut out of a table, with a doubt for each value and one for the headings."""
    names = unique([name.replace(CUT, "") for name in table.columns])
    left_out = {item.row for item in table.aside}
    doubts = [
        Doubt(row, "value_cut", cut_words(name, value.replace(CUT, "")))
        for name, values in zip(names, table.columns.values(), strict=True)
        for row, value in enumerate(values)
        if value is not None and CUT in value and row not in left_out
    ]
    cut = [name for name, received in zip(names, table.columns, strict=True) if CUT in received]
    columns = {
        name: [None if value is None else value.replace(CUT, "") for value in values]
        for name, values in zip(names, table.columns.values(), strict=True)
    }
    aside = tuple(replace(item, words=item.words.replace(CUT, "")) for item in table.aside)
    beside = tuple(text.replace(CUT, "") for text in table.beside)
    clean = replace(table, columns=columns, doubts=(*table.doubts, *doubts), aside=aside, beside=beside)
    return clean, (("name_cut", names_cut_words(cut)),) if cut else ()
