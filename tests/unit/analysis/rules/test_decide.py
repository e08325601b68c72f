"""Law that differs by place and day, papers that settle, scores, ranks and estimates."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lowland_gis.analysis.rules.decide import Decision, Facts, decide
from lowland_gis.analysis.rules.kleene import FALSE, TRUE, UNKNOWN
from lowland_gis.analysis.rules.pack import (
    AnswerClause,
    Clause,
    Estimate,
    EstimateTerm,
    Parameter,
    Question,
    Rank,
    Rule,
    RulePack,
    Score,
    Term,
)

DAY = dt.date(2024, 4, 17)
NAN = np.nan


def parameter(name: str, value: float, unit: str = "万元/亩", **others: object) -> Parameter:
    return Parameter(name, value, unit, "d", DAY, example=True, **others)  # type: ignore[arg-type]


def question(
    name: str, *clauses: Clause | AnswerClause, only: dict[str, tuple[str, ...]] | None = None
) -> Question:
    return Question(
        name, name, "no", {"yes": "是", "no": "否"}, (Rule("r", "t", "yes", "a", clauses),), only or {}
    )


def pack(*questions: Question, parameters: tuple[Parameter, ...] = (), **derived: object) -> RulePack:
    return RulePack("p", "p", "d", DAY, example=True, parameter=parameters, question=questions, **derived)  # type: ignore[arg-type]


def facts(count: int, **values: list[float]) -> Facts:
    return Facts(
        np.array([f"P{n}" for n in range(count)], dtype=object),
        {name: np.array(column, dtype=float) for name, column in values.items()},
        units={"tax": "万元/亩", "share": "share", "area": "亩"},
        day=dt.date(2024, 6, 1),
    )


def answers(decision: Decision, name: str) -> list[str]:
    frame = decision.verdicts[name].frame(decision.facts.parcels)
    return frame["answer"].tolist()


LOW_TAX = question("kind", Clause("tax", "<", "limit", "税收低"))


def test_law_may_differ_by_town_and_zone_and_the_most_particular_counts():
    law = (
        parameter("limit", 5), parameter("limit", 8, town="120113101"), parameter("limit", 3, zone="减量"),
        parameter("limit", 12, town="120113101", zone="减量"),
    )  # fmt: skip
    places = replace(
        facts(5, tax=[4, 6, 2, 10, 4]),
        towns=np.array(["120113100", "120113101", "120113100", "120113101", None], dtype=object),
        zones=np.array([None, "其他", "减量", "减量", "减量"], dtype=object),
    )
    assert answers(decide(pack(LOW_TAX, parameters=law), places), "kind") == [
        "yes",
        "yes",
        "yes",
        "yes",
        "no",
    ]


def test_the_order_of_the_file_does_not_matter_for_places():
    law = (parameter("limit", 8, town="120113101"), parameter("limit", 5))
    places = replace(facts(2, tax=[6, 6]), towns=np.array(["120113101", "120113100"], dtype=object))
    for given in (law, law[::-1]):
        assert answers(decide(pack(LOW_TAX, parameters=given), places), "kind") == ["yes", "no"]


@pytest.mark.parametrize(
    ("day", "answer"), [("2024-05-31", "no"), ("2024-06-01", "yes"), ("2025-01-01", "open")]
)
def test_law_holds_from_its_day_until_it_is_replaced_and_without_law_nothing_is_known(day: str, answer: str):
    law = (
        parameter("limit", 3, until=dt.date(2024, 6, 1)),
        Parameter("limit", 8, "万元/亩", "d", dt.date(2024, 6, 1), example=True, until=dt.date(2025, 1, 1)),
    )
    places = replace(facts(1, tax=[6]), day=dt.date.fromisoformat(day))
    assert answers(decide(pack(LOW_TAX, parameters=law), places), "kind") == [answer]


def test_a_limit_is_compared_in_the_unit_of_its_measure():
    """50 元/m² are 3.33 万元/亩, and 40 % are 0.4."""
    law = (parameter("limit", 50, "元/m²"), parameter("least", 40, "%"))
    both = question("kind", Clause("tax", "<", "limit", "税收低"), Clause("share", ">=", "least", "占比"))
    found = decide(pack(both, parameters=law), facts(3, tax=[3.3, 3.4, 1], share=[0.4, 1, 0.39]))
    assert answers(found, "kind") == ["yes", "no", "no"]


def test_a_paper_settles_what_is_unknown_and_leaves_what_was_measured():
    law = (parameter("limit", 5),)
    said = {"tax < limit": np.array([TRUE, FALSE, UNKNOWN, FALSE], dtype=np.int8)}
    found = decide(pack(LOW_TAX, parameters=law), replace(facts(4, tax=[NAN, NAN, NAN, 1]), said=said))
    assert answers(found, "kind") == ["yes", "no", "open", "yes"]


def test_a_band_over_the_limit_is_unknown():
    share = question("kind", Clause("share", ">=", 0.5, "占比", unit="share"))
    ends = {"share": (np.array([0.5, 0.49, 0.1, NAN]), np.array([0.9, 0.6, 0.49, NAN]))}
    found = decide(pack(share), replace(facts(4, share=[0.7, 0.55, 0.3, NAN]), bands=ends))
    assert answers(found, "kind") == ["yes", "open", "no", "open"]


def test_a_clause_on_another_answer_is_unknown_while_that_question_is_open():
    follow = question("group", AnswerClause("kind", ("yes",), "低效"))
    found = decide(pack(LOW_TAX, follow, parameters=(parameter("limit", 5),)), facts(3, tax=[1, 9, NAN]))
    assert answers(found, "group") == ["yes", "no", "open"]


def test_a_question_that_was_not_asked_has_none_of_its_answers():
    second = question("second", Clause("share", ">=", 0.5, "占比"), only={"kind": ("yes",)})
    third = question("third", AnswerClause("second", ("yes", "no"), "问及"))
    found = decide(
        pack(LOW_TAX, second, third, parameters=(parameter("limit", 5),)),
        facts(3, tax=[1, 9, 2], share=[1, 1, NAN]),
    )
    assert found.verdicts["second"].rows.tolist() == [0, 2]
    assert answers(found, "third") == ["yes", "no", "open"]


SCORE = Score(
    "points", "得分", "d", (Term("tax", 60, "limit", 1.5), Term("share", 40, 0.5, 1.2)),
    (Clause("area", ">=", 5, "五亩以上"),),
)  # fmt: skip


def scored(score: Score, **values: list[float]) -> list[float]:
    count = len(values["tax"])
    given = pack(LOW_TAX, parameters=(parameter("limit", 10),), score=(score,))
    return decide(given, facts(count, **values)).derived["points"].tolist()


def test_a_score_is_weight_times_value_over_base_with_a_cap():
    """60 × 5/10 + 40 × 0.25/0.5; capped at 60 × 1.5 + 40 × 1.2; a loss counts 0."""
    found = scored(SCORE, tax=[5, 100, -3], share=[0.25, 9, 0.5], area=[6, 6, 6])
    assert found == pytest.approx([50, 138, 40])


def test_only_parcels_for_which_every_clause_is_true_are_scored():
    np.testing.assert_equal(scored(SCORE, tax=[5, 5, 5], share=[0.25] * 3, area=[6, 4, NAN]), [50, NAN, NAN])


def test_a_missing_indicator_makes_the_score_unknown_or_takes_the_mean():
    values = {"tax": [5, NAN, 15], "share": [0.25, 0.25, 0.5], "area": [6, 6, 6]}
    np.testing.assert_equal(scored(SCORE, **values), [50, NAN, 130])
    assert scored(replace(SCORE, missing="mean"), **values) == pytest.approx([50, 20 + (30 + 90) / 2, 130])


def test_ranks_count_from_the_best_and_ties_share_the_later_place():
    given = pack(
        question("grade", Clause("place", "<=", 0.5, "前一半", unit="share")), parameters=(parameter("limit", 10),),
        score=(SCORE,), rank=(Rank("place", "名次", "d", "points"),),
    )  # fmt: skip
    found = decide(given, facts(5, tax=[9, 5, 5, 1, NAN], share=[0] * 5, area=[6] * 5))
    np.testing.assert_allclose(found.derived["place"], [0.25, 0.75, 0.75, 1.0, NAN])
    assert answers(found, "grade") == ["yes", "no", "no", "no", "open"]


def estimate(**others: object) -> Estimate:
    terms = (EstimateTerm(("area", "share", "price")), EstimateTerm(("area", "old_price"), "-"))
    return Estimate("money", "估算", "d", "万元", terms, **others)  # type: ignore[arg-type]


def estimated(given: Estimate, **values: list[float]) -> list[float]:
    law = (
        parameter("limit", 5), parameter("price", 900), parameter("price", 1100, town="120113106"), parameter("old_price", 900, "元/m²"),
    )  # fmt: skip
    places = replace(
        facts(len(values["area"]), **values),
        towns=np.array(["120113100", "120113106"][: len(values["area"])], dtype=object),
    )
    return decide(pack(LOW_TAX, parameters=law, estimate=(given,)), places).derived["money"].tolist()


def test_an_estimate_adds_products_in_its_own_unit_at_the_prices_of_the_place():
    """10 亩 × 0.5 × 900 − 10 亩 × 60 万元/亩 (900 元/m²), by hand."""
    found = estimated(estimate(), area=[10, 10], share=[0.5, 0.5], tax=[1, 1])
    assert found == pytest.approx([4500 - 600, 5500 - 600])


def test_an_estimate_never_falls_below_its_least_and_is_unknown_where_a_factor_is():
    found = estimated(estimate(at_least=0.0), area=[10, 10], share=[0.01, NAN], tax=[1, 1])
    np.testing.assert_allclose(found, [0, NAN])


def test_an_estimate_may_be_made_only_for_some_answers():
    found = estimated(estimate(only={"kind": ("yes",)}), area=[10, 10], share=[1, 1], tax=[1, 9])
    np.testing.assert_allclose(found, [8400, NAN])


def test_chunks_give_the_same_rows_as_the_whole():
    found = decide(
        pack(LOW_TAX, parameters=(parameter("limit", 5),)), facts(7, tax=[1, 9, NAN, 2, 8, NAN, 3])
    )
    verdicts = found.verdicts["kind"]
    whole = verdicts.frame(found.facts.parcels)
    parts = pd.concat(list(verdicts.chunks(found.facts.parcels, 3)), ignore_index=True)
    pd.testing.assert_frame_equal(parts, whole)
    assert whole["trace"].tolist() == list("tfutfut")
