"""Which clauses tipped a verdict from one answer to another, told from the traces of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lowland_gis.analysis.rules.pack import AnyClause, Clause, Clauses, Question
from lowland_gis.analysis.rules.trace import split

NOT_THERE = "-"


@dataclass(frozen=True)
class Answered:
    """How a question was answered: by which question of which pack, the rule that decided (or would, where it is open), and its trace."""

    question: Question
    rule: str | None
    trace: str


@dataclass(frozen=True)
class Tipped:
    """A clause with another outcome: before and after t (true), f (false), u (unknown), or NOT_THERE where the pack has no such clause.

    `was` and `now` are the clause itself in both packs.
    """

    part: str
    title: str
    before: str
    after: str
    was: AnyClause | None
    now: AnyClause | None

    @property
    def measures(self) -> tuple[str, ...]:
        """Return the measures that it compares."""
        found = [clause.measure for clause in (self.now, self.was) if isinstance(clause, Clause)]
        return tuple(dict.fromkeys(found))


def tipped(before: Answered, after: Answered) -> list[Tipped]:
    """Return the clauses with another outcome in the rules that decided, before or after; where they are none, those of all rules."""
    was, now = _letters(before), _letters(after)
    names = [name for name in (after.rule, before.rule) if name is not None]
    parts = dict.fromkeys(
        name for start in names for name in _with_exceptions((before.question, after.question), start)
    )
    every = list(_differing(was, now))
    own = [found for found in every if found.part in parts]
    return own or every


def _differing(
    was: dict[tuple[str, str], tuple[str, AnyClause]], now: dict[tuple[str, str], tuple[str, AnyClause]]
) -> Iterator[Tipped]:
    nothing = (NOT_THERE, None)
    for part, title in dict.fromkeys([*now, *was]):
        one, other = was.get((part, title), nothing), now.get((part, title), nothing)
        if one[0] != other[0]:
            yield Tipped(part, title, one[0], other[0], one[1], other[1])


def _letters(answered: Answered) -> dict[tuple[str, str], tuple[str, AnyClause]]:
    letters = split(answered.question, answered.trace)
    return {
        (part.name, clause.title): (letter, clause)
        for part in answered.question.parts
        for clause, letter in zip(part.all, letters[part.name], strict=True)
    }


def _with_exceptions(questions: tuple[Question, ...], name: str) -> Iterator[str]:
    yield name
    for question in questions:
        parts: dict[str, Clauses] = {part.name: part for part in question.parts}
        if name in parts:
            for exception in parts[name].unless:
                yield from _with_exceptions(questions, exception)
