"""The quick look at all units: none that falls apart, lies in two blocks or encloses others is passed over, and few others are taken."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from lowland_gis.analysis.units.doubtful import doubtful
from lowland_gis.analysis.units.ground import Limits, Problem, build_problem

SIDE = 9


@pytest.fixture(scope="module")
def squares() -> Problem:
    """Return squares of a hectare in two blocks; the line between them runs along a side of squares."""
    places = [(x, y) for x in range(SIDE) for y in range(SIDE)]
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": [f"{x}{y}" for x, y in places],
            "area_m2": 10_000.0,
            "low_m2": 10_000.0,
            "reason": None,
        },
        geometry=[shapely.box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100) for x, y in places],
        crs=4548,
    )
    faces = [shapely.box(-50, -50, 600, 1000), shapely.box(600, -50, 1000, 1000)]
    cells = gpd.GeoDataFrame({"cell": [0, 1], "town_code": "t"}, geometry=faces, crs=4548)
    return build_problem(parcels, cells, Limits())


def rows_of(units: dict[str, set[tuple[int, int]]]) -> pd.DataFrame:
    rows = [(name, x * SIDE + y, 10_000.0) for name, places in units.items() for x, y in sorted(places)]
    return pd.DataFrame(rows, columns=["unit_id", "position", "area_m2"])


def pieces(places: set[tuple[int, int]]) -> list[set[tuple[int, int]]]:
    """Return what hangs together side by side, and not over the line between the blocks."""
    left, found = set(places), []
    while left:
        group, edge = set(), [left.pop()]
        while edge:
            x, y = edge.pop()
            group.add((x, y))
            beside = {(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)} & left
            beside = {(u, v) for u, v in beside if (u < 6) == (x < 6)}
            left -= beside
            edge += beside
        found.append(group)
    return found


def is_bad(places: set[tuple[int, int]]) -> bool:
    if len(pieces(places)) > 1:
        return True
    block = {(x, y) for x in range(SIDE) for y in range(SIDE) if (x < 6) == (min(places)[0] < 6)}
    for group in pieces(block - places):
        sides = [(x + u, y + v) for x, y in group for u, v in ((1, 0), (-1, 0), (0, 1), (0, -1))]
        beyond = [side for side in sides if side not in group]
        if len(group) <= len(places) and sum(side in places for side in beyond) > 0.9 * len(beyond):
            return True
    return False


def test_a_ring_an_island_and_two_blocks_are_looked_at(squares):
    ring = {(x, y) for x in range(3) for y in range(3)} - {(1, 1)}
    units = {
        "ring": ring,
        "apart": {(4, 0), (4, 2)},
        "blocks": {(5, 5), (6, 5)},
        "plain": {(0, 5), (0, 6), (1, 6)},
    }
    assert set(doubtful(squares, rows_of(units))["unit_id"]) == {"ring", "apart", "blocks"}


def test_a_group_that_goes_on_encloses_nothing(squares):
    wall = {(x, 1) for x in range(6)}
    assert doubtful(squares, rows_of({"wall": wall})).empty == (not is_bad(wall))
    assert doubtful(squares, rows_of({"wall": {(0, 1), (1, 1), (1, 0)}})).empty


@pytest.mark.parametrize("seed", range(60))
def test_it_finds_what_a_listing_finds(squares, seed):
    random = np.random.default_rng(seed)
    free = {(x, y) for x in range(SIDE) for y in range(SIDE)}
    units: dict[str, set[tuple[int, int]]] = {}
    for number in range(4):
        edge, unit = [min(free, key=lambda _: random.random())], set()
        while edge and len(unit) < random.integers(3, 20):
            x, y = edge.pop(random.integers(len(edge)))
            if (x, y) in free:
                unit.add((x, y))
                free.discard((x, y))
                edge += [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
        units[f"u{number}"] = unit
    found = set(doubtful(squares, rows_of(units))["unit_id"])
    assert found == {name for name, places in units.items() if is_bad(places)}
