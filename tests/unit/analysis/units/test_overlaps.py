"""Parcels that share ground: what the turned boxes tell apart is what a look at every pair tells apart."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import affinity

from lowland_gis.analysis.units.overlaps import SHARE, overlapping

ORIGIN = (515_000.0, 4_345_000.0)


def parcels(shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    codes = [f"p{number:03d}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"parcel_id": codes}, geometry=shapes, crs=4548)


def all_pairs(shapes: list[shapely.Geometry]) -> set[tuple[str, str]]:
    return {
        (f"p{one:03d}", f"p{other:03d}")
        for other in range(len(shapes))
        for one in range(other)
        if shapes[one].intersection(shapes[other]).area > SHARE * min(shapes[one].area, shapes[other].area)
    }


def turned_boxes(random: np.random.Generator) -> list[shapely.Geometry]:
    west, south = random.uniform(0, 400, (2, 120)) + np.array(ORIGIN)[:, None]
    boxes = shapely.box(west, south, west + random.uniform(2, 60, 120), south + random.uniform(2, 60, 120))
    return [affinity.rotate(box, random.uniform(0, 90)) for box in boxes]


def two_parts(random: np.random.Generator) -> list[shapely.Geometry]:
    boxes = turned_boxes(random)
    return [shapely.union(box, affinity.translate(box, 90, 20)) for box in boxes]


def discs(random: np.random.Generator) -> list[shapely.Geometry]:
    places = random.uniform(0, 400, (120, 2)) + ORIGIN
    return list(shapely.buffer(shapely.points(places), random.uniform(1, 30, 120)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("drawn", [turned_boxes, two_parts, discs])
def test_the_pairs_are_those_of_a_look_at_every_pair(drawn, seed):
    shapes = drawn(np.random.default_rng(seed))
    found = overlapping(parcels(shapes))
    assert set(zip(found["one"], found["other"], strict=True)) == all_pairs(shapes)
    assert len(found) == len(all_pairs(shapes)) > 20


def test_shares_at_the_limit_and_parcels_within_parcels():
    x, y = ORIGIN
    shapes = [
        shapely.box(x, y, x + 100, y + 100),
        shapely.box(x + 96, y, x + 196, y + 100),
        shapely.box(x + 190, y, x + 290, y + 100),
        shapely.box(x + 20, y + 20, x + 40, y + 40),
    ]
    found = overlapping(parcels(shapes))
    assert found[["one", "other"]].to_numpy().tolist() == [["p000", "p003"], ["p001", "p002"]]
    assert found["share"].tolist() == pytest.approx([1.0, 0.06])


@pytest.mark.parametrize("count", [0, 1])
def test_no_pair_of_fewer_than_two(count):
    assert overlapping(parcels([shapely.box(0, 0, 1, 1)] * count)).empty
