"""Three-valued rules: clauses over measures, rules over clauses, questions over rules, each answer with its trace.

Clauses are true, false or unknown. A rule holds when all its clauses hold (Kleene's AND). A question takes the first
rule that holds; as long as an earlier rule is unknown and would give another answer, the question stays open.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Outcomes = npt.NDArray[np.int8]

FALSE, UNKNOWN, TRUE = 0, 1, 2
LETTERS = np.array(["f", "u", "t"], dtype=object)
OPEN = "open"

_STRICT: dict[str, Any] = {"extra": "forbid"}
# Below this a float is equal to its limit: shares are sums of areas.
EQUAL_WITHIN = 1e-9


@dataclass(frozen=True)
class Parameter:
    """One limit: its value, unit, the document it comes from, and whether it is only an example."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    value: float
    unit: str
    document: str
    in_force: dt.date
    example: bool


@dataclass(frozen=True)
class Clause:
    """`measure op limit`; the limit names a parameter or is a number (1 true, 0 false for yes-or-no measures).

    `needed` and `office` say which paper would settle the clause when it is unknown, and who has it.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    measure: str
    op: Literal["<", "<=", ">", ">=", "="]
    limit: str | float
    title: str
    needed: str | None = None
    office: str | None = None


@dataclass(frozen=True)
class Example:
    """A case in the rule's own words: given these measures, the rule gives this outcome."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    given: dict[str, float]
    gives: Literal["true", "false", "unknown"]


