"""Three-valued rules: clauses at their limits, rules by Kleene's AND, questions by order."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from lowland_gis.analysis.rules.decide import Facts, compare_clause, decide
from lowland_gis.analysis.rules.kleene import FALSE, TRUE, UNKNOWN
from lowland_gis.analysis.rules.pack import Clause, Example, Parameter, Question, Rule, RulePack

DAY = dt.date(2024, 4, 17)
LIMIT = Parameter("limit", 0.5, "share", "示例", DAY, example=True)


NOWHERE = Facts(np.empty(0, dtype=object), {})


def rule(name: str, answer: str, *measures: str, examples: tuple[Example, ...] = ()) -> Rule:
    clauses = tuple(Clause(measure, ">=", "limit", measure) for measure in measures)
    return Rule(name, name, answer, "第一条", clauses, examples)


def pack(*questions: Question) -> RulePack:
    return RulePack("p", "p", "d", DAY, example=True, parameter=(LIMIT,), question=questions)


def kind(*given: Rule) -> Question:
    answers = dict.fromkeys(("none", *(item.answer for item in given)), "标题")
    return Question("kind", "kind", "none", answers, given)


def answer(question: Question, **measures: float) -> dict[str, object]:
    evidence = pd.DataFrame([measures], index=pd.Index(["P1"], name="parcel_id"))
    return decide(pack(question), Facts.of(evidence)).frame().iloc[0].to_dict()


@pytest.mark.parametrize(
    ("op", "below", "at", "above"),
    [
        ("<", TRUE, FALSE, FALSE),
        ("<=", TRUE, TRUE, FALSE),
        (">", FALSE, FALSE, TRUE),
        (">=", FALSE, TRUE, TRUE),
        ("=", FALSE, TRUE, FALSE),
    ],
)
def test_a_clause_below_at_and_above_its_limit(op: str, below: int, at: int, above: int):
    clause = Clause("m", op, "limit", "m")
    # 0.1 added five times is the limit, whatever binary fractions make of it.
    values = np.array([0.499, 0.1 + 0.1 + 0.1 + 0.1 + 0.1 - 1e-16, 0.501, np.nan])
    assert compare_clause(pack(), clause, NOWHERE, values).tolist() == [below, at, above, UNKNOWN]


def test_a_limit_may_be_a_number_and_rounding_scales_with_it():
    clause = Clause("m", ">=", 1_000_000, "m")
    outcomes = compare_clause(pack(), clause, NOWHERE, np.array([999_999.9995, 999_999.0]))
    assert outcomes.tolist() == [TRUE, FALSE]


def test_a_measure_that_was_never_taken_is_unknown():
    assert answer(kind(rule("r1", "a", "m")))["trace"] == "u"


def test_the_first_rule_that_holds_decides():
    question = kind(rule("r1", "a", "m"), rule("r2", "b", "n"), rule("r3", "c", "n"))
    given = answer(question, m=0, n=1)
    assert (given["answer"], given["rule"], given["settled"], given["candidate"]) == ("b", "r2", True, None)
    assert given["trace"] == "ftt"


def test_no_rule_holds():
    given = answer(kind(rule("r1", "a", "m")), m=0)
    assert (given["answer"], given["rule"], given["settled"]) == ("none", None, True)


def test_an_earlier_unknown_rule_keeps_the_question_open():
    given = answer(kind(rule("r1", "a", "m"), rule("r2", "b", "n")), n=1)
    assert (given["answer"], given["settled"], given["candidate"], given["rule"]) == (
        "open",
        False,
        "a",
        None,
    )


def test_an_earlier_unknown_rule_with_the_same_answer_changes_nothing():
    given = answer(kind(rule("r1", "a", "m"), rule("r2", "a", "n")), n=1)
    assert (given["answer"], given["settled"], given["rule"]) == ("a", True, "r2")


def test_a_later_unknown_rule_is_not_asked():
    given = answer(kind(rule("r1", "a", "n"), rule("r2", "b", "m")), n=1)
    assert (given["answer"], given["settled"]) == ("a", True)


def test_the_first_of_several_doubts_is_the_candidate():
    given = answer(kind(rule("r1", "none", "m"), rule("r2", "a", "m"), rule("r3", "b", "m")))
    assert (given["answer"], given["candidate"]) == ("open", "a")


def test_a_second_question_is_asked_only_of_settled_answers():
    first = kind(rule("r1", "a", "m"))
    second = Question(
        "second", "second", "no", {"yes": "是", "no": "否"}, (rule("s", "yes", "n"),), only={"kind": ("a",)}
    )
    evidence = pd.DataFrame({"m": [1, 0, np.nan], "n": [1, 1, 1]}, index=["P1", "P2", "P3"])
    rows = decide(pack(first, second), Facts.of(evidence)).frame()
    asked = rows[rows["question"] == "second"]
    assert asked["parcel_id"].tolist() == ["P1"]
    assert rows["question"].tolist() == ["kind"] * 3 + ["second"]


def test_no_parcels_give_no_verdicts():
    rows = decide(pack(kind(rule("r1", "a", "m"))), Facts.of(pd.DataFrame({"m": []}))).frame()
    assert rows.empty
    assert {"question", "parcel_id", "answer", "settled", "rule", "candidate", "trace"} <= set(rows.columns)


def test_a_pack_names_its_measures_once_in_order():
    assert pack(kind(rule("r1", "a", "n", "m"), rule("r2", "b", "m"))).measures == ("n", "m")
