"""Tables without geometries: one sheet of a workbook, or a text file; whole, with every value as it stands."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from lowland_gis.analysis.attributes import arrow_table
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.encoding import Encoding, text_encoding
from lowland_gis.files.names import unique
from lowland_gis.files.source import Source


@dataclass(frozen=True)
class PlainTable:
    """Rows, the encoding of a text file, and the name of a sheet."""

    rows: pa.Table
    encoding: Encoding | None
    sheet: str | None


def workbook(source: Source) -> PlainTable:
    """Read one sheet with a heading row; cells come as they are, so codes stay text.

    Raises:
        InputRefusedError: it is no workbook, or it must be said which of its sheets.
    """
    try:
        sheets = pd.read_excel(source.path, sheet_name=None, dtype=object, engine="openpyxl")
    except (ValueError, KeyError, OSError, EOFError, SyntaxError, zipfile.BadZipFile, zlib.error) as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read as a workbook ({error}). Ask the sender for it again."
        ) from error
    sheet = _sheet(source, {str(name): rows for name, rows in sheets.items()})
    rows = sheets[sheet].rename(columns=lambda name: str(name).strip())
    return PlainTable(arrow_table(rows), None, sheet)


def text_table(source: Source, encoding: str | None) -> PlainTable:
    """Read a CSV with a heading row; every value stays text.

    Raises:
        InputRefusedError: it is empty, its encoding cannot be told, or a line has another number of values than the heading.
    """
    content = source.path.read_bytes()
    how = text_encoding(source.path, content, encoding)
    try:
        lines = list(csv.reader(io.StringIO(content.decode(how.name))))
    except csv.Error as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read as CSV ({error}). Ask for it again."
        ) from error
    if not lines:
        raise InputRefusedError(f"{source.name}: it is empty. Ask the sender for it again.")
    names = unique([name.strip() for name in lines[0]])
    wrong = [number for number, line in enumerate(lines[1:], start=2) if len(line) != len(names) and line]
    if wrong:
        raise InputRefusedError(
            f"{source.name}: line {wrong[0]} has another number of values than the heading, so values and columns cannot be"
            " told apart. Ask the sender for it again."
        )
    rows = [line for line in lines[1:] if line]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    table = pa.table(
        {name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}
    )
    return PlainTable(table, how, None)


def _sheet(source: Source, sheets: dict[str, pd.DataFrame]) -> str:
    filled = [name for name, rows in sheets.items() if len(rows.columns)]
    if source.layer in sheets:
        return source.layer or ""
    if source.layer is None and len(filled) == 1:
        return filled[0]
    raise InputRefusedError(f"{source.name}: name one of its sheets: {', '.join(sheets)} – as FILE:SHEET.")
