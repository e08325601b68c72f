"""Answer every question of a rule pack for every parcel, column by column, with the outcome of every clause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import entry
from lowland_gis.analysis.rules import kleene
from lowland_gis.analysis.rules.derived import Place, Whole, derived_values, known_points, scores
from lowland_gis.analysis.rules.kleene import FALSE, TRUE, UNKNOWN, Outcomes
from lowland_gis.analysis.rules.limits import Elsewhere, limit_of, other_limits
from lowland_gis.analysis.rules.means import Summed
from lowland_gis.analysis.rules.pack import (
    OPEN,
    AnswerClause,
    AnyClause,
    Clause,
    Clauses,
    Estimate,
    Question,
    RulePack,
)
from lowland_gis.loading import when_used

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]
Numbers = npt.NDArray[np.int16]
Rows = npt.NDArray[np.intp]

NOT_ASKED, _NONE = -2, -1


@dataclass(frozen=True)
class Facts:
    """What is known of parcels: one value a parcel and measure in the order of `parcels`, NaN where nothing is known.

    `bands` has the ends between which a measure may lie; `said` the outcome of a condition that a registered document states
    (UNKNOWN where none does); `units` the unit of each measure. Law may differ by `towns` and `zones`, and by `day`; `elsewhere` says
    where parcels may lie as well.
    """

    parcels: Texts
    measured: Mapping[str, Floats]
    bands: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)
    said: Mapping[str, Outcomes] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    towns: Texts | None = None
    zones: Texts | None = None
    elsewhere: tuple[Elsewhere, ...] = ()
    day: dt.date | None = None

    @classmethod
    def of(cls, evidence: pd.DataFrame) -> Facts:
        """Return facts from a frame with one row a parcel (its index) and one column a measure."""
        values = {str(name): evidence[name].to_numpy(dtype=np.float64) for name in evidence.columns}
        return cls(np.asarray(evidence.index, dtype=object), values)

    def __len__(self) -> int:
        """Return the number of parcels."""
        return len(self.parcels)


@dataclass(frozen=True)
class Verdicts:
    """The answers to one question, for the parcels it was asked of.

    `rows` are positions in the facts; `answer`, `rule` and `candidate` hold one number each: an answer in the order of
    `answers` (the last one is open), a rule in the order of the question, -1 for none. `columns` says which row of
    `outcomes` (one row a condition, one column a parcel) each clause of the trace is.
    """

    question: Question
    answers: tuple[str, ...]
    rows: Rows
    answer: Numbers
    rule: Numbers
    candidate: Numbers
    outcomes: Outcomes
    columns: Rows

    def __len__(self) -> int:
        """Return the number of parcels that were asked."""
        return len(self.rows)

    def trace(self, chosen: slice = slice(None)) -> npt.NDArray[np.bytes_]:
        """Return the letters f, u, t of every clause, one text of the length of the trace a parcel."""
        found = kleene.letters(self.outcomes, self.columns, self.rows[chosen])
        return found.view(f"S{self.question.n_clauses}").ravel()

    def frame(self, parcels: Texts, chosen: slice = slice(None)) -> pd.DataFrame:
        """Return question, parcel_id, answer, settled, rule, candidate and trace; rule and candidate None where none."""
        answers = np.array([*self.answers, None], dtype=object)
        rules = np.array([*(rule.name for rule in self.question.rule), None], dtype=object)
        answer = self.answer[chosen]
        return pd.DataFrame(
            {
                "question": self.question.name,
                "parcel_id": parcels[self.rows[chosen]],
                "answer": answers[answer],
                "settled": answer != len(self.answers) - 1,
                "rule": pd.Series(rules[self.rule[chosen]], dtype=object),
                "candidate": pd.Series(answers[self.candidate[chosen]], dtype=object),
                "trace": self.trace(chosen).astype(str).astype(object),
            }
        )

    def chunks(self, parcels: Texts, size: int) -> Iterator[pd.DataFrame]:
        """Yield the frame in pieces of at most `size` rows."""
        for start in range(0, len(self), size):
            yield self.frame(parcels, slice(start, start + size))


@dataclass(frozen=True)
class Decision:
    """The verdicts of every question, and the scores, ranks and estimates of the pack (one value a parcel, NaN unknown)."""

    facts: Facts
    verdicts: dict[str, Verdicts]
    derived: dict[str, Floats]

    def frame(self) -> pd.DataFrame:
        """Return the verdicts of every question, in the order of questions and parcels."""
        frames = [item.frame(self.facts.parcels) for item in self.verdicts.values()]
        return pd.concat(frames, ignore_index=True)


def decide(pack: RulePack, facts: Facts, whole: Whole | None = None) -> Decision:
    """Answer every question of a pack for every parcel.

    A parcel outside `only` of a question is not asked. A measure that is not among the facts is unknown for all. Where the facts are those
    of some parcels only, `whole` has what is known of all: mean points (`points_to_mean`) and ranks.

    >>> from lowland_gis.analysis.rules.pack import Rule
    >>> rule = Rule("r", "空置", "low", "第一条", (Clause("vacant_share", ">=", 0.5, "空置"),))
    >>> question = Question("kind", "类型", "none", {"low": "低效", "none": "非低效"}, (rule,))
    >>> pack = RulePack("p", "p", "d", dt.date(2024, 1, 1), True, (question,))
    >>> facts = Facts.of(pd.DataFrame({"vacant_share": [0.7, 0.2, np.nan]}, index=["A", "B", "C"]))
    >>> decide(pack, facts).frame()[["parcel_id", "answer", "trace"]].values.tolist()
    [['A', 'low', 't'], ['B', 'none', 'f'], ['C', 'open', 'u']]
    """
    conditions = _Conditions(pack, facts)
    derived = derived_values(pack, facts, conditions.outcome, whole)
    conditions.measured.update(derived)
    verdicts: dict[str, Verdicts] = {}
    for question in pack.question:
        verdicts[question.name] = _answered(question, _asked(question, len(facts), verdicts), conditions)
        conditions.answered[question.name] = verdicts[question.name]
    for estimate in pack.estimate:
        wanted = _asked(estimate, len(facts), verdicts)
        derived[estimate.name] = np.where(
            np.isin(np.arange(len(facts)), wanted), derived[estimate.name], np.nan
        )
    return Decision(facts, verdicts, derived)


def points_to_mean(pack: RulePack, facts: Facts) -> dict[Place, Summed]:
    """Return the first of what must be known of all parcels: sums of points, which add up over the parts of them."""
    return known_points(pack, facts, _Conditions(pack, facts).outcome)


def own_scores(pack: RulePack, facts: Facts, means: Mapping[Place, float]) -> dict[str, Floats]:
    """Return the second of it: the scores of some parcels, by which all are ranked."""
    return scores(pack, facts, _Conditions(pack, facts).outcome, means)


def whole_outcome(
    part: Clauses, question: Question, outcome: Callable[[AnyClause], Outcomes], count: int
) -> Outcomes:
    """Return the outcome of a rule or exception: all its clauses, and none of its exceptions.

    `outcome` gives the outcome of a clause for `count` parcels.
    """
    named = {item.name: item for item in question.parts}
    exceptions = [
        kleene.negated(whole_outcome(named[name], question, outcome, count)) for name in part.unless
    ]
    return kleene.both([*(outcome(clause) for clause in part.all), *exceptions], count)


class _Conditions:
    """The outcomes of every distinct condition of a pack, each computed once when it is first asked for."""

    def __init__(self, pack: RulePack, facts: Facts) -> None:
        own = {item.name: item.unit for item in pack.derived}
        self.pack, self.facts = pack, replace(facts, units={**facts.units, **own} if facts.units else {})
        self.measured: dict[str, Floats] = dict(facts.measured)
        self.answered: dict[str, Verdicts] = {}
        clauses = [clause for question in pack.question for part in question.parts for clause in part.all]
        clauses += [clause for score in pack.score for clause in score.among]
        names = dict.fromkeys(clause.condition for clause in clauses)
        self._place = {name: place for place, name in enumerate(names)}
        self._known: set[str] = set()
        self.outcomes = np.empty((len(names), len(facts)), dtype=np.int8)

    def column(self, clause: AnyClause) -> int:
        """Return which row of the outcomes belongs to a clause, after computing it."""
        place = self._place[clause.condition]
        if clause.condition not in self._known:
            self._compute(clause, self.outcomes[place])
            self._known.add(clause.condition)
        return place

    def outcome(self, clause: AnyClause) -> Outcomes:
        """Return the outcome of a clause for every parcel."""
        found: Outcomes = self.outcomes[self.column(clause)]
        return found

    def _compute(self, clause: AnyClause, out: Outcomes) -> None:
        if isinstance(clause, AnswerClause):
            out[:] = _answer_outcome(clause, self.answered[clause.question], len(self.facts))
            return
        self._compare(clause, out)
        said = self.facts.said.get(clause.condition)
        if said is not None:
            # A document settles what is unknown; what was measured stands.
            np.copyto(out, said, where=out == UNKNOWN)

    def _compare(self, clause: Clause, out: Outcomes) -> None:
        values = self.measured.get(clause.measure)
        if values is None:
            out[:] = UNKNOWN
            return
        compare_clause(self.pack, clause, self.facts, values, out=out)


def compare_clause(
    pack: RulePack, clause: Clause, facts: Facts, values: Floats, *, out: Outcomes | None = None
) -> Outcomes:
    """Return the outcome of a clause over the values of its measure, or over their bands where they have some.

    Where a parcel may lie elsewhere too and the limit of there gives another outcome, it is unknown.
    """
    band = facts.bands.get(clause.measure)

    def under(limit: Floats | float, out: Outcomes | None = None) -> Outcomes:
        if band is None:
            return kleene.compared(values, clause.op, limit, out=out)
        return kleene.compared_bands(*band, clause.op, limit)

    found = under(limit_of(pack, clause, facts), out)
    for limit in other_limits(pack, clause, facts):
        found[found != under(limit)] = UNKNOWN
    if out is None or found is out:
        return found
    out[:] = found
    return out


def _answer_outcome(clause: AnswerClause, verdicts: Verdicts, count: int) -> Outcomes:
    by_number = np.array(
        [UNKNOWN if name == OPEN else TRUE if name in clause.answers else FALSE for name in verdicts.answers],
        dtype=np.int8,
    )
    out = np.full(count, FALSE, dtype=np.int8)
    out[verdicts.rows] = by_number[verdicts.answer]
    return out


def _asked(question: Question | Estimate, count: int, verdicts: Mapping[str, Verdicts]) -> Rows:
    """Return the positions of the parcels that a question is asked of, or that an estimate is made for."""
    if not question.only:
        return np.arange(count, dtype=np.intp)
    asked = np.ones(count, dtype=bool)
    for other, wanted in question.only.items():
        asked &= _answer_outcome(AnswerClause(other, wanted, ""), verdicts[other], count) == TRUE
    return np.flatnonzero(asked)


def _answered(question: Question, rows: Rows, conditions: _Conditions) -> Verdicts:
    clauses = [clause for part in question.parts for clause in part.all]
    columns = np.array([conditions.column(clause) for clause in clauses], dtype=np.intp)
    outcomes = conditions.outcomes
    everyone = len(rows) == outcomes.shape[1]

    def outcome(clause: AnyClause) -> Outcomes:
        column = conditions.outcome(clause)
        return column if everyone else column[rows]

    answers = (*question.answers, OPEN)
    final = np.full(len(rows), answers.index(question.otherwise), dtype=np.int16)
    rule_number = np.full(len(rows), _NONE, dtype=np.int16)
    candidate = np.full(len(rows), _NONE, dtype=np.int16)
    # From the last rule to the first: each overrules what those after it say.
    for number, rule in reversed(list(enumerate(question.rule))):
        whole = whole_outcome(rule, question, outcome, len(rows))
        _overrule(whole, answers.index(rule.answer), number, final, rule_number, candidate)
    _leave_open(len(answers) - 1, final, rule_number, candidate)
    return Verdicts(question, answers, rows, final, rule_number, candidate, outcomes, columns)


@entry
def _overrule(
    whole: Outcomes, answer: int, number: int, final: Numbers, rule: Numbers, candidate: Numbers
) -> None:
    for row in range(len(whole)):
        if whole[row] == 2:  # noqa: PLR2004 - true
            final[row], rule[row], candidate[row] = answer, number, -1
        elif whole[row] == 1 and final[row] != answer:
            candidate[row] = answer


@entry
def _leave_open(open_answer: int, final: Numbers, rule: Numbers, candidate: Numbers) -> None:
    for row in range(len(final)):
        if candidate[row] >= 0:
            final[row], rule[row] = open_answer, -1
