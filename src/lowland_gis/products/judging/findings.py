"""What is found in a package, and the mark that findings make."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lowland_gis.definitions.judging import Judging

COLUMNS = ("rule", "class", "title", "file", "layer", "row", "key", "field", "value", "expected", "x", "y")
HEADINGS = ("规则", "错漏类别", "问题", "文件", "图层或工作表", "行", "关键字段值", "字段", "值", "应为", "X", "Y")  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One finding: by which rule, in which file and layer (or sheet), and what was expected.

    `row` counts records of a file from 1; in a workbook it is the row of the sheet. `x` and `y` are where it is, in the plane of the
    file; None where it has no place. `value` is what stands there, None where nothing does.
    """

    rule: str
    file: str
    layer: str = ""
    row: int | None = None
    key: str | None = None
    field: str = ""
    value: str | None = None
    expected: str = ""
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True)
class Taken:
    """The points that the faults of one rule in one field of one file take off; of `rows` faulty rows, 0 where the fault is of the whole."""

    rule: str
    file: str
    layer: str
    field: str
    rows: int
    points: float


@dataclass(frozen=True)
class Mark:
    """A mark from 0 to `full`, its grade, and what was taken off."""

    mark: float
    grade: str
    full: float
    taken: tuple[Taken, ...]


def marked(findings: Iterable[Finding], how: Judging, n_rows: Mapping[tuple[str, str], int]) -> Mark:
    """Return the mark of some findings; `n_rows` is how many rows there are of file and layer.

    Faults of one rule in one field of a file are one fault: of the whole file it takes the points of its class off, of rows
    in the measure of their share.

    """
    groups: Counter[tuple[str, str, str, str]] = Counter()
    of_rows: Counter[tuple[str, str, str, str]] = Counter()
    for finding in findings:
        group = (finding.rule, finding.file, finding.layer, finding.field)
        groups[group] += 1
        of_rows[group] += finding.row is not None
    taken = []
    for group in groups:
        rule, file, layer, field = group
        points = how.points[how.rules[rule].grade]
        rows = of_rows[group] if of_rows[group] == groups[group] else 0
        if rows:
            share = rows / max(rows, n_rows.get((file, layer), 0))
            points *= max(how.least, min(1.0, share / how.full_at_share))
        taken.append(Taken(rule, file, layer, field, rows, round(points, 4)))
    mark = round(max(0.0, how.full - math.fsum(each.points for each in taken)), 2)
    taken.sort(key=lambda each: -each.points)
    return Mark(mark, how.grade(mark), how.full, tuple(taken))


def table_rows(findings: Sequence[Finding], how: Judging) -> list[tuple[str | int | float | None, ...]]:
    """Return findings as rows of COLUMNS."""
    return [
        (
            each.rule, how.rules[each.rule].grade, how.rules[each.rule].title, each.file, each.layer, each.row, each.key, each.field,
            each.value, each.expected, each.x, each.y,
        )
        for each in findings
    ]  # fmt: skip
