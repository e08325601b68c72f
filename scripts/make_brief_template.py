"""Write the shipped Word template of the unit brief (单元规划策划简报); `--check` says whether it is fresh.

Offices edit a copy of it in Word (`lowland report template DIR` writes it); here it is text, so that a change of it can be read.
"""

from __future__ import annotations

import sys
from typing import Any

from docx.shared import Pt
from word_template import (
    BODY,
    HEAD,
    Cells,
    begun,
    centred,
    each,
    end,
    end_each,
    marks,
    numbered,
    otherwise,
    run,
    table,
    when,
    write,
)

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


def brief() -> Any:
    """Return the template."""
    made = begun((2.3, 2.0, 1.9), 10.5, {1: 13})
    made.styles["Normal"].paragraph_format.space_after = Pt(3)
    made.styles["Heading 1"].paragraph_format.space_before = Pt(9)
    made.styles["Heading 1"].paragraph_format.space_after = Pt(3)
    _top(made)
    numbered(made)
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
    centred(made, "{{ district }}低效用地再开发单元规划策划简报", 17, HEAD)
    centred(made, "{{ title }}", 13, HEAD)
    marks(made, 10.5)


def _where(made: Any) -> None:
    made.add_heading("一、区位与范围", 1)
    table(made, "facts", [("项目", "item", 5.2, "left"), ("内容", "value", 11.2, "left")], _SIZE)
    centred(made, "{{ map }}", 9, BODY)
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
    when(made, "parcels_rest")
    _line(made, "{{ parcels_rest }}")
    end(made)


def _lacking(made: Any) -> None:
    made.add_heading("三、问题与缺件", 1)
    each(made, "problem", "problems")
    _line(made, "{{ problem }}")
    end_each(made)
    cells: Cells = [
        ("责任单位", "office", 3.6, "left"), ("需补材料", "needed", 5.0, "left"), ("待核事项", "clause", 4.4, "left"),
        ("宗数", "n", 1.5, "right"), ("公顷", "ha", 1.9, "right"),
    ]  # fmt: skip
    when(made, "papers")
    table(made, "papers", cells, _SIZE)
    otherwise(made)
    _line(made, "各宗地认定所需材料齐备，没有待核事项。")
    end(made)
    when(made, "papers_more")
    _line(made, "{{ papers_more }}")
    end(made)


def _plan(made: Any) -> None:
    made.add_heading("四、规划情况", 1)
    _titled(made, "plan_uses", "按详细规划用途", _AREAS)
    _titled(made, "plan_zones", "按规划分区", _AREAS)


def _potential(made: Any) -> None:
    made.add_heading("五、再开发潜力", 1)
    table(made, "potential", _FIGURES, _SIZE)


def _proposal(made: Any) -> None:
    made.add_heading("六、方案与比选", 1)
    _line(made, "{{ proposal }}")
    when(made, "public_need")
    _line(made, "{{ public_need }}")
    end(made)
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
    table(made, "benefit", _FIGURES, _SIZE)
    when(made, "benefit_uses")
    _titled(made, "benefit_uses", "规划公益性用地按用途", _AREAS)
    end(made)


def _tools(made: Any) -> None:
    made.add_heading("八、适用政策工具", 1)
    cells: Cells = [
        ("工具", "tool", 6.0, "left"),
        ("适用情形", "why", 5.4, "left"),
        ("宗数", "n", 2.2, "right"),
        ("公顷", "ha", 2.8, "right"),
    ]
    when(made, "tools")
    table(made, "tools", cells, _SIZE)
    otherwise(made)
    _line(made, "规则包没有给出适用的政策工具。")
    end(made)
    when(made, "tools_source")
    _small(made, "依据：{{ tools_source }}")
    end(made)


def _phases(made: Any) -> None:
    made.add_heading("九、实施时序", 1)
    cells: Cells = [
        ("时序", "title", 2.4, "left"),
        ("条件", "what", 9.2, "left"),
        ("宗数", "n", 2.0, "right"),
        ("公顷", "ha", 2.8, "right"),
    ]
    table(made, "phases", cells, _SIZE)
    each(made, "row", "steps")
    _line(made, "{{ row.way }}：{{ row.steps }}。")
    end_each(made)
    _small(made, "依据：{{ phase_source }}")


def _resting(made: Any) -> None:
    made.add_heading("十、测算参数与数据说明", 1)
    cells: Cells = [
        ("参数", "title", 4.2, "left"),
        ("适用", "land", 2.5, "left"),
        ("取值", "value", 4.0, "left"),
        ("依据", "document", 5.7, "left"),
    ]
    table(made, "parameters", cells, 8.0)
    _small(made, "数值为上下限的，是依据不全或参数为区间时可能的最小、最大值；“未知”不作零计。{{ source }}。")


def _titled(made: Any, rows: str, title: str, cells: Cells) -> None:
    caption = made.add_paragraph()
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_before = Pt(4)
    run(caption, title, HEAD, 9.5)
    table(made, rows, cells, _SIZE)


def _line(made: Any, text: str) -> None:
    line = made.add_paragraph()
    line.paragraph_format.first_line_indent = Pt(21)
    line.paragraph_format.line_spacing = 1.25
    line.paragraph_format.space_before = Pt(3)
    run(line, text, BODY, 10.5)


def _small(made: Any, text: str) -> None:
    line = made.add_paragraph()
    line.paragraph_format.space_before = Pt(3)
    run(line, text, BODY, 8.5)


if __name__ == "__main__":
    sys.exit(write({"unit_brief": brief}, sys.argv[1:]))
