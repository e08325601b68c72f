"""Write what goes back to the supplier of a delivery (退回单): the mark, what was taken off, and every fault with its row and place."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowland_gis.definitions.judging import Judging
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.table import write_rows
from lowland_gis.files.whole import refused, whole
from lowland_gis.loading import when_used
from lowland_gis.products.judging.findings import Finding, Mark, table_rows
from lowland_gis.products.judging.report import findings_sheet, findings_table, note_of
from lowland_gis.products.reports.document import undated
from lowland_gis.products.tables.workbook import MAX_ROWS, Column, SheetContent, write_workbook

if TYPE_CHECKING:
    import docx
    import docx.enum.section
    import docx.oxml.ns
    import docx.shared
    from docx.document import Document
else:
    docx = when_used("docx")

FORMS = (".xlsx", ".docx", ".csv", ".parquet")
TITLE = "数据质量检查退回单"
# So many faults of one rule stand in a document; who wants every one opens the workbook.
_IN_DOCUMENT = 20
_HEADINGS = ("图层", "文件", "供数单位", "记录数", "未采用记录", "问题数", "得分", "等级")
_TAKEN = ("图层", "规则", "错漏类别", "问题", "字段", "有错行数（行）", "扣分")
_FAULTS = ("行", "关键字段值", "字段", "值", "应为", "位置（m）")
_HEAD_ROWS = 3


@dataclass(frozen=True)
class Delivery:
    """One delivery as its supplier knows it, with what was found in it."""

    title: str
    file: str
    supplier: str | None
    n_read: int
    n_rejected: int
    findings: tuple[Finding, ...]
    mark: Mark

    @property
    def row(self) -> tuple[str | int | float | None, ...]:
        """Return the line of the delivery in the table of marks."""
        return (
            self.title, self.file, self.supplier, self.n_read, self.n_rejected, len(self.findings), self.mark.mark, self.mark.grade,
        )  # fmt: skip


def check_target(target: Path) -> None:
    """Refuse another kind of file, before the work is done.

    Raises:
        UsageError: a report is not written in this form.
    """
    if target.suffix.lower() not in FORMS:
        raise UsageError(
            f"{target}: the report is written as {', '.join(FORMS)}. Give the file one of these endings."
        )


def write_returned(deliveries: Sequence[Delivery], how: Judging, target: Path, *, day: date) -> None:
    """Write marks and faults: a workbook or a document for people, a table of faults for programs.

    Raises:
        InputRefusedError: the target cannot be written, or holds fewer rows than there are faults.
    """
    rows = table_rows([finding for each in deliveries for finding in each.findings], how)
    form = target.suffix.lower()
    if form == ".docx":
        content = _document(deliveries, how, day)
        with whole(target) as path, refused(target):
            path.write_bytes(content)
        return
    if form != ".xlsx":
        write_rows(findings_table(rows), target, bom=True)
        return
    if len(rows) > MAX_ROWS - _HEAD_ROWS:
        raise InputRefusedError(
            f"{target}: {len(rows):,} faults, and a sheet ends at {MAX_ROWS:,} rows. Write a .csv."
        )
    sheets = [
        SheetContent("得分", tuple(map(Column, _HEADINGS)), tuple(each.row for each in deliveries)),
        SheetContent("扣分", tuple(map(Column, _TAKEN)), tuple(_taken(deliveries, how))),
        findings_sheet(rows),
    ]
    with whole(target) as path, refused(target):
        write_workbook(path, sheets, title=TITLE, note=note_of(how), dated=day)


def _taken(deliveries: Sequence[Delivery], how: Judging) -> list[tuple[str | int | float | None, ...]]:
    return [
        (each.title, taken.rule, how.rules[taken.rule].grade, how.rules[taken.rule].title, taken.field, taken.rows or None, taken.points)
        for each in deliveries
        for taken in each.mark.taken
    ]  # fmt: skip


def _document(deliveries: Sequence[Delivery], how: Judging, day: date) -> bytes:
    document = docx.Document()
    # A document says when it was made: a fixed moment, or the same input would give other bytes.
    made = datetime.combine(day, datetime.min.time())
    document.core_properties.created = document.core_properties.modified = made
    document.core_properties.title, document.core_properties.author = TITLE, ""
    _with_chinese_font(document)
    _sideways(document)
    document.add_heading(TITLE, level=1)
    document.add_paragraph(f"{day.year}年{day.month}月{day.day}日　{note_of(how)}")
    _table(document, _HEADINGS, [each.row for each in deliveries])
    for each in deliveries:
        if each.findings:
            _section(document, each, how)
    content = io.BytesIO()
    document.save(content)
    return undated(content.getvalue())


def _section(document: Document, delivery: Delivery, how: Judging) -> None:
    document.add_heading(
        f"{delivery.title}：{delivery.mark.mark:g} 分（{delivery.mark.grade}）　{delivery.file}", level=2
    )
    for taken in delivery.mark.taken:
        rule = how.rules[taken.rule]
        found = [one for one in delivery.findings if (one.rule, one.field) == (taken.rule, taken.field)]
        field = f"　字段 {taken.field}" if taken.field else ""
        document.add_heading(
            f"{rule.title}{field}：{len(found):,} 处，{rule.grade} 类，扣 {taken.points:g} 分", level=3
        )
        _table(document, _FAULTS, [_fault(one) for one in found[:_IN_DOCUMENT]])
        if len(found) > _IN_DOCUMENT:
            document.add_paragraph(f"另有 {len(found) - _IN_DOCUMENT:,} 处，见工作簿（.xlsx）“检查结果”。")


def _fault(finding: Finding) -> tuple[str | int | float | None, ...]:
    place = None if finding.x is None or finding.y is None else f"{finding.x:.1f}，{finding.y:.1f}"
    return finding.row, finding.key, finding.field, finding.value, finding.expected, place


def _table(
    document: Document, headings: Sequence[str], rows: Sequence[tuple[str | int | float | None, ...]]
) -> None:
    table = document.add_table(rows=1, cols=len(headings), style="Table Grid")
    for cell, heading in zip(table.rows[0].cells, headings, strict=True):
        cell.paragraphs[0].add_run(heading).bold = True
    for row in rows:
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    # XML holds no control characters.
    return "".join(letter for letter in value if letter.isprintable() or letter == "\n")


def _sideways(document: Document) -> None:
    """Lay the page on its side: the tables have up to eight columns."""
    section = document.sections[0]
    section.orientation = docx.enum.section.WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = docx.shared.Mm(297), docx.shared.Mm(210)
    section.left_margin = section.right_margin = docx.shared.Mm(15)


def _with_chinese_font(document: Document) -> None:
    """Name a font that has Chinese letters for both kinds of text: Word takes another one for each."""
    for name in ("Normal", "Heading 1", "Heading 2", "Heading 3"):
        style: Any = document.styles[name]
        style.font.name = "SimSun" if name == "Normal" else "SimHei"
        style.element.get_or_add_rPr().get_or_add_rFonts().set(docx.oxml.ns.qn("w:eastAsia"), style.font.name)
