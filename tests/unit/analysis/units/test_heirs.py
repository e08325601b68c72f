"""Units drawn from earlier ones: what keeping them is worth, who carries which on, what changed and what it brings."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from listed_units import listed_optimum
from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.draw import Draft, draw_units, search_units
from lowland_gis.analysis.units.edit import units_of
from lowland_gis.analysis.units.ground import Limits, Problem, Weights, build_problem
from lowland_gis.analysis.units.heirs import GONE, heirs, lineage, unit_changes
from lowland_gis.analysis.units.judge import judge
from lowland_gis.analysis.units.resting import Before
from lowland_gis.analysis.units.search import Effort, solve
from unit_instances import district

PRICES = [0.05, 0.5, 5.0]
TOWN = barrier_cells(
    gpd.GeoDataFrame({"town_code": ["T"]}, geometry=[shapely.box(-50, -50, 9_000, 500)], crs=4548),
    np.empty(0, dtype=object),
)


def land(seed: int, **size: float) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    frame, town, roads = district(seed, **size)
    return frame.sort_values("parcel_id", ignore_index=True), barrier_cells(town, roads)


def drawn(frame: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, price: float = 0.0, **effort: int) -> Draft:
    return draw_units(frame, cells, None, Weights(changed_land=price), Effort(**effort))


def begun(frame: gpd.GeoDataFrame, draft: Draft) -> gpd.GeoDataFrame:
    """Return parcels with the unit that each had in a draft."""
    return frame.assign(before=frame["parcel_id"].map(draft.members.set_index("parcel_id")["unit_id"]))


def touched(frame: gpd.GeoDataFrame, seed: int) -> tuple[gpd.GeoDataFrame, set[str]]:
    """Return parcels of which a tenth of one block turned from low-efficiency land to other land or back, and their codes."""
    random = np.random.default_rng(seed)
    west = frame.geometry.bounds["minx"].to_numpy()
    block = np.flatnonzero(west < west.min() + 150)
    chosen = random.choice(block, max(1, len(block) // 10), replace=False)
    low = frame["low_m2"].to_numpy().copy()
    low[chosen] = np.where(low[chosen] > 0, 0.0, frame["area_m2"].to_numpy()[chosen])
    return frame.assign(low_m2=low), set(frame["parcel_id"].to_numpy()[chosen])


def sets(draft: Draft) -> dict[str, frozenset[str]]:
    return dict(draft.members.dropna(subset="unit_id").groupby("unit_id")["parcel_id"].agg(frozenset))


def scattered(frame: gpd.GeoDataFrame, seed: int) -> gpd.GeoDataFrame:
    """Return parcels with earlier units that were drawn by other people: squares of the map, some parcels in none."""
    random = np.random.default_rng(seed)
    places = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy())) // 180
    names = pd.Series([f"old-{x:.0f}-{y:.0f}" for x, y in places], dtype=object)
    return frame.assign(before=names.where(random.random(len(frame)) < 0.95, None))


# ------------------------------------------------------------------------------------------------ the price of change


@pytest.mark.parametrize("price", PRICES)
@pytest.mark.parametrize("seed", range(3))
def test_small_components_are_the_optimum_with_the_price_of_change_in_it(seed: int, price: float):
    frame, cells = land(seed, blocks=3, block_m=330.0, parcel_m2=7_000.0)
    problem = build_problem(scattered(frame, seed), cells, None, Weights(changed_land=price))
    seen = 0
    for part in solve(problem, Effort()):
        if len(problem.of_component(part.component)) <= 16:
            assert part.value == pytest.approx(listed_optimum(problem, part.component), abs=1e-6)
            seen += part.value != 0
    assert seen


@pytest.mark.parametrize(("price", "least"), [(0.05, 0.995), (0.5, 0.995), (5.0, 0.95)])
def test_growing_comes_near_the_optimum_and_the_judge_finds_the_same_value(price: float, least: float):
    """Earlier units that break rules and must be kept at any price are the hard case: the price is five times all land there."""
    exact, grown = 0.0, 0.0
    for seed in range(4):
        frame, cells = land(seed, blocks=3, block_m=330.0, parcel_m2=7_000.0)
        problem = build_problem(scattered(frame, seed), cells, None, Weights(changed_land=price))
        exact += sum(part.value for part in solve(problem, Effort(listed=16)))
        found = solve(problem, Effort(listed=0))
        grown += sum(part.value for part in found)
        draft = search_units(problem, cells, Effort(listed=0))
        assert draft.value_m2 == pytest.approx(sum(part.value for part in found), abs=1e-3)
        assert draft.value_m2 <= draft.bound_m2 * (1 + 1e-9)
        assert draft.findings.empty
    assert least * exact <= grown <= exact * (1 + 1e-9)


def test_without_a_price_nothing_changes_but_the_names_stay():
    frame, cells = land(1, blocks=4, block_m=330.0)
    plain, old = drawn(frame, cells), scattered(frame, 1)
    again = drawn(old, cells)
    assert set(sets(again).values()) == set(sets(plain).values())
    assert again.value_m2 == plain.value_m2
    assert not plain.units["kept_value"].any()
    same = drawn(begun(frame, plain), cells)
    assert sets(same) == sets(plain)


@pytest.mark.parametrize("price", PRICES)
def test_what_keeping_is_worth_is_the_price_of_all_land_that_changed_its_unit(price: float):
    """Counted from the two tables of members alone: land changed where its unit has another name, or it left or came."""
    frame, cells = land(2, blocks=4, block_m=330.0)
    frame = scattered(frame, 2)
    draft = drawn(frame, cells, price)
    now = frame["parcel_id"].map(draft.members.set_index("parcel_id")["unit_id"])
    area, before = frame["area_m2"], frame["before"]
    moved = area[(before.fillna("") != now.fillna(""))].sum()
    assert 0 < moved < area[before.notna()].sum()
    assert draft.units["kept_value"].sum() == pytest.approx(
        price * (area[before.notna()].sum() - moved), abs=0.01
    )


@pytest.mark.parametrize("seed", range(3))
def test_units_that_a_planted_change_does_not_touch_stay_to_the_parcel(seed: int):
    frame, cells = land(seed, blocks=3, block_m=520.0)
    first = drawn(frame, cells)
    changed, codes = touched(frame, seed)
    kept, free = (drawn(begun(changed, first), cells, price) for price in (2.0, 0.0))
    quiet = {name: parcels for name, parcels in sets(first).items() if not parcels & codes}
    assert quiet
    assert {name: sets(kept).get(name) for name in quiet} == quiet
    assert kept.value_m2 - kept.units["kept_value"].sum() <= free.value_m2 * (1 + 5e-3)


@pytest.mark.parametrize("seed", range(3))
def test_locked_units_stay_to_the_parcel_at_any_price_and_nothing_breaks_a_rule(seed: int):
    frame, cells = land(seed, blocks=3, block_m=520.0)
    first = drawn(frame, cells)
    changed, codes = touched(frame, seed)
    quiet = {name: parcels for name, parcels in sets(first).items() if not parcels & codes}
    for price in (0.0, 0.3):
        problem = build_problem(begun(changed, first), cells, None, Weights(changed_land=price))
        old = problem.parcels["before"].to_numpy(dtype=object)
        locked = [np.flatnonzero(old == name) for name in quiet]
        draft = search_units(problem, cells, Effort(), locked=locked)
        assert {name: sets(draft).get(name) for name in quiet} == quiet
        assert draft.findings.empty
        assert draft.value_m2 <= draft.bound_m2 * (1 + 1e-9)
        free = search_units(problem, cells, Effort())
        assert draft.value_m2 <= free.bound_m2 * (1 + 1e-9)
        # What was found with the lock is not taken for what is found without.
        again = search_units(problem, cells, Effort(), Before(draft.searched))
        assert sets(again) == sets(free)


def test_a_locked_unit_that_breaks_a_rule_now_is_drawn_anew():
    problem = row(["A", "A", None, None])
    wide = build_problem(problem.parcels, TOWN, Limits(min_ha=6.0, min_compactness=0), Weights(outline=1.0))
    draft = search_units(wide, TOWN, Effort(), locked=[places(0, 1)])
    assert draft.findings.empty
    assert set(draft.members["unit_id"]) == {"A"}


def test_a_high_price_keeps_every_unit_that_still_keeps_the_rules():
    frame, cells = land(3, blocks=4, block_m=330.0)
    old = draw_units(frame, cells, Limits(min_ha=1.0), Weights(outline=6.0))
    kept = draw_units(begun(frame, old), cells, Limits(min_ha=1.0), Weights(outline=20.0, changed_land=100.0))
    assert sets(kept) == sets(old)
    free = draw_units(begun(frame, old), cells, Limits(min_ha=1.0), Weights(outline=20.0))
    assert sets(free) != sets(old)


# -------------------------------------------------------------------------------------------- who carries which on


def row(before: list[str | None], widths: list[float] | None = None) -> Problem:
    """Return parcels side by side, each 100 m deep, with their earlier units."""
    widths = widths or [200.0] * len(before)
    west = np.cumsum([0.0, *widths])
    shapes = shapely.box(west[:-1], 0, west[1:], 100)
    area = shapely.area(shapes)
    frame = gpd.GeoDataFrame(
        {"parcel_id": [f"P{at}" for at in range(len(before))], "area_m2": area, "low_m2": area, "reason": None, "before": before},
        geometry=shapes, crs=4548,
    )  # fmt: skip
    town = gpd.GeoDataFrame({"town_code": ["T"]}, geometry=[shapely.box(-50, -50, 9_000, 500)], crs=4548)
    return build_problem(
        frame,
        barrier_cells(town, np.empty(0, dtype=object)),
        Limits(min_compactness=0),
        Weights(changed_land=1.0),
    )


def places(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_a_unit_lives_on_where_more_than_half_of_its_land_is():
    problem = row(["A", "A", "A", "A", "B", None])
    assert heirs(problem, [places(0, 1, 2), places(3, 4, 5)]) == ["A", "B"]
    # Two halves: none is the heir, so that no name is given twice.
    assert heirs(problem, [places(0, 1), places(2, 3)]) == [None, None]


def test_of_several_a_unit_carries_on_the_one_with_the_largest_share():
    problem = row(["A", "A", "B", "B", "B", None])
    assert heirs(problem, [places(0, 1, 2, 3, 4)]) == ["B"]
    judged = judge(problem, pd.DataFrame({"parcel_id": [f"P{at}" for at in range(6)], "unit_id": "U"}))
    # Three parcels of 2 ha keep their unit, two change it, one comes new.
    assert judged.units["kept_value"].tolist() == [60_000.0 - 20_000.0]


def test_what_became_of_units_is_told_by_name():
    problem = row(["A", "A", "B", "B", "C", None])
    units = {"A": places(0, 1), "B": places(2, 3, 4), "T-001": places(5)}
    told = lineage(problem, units, {"P9": "D"})
    assert (told.same, told.changed, told.gone, told.new) == (("A",), ("B",), ("C", "D"), ("T-001",))
    # A unit that lost a parcel altogether is not the same, though all of the rest is in it.
    assert lineage(problem, units, {"P9": "A"}).same == ()


# ------------------------------------------------------------------------------------------------- every change


def test_every_change_says_what_it_brings_and_the_judge_agrees():
    frame, cells = land(5, blocks=4, block_m=520.0)
    first = drawn(frame, cells)
    changed, _ = touched(frame, 5)
    frame = begun(changed, first)
    draft = drawn(frame, cells, 0.05)
    problem = build_problem(frame, cells, None, Weights(changed_land=0.05))
    units = units_of(problem, draft.members)
    table = unit_changes(problem, units, draft.members, {"X1": "120113100-001"})
    now = frame["parcel_id"].map(draft.members.set_index("parcel_id")["unit_id"])
    moved = set(frame["parcel_id"][frame["before"].fillna("") != now.fillna("")])
    assert set(table["parcel_id"]) == moved | {"X1"}
    assert table["reason"].notna().all()
    assert table.loc[table["parcel_id"] == "X1", "reason"].tolist() == [GONE]
    plain = build_problem(frame, cells, None, Weights())
    worth = judge(plain, draft.members).value_m2
    told = table.dropna(subset="gain_m2")
    assert len(told)
    for item in told.to_dict("records"):
        to = item["from_unit"] if item["from_unit"] in units else None
        at = draft.members["parcel_id"] == item["parcel_id"]
        back = judge(plain, draft.members.assign(unit_id=draft.members["unit_id"].mask(at, to)))
        assert worth - back.value_m2 == pytest.approx(item["gain_m2"], abs=0.01)


def test_a_new_unit_takes_no_name_of_before():
    frame, cells = land(1, blocks=4, block_m=330.0)
    plain = drawn(frame, cells)
    names = frozenset(plain.units["unit_id"])
    problem = build_problem(frame.assign(before=None), cells, old_names=names)
    assert not names & set(search_units(problem, cells, Effort()).units["unit_id"])
