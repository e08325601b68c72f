"""Rule packs as frozen values: parameters, clauses, rules with exceptions, questions, and what a pack derives itself.

Clauses are true, false or unknown. A rule holds when all its clauses hold and none of its exceptions does (Kleene's AND
and NOT). A question takes the first rule that holds; as long as an earlier rule is unknown and would give another answer,
the question stays open. How that is computed stands in `analysis.rules.decide`, what a value may be in
`analysis.rules.pack_values`, what can be wrong in `analysis.rules.pack_faults`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Tag

from lowland_gis.analysis.rules.pack_values import Case, Day, Flag, Number, Text, TextOrNumber

OPEN = "open"
# The question that the databases, the units and the map are drawn from.
KIND = "kind"
Meaning = Literal["low", "not", "open"]
Op = Literal["<", "<=", ">", ">=", "="]

_STRICT: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True)
class Parameter:
    """One limit: its value, unit, the document it comes from, from when (until before when) and where it holds.

    Several entries of one name are law that differs by date, town (镇街代码) or zone (规划分区代码): among those in force the
    most particular one counts, then the newest.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: Text
    value: Number
    unit: Text
    document: Text
    in_force: Day
    example: Flag
    title: str = ""
    until: Day | None = None
    town: Text | None = None
    zone: Text | None = None

    def holds_on(self, day: dt.date) -> bool:
        """Say whether the entry is in force on a day."""
        return self.in_force <= day and (self.until is None or day < self.until)


@dataclass(frozen=True)
class Clause:
    """`measure op limit unit`; the limit names a parameter or is a number (1 true, 0 false for yes-or-no measures).

    `needed` and `office` say which paper would settle the clause when it is unknown, and who has it.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    measure: Text
    op: Op
    limit: TextOrNumber
    title: Text
    needed: Text | None = None
    office: Text | None = None
    unit: Text | None = None

    @property
    def condition(self) -> str:
        """Return the condition as text: two clauses with one condition have one outcome."""
        limit = self.limit if isinstance(self.limit, str) else f"{self.limit:.12g}"
        return " ".join(filter(None, (self.measure, self.op, limit, self.unit)))


@dataclass(frozen=True)
class AnswerClause:
    """True where an earlier question has one of the answers, unknown while that question is open."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    question: Text
    answers: tuple[Text, ...]
    title: Text

    needed: ClassVar[str | None] = None
    office: ClassVar[str | None] = None

    @property
    def condition(self) -> str:
        """Return the condition as text."""
        return f"{self.question} in {'|'.join(self.answers)}"


def _clause_kind(value: Any) -> str:
    """Return the name of the class that a clause is of: the one with which it has more keys in common."""
    if not isinstance(value, dict):
        return AnswerClause.__name__ if isinstance(value, AnswerClause) else Clause.__name__
    asked = {"question", "answers"} & value.keys()
    return AnswerClause.__name__ if len(asked) > len({"measure", "op"} & value.keys()) else Clause.__name__


AnyClause = Annotated[
    Annotated[Clause, Tag(Clause.__name__)] | Annotated[AnswerClause, Tag(AnswerClause.__name__)],
    Discriminator(_clause_kind),
]


@dataclass(frozen=True)
class Example:
    """A case in the rule's own words: given these measures, the rule gives this outcome.

    A measure is given as a number, or as the two ends of its band; an earlier question as its answer.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    given: dict[str, Case]
    gives: Literal["true", "false", "unknown"]


@dataclass(frozen=True)
class Rule:
    """All clauses together give `answer`, unless one of the named exceptions holds; `article` is the reason in the document."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: Text
    title: Text
    answer: Text
    article: Text
    all: tuple[AnyClause, ...]
    example: tuple[Example, ...] = ()
    unless: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Exemption:
    """An exception (例外): where all its clauses hold, and none of its own exceptions, the rules that name it do not."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: Text
    title: Text
    article: Text
    all: tuple[AnyClause, ...]
    example: tuple[Example, ...] = ()
    unless: tuple[Text, ...] = ()


Clauses = Rule | Exemption


@dataclass(frozen=True)
class Question:
    """Rules in order; `otherwise` is the answer when none holds. `only` restricts it to answers of another question.

    `means` says of the question `kind` which of its answers mean low-efficiency land (low), land that is not (not), and land
    that is still to be settled (open, beside the answer `open` that a question gives by itself).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: Text
    title: Text
    otherwise: Text
    answers: dict[str, Text]
    rule: tuple[Rule, ...]
    only: dict[str, tuple[Text, ...]] = field(default_factory=dict)
    exception: tuple[Exemption, ...] = ()
    means: dict[str, tuple[Text, ...]] = field(default_factory=dict)

    def meaning(self, meaning: Meaning) -> tuple[str, ...]:
        """Return the answers that have a meaning; the answer `open` always means open."""
        own = (OPEN,) if meaning == "open" else ()
        return (*self.means.get(meaning, ()), *own)

    @property
    def parts(self) -> tuple[Clauses, ...]:
        """Return rules, then exceptions: the order in which a trace holds their clauses."""
        return (*self.rule, *self.exception)

    def spans(self) -> Iterator[tuple[Clauses, slice]]:
        """Yield each rule and exception with its place in a trace."""
        start = 0
        for part in self.parts:
            yield part, slice(start, start + len(part.all))
            start += len(part.all)

    @property
    def n_clauses(self) -> int:
        """Return the length of a trace."""
        return sum(len(part.all) for part in self.parts)


