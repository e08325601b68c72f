"""Units: grouped by lanes, inside one cell, between the limits, each parcel with its reason."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from lowland_gis.analysis.delineate import Limits, Units, draw_units

TOWN = gpd.GeoDataFrame(
    {"cell": [0], "town_code": ["120113100"]}, geometry=[shapely.box(-1000, -1000, 5000, 5000)], crs=4548
)
HECTARE = 10_000.0


def parcels(*shapes: shapely.Geometry, reasons: tuple[str | None, ...] = ()) -> gpd.GeoDataFrame:
    named = [f"P{number}" for number in range(len(shapes))]
    whys = [*reasons, *[None] * (len(shapes) - len(reasons))]
    frame = gpd.GeoDataFrame({"parcel_id": named, "reason": whys}, geometry=list(shapes), crs=4548)
    return frame.assign(area_m2=frame.area.astype(float))


def square(column: float, row: float = 0, size: float = 100) -> shapely.Polygon:
    return shapely.box(column, row, column + size, row + size)


def unit_of(units: Units) -> dict[str, str | None]:
    named = units.members["unit_id"].astype(object).where(units.members["unit_id"].notna(), None)
    return dict(zip(units.members["parcel_id"], named, strict=True))


def reason_of(units: Units, parcel: str) -> str:
    return units.members.set_index("parcel_id")["reason"][parcel]


LIMITS = Limits(gap_m=10, min_length_m=5, min_ha=1, max_ha=30)


def test_parcels_over_a_lane_make_one_unit_with_the_lane_closed():
    drawn = draw_units(parcels(square(0), square(108)), TOWN, LIMITS)
    unit = drawn.units.iloc[0]
    assert (unit["unit_id"], unit["town_code"], unit["n_parcels"], unit["area_m2"]) == (
        "120113100-001", "120113100", 2, 20_000
    )  # fmt: skip
    assert unit.geometry.area == pytest.approx(208 * 100)
    assert unit["compactness"] == pytest.approx(4 * np.pi * 20_800 / 616**2)
    assert drawn.members["reason"].isna().all()


def test_a_wide_road_keeps_them_apart():
    assert len(draw_units(parcels(square(0), square(112)), TOWN, LIMITS).units) == 2


def test_corners_do_not_join():
    assert len(draw_units(parcels(square(0), square(100, 100)), TOWN, LIMITS).units) == 2


@pytest.mark.parametrize(("length", "units"), [(4.9, 2), (5.0, 1)])
def test_neighbours_face_each_other_over_the_least_length(length: float, units: int):
    assert len(draw_units(parcels(square(0), square(100, 100 - length)), TOWN, LIMITS).units) == units


def test_areas_that_meet_a_limit_exactly_count():
    limits = Limits(min_ha=2, max_ha=2)
    drawn = draw_units(parcels(square(0), square(100), square(200)), TOWN, limits)
    assert drawn.units["area_m2"].tolist() == [20_000]
    assert unit_of(drawn) == {"P0": "120113100-001", "P1": "120113100-001", "P2": None}
    assert "1.00 ha, less than 2 ha" in reason_of(drawn, "P2")


def test_a_parcel_too_large_by_itself_is_left_out_with_its_reason():
    drawn = draw_units(parcels(square(0, size=600), square(600)), TOWN, LIMITS)
    assert reason_of(drawn, "P0") == "larger than 30 ha by itself"
    assert drawn.units["n_parcels"].tolist() == [1]


def test_a_parcel_outside_every_cell_is_left_out_with_its_reason():
    drawn = draw_units(parcels(square(9000)), TOWN, LIMITS)
    assert reason_of(drawn, "P0") == "outside every town and block"
    assert drawn.units.empty


def test_protected_land_stays_out_and_no_outline_runs_over_it():
    """The plot is narrower than the gap; beside it the lane joins the parcels, over it the outline does not run."""
    plot = shapely.box(100, 0, 108, 60)
    drawn = draw_units(parcels(plot, square(0), square(108), reasons=("生态保护红线",)), TOWN, LIMITS)
    assert unit_of(drawn) == {"P0": None, "P1": "120113100-001", "P2": "120113100-001"}
    assert reason_of(drawn, "P0") == "生态保护红线"
    assert shapely.area(shapely.intersection(drawn.units.geometry[0], plot)) == pytest.approx(0, abs=1e-6)
    assert drawn.units.geometry[0].area == pytest.approx(20_000 + 8 * 40)


def test_no_unit_reaches_through_protected_land():
    strip = shapely.box(100, 0, 108, 100)
    drawn = draw_units(parcels(strip, square(0), square(108), reasons=("生态保护红线",)), TOWN, LIMITS)
    assert drawn.units["n_parcels"].tolist() == [1, 1]


def test_a_unit_never_leaves_its_cell():
    two = gpd.GeoDataFrame(
        {"cell": [0, 1], "town_code": ["120113100", "120113101"]},
        geometry=[shapely.box(-500, -500, 104, 500), shapely.box(104, -500, 900, 500)],
        crs=4548,
    )
    drawn = draw_units(parcels(square(0), square(108)), two, LIMITS)
    assert drawn.units["town_code"].tolist() == ["120113100", "120113101"]
    assert drawn.units["unit_id"].tolist() == ["120113100-001", "120113101-001"]


def test_a_group_too_large_for_one_unit_is_divided():
    row = [square(100 * column) for column in range(7)]
    drawn = draw_units(parcels(*row), TOWN, Limits(min_ha=1, max_ha=3))
    assert drawn.units["area_m2"].tolist() == [30_000, 30_000, 10_000]
    assert drawn.units["n_parcels"].sum() == 7


@pytest.mark.parametrize("count", [0, 1])
def test_few_parcels(count: int):
    drawn = draw_units(parcels(*[square(0)] * count), TOWN, LIMITS)
    assert len(drawn.units) == len(drawn.members) == count
    assert drawn.units.crs == TOWN.crs


def test_limits_that_no_unit_can_meet_are_refused():
    with pytest.raises(ValueError, match="above the greatest"):
        Limits(min_ha=5, max_ha=2)
