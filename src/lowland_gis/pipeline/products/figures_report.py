"""The figures of a report, read once in one state of the database: words, tables, charts and the workbook all take these."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pandas as pd

from lowland_gis.analysis.registry.plan_progress import BEHIND, LATE, OVERDUE, going
from lowland_gis.analysis.registry.report_calendar import Occasion
from lowland_gis.analysis.rules.pack import KIND, OPEN
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.check import checks
from lowland_gis.definitions.layer import layer_title
from lowland_gis.definitions.plan import plan_terms
from lowland_gis.definitions.states import procedure
from lowland_gis.pipeline.base.entries import (
    LEGACY,
    LOW_EFFICIENCY,
    NOT_IN_FORCE,
    PROBLEM,
    PROMISE_QUESTION,
    PROMISE_TITLE,
)
from lowland_gis.pipeline.base.land import town_names
from lowland_gis.pipeline.base.requests import CHECK, DELINEATE, DETERMINE
from lowland_gis.pipeline.base.runs import latest_record
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.plans.ground import known_towns, newest_reports, planned_rows
from lowland_gis.pipeline.products.figures import deliveries_in_force
from lowland_gis.pipeline.products.frames import kind_titles
from lowland_gis.pipeline.registry.determine import newest
from lowland_gis.pipeline.units.frozen import frozen_units
from lowland_gis.pipeline.verdicts.verdicts import registered_verdicts
from lowland_gis.products.reports.figures import Area, Before, Detail, Figures

GROUP = "group"
_UNKNOWN_TOWN, _NO_STATE, _NO_GROUP = "镇街不明", "未入库", "未分工"
# States of low-efficiency land that is being redeveloped, or is no more.
GOING_STATES = ("redevelopment", "disposed")
_STATES = (
    "SELECT DISTINCT ON (register, subject, matter) register, subject, matter, entry.town_code, stood.to_state AS state"
    " FROM registry.entry JOIN LATERAL (SELECT to_state FROM registry.event WHERE event.entry_id = entry.entry_id AND on_date <= %s"
    " ORDER BY version DESC LIMIT 1) AS stood ON true WHERE register = ANY(%s) ORDER BY register, subject, matter, ordinal DESC"
)
_EVENTS = (
    "SELECT entry.register, coalesce(move.title, '由旧库转入') AS title, count(*) AS n,"
    " count(*) FILTER (WHERE event.content->>'by' = 'program') AS by_program"
    " FROM registry.event JOIN registry.entry USING (entry_id) LEFT JOIN registry.move USING (move_id)"
    " WHERE event.on_date BETWEEN %s AND %s GROUP BY entry.register, 2 ORDER BY 1, min(move.move_id) NULLS FIRST, 2"
)
_BEFORE = (
    "SELECT period, on_date, figures FROM registry.report WHERE report = %s AND period <> %s AND on_date <= %s"
    " ORDER BY on_date DESC, row_id DESC LIMIT 1"
)


def report_figures(held: Reading, occasion: Occasion, day: dt.date) -> Figures:
    """Return the figures of a report on a day: states as they were then, events of its period up to then.

    What parcels are is said by the classification that is read; what people decided, by the days of their decisions.
    """
    connection, until = held.connection, min(day, occasion.last)
    pack = held.basis.pack
    titles = kind_titles(pack, held.project.legend)
    verdicts = registered_verdicts(connection, held.basis, [KIND, GROUP])
    kinds = verdicts[verdicts["question"] == KIND]
    low = kinds[kinds["answer"].isin(pack.low_answers)]
    stands = _stands(connection, until)
    open_ = kinds[kinds["answer"] == OPEN]
    return Figures(
        until, held.basis.run_id, _area(kinds), _area(open_),
        tuple(titles[answer] for answer in titles if answer in pack.low_answers),
        tuple(_details(held, low, verdicts[verdicts["question"] == GROUP], stands, titles)),
        tuple(_registers(connection, stands)), *_units(connection, low, titles),
        tuple(_title(LOW_EFFICIENCY.register, state) for state in GOING_STATES),
        until.year, tuple(_plan(connection, until.year, until)),
        tuple(_problems(held, stands)), tuple(_events(connection, occasion.first, until)),
        tuple(_definitions(held, occasion, until)), before(connection, occasion, until),
    )  # fmt: skip


def before(connection: Connection, occasion: Occasion, day: dt.date) -> Before | None:
    """Return the newest report of the kind that is of another period and was made by then."""
    row = connection.execute(_BEFORE, [occasion.report, occasion.period, day]).fetchone()
    return None if row is None else Before(row[0], row[1], row[2])


def _area(rows: pd.DataFrame) -> Area:
    return Area(len(rows), float(sum(Area(1, float(each)).m2 for each in rows["area_m2"])))


def _stands(connection: Connection, day: dt.date) -> pd.DataFrame:
    """Return where the entries of the three databases stood on a day: register, subject, matter, town_code, state."""
    names = [each.register for each in (LOW_EFFICIENCY, LEGACY, PROBLEM)]
    return read_frame(connection, _STATES, [day, names])


def _title(register: str, state: str) -> str:
    return procedure()[register].state.get(state, state)


def _details(
    held: Reading, low: pd.DataFrame, groups: pd.DataFrame, stands: pd.DataFrame, titles: dict[str, str]
) -> list[Detail]:
    """Return the sums of low-efficiency land by town, kind, working group and state."""
    names = town_names(held.connection, held.versions("town"))
    pack = held.basis.pack
    said = next((each.answers for each in pack.question if each.name == GROUP), {}) | {OPEN: titles[OPEN]}
    group = dict(zip(groups["parcel_id"], groups["answer"], strict=True))
    own = stands[stands["register"] == LOW_EFFICIENCY.register]
    state = dict(zip(own["subject"], own["state"], strict=True))
    sums: dict[tuple[str, str, str, str], Area] = {}
    columns = (low["parcel_id"], low["town_code"], low["answer"], low["area_m2"])
    for parcel, town, answer, area in zip(*columns, strict=True):
        key = (
            _UNKNOWN_TOWN if town is None else names.get(town, town),
            titles[answer],
            said.get(group.get(parcel, ""), _NO_GROUP),
            _title(LOW_EFFICIENCY.register, state[parcel]) if parcel in state else _NO_STATE,
        )
        sums[key] = sums.get(key, Area(0, 0.0)) + Area(1, float(area))
    return [Detail(*key, area) for key, area in sorted(sums.items())]


def _registers(connection: Connection, stands: pd.DataFrame) -> list[tuple[str, str, Area]]:
    """Return how many entries stand in each state, in the order of the procedure, with the area that was registered."""
    found = []
    for drafted in (LOW_EFFICIENCY, LEGACY, PROBLEM):
        register = procedure()[drafted.register]
        rows = stands[stands["register"] == drafted.register]
        areas: dict[str, float] = {}
        if drafted is not PROBLEM:
            own = newest(connection, drafted.table, ["parcel_id"])
            areas = dict(zip(own["parcel_id"], own["area_m2"], strict=True))
        for state, title in register.state.items():
            inside = rows.loc[rows["state"] == state, "subject"].tolist()
            if inside:
                area = sum(Area(1, float(areas.get(subject, 0.0))).m2 for subject in inside)
                found.append((register.title, title, Area(len(inside), area)))
    return found


def _units(
    connection: Connection, low: pd.DataFrame, titles: dict[str, str]
) -> tuple[dict[str, Area] | None, int]:
    """Return the low-efficiency land in units by kind, frozen ones else those of the flow, and how many units there are."""
    frozen, drawn = frozen_units(connection), latest_record(connection, DELINEATE)
    if len(frozen):
        inside, count = {parcel for parcels in frozen["parcels"] for parcel in parcels}, len(frozen)
    elif drawn is not None:
        rows = connection.execute(
            "SELECT parcel_id, unit_id FROM result.member WHERE run_id = %s AND unit_id IS NOT NULL",
            [drawn.run_id],
        ).fetchall()
        inside, count = {row[0] for row in rows}, len({row[1] for row in rows})
    else:
        return None, 0
    rows_in = low[low["parcel_id"].isin(inside)]
    return {titles[str(kind)]: _area(some) for kind, some in rows_in.groupby("answer")}, count


def _plan(connection: Connection, year: int, day: dt.date) -> list[dict[str, Any]]:
    """Return what the towns planned for a year and have reported of it, a row a town."""
    rows, reports = planned_rows(connection, year), newest_reports(connection)
    if not rows:
        return []
    terms, towns = plan_terms(), known_towns(connection)
    states = {row["number"]: row["project_state"] for row in rows}
    late = {
        each.number
        for each in going(rows, reports, states, terms, day)
        if each.what in (LATE, OVERDUE, BEHIND)
    }
    found = []
    for town in sorted({row["town_code"] for row in rows}):
        own = [row for row in rows if row["town_code"] == town]
        said = [reports[row["number"]] for row in own if row["number"] in reports]
        status = Counter(int(report["status"]) for report in said)
        found.append(
            {
                "town": towns.get(town) or town, "projects": len(own), "unreported": len(own) - len(said),
                "not_started": status[0], "in_progress": status[1], "done": status[2],
                "late": sum(row["number"] in late for row in own),
                "planned_m2": _all(own, "area_m2"), "done_m2": _all(said, "area_m2"),
                "planned_wan": _all(own, "investment_wan"), "done_wan": _all(said, "investment_wan"),
            }
        )  # fmt: skip
    return found


def _all(rows: list[dict[str, Any]], key: str) -> float:
    return Area(0, sum(float(row[key] or 0.0) for row in rows)).m2


def _problems(held: Reading, stands: pd.DataFrame) -> list[tuple[str, str, int, int]]:
    """Return the problems that are open by their question and clause, and the office that can settle them."""
    rows = newest(held.connection, PROBLEM.table, ["parcel_id", "question", "clause"])
    titles = {question.name: question.title for question in held.basis.pack.question} | {
        PROMISE_QUESTION: PROMISE_TITLE
    }
    own = stands[(stands["register"] == PROBLEM.register) & ~stands["state"].isin(NOT_IN_FORCE)]
    rows = rows.assign(subject=rows["parcel_id"], matter=rows["question"] + ": " + rows["clause"])
    rows = rows.merge(own[["subject", "matter"]], on=["subject", "matter"])
    named = rows.assign(
        what=rows["question"].map(lambda name: titles.get(name, name)) + "：" + rows["clause"]
    )
    groups = named.groupby(["what", "office"])["parcel_id"].agg(["count", "nunique"]).reset_index()
    ordered = groups.sort_values(["count", "what", "office"], ascending=[False, True, True])
    return [(str(a), str(b), int(c), int(d)) for a, b, c, d in ordered.itertuples(index=False)]


def _events(connection: Connection, first: dt.date, last: dt.date) -> list[tuple[str, str, int, int]]:
    registers = procedure()
    return [
        (registers[name].title if name in registers else name, title, int(n), int(by_program))
        for name, title, n, by_program in connection.execute(_EVENTS, [first, last]).fetchall()
    ]


def _definitions(held: Reading, occasion: Occasion, until: dt.date) -> list[tuple[str, str]]:
    """Return what the figures rest on: period, runs, pack, deliveries, and what checks found of them."""
    basis, connection, settings = held.basis, held.connection, held.project.settings.project
    found = [
        ("报告", f"{occasion.title} {occasion.period}"),
        ("报告期", occasion.said_period),
        ("统计时点", until.isoformat()),
        ("报送依据", occasion.document),
        ("坐标系", settings.crs),
        (
            "面积",
            "椭球面积，保留两位小数；公顷 = m² ÷ 10000，亩 = m² × 3 ÷ 2000；各行四舍五入，合计由 m² 求和后换算",
        ),
        ("低效用地", "本次认定答案为低效类型的宗地；待核不计入"),
        ("办理状态", "各条目在统计时点及以前最后一次办理所到的状态；认定为低效而未入库的列“未入库”"),
        ("再开发潜力", "低效用地减去再开发中与已处置的宗地"),
        (
            "认定规则",
            f"{basis.pack.title}〔{basis.pack.document}〕" + ("（示例）" if basis.pack.example else ""),
        ),
        ("数据时点", basis.as_of.isoformat()),
    ]
    for name, record in (
        ("叠加", basis.tabulated), ("度量", basis.measured), ("认定", basis.classified),
        ("单元", latest_record(connection, DELINEATE)), ("三库", latest_record(connection, DETERMINE)),
    ):  # fmt: skip
        found.append(
            (
                f"运行：{name}",
                "未运行"
                if record is None
                else f"第 {record.run_id} 次，{record.started_at:%Y-%m-%d %H:%M}，程序 {record.code_version}",
            )
        )
    # The head of the chain would be another one as soon as the report itself is recorded.
    events = connection.execute("SELECT count(*) FROM registry.event WHERE on_date <= %s", [until]).fetchone()
    found.append(("登记事项", f"截至统计时点 {0 if events is None else events[0]:,} 条"))
    for row in deliveries_in_force(connection).to_dict("records"):
        part = f"（{row['part']}）" if row["part"] else ""
        doubts = f"；剔除 {row['n_rejected']:,}" if row["n_rejected"] else ""
        found.append(
            (
                f"图层：{layer_title(row['layer'])}{part}",
                f"{row['as_of'] or '无日期'}，{row['n_loaded']:,} 条{doubts}",
            )
        )
    return [*found, *_checked(connection)]


def _checked(connection: Connection) -> list[tuple[str, str]]:
    """Return the state of quality checks: whether they ran, and the findings that are open."""
    record = latest_record(connection, CHECK)
    if record is None:
        return [("质检", "未运行，数据质量未知")]
    rows = connection.execute(
        "SELECT rule, count(*) FROM land.finding WHERE status = 'open' GROUP BY rule ORDER BY rule"
    ).fetchall()
    known = checks()
    said = [
        (f"质检：{known[rule].title if rule in known else rule}", f"{count:,} 处未处理")
        for rule, count in rows
    ]
    return [
        (
            "质检",
            f"第 {record.run_id} 次运行，{record.started_at:%Y-%m-%d %H:%M}；未处理 {sum(row[1] for row in rows):,} 处",
        ),
        *said,
    ]
