"""What three-valued rules mean, as tables: t true, f false, u unknown."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest

from lowland_gis.analysis.rules.decide import Facts, decide
from lowland_gis.analysis.rules.pack import Clause, Exemption, Question, Rule, RulePack

VALUE = {"t": 1.0, "f": 0.0, "u": np.nan}
AND = """
      t f u
    t t f u
    f f f f
    u u f u
"""


def table(text: str) -> list[tuple[str, str, str]]:
    """Return row, column and cell of a truth table."""
    head, *lines = [line.split() for line in text.strip().splitlines()]
    return [(line[0], column, cell) for line in lines for column, cell in zip(head, line[1:], strict=True)]


def clause(measure: str) -> Clause:
    return Clause(measure, "=", 1, measure)


def question(*rules: tuple[str, str]) -> RulePack:
    """Return a pack of one question: each rule is its answer and the letters of the measures it needs."""
    made = tuple(
        Rule(f"r{number}", "t", answer, "a", tuple(map(clause, measures)))
        for number, (answer, measures) in enumerate(rules)
    )
    answers = dict.fromkeys(["none", *(answer for answer, _ in rules)], "")
    day = dt.date(2024, 4, 17)
    return RulePack(
        "p", "p", "d", day, example=True, parameter=(), question=(Question("q", "q", "none", answers, made),)
    )


def decided(pack: RulePack, **given: str) -> str:
    evidence = pd.DataFrame([{name: VALUE[letter] for name, letter in given.items()}], index=["P"])
    return decide(pack, Facts.of(evidence)).frame()["answer"].item()


@pytest.mark.parametrize(("one", "other", "both"), table(AND))
def test_a_rule_holds_when_all_its_clauses_hold(one: str, other: str, both: str):
    expected = {"t": "a", "f": "none", "u": "open"}[both]
    assert decided(question(("a", "mn")), m=one, n=other) == expected


FIRST_A_THEN_B = """
      t    f    u
    t a    a    a
    f b    none open
    u open open open
"""
BOTH_A = """
      t f    u
    t a a    a
    f a none open
    u a open open
"""


@pytest.mark.parametrize(("first", "second", "expected"), table(FIRST_A_THEN_B))
def test_two_rules_of_different_answers(first: str, second: str, expected: str):
    assert decided(question(("a", "m"), ("b", "n")), m=first, n=second) == expected


@pytest.mark.parametrize(("first", "second", "expected"), table(BOTH_A))
def test_two_rules_of_one_answer(first: str, second: str, expected: str):
    assert decided(question(("a", "m"), ("a", "n")), m=first, n=second) == expected


@pytest.mark.parametrize("letters", list(itertools.product("tfu", repeat=3)), ids="".join)
def test_open_means_that_papers_could_change_the_answer(letters: tuple[str, ...]):
    """An answer is open exactly when filling in what is unknown can lead to different answers."""
    pack = question(("a", "x"), ("b", "y"), ("a", "z"))
    choices = itertools.product(*("tf" if letter == "u" else letter for letter in letters))
    possible = {decided(pack, **dict(zip("xyz", choice, strict=True))) for choice in choices}
    found = decided(pack, **dict(zip("xyz", letters, strict=True)))
    assert found == (possible.pop() if len(possible) == 1 else "open")


UNLESS = """
      t    f u
    t none a open
    f none none none
    u none open open
"""


def unless(*exceptions: tuple[str, tuple[str, ...]]) -> RulePack:
    """Return a pack with a rule on m, and exceptions: each a measure, and its own exceptions by their measures."""
    made = tuple(Exemption(name, "t", "a", (clause(name),), (), others) for name, others in exceptions)
    rule = Rule("r", "t", "a", "a", (clause("m"),), (), ("n",))
    answers = {"none": "", "a": ""}
    day = dt.date(2024, 4, 17)
    asked = Question("q", "q", "none", answers, (rule,), exception=made)
    return RulePack("p", "p", "d", day, example=True, parameter=(), question=(asked,))


@pytest.mark.parametrize(("rule", "exception", "expected"), table(UNLESS))
def test_a_rule_does_not_hold_where_its_exception_does(rule: str, exception: str, expected: str):
    assert decided(unless(("n", ())), m=rule, n=exception) == expected


@pytest.mark.parametrize(
    ("exception", "of_it", "expected"),
    [("t", "t", "a"), ("t", "f", "none"), ("f", "t", "a"), ("t", "u", "open"), ("u", "t", "a")],
)
def test_an_exception_may_have_exceptions(exception: str, of_it: str, expected: str):
    assert decided(unless(("n", ("k",)), ("k", ())), m="t", n=exception, k=of_it) == expected
