"""A rule pack with other limits, and what differs between two packs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from lowland_gis.analysis.rules.pack import AnyClause, Clause, Parameter, Question, Rule, RulePack


@dataclass(frozen=True)
class Change:
    """Another value of a parameter, in one rule only where `rule` names one."""

    parameter: str
    value: float
    rule: str | None = None


def amended(pack: RulePack, change: Change) -> RulePack:
    """Return a pack with another value of a parameter, at every place and date.

    Raises:
        KeyError: there is no such parameter, no such rule, or the rule does not use it; the message names the nearest.
    """
    names = list(dict.fromkeys(entry.name for entry in pack.parameter))
    _refuse_unknown("parameter", change.parameter, names)
    if change.rule is None:
        entries = (
            replace(entry, value=change.value) if entry.name == change.parameter else entry
            for entry in pack.parameter
        )
        return replace(pack, parameter=tuple(entries))
    _refuse_unknown("rule", change.rule, [part.name for question in pack.question for part in question.parts])
    alone = f"{change.rule}.{change.parameter}"
    added = tuple(
        replace(entry, name=alone, value=change.value)
        for entry in pack.parameter
        if entry.name == change.parameter
    )
    questions = tuple(_in_rule(question, change, alone) for question in pack.question)
    if questions == pack.question:
        raise KeyError(f"the rule {change.rule} does not use the parameter {change.parameter}")
    return replace(pack, parameter=(*pack.parameter, *added), question=questions)


def pack_differences(before: RulePack, after: RulePack) -> Iterator[tuple[str | None, str]]:
    """Yield what differs between two packs: the question it belongs to (None: all) and a line of words."""
    old, new = _entries(before), _entries(after)
    for key in dict.fromkeys((*old, *new)):
        one, other = old.get(key), new.get(key)
        if _said(one) != _said(other):
            place = "".join(f" ({part})" for part in key[1:] if part)
            yield None, f"{key[0]}{place} {_said(one)} → {_said(other)}"
    made, remade = ({item.name: item for item in pack.derived} for pack in (before, after))
    for name in dict.fromkeys((*made, *remade)):
        if made.get(name) != remade.get(name):
            yield (
                None,
                f"{name} {'new' if name not in made else 'taken away' if name not in remade else 'computed otherwise'}",
            )
    if before.policy != after.policy:
        yield None, "the policy tools of planning sheets are others"
    questions = {question.name: question for question in (*before.question, *after.question)}
    for name in questions:
        yield from (
            (name, words) for words in _question_differences(_named(before, name), _named(after, name))
        )


def limits_of(pack: RulePack, question: str) -> set[str]:
    """Return the parameters that a question compares with."""
    asked = _named(pack, question)
    clauses = [clause for part in asked.parts for clause in part.all] if asked else []
    return {
        clause.limit for clause in clauses if isinstance(clause, Clause) and isinstance(clause.limit, str)
    }


def _in_rule(question: Question, change: Change, alone: str) -> Question:
    def other(clause: AnyClause) -> AnyClause:
        if isinstance(clause, Clause) and clause.limit == change.parameter:
            return replace(clause, limit=alone)
        return clause

    rules: tuple[Rule, ...] = tuple(
        replace(rule, all=tuple(map(other, rule.all))) if rule.name == change.rule else rule
        for rule in question.rule
    )
    exceptions = tuple(
        replace(part, all=tuple(map(other, part.all))) if part.name == change.rule else part
        for part in question.exception
    )
    return replace(question, rule=rules, exception=exceptions)


def _refuse_unknown(what: str, name: str, known: list[str]) -> None:
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.4)
        hint = f"; did you mean {', '.join(near)}" if near else f"; there are {', '.join(known)}"
        raise KeyError(f"there is no {what} {name!r}{hint}")


def _entries(pack: RulePack) -> dict[tuple[str, str | None, str | None], Parameter]:
    """Return the newest entry of each parameter and place."""
    oldest_first = sorted(pack.parameter, key=lambda item: item.in_force)
    return {(item.name, item.town, item.zone): item for item in oldest_first}


def _said(entry: Parameter | None) -> str:
    return "–" if entry is None else f"{entry.value:g} {entry.unit}"


def _named(pack: RulePack, name: str) -> Question | None:
    return next((question for question in pack.question if question.name == name), None)


def _question_differences(before: Question | None, after: Question | None) -> Iterator[str]:
    if before is None or after is None:
        yield "question new" if before is None else "question taken away"
        return
    old, new = ({part.name: part for part in question.parts} for question in (before, after))
    for name in dict.fromkeys((*old, *new)):
        if name not in old or name not in new:
            yield f"rule {name} {'taken away' if name in old else 'new'}"
        elif (old[name].all, old[name].unless) != (new[name].all, new[name].unless):
            yield f"rule {name} has other clauses"
    if [part.name for part in before.rule] != [part.name for part in after.rule]:
        yield "other order of rules"
