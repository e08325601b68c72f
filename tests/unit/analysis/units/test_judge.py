"""The evaluator: every term counted by hand, every rule broken once, hand-drawn polygons judged."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from lowland_gis.analysis.units.ground import Limits, Problem, Weights, build_problem
from lowland_gis.analysis.units.judge import judge, members_of_polygons

WHOLE = shapely.box(-1000, -1000, 5000, 5000)


def grid(side: int = 5, *, forbidden: tuple[str, ...] = ()) -> gpd.GeoDataFrame:
    """Return parcels `xy` of 100 m by 100 m without lanes; the first column is not low-efficiency."""
    places = [(x, y) for x in range(side) for y in range(side)]
    frame = gpd.GeoDataFrame(
        {"parcel_id": [f"{x}{y}" for x, y in places]},
        geometry=[shapely.box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100) for x, y in places],
        crs=4548,
    )
    return frame.assign(
        area_m2=10_000.0,
        low_m2=[10_000.0 * (x > 0) for x, _ in places],
        zone=["A" if y < 3 else "B" for _, y in places],
        kind=["k1" if x < 3 else "k2" for x, _ in places],
        public_m2=[10_000.0 * (y == 0) for _, y in places],
        reason=["红线" if f"{x}{y}" in forbidden else None for x, y in places],
    )


def ground(frame: gpd.GeoDataFrame, limits: Limits | None = None, *, halves: bool = False) -> Problem:
    cells = [shapely.box(-1000, -1000, 300, 5000), shapely.box(300, -1000, 5000, 5000)] if halves else [WHOLE]
    faces = gpd.GeoDataFrame({"cell": range(len(cells)), "town_code": "120113100"}, geometry=cells, crs=4548)
    return build_problem(frame, faces, limits, Weights())


def table(**units: str) -> pd.DataFrame:
    rows = [(parcel, unit) for unit, parcels in units.items() for parcel in parcels.split()]
    return pd.DataFrame(rows, columns=["parcel_id", "unit_id"])


def test_every_term_of_the_ledger():
    judged = judge(ground(grid()), table(u="02 12 13 22 32"))
    unit = judged.units.iloc[0]
    outline = 5 * 400 - 2 * 4 * 100
    expected = {
        "gathered_m2": 40_000, "other_land_cost": -0.5 * 10_000, "outline_cost": -12 * outline, "mixed_zone_cost": -0.2 * 10_000,
        "mixed_kind_cost": -0.1 * 10_000, "mixed_use_cost": 0, "mixed_owner_cost": 0, "unit_cost": -2_000, "neck_cost": 0, "kept_value": 0,
    }  # fmt: skip
    assert {name: unit[name] for name in expected} == pytest.approx(expected)
    assert unit["value_m2"] == pytest.approx(sum(expected.values())) == pytest.approx(judged.value_m2)
    assert (unit["outline_m"], unit["low_share"]) == (pytest.approx(outline), pytest.approx(0.8))
    assert judged.findings.empty


BROKEN = {
    "min_ha": ("11", {}),
    "max_ha": ("11 12 21 22", {"max_ha": 3}),
    "min_low_share": ("01 02 11 12", {}),
    "min_public_share": ("11 12 21", {"min_public_share": 0.2}),
    "min_compactness": ("11 12 13 14 10", {"min_compactness": 0.5}),
    "min_neck_m": ("11 12 21 31 32", {"min_neck_m": 150}),
    "contiguous": ("11 12 31 32", {}),
    "not_allowed": ("11 12 44", {}),
    "max_enclosed_share": ("11 12 13 21 23 31 32 33", {"min_compactness": 0.1}),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_every_rule_is_seen_when_it_is_broken(rule: str):
    parcels, limits = BROKEN[rule]
    judged = judge(ground(grid(forbidden=("44",)), Limits(**limits)), table(u=parcels))
    assert rule in set(judged.findings["rule"])
    assert set(judged.findings["unit_id"]) == {"u"}
    named = {"contiguous": "31", "not_allowed": "44", "max_enclosed_share": "22"}.get(rule, "")
    assert named in judged.findings.set_index("rule")["parcels"][rule]


def test_a_unit_in_two_blocks_is_seen():
    judged = judge(ground(grid(), halves=True), table(u="21 22 31"))
    assert {"one_block", "contiguous"} <= set(judged.findings["rule"])


def test_unknown_parcels_and_parcels_in_two_units_are_named():
    judged = judge(ground(grid()), table(u="11 12 99", v="12 13 22"))
    found = judged.findings.set_index("rule")
    assert found.loc["unknown_parcel", "parcels"] == "99"
    assert found.loc["two_units", "parcels"] == "12"
    assert "u and v" in found.loc["two_units", "message"]


def test_a_row_that_stands_twice_is_no_parcel_in_two_units():
    rows = table(u="11 12", v="13")
    assert judge(ground(grid()), pd.concat([rows, rows])).findings["rule"].tolist().count("two_units") == 0


def drawn(**shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"unit_id": list(shapes)}, geometry=list(shapes.values()), crs=4548)


def test_a_polygon_holds_the_parcels_of_which_it_has_half():
    members, findings = members_of_polygons(grid(), drawn(u=shapely.box(95, 95, 340, 260)))
    assert members["parcel_id"].tolist() == ["11", "12", "21", "22"]
    assert findings["rule"].tolist() == ["cuts_parcels"]
    assert findings["value"].tolist() == [4]


def test_overlapping_and_empty_polygons_are_told():
    shapes = {
        "u": shapely.box(100, 100, 300, 300),
        "v": shapely.box(290, 100, 500, 300),
        "w": shapely.box(2000, 0, 2100, 9),
    }
    _, findings = members_of_polygons(grid(), drawn(**shapes))
    assert set(findings["rule"]) == {"cuts_parcels", "units_overlap", "no_parcel"}
    assert "u and v overlap by 2,000 m²" in findings.set_index("rule")["message"]["units_overlap"]


def test_values_do_not_depend_on_the_order_of_rows():
    frame = grid()
    one = judge(ground(frame), table(u="11 12 21 22"))
    other = judge(ground(frame.sample(frac=1, random_state=0)), table(u="22 21 12 11"))
    pd.testing.assert_frame_equal(one.units, other.units)
    assert np.isfinite(one.value_m2)