@dataclass(frozen=True)
class Rule:
    """All clauses together give `answer`; `article` is the reason in the document."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    title: str
    answer: str
    article: str
    all: tuple[Clause, ...]
    example: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Question:
    """Rules in order; `otherwise` is the answer when none holds. `only` restricts it to answers of another question."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    title: str
    otherwise: str
    answers: dict[str, str]
    rule: tuple[Rule, ...]
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class RulePack:
    """Several questions with their parameters."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    title: str
    document: str
    in_force: dt.date
    example: bool
    parameter: tuple[Parameter, ...]
    question: tuple[Question, ...]

    def limit(self, clause: Clause) -> float:
        """Return the number that a clause compares with."""
        if isinstance(clause.limit, str):
            return next(parameter.value for parameter in self.parameter if parameter.name == clause.limit)
        return float(clause.limit)

    @property
    def measures(self) -> tuple[str, ...]:
        """Return every measure that the pack asks for, in order of appearance."""
        names = [
            clause.measure for question in self.question for rule in question.rule for clause in rule.all
        ]
        return tuple(dict.fromkeys(names))


def faults(pack: RulePack, known_measures: set[str]) -> list[str]:
    """Return what is wrong with a pack beyond its form: unknown names, doubles, examples that do not hold."""
    found: list[str] = []
    parameters = [parameter.name for parameter in pack.parameter]
    found += [f"parameter {name}: defined twice" for name in _doubles(parameters)]
    found += [f"question {name}: defined twice" for name in _doubles([q.name for q in pack.question])]
    for number, question in enumerate(pack.question):
        found += _bad_question(question, pack.question[:number])
        found += [f"rule {name}: defined twice" for name in _doubles([rule.name for rule in question.rule])]
        for rule in question.rule:
            where = f"question {question.name}, rule {rule.name}"
            if rule.answer not in question.answers:
                found.append(f"{where}: its answer {rule.answer!r} has no title in answers")
            bad_names = _bad_names(rule, set(parameters), known_measures)
            found += [f"{where}: {fault}" for fault in bad_names]
            if not bad_names:
                found += [f"{where}: {fault}" for fault in _failing_examples(pack, rule)]
    return found


def decide(pack: RulePack, evidence: pd.DataFrame) -> pd.DataFrame:
    """Answer every question of a pack for every parcel.

    `evidence` has one row a parcel (index parcel_id) and one column a measure; NaN or a missing column is unknown.
    Returns question, parcel_id, answer, settled, rule, candidate and trace (rule → outcome letters of its clauses,
    t/f/u), in the order of questions and parcels. A parcel outside `only` of a question has no row for it.
    """
    answers: dict[str, pd.DataFrame] = {}
    for question in pack.question:
        asked = evidence[_asked(question, evidence.index, answers)]
        answers[question.name] = _answer(pack, question, asked)
    return pd.concat([frame.assign(question=name) for name, frame in answers.items()], ignore_index=True)


def clause_outcomes(pack: RulePack, clause: Clause, evidence: pd.DataFrame) -> Outcomes:
    """Return the outcome of one clause for every parcel."""
    if clause.measure not in evidence.columns:
        return np.full(len(evidence), UNKNOWN, dtype=np.int8)
    values = evidence[clause.measure].to_numpy(dtype=np.float64)
    holds = _compare(values, clause.op, pack.limit(clause))
    return np.where(np.isnan(values), UNKNOWN, np.where(holds, TRUE, FALSE)).astype(np.int8)


def _compare(values: npt.NDArray[np.float64], op: str, limit: float) -> npt.NDArray[np.bool_]:
    slack = EQUAL_WITHIN * max(1.0, abs(limit))
    if op == "=":
        return np.abs(values - limit) <= slack
    if op in ("<=", ">"):
        at_most = values <= limit + slack
        return at_most if op == "<=" else ~at_most
    at_least = values >= limit - slack
    return at_least if op == ">=" else ~at_least


def _answer(pack: RulePack, question: Question, evidence: pd.DataFrame) -> pd.DataFrame:
    count = len(evidence)
    answer = np.full(count, question.otherwise, dtype=object)
    rule_name = np.full(count, None, dtype=object)
    candidate = np.full(count, None, dtype=object)
    decided = np.zeros(count, dtype=bool)
    traces: dict[str, npt.NDArray[np.object_]] = {}
    doubts: list[tuple[Rule, npt.NDArray[np.bool_]]] = []
    for rule in question.rule:
        outcomes = np.array([clause_outcomes(pack, clause, evidence) for clause in rule.all], dtype=np.int8)
        # Kleene's AND is the minimum of false < unknown < true.
        whole = outcomes.min(axis=0)
        traces[rule.name] = np.array(["".join(column) for column in LETTERS[outcomes.T]], dtype=object)
        holds = ~decided & (whole == TRUE)
        answer[holds], rule_name[holds] = rule.answer, rule.name
        doubts.append((rule, ~decided & (whole == UNKNOWN)))
        decided |= holds
    settled = np.ones(count, dtype=bool)
    for rule, unknown in doubts:
        differs = unknown & (answer != rule.answer)
        candidate[differs & settled] = rule.answer
        settled &= ~differs
    answer[~settled], rule_name[~settled] = OPEN, None
    return pd.DataFrame(
        {
            "parcel_id": evidence.index.to_numpy(),
            "answer": answer,
            "settled": settled,
            "rule": pd.Series(rule_name, dtype=object),
            "candidate": pd.Series(candidate, dtype=object),
            "trace": [dict(zip(traces, row, strict=True)) for row in zip(*traces.values(), strict=True)],
        }
    )


def _asked(
    question: Question, parcels: pd.Index[Any], answers: dict[str, pd.DataFrame]
) -> npt.NDArray[np.bool_]:
    asked = np.ones(len(parcels), dtype=bool)
    for other, wanted in question.only.items():
        given = answers[other].set_index("parcel_id")["answer"].reindex(parcels)
        asked &= given.isin(wanted).to_numpy()
    return asked


def _bad_question(question: Question, earlier: tuple[Question, ...]) -> list[str]:
    found = []
    if not question.rule:
        found.append("it has no rule")
    if OPEN in question.answers:
        found.append(f"the answer {OPEN!r} is kept for questions that cannot be settled")
    if question.otherwise not in question.answers:
        found.append(f"otherwise {question.otherwise!r} has no title in answers")
    answers = {other.name: other.answers for other in earlier}
    for other, wanted in question.only.items():
        if other not in answers:
            found.append(f"only asks for {other!r}, which is no earlier question")
        else:
            strange = [answer for answer in wanted if answer not in answers[other]]
            found += [
                f"only asks for the answer {answer!r}, which {other!r} never gives" for answer in strange
            ]
    return [f"question {question.name}: {fault}" for fault in found]


def _doubles(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _bad_names(rule: Rule, parameters: set[str], measures: set[str]) -> list[str]:
    found = [] if rule.all else ["it has no clause"]
    for clause in rule.all:
        if clause.measure not in measures:
            found.append(f"there is no measure {clause.measure!r}")
        if isinstance(clause.limit, str) and clause.limit not in parameters:
            found.append(f"there is no parameter {clause.limit!r}")
    used = {clause.measure for clause in rule.all}
    for number, example in enumerate(rule.example, start=1):
        strange = sorted(set(example.given) - used)
        found += [f"example {number} gives {name!r}, which no clause asks for" for name in strange]
    return found


def _failing_examples(pack: RulePack, rule: Rule) -> list[str]:
    found = []
    for number, example in enumerate(rule.example, start=1):
        given = pd.DataFrame([example.given])
        whole = min(int(clause_outcomes(pack, clause, given)[0]) for clause in rule.all)
        gives = {TRUE: "true", FALSE: "false", UNKNOWN: "unknown"}[whole]
        if gives != example.gives:
            found.append(f"example {number} gives {gives}, not {example.gives}")
    return found
