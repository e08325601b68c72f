"""Show an explanation: a line a clause, with what was measured against the limit, and where both come from."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule as Ruler
from rich.table import Table
from rich.text import Text

from lowland_gis.pipeline.verdicts.clause_words import (
    DECIMALS,
    DELIVERIES,
    YES_NO,
    limit_words,
    measured_words,
    origin_words,
    said_value,
)
from lowland_gis.pipeline.verdicts.explain import ClauseLine, Estimated, Explanation, QuestionLine, RuleLine

SIGNS = {"true": ("✔", "green"), "false": ("✘", "red"), "unknown": ("?", "yellow")}
NO_BREAK = "\u00a0"
NUMBERED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_MU_M2 = 2000 / 3
_WIDEST_TITLE, _MEASURED_WIDTH, _LIMIT_WIDTH = 26, 14, 12
# Below so many columns the source of a value stands below it.
_NARROW = 100
_MAIN = "kind"
_OWNERSHIP = {"1": "国有土地", "2": "国有土地", "3": "集体土地", "4": "集体土地"}


def show_explanation(out: Console, item: Explanation, *, everything: bool) -> None:
    """Print an explanation; what does not hold or does not apply is one line each unless `everything` is wanted."""
    out.print(_head(item))
    out.print(_summary(item))
    narrow = out.width < _NARROW
    width = (
        0
        if narrow
        else min(
            _WIDEST_TITLE,
            max((cell_len(c.title) for q in item.questions for r in q.rules for c in r.clauses), default=0),
        )
    )
    told = [question for question in item.questions if everything or not _idle(question)]
    for question in told:
        out.print(_question(question, width, everything=everything))
    idle = [question for question in item.questions if question not in told]
    if idle:
        out.print(_idle_lines(idle))
    if item.derived:
        out.print(_derived(item.derived))


def _head(item: Explanation) -> Panel:
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    owner = _OWNERSHIP.get((item.ownership or "")[:1], "权属未填")
    rows.add_row("宗地", f"[bold]{escape(item.parcel_id)}[/]  {escape(item.town or '')}  {owner}")
    if item.town_from:
        rows.add_row(
            "镇街",
            f"{escape(item.town_code or '不明')}  [dim]{escape(DELIVERIES.sub('', item.town_from))}[/]",
        )
    rows.add_row(
        "坐落",
        f"{escape(item.location or '未填')}  面积 {item.area_m2:,.2f} m²（{item.area_m2 / _MU_M2:,.2f} 亩）",
    )
    rows.add_row("规则", f"{escape(item.pack_title)}  〔{escape(item.pack_document)}〕")
    engine = f"；面积由 {item.engine} 引擎计算" if item.engine else ""
    rows.add_row(
        "运行",
        f"第 {item.run_id} 次，{item.run_at.astimezone():%Y-%m-%d %H:%M}；数据截至 {item.as_of}{engine}",
    )
    if item.example:
        rows.add_row("注意", "[yellow]示例规则包：所列阈值为演示而设，不是公布的标准[/]")
    return Panel(rows, title="[bold]低效用地认定说明[/]", border_style="cyan", expand=True)


def _summary(item: Explanation) -> Columns:
    """Return every question with its answer, side by side."""
    cells = []
    for question in item.questions:
        sign, colour = ("●", "cyan") if question.settled else ("?", "yellow")
        quiet = _idle(question)
        answer = f"[{'dim' if quiet else 'bold ' + colour}]{escape(question.answer_title)}[/]"
        cells.append(f"[{'dim' if quiet else colour}]{sign}[/] {escape(question.title)}：{answer}")
    return Columns(cells, padding=(0, 3), equal=True, expand=False)


def _idle(question: QuestionLine) -> bool:
    """Say whether a question is settled by no rule, beside the first one, which is what people ask for."""
    return question.settled and question.rule is None and question.question != _MAIN


def _question(question: QuestionLine, width: int, *, everything: bool) -> RenderableType:
    answer = question.answer_title
    if not question.settled:
        answer += f"（可能为{question.candidate_title}，待补材料）"
    colour = "yellow" if not question.settled else "cyan"
    head = Ruler(
        f"[bold]{escape(question.title)}[/]  →  [bold {colour}]{escape(answer)}[/]", align="left", style="dim"
    )
    notes = _Notes()
    rules = [
        _rule(rule, question, notes, width, everything=everything)
        for rule in question.rules
        if _told(rule, question, everything=everything)
    ]
    return Group(Text(), head, *rules, notes.table())


def _idle_lines(questions: list[QuestionLine]) -> RenderableType:
    rows = _lines()
    for question in questions:
        why = next((_failure(rule) for rule in question.rules if rule.answer is not None), "")
        rows.add_row(
            "·", f"{escape(question.title)} → {escape(question.answer_title)}  [dim]{escape(why)}[/]"
        )
    return Group(Text(), Ruler("[bold]其余各项[/]", align="left", style="dim"), rows)


def _told(rule: RuleLine, question: QuestionLine, *, everything: bool) -> bool:
    """Say whether a rule is worth a line: after the one that decided, nothing changes the answer."""
    if everything:
        return True
    if rule.outcome == "false" and all(clause.answer is not None for clause in rule.clauses):
        # It only repeats that another question was answered otherwise.
        return False
    if rule.answer is None:
        named = [item for item in question.rules if rule.rule in item.unless]
        return rule.outcome != "false" and any(_told(item, question, everything=False) for item in named)
    if question.rule is None:
        return True
    names = [item.rule for item in question.rules]
    return names.index(rule.rule) <= names.index(question.rule)


def _rule(
    rule: RuleLine, question: QuestionLine, notes: _Notes, width: int, *, everything: bool
) -> RenderableType:
    decisive = rule.rule == question.rule
    sign, colour = SIGNS[rule.outcome]
    kind = "" if rule.answer is not None else "例外："
    closed = rule.outcome == "false" and not everything
    rows = _lines()
    title = f"[{'bold' if decisive else 'default'}]{kind}{escape(rule.title)}[/]  [dim]〔{escape(rule.article)}〕[/]"
    mark = "  [bold cyan]← 据此认定[/]" if decisive else ""
    rows.add_row(
        f"[{colour}]{sign}[/]", f"{title}{mark}{f'  [dim]{escape(_failure(rule))}[/]' if closed else ''}"
    )
    return rows if closed else Group(rows, _clauses(rule, notes, width))


def _lines() -> Table:
    """Return a table of a sign and a text, so that long texts wrap below themselves."""
    rows = Table(box=None, padding=(0, 1, 0, 0), show_header=False, pad_edge=False)
    rows.add_column(width=2, justify="right", no_wrap=True)
    rows.add_column(overflow="fold")
    return rows


def _failure(rule: RuleLine) -> str:
    """Return why a rule does not hold, in one line."""
    failed = [clause for clause in rule.clauses if clause.outcome == "false"]
    if not failed:
        return "不成立：例外成立" if rule.outcome == "false" else ""
    more = f" 等 {len(failed)} 项" if len(failed) > 1 else ""
    return f"不成立：{failed[0].title} — {measured_words(failed[0])}{_against(failed[0])}{more}"


def _clauses(rule: RuleLine, notes: _Notes, width: int) -> RenderableType:
    """Return a line a clause; `width` 0 is a narrow terminal, where the source stands below."""
    if not width:
        return Group(*(part for clause in rule.clauses for part in _narrow(clause, notes)))
    rows = Table(box=None, padding=(0, 1, 0, 0), show_header=False, pad_edge=False)
    rows.add_column(width=4, justify="right", no_wrap=True)
    rows.add_column(min_width=width, max_width=max(width, _WIDEST_TITLE), overflow="fold")
    rows.add_column(justify="right", min_width=_MEASURED_WIDTH, overflow="fold")
    rows.add_column(no_wrap=True, min_width=_LIMIT_WIDTH)
    rows.add_column(style="dim", overflow="fold")
    for clause in rule.clauses:
        sign, colour = SIGNS[clause.outcome]
        limit, measured = limit_words(clause), f"[{colour}]{escape(measured_words(clause))}[/]"
        mark = notes.mark(clause) if limit else ""
        rows.add_row(
            f"[{colour}]{sign}[/]",
            escape(clause.title),
            measured,
            f"{limit}{mark}",
            escape(origin_words(clause)),
        )
    return rows


def _narrow(clause: ClauseLine, notes: _Notes) -> Iterator[RenderableType]:
    sign, colour = SIGNS[clause.outcome]
    limit = limit_words(clause)
    mark = notes.mark(clause) if limit else ""
    yield Padding(
        f"[{colour}]{sign}[/] {escape(clause.title)}  [{colour}]{escape(measured_words(clause))}[/]  {limit}{mark}",
        (0, 0, 0, 3),
    )
    if origin := origin_words(clause):
        yield Padding(Text(origin, style="dim", overflow="fold"), (0, 0, 0, 7))


def _against(clause: ClauseLine) -> str:
    limit = limit_words(clause)
    return f"，要求 {limit}" if limit and clause.unit != YES_NO else f"，{limit}" if limit else ""


def _derived(items: tuple[Estimated, ...]) -> RenderableType:
    rows = Table(box=None, padding=(0, 1, 0, 0), show_header=False, pad_edge=False)
    for _ in range(4):
        rows.add_column(overflow="fold")
    for item in items:
        rows.add_row(
            "   ",
            escape(item.title),
            f"[bold]{said_value(item.value, item.unit, DECIMALS)}[/]",
            f"[dim]〔{escape(item.document)}〕[/]",
        )
    return Group(Text(), Ruler("[bold]测算[/]", align="left", style="dim"), rows)


class _Notes:
    """Numbered notes below a question: where each limit comes from, and what a class is easily taken for."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}

    def mark(self, clause: ClauseLine) -> str:
        """Return the marks of the notes on a clause."""
        texts = []
        if clause.document is not None:
            since = f"，{clause.in_force} 起" if clause.in_force else ""
            texts.append(
                f"{limit_words(clause).replace(' ', NO_BREAK)}：{clause.document}{since}{'（示例值）' if clause.example else ''}"
            )
        numbers = [self._texts.setdefault(text, len(self._texts)) for text in (*texts, *clause.notes)]
        return "".join(
            f" {NUMBERED[number]}" if number < len(NUMBERED) else f" [{number + 1}]" for number in numbers
        )

    def table(self) -> Table:
        """Return the notes, one a line."""
        rows = Table(box=None, padding=(0, 1, 0, 0), show_header=False, pad_edge=False, style="dim")
        rows.add_column(width=6, justify="right", no_wrap=True)
        rows.add_column(overflow="fold")
        for text, number in self._texts.items():
            rows.add_row(NUMBERED[number] if number < len(NUMBERED) else f"[{number + 1}]", escape(text))
        return rows
