"""The figures of a report as values and as they are printed: words, tables, charts and workbooks take them from here, so they agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

Value = str | int | float | None
Kind = Literal["text", "count", "m2", "wan", "share"]
_CENT = Decimal("0.01")
_M2_PER_HA, _MU_PER_M2 = Decimal(10_000), Decimal("0.0015")
NOTHING = "—"
_REPLACED = "\ufffd"


@dataclass(frozen=True)
class Area:
    """A number of things and their area, which is kept to hundredths of m².

    >>> Area(2, 12345.678).ha, Area(2, 12345.678).mu
    ('1.23', '18.52')
    """

    n: int
    m2: float

    def __post_init__(self) -> None:
        """Keep what is printed: sums are of what stands in the rows."""
        object.__setattr__(self, "m2", float(_cents(self.m2)))

    @property
    def ha(self) -> str:
        """Return the area in 公顷 as it is printed."""
        return f"{hectares(self.m2):,.2f}"

    @property
    def mu(self) -> str:
        """Return the area in 亩 as it is printed."""
        return f"{_rounded(Decimal(str(self.m2)) * _MU_PER_M2):,.2f}"

    def __add__(self, other: Area) -> Area:
        """Return both together."""
        return Area(self.n + other.n, self.m2 + other.m2)


@dataclass(frozen=True)
class Detail:
    """The parcels of one town, kind, working group and state: the finest figures, of which all others are sums."""

    town: str
    kind: str
    group: str
    state: str
    area: Area


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, the name that templates call it by, and what stands in it."""

    heading: str
    name: str
    kind: Kind = "text"


_N, _AREA = Column("宗数", "n", "count"), Column("面积", "m2", "m2")


