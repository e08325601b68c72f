"""Tables of `registry` with the figures of the annual plans (年度实施计划): what towns planned, and what they reported of it."""

from __future__ import annotations

from lowland_gis.schema.decisions import RECORDED
from lowland_gis.schema.model import REGISTRY, Column, Table, identity

_ENTRY = "registry.entry.entry_id"
_PAPER = Column(
    "document_sha256", "text", "SHA-256 of the workbook that it was read from, a paper of the registry"
)
_ROW = Column("sheet_row", "integer", "row of its sheet in that workbook")
_EXCHANGE = (
    Column("reclaimed_m2", "number", "of exchanged land (增减挂钩): area demolished and reclaimed", unit="m²", nullable=True),
    Column("built_m2", "number", "of exchanged land (增减挂钩): area newly built on", unit="m²", nullable=True),
)  # fmt: skip

PLAN_ROW = Table(
    REGISTRY,
    "plan_row",
    "rows of the towns' annual plans (年度实施计划), a project each; append-only, those of the newest version of a plan hold",
    ("row_id",),
    (
        identity("row_id", "number of the row"),
        Column("plan_entry", "bigint", "entry of the plan: town and year", references=_ENTRY, indexed=True),
        Column("plan_version", "integer", "version of that entry with which it was drafted"),
        Column("project_entry", "bigint", "entry of the project", references=_ENTRY, indexed=True),
        Column("year", "integer", "year of the plan"),
        Column("town_code", "text", "town (镇街代码) that planned it"),
        Column("number", "text", "number of the project (项目编号)"),
        Column("title", "text", "name of the project"),
        Column("kind", "text", "kind of the project (项目类型)"),
        Column("unit", "text", "frozen unit that it lies in (单元编号)", nullable=True),
        Column("developer", "text", "who carries it out (开发主体)"),
        Column("content", "text", "what is to be done (实施内容)"),
        Column("phase", "text", "phase (再开发时序)"),
        Column("start_on", "date", "day on which it is to begin"),
        Column("end_on", "date", "day on which it is to be finished"),
        Column("goal", "text", "step that is to be reached by the end of the year"),
        Column("area_m2", "number", "area of the project", unit="m²"),
        Column("investment_wan", "number", "investment", unit="万元"),
        *_EXCHANGE,
        Column("quota_no", "text", "of exchanged land: number of the approval (批文号)", nullable=True),
        Column("quota_on", "date", "of exchanged land: day of the approval", nullable=True),
        _PAPER,
        _ROW,
        *RECORDED,
    ),
)  # fmt: skip

PROGRESS = Table(
    REGISTRY,
    "progress",
    "what towns reported of their projects (实施进度); append-only, the newest row of a project holds",
    ("row_id",),
    (
        identity("row_id", "number of the row"),
        Column("project_entry", "bigint", "entry of the project", references=_ENTRY, indexed=True),
        Column("town_code", "text", "town (镇街代码) of the project", nullable=True),
        Column("number", "text", "number of the project (项目编号)"),
        Column("as_of", "date", "day that it is reported for"),
        Column("status", "integer", "0 not begun (未实施), 1 going on (正在实施), 2 finished (已完成)"),
        Column("reason", "integer", "why not: 1 未到时序, 2 企业原因, 3 政府原因", nullable=True),
        Column("why", "text", "the reason in words", nullable=True),
        Column("step", "text", "last step that is done", nullable=True),
        Column("started_on", "date", "day on which it began", nullable=True),
        Column("finished_on", "date", "day on which it was finished", nullable=True),
        Column("area_m2", "number", "area carried out so far", unit="m²", nullable=True),
        Column("investment_wan", "number", "investment so far", unit="万元", nullable=True),
        *_EXCHANGE,
        _PAPER,
        _ROW,
        *RECORDED,
    ),
)  # fmt: skip
