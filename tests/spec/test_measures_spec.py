"""What measures of place mean, drawn: parcels on one map, zones, buildings and towns on others; a cell is 10 m by 10 m."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from ascii_maps import parcels, zones
from lowland_gis.analysis.measures.towns import located
from lowland_gis.analysis.measures.values import (
    BuildingPieces,
    LayerOverlaps,
    MovedShares,
    building_statistic,
    composition,
    drift_band,
    overlap_share,
)
from overlaid import overlaps as overlaid

PARCELS = """
    aabb
    aabb
"""


def on(drawn: gpd.GeoDataFrame, *maps: str) -> LayerOverlaps:
    return LayerOverlaps.of(pd.Index(drawn["parcel_id"]), overlaid(drawn, zones(*maps)))


def shares(codes: str, *layers: tuple[str, ...]) -> dict[str, float]:
    """Return the share of every parcel in some codes of layers, each drawn on maps of its own."""
    drawn = parcels(PARCELS)
    found = overlap_share([(on(drawn, *maps), list(codes)) for maps in layers], len(drawn))
    return dict(zip(drawn["parcel_id"], found.round(9).tolist(), strict=True))


def test_a_share_is_the_ground_of_the_parcel_in_the_codes():
    assert shares("x", ("xxxy\nyyyy",)) == {"a": 0.5, "b": 0.25}


def test_codes_that_are_not_asked_for_count_for_nothing():
    assert shares("xz", ("xyzz\nyyyy",)) == {"a": 0.25, "b": 0.5}


def test_layers_add_up():
    assert shares("x", ("x...\n....",), ("....\nx..x",)) == {"a": 0.5, "b": 0.25}


def test_zones_on_each_other_never_give_more_than_the_whole():
    assert shares("x", ("xx..\nxx..", "xx..\n....")) == {"a": 1.0, "b": 0.0}


def test_the_composition_names_the_largest_class_first():
    drawn = parcels(PARCELS)
    found = composition([on(drawn, "yxxx\nyyxx")], len(drawn), {"x": "工业", "y": "村庄"})
    assert found.tolist() == ["y村庄 75%、x工业 25%"] + ["x工业 100%"]


@pytest.mark.parametrize(
    ("drawn", "band"),
    [
        ("xxx.\nxxx.", (1.0, 1.0)),  # one cell farther than the parcel, so a shift of 5 m leaves it covered
        ("xx..\nxx..", (0.75, 1.0)),  # the zone ends where the parcel ends
        ("x...\nx...", (0.25, 0.75)),  # the zone ends in its middle
        ("..xx\n..xx", (0.0, 0.25)),  # the zone begins where the parcel ends
        ("...x\n...x", (0.0, 0.0)),  # it is farther than the shift
    ],
)
def test_the_band_holds_every_shift_by_the_tolerance_to_east_and_west(drawn, band):
    """Parcel a is 20 m wide and the zones end in straight lines north to south, beyond it by far: a shift of 5 m moves 5 of 20 m.

    The bounds are what any shift can do, so they may be wider than what these do, never narrower.
    """
    row = "\n".join(drawn.split("\n")[:1] * 6)
    parcel = parcels("....\n....\naa..\naa..\n....\n....")
    low, high = _band(parcel, zones(row), 5.0)
    assert low <= band[0] <= band[1] <= high
    for shift in np.linspace(-5, 5, 11):
        share = _share(parcel, zones(row), shift)
        assert low - 1e-9 <= share <= high + 1e-9


def _share(parcel: gpd.GeoDataFrame, zone: gpd.GeoDataFrame, shift_m: float) -> float:
    moved = zone.assign(geometry=zone.translate(xoff=shift_m))
    return float(overlaid(parcel, moved)["share"].sum())


def _band(parcel: gpd.GeoDataFrame, zone: gpd.GeoDataFrame, tolerance_m: float) -> tuple[float, float]:
    shape, ground = parcel.geometry.iloc[0], zone.union_all()
    inner, outer = (shape.buffer(by, join_style="mitre") for by in (-tolerance_m, tolerance_m))
    inside = [np.array([drawn.intersection(ground).area]) for drawn in (inner, outer)]
    whole = [np.array([drawn.area]) for drawn in (inner, outer)]
    moved = MovedShares(*inside, *(area - part for area, part in zip(whole, inside, strict=True)))
    share = np.array([shape.intersection(ground).area / shape.area])
    low, high = drift_band(share, np.array([shape.area]), np.array([shape.length]), moved, tolerance_m)
    return float(low[0]), float(high[0])


STOREYS = {"h": 1, "i": 3}


def built(statistic, *maps: str, unknown: str = "") -> list[float]:
    """Return a statistic of buildings: h has one storey, i three; the floor area of those in `unknown` is not stated."""
    drawn, buildings = parcels(PARCELS), zones(*maps)
    overlaps = overlaid(drawn, buildings)
    letters = overlaps["code"].to_numpy()
    floor = overlaps["area_m2"] * [np.nan if letter in unknown else STOREYS[letter] for letter in letters]
    pieces = pd.DataFrame(
        {
            "parcel": pd.Index(drawn["parcel_id"]).get_indexer(pd.Index(overlaps["parcel_id"])),
            "footprint_m2": overlaps["area_m2"],
            "floor_m2": floor,
            "year": 2000.0,
            "use": "1",
            "grade": "A",
        }
    )
    found = building_statistic(shapely.area(drawn.geometry), BuildingPieces(pieces), statistic)
    return found.round(9).tolist()


def test_density_is_footprint_on_the_parcel_over_its_ground():
    assert built("density", "h.hh\n....") == [0.25, 0.5]


def test_a_building_on_the_line_counts_on_both_sides_by_its_parts():
    assert built("density", ".hh.\n....") == [0.25, 0.25]
    assert built("floor_area", ".ii.\n....") == [300, 300]


def test_the_ratio_counts_storeys():
    assert built("floor_area_ratio", "i.h.\n....") == [0.75, 0.25]


def test_a_parcel_without_buildings_has_none_and_not_an_unknown_number():
    assert built("floor_area_ratio", "ii..\n....") == [1.5, 0.0]


def test_one_building_of_unknown_floor_makes_the_ratio_unknown_and_not_the_density():
    assert np.isnan(built("floor_area_ratio", "hi..\n....", unknown="i")[0])
    assert built("density", "hi..\n....", unknown="i") == [0.5, 0.0]


def town_of(*maps: str, claim_min: float = 0.1) -> list[str | None]:
    drawn = parcels(PARCELS)
    codes = np.array(["said", None], dtype=object)
    return located(codes, on(drawn, *maps), claim_min).town.tolist()


def test_the_town_of_a_parcel_is_where_most_of_it_lies():
    assert town_of("XXXY\nXXXY") == ["X", "X"]
    assert town_of("XYYY\nXXYY") == ["X", "Y"]


def test_of_two_alike_the_first_code_is_the_town():
    assert town_of("YXXX\nYXXX") == ["X", "X"]


def test_outside_of_all_towns_its_code_says_the_town_or_nothing_does():
    assert town_of("....\n....") == ["said", None]


def test_a_town_that_holds_less_than_a_claim_is_not_the_town():
    assert town_of("Y...\n..YY", claim_min=0.3) == ["said", "Y"]