@dataclass(frozen=True)
class Table:
    """A table of figures; `sums`: the last row is the sum of the others in every column that is no text or share."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    sums: bool = False
    note: str = ""


@dataclass(frozen=True)
class Before:
    """The report of the kind before this one, and its figures."""

    period: str
    on: dt.date
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Figures:
    """All figures of a report on a day, in one state of the database.

    `assessed` is all parcels that were judged, `open` those of them that nothing is known of for sure (待核). `units` are the parcels in
    units, by kind; None where there are no units. `plan` rows are those of each town; `definitions` say what the figures rest on.
    """

    on: dt.date
    run_id: int
    assessed: Area
    open: Area
    kinds: tuple[str, ...]
    details: tuple[Detail, ...]
    registers: tuple[tuple[str, str, Area], ...]
    units: Mapping[str, Area] | None
    n_units: int
    ended: tuple[str, ...]
    plan_year: int
    plan: tuple[Mapping[str, Any], ...]
    problems: tuple[tuple[str, str, int, int], ...]
    events: tuple[tuple[str, str, int, int], ...]
    definitions: tuple[tuple[str, str], ...]
    before: Before | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def low(self) -> Area:
        """Return all low-efficiency land."""
        return total(detail.area for detail in self.details)

    def by(self, *names: str) -> list[tuple[tuple[str, ...], Area]]:
        """Return the sums of the details by some of their columns; kinds in the order of the legend, all else in that of its words."""
        sums: dict[tuple[str, ...], Area] = {}
        for detail in self.details:
            key = tuple(getattr(detail, name) for name in names)
            sums[key] = sums.get(key, Area(0, 0.0)) + detail.area
        return sorted(
            sums.items(), key=lambda item: [self._place(n, v) for n, v in zip(names, item[0], strict=True)]
        )

    def _place(self, name: str, value: str) -> tuple[int, str]:
        return (self.kinds.index(value) if name == "kind" and value in self.kinds else 0, value)

    def kept(self) -> dict[str, Any]:
        """Return what the next report of the kind is held against."""
        return {
            "kinds": {name: [area.n, area.m2] for (name,), area in self.by("kind")},
            "registers": {
                f"{register} {state}": [area.n, area.m2] for register, state, area in self.registers
            },
            "problems": sum(row[2] for row in self.problems),
        }

    def tables(self) -> list[Table]:
        """Return every table of the report in its order."""
        return [
            self._kinds(), self._towns(), self._groups(), self._states(), self._registers(), self._potential(),
            self._plan(), self._problems(), self._events(), self._changes(),
        ]  # fmt: skip

    def _kinds(self) -> Table:
        return _areas("kinds", "分类型", "类型", self.by("kind"), note=self._open_note())

    def _open_note(self) -> str:
        return f"另有待核 {self.open.n:,} 宗、{self.open.ha} 公顷，不计入低效用地。" if self.open.n else ""

    def _towns(self) -> Table:
        """Return the areas by town, and in each by kind."""
        rows = self.by("town", "kind")
        values = tuple((town, kind, area.n, area.m2) for (town, kind), area in rows)
        columns = (Column("镇街", "town"), Column("类型", "kind"), _N, _AREA)
        return Table("towns", "分镇街、类型", columns, _summed(values, self.low, 2), sums=True)

    def _groups(self) -> Table:
        return _areas("groups", "分责任专班", "责任专班", self.by("group"))

    def _states(self) -> Table:
        return _areas("states", "低效用地分办理状态", "状态", self.by("state"))

    def _registers(self) -> Table:
        rows = tuple((register, state, area.n, area.m2) for register, state, area in self.registers)
        columns = (Column("数据库", "register"), Column("状态", "state"), Column("条目", "n", "count"), _AREA)
        return Table(
            "registers",
            "三库分状态",
            columns,
            rows,
            note="面积为入库时登记的面积；问题清单不计面积。" if rows else "统计时点无登记条目。",
        )

    def _potential(self) -> Table:
        """Return what can still be redeveloped: low-efficiency land less what is under way or done."""
        going = {name: area for (name, state), area in self._going()}
        rows = []
        for (kind,), area in self.by("kind"):
            gone = going.get(kind, Area(0, 0.0))
            within = None if self.units is None else self.units.get(kind, Area(0, 0.0)).m2
            rows.append((kind, area.m2, within, gone.m2, Area(0, area.m2 - gone.m2).m2))
        columns = (
            Column("类型", "kind"), Column("低效用地", "low", "m2"), Column("已划入单元", "units", "m2"),
            Column("再开发中或已处置", "going", "m2"), Column("可再开发潜力", "left", "m2"),
        )  # fmt: skip
        total_row = (
            ("合计", *(_sum(column) for column in list(zip(*rows, strict=True))[1:]))
            if rows
            else ("合计", 0.0, None, 0.0, 0.0)
        )
        note = "" if self.units is not None else "尚未划定再开发单元，故“已划入单元”未知。"
        return Table("potential", "再开发潜力", columns, (*rows, total_row), sums=True, note=note)

    def _going(self) -> Iterable[tuple[tuple[str, str], Area]]:
        sums: dict[str, Area] = {}
        for (kind, state), area in self.by("kind", "state"):
            if state in self.ended:
                sums[kind] = sums.get(kind, Area(0, 0.0)) + area
        return (((kind, ""), area) for kind, area in sums.items())

    @property
    def potential(self) -> Area:
        """Return what can still be redeveloped."""
        gone = total(area for _, area in self._going())
        return Area(self.low.n - gone.n, self.low.m2 - gone.m2)

    def _plan(self) -> Table:
        keys = (
            "projects",
            "not_started",
            "in_progress",
            "done",
            "unreported",
            "late",
            "planned_m2",
            "done_m2",
            "planned_wan",
            "done_wan",
        )
        headings = (
            "项目",
            "未实施",
            "正在实施",
            "已完成",
            "未报进度",
            "滞后",
            "计划面积",
            "完成面积",
            "计划投资 万元",
            "完成投资 万元",
        )
        kinds: tuple[Kind, ...] = ("count",) * 6 + ("m2", "m2", "wan", "wan")
        rows = tuple((row["town"], *(row[key] for key in keys)) for row in self.plan)
        sums = ("合计", *(_sum(column) for column in list(zip(*rows, strict=True))[1:])) if rows else None
        columns = (
            Column("镇街", "town"),
            *(Column(*each) for each in zip(headings, keys, kinds, strict=True)),
        )
        note = "" if rows else f"未录入 {self.plan_year} 年度实施计划。"
        return Table(
            "plan",
            f"{self.plan_year} 年计划与实际",
            columns,
            rows if sums is None else (*rows, sums),
            sums=bool(rows),
            note=note,
        )

    def _problems(self) -> Table:
        columns = (
            Column("问题", "problem"), Column("责任单位", "office"), Column("条目", "n", "count"), Column("宗地", "parcels", "count"),
        )  # fmt: skip
        entries = sum(row[2] for row in self.problems)
        # A parcel may have several problems, so parcels do not add up.
        rows = (*self.problems, ("合计", "", entries, None)) if self.problems else ()
        return Table(
            "problems", "问题清单", columns, rows, sums=bool(rows), note="" if rows else "无未决问题。"
        )

    def _events(self) -> Table:
        columns = (
            Column("数据库", "register"), Column("办理事项", "move"), Column("条目", "n", "count"), Column("其中程序起草", "by_program", "count"),
        )  # fmt: skip
        return Table(
            "events", "本期办理情况", columns, self.events, note="" if self.events else "本期无办理记录。"
        )

    def _changes(self) -> Table:
        columns = (
            Column("类型", "kind"), Column("上期宗数", "before_n", "count"), Column("本期宗数", "n", "count"),
            Column("增减宗数", "more_n", "count"), Column("上期面积", "before", "m2"), Column("本期面积", "now", "m2"),
            Column("增减面积", "more", "m2"),
        )  # fmt: skip
        if self.before is None:
            return Table("changes", "与上期比较", columns, (), note="没有已登记的上期报告，故不作比较。")
        earlier = {
            name: Area(int(n), float(m2)) for name, (n, m2) in self.before.figures.get("kinds", {}).items()
        }
        now = {name: area for (name,), area in self.by("kind")}
        rows: list[tuple[Value, ...]] = [
            (name, *_compared(earlier.get(name, Area(0, 0.0)), now.get(name, Area(0, 0.0))))
            for name in dict.fromkeys([*now, *earlier])
        ]
        rows.append(("合计", *_compared(total(earlier.values()), self.low)))
        note = f"上期：{self.before.period}（{self.before.on.isoformat()}）。"
        return Table("changes", "与上期比较", columns, tuple(rows), sums=True, note=note)


def hectares(m2: float) -> Decimal:
    """Return an area in 公顷 to hundredths, halves away from zero, as spreadsheets round.

    >>> hectares(50.0), hectares(-149.99)
    (Decimal('0.01'), Decimal('-0.01'))
    """
    return _rounded(Decimal(str(m2)) / _M2_PER_HA)


def clean(text: str) -> str:
    r"""Return a text without what no document may hold: control characters, and halves of characters.

    >>> clean("a\x0bb\ud800")
    'a\ufffdb\ufffd'
    """
    return "".join(_REPLACED if _forbidden(sign) else sign for sign in text)


def _forbidden(sign: str) -> bool:
    return (sign < " " and sign not in "\t\n") or "\ud800" <= sign <= "\udfff" or sign in "\ufffe\uffff"


def total(areas: Iterable[Area]) -> Area:
    """Return areas together."""
    return sum(areas, Area(0, 0.0))


def printed(value: Value, kind: Kind) -> str:
    """Return a value as it stands in a table of a document; areas are printed in 公顷.

    >>> printed(12345.0, "m2"), printed(3, "count"), printed(None, "m2"), printed(0.256, "share")
    ('1.23', '3', '—', '25.6%')
    """
    if value is None:
        return NOTHING
    if kind == "m2":
        return f"{hectares(float(value)):,.2f}"
    if kind == "wan":
        return f"{_rounded(Decimal(str(value))):,.2f}"
    if kind == "share":
        return f"{float(value):.1%}"
    return f"{value:,}" if kind == "count" else str(value)


def _areas(
    key: str, title: str, heading: str, rows: Sequence[tuple[tuple[str, ...], Area]], note: str = ""
) -> Table:
    values = tuple((name, area.n, area.m2) for (name,), area in rows)
    columns = (Column(heading, key.removesuffix("s")), _N, _AREA)
    whole = total(area for _, area in rows)
    return Table(key, title, columns, _summed(values, whole, 1), sums=True, note=note)


def _summed(rows: tuple[tuple[Value, ...], ...], whole: Area, texts: int) -> tuple[tuple[Value, ...], ...]:
    return (*rows, ("合计", *("",) * (texts - 1), whole.n, whole.m2))


def _compared(before: Area, now: Area) -> tuple[Value, ...]:
    return before.n, now.n, now.n - before.n, before.m2, now.m2, Area(0, now.m2 - before.m2).m2


def _sum(values: Iterable[Value]) -> float | int | None:
    known = [value for value in values if isinstance(value, int | float)]
    if not known:
        return None
    return sum(known) if all(isinstance(value, int) for value in known) else float(_cents(sum(known)))


def _cents(value: float) -> Decimal:
    return _rounded(Decimal(str(value)))


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)
