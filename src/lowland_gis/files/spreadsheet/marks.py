"""What a sheet's own XML says beside its values: merged ranges, hidden rows and columns."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any
from xml.etree import ElementTree as ET  # expat of this Python limits entities
from xml.parsers import expat

from openpyxl.utils.cell import range_boundaries

from lowland_gis.analysis.fields.spreadsheet import Merged
from lowland_gis.files.spreadsheet.quick_cells import UnusualError, row_blocks, row_heads

_BLOCK = 1 << 20
_YES = ("1", "true")
_HIDDEN = re.compile(r' hidden="(?:1|true)"')
_MOST_MERGED = 100_000


@dataclass
class Marks:
    """Merged ranges, and how many rows and columns are hidden, with the 1-based numbers of the first rows."""

    merged: list[Merged] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    n_hidden_columns: int = 0


def marks(path: Path, sheet: str) -> Marks:
    """Read the marks of one sheet.

    Raises:
        KeyError, ValueError, SyntaxError, OSError: the workbook contradicts itself.
    """
    with zipfile.ZipFile(path) as archive:
        part = sheet_part(archive, sheet)
        with archive.open(part) as content:
            try:
                return _quick_marks(content)
            except (UnusualError, UnicodeDecodeError):
                # Rows are written in another way than usual, so all of it is parsed.
                pass
        with archive.open(part) as content:
            return _parsed(Marks(), iter(partial(content.read, _BLOCK), b""))


def _quick_marks(content: IO[bytes]) -> Marks:
    """Read the rows by their first words; only what stands around them is parsed."""
    found, around, number = Marks(), list[bytes](), 0
    for block in row_blocks(content, around):
        for said, others in row_heads(block):
            number = int(said) if said else number + 1
            if _HIDDEN.search(others) is not None:
                found.hidden_rows.append(number)
    return _parsed(found, iter(around))


def _parsed(found: Marks, content: Iterator[bytes]) -> Marks:
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = _Started(found).element
    try:
        for block in content:
            parser.Parse(block)
        parser.Parse(b"", True)  # noqa: FBT003 - expat's signature
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    return found


@dataclass
class _Started:
    found: Marks
    row: int = 0

    def element(self, name: str, values: dict[str, Any]) -> None:
        """Take in the beginning of an element."""
        kind = name.rpartition("}")[2]
        if kind == "row":
            self.row = int(values.get("r", self.row + 1))
            if values.get("hidden") in _YES:
                self.found.hidden_rows.append(self.row)
        elif kind == "col" and values.get("hidden") in _YES:
            self.found.n_hidden_columns += int(values["max"]) - int(values["min"]) + 1
        elif kind == "mergeCell" and len(self.found.merged) < _MOST_MERGED:
            left, top, right, bottom = range_boundaries(values["ref"])
            self.found.merged.append(Merged(top - 1, bottom - 1, left - 1, right - 1))


def sheet_part(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part that holds a sheet.

    Raises:
        KeyError, ValueError, SyntaxError: the workbook contradicts itself.
    """
    workbook = next(
        (PurePosixPath(name) for name in archive.namelist() if re.fullmatch(r"/?xl/workbook\d*\.xml", name)),
        None,
    )
    if workbook is None:
        raise KeyError("there is no workbook in it")
    numbers = {
        element.get("name"): next(value for key, value in element.items() if key.endswith("}id"))
        for element in _elements(archive, str(workbook), "sheet")
    }
    relations = f"{workbook.parent}/_rels/{workbook.name}.rels"
    targets = {
        element.get("Id"): element.get("Target", "")
        for element in _elements(archive, relations, "Relationship")
    }
    target = targets[numbers[sheet]]
    return target.lstrip("/") if target.startswith("/") else f"{workbook.parent}/{target}"


def _elements(archive: zipfile.ZipFile, name: str, kind: str) -> Iterator[Any]:
    root = ET.fromstring(archive.read(name))  # noqa: S314 - see above
    return (element for element in root.iter() if element.tag.rpartition("}")[2] == kind)
