"""Write what was found in a package: as a workbook or a CSV for people, as a GeoPackage for QGIS."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from lowland_gis.definitions.judging import Judging
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.exported.geodatabase import write_gpkg
from lowland_gis.files.exported.layer import Layer
from lowland_gis.files.gdal_path import GDAL_ERRORS
from lowland_gis.files.table import write_rows
from lowland_gis.files.whole import refused, whole, whole_set
from lowland_gis.products.judging.findings import COLUMNS, HEADINGS, Finding, Mark, table_rows
from lowland_gis.products.judging.judge import Judged
from lowland_gis.products.tables.workbook import MAX_ROWS, Column, SheetContent, write_workbook

TABLES = (".xlsx", ".csv", ".parquet")
LAYER = "findings"
_HEAD_ROWS = 3
_TYPES = {"row": pa.int64(), "x": pa.float64(), "y": pa.float64()}


def check_table(target: Path) -> None:
    """Refuse a table of another kind, before the work is done.

    Raises:
        UsageError: tables of findings are not written in this form.
    """
    if target.suffix.lower() not in TABLES:
        raise UsageError(
            f"{target}: findings are written as {', '.join(TABLES)}. Give the file one of these endings."
        )


def check_layer(target: Path) -> None:
    """Refuse a layer of another kind, before the work is done.

    Raises:
        UsageError: it is no GeoPackage.
    """
    if target.suffix.lower() != ".gpkg":
        raise UsageError(
            f"{target}: findings with their places are written as .gpkg. Give the file this ending."
        )


def write_table(judged: Judged, mark: Mark, how: Judging, target: Path, *, package: str, day: date) -> None:
    """Write findings; a workbook has the mark and what was taken off on sheets of their own.

    Raises:
        InputRefusedError: the target cannot be written, or holds fewer rows than there are findings.
    """
    rows = table_rows(judged.findings, how)
    if target.suffix.lower() != ".xlsx":
        write_rows(findings_table(rows), target, bom=True)
        return
    if len(rows) > MAX_ROWS - _HEAD_ROWS:
        raise InputRefusedError(
            f"{target}: {len(rows):,} findings, and a sheet ends at {MAX_ROWS:,} rows. Write a .csv."
        )
    found = findings_sheet(rows)
    note = note_of(how)
    with whole(target) as path, refused(target):
        write_workbook(
            path, [_mark_sheet(mark, how), found], title=f"成果包检查：{package}", note=note, dated=day
        )


def note_of(how: Judging) -> str:
    """Return what stands below the title of a mark: where its weights come from, and that they are an example where they are."""
    return f"{how.title}；{how.source}" if how.example else how.source


def findings_sheet(rows: Sequence[tuple[str | int | float | None, ...]]) -> SheetContent:
    """Return findings, as rows of COLUMNS, as a sheet."""
    return SheetContent("检查结果", tuple(Column(heading) for heading in HEADINGS), tuple(map(_short, rows)))


def findings_table(rows: Sequence[tuple[str | int | float | None, ...]]) -> pa.Table:
    """Return findings, as rows of COLUMNS, as an Arrow table."""
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    return pa.table(
        {
            name: pa.array(values, _TYPES.get(name, pa.string()))
            for name, values in zip(COLUMNS, columns, strict=True)
        }
    )


def write_layer(
    findings: Sequence[Finding], how: Judging, target: Path, *, crs: str | None, title: str = "成果包检查结果"
) -> None:
    """Write all findings as points in their plane; those without a place have no shape.

    Raises:
        InputRefusedError: the target cannot be written.
    """
    table = findings_table(table_rows(findings, how))
    points = np.full(len(findings), None, dtype=object)
    for row, finding in enumerate(findings):
        if finding.x is not None and finding.y is not None:
            points[row] = shapely.Point(finding.x, finding.y)
    layer = Layer(
        LAYER,
        table,
        points,
        crs,
        title=title,
        titles=dict(zip(COLUMNS, HEADINGS, strict=True)),
    )
    with whole_set(target) as path, refused(target, *GDAL_ERRORS, pa.ArrowException):
        write_gpkg([layer], path, date(2000, 1, 1))


def _short(row: tuple[str | int | float | None, ...]) -> tuple[str | int | float | None, ...]:
    """Return a row whose texts fit a cell."""
    return tuple(cell[:10_000] if isinstance(cell, str) else cell for cell in row)


def _mark_sheet(mark: Mark, how: Judging) -> SheetContent:
    columns = ("规则", "错漏类别", "问题", "文件", "图层或工作表", "字段", "有错行数（行）", "扣分")
    rows: list[tuple[str | int | float | None, ...]] = [
        ("", "", f"得分 {mark.mark:g} / {mark.full:g}", mark.grade, "", "", None, None)
    ]
    rows += [
        (
            each.rule, how.rules[each.rule].grade, how.rules[each.rule].title, each.file, each.layer, each.field, each.rows or None,
            each.points,
        )
        for each in mark.taken
    ]  # fmt: skip
    return SheetContent("得分", tuple(Column(heading) for heading in columns), tuple(rows))


def summary(findings: Sequence[Finding], mark: Mark, how: Judging) -> list[tuple[str, ...]]:
    """Return one line for each rule, file, layer and field: class, what it is, how many, the first one, and the points."""
    first: dict[tuple[str, str, str, str], Finding] = {}
    counts: dict[tuple[str, str, str, str], int] = {}
    for each in findings:
        group = (each.rule, each.file, each.layer, each.field)
        first.setdefault(group, each)
        counts[group] = counts.get(group, 0) + 1
    lines: list[tuple[str, ...]] = []
    for taken in mark.taken:
        group = (taken.rule, taken.file, taken.layer, taken.field)
        one, rule = first[group], how.rules[taken.rule]
        row = "" if one.row is None else f"row {one.row}"
        said = " ".join(part for part in (row, one.key or "") if part)
        change = f"{one.value or '∅'} → {one.expected}" if one.expected else one.value or ""
        lines.append(
            (rule.grade, taken.rule, rule.title, taken.file, taken.layer, taken.field, f"{counts[group]:,}", said, change, f"{taken.points:g}")
        )  # fmt: skip
    return lines
