"""Write the shipped Word templates of reports into src/lowland_gis/products/reports/templates; `--check` says whether they are fresh.

Offices edit copies of them in Word (`lowland report template DIR`); here they are text, so that a change of one can be read.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

FOLDER = Path(__file__).resolve().parent.parent / "src/lowland_gis/products/reports/templates"
_HEAD, _BODY = "黑体", "宋体"
_NO_DAY = (1980, 1, 1, 0, 0, 0)
# Heading, placeholder of a cell, and its width in cm.
Cells = Sequence[tuple[str, str, float]]


def main(arguments: list[str]) -> int:
    """Write the templates, or say which are stale."""
    stale = []
    for name, make in TEMPLATES.items():
        content = _saved(make())
        path = FOLDER / f"{name}.docx"
        if path.is_file() and _texts(path.read_bytes()) == _texts(content):
            continue
        stale.append(path.name)
        if "--check" not in arguments:
            FOLDER.mkdir(exist_ok=True)
            path.write_bytes(content)
    if stale:
        print(f"{'stale' if '--check' in arguments else 'written'}: {', '.join(stale)}")
    return int(bool(stale) and "--check" in arguments)


def bulletin() -> Any:
    """工作简报: what is so, what was done in two months, and what is in the way."""
    made = _begun()
    _heading(made, "一、总体情况")
    _whole(made)
    _changed(made)
    _heading(made, "二、分类型、分镇街情况")
    _kinds(made)
    _towns(made)
    _heading(made, "三、本期办理情况")
    _events(made)
    _states(made)
    _heading(made, "四、实施计划进展")
    _plan(made)
    _heading(made, "五、存在问题")
    _problems(made)
    _cases(made)
    _definitions(made)
    return made


def midyear() -> Any:
    """工作进展报告: plan and actual of the towns, half a year."""
    made = _begun()
    _heading(made, "一、计划与实际")
    _plan(made)
    _heading(made, "二、低效用地总体情况")
    _whole(made)
    _kinds(made)
    _towns(made)
    _changed(made)
    _heading(made, "三、上半年办理情况")
    _events(made)
    _states(made)
    _registers(made)
    _heading(made, "四、分责任专班")
    _groups(made)
    _heading(made, "五、存在问题")
    _problems(made)
    _cases(made)
    _definitions(made)
    return made


def annual() -> Any:
    """年度工作总结报告: the totals of a year, and cases."""
    made = _begun()
    _heading(made, "一、总体情况")
    _whole(made)
    _kinds(made)
    _towns(made)
    _changed(made)
    _heading(made, "二、三库建设与办理情况")
    _registers(made)
    _states(made)
    _events(made)
    _heading(made, "三、年度计划完成情况")
    _plan(made)
    _heading(made, "四、责任分工")
    _groups(made)
    _heading(made, "五、再开发潜力")
    _potential(made)
    _heading(made, "六、存在问题")
    _problems(made)
    _cases(made)
    _definitions(made)
    return made


def evaluation() -> Any:
    """中期评估报告、试点总结报告: how far the pilot has come, and what is left."""
    made = _begun()
    _heading(made, "一、评估结论")
    _whole(made)
    _line(
        made,
        "已划定再开发单元 {{ n_units }} 个，可再开发潜力 {{ potential_area.ha }} 公顷（{{ potential_area.mu }} 亩）。",
    )
    _changed(made)
    _heading(made, "二、低效用地数据库")
    _kinds(made)
    _towns(made)
    _groups(made)
    _heading(made, "三、三库与程序执行")
    _registers(made)
    _states(made)
    _events(made)
    _heading(made, "四、计划执行")
    _plan(made)
    _heading(made, "五、再开发潜力")
    _potential(made)
    _heading(made, "六、问题与建议")
    _problems(made)
    _cases(made)
    _definitions(made)
    return made


TEMPLATES: dict[str, Callable[[], Any]] = {
    "bulletin": bulletin,
    "midyear": midyear,
    "annual": annual,
    "evaluation": evaluation,
}


def _begun() -> Any:
    made = Document()
    section = made.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    section.top_margin = section.bottom_margin = Cm(2.4)
    _font(made.styles["Normal"], _BODY, 11)
    for number, size in ((1, 15), (2, 12)):
        _font(made.styles[f"Heading {number}"], _HEAD, size)
    title = made.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(title, "{{ district }}低效用地再开发{{ title }}", _HEAD, 20)
    under = made.add_paragraph()
    under.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(under, "{{ period_said }}", _BODY, 12)
    facts = made.add_paragraph()
    facts.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(facts, "报送：{{ recipient }}　　统计时点：{{ on }}　　数据时点：{{ data_date }}", _BODY, 10)
    for name in ("mark", "stale"):
        made.add_paragraph(f"{{%p if {name} %}}")
        marked = made.add_paragraph()
        marked.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _run(marked, f"【{{{{ {name} }}}}】", _HEAD, 11, RGBColor(0xB0, 0x2A, 0x1E))
        made.add_paragraph("{%p endif %}")
    _footer(section)
    return made


def _whole(made: Any) -> None:
    _line(
        made,
        "截至{{ on }}，全区参与认定宗地 {{ assessed.n }} 宗、{{ assessed.ha }} 公顷；认定低效用地 {{ low.n }} 宗、{{ low.ha }} 公顷（{{ low.mu }} 亩）；"
        "待核 {{ open.n }} 宗、{{ open.ha }} 公顷。未决问题 {{ n_problems }} 条。",
    )


def _kinds(made: Any) -> None:
    _table(
        made,
        "kinds",
        [("类型", "kind", 5.5), ("宗数", "n", 3), ("面积 公顷", "ha", 3.5), ("面积 亩", "mu", 3.5)],
    )
    _picture(made, "chart_kinds")


def _towns(made: Any) -> None:
    _table(
        made,
        "towns",
        [
            ("镇街", "town", 4),
            ("类型", "kind", 4),
            ("宗数", "n", 2),
            ("面积 公顷", "ha", 3),
            ("面积 亩", "mu", 3),
        ],
    )
    _picture(made, "chart_towns")


def _groups(made: Any) -> None:
    _table(
        made,
        "groups",
        [("责任专班", "group", 5.5), ("宗数", "n", 3), ("面积 公顷", "ha", 3.5), ("面积 亩", "mu", 3.5)],
    )


def _states(made: Any) -> None:
    _table(
        made,
        "states",
        [("状态", "state", 5.5), ("宗数", "n", 3), ("面积 公顷", "ha", 3.5), ("面积 亩", "mu", 3.5)],
    )


def _registers(made: Any) -> None:
    _table(
        made,
        "registers",
        [
            ("数据库", "register", 5),
            ("状态", "state", 3),
            ("条目", "n", 2.5),
            ("面积 公顷", "ha", 2.75),
            ("面积 亩", "mu", 2.75),
        ],
    )


def _potential(made: Any) -> None:
    cells = [
        ("类型", "kind", 4),
        ("低效用地 公顷", "low", 3),
        ("已划入单元 公顷", "units", 3),
        ("再开发中或已处置 公顷", "going", 3),
        ("潜力 公顷", "left", 3),
    ]
    _table(made, "potential", cells)


def _events(made: Any) -> None:
    _table(
        made,
        "events",
        [
            ("数据库", "register", 5.5),
            ("办理事项", "move", 5),
            ("条目", "n", 2.5),
            ("其中程序起草", "by_program", 3),
        ],
    )


def _changed(made: Any) -> None:
    cells = [
        ("类型", "kind", 3.6), ("上期宗数", "before_n", 2), ("本期宗数", "n", 2), ("增减", "more_n", 1.6),
        ("上期 公顷", "before", 2.3), ("本期 公顷", "now", 2.3), ("增减 公顷", "more", 2.2),
    ]  # fmt: skip
    _table(made, "changes", cells)


def _plan(made: Any) -> None:
    cells = [
        ("镇街", "town", 2.4), ("项目", "projects", 1.3), ("未实施", "not_started", 1.3), ("正在实施", "in_progress", 1.4), ("已完成", "done", 1.3),
        ("未报进度", "unreported", 1.3), ("滞后", "late", 1.2), ("计划 公顷", "planned_m2", 1.9), ("完成 公顷", "done_m2", 1.9),
        ("计划投资 万元", "planned_wan", 2.1), ("完成投资 万元", "done_wan", 2.1),
    ]  # fmt: skip
    _table(made, "plan", cells, size=8)
    _picture(made, "chart_plan")


def _problems(made: Any) -> None:
    _table(
        made,
        "problems",
        [("问题", "problem", 8), ("责任单位", "office", 4.6), ("条目", "n", 1.8), ("宗地", "parcels", 1.8)],
    )


def _cases(made: Any) -> None:
    made.add_paragraph("{%p if cases %}")
    _heading(made, "典型案例")
    made.add_paragraph("{%p for case in cases %}")
    made.add_heading("{{ case.town }}　{{ case.parcel }}", 2)
    _line(
        made,
        "{{ case.location }}，{{ case.kind }}，{{ case.ha }} 公顷（{{ case.mu }} 亩），责任专班：{{ case.group }}，办理状态：{{ case.state }}。",
    )
    _centred(made, "{{ case.map }}")
    made.add_paragraph("{%p for photo in case.photos %}")
    _centred(made, "{{ photo.image }}")
    _centred(made, "{{ photo.title }}")
    made.add_paragraph("{%p endfor %}")
    made.add_paragraph("{%p endfor %}")
    made.add_paragraph("{%p endif %}")


def _definitions(made: Any) -> None:
    _heading(made, "附：数据说明")
    made.add_paragraph("{%p for note in notes %}")
    _line(made, "{{ note }}")
    made.add_paragraph("{%p endfor %}")
    _rows(made, [("项目", "item", 5), ("内容", "value", 11)], "definitions", 8.5)


def _table(made: Any, name: str, cells: Cells, size: float = 9.5) -> None:
    """Add a table with its title and its note; without rows the note alone stands there."""
    made.add_paragraph(f"{{%p if {name}.rows %}}")
    caption = made.add_paragraph()
    caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_before = Pt(8)
    _run(caption, f"{{{{ {name}.title }}}}", _HEAD, 10.5)
    _rows(made, cells, f"{name}.rows", size)
    made.add_paragraph("{%p endif %}")
    made.add_paragraph(f"{{%p if {name}.note %}}")
    note = made.add_paragraph()
    note.paragraph_format.space_before = Pt(5)
    _run(note, f"{{{{ {name}.note }}}}", _BODY, 9)
    made.add_paragraph("{%p endif %}")


def _rows(made: Any, cells: Cells, rows: str, size: float) -> None:
    table = made.add_table(4, len(cells), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    # The widths of the columns too: not every program looks at those of the cells.
    table.autofit = False
    for column, (_, _, width) in zip(table.columns, cells, strict=True):
        column.width = Cm(width)
    for place, (heading, name, width) in enumerate(cells):
        for row in table.rows:
            row.cells[place].width = Cm(width)
        _cell(table.rows[0].cells[place], heading, size, _HEAD, centred=True)
        text = name in {
            "kind",
            "town",
            "group",
            "state",
            "register",
            "move",
            "problem",
            "office",
            "item",
            "value",
        }
        _cell(table.rows[2].cells[place], f"{{{{ row.{name} }}}}", size, _BODY, centred=False, right=not text)
    _cell(table.rows[1].cells[0], f"{{%tr for row in {rows} %}}", size, _BODY, centred=False)
    _cell(table.rows[3].cells[0], "{%tr endfor %}", size, _BODY, centred=False)
    for cell in table.rows[0].cells:
        shade = OxmlElement("w:shd")
        for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", "E7ECEF")):
            shade.set(qn(name), value)
        cell._tc.get_or_add_tcPr().append(shade)
    # The headings stand on every page, and no row is cut in two.
    repeated = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeated)
    for row in table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _cell(cell: Any, text: str, size: float, font: str, *, centred: bool, right: bool = False) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
    paragraph.alignment = (
        WD_ALIGN_PARAGRAPH.CENTER
        if centred
        else WD_ALIGN_PARAGRAPH.RIGHT
        if right
        else WD_ALIGN_PARAGRAPH.LEFT
    )
    _run(paragraph, text, font, size)


def _heading(made: Any, text: str) -> None:
    made.add_heading(text, 1)


def _line(made: Any, text: str) -> None:
    line = made.add_paragraph(text)
    line.paragraph_format.first_line_indent = Pt(22)
    line.paragraph_format.line_spacing = 1.4


def _centred(made: Any, text: str) -> None:
    line = made.add_paragraph(text)
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _picture(made: Any, name: str) -> None:
    made.add_paragraph(f"{{%p if {name} %}}")
    _centred(made, f"{{{{ {name} }}}}")
    made.add_paragraph("{%p endif %}")


def _footer(section: Any) -> None:
    """Put the number of the page below it."""
    paragraph = section.footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        run = paragraph.add_run()
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = text
        run._r.append(part)


def _run(paragraph: Any, text: str, font: str, size: float, colour: RGBColor | None = None) -> None:
    run = paragraph.add_run(text)
    _font(run, font, size)
    if colour is not None:
        run.font.color.rgb = colour


def _font(item: Any, name: str, size: float) -> None:
    item.font.name, item.font.size = name, Pt(size)
    item.font.color.rgb = RGBColor(0, 0, 0)
    properties = (
        item.element.get_or_add_rPr()
        if hasattr(item.element, "get_or_add_rPr")
        else item._element.get_or_add_rPr()
    )
    fonts = properties.get_or_add_rFonts()
    for side in ("w:eastAsia", "w:ascii", "w:hAnsi"):
        fonts.set(qn(side), name)


def _saved(made: Any) -> bytes:
    sink = io.BytesIO()
    made.core_properties.author = "lowland"
    made.core_properties.title = ""
    made.save(sink)
    again = io.BytesIO()
    with zipfile.ZipFile(sink) as before, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as after:
        for item in before.infolist():
            part = zipfile.ZipInfo(item.filename, _NO_DAY)
            part.compress_type = zipfile.ZIP_DEFLATED
            after.writestr(part, before.read(item))
    return again.getvalue()


def _texts(content: bytes) -> dict[str, bytes]:
    """Return the parts of a document that say what it is; another release may pack them otherwise."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return {
            name: parts.read(name)
            for name in ("word/document.xml", "word/footer1.xml", "word/styles.xml")
            if name in parts.namelist()
        }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
