"""`lowland classify run | explain`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.markup import escape

from lowland_gis.cli import Session
from lowland_gis.cli.tables import console, json_option, show
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.classify import ClauseLine, Explanation, RuleLine
from lowland_gis.pipeline.classify import classify as run_classify
from lowland_gis.pipeline.classify import explain as explain_parcel
from lowland_gis.pipeline.frames import kind_table

SIGNS = {"true": "[green]✔[/]", "false": "[red]✘[/]", "unknown": "[yellow]?[/]"}
OPS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "=": "="}
_YES_NO = "yes/no"
_DECIMALS, _MOST_DECIMALS = 2, 9
# Above this a number of years is a calendar year.
_CALENDAR = 1000
_WHOLE = {"year": "年", "month": "个月", "ratio": "", "share": ""}


@click.group()
def classify() -> None:
    """Decide kinds by the rule pack, and explain a verdict (认定)."""


@classify.command()
@json_option
@click.pass_obj
def run(session: Session, as_json: bool) -> None:
    """Classify every parcel and print kinds × parcels × area."""
    project = session.project
    done = run_classify(project, tell=session.tell)
    session.tell(f"run {done.run_id}{'' if done.fresh else ' holds already: nothing has changed'}")
    with project.transaction() as connection:
        show(kind_table(connection), as_json=as_json)


@classify.command()
@click.argument("parcel")
@click.option("--run", "run_name", default="latest", show_default=True, help="A run number, or latest.")
@json_option
@click.pass_obj
def explain(session: Session, parcel: str, run_name: str, as_json: bool) -> None:
    """Say why PARCEL (宗地代码) got its verdict, clause by clause."""
    explanations = explain_parcel(session.project, parcel, _run_number(run_name))
    if as_json:
        click.echo(json.dumps([asdict(item) for item in explanations], ensure_ascii=False, indent=1))
        return
    for item in explanations:
        _print(item)


def _run_number(name: str) -> int | None:
    if name == "latest":
        return None
    try:
        return int(name)
    except ValueError as error:
        raise UsageError(f"{name!r} is no run. Give its number, or: latest") from error


def _print(item: Explanation) -> None:
    out = console()
    settled = item.answer_title if item.settled else f"{item.answer_title}（可能为{item.candidate_title}）"
    out.print(
        f"\n[bold]{item.question_title}[/]  宗地 {item.parcel_id}  →  [bold]{escape(settled)}[/]",
        soft_wrap=True,
    )
    mark = "（示例阈值）" if item.example else ""
    out.print(f"规则包 {escape(item.pack_title)}{mark}，第 {item.run_id} 次运行", soft_wrap=True)
    for rule in item.rules:
        _print_rule(rule, decisive=rule.rule == item.rule)


def _print_rule(rule: RuleLine, *, decisive: bool) -> None:
    out = console()
    style = "bold" if decisive else "dim" if rule.outcome == "false" else "none"
    mark = " ← 据此认定" if decisive else ""
    out.print(
        f"{SIGNS[rule.outcome]} [{style}]{escape(rule.title)}[/]  〔{escape(rule.article)}〕{mark}",
        soft_wrap=True,
    )
    for clause in rule.clauses:
        out.print(f"    {SIGNS[clause.outcome]} {escape(_clause(clause))}", soft_wrap=True)


def _clause(clause: ClauseLine) -> str:
    if clause.value is None:
        paper = f"需 {clause.needed}" if clause.needed else "无资料"
        return f"{clause.title}：未知，{paper}{f'（{clause.office}）' if clause.office else ''}"
    decimals = _telling(clause)
    measured = _value(clause.value, clause.unit, decimals)
    if clause.unit == _YES_NO:
        return f"{clause.title}：{clause.measure_title}为“{measured}”  〔{clause.source}〕"
    limit = f"{OPS[clause.op]} {_value(clause.limit, clause.unit, decimals)}"
    return f"{clause.title}：{measured}，要求 {limit}  〔{clause.source}〕"


def _telling(clause: ClauseLine) -> int:
    """Return how many decimals tell the value from its limit: 49.999 % must not read as 50 %."""
    if clause.value is None or clause.value == clause.limit:
        return _DECIMALS
    several = range(_DECIMALS, _MOST_DECIMALS)
    return next(
        (n for n in several if _value(clause.value, clause.unit, n) != _value(clause.limit, clause.unit, n)),
        _MOST_DECIMALS,
    )


def _value(value: float, unit: str, decimals: int) -> str:
    if unit == _YES_NO:
        return "是" if value else "否"
    if unit == "share":
        return f"{value * 100:.{decimals}f}".rstrip("0").rstrip(".") + "%"
    if unit == "year" and value > _CALENDAR:
        return f"{value:.{decimals - _DECIMALS}f} 年"
    return f"{value:,.{decimals}f} {_WHOLE.get(unit, unit)}".strip()
