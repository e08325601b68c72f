"""Run the examples that stand beside a rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from lowland_gis.analysis.rules.decide import Facts, compare_clause, whole_outcome
from lowland_gis.analysis.rules.kleene import FALSE, TRUE, UNKNOWN, Outcomes
from lowland_gis.analysis.rules.pack import AnswerClause, AnyClause, Clauses, Example, Question, RulePack

_WORDS = {TRUE: "true", FALSE: "false", UNKNOWN: "unknown"}


@dataclass(frozen=True)
class Ran:
    """One example that was run: `found` is what the rule gives."""

    question: str
    rule: str
    number: int
    example: Example
    found: str

    @property
    def holds(self) -> bool:
        """Say whether the rule gives what the example says."""
        return self.found == self.example.gives


def run_examples(pack: RulePack, units: Mapping[str, str], day: dt.date) -> Iterator[Ran]:
    """Run every example of a pack; `units` has the unit of each measure, `day` is the day whose law holds."""
    for question in pack.question:
        for part in question.parts:
            for number, example in enumerate(part.example, start=1):
                found = example_outcome(
                    pack, question, part, example, Facts(np.empty(0, dtype=object), {}, units=units, day=day)
                )
                yield Ran(question.name, part.name, number, example, found)


def example_outcome(
    pack: RulePack, question: Question, part: Clauses, example: Example, places: Facts
) -> str:
    """Return true, false or unknown: what a rule or exception gives for one example.

    Of `places` only the units and the day are looked at.
    """
    ends = {
        name: (value if isinstance(value, tuple) else (value, value))
        for name, value in example.given.items()
        if not isinstance(value, str)
    }
    bands = {name: (np.array([float(low)]), np.array([float(high)])) for name, (low, high) in ends.items()}
    values = {name: (low + high) / 2 for name, (low, high) in bands.items()}
    facts = Facts(
        np.array(["example"], dtype=object), values, bands=bands, units=places.units, day=places.day
    )

    def outcome(clause: AnyClause) -> Outcomes:
        if isinstance(clause, AnswerClause):
            answer = example.given.get(clause.question)
            known = TRUE if answer in clause.answers else FALSE
            return np.array([UNKNOWN if answer is None else known], dtype=np.int8)
        if clause.measure not in values:
            return np.array([UNKNOWN], dtype=np.int8)
        return compare_clause(pack, clause, facts, values[clause.measure])

    return _WORDS[int(whole_outcome(part, question, outcome, 1)[0])]
