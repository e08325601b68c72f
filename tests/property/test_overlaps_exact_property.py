"""Overlap areas against exact arithmetic: the error is at most 1e-6 m² or 1e-10 of the parcel, whichever is larger."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from drawn_shapes import SHAPES, coverages, stars
from exact_areas import exact_area, exact_overlap
from lowland_gis.analysis.overlay.tabulate import overlap_areas

# Where the drawn shapes are, and the same place with the zone number 39 before the easting: near 4e7 doubles are 7.5e-9 m apart.
PLACES = st.sampled_from([0.0, 39_000_000.0])


def area_of(parcel: shapely.Geometry, zone: shapely.Geometry) -> float:
    found = overlap_areas(np.array([parcel]), np.array([zone]), np.array(["x"], dtype=object))
    return float(found["area_m2"].sum())


def allowed(parcel: shapely.Geometry) -> float:
    return max(1e-6, 1e-10 * parcel.area)


def moved(shape: shapely.Geometry, east: float) -> shapely.Geometry:
    return shapely.transform(shape, lambda points: points + np.array([east, 0.0]))


def check(parcel: shapely.Geometry, zone: shapely.Geometry) -> None:
    """Compare valid shapes with the exact area, both ways round."""
    assume(parcel.is_valid and zone.is_valid)
    compare(parcel, zone)


def compare(parcel: shapely.Geometry, zone: shapely.Geometry) -> None:
    exact = exact_overlap(parcel, zone)
    for one, other in ((parcel, zone), (zone, parcel)):
        error = abs(area_of(one, other) - exact)
        assert error <= allowed(one), f"{float(error)} m² from {float(exact)} m²: {one.wkt} / {other.wkt}"


def bent(shape: shapely.Geometry, random, size: float) -> shapely.Geometry:
    """Move every vertex by up to `size` metres each way; a ring stays closed."""
    moves: dict[tuple[float, float], np.ndarray] = {}

    def move(points: np.ndarray) -> np.ndarray:
        return points + [
            moves.setdefault(tuple(point), np.array([random.uniform(-size, size) for _ in "xy"]))
            for point in points
        ]

    return shapely.transform(shape, move)


@given(SHAPES, SHAPES, PLACES)
def test_random(parcel: shapely.Polygon, zone: shapely.Polygon, east: float):
    check(moved(parcel, east), moved(zone, east))


@given(SHAPES, PLACES)
def test_identical(shape: shapely.Polygon, east: float):
    shape = moved(shape, east)
    check(shape, shape)
    assert abs(area_of(shape, shape.reverse()) - exact_area(shape)) <= allowed(shape)


@given(SHAPES, PLACES, st.sampled_from([1e-9, 1e-8, 1e-6, 1e-3]), st.randoms(use_true_random=False))
def test_nearly_identical(shape: shapely.Polygon, east: float, size: float, random):
    shape = moved(shape, east)
    check(shape, bent(shape, random, size))


@given(SHAPES, PLACES, st.integers(-9, 9), st.integers(-9, 9))
def test_shifted_by_nanometres(shape: shapely.Polygon, east: float, right: int, up: int):
    """Every edge is parallel to its own copy at the distance of rounding."""
    shape = moved(shape, east)
    check(shape, shapely.transform(shape, lambda points: points + np.array([right, up]) * 1e-9))


@given(stars(), PLACES, st.floats(0.05, 0.999), st.integers(1, 9))
def test_nested(shape: shapely.Polygon, east: float, scale: float, parts: int):
    outer = shapely.Polygon(moved(shape, east).exterior)
    centre = np.array(outer.centroid.coords)
    inner = shapely.transform(outer, lambda points: np.round(centre + (points - centre) * scale, 4))
    check(outer, inner)
    check(outer, shapely.segmentize(inner, inner.length / parts))


@given(stars(), PLACES, st.floats(0.1, 0.9), st.integers(1, 40))
def test_touching_along_a_cut(shape: shapely.Polygon, east: float, where: float, points: int):
    """Both sides of a cut share its vertices, or have vertices of their own along it; they touch and nothing more."""
    shape = moved(shape, east)
    west, south, far, north = shape.bounds
    x = west + (far - west) * where
    cut = [(x + (k % 3) * 0.37, south - 1 + (north - south + 2) * k / points) for k in range(points + 1)]
    left = shapely.Polygon([(west - 5, south - 1), *cut, (west - 5, north + 1)])
    right = shapely.Polygon([(far + 5, south - 1), *cut, (far + 5, north + 1)])
    assume(left.is_valid and right.is_valid)
    assert area_of(left, right) == 0
    check(left, shapely.segmentize(right, 3.0))
    pieces = [area_of(shape, left), area_of(shape, right)]
    assert abs(sum(pieces) - exact_area(shape)) <= 2 * allowed(shape)


@given(SHAPES, st.sampled_from([1e-6, 1e-4, 1e-2]), st.integers(0, 7), PLACES)
def test_slivers(shape: shapely.Polygon, width: float, turn: int, east: float):
    """A strip as thin as a hair, a kilometre long, at any slant."""
    shape = moved(shape, east)
    angle = 0.3 + turn * np.pi / 4
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    centre = np.array(shape.centroid.coords[0])
    corners = [(-500, 0), (500, 0), (500, width), (-500, width)]
    check(shape, shapely.Polygon([centre + a * along + b * across for a, b in corners]))


@given(st.lists(SHAPES, min_size=2, max_size=4), SHAPES, PLACES)
def test_holes_and_parts(parts: list[shapely.Polygon], zone: shapely.Polygon, east: float):
    whole = shapely.union_all([moved(part, east) for part in parts], grid_size=0.001)
    assume(whole.geom_type in {"Polygon", "MultiPolygon"})
    check(whole, moved(zone, east))


@given(SHAPES, coverages(), PLACES, st.randoms(use_true_random=False))
def test_shares_of_a_full_coverage_sum_to_one(
    parcel: shapely.Polygon, cells: list[shapely.Polygon], east: float, random
):
    zones = np.array([moved(cell, east) for cell in cells])
    assume(shapely.is_valid(zones).all())
    codes = np.array([random.choice("abc") for _ in zones], dtype=object)
    parcel = moved(parcel, east)
    found = overlap_areas(np.array([parcel]), zones, codes)
    assert abs(found["area_m2"].sum() / parcel.area - 1) <= 1e-9


@pytest.mark.parametrize("east", [0.0, 39_000_000.0])
def test_many_pairs_agree_with_geos_or_with_exact_arithmetic(east: float):
    """Where GEOS differs by more than is allowed, exact arithmetic says who is right."""
    random = np.random.default_rng(4)
    parcels, zones = (moved_stars(random, 400, east) for _ in range(2))
    one, other = shapely.STRtree(zones).query(parcels, predicate="intersects")
    codes = np.arange(len(zones)).astype(object)
    found = overlap_areas(parcels, zones, codes)
    ours = dict(zip(zip(found["parcel"], found["code"], strict=True), found["area_m2"], strict=True))
    geos = shapely.area(shapely.intersection(parcels[one], zones[other]))
    assert len(one) > 3000
    judged = 0
    for parcel, zone, area in zip(one, other, geos, strict=True):
        own = ours.pop((parcel, zone), 0.0)
        if abs(own - area) > allowed(parcels[parcel]):
            judged += 1
            assert abs(own - exact_overlap(parcels[parcel], zones[zone])) <= allowed(parcels[parcel])
    assert not ours
    assert judged < len(one) / 10


def moved_stars(random: np.random.Generator, count: int, east: float) -> np.ndarray:
    """Return ragged stars of 6 to 60 corners, a hole in every third one."""
    shapes = []
    for number, corners in enumerate(random.integers(6, 60, count)):
        angles = 2 * np.pi * (np.arange(corners) + random.uniform(0.1, 0.9, corners)) / corners
        around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        centre = np.array([515_000 + east, 4_345_000]) + random.uniform(0, 1000, 2)
        shell = centre + random.uniform(50, 130, (corners, 1)) * around
        shapes.append(shapely.Polygon(shell, [centre + 20 * around] if number % 3 == 0 else []))
    stars = np.array(shapes, dtype=object)
    return stars[shapely.is_valid(stars)]


@pytest.mark.parametrize("east", [0.0, 39_000_000.0])
@pytest.mark.parametrize("vertices", [1_500, 7_000])
def test_a_ring_of_thousands_of_vertices(vertices: int, east: float):
    """A red line goes through some parcels, round others and past the rest; each gets what exact arithmetic gives."""
    random = np.random.default_rng(vertices)
    angles = 2 * np.pi * np.arange(vertices) / vertices
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centre = np.array([515_500 + east, 4_345_500])
    radius = 400 * (1 + 0.2 * np.cos(5 * angles)) + random.uniform(-1, 1, vertices)
    line = shapely.Polygon(centre + radius[:, None] * around, [centre + radius[:, None] * around * 0.3])
    assert line.is_valid
    parcels = moved_stars(random, 60, east)
    met = parcels[shapely.intersects(parcels, line.boundary)][: 4_500 // vertices + 1]
    inside = parcels[shapely.covers(line, parcels)][:1]
    outside = parcels[shapely.disjoint(parcels, line)][:1]
    assert all(len(kind) for kind in (met, inside, outside))
    for parcel in [*met, *inside, *outside]:
        compare(parcel, line)
