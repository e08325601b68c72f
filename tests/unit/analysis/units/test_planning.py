"""Planning units: blocks of a town put together, or areas that were delivered; what cannot keep a limit is named."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.planning import (
    Planning,
    PlanningLimits,
    of_areas,
    planning_table,
    put_together,
)

LIMITS = PlanningLimits(min_ha=30, max_ha=80)


def ground(across: list[float], up: list[float], border: float | None = None) -> gpd.GeoDataFrame:
    """Return the blocks that streets cut out of a rectangle; a second town begins east of `border`."""
    x, y = np.cumsum([0.0, *across]), np.cumsum([0.0, *up])
    lines = [shapely.LineString([(at, -1), (at, y[-1] + 1)]) for at in x]
    lines += [shapely.LineString([(-1, at), (x[-1] + 1, at)]) for at in y]
    parts = [(0.0, x[-1], "T1")] if border is None else [(0.0, border, "T1"), (border, x[-1], "T2")]
    towns = gpd.GeoDataFrame(
        {"town_code": [code for *_, code in parts]},
        geometry=[shapely.box(west, 0, east, y[-1]) for west, east, _ in parts], crs=4548,
    )  # fmt: skip
    return barrier_cells(towns, np.array(lines, dtype=object))


def named(planning: Planning) -> dict[tuple[str, str], list[str]]:
    return {key: list(rows["plan_id"]) for key, rows in planning.findings.groupby(["rule", "plan_id"])}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(100, 900), min_size=1, max_size=5),
    st.lists(st.floats(100, 900), min_size=1, max_size=4),
    st.booleans(),
)
def test_planning_units_tile_the_towns_and_what_cannot_keep_a_limit_is_named(across, up, two):
    cells = ground(across, up, sum(across) / 2 if two else None)
    made = put_together(cells, LIMITS)
    shapes, whole = made.areas.geometry.to_numpy(), shapely.union_all(cells.geometry.to_numpy())
    assert shapely.area(shapes).sum() == pytest.approx(whole.area, rel=1e-9)
    assert shapely.union_all(shapes).area == pytest.approx(whole.area, rel=1e-9)
    assert all(shape.geom_type == "Polygon" for shape in shapes)
    # Every block in one planning unit, of its own town.
    towns = dict(zip(made.areas["plan_id"], made.areas["town_code"], strict=True))
    assert [towns[name] for name in made.of_cell] == cells["town_code"].tolist()
    sizes = shapely.area(shapes) / 10_000
    broken = {
        name for name, size in zip(made.areas["plan_id"], sizes, strict=True) if not 30 * (1 - 1e-9) <= size <= 80 * (1 + 1e-9)
    }  # fmt: skip
    assert set(made.findings["plan_id"]) == broken
    # The order of rows does not matter.
    order = np.random.default_rng(1).permutation(len(cells))
    again = put_together(cells.iloc[order].sort_values("cell").reset_index(drop=True), LIMITS)
    assert again.of_cell.tolist() == made.of_cell.tolist()


def test_a_block_that_is_too_large_and_a_town_that_is_too_small_are_named():
    made = put_together(ground([1_000, 200], [1_000], 1_000), LIMITS)
    assert list(zip(made.findings["plan_id"], made.findings["rule"], strict=True)) == [
        ("T1-GH01", "max_ha"), ("T2-GH01", "min_ha"),
    ]  # fmt: skip
    assert made.findings["value"].tolist() == pytest.approx([100, 20])
    assert "no barrier divides it" in made.findings["message"][0]


def test_the_smallest_joins_the_neighbour_with_the_longest_border():
    # 10 ha beside 20 ha (400 m of border) and 25 ha (250 m): the long border counts.
    cells = ground([400, 1_000], [250, 500])
    made = put_together(cells, PlanningLimits(min_ha=11, max_ha=80))
    smallest, second, third, _ = (
        made.of_cell[at] for at in np.argsort(shapely.area(cells.geometry.to_numpy()))
    )
    assert smallest == second != third
    assert len(made.areas) == 3


def test_delivered_areas_hold_the_blocks_that_lie_in_them():
    areas = gpd.GeoDataFrame(
        {"plan_id": ["B", "A"]},
        geometry=[shapely.box(600, 0, 1_200, 500), shapely.box(0, 0, 600, 500)],
        crs=4548,
    )
    towns = gpd.GeoDataFrame(
        {"town_code": ["T1", "T2", "T2"]},
        geometry=[shapely.box(0, 0, 500, 500), shapely.box(500, 0, 1_200, 500), shapely.box(1_200, 0, 2_000, 500)], crs=4548,
    )  # fmt: skip
    cells = barrier_cells(towns, shapely.boundary(areas.geometry.to_numpy()))
    made = of_areas(cells, areas, PlanningLimits(min_ha=1, max_ha=29))
    assert made.areas["plan_id"].tolist() == ["A", "B"]
    assert made.areas["town_code"].tolist() == ["T1", "T2"]
    assert made.of_cell.tolist() == ["A", "A", "B", None]
    rules = set(zip(made.findings["plan_id"], made.findings["rule"], strict=True))
    assert rules == {("A", "one_town"), ("A", "max_ha"), ("B", "max_ha")}
    assert not made.findings["message"].str.contains("barrier").any()
    assert made.of(np.array([0, 3, -1])).tolist() == ["A", None, None]


def test_delivered_areas_that_overlap_or_have_no_number_are_refused_together():
    areas = gpd.GeoDataFrame(
        {"plan_id": ["A", "A", None]},
        geometry=[shapely.box(0, 0, 100, 100), shapely.box(50, 0, 150, 100), shapely.box(500, 0, 600, 100)], crs=4548,
    )  # fmt: skip
    with pytest.raises(ValueError, match="without a number.*A is there twice.*A and A overlap by 5,000 m²"):
        of_areas(ground([200], [200]), areas, LIMITS)


def test_what_a_planning_unit_holds_is_counted_and_what_it_lacks_is_named():
    cells = ground([600, 600, 600], [600])
    planning = put_together(cells, LIMITS)
    parcels = pd.DataFrame(
        {
            "plan_id": ["T1-GH01", "T1-GH01", "T1-GH02", "T1-GH03", None],
            "area_m2": [10_000.0, 30_000.0, 20_000.0, 10_000.0, 5_000.0],
            "low_m2": [10_000.0, 15_000.0, 20_000.0, 0.0, 5_000.0],
            "unit_id": ["U1", None, None, None, None],
        }
    )
    table, findings = planning_table(planning, parcels)
    assert table["area_ha"].tolist() == pytest.approx([36, 36, 36])
    assert table["n_parcels"].tolist() == [2, 1, 1]
    assert table["low_ha"].tolist() == [2.5, 2.0, 0.0]
    assert table["low_share"].tolist() == [0.625, 1.0, 0.0]
    assert (table["n_units"].tolist(), table["units_ha"].tolist()) == ([1, 0, 0], [1.0, 0.0, 0.0])
    assert set(zip(findings["plan_id"], findings["rule"], strict=True)) == {
        ("T1-GH02", "no_unit"), ("T1-GH03", "no_low_land"),
    }  # fmt: skip
