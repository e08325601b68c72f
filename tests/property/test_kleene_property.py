"""The laws of three-valued logic, for columns of any length."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lowland_gis.analysis.rules.kleene import (
    FALSE,
    TRUE,
    UNKNOWN,
    both,
    compared,
    compared_bands,
    letters,
    negated,
)

OUTCOME = st.sampled_from([FALSE, UNKNOWN, TRUE])
THREE = st.lists(st.tuples(OUTCOME, OUTCOME, OUTCOME), min_size=1, max_size=20)
NUMBER = st.one_of(st.floats(-10, 10), st.just(np.nan))
OP = st.sampled_from(["<", "<=", ">", ">=", "="])


def columns(rows):
    return [np.array(column, dtype=np.int8) for column in zip(*rows, strict=True)]


def either(one, other):
    return negated(both([negated(one), negated(other)], len(one)))


def same(one, other):
    return one.tolist() == other.tolist()


@given(THREE)
def test_and_and_or_are_commutative_associative_idempotent_and_distribute(rows):
    a, b, c = columns(rows)
    n = len(a)
    assert same(both([a, b], n), both([b, a], n))
    assert same(both([both([a, b], n), c], n), both([a, both([b, c], n)], n))
    assert same(both([a, a], n), a)
    assert same(both([a, either(b, c)], n), either(both([a, b], n), both([a, c], n)))
    assert same(either(a, both([a, b], n)), a)


@given(THREE)
def test_not_turns_back_and_de_morgan_holds(rows):
    a, b, _ = columns(rows)
    assert same(negated(negated(a)), a)
    assert same(negated(both([a, b], len(a))), either(negated(a), negated(b)))


@given(THREE)
def test_true_and_false_are_neutral_and_absorbing_and_the_unknown_is_no_contradiction(rows):
    a, _, _ = columns(rows)
    n = len(a)
    true, false = np.full(n, TRUE, dtype=np.int8), np.full(n, FALSE, dtype=np.int8)
    assert same(both([a, true], n), a)
    assert same(both([a, false], n), false)
    assert same(both([], n), true)
    excluded = both([a, negated(a)], n)
    assert all(
        found == (UNKNOWN if given == UNKNOWN else FALSE) for found, given in zip(excluded, a, strict=True)
    )


@given(THREE)
def test_knowing_more_never_turns_an_answer_round(rows):
    a, b, known = columns(rows)
    before = both([a, b], len(a))
    better = np.where(a == UNKNOWN, known, a).astype(np.int8)
    after = both([better, b], len(a))
    assert all(new == old for new, old in zip(after, before, strict=True) if old != UNKNOWN)


@given(st.lists(NUMBER, min_size=1, max_size=20), OP, st.floats(-10, 10))
def test_a_comparison_and_its_opposite_are_negations(values, op, limit):
    opposite = {"<": ">=", ">=": "<", ">": "<=", "<=": ">"}.get(op)
    column = np.array(values)
    found = compared(column, op, limit)
    assert same(found, compared(column, op, np.full(len(column), limit)))
    assert [outcome == UNKNOWN for outcome in found] == np.isnan(column).tolist()
    if opposite:
        assert same(negated(found), compared(column, opposite, limit))


@given(
    st.lists(st.tuples(NUMBER, st.floats(0, 3), st.floats(0, 1)), min_size=1, max_size=20),
    OP,
    st.floats(-10, 10),
)
def test_a_band_that_is_decided_is_decided_for_every_value_in_it(rows, op, limit):
    low, width, part = (np.array(column) for column in zip(*rows, strict=True))
    found = compared_bands(low, low + width, op, limit)
    inside = compared(low + part * width, op, limit)
    assert all(one == other for one, other in zip(found, inside, strict=True) if one != UNKNOWN)


@given(THREE, st.integers(1, 3))
def test_letters_are_the_outcomes(rows, step):
    """Of all rows, and of every second or third."""
    outcomes = np.array(columns(rows))
    order = np.array([2, 0, 1, 0], dtype=np.intp)
    found = letters(outcomes, order, np.arange(0, len(rows), step, dtype=np.intp))
    rows = rows[::step]
    assert [bytes(row).decode() for row in found] == [
        "".join("fut"[row[place]] for place in order) for row in rows
    ]
