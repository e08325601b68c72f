"""What holds of three-valued rules for all packs and evidence."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lowland_gis.analysis.rules import decide as engine
from lowland_gis.analysis.rules import trace as traces
from lowland_gis.analysis.rules.decide import Facts
from lowland_gis.analysis.rules.pack import OPEN, Clause, Exemption, Question, Rule, RulePack

MEASURES = "mnopq"
VALUES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, np.nan])
EVIDENCE = st.lists(st.fixed_dictionaries(dict.fromkeys(MEASURES, VALUES)), min_size=1, max_size=8)
CLAUSES = st.builds(
    Clause, st.sampled_from(MEASURES), st.sampled_from(["<", "<=", ">", ">=", "="]), st.sampled_from([0.25, 0.5, 1.0]), st.just("t")
)  # fmt: skip


@st.composite
def packs(draw: st.DrawFn) -> RulePack:
    answers = {"a": "甲", "b": "乙", "none": "无"}
    rules = [
        Rule(
            f"r{n}",
            "t",
            draw(st.sampled_from(["a", "b"])),
            "x",
            tuple(draw(st.lists(CLAUSES, min_size=1, max_size=3))),
            (),
            tuple(draw(st.lists(st.sampled_from(["e0", "e1"]), unique=True, max_size=2))),
        )
        for n in range(draw(st.integers(1, 4)))
    ]
    exceptions = tuple(
        Exemption(f"e{n}", "t", "x", tuple(draw(st.lists(CLAUSES, min_size=1, max_size=2)))) for n in range(2)
    )
    day = dt.date(2024, 1, 1)
    question = Question("q", "q", "none", answers, tuple(rules), exception=exceptions)
    return RulePack("p", "p", "d", day, example=True, parameter=(), question=(question,))


def decide(pack: RulePack, evidence: pd.DataFrame) -> pd.DataFrame:
    return engine.decide(pack, Facts.of(evidence)).frame()


def frame(rows: list[dict[str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, index=[f"P{n}" for n in range(len(rows))])


@given(packs(), EVIDENCE, st.sampled_from(MEASURES), VALUES)
def test_making_an_unknown_known_never_changes_a_settled_answer(
    pack: RulePack, rows: list[dict[str, float]], measure: str, value: float
):
    before = decide(pack, frame(rows))
    known = frame([row | ({measure: value} if np.isnan(row[measure]) else {}) for row in rows])
    after = decide(pack, known)
    settled = before["settled"].to_numpy()
    assert (after["answer"][settled] == before["answer"][settled]).all()
    assert after["settled"][settled].all()


@given(packs(), EVIDENCE)
def test_everything_known_settles_everything(pack: RulePack, rows: list[dict[str, float]]):
    decided = decide(pack, frame(rows).fillna(0.5))
    assert decided["settled"].all()
    assert (decided["answer"] != OPEN).all()
    assert not decided["trace"].str.contains("u").any()


@given(packs(), EVIDENCE, VALUES)
def test_a_measure_that_no_rule_asks_for_changes_nothing(
    pack: RulePack, rows: list[dict[str, float]], value: float
):
    evidence = frame(rows)
    pd.testing.assert_frame_equal(decide(pack, evidence.assign(irrelevant=value)), decide(pack, evidence))


@given(packs(), EVIDENCE)
def test_a_missing_column_is_a_column_of_unknowns(pack: RulePack, rows: list[dict[str, float]]):
    evidence = frame(rows)
    pd.testing.assert_frame_equal(
        decide(pack, evidence.drop(columns="m")), decide(pack, evidence.assign(m=np.nan))
    )


@given(packs(), EVIDENCE)
def test_each_parcel_is_decided_by_itself(pack: RulePack, rows: list[dict[str, float]]):
    together = decide(pack, frame(rows))
    alone = pd.concat([decide(pack, frame(rows).iloc[[n]]) for n in range(len(rows))], ignore_index=True)
    assert together["answer"].tolist() == alone["answer"].tolist()
    assert together["trace"].tolist() == alone["trace"].tolist()


@given(packs(), EVIDENCE)
def test_the_deciding_rule_holds_and_gives_the_answer(pack: RulePack, rows: list[dict[str, float]]):
    question = pack.question[0]
    rules = {rule.name: rule for rule in question.rule}
    for row in decide(pack, frame(rows)).itertuples():
        assert row.settled == (row.answer != OPEN) == pd.isna(row.candidate)
        if not pd.isna(row.rule):
            assert rules[row.rule].answer == row.answer
            assert traces.whole(question, rules[row.rule], traces.split(question, row.trace)) == "t"
