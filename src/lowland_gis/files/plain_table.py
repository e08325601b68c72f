"""Tables without geometries: one sheet of a workbook, or a text file; whole, with every value as it stands."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import pyarrow as pa

from lowland_gis.analysis.attributes import arrow_table
from lowland_gis.analysis.doubts import Aside, Doubt
from lowland_gis.analysis.spreadsheet import table_of
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.encoding import Encoding, text_encoding
from lowland_gis.files.source import Source
from lowland_gis.files.spreadsheet.book import read_sheet


@dataclass(frozen=True)
class PlainTable:
    """Rows, the encoding of a text file, the name of a sheet, and the doubts: of rows, of values, of the whole."""

    rows: pa.Table
    encoding: Encoding | None
    sheet: str | None
    doubts: tuple[Doubt, ...] = ()
    aside: tuple[Aside, ...] = ()
    whole: tuple[tuple[str, str], ...] = ()


def workbook(source: Source) -> PlainTable:
    """Read the table of one sheet; cells come as they are stored, so codes stay text.

    Raises:
        InputRefusedError: it is no workbook, or it must be said which of its sheets.
    """
    sheet = read_sheet(source)
    table = table_of(sheet.rows, sheet.merged)
    rows = arrow_table(table.columns)
    return PlainTable(rows, None, sheet.name, table.doubts, table.aside, sheet.doubts)


def text_table(source: Source, encoding: str | None) -> PlainTable:
    """Read the table of a CSV; every value stays text.

    Raises:
        InputRefusedError: it is empty, its encoding cannot be told, or a line has another number of values than the heading.
    """
    content = source.path.read_bytes()
    how = text_encoding(source.path, content, encoding)
    try:
        lines = list(csv.reader(io.StringIO(content.decode(how.name).removeprefix("\ufeff"))))
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
    columns = {
        name: pa.array(["" if value is None else value for value in values], pa.string())
        for name, values in table.columns.items()
    }
    return PlainTable(pa.table(columns), how, None, table.doubts, table.aside)
