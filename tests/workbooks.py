"""Workbooks of other kinds than .xlsx for the tests: saved by LibreOffice, written by xlwt, and .xlsb by its grammar.

No program at hand writes .xlsb, so its records are put down here as Microsoft describes them (MS-XLSB 2.1.4 and 2.4).
"""

from __future__ import annotations

import datetime as dt
import io
import struct
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.datetime import to_excel

FILTERS = {".xls": "xls:MS Excel 97", ".ods": "ods", ".xlsx": "xlsx:Calc MS Excel 2007 XML", ".html": "html"}
_ERRORS = {"#NULL!": 0, "#DIV/0!": 7, "#VALUE!": 15, "#REF!": 23, "#NAME?": 29, "#NUM!": 36, "#N/A": 42}


def saved_as(suffix: str, folder: Path, *paths: Path) -> list[Path]:
    """Have LibreOffice open workbooks and save them in another kind, into a folder, and return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            ["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", FILTERS[suffix], "--outdir",
             str(folder), *map(str, paths)],
            check=True, capture_output=True, timeout=300,
        )  # fmt: skip
    return [folder / f"{path.stem}{suffix}" for path in paths]


def write_xlsb(book: openpyxl.Workbook, path: Path, *, from_1904: bool = False) -> Path:
    """Write a workbook of openpyxl as .xlsb; a formula has no result, as openpyxl has none."""
    formats = sorted(
        {cell.number_format for sheet in book for row in sheet.rows for cell in row} | {"General"}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        relations = "".join(
            f'<Relationship Id="r{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.bin"/>'
            for number in range(1, len(book.worksheets) + 1)
        )
        archive.writestr("_rels/.rels", _relations(f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.bin"/>'))  # fmt: skip
        archive.writestr("xl/_rels/workbook.bin.rels", _relations(relations + f'<Relationship Id="s" Type="{_OFFICE}/styles" Target="styles.bin"/>'))  # fmt: skip
        archive.writestr("xl/workbook.bin", _workbook(book, from_1904=from_1904))
        archive.writestr("xl/styles.bin", _styles(formats))
        for number, sheet in enumerate(book.worksheets, 1):
            archive.writestr(f"xl/worksheets/sheet{number}.bin", _sheet(sheet, formats))
    return path


_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>'


def _relations(inner: str) -> str:
    return f'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inner}</Relationships>'


def record(kind: int, data: bytes = b"") -> bytes:
    """Return a record: its kind in one byte or two, its length in up to four, its content."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = b""
    length = len(data)
    while True:
        length, low = length >> 7, length & 0x7F
        size += bytes([low | (0x80 if length else 0)])
        if not length:
            return head + size + data


def _text(text: str) -> bytes:
    content = text.encode("utf-16-le")
    return struct.pack("<I", len(content) // 2) + content


def _workbook(book: openpyxl.Workbook, *, from_1904: bool) -> bytes:
    states = {"visible": 0, "hidden": 1, "veryHidden": 2}
    sheets = b"".join(
        record(156, struct.pack("<II", states[sheet.sheet_state], number) + _text(f"r{number}") + _text(sheet.title))
        for number, sheet in enumerate(book.worksheets, 1)
    )  # fmt: skip
    properties = record(153, struct.pack("<III", int(from_1904), 0, 0)[:8] + _text(""))
    return record(131) + properties + record(143) + sheets + record(144) + record(132)


def _number(number: int, form: str) -> int:
    """Return the number of a format: `built-in 31` is one that no file names."""
    if form.startswith("built-in "):
        return int(form.removeprefix("built-in "))
    return 0 if form == "General" else 164 + number


def _styles(formats: Sequence[str]) -> bytes:
    named = b"".join(
        record(44, struct.pack("<H", 164 + number) + _text(form)) for number, form in enumerate(formats)
    )
    styles = b"".join(
        record(47, struct.pack("<HHHHHHI", 0, _number(number, form), 0, 0, 0, 0, 0))
        for number, form in enumerate(formats)
    )
    begin = record(615, struct.pack("<I", len(formats))) + named + record(616)
    return record(278) + begin + record(617, struct.pack("<I", len(formats))) + styles + record(618) + record(279)  # fmt: skip


def _sheet(sheet: object, formats: Sequence[str]) -> bytes:
    out = io.BytesIO()
    out.write(record(129))
    out.write(record(148, struct.pack("<IIII", 0, sheet.max_row - 1, 0, sheet.max_column - 1)))
    hidden = [
        column_index_from_string(name) - 1 for name, item in sheet.column_dimensions.items() if item.hidden
    ]
    if hidden:
        columns = b"".join(record(60, struct.pack("<IIIIH", at, at, 2304, 0, 1)) for at in hidden)
        out.write(record(390) + columns + record(391))
    out.write(record(145))
    for cells in sheet.iter_rows():
        row = cells[0].row
        if any(cell.value is not None for cell in cells) or sheet.row_dimensions[row].hidden:
            mark = 0x10 if sheet.row_dimensions[row].hidden else 0
            out.write(record(0, struct.pack("<IIHBBBI", row - 1, 0, 300, 0, mark, 0, 0)))
            for cell in cells:
                out.write(_cell(cell, formats.index(cell.number_format)))
    out.write(record(146))
    if sheet.merged_cells.ranges:
        merged = b"".join(
            record(176, struct.pack("<IIII", item.min_row - 1, item.max_row - 1, item.min_col - 1, item.max_col - 1))
            for item in sheet.merged_cells.ranges
        )  # fmt: skip
        out.write(record(177, struct.pack("<I", len(sheet.merged_cells.ranges))) + merged + record(178))
    out.write(record(130))
    return out.getvalue()


def _cell(cell: object, style: int) -> bytes:
    value, place = cell.value, struct.pack("<II", cell.column - 1, style)
    if value is None:
        return b""
    if cell.data_type == "f":
        return record(8, place + _text("") + struct.pack("<HII", 0, 0, 0))
    if cell.data_type == "e":
        return record(3, place + bytes([_ERRORS[value]]))
    if isinstance(value, bool):
        return record(4, place + bytes([value]))
    if isinstance(value, dt.date | dt.time):
        value = to_excel(value, cell.parent.parent.epoch)
    if isinstance(value, int | float):
        return record(5, place + struct.pack("<d", value))
    return record(6, place + _text(value))


def container(*names: str) -> bytes:
    """Return a container of old Office with streams of these names, and nothing in them."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    head = head.ljust(48, b"\0") + struct.pack("<I", 0)
    entries = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<HB", 2 * len(name) + 2, 5 if name == "Root Entry" else 2) + bytes(61)
        for name in ("Root Entry", *names)
    )  # fmt: skip
    return head.ljust(512, b"\0") + entries.ljust(1024, b"\0")
