"""The parts of a VCT that are said in words: the head, the feature classes, the fields of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

V1, V2, V3 = 1, 2, 3
POINT, LINE, POLYGON = "Point", "Line", "Polygon"
KINDS = {"point": POINT, "line": LINE, "polygon": POLYGON}
DEFAULT_SEPARATOR = ","
# By what a table says that nothing is drawn of it.
_NO_GEOMETRY = "nonegeometry"
_TABLE_OF_V2, _TABLE_OF_V3 = 6, 3
_LEAST = 3
_MOST_DIGITS = 18


class FormatError(ValueError):
    """A VCT that contradicts its own format; `row` is the 1-based line of its text where that shows, 0 where no line does."""

    def __init__(self, row: int, what: str) -> None:
        """Keep both."""
        super().__init__(f"line {row:,}: {what}" if row else what)


@dataclass(frozen=True)
class FeatureClass:
    """A class of objects: its code, name, kind (Point, Line, Polygon or another word), and the table of its attributes."""

    code: int
    name: str
    kind: str
    table: str


@dataclass(frozen=True)
class Column:
    """A field of a table: its name, the word for its type in small letters, width and decimals where they are said."""

    name: str
    kind: str
    width: int = 0
    decimals: int = 0


@dataclass(frozen=True)
class Table:
    """The fields of a table, and whether objects are drawn of its rows."""

    name: str
    columns: tuple[Column, ...]
    has_geometry: bool = True


@dataclass(frozen=True)
class Head:
    """What a head says: the version of the format, and each key (in small letters) with its value."""

    version: int
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def separator(self) -> str:
        """Return what stands between the values of a row."""
        return self.values.get("separator", "").strip() or DEFAULT_SEPARATOR

    @property
    def offset(self) -> tuple[float, float]:
        """Return what is to be added to east and north.

        Raises:
            FormatError: it is no two numbers.
        """
        said = self.values.get("offset", "").strip()
        if not said:
            return 0.0, 0.0
        try:
            parts = [float(part) for part in said.split(",")]
        except ValueError:
            parts = []
        if len(parts) < 2:  # noqa: PLR2004 - east and north
            raise FormatError(0, f"Offset {said!r} is no two numbers")
        return parts[0], parts[1]


def head(rows: Iterable[str]) -> Head:
    """Read the head; a blank after the colon and the case of keys mean nothing.

    >>> head(["Datamark: LANDUSE-VCT", "Version:3.0"]).version
    3
    """
    values = {}
    for row in rows:
        key, colon, value = row.replace("：", ":").partition(":")
        if colon:
            values[key.strip().casefold()] = value.strip()
    mark = values.get("datamark", "").upper()
    version = values.get("version", "").upper().replace(" ", "")
    if version.startswith("3"):
        return Head(V3, values)
    if mark == "CNSDTF-VCT" and not version.startswith(("2", "GB/T17798-2007", "GBT17798-2007")):
        return Head(V1, values)
    return Head(V2, values)


def feature_classes(rows: Sequence[str], head: Head) -> list[FeatureClass]:
    """Read the classes: code, name, kind and table; version 2 has a colour before the table.

    Raises:
        FormatError: a row has too few values, or its code is no number.
    """
    found = []
    for row in rows:
        parts = [part.strip() for part in row.split(head.separator)]
        place = _TABLE_OF_V3 if head.version == V3 or len(parts) <= _TABLE_OF_V2 else _TABLE_OF_V2
        if len(parts) < _LEAST or not parts[0].isdecimal() or len(parts[0]) > _MOST_DIGITS:
            raise FormatError(0, f"the class of objects {row!r} has no code, name and kind")
        table = parts[place] if len(parts) > place else ""
        found.append(FeatureClass(int(parts[0]), parts[1], KINDS.get(parts[2].casefold(), parts[2]), table))
    return found


def tables(rows: Sequence[str], head: Head) -> dict[str, Table]:
    """Read the fields of the tables by the name of the table in capital letters; version 3 ends each with a 0.

    Raises:
        FormatError: a table counts other fields than it has.
    """
    found: dict[str, Table] = {}
    place = 0
    while place < len(rows):
        parts = [part.strip() for part in rows[place].split(head.separator)]
        if len(parts) < 2 or not parts[1].isdecimal():  # noqa: PLR2004 - a name and a count
            raise FormatError(
                0,
                f"where a table is to begin with its name and the number of its fields stands {rows[place]!r}",
            )
        count = int(parts[1])
        columns = [_column(row, head.separator) for row in rows[place + 1 : place + 1 + count]]
        if len(columns) != count or any(column is None for column in columns):
            raise FormatError(0, f"the table {parts[0]} counts {count} fields and has others")
        drawn = not any(part.casefold() == _NO_GEOMETRY for part in parts[2:])
        found[parts[0].upper()] = Table(parts[0], tuple(column for column in columns if column), drawn)
        place += 1 + count
        if place < len(rows) and rows[place].strip() == "0":
            place += 1
    return found


def _column(row: str, separator: str) -> Column | None:
    parts = [part.strip() for part in row.split(separator)]
    if len(parts) < 2 or not parts[0]:  # noqa: PLR2004 - a name and a type
        return None
    sizes = [int(part) if part.isdecimal() else 0 for part in parts[2:4]]
    return Column(parts[0], parts[1].casefold(), *sizes)
