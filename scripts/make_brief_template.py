"""Write the shipped Word template of the unit brief (单元规划策划简报); `--check` says whether it is fresh.

Offices edit a copy of it in Word (`lowland report template DIR` writes it); here it is text, so that a change of it can be read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Literal

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.shared import Cm, Pt, RGBColor
from make_report_templates import _BODY, _HEAD, FOLDER, _font, _footer, _run, _saved, _texts

NAME = "unit_brief.docx"
Align = Literal["left", "right", "centre"]
# Heading, placeholder of a cell, its width in cm and how it stands.
Cells = Sequence[tuple[str, str, float, Align]]
_SIDES = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "centre": WD_ALIGN_PARAGRAPH.CENTER,
}
_SIZE = 9.0
_AREAS: Cells = [
    ("名称", "name", 7.0, "left"),
    ("公顷", "ha", 3.0, "right"),
    ("亩", "mu", 3.4, "right"),
    ("占比", "share", 3.0, "right"),
]
_FIGURES: Cells = [
    ("指标", "figure", 6.2, "left"),
    ("数值", "value", 6.6, "left"),
    ("缺少依据", "hangs_on", 3.6, "left"),
]


def main(arguments: list[str]) -> int:
    """Write the template, or say that it is stale."""
    content, path = _saved(brief()), FOLDER / NAME
    if path.is_file() and _texts(path.read_bytes()) == _texts(content):
        return 0
    checks = "--check" in arguments
    if not checks:
        path.write_bytes(content)
    print(f"{'stale' if checks else 'written'}: {NAME}")
    return int(checks)


def brief() -> Any:
    """Return the template."""
    made = Document()
    section = made.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.3)
    section.top_margin, section.bottom_margin = Cm(2.0), Cm(1.9)
    _font(made.styles["Normal"], _BODY, 10.5)
    made.styles["Normal"].paragraph_format.space_after = Pt(3)
    _font(made.styles["Heading 1"], _HEAD, 13)
    made.styles["Heading 1"].paragraph_format.space_before = Pt(9)
    made.styles["Heading 1"].paragraph_format.space_after = Pt(3)
    _top(made)
    _footer(section)
    _where(made)
    _now(made)
    _lacking(made)
    _plan(made)
    _potential(made)
    _proposal(made)
    _benefit(made)
    _tools(made)
    _phases(made)
    _resting(made)
    return made


def _top(made: Any) -> None:
    _centred(made, "{{ district }}低效用地再开发单元规划策划简报", 17, _HEAD)
    _centred(made, "{{ title }}", 13, _HEAD)
    for name in ("mark", "stale"):
        _if(made, name)
        _centred(made, f"【{{{{ {name} }}}}】", 10.5, _HEAD, RGBColor(0xB0, 0x2A, 0x1E))
        _end(made)


def _where(made: Any) -> None:
    made.add_heading("一、区位与范围", 1)
    _table(made, "facts", [("项目", "item", 5.2, "left"), ("内容", "value", 11.2, "left")])
    _centred(made, "{{ map }}", 9, _BODY)
    made.paragraphs[-1].paragraph_format.space_before = Pt(6)
    _line(made, "{{ bounds }}")


def _now(made: Any) -> None:
    made.add_heading("二、现状", 1)
    _titled(made, "now_kinds", "按用地类型", _AREAS)
    _titled(made, "now_owners", "按权属", _AREAS)
    cells: Cells = [
        ("宗地代码", "parcel", 4.8, "left"), ("类型", "kind", 2.9, "left"), ("公顷", "ha", 1.6, "right"),
        ("现状建筑面积 m²", "floor", 2.9, "right"), ("可增建筑面积 m²", "gain", 4.2, "right"),
    ]  # fmt: skip
    _titled(made, "parcels", "宗地（按面积）", cells)
    _if(made, "parcels_rest")
    _line(made, "{{ parcels_rest }}")
    _end(made)


def _lacking(made: Any) -> None:
    made.add_heading("三、问题与缺件", 1)
    made.add_paragraph("{%p for problem in problems %}")
    _line(made, "{{ problem }}")
    made.add_paragraph("{%p endfor %}")
    cells: Cells = [
        ("责任单位", "office", 3.6, "left"), ("需补材料", "needed", 5.0, "left"), ("待核事项", "clause", 4.4, "left"),
        ("宗数", "n", 1.5, "right"), ("公顷", "ha", 1.9, "right"),
    ]  # fmt: skip
    _if(made, "papers")
    _table(made, "papers", cells)
    made.add_paragraph("{%p else %}")
    _line(made, "各宗地认定所需材料齐备，没有待核事项。")
    _end(made)
    _if(made, "papers_more")
    _line(made, "{{ papers_more }}")
    _end(made)


def _plan(made: Any) -> None:
    made.add_heading("四、规划情况", 1)
    _titled(made, "plan_uses", "按详细规划用途", _AREAS)
    _titled(made, "plan_zones", "按规划分区", _AREAS)


def _potential(made: Any) -> None:
    made.add_heading("五、再开发潜力", 1)
    _table(made, "potential", _FIGURES)


def _proposal(made: Any) -> None:
    made.add_heading("六、方案与比选", 1)
    _line(made, "{{ proposal }}")
    _if(made, "public_need")
    _line(made, "{{ public_need }}")
    _end(made)
    cells: Cells = [
        ("排序", "rank", 1.2, "centre"),
        ("用途", "use", 3.4, "left"),
        ("得分", "score", 2.2, "left"),
        ("理由", "reasons", 9.6, "left"),
    ]
    _titled(made, "uses", "再开发用途比选", cells)
    _titled(made, "money", "两种方式资金测算（支出为负）", _FIGURES)
    _line(made, "盈亏按同一再开发比例逐宗计算，故其区间窄于各行相加。{{ alternative }}")


def _benefit(made: Any) -> None:
    made.add_heading("七、公益性用地", 1)
    _table(made, "benefit", _FIGURES)
    _if(made, "benefit_uses")
    _titled(made, "benefit_uses", "规划公益性用地按用途", _AREAS)
    _end(made)


def _tools(made: Any) -> None:
    made.add_heading("八、适用政策工具", 1)
    cells: Cells = [
        ("工具", "tool", 6.0, "left"),
        ("适用情形", "why", 5.4, "left"),
        ("宗数", "n", 2.2, "right"),
        ("公顷", "ha", 2.8, "right"),
    ]
    _if(made, "tools")
    _table(made, "tools", cells)
    made.add_paragraph("{%p else %}")
    _line(made, "规则包没有给出适用的政策工具。")
    _end(made)
    _if(made, "tools_source")
    _small(made, "依据：{{ tools_source }}")
    _end(made)


def _phases(made: Any) -> None:
    made.add_heading("九、实施时序", 1)
    cells: Cells = [
        ("时序", "title", 2.4, "left"),
        ("条件", "what", 9.2, "left"),
        ("宗数", "n", 2.0, "right"),
        ("公顷", "ha", 2.8, "right"),
    ]
    _table(made, "phases", cells)
    made.add_paragraph("{%p for row in steps %}")
    _line(made, "{{ row.way }}：{{ row.steps }}。")
    made.add_paragraph("{%p endfor %}")
    _small(made, "依据：{{ phase_source }}")


def _resting(made: Any) -> None:
    made.add_heading("十、测算参数与数据说明", 1)
    cells: Cells = [
        ("参数", "title", 4.2, "left"),
        ("适用", "land", 2.5, "left"),
        ("取值", "value", 4.0, "left"),
        ("依据", "document", 5.7, "left"),
    ]
    _table(made, "parameters", cells, 8.0)
    _small(made, "数值为上下限的，是依据不全或参数为区间时可能的最小、最大值；“未知”不作零计。{{ source }}。")


def _titled(made: Any, rows: str, title: str, cells: Cells) -> None:
    caption = made.add_paragraph()
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_before = Pt(4)
    _run(caption, title, _HEAD, 9.5)
    _table(made, rows, cells)


def _table(made: Any, rows: str, cells: Cells, size: float = _SIZE) -> None:
    """Add a table of rows: its headings stand on every page, and no row is cut in two."""
    table = made.add_table(4, len(cells), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    for place, (heading, name, width, side) in enumerate(cells):
        # Word takes the widths of cells, LibreOffice those of columns.
        table.columns[place].width = Cm(width)
        for row in table.rows:
            row.cells[place].width = Cm(width)
        _cell(table.rows[0].cells[place], heading, size, _HEAD, "centre")
        _cell(table.rows[2].cells[place], f"{{{{ row.{name} }}}}", size, _BODY, side)
    _cell(table.rows[1].cells[0], f"{{%tr for row in {rows} %}}", size, _BODY, "left")
    _cell(table.rows[3].cells[0], "{%tr endfor %}", size, _BODY, "left")
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for row in table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _cell(cell: Any, text: str, size: float, font: str, side: Align) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1)
    paragraph.alignment = _SIDES[side]
    _run(paragraph, text, font, size)


def _if(made: Any, name: str) -> None:
    made.add_paragraph(f"{{%p if {name} %}}")


def _end(made: Any) -> None:
    made.add_paragraph("{%p endif %}")


def _centred(made: Any, text: str, size: float, font: str, colour: RGBColor | None = None) -> None:
    line = made.add_paragraph()
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(line, text, font, size, colour)


def _line(made: Any, text: str) -> None:
    line = made.add_paragraph()
    line.paragraph_format.first_line_indent = Pt(21)
    line.paragraph_format.line_spacing = 1.25
    line.paragraph_format.space_before = Pt(3)
    _run(line, text, _BODY, 10.5)


def _small(made: Any, text: str) -> None:
    line = made.add_paragraph()
    line.paragraph_format.space_before = Pt(3)
    _run(line, text, _BODY, 8.5)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
