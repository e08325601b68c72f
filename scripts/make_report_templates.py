"""Write the shipped Word templates of reports into src/lowland_gis/products/reports/templates; `--check` says whether they are fresh.

Offices edit copies of them in Word (`lowland report template DIR`); here they are text, so that a change of one can be read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt
from word_template import (
    BODY,
    HEAD,
    Align,
    begun,
    centred,
    each,
    end,
    end_each,
    marks,
    numbered,
    run,
    table,
    when,
    write,
)

# Heading, placeholder of a cell, and its width in cm.
Cells = Sequence[tuple[str, str, float]]
# What is text stands left, all else is a number.
_TEXTS = frozenset(
    {"kind", "town", "group", "state", "register", "move", "problem", "office", "item", "value"}
)


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
    made = begun((2.5, 2.4, 2.4), 11, {1: 15, 2: 12})
    centred(made, "{{ district }}低效用地再开发{{ title }}", 20, HEAD)
    centred(made, "{{ period_said }}", 12, BODY)
    centred(made, "报送：{{ recipient }}　　统计时点：{{ on }}　　数据时点：{{ data_date }}", 10, BODY)
    marks(made, 11)
    numbered(made)
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
    when(made, "cases")
    _heading(made, "典型案例")
    each(made, "case", "cases")
    made.add_heading("{{ case.town }}　{{ case.parcel }}", 2)
    _line(
        made,
        "{{ case.location }}，{{ case.kind }}，{{ case.ha }} 公顷（{{ case.mu }} 亩），责任专班：{{ case.group }}，办理状态：{{ case.state }}。",
    )
    _centred(made, "{{ case.map }}")
    each(made, "photo", "case.photos")
    _centred(made, "{{ photo.image }}")
    _centred(made, "{{ photo.title }}")
    end_each(made)
    end_each(made)
    end(made)


def _definitions(made: Any) -> None:
    _heading(made, "附：数据说明")
    each(made, "note", "notes")
    _line(made, "{{ note }}")
    end_each(made)
    _rows(made, [("项目", "item", 5), ("内容", "value", 11)], "definitions", 8.5)


def _table(made: Any, name: str, cells: Cells, size: float = 9.5) -> None:
    """Add a table with its title and its note; without rows the note alone stands there."""
    when(made, f"{name}.rows")
    caption = made.add_paragraph()
    caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_before = Pt(8)
    run(caption, f"{{{{ {name}.title }}}}", HEAD, 10.5)
    _rows(made, cells, f"{name}.rows", size)
    end(made)
    when(made, f"{name}.note")
    note = made.add_paragraph()
    note.paragraph_format.space_before = Pt(5)
    run(note, f"{{{{ {name}.note }}}}", BODY, 9)
    end(made)


def _rows(made: Any, cells: Cells, rows: str, size: float) -> None:
    placed: list[tuple[str, str, float, Align]] = [
        (*cell, "left" if cell[1] in _TEXTS else "right") for cell in cells
    ]
    table(made, rows, placed, size, around_pt=2, shaded=True)


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
    when(made, f"{name}")
    _centred(made, f"{{{{ {name} }}}}")
    end(made)


if __name__ == "__main__":
    sys.exit(write(TEMPLATES, sys.argv[1:]))
