"""Units as drawn: the optimum where it can be listed, under a proven bound beyond, the same whatever the order and threads."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from listed_units import listed_optimum
from lowland_gis.analysis.units.bound import proven_bound, quick_bound
from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.draw import Draft, draw_units, search_units
from lowland_gis.analysis.units.ground import Limits, Problem, Weights, build_problem
from lowland_gis.analysis.units.judge import judge
from lowland_gis.analysis.units.overlaps import overlapping
from lowland_gis.analysis.units.search import Effort, solve
from unit_instances import district

SEEDS = range(6)
TOWN = gpd.GeoDataFrame(
    {"cell": [0], "town_code": ["120113100"]}, geometry=[shapely.box(-1000, -1000, 5000, 5000)], crs=4548
)
LIMITS = Limits(min_ha=1, max_ha=30)
LIGHT = Weights(outline=1.0, unit=100.0)


def parcels(
    *shapes: shapely.Geometry, reasons: tuple[str | None, ...] = (), low: str = ""
) -> gpd.GeoDataFrame:
    """Return parcels P0, P1 …; `low` has a 1 for each that is low-efficiency, all where empty."""
    whys = [*reasons, *[None] * (len(shapes) - len(reasons))]
    frame = gpd.GeoDataFrame(
        {"parcel_id": [f"P{at}" for at in range(len(shapes))], "reason": whys},
        geometry=list(shapes),
        crs=4548,
    )
    flags = np.array([flag == "1" for flag in low or "1" * len(shapes)])
    area = frame.area.astype(float)
    return frame.assign(area_m2=area, low_m2=area * flags)


def square(column: float, row: float = 0, size: float = 100) -> shapely.Polygon:
    return shapely.box(column, row, column + size, row + size)


def draw(frame: gpd.GeoDataFrame, limits: Limits = LIMITS, cells: gpd.GeoDataFrame = TOWN) -> Draft:
    return draw_units(frame, cells, limits, LIGHT)


def unit_of(drawn: Draft) -> dict[str, str | None]:
    return {
        parcel: None if pd.isna(unit) else unit
        for parcel, unit in zip(drawn.members["parcel_id"], drawn.members["unit_id"], strict=True)
    }


def reason_of(drawn: Draft, parcel: str) -> str:
    return str(drawn.members.set_index("parcel_id")["reason"][parcel])


def instance(seed: int, limits: Limits | None = None, **size: float) -> tuple[Problem, gpd.GeoDataFrame]:
    frame, town, roads = district(seed, **size)
    cells = barrier_cells(town, roads)
    return build_problem(frame, cells, limits), cells


# ---------------------------------------------------------------------------------------- against all feasible sets


SHORT_OF_PUBLIC = Limits(min_public_share=0.2, min_low_share=0.6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "limits", [Limits(), Limits(min_ha=1, max_ha=6), SHORT_OF_PUBLIC], ids=["usual", "small", "public"]
)
def test_components_of_at_most_16_parcels_are_the_optimum_of_all_feasible_sets(seed: int, limits: Limits):
    """The optimum is listed once more, by other means and from the tables alone; see `listed_units`."""
    sizes = set()
    for blocks, block_m in ((3, 220.0), (3, 330.0)):
        problem, _ = instance(seed, limits, blocks=blocks, block_m=block_m, parcel_m2=7_000.0)
        for part in solve(problem, Effort()):
            size = len(problem.of_component(part.component))
            if size <= 16:
                sizes.add(size)
                assert part.optimal
                assert part.value == pytest.approx(listed_optimum(problem, part.component), abs=1e-6)
    assert max(sizes) >= 12


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_holes_do_not_spoil_the_optimum(seed: int):
    """Where little may be enclosed, the listing strikes off one set after the other; the search knows holes from the start."""
    problem, _ = instance(
        seed, Limits(min_ha=1.5, max_enclosed_share=0.5), blocks=4, block_m=330.0, parcel_m2=7_000.0
    )
    for part in solve(problem, Effort()):
        if len(problem.of_component(part.component)) <= 14:
            assert part.value == pytest.approx(listed_optimum(problem, part.component), abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_search_reaches_the_optimum_that_the_listing_finds(seed: int):
    """The same components by both ways; drawing anew must come within a ten-thousandth in sum."""
    problem, _ = instance(seed, blocks=5, block_m=260.0, parcel_m2=7_000.0)
    exact = sum(part.value for part in solve(problem, Effort(listed=16)))
    grown = sum(part.value for part in solve(problem, Effort(listed=0)))
    quick = sum(part.value for part in solve(problem, Effort(listed=0, rounds=0)))
    assert 0.9999 * exact <= grown <= exact * (1 + 1e-9)
    assert 0.95 * exact <= quick <= exact * (1 + 1e-9)


def drawn_grid(rows: list[str], across: list[float], up: list[float]) -> Problem:
    """Return a grid of parcels without lanes, the last row lowest: `L` is low-efficiency land, `.` other land."""
    west, south = np.cumsum([0.0, *across]), np.cumsum([0.0, *up])
    shapes, low = [], ""
    for row, letters in enumerate(rows[::-1]):
        for column, letter in enumerate(letters):
            shapes.append(shapely.box(west[column], south[row], west[column + 1], south[row + 1]))
            low += "1" if letter == "L" else "0"
    return build_problem(parcels(*shapes, low=low), TOWN, LIMITS, LIGHT)


def test_units_are_found_where_every_growth_closes_a_ring():
    """Every growth ends in a ring around more other land than it may take in; so less is grown, and parts of the ring are found."""
    grid = drawn_grid([".LLL", "L...", "LL..", ".L.L"], [80, 100, 100, 80], [100, 60, 80, 80])
    (grown,), (drawn,) = (solve(grid, Effort(listed=0, rounds=rounds)) for rounds in (0, 4))
    exact = listed_optimum(grid, 0)
    assert 0.75 * exact < grown.value < drawn.value
    assert 0.98 * exact < drawn.value <= exact * (1 + 1e-9)


# ------------------------------------------------------------------------------------------------- bound and rules


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "limits",
    [Limits(), Limits(min_ha=1.5, max_enclosed_share=0.5), Limits(min_compactness=0.45)],
    ids=["usual", "holes", "compact"],
)
def test_no_bound_is_below_the_optimum(seed: int, limits: Limits):
    """Rows that cut off holes, ragged sets and pieces that are too small never cut off a unit that keeps the rules, and close the gap."""
    problem, _ = instance(seed, limits, blocks=4, block_m=260.0, parcel_m2=7_000.0)
    exact = {part.component: part.value for part in solve(problem, Effort(listed=16)) if part.optimal}
    optima = proven = 0.0
    for part in solve(problem, Effort(listed=0, rounds=1)):
        if part.component in exact and part.value > 0:
            optimum = exact[part.component]
            quick, tight = quick_bound(problem, part), proven_bound(problem, part, 12)
            assert quick >= optimum * (1 - 1e-6)
            assert optimum * (1 - 1e-6) <= tight <= quick * (1 + 1e-9)
            optima, proven = optima + optimum, proven + tight
    assert 0 < proven <= 1.002 * optima


@pytest.mark.parametrize("seed", SEEDS)
def test_a_district_keeps_every_rule_and_comes_near_its_bound(seed: int):
    problem, cells = instance(seed, blocks=6, block_m=520.0, parcel_m2=9_000.0)
    drawn = search_units(problem, cells, Effort(rounds=8, proof=0))
    assert drawn.findings.empty
    assert len(drawn.units) >= 4
    assert drawn.value_m2 <= drawn.bound_m2
    assert drawn.gap <= 0.05
    assert (drawn.members["unit_id"].isna() == drawn.members["reason"].notna()).all()
    assert drawn.value_m2 == pytest.approx(judge(problem, drawn.members).value_m2)


def test_a_proof_closes_the_gap():
    problem, cells = instance(1, blocks=2, block_m=420.0)
    loose = search_units(problem, cells, Effort(rounds=4))
    tight = search_units(problem, cells, Effort(rounds=4, proof=30))
    assert tight.bound_m2 <= loose.bound_m2
    assert tight.value_m2 >= loose.value_m2
    assert tight.gap <= 0.005


@pytest.mark.parametrize(
    "limits",
    [
        Limits(min_public_share=0.25, min_low_share=0.6),
        Limits(min_compactness=0.45),
        Limits(max_ha=6),
        Limits(max_enclosed_share=0.6),
    ],
    ids=["public benefit", "compact", "small", "open"],
)
def test_other_limits_are_kept_too(limits: Limits):
    problem, cells = instance(2, limits, blocks=4, block_m=420.0)
    for rounds in (0, 4):
        drawn = search_units(problem, cells, Effort(rounds=rounds))
        assert drawn.findings.empty
        assert len(drawn.units)


# ------------------------------------------------------------------------------------------- nothing else matters


def same_bytes(one: Draft, other: Draft) -> bool:
    frames = zip(
        (one.members, one.units.drop(columns="geometry")),
        (other.members, other.units.drop(columns="geometry")),
        strict=True,
    )
    tables = all(first.to_csv(index=False) == second.to_csv(index=False) for first, second in frames)
    return (
        tables
        and (
            shapely.to_wkb(one.units.geometry.to_numpy()) == shapely.to_wkb(other.units.geometry.to_numpy())
        ).all()
    )


@pytest.mark.parametrize("rounds", [0, 4])
def test_rows_and_threads_do_not_matter(rounds: int):
    frame, town, roads = district(5, blocks=5, block_m=420.0)
    cells = barrier_cells(town, roads)
    first = draw_units(frame, cells, effort=Effort(rounds=rounds))
    shuffled = frame.sample(frac=1, random_state=1)
    assert same_bytes(
        first, draw_units(shuffled, barrier_cells(town, roads[::-1]), effort=Effort(rounds=rounds))
    )
    assert same_bytes(first, draw_units(frame, cells, effort=Effort(rounds=rounds, threads=2)))
    assert len(first.units)


def test_a_seed_is_repeatable():
    problem, cells = instance(3, blocks=3, block_m=420.0)
    one, again, other = (search_units(problem, cells, Effort(seed=seed)) for seed in (7, 7, 8))
    assert same_bytes(one, again)
    assert other.findings.empty


def test_a_shift_by_500_km_changes_the_value_by_less_than_half_a_percent():
    frame, town, roads = district(4, blocks=4, block_m=420.0)
    value = draw_units(frame, barrier_cells(town, roads)).value_m2
    away = frame.assign(geometry=frame.translate(500_000, 500_000))
    town_away = town.assign(geometry=town.translate(500_000, 500_000))
    roads_away = shapely.transform(roads, lambda points: points + 500_000)
    assert draw_units(away, barrier_cells(town_away, roads_away)).value_m2 == pytest.approx(value, rel=0.005)


# ---------------------------------------------------------------------------------------------------- single units


def test_parcels_over_a_lane_make_one_unit_with_the_lane_closed():
    drawn = draw(parcels(square(0), square(108)))
    unit = drawn.units.iloc[0]
    assert (unit["unit_id"], unit["town_code"], unit["n_parcels"], unit["area_m2"]) == (
        "120113100-001", "120113100", 2, 20_000
    )  # fmt: skip
    assert unit.geometry.area == pytest.approx(208 * 100)
    assert unit["outline_m"] == pytest.approx(600)
    assert unit["compactness"] == pytest.approx(4 * np.pi * 20_000 / 600**2)
    assert unit["value_m2"] == pytest.approx(20_000 - 600 - 100)
    assert drawn.members["reason"].isna().all()


def test_a_wide_road_keeps_them_apart():
    assert len(draw(parcels(square(0), square(112))).units) == 2


@pytest.mark.parametrize(("length", "units"), [(4.9, 2), (5.0, 1)])
def test_neighbours_face_each_other_over_the_least_length(length: float, units: int):
    drawn = draw_units(
        parcels(square(0), square(100, 100 - length)), TOWN, LIMITS, Weights(outline=0.1, unit=5_000.0)
    )
    assert len(drawn.units) == units


def test_areas_that_meet_a_limit_exactly_count():
    drawn = draw(parcels(square(0), square(100), square(200)), Limits(min_ha=2, max_ha=2))
    assert drawn.units["area_m2"].tolist() == [20_000]
    assert "1.00 ha, less than 2 ha" in "".join(drawn.members["reason"].dropna()) or "max_ha" in "".join(
        drawn.members["reason"].dropna()
    )


@pytest.mark.parametrize(
    ("frame", "parcel", "words"),
    [
        (parcels(square(0, size=600), square(600)), "P0", "larger than 30 ha by itself"),
        (parcels(square(9000)), "P0", "outside every town and block"),
        (parcels(square(0, size=50)), "P0", "min_ha: all it hangs together with has 0.25 ha, less than 1 ha"),
        (parcels(square(0), square(100), low="00"), "P0", "not low-efficiency; min_low_share"),
        (parcels(square(0), square(100), square(100, 100), low="110"), "P2", "not low-efficiency; "),
        (parcels(square(0), reasons=("生态保护红线",)), "P0", "生态保护红线"),
    ],
    ids=["too large", "outside", "too small", "no low land", "would cost", "protected"],
)
def test_what_is_left_out_has_its_reason(frame: gpd.GeoDataFrame, parcel: str, words: str):
    drawn = draw(frame)
    assert unit_of(drawn)[parcel] is None
    assert reason_of(drawn, parcel).startswith(words)


def test_protected_land_stays_out_and_no_outline_runs_over_it():
    """The plot is narrower than the gap; beside it the lane joins the parcels, over it the outline does not run."""
    plot = shapely.box(100, 0, 108, 60)
    drawn = draw(parcels(plot, square(0), square(108), reasons=("生态保护红线",)))
    assert unit_of(drawn) == {"P0": None, "P1": "120113100-001", "P2": "120113100-001"}
    assert shapely.area(shapely.intersection(drawn.units.geometry[0], plot)) == pytest.approx(0, abs=1e-6)
    assert drawn.units.geometry[0].area == pytest.approx(20_000 + 8 * 40)


def test_no_unit_reaches_through_protected_land():
    drawn = draw(parcels(shapely.box(100, 0, 108, 100), square(0), square(108), reasons=("生态保护红线",)))
    assert drawn.units["n_parcels"].tolist() == [1, 1]


def test_a_unit_never_leaves_its_cell():
    two = gpd.GeoDataFrame(
        {"cell": [0, 1], "town_code": ["120113100", "120113101"]},
        geometry=[shapely.box(-500, -500, 104, 500), shapely.box(104, -500, 900, 500)],
        crs=4548,
    )
    drawn = draw(parcels(square(0), square(108)), cells=two)
    assert drawn.units["unit_id"].tolist() == ["120113100-001", "120113101-001"]


@pytest.mark.parametrize("cut_at", [96.0, 70.0])
def test_a_parcel_that_a_barrier_cuts_is_in_the_outline_as_it_is_in_the_area(cut_at: float):
    """A road over the second parcel: the unit has all of it, and of the lane only what lies on its own side of the road."""
    two = gpd.GeoDataFrame(
        {"cell": [0, 1], "town_code": ["120113100"] * 2},
        geometry=[shapely.box(-500, -500, 108 + cut_at, 500), shapely.box(108 + cut_at, -500, 900, 500)],
        crs=4548,
    )
    unit = draw(parcels(square(0), square(108)), cells=two).units.iloc[0]
    assert unit["area_m2"] == 20_000
    assert unit["lanes_m2"] == pytest.approx(800)
    assert unit.geometry.area == pytest.approx(20_800)


def test_every_unit_says_what_limits_it_and_its_best_alternative():
    drawn = draw(parcels(*[square(100 * column) for column in range(4)]), Limits(min_ha=3, max_ha=3))
    limits = drawn.units.set_index("n_parcels")["limit"]
    assert limits[3].startswith("max_ha: with P")
    assert all(text for text in drawn.units["alternative"])


@pytest.mark.parametrize("count", [0, 1])
def test_few_parcels(count: int):
    drawn = draw(parcels(*[square(0)] * count))
    assert len(drawn.units) == len(drawn.members) == count
    assert drawn.units.crs == TOWN.crs


# ------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"min_ha": 5, "max_ha": 2}, "the least area 5 ha is above the greatest 2 ha"),
        ({"min_low_share": 0.8, "min_public_share": 0.3}, "add up to more than 1"),
        ({"min_compactness": 1.5}, "a circle has 1"),
        ({"min_ha": 5, "max_ha": 2, "min_compactness": 2}, "; a compactness of 2"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(limits: dict[str, float], words: str):
    with pytest.raises(ValueError, match=words):
        Limits(**limits)


def test_codes_that_stand_twice_and_parcels_without_a_shape_are_named():
    with pytest.raises(ValueError, match="stand twice: P0"):
        build_problem(pd.concat([parcels(square(0)), parcels(square(200))]), TOWN)
    frame = parcels(square(0), square(200))
    frame.geometry = [frame.geometry[0], shapely.Polygon()]
    with pytest.raises(ValueError, match="without a shape or an area: P1"):
        build_problem(frame, TOWN)


def test_overlapping_parcels_are_found():
    pairs = overlapping(parcels(square(0), square(50), square(149.9), square(10, 10, 20)))
    assert pairs[["one", "other"]].to_numpy().tolist() == [["P0", "P1"], ["P0", "P3"]]
    assert pairs["area_m2"].tolist() == [5_000, 400]
    assert pairs["share"].tolist() == [0.5, 1.0]
    assert overlapping(parcels(square(0))).empty


def test_parcels_that_share_ground_are_in_no_unit_and_the_rest_is_drawn():
    """P0 and P1 share half of theirs; P2 touches P1, P3 overlaps P2 by 0.2 m, and both are drawn."""
    frame = parcels(square(0), square(50), square(150), square(249.8), square(400))
    pairs = overlapping(frame)
    problem = build_problem(frame, TOWN, Limits(min_ha=1.5), LIGHT, overlaps=pairs)
    drawn = search_units(problem, TOWN, Effort(rounds=0))
    said = drawn.members.set_index("parcel_id")
    assert said.loc["P2", "unit_id"] == said.loc["P3", "unit_id"]
    assert said["unit_id"].notna().tolist() == [False, False, True, True, False]
    assert said.loc["P0", "reason"] == "overlaps another parcel: 5,000 m² (50.0% of the smaller one) with P1"
    assert drawn.findings[["rule", "parcels", "value"]].to_numpy().tolist() == [
        ["parcels_overlap", "P0, P1", 0.5]
    ]
    again = build_problem(frame[::-1], TOWN, Limits(min_ha=1.5), LIGHT, overlaps=overlapping(frame[::-1]))
    pd.testing.assert_frame_equal(search_units(again, TOWN, Effort(rounds=0)).members, drawn.members)


def test_ground_that_only_one_of_two_parcels_can_bring_into_a_unit_counts_once():
    """A parcel of 50 ha, too large for any unit, lies over three houses: these are drawn all the same."""
    frame = parcels(square(0, size=700), square(0), square(100), square(200))
    problem = build_problem(frame, TOWN, Limits(min_ha=2.5), LIGHT, overlaps=overlapping(frame))
    drawn = search_units(problem, TOWN, Effort(rounds=0))
    assert drawn.members["unit_id"].notna().tolist() == [False, True, True, True]
    assert drawn.findings.empty


def test_isolated_parcels_and_no_adjacency_give_reasons_and_no_error():
    drawn = draw(parcels(*[square(300 * at, size=90) for at in range(4)]))
    assert drawn.units.empty
    assert drawn.members["reason"].str.contains("0.81 ha, less than 1 ha").all()
    assert (drawn.value_m2, drawn.bound_m2, drawn.gap) == (0, 0, 0)


def test_all_parcels_red_lined():
    drawn = draw(parcels(square(0), square(100), reasons=("生态保护红线", "生态保护红线")))
    assert drawn.units.empty
    assert set(drawn.members["reason"]) == {"生态保护红线"}
