"""What holds of repair, survey areas, facing lengths and units for all shapes."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given
from hypothesis import strategies as st

from drawn_shapes import ORIGIN, SHAPES, at, rectangles, stars
from lowland_gis.analysis.geometry import repair
from lowland_gis.analysis.geometry.geodesy import GaussPlane, ellipsoidal_areas
from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.draw import draw_units
from lowland_gis.analysis.units.facing import facing_lengths
from lowland_gis.analysis.units.ground import HECTARE_M2, Limits, Weights
from lowland_gis.analysis.units.search import Effort

PLANE = GaussPlane(117.0, 500_000.0)
POINTS = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(
    lambda point: (ORIGIN[0] + point[0], ORIGIN[1] + point[1])
)
RINGS = st.lists(POINTS, min_size=3, max_size=8).map(lambda points: shapely.Polygon([*points, points[0]]))
RECEIVED = st.lists(
    st.one_of(
        RINGS,
        st.lists(RINGS, min_size=1, max_size=3).map(shapely.MultiPolygon),
        st.builds(lambda ring, line: shapely.GeometryCollection([ring, ring.boundary, line]), RINGS, RINGS),
        RINGS.map(lambda ring: ring.boundary),
        st.just(None),
        st.just(shapely.Polygon()),
    ),
    min_size=1,
    max_size=6,
)


@given(RECEIVED)
def test_repairing_twice_is_repairing_once(received: list[shapely.Geometry | None]):
    once = repair.repair(*repair.decode(shapely.to_wkb(np.array(received, dtype=object))), "polygon")
    usable = once.geometries[once.usable]
    assert shapely.is_valid(usable).all()
    assert (shapely.area(usable) > 0).all()
    assert {shape.geom_type for shape in usable} <= {"Polygon", "MultiPolygon"}
    again = repair.repair(*repair.decode(shapely.to_wkb(usable)), "polygon")
    assert (again.fault == "").all()
    assert shapely.equals_exact(again.geometries, usable).all()


@given(RECEIVED)
def test_a_repair_stays_inside_what_was_received(received: list[shapely.Geometry | None]):
    once = repair.repair(*repair.decode(shapely.to_wkb(np.array(received, dtype=object))), "polygon")
    for before, after in zip(received, once.geometries, strict=True):
        if before is not None and after is not None and not before.is_empty and not after.is_empty:
            west, south, east, north = before.bounds
            assert shapely.box(west, south, east, north).covers(after)


@given(stars(), st.integers(0, 8))
def test_survey_area_does_not_depend_on_where_a_ring_starts_or_which_way_it_runs(
    shape: shapely.Polygon, start: int
):
    points = shapely.get_coordinates(shape.exterior)[:-1]
    turned = np.roll(points, start % len(points), axis=0)
    variants = [shapely.Polygon(ring, shape.interiors) for ring in (points, turned, turned[::-1])]
    areas = ellipsoidal_areas(np.array(variants, dtype=object), PLANE)
    assert len(set(areas.tolist())) == 1
    assert abs(areas[0] - shape.area) <= 2e-5 * shape.area + 0.02


@given(rectangles(), st.integers(1, 99))
def test_survey_area_is_additive_over_a_split(shape: shapely.Polygon, percent: int):
    """To the centimetres: each part is rounded by itself, and so are its corners."""
    west, south, east, north = shape.bounds
    middle = round(west + (east - west) * percent / 100, 4)
    parts = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    whole, one, other = ellipsoidal_areas(np.array([shape, *parts], dtype=object), PLANE)
    assert math.isclose(whole, one + other, abs_tol=0.02)


LIGHT = Weights(outline=0.5, unit=10.0)
GRID = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=24)
LIMITS = st.builds(
    lambda low, more, gap: Limits(
        gap_m=gap, min_length_m=5, min_ha=low, max_ha=low + more, min_compactness=0.05
    ),
    st.sampled_from([0.04, 0.1, 0.2]), st.sampled_from([0.0, 0.08, 1.0]), st.sampled_from([4.0, 12.0]),
)  # fmt: skip
TOWN = gpd.GeoDataFrame(
    {"town_code": ["120113100"]}, geometry=[shapely.box(*(ORIGIN - 500), *(ORIGIN + 1000))], crs=4548
)
ROAD = np.array([shapely.LineString([at(74, -600), at(74, 1100)])], dtype=object)


def drawn_parcels(places: set[tuple[int, int]]) -> gpd.GeoDataFrame:
    """Lay parcels of 20 m with lanes of 5 m; every fifth is protected."""
    ordered = sorted(places)
    corners = [at(25 * x, 25 * y) for x, y in ordered]
    frame = gpd.GeoDataFrame(
        {
            "parcel_id": [f"{x}{y}" for x, y in ordered],
            "reason": ["生态保护红线" if (x + 2 * y) % 5 == 0 else None for x, y in ordered],
        },
        geometry=[shapely.box(*corner, *(corner + 20)) for corner in corners],
        crs=4548,
    )
    low = [(2 * x + y) % 4 > 0 for x, y in ordered]
    return frame.assign(area_m2=frame.area, low_m2=frame.area * low)


@given(GRID, LIMITS, st.randoms(use_true_random=False))
def test_units_are_disjoint_connected_within_limits_and_independent_of_order(
    places: set[tuple[int, int]], limits: Limits, random
):
    parcels = drawn_parcels(places)
    cells = barrier_cells(TOWN, ROAD)
    # Parcels of 400 m²: outlines weigh little.
    drawn = draw_units(parcels, cells, limits, LIGHT, Effort(rounds=2, listed=10))
    belongs = drawn.members.dropna(subset="unit_id")
    shapes = parcels.set_index("parcel_id")
    assert drawn.findings.empty
    assert belongs["parcel_id"].is_unique
    assert drawn.members["parcel_id"].tolist() == sorted(parcels["parcel_id"])
    assert shapes.loc[belongs["parcel_id"], "reason"].isna().all()
    assert (drawn.members["unit_id"].isna() == drawn.members["reason"].notna()).all()
    for unit in drawn.units.itertuples():
        members = shapes.loc[belongs.loc[belongs["unit_id"] == unit.unit_id, "parcel_id"]]
        assert limits.min_ha * (1 - 1e-9) <= unit.area_m2 / HECTARE_M2 <= limits.max_ha * (1 + 1e-9)
        assert math.isclose(unit.area_m2, members["area_m2"].sum(), rel_tol=1e-12)
        assert unit.geometry.is_valid
        assert shapely.area(shapely.difference(members.union_all(), unit.geometry)) < 1e-6
        assert unit.low_share >= 0.7 * (1 - 1e-9)
        assert connected(members.geometry.to_numpy(), limits)
        assert cells.geometry.covers(unit.geometry).any()
    outlines = drawn.units.geometry
    assert math.isclose(outlines.area.sum(), outlines.union_all().area, rel_tol=1e-9, abs_tol=1e-6)
    shuffled = parcels.iloc[random.sample(range(len(parcels)), len(parcels))]
    other = draw_units(shuffled, cells, limits, LIGHT, Effort(rounds=2, listed=10, threads=2))
    pd.testing.assert_frame_equal(other.members, drawn.members)
    assert other.units.geometry.geom_equals(drawn.units.geometry).all()


def connected(shapes: np.ndarray, limits: Limits) -> bool:
    pairs = facing_lengths(shapes, limits.gap_m)
    pairs = pairs[pairs["length_m"] >= limits.min_length_m]
    reached = {0}
    for _ in shapes:
        for one, other in zip(pairs["first"], pairs["second"], strict=True):
            if one in reached or other in reached:
                reached |= {one, other}
    return len(reached) == len(shapes)


@given(SHAPES, SHAPES, st.sampled_from([0.0, 5.0, 10.0]))
def test_facing_is_mutual_and_never_longer_than_an_outline(
    one: shapely.Polygon, other: shapely.Polygon, gap_m: float
):
    forth = facing_lengths(np.array([one, other], dtype=object), gap_m)["length_m"].sum()
    back = facing_lengths(np.array([other, one], dtype=object), gap_m)["length_m"].sum()
    assert math.isclose(forth, back, rel_tol=1e-9, abs_tol=1e-9)
    assert forth <= (one.length + other.length) / 2 * (1 + 1e-9)
    if one.distance(other) > gap_m + 0.3:
        assert forth == 0
