"""Lines of a coordinate text: what it says of itself, and its parcels with their points as they are spelt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

HEADER, PROJECT, PARCELS = "属性描述", "项目信息", "地块坐标"
# What ends the line of a parcel, and is never left away.
MARK = "@"
_ENDS = re.compile(r"\r\n|\n|\r")
_NAMED_ENDS = {"\r\n": "CRLF", "\n": "LF", "\r": "CR"}
_SECTION = re.compile(r"[\[【](.*?)[\]】]$")
# What editors leave at the beginning and the end of a text, and blanks of both widths.
_BLANKS = " \t\u3000\ufeff\x1a"
_POINT = re.compile(r"\s*[A-Za-z]{0,2}\d+\s*,(\s*\d*\s*,)?\s*\d+(\.\d*)?\s*,\s*\d+(\.\d*)?")
_SAMPLED = 50


class FormatError(ValueError):
    """A coordinate text that contradicts itself or stays unclear; `row` is the 1-based line where that shows, 0 where no line does."""

    def __init__(self, row: int, what: str) -> None:
        """Keep both."""
        self.row, self.what = row, what
        super().__init__(f"line {row:,}: {what}" if row else what)


@dataclass(frozen=True)
class Point:
    """The line of a point: its 1-based number and its values as they are spelt."""

    row: int
    values: tuple[str, ...]


@dataclass
class Block:
    """A parcel: the number of its line and the values before the `@` (none where a file holds points only), and its points."""

    row: int
    values: tuple[str, ...]
    points: list[Point] = field(default_factory=list)


@dataclass
class Sections:
    """What stands in a file: the header and the project, each key with its value and its line, and the parcels in their order.

    `remarks` are habits of the writer, and `left_out` the names of sections that are not known.
    """

    header: dict[str, tuple[str, int]] = field(default_factory=dict)
    project: dict[str, tuple[str, int]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def looks_right(text: str) -> bool:
    """Tell whether the beginning of a text can be one of these: a section of their names, a line with the mark, or a point.

    >>> looks_right("[地块坐标]"), looks_right("5,1.2,1,甲,面,,,,@"), looks_right("Dear colleagues,")
    (True, True, False)
    """
    rows = [row.strip(_BLANKS) for row in _ENDS.split(text)]
    rows = [row for row in rows if row][:_SAMPLED]
    sections = {match[1].strip() for row in rows if (match := _SECTION.match(row))}
    if sections & {HEADER, PARCELS}:
        return True
    return any(row.rstrip("},， ").endswith(MARK) and "," in row for row in rows) or bool(
        rows and _POINT.match(rows[0])
    )


def sections(text: str) -> Sections:
    """Split a text into its sections and parcels.

    Raises:
        FormatError: a section comes twice, a line is neither a parcel nor a point nor a key with its value, or there is no parcel.
    """
    found = Sections()
    found.remarks.append(_line_ends(text))
    reader = _Reader(found)
    for row, line in enumerate(_ENDS.split(text), 1):
        if "\0" in line:
            raise FormatError(row, "holds NUL characters, so it was cut or is no text")
        words = line.strip(_BLANKS)
        if words:
            reader.take(row, words)
    if reader.full_width:
        found.remarks.append("full-width commas taken for commas")
    if not found.blocks:
        there = "nothing stands behind [地块坐标]" if PARCELS in reader.seen else "it has no [地块坐标]"
        raise FormatError(0, f"it holds no parcel: {there}, so it was cut off")
    for block in found.blocks:
        if not block.points:
            raise FormatError(block.row, "the parcel has no points, so it was cut off")
    return found


def _line_ends(text: str) -> str:
    ends = sorted({_NAMED_ENDS[end] for end in _ENDS.findall(text)})
    return f"lines end with {' and '.join(ends)}" if ends else "one line"


@dataclass
class _Reader:
    """Takes line after line."""

    found: Sections
    section: str | None = None
    seen: set[str] = field(default_factory=set)
    full_width: bool = False

    def take(self, row: int, line: str) -> None:
        named = _SECTION.match(line)
        if named:
            self._begin(row, named[1].strip())
        elif self.section in (None, PARCELS) and "=" not in line:
            self._parcel_or_point(row, line)
        elif self.section not in (None, HEADER, PROJECT, PARCELS):
            return
        else:
            self._key(row, line)

    def _begin(self, row: int, name: str) -> None:
        if name in self.seen:
            raise FormatError(
                row, f"there is a second [{name}]: two files were put into one, so it is unclear which holds"
            )
        self.seen.add(name)
        self.section = name
        if name not in (HEADER, PROJECT, PARCELS):
            self.found.left_out.append(name)

    def _key(self, row: int, line: str) -> None:
        key, sign, value = line.replace("＝", "=").partition("=")
        if not sign or self.section == PARCELS:
            raise FormatError(row, f"{line[:40]!r} is no key with its value, no parcel and no point")
        into = self.found.project if self.section == PROJECT else self.found.header
        key, value = key.strip(_BLANKS), value.strip(_BLANKS)
        if key in into and into[key][0] != value:
            raise FormatError(row, f"{key} is {value!r} here and {into[key][0]!r} in line {into[key][1]:,}")
        into.setdefault(key, (value, row))

    def _parcel_or_point(self, row: int, line: str) -> None:
        if MARK in line:
            before, _, behind = line.partition(MARK)
            if behind.strip(_BLANKS + ",，{}"):
                raise FormatError(row, f"{behind[:40]!r} stands behind the @ that ends the line of a parcel")
            self.found.blocks.append(Block(row, self._split(before.strip(_BLANKS).lstrip("{"), ends=True)))
            return
        if not self.found.blocks:
            self.found.blocks.append(Block(row, ()))
        self.found.blocks[-1].points.append(Point(row, self._split(line.strip("{}"), ends=False)))

    def _split(self, line: str, *, ends: bool) -> tuple[str, ...]:
        if "," not in line and "，" in line:
            self.full_width = True
            line = line.replace("，", ",")
        values = [value.strip(_BLANKS) for value in line.split(",")]
        # The comma before the mark ends a value and begins none.
        if ends and values[-1] == "":
            values.pop()
        return tuple(values)


def first_point_without_parcel(blocks: Iterable[Block]) -> int | None:
    """Return the line of points that stand before the first parcel of a file that has parcels; None where there are none."""
    blocks = list(blocks)
    return blocks[0].row if len(blocks) > 1 and not blocks[0].values else None
