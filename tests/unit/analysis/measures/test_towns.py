"""Which town a parcel lies in, and what the rules make of a parcel that may lie in two."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import shapely

from lowland_gis.analysis.measures.towns import by_codes, located, shares_in
from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.analysis.rules.decide import Facts, decide
from lowland_gis.analysis.rules.limits import parameter_of, places_elsewhere
from lowland_gis.analysis.rules.pack import Clause, Parameter, Question, Rule, RulePack

DAY = dt.date(2023, 1, 1)


def texts(*values):
    return np.array(values, dtype=object)


def overlaps(parcels, *rows):
    frame = pd.DataFrame(rows, columns=["parcel_id", "code", "share"])
    return LayerOverlaps.of(pd.Index(parcels), frame.assign(area_m2=frame["share"]))


def test_the_largest_share_counts_and_others_claim_from_a_limit_on():
    found = located(
        texts("X", "X", "X"),
        overlaps(
            ["P", "Q", "R"],
            ("P", "A", 0.31),
            ("P", "B", 0.32),
            ("P", "C", 0.37),
            ("Q", "A", 0.95),
            ("Q", "B", 0.05),
        ),
        0.1,
    )
    assert found.town.tolist() == ["C", "A", "X"]
    assert found.share[:2].tolist() == [0.37, 0.95]
    assert np.isnan(found.share[2])
    assert [ranked.tolist() for ranked in found.others] == [["B", None, None], ["A", None, None]]
    assert found.claimed.tolist() == [True, False, False]
    assert found.by_place.tolist() == [True, True, False]


def test_of_two_alike_the_first_code_counts_whatever_the_order():
    for rows in ((("P", "B", 0.5), ("P", "A", 0.5)), (("P", "A", 0.5), ("P", "B", 0.5))):
        found = located(texts(None), overlaps(["P"], *rows), 0.1)
        assert (found.town.tolist(), found.others[0].tolist()) == (["A"], ["B"])


def test_towns_without_a_code_and_slivers_claim_nothing():
    found = located(texts("X", np.nan), overlaps(["P", "Q"], ("P", "", 1.0), ("Q", "A", 0.001)), 0.1)
    assert found.town.tolist() == ["X", None]
    assert not found.claimed.any()
    assert by_codes(texts("X", None)).town.tolist() == ["X", None]


def test_shares_are_of_the_parcel():
    parcels = np.array(
        [shapely.box(0, 0, 10, 10), shapely.box(8, 0, 18, 10), shapely.box(50, 50, 60, 60)], dtype=object
    )
    towns = np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 30, 30)], dtype=object)
    found = {
        (p, t): s for p, t, s in zip(*(item.tolist() for item in shares_in(parcels, towns)), strict=True) if s
    }
    assert found == {(0, 0): 1.0, (1, 0): pytest.approx(0.2), (1, 1): pytest.approx(0.8)}


def parameter(value, **where):
    return Parameter("least", value, "亩", "document", DAY, example=True, **where)


def pack(*parameters):
    rule = Rule("r", "小", "low", "一", (Clause("parcel_area", "<", "least", "小"),))
    question = Question("kind", "类型", "none", {"low": "低效", "none": "非低效"}, (rule,))
    return RulePack("p", "p", "d", DAY, example=True, parameter=parameters, question=(question,))


def answers(rules, areas, towns, others=(), zones=None, *, zones_known=True):
    places = texts(*[None] * len(areas)) if zones is None else zones
    facts = Facts(
        texts(*"PQRS"[: len(areas)]), {"parcel_area": np.array(areas, dtype=float)}, units={"parcel_area": "亩"}, towns=towns, zones=places,
        elsewhere=places_elsewhere(rules, towns, others, places, zones_known=zones_known), day=DAY,
    )  # fmt: skip
    return decide(rules, facts).frame()["answer"].tolist(), facts


def test_only_where_the_limits_of_two_towns_disagree_is_the_answer_open():
    rules = pack(parameter(10), parameter(20, town="B"))
    found, facts = answers(rules, [15, 5, 25, 15], texts(*"AAAA"), [texts("B", "B", "B", "C")])
    assert found == ["open", "low", "none", "none"]
    estimate = parameter_of(rules, "least", facts, unit=None)
    assert np.isnan(estimate).tolist() == [True, True, True, False]


def test_a_parcel_without_a_town_may_lie_in_any_that_the_rules_name():
    rules = pack(parameter(10), parameter(20, town="B"))
    assert answers(rules, [15, 25], texts(None, None))[0] == ["open", "none"]
    assert answers(pack(parameter(10)), [15], texts(None))[0] == ["none"]


def test_without_a_plan_a_parcel_may_lie_in_any_zone_that_the_rules_name():
    rules = pack(parameter(10), parameter(20, zone="Z"))
    assert answers(rules, [15], texts("A"), zones_known=False)[0] == ["open"]
    assert answers(rules, [15], texts("A"), zones_known=True)[0] == ["none"]
