"""Rule packs as tables: their clauses, their faults, their examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lowland_gis.analysis.rules.examples import Ran
from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.analysis.rules.pack import Clause, RulePack
from lowland_gis.cli.tables import Rows


def clause_table(pack: RulePack) -> Rows:
    """Return one row a clause: question, rule, clause, condition, limit with unit, document, article."""
    rows = tuple(
        (question.title, part.title, clause.title, clause.condition, *_limit(pack, clause), part.article)
        for question in pack.question
        for part in question.parts
        for clause in part.all
    )
    return Rows(("question", "rule", "clause", "condition", "limit", "document", "article"), rows)


def _limit(pack: RulePack, clause: Any) -> tuple[str, str]:
    if not isinstance(clause, Clause):
        return "", ""
    if not isinstance(clause.limit, str):
        return f"{clause.limit:g} {clause.unit or ''}".strip(), ""
    entries = pack.entries(clause.limit)
    values = [f"{entry.value:g} {entry.unit}{_where(entry.town, entry.zone)}" for entry in entries]
    return "; ".join(values), "; ".join(dict.fromkeys(entry.document for entry in entries))


def _where(town: str | None, zone: str | None) -> str:
    place = ", ".join(filter(None, (town and f"town {town}", zone and f"zone {zone}")))
    return f" ({place})" if place else ""


def fault_rows(path: Path, faults: list[Fault]) -> list[dict[str, Any]]:
    """Return faults as JSON: file, where, key, value, problem, allowed, nearest."""
    return [
        {
            "file": str(path),
            "where": fault.where,
            "key": fault.key,
            "value": fault.value,
            "problem": fault.problem,
            "allowed": list(fault.allowed),
            "nearest": fault.nearest,
        }
        for fault in faults
    ]


def example_table(ran: list[Ran]) -> Rows:
    """Return one row an example: question, rule, number, given, gives, found, holds."""
    rows = tuple(
        (
            item.question,
            item.rule,
            str(item.number),
            ", ".join(f"{name} {_given(value)}" for name, value in item.example.given.items()),
            item.example.gives,
            item.found,
            item.holds,
        )
        for item in ran
    )
    return Rows(("question", "rule", "example", "given", "gives", "found", "holds"), rows)


def _given(value: Any) -> str:
    return (
        f"{value[0]:g}–{value[1]:g}"
        if isinstance(value, tuple)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
