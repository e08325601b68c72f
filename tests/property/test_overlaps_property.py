"""What holds of overlaps for all parcels and zones."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from drawn_shapes import ORIGIN, SHAPES, coverages
from overlaid import overlaps

PARCELS = st.lists(SHAPES, min_size=1, max_size=5)
CODES = st.sampled_from(["0601", "0702", "x"])
ZONES = st.lists(st.tuples(CODES, SHAPES), max_size=6)


def table(parcels: list[shapely.Polygon], zones: list[tuple[str, shapely.Polygon]]) -> pd.DataFrame:
    return overlaps(
        gpd.GeoDataFrame({"parcel_id": [f"P{n}" for n in range(len(parcels))]}, geometry=parcels, crs=4548),
        gpd.GeoDataFrame({"code": [code for code, _ in zones]}, geometry=[shape for _, shape in zones], crs=4548),
    )  # fmt: skip


def as_dict(rows: pd.DataFrame) -> dict[tuple[str, str], float]:
    return {(row.parcel_id, row.code): row.area_m2 for row in rows.itertuples()}


def near(one: dict[tuple[str, str], float], other: dict[tuple[str, str], float], tolerance: float) -> bool:
    return all(abs(one.get(key, 0.0) - other.get(key, 0.0)) <= tolerance for key in one.keys() | other.keys())


@given(PARCELS, ZONES)
def test_a_zone_alone_never_gives_more_than_parcel_or_zone(
    parcels: list[shapely.Polygon], zones: list[tuple[str, shapely.Polygon]]
):
    for code, zone in zones:
        for row in table(parcels, [(code, zone)]).itertuples():
            parcel = parcels[int(row.parcel_id[1:])]
            assert 0 < row.area_m2 <= min(parcel.area, zone.area) * (1 + 1e-9)
            assert row.share == pytest.approx(row.area_m2 / parcel.area, rel=1e-14)


@given(PARCELS, coverages(), st.randoms(use_true_random=False))
def test_the_parts_of_a_full_coverage_sum_to_the_parcel(
    parcels: list[shapely.Polygon], cells: list[shapely.Polygon], random
):
    assume(all(cell.is_valid for cell in cells))
    rows = table(parcels, [(random.choice("abc"), cell) for cell in cells])
    sums = rows.groupby("parcel_id")["area_m2"].sum()
    np.testing.assert_allclose(
        [sums[f"P{n}"] for n in range(len(parcels))], [p.area for p in parcels], rtol=1e-9
    )


@given(PARCELS, ZONES)
def test_areas_agree_with_a_count_of_strips(
    parcels: list[shapely.Polygon], zones: list[tuple[str, shapely.Polygon]]
):
    """An independent answer without any overlay: integrate the length of chords over every band between vertices."""
    expected: dict[tuple[str, str], float] = {}
    for number, parcel in enumerate(parcels):
        for code, zone in zones:
            key = (f"P{number}", code)
            expected[key] = expected.get(key, 0.0) + common_area(parcel, zone)
    assert near(as_dict(table(parcels, zones)), expected, 1e-4)


def common_area(one: shapely.Polygon, other: shapely.Polygon) -> float:
    """Return the area of one in the other by the sum over pairs of edges (Franklin): no intersection is built."""
    west, south, _, _ = np.minimum(one.bounds, other.bounds)
    edges = [edges_of(shape, np.array([west, south])) for shape in (one, other)]
    return float(sum(below_both(e, f) for e in edges[0] for f in edges[1]))


def edges_of(shape: shapely.Polygon, base: np.ndarray) -> list[np.ndarray]:
    oriented = shapely.orient_polygons(shape)
    rings = [np.array(ring.coords) - base for ring in (oriented.exterior, *oriented.interiors)]
    return [ring[i : i + 2] for ring in rings for i in range(len(ring) - 1)]


def below_both(e: np.ndarray, f: np.ndarray) -> float:
    """Return the signed area below the lower of two edges over the x that they share."""
    low = max(min(e[:, 0]), min(f[:, 0]))
    high = min(max(e[:, 0]), max(f[:, 0]))
    if low >= high:
        return 0.0
    sign = np.sign(e[1, 0] - e[0, 0]) * np.sign(f[1, 0] - f[0, 0])
    xs = np.array([low, high])
    ys = [
        edge[0, 1] + (xs - edge[0, 0]) * (edge[1, 1] - edge[0, 1]) / (edge[1, 0] - edge[0, 0])
        for edge in (e, f)
    ]
    gap = ys[0] - ys[1]
    if gap[0] * gap[1] < 0:
        xs = np.array([low, low + (high - low) * gap[0] / (gap[0] - gap[1]), high])
        ys = [np.interp(xs, [low, high], y) for y in ys]
    return float(sign * np.trapezoid(np.minimum(*ys), xs))


@given(PARCELS, ZONES, st.integers(-3000, 3000), st.integers(-3000, 3000))
def test_moving_everything_by_whole_metres_changes_no_area(
    parcels: list[shapely.Polygon], zones: list[tuple[str, shapely.Polygon]], east: int, north: int
):
    def move(shape: shapely.Polygon) -> shapely.Polygon:
        return shapely.transform(shape, lambda points: points + np.array([east, north]))

    moved = table([move(parcel) for parcel in parcels], [(code, move(zone)) for code, zone in zones])
    assert near(as_dict(table(parcels, zones)), as_dict(moved), 1e-5)


@given(PARCELS, ZONES, st.randoms(use_true_random=False))
def test_the_order_of_zones_and_parcels_changes_nothing(
    parcels: list[shapely.Polygon], zones: list[tuple[str, shapely.Polygon]], random
):
    mixed = random.sample(zones, len(zones))
    order = random.sample(range(len(parcels)), len(parcels))
    rows = overlaps(
        gpd.GeoDataFrame({"parcel_id": [f"P{n}" for n in order]}, geometry=[parcels[n] for n in order], crs=4548),
        gpd.GeoDataFrame({"code": [code for code, _ in mixed]}, geometry=[shape for _, shape in mixed], crs=4548),
    )  # fmt: skip
    before = table(parcels, zones)
    assert (
        rows[["parcel_id", "code"]].to_numpy().tolist() == before[["parcel_id", "code"]].to_numpy().tolist()
    )
    np.testing.assert_allclose(rows["area_m2"], before["area_m2"], rtol=1e-12)


@given(PARCELS, ZONES)
def test_a_zone_far_away_changes_nothing(
    parcels: list[shapely.Polygon], zones: list[tuple[str, shapely.Polygon]]
):
    far = shapely.box(*(ORIGIN + 5000), *(ORIGIN + 6000))
    pd.testing.assert_frame_equal(table(parcels, [*zones, ("0601", far)]), table(parcels, zones))