@dataclass(frozen=True)
class Term:
    """One indicator of a score: weight × value / base, at most cap × weight; numbers or names of parameters."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    measure: Text
    weight: TextOrNumber
    base: TextOrNumber
    cap: TextOrNumber


@dataclass(frozen=True)
class Score:
    """A weighted sum of indicators, for the parcels where every clause of `among` is true.

    `missing` says what a missing indicator does: the score is unknown, or the mean of the others that were scored stands in.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: Text
    title: Text
    document: Text
    term: tuple[Term, ...]
    among: tuple[Clause, ...] = ()
    missing: Literal["unknown", "mean"] = "unknown"
    unit: Literal["point"] = "point"


@dataclass(frozen=True)
class Rank:
    """Where a parcel stands by a score: the share of scored parcels that are at least as good, so that the best is near 0."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: Text
    title: Text
    document: Text
    of: Text
    unit: Literal["share"] = "share"


@dataclass(frozen=True)
class EstimateTerm:
    """A product of measures and parameters, added or taken off."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    factors: tuple[Text, ...]
    sign: Literal["+", "-"] = "+"


@dataclass(frozen=True)
class Estimate:
    """A sum of products, never below `at_least`; unknown where a factor is. It is an estimate, no assessment.

    `only` restricts it to parcels with some answers to questions.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: Text
    title: Text
    document: Text
    unit: Text
    term: tuple[EstimateTerm, ...]
    at_least: Number | None = None
    only: dict[str, tuple[Text, ...]] = field(default_factory=dict)


Derived = Score | Rank | Estimate


@dataclass(frozen=True)
class Policy:
    """What the planning sheet of a unit offers (政策工具) by the kinds of its land, and what it compares the public share with."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    document: Text
    tools: dict[str, tuple[Text, ...]]
    public_benefit: Text | None = None

    def of(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Return the tools of some kinds, each once, in their order."""
        return tuple(dict.fromkeys(tool for kind in kinds for tool in self.tools.get(kind, ())))


@dataclass(frozen=True)
class RulePack:
    """Several questions with their parameters, and the scores, ranks and estimates that they rest on.

    `policy` is what planning sheets offer; without it they offer nothing.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: Text
    title: Text
    document: Text
    in_force: Day
    example: Flag
    question: tuple[Question, ...]
    parameter: tuple[Parameter, ...] = ()
    score: tuple[Score, ...] = ()
    rank: tuple[Rank, ...] = ()
    estimate: tuple[Estimate, ...] = ()
    policy: Policy | None = None

    @property
    def unproven(self) -> tuple[str, ...]:
        """Return the rules and exceptions without an example, as question.rule."""
        return tuple(
            f"{question.name}.{part.name}"
            for question in self.question
            for part in question.parts
            if not part.example
        )

    @property
    def derived(self) -> tuple[Derived, ...]:
        """Return what the pack derives itself, in the order in which it is computed."""
        return (*self.score, *self.rank, *self.estimate)

    @property
    def behind(self) -> dict[str, tuple[str, ...]]:
        """Return score, rank or estimate → the measures that it is computed from."""
        parameters = {entry.name for entry in self.parameter}
        found = {score.name: tuple(term.measure for term in score.term) for score in self.score}
        found |= {rank.name: found.get(rank.of, ()) for rank in self.rank}
        for estimate in self.estimate:
            factors = [factor for term in estimate.term for factor in term.factors]
            found[estimate.name] = tuple(dict.fromkeys(name for name in factors if name not in parameters))
        return found

    def day(self, as_of: dt.date) -> dt.date:
        """Return the day whose law holds: the as-of day, or the day when the pack came into force if that is later."""
        return max(as_of, self.in_force)

    def question_named(self, name: str) -> Question:
        """Return a question.

        Raises:
            KeyError: there is none of that name.
        """
        found = next((question for question in self.question if question.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    @property
    def low_answers(self) -> tuple[str, ...]:
        """Return the answers to the question of the kind that mean low-efficiency land."""
        return self.question_named(KIND).meaning("low")

    def entries(self, name: str, day: dt.date | None = None) -> tuple[Parameter, ...]:
        """Return the entries of a parameter in force on a day, the least particular and oldest first."""
        found = [
            entry for entry in self.parameter if entry.name == name and (day is None or entry.holds_on(day))
        ]
        return tuple(sorted(found, key=lambda entry: (_particular(entry), entry.in_force)))

    def entry(self, name: str, *, town: str | None, zone: str | None, day: dt.date | None) -> Parameter:
        """Return the entry of a parameter that counts at a place on a day.

        Raises:
            KeyError: none does.
        """
        here = [
            entry
            for entry in self.entries(name, day)
            if entry.town in (None, town) and entry.zone in (None, zone)
        ]
        if not here:
            raise KeyError(name)
        return here[-1]

    def limit(
        self, clause: Clause, *, town: str | None = None, zone: str | None = None, day: dt.date | None = None
    ) -> float:
        """Return the number that a clause compares with at a place, in the unit of its parameter or its own."""
        if isinstance(clause.limit, str):
            return self.entry(clause.limit, town=town, zone=zone, day=day).value
        return float(clause.limit)

    @property
    def measures(self) -> tuple[str, ...]:
        """Return every measure that the pack asks the evidence for, in order of appearance."""
        names = [
            clause.measure
            for question in self.question
            for part in question.parts
            for clause in part.all
            if isinstance(clause, Clause)
        ]
        names += [clause.measure for score in self.score for clause in score.among]
        names += [name for behind in self.behind.values() for name in behind]
        own = {item.name for item in self.derived}
        return tuple(name for name in dict.fromkeys(names) if name not in own)


def _particular(entry: Parameter) -> int:
    return 2 * (entry.town is not None) + (entry.zone is not None)
