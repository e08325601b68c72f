"""The form of the annual plan (年度实施计划): a sheet for what is planned, one for how far the projects of the year before have come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lowland_gis.analysis.fields.form import Choices, Form, FormColumn, FormSheet
from lowland_gis.analysis.registry.plan_known import KnownUnit
from lowland_gis.analysis.registry.plan_terms import Terms

PLAN, PROGRESS = "计划", "进度"
_STEP = "步骤须属于该项目类型，见“说明”"

PLAN_COLUMNS = (
    FormColumn("town_code", "镇街代码", "code", "镇街的代码（文本），从列表选择", choices="town", checked=False, given=True),
    FormColumn("number", "项目编号", "code", "镇街代码-首次列入年份-序号，如 120113101-2026-01；续建项目沿用原编号", given=True),
    FormColumn("title", "项目名称", "text", "项目名称"),
    FormColumn("kind", "项目类型", "choice", "项目类型，决定其步骤", choices="kind"),
    FormColumn("unit", "单元编号", "code", "已冻结的再开发单元；企业、城中村改造、城市更新必填，一个单元一行", needed=False, choices="unit", checked=False),
    FormColumn("developer", "开发主体", "text", "负责实施的单位全称"),
    FormColumn("content", "实施内容", "text", "本年实施的内容"),
    FormColumn("phase", "分期", "choice", "再开发时序", choices="phase"),
    FormColumn("start_on", "计划开工日期", "day", "进度时序：计划开工的日期"),
    FormColumn("end_on", "计划完成日期", "day", "进度时序：计划完成的日期，可在以后年份"),
    FormColumn("goal", "年末应达步骤", "choice", f"进度时序：本年末应完成的步骤；{_STEP}", choices="step"),
    FormColumn("area_m2", "计划面积（m²）", "number", "本项目面积，不超过单元面积"),
    FormColumn("investment_wan", "计划投资（万元）", "number", "本项目总投资"),
    FormColumn("reclaimed_m2", "拆旧复垦面积（m²）", "number", "仅增减挂钩：拆旧并复垦的面积", needed=False),
    FormColumn("built_m2", "建新面积（m²）", "number", "仅增减挂钩：建新占用的面积，不大于拆旧复垦面积", needed=False),
    FormColumn("quota_no", "挂钩批文号", "text", "仅增减挂钩：批准文件的文号", needed=False),
    FormColumn("quota_on", "批文日期", "day", "仅增减挂钩：批准文件的日期", needed=False),
)  # fmt: skip
PROGRESS_COLUMNS = (
    FormColumn("number", "项目编号", "code", "已列入计划的项目编号；未填其他列的行不作为上报", given=True),
    FormColumn("as_of", "截至日期", "day", "以下各列所说明的日期"),
    FormColumn("status", "实施状态", "choice", "0 未实施、1 正在实施、2 已完成", choices="status"),
    FormColumn("reason", "未实施原因", "choice", "未实施的必填；正在实施而滞后的可填", needed=False, choices="reason"),
    FormColumn("why", "原因说明", "text", "原因的说明", needed=False),
    FormColumn("step", "当前步骤", "choice", f"已完成的最后一个步骤；{_STEP}", needed=False, choices="step"),
    FormColumn("started_on", "实际开工日期", "day", "正在实施、已完成的必填", needed=False),
    FormColumn("finished_on", "实际完成日期", "day", "已完成的必填", needed=False),
    FormColumn("area_m2", "已实施面积（m²）", "number", "至截至日期已实施的面积", needed=False),
    FormColumn("investment_wan", "已完成投资（万元）", "number", "至截至日期已完成的投资", needed=False),
    FormColumn("reclaimed_m2", "已复垦面积（m²）", "number", "仅增减挂钩：已验收的复垦面积", needed=False),
    FormColumn("built_m2", "已建新面积（m²）", "number", "仅增减挂钩：已占用的建新面积", needed=False),
)  # fmt: skip
_HEADINGS = {
    (sheet, column.key): column.heading
    for sheet, columns in ((PLAN, PLAN_COLUMNS), (PROGRESS, PROGRESS_COLUMNS))
    for column in columns
}


def plan_form(
    district: str, year: int, terms: Terms, towns: Mapping[str, str], units: Mapping[str, KnownUnit]
) -> Form:
    """Return the form of a year: of a district with its towns (code → name) and its frozen units."""
    note = "橙色为必填；编号按文本填写；不要增删列、合并单元格或写公式；各列见“说明”。"
    lists = {
        "town": Choices(("镇街代码", "镇街名称"), tuple(sorted(towns.items()))),
        "unit": Choices(
            ("单元编号", "镇街代码", "单元面积（m²）"),
            tuple((number, unit.town_code or "", unit.area_m2) for number, unit in sorted(units.items())),
        ),
        "kind": _single("项目类型", (kind.title for kind in terms.kind.values())),
        "phase": _single("分期", terms.phases.values),
        "step": _single("步骤", terms.steps),
        "status": _single("实施状态", terms.status.numbered(0)),
        "reason": _single("未实施原因", terms.reason.numbered(1)),
    }
    return Form(
        (
            FormSheet(PLAN, f"{district}{year}年度实施计划", note, PLAN_COLUMNS),
            FormSheet(PROGRESS, f"{district}{year - 1}年度计划实施进度", note, PROGRESS_COLUMNS),
        ),
        lists,
        tuple(_explained(terms)),
    )


def heading(sheet: str, key: str) -> str:
    """Return the heading of a column."""
    return _HEADINGS[sheet, key]


def _single(title: str, values: Iterator[str] | tuple[str, ...]) -> Choices:
    return Choices((title,), tuple((value,) for value in values))


def _explained(terms: Terms) -> Iterator[tuple[str, ...]]:
    for kind in terms.kind.values():
        steps = "→".join(
            step.title + (f"（{step.paper}）" if step.paper else "") for step in kind.step
        )  # fmt: skip
        example = "（步骤为示例）" if kind.example else ""
        yield "项目类型", kind.title, "", "步骤（证明材料）", f"{steps}{example}；来源：{kind.source}"
    for values in (terms.phases, terms.status, terms.reason):
        example = "（示例）" if values.example else ""
        yield "列表", values.title, "", "、".join(values.values), f"来源：{values.source}{example}"
    rule = terms.balance
    example = "（示例）" if rule.example else ""
    yield (
        "增减挂钩", "平衡", "", "复垦面积 ≥ 建新面积" + ("" if rule.ratio == 1 else f" × {rule.ratio:g}"),
        f"逐项目、逐镇街、逐年平衡；{rule.document}，{rule.date}{example}",
    )  # fmt: skip
