"""Read a trace: one letter a clause (t true, f false, u unknown), rules first and exceptions after them."""

from __future__ import annotations

from collections.abc import Iterator

from lowland_gis.analysis.rules.pack import Clause, Clauses, Question

_NOT = {"t": "f", "f": "t", "u": "u"}


def split(question: Question, trace: str) -> dict[str, str]:
    """Return rule or exception → the letters of its own clauses.

    Raises:
        ValueError: the trace is of another question or another pack.
    """
    if len(trace) != question.n_clauses:
        raise ValueError(f"a trace of {len(trace)} clauses is none of the question {question.name}")
    return {part.name: trace[span] for part, span in question.spans()}


def whole(question: Question, part: Clauses, letters: dict[str, str]) -> str:
    """Return the letter of a whole rule or exception: all its clauses, and none of its exceptions."""
    named = {item.name: item for item in question.parts}
    found = letters[part.name] + "".join(_NOT[whole(question, named[name], letters)] for name in part.unless)
    return "f" if "f" in found else "u" if "u" in found else "t"


def open_clauses(question: Question, trace: str) -> Iterator[Clause]:
    """Yield the unknown clauses of the rules that come before the first one that holds: later ones change nothing."""
    letters = split(question, trace)
    for rule in question.rule:
        outcome = whole(question, rule, letters)
        if outcome == "t":
            return
        if outcome == "u":
            yield from _unknown(question, rule, letters)


def fitting(question: Question, trace: str) -> dict[str, str]:
    """Return clause title → letter of the rule that fits best: the one with the fewest false clauses."""
    letters = split(question, trace)
    rule = min(question.rule, key=lambda candidate: letters[candidate.name].count("f"))
    return {clause.title: letter for clause, letter in zip(rule.all, letters[rule.name], strict=True)}


def _unknown(question: Question, part: Clauses, letters: dict[str, str]) -> Iterator[Clause]:
    named = {item.name: item for item in question.parts}
    for clause, letter in zip(part.all, letters[part.name], strict=True):
        if letter == "u" and isinstance(clause, Clause):
            yield clause
    for name in part.unless:
        if whole(question, named[name], letters) == "u":
            yield from _unknown(question, named[name], letters)
