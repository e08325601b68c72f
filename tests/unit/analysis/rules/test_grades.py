"""Performance grades of the shipped example pack: by rank, by veto, and one grade lower for a minor one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lowland_gis.analysis.rules.decide import Facts, decide
from lowland_gis.definitions.rule_pack import rule_pack

FIRMS = 20
# A to 25 %, B to 70 %, C to 95 %.
BY_RANK = ["A"] * 5 + ["B"] * 9 + ["C"] * 5 + ["D"]


def graded(**papers: dict[int, float]) -> pd.DataFrame:
    """Return the grades of twenty industrial parcels, the best first; `papers` has what some of them are on: 1, 0 or NaN."""
    evidence = pd.DataFrame(
        {
            "industrial3_share": 1.0,
            "tax_per_mu": np.arange(FIRMS, 0.0, -1.0),
            "output_per_mu": 100.0,
            "investment_per_mu": 100.0,
            "stopped_months": 0.0,
            "supply_share": 0.0,
            **dict.fromkeys(
                (
                    "paper_safety",
                    "paper_environment",
                    "paper_eliminated",
                    "paper_penalty",
                    "promise_breached",
                ),
                0.0,
            ),
        },
        index=[f"{number:02d}" for number in range(FIRMS)],
    )
    for paper, said in papers.items():
        evidence[paper] = [said.get(number, 0.0) for number in range(FIRMS)]
    frame = decide(rule_pack("example_beichen", Path()), Facts.of(evidence)).frame()
    return frame[frame["question"] == "grade"].reset_index(drop=True)


def test_grades_follow_the_rank():
    assert graded()["answer"].tolist() == BY_RANK


@pytest.mark.parametrize(
    ("firm", "grade", "rule"),
    [(0, "B", "lowered_a"), (9, "C", "lowered_b"), (17, "D", "lowered_c"), (19, "D", "rank_d")],
)
def test_a_minor_veto_lowers_by_one_grade_and_never_below_the_last(firm, grade, rule):
    found = graded(paper_penalty={firm: 1.0})
    assert found.loc[firm, ["answer", "rule"]].tolist() == [grade, rule]
    others = found["answer"].drop(index=firm).tolist()
    assert others == BY_RANK[:firm] + BY_RANK[firm + 1 :]


def test_a_major_veto_outweighs_a_minor_one():
    found = graded(paper_penalty={0: 1.0}, paper_safety={0: 1.0})
    assert found.loc[0, ["answer", "rule"]].tolist() == ["D", "veto_safety"]


def test_a_breach_of_a_promise_is_a_major_veto():
    found = graded(promise_breached={3: 1.0})
    assert found.loc[3, ["answer", "rule"]].tolist() == ["D", "veto_promise"]
    assert found["answer"].drop(index=3).tolist() == BY_RANK[:3] + BY_RANK[4:]


def test_a_minor_veto_that_nobody_knows_of_leaves_the_grade_open_unless_it_is_the_last():
    found = graded(paper_penalty={0: np.nan, 19: np.nan})
    assert found["answer"].tolist() == ["open", *BY_RANK[1:]]
