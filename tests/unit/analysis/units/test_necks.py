"""Necks: counted by hand, the same in the evaluator, in the search and by a listing, forbidden and priced."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse.csgraph import connected_components

from lowland_gis.analysis.units.draw import Draft, draw_units
from lowland_gis.analysis.units.ground import Limits, Problem, Weights, build_problem
from lowland_gis.analysis.units.judge import judge
from lowland_gis.analysis.units.necks import short_side
from lowland_gis.analysis.units.search import Effort
from lowland_gis.analysis.units.value import FAR, desk_of, neck_of
from lowland_gis.analysis.units.weighed import Scales

SIDE = 8
TOWN = gpd.GeoDataFrame(
    {"cell": [0], "town_code": ["t"]}, geometry=[shapely.box(-50, -50, 5000, 5000)], crs=4548
)


def parcels(**shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame({"parcel_id": list(shapes)}, geometry=list(shapes.values()), crs=4548)
    return frame.assign(area_m2=frame.area, low_m2=frame.area, reason=None)


def square(x: float, y: float, size: float = 100) -> shapely.Geometry:
    return shapely.box(x, y, x + size, y + size)


def neck(problem: Problem, codes: str) -> float:
    """Return the neck of a unit as the evaluator has it, which the search measures too."""
    names = codes.split()
    told = judge(problem, pd.DataFrame({"parcel_id": names, "unit_id": "u"})).units["neck_m"].iloc[0]
    members = np.searchsorted(problem.ids.astype(str), names).astype(np.int64)
    searched = neck_of(problem.ground, desk_of(problem.ground), members)
    assert searched == pytest.approx(FAR if np.isnan(told) else told)
    return float(told)


@pytest.mark.parametrize(
    ("frame", "codes", "expected"),
    [
        # Two parcels hang together over what they face.
        (parcels(a=square(0, 0), b=square(100, 60)), "a b", 40.0),
        # Two blocks of two, joined by a parcel of 0.08 ha: it is no wider than its short side.
        (
            parcels(
                a=square(0, 0), b=square(0, 100), c=shapely.box(100, 50, 120, 90), d=square(120, 0), e=square(120, 100)
            ),
            "a b c d e",
            20.0,
        ),
        # A lane of five metres is crossed over twelve metres.
        (parcels(a=square(0, 0), b=square(0, 100), c=square(105, 188), d=square(205, 188)), "a b c d", 12.0),
        # A sliver at the side is less than a tenth: no neck.
        (parcels(a=square(0, 0), b=square(100, 0), c=shapely.box(0, 100, 10, 150)), "a b c", 100.0),
        (parcels(a=square(0, 0, 200), c=shapely.box(0, 200, 10, 210)), "a c", np.nan),
        # A ring has no neck: without any one parcel the others hang together, each over two sides.
        (parcels(a=square(0, 0), b=square(100, 0), c=square(0, 100), d=square(100, 100)), "a b c d", 200.0),
    ],
)  # fmt: skip
def test_necks_counted_by_hand(frame, codes, expected):
    problem = build_problem(frame, TOWN, Limits(min_ha=0.1, min_compactness=0))
    assert neck(problem, codes) == pytest.approx(expected, nan_ok=True)


def test_an_edit_weighs_necks_as_the_evaluator_does():
    for seed in range(2):
        problem = build_problem(board(seed), TOWN, Limits(**LIMITS, min_neck_m=45.0), Weights(neck=300.0))
        random = np.random.default_rng(seed)
        for _ in range(30):
            unit = np.sort(random.choice(SIDE * SIDE, int(random.integers(1, 9)), replace=False)).astype(
                np.int64
            )
            told = judge(problem, pd.DataFrame({"parcel_id": problem.ids[unit], "unit_id": "u"}))
            weighed = Scales(problem).weigh("u", unit)
            row = told.units.iloc[0]
            assert weighed.neck_m == pytest.approx(row["neck_m"] if pd.notna(row["neck_m"]) else None)
            assert weighed.terms["neck_cost"] == pytest.approx(row["neck_cost"])
            assert weighed.value_m2 == pytest.approx(row["value_m2"])
            assert {one.rule for one in weighed.breaches} == set(told.findings["rule"])


def test_a_unit_that_falls_apart_has_no_neck():
    frame = parcels(a=square(0, 0), b=square(300, 0), c=square(400, 0))
    judged = judge(build_problem(frame, TOWN), pd.DataFrame({"parcel_id": list("abc"), "unit_id": "u"}))
    assert judged.units["neck_m"].isna().all()
    assert "contiguous" in set(judged.findings["rule"])


def test_the_short_side_is_that_of_a_rectangle():
    assert short_side(20 * 50, 140) == pytest.approx(20)
    assert short_side(100, 40) == pytest.approx(10)
    assert short_side(np.pi * 25, 10 * np.pi) == pytest.approx(np.sqrt(np.pi * 25))


def board(seed: int) -> gpd.GeoDataFrame:
    """Return lots of a row each of their own width, so that they touch over all lengths; a third is other land."""
    random = np.random.default_rng(seed)
    shapes: dict[str, shapely.Geometry] = {}
    for y in range(SIDE):
        ends = np.concatenate([[0], np.cumsum(random.uniform(20, 110, SIDE))])
        for x in range(SIDE):
            shapes[f"{y}{x}"] = shapely.box(ends[x], 60.0 * y, ends[x + 1], 60.0 * y + 60)
    frame = parcels(**shapes)
    return frame.assign(low_m2=np.where(random.random(len(frame)) < 0.35, 0.0, frame["area_m2"]))


def listed_neck(problem: Problem, nodes: np.ndarray) -> float:
    """Take out every parcel, and look at all pieces that are left."""
    ground = problem.ground
    graph = np.zeros((len(ground.area), len(ground.area)))
    for node in range(len(graph)):
        ways = slice(ground.start[node], ground.start[node + 1])
        graph[node, ground.neighbour[ways]] = ground.facing[ways]
    whole, narrow = ground.area[nodes].sum(), np.inf
    for out in nodes:
        rest = nodes[nodes != out]
        count, label = connected_components(graph[np.ix_(rest, rest)] > 0)
        large = 0
        for piece in range(count):
            part = rest[label == piece]
            area = ground.area[part].sum()
            large += area >= 0.1 * whole
            if min(area, whole - area) >= 0.1 * whole:
                narrow = min(narrow, graph[out, part].sum())
        if large > 1:
            narrow = min(narrow, short_side(ground.area[out], ground.outline[out]))
    return narrow


@pytest.mark.parametrize("seed", range(4))
def test_evaluator_and_search_agree_with_a_listing(seed):
    problem = build_problem(board(seed), TOWN, Limits(min_ha=0.1))
    random, looked = np.random.default_rng(seed), 0
    for _ in range(40):
        unit = {int(random.integers(SIDE * SIDE))}
        for _ in range(int(random.integers(1, 14))):
            beside = {
                int(other)
                for node in unit
                for other in problem.ground.neighbour[
                    problem.ground.start[node] : problem.ground.start[node + 1]
                ]
            } - unit
            unit.add(int(random.choice(sorted(beside))))
        nodes = np.array(sorted(unit))
        told = neck(problem, " ".join(problem.ids[nodes]))
        assert told == pytest.approx(listed_neck(problem, nodes))
        looked += 1
    assert looked == 40


LIMITS = {"min_ha": 1.0, "max_ha": 6.0}
EFFORT = Effort(rounds=3)


def draft(frame: gpd.GeoDataFrame, min_neck_m: float = 0.0, price: float = 0.0) -> Draft:
    return draw_units(
        frame, TOWN, Limits(**LIMITS, min_neck_m=min_neck_m, neck_wide_m=60.0), Weights(neck=price), EFFORT
    )


def test_a_neck_can_be_forbidden():
    free = [draft(board(seed)).units["neck_m"] for seed in range(3)]
    assert min(necks.min() for necks in free) < 45, "the boards must have necks where none is forbidden"
    for seed in range(3):
        drawn = draft(board(seed), min_neck_m=45.0)
        assert len(drawn.units)
        assert drawn.findings.empty
        assert drawn.units["neck_m"].dropna().min() >= 45.0


def test_a_small_component_that_is_listed_keeps_the_rule_too():
    chain = parcels(
        a=square(0, 0),
        b=square(0, 100),
        c=shapely.box(100, 90, 130, 110),
        d=square(130, 0),
        e=square(130, 100),
    )
    together = draft(chain)
    assert together.units["n_parcels"].tolist() == [5]
    apart = draft(chain, min_neck_m=25.0)
    assert apart.findings.empty
    assert apart.units["n_parcels"].max() < 5


def test_a_price_widens_necks_and_stands_in_the_ledger():
    plain, priced = ([draft(board(seed), price=price) for seed in range(3)] for price in (0.0, 400.0))
    for drawn in priced:
        short = (60.0 - drawn.units["neck_m"]).clip(lower=0).fillna(0)
        assert drawn.units["neck_cost"].to_numpy() == pytest.approx(-400.0 * short.to_numpy())
        searched = sum(one.bound_m2 for one in drawn.searched.values())
        assert drawn.value_m2 <= searched + 1e-6

    def missing(drafts: list[Draft]) -> float:
        return sum((60.0 - drawn.units["neck_m"]).clip(lower=0).sum() for drawn in drafts)

    assert missing(plain) > 0
    assert missing(priced) < missing(plain)


def test_a_neck_that_is_forbidden_is_a_finding_of_a_drawing_by_hand():
    frame = parcels(a=square(0, 0), b=square(100, 60))
    judged = judge(
        build_problem(frame, TOWN, Limits(min_ha=1.0, min_neck_m=40.5)),
        pd.DataFrame({"parcel_id": ["a", "b"], "unit_id": "u"}),
    )
    assert judged.findings["rule"].tolist() == ["min_neck_m"]
    assert "too narrow a neck: 40 against 40.5" in judged.findings["message"].iloc[0]


@pytest.mark.parametrize(
    "wrong", [{"min_neck_m": -1.0}, {"neck_share": 0.0}, {"neck_share": 0.6}, {"neck_wide_m": -1.0}]
)
def test_limits_of_necks_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="neck"):
        Limits(**wrong)
