"""What a redevelopment unit is, drawn: parcels are low-efficiency land, X is protected, dots are lanes or open land."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from ascii_maps import EASTING_M, NORTHING_M, parcels, shapes
from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.draw import Draft, draw_units
from lowland_gis.analysis.units.ground import Limits, Weights

# Upper-case letters are parcels that are not low-efficiency; X is protected.
LIMITS = Limits(gap_m=10, min_length_m=5, min_ha=0.01, max_ha=1, min_compactness=0)
# Parcels of a few hundred m²: outlines weigh little, and a unit costs next to nothing.
WEIGHTS = Weights(outline=0.1, unit=1.0)
TOWN = gpd.GeoDataFrame(
    {"town_code": ["120113100"]},
    geometry=[shapely.box(EASTING_M - 500, NORTHING_M - 500, EASTING_M + 500, NORTHING_M + 500)],
    crs=4548,
)


def drawn(text: str, *, limits: Limits = LIMITS, road: str | None = None) -> Draft:
    frame = parcels(text)
    frame["reason"] = np.where(frame["parcel_id"] == "X", "永久基本农田", None)
    frame["low_m2"] = frame["area_m2"].where(frame["parcel_id"].str.islower(), 0.0)
    barriers = np.array([] if road is None else [shapely.from_wkt(road)], dtype=object)
    return draw_units(frame, barrier_cells(TOWN, barriers), limits, WEIGHTS)


def groups(units: Draft) -> list[str]:
    """Return the letters of each unit."""
    inside = units.members[units.members["unit_id"].notna()]
    return sorted("".join(sorted(part["parcel_id"])) for _, part in inside.groupby("unit_id"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aabb\naabb", ["ab"]),
        ("aa.bb\naa.bb", ["ab"]),
        ("aa..bb\naa..bb", ["a", "b"]),
        ("aa..\naa..\n..bb\n..bb", ["a", "b"]),
        ("aa...\naa...\n...bb\n...bb", ["a", "b"]),
        ("aabb\naabb\n.cc.", ["abc"]),
        ("aa.bb.cc", ["abc"]),
        ("aaXbb\naaXbb\ncc.cc", ["abc"]),
        ("aaXbb\naaXbb", ["a", "b"]),
        ("aaXbb\naa.bb", ["ab"]),
        ("X", []),
        ("aaNNNNbb\naaNNNNbb", ["a", "b"]),
        ("aaa\naNa\naaa", ["Na"]),
    ],
    ids=["side by side", "over a lane", "over a street", "corner on corner", "corners apart", "a third below",
         "a chain", "round protected land", "protected land between", "protected land half between", "only protected land",
         "too much other land", "a hole is absorbed"],
)  # fmt: skip
def test_who_is_together(text: str, expected: list[str]):
    assert groups(drawn(text)) == expected


def test_lanes_are_closed():
    unit = drawn("aa.bb\naa.bb").units.iloc[0]
    assert unit.geometry.area == pytest.approx(5 * 2 * 100)
    assert unit["area_m2"] == 800
    assert unit["n_parcels"] == 2


def test_a_road_divides_and_the_unit_stays_in_its_cell():
    road = f"LINESTRING({EASTING_M + 25} {NORTHING_M - 600}, {EASTING_M + 25} {NORTHING_M + 600})"
    units = drawn("aa.bb\naa.bb", road=road)
    assert groups(units) == ["a", "b"]
    assert units.units.geometry.bounds["maxx"][0] <= EASTING_M + 25


def test_protected_land_stays_out_of_every_outline():
    text = "aaXbb\naaXbb\ncc.cc"
    protected = shapes(text)["X"]
    units = drawn(text)
    assert units.members.set_index("parcel_id")["reason"]["X"] == "永久基本农田"
    assert units.units.geometry.intersection(protected).area.max() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("min_ha", "max_ha", "expected"),
    [
        (0.01, 0.08, ["ab"]),
        (0.08, 0.08, ["ab"]),
        (0.0801, 1, []),
        (0.01, 0.0799, ["a", "b"]),
        (0.01, 0.03, []),
    ],
    ids=["greatest met exactly", "both met exactly", "too small", "too large together", "too large alone"],
)
def test_limits(min_ha: float, max_ha: float, expected: list[str]):
    units = drawn("aabb\naabb", limits=Limits(min_ha=min_ha, max_ha=max_ha, min_compactness=0))
    assert groups(units) == expected
    assert units.members["reason"].notna().tolist() == units.members["unit_id"].isna().tolist()


def test_a_hole_that_may_not_be_filled_is_refused():
    """Round protected land no unit closes."""
    units = drawn("aab\naXb\nccb")
    assert all(len(group) < 3 for group in groups(units))


def test_every_parcel_is_in_a_unit_or_has_its_reason():
    units = drawn("aa..NN\naa..NN\n......\nXX....")
    reasons = units.members.set_index("parcel_id")["reason"]
    assert groups(units) == ["a"]
    assert "永久基本农田" in reasons["X"]
    assert reasons["N"].startswith("not low-efficiency; min_low_share")


def test_other_land_is_taken_along_where_it_pays():
    """Neither side is large enough alone; with the land between them they are."""
    units = drawn("aaNbb\naaNbb", limits=Limits(min_ha=0.06, max_ha=1, min_compactness=0))
    assert groups(units) == ["Nab"]
    assert units.units["low_share"].tolist() == [0.8]
