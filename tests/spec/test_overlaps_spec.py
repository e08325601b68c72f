"""What `overlaps` means, drawn: how many m² of each parcel lie in each code."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from ascii_maps import parcels, zones

FOUR = """
    aabb
    aabb
"""


def rows(overlaps, *maps: str) -> list[list[object]]:
    """Return parcel, code and area of the first map against the others."""
    found = overlaps(parcels(maps[0]), zones(*maps[1:]))
    assert found.columns.tolist() == ["parcel_id", "code", "area_m2", "share"]
    return [[*row[:2], round(row[2], 6)] for row in found.to_numpy().tolist()]


def test_inside_across_and_beside(overlaps):
    assert rows(
        overlaps,
        """
        aa.bb.cc
        aa.bb.cc
        """,
        """
        .x.xxx..
        ...xxx..
        """,
    ) == [["a", "x", 100], ["b", "x", 400]]


def test_a_share_is_of_the_parcel(overlaps):
    found = overlaps(parcels(FOUR), zones(".xx.\n...."))
    assert found["share"].tolist() == pytest.approx([0.25, 0.25])


def test_codes_are_summed_apart_and_sorted(overlaps):
    assert rows(overlaps, FOUR, "zyyx\nzzzx") == [
        ["a", "y", 100], ["a", "z", 300], ["b", "x", 200], ["b", "y", 100], ["b", "z", 100]
    ]  # fmt: skip


def test_several_zones_of_one_code_add_up(overlaps):
    assert rows(overlaps, FOUR, "x...\n....", "....\n.x..") == [["a", "x", 200]]


def test_a_place_counts_once_for_every_zone_that_covers_it(overlaps):
    """The excess shows that the zones overlap each other; a measure caps it, the table does not hide it."""
    found = overlaps(parcels(FOUR), zones("xxxx\nxxxx", "xx..\nxx..", "yy..\n...."))
    assert found["area_m2"].tolist() == pytest.approx([800, 200, 400])
    assert found["share"].tolist() == pytest.approx([2.0, 0.5, 1.0])


@pytest.mark.parametrize(
    "drawn",
    ["....xx\n....xx", "......\n......\n....xx"[::-1], "xx....\n......\n......"],
    ids=["shared edge", "shared corner", "apart"],
)
def test_what_only_touches_has_no_row(overlaps, drawn: str):
    parcel = "......\n..aa..\n..aa.." if drawn.count("\n") == 2 else "..aa..\n..aa.."
    assert rows(overlaps, parcel, drawn) == []


def test_holes_are_outside(overlaps):
    ring = """
        aaaa
        a..a
        aaaa
    """
    assert rows(overlaps, ring, "....\n.xx.\n....") == []
    assert rows(overlaps, "....\n.aa.\n....", ring.replace("a", "x")) == []
    assert rows(overlaps, ring, "xxxx\nxxxx\nxxxx") == [["a", "x", 1000]]


def test_parcels_of_several_parts(overlaps):
    assert rows(overlaps, "a..a\n....", "x...\nx..x") == [["a", "x", 100]]


def test_parcels_may_overlap_each_other(overlaps):
    """Overlapping parcels are a finding of the check, not of the table: each gets its own row."""
    twice = gpd.GeoDataFrame({"parcel_id": ["b", "a"]}, geometry=[parcels("aa").geometry[0]] * 2, crs=4548)
    assert overlaps(twice, zones("xx"))[["parcel_id", "area_m2"]].to_numpy().tolist() == [
        ["a", 200],
        ["b", 200],
    ]


@pytest.mark.parametrize(
    ("drawn", "zone"), [("", "xx"), ("aa", ""), ("", "")], ids=["no parcels", "no zones", "neither"]
)
def test_nothing_meets_nothing(overlaps, drawn: str, zone: str):
    assert rows(overlaps, drawn, *([zone] if zone else [])) == []


def test_missing_and_empty_zones_meet_nothing(overlaps):
    empty = gpd.GeoDataFrame({"code": ["e", "m"]}, geometry=[shapely.Polygon(), None], crs=4548)
    assert overlaps(parcels("aa"), empty).empty


def test_noise_between_boundaries_that_are_meant_to_be_one_has_no_row(overlaps):
    beside = zones("..xx").assign(geometry=lambda frame: frame.translate(xoff=-1e-9))
    assert overlaps(parcels("aa.."), beside).empty


def test_a_sliver_wide_enough_to_see_has_one(overlaps):
    beside = zones("..xx").assign(geometry=lambda frame: frame.translate(xoff=-0.001))
    assert overlaps(parcels("aa.."), beside)["area_m2"].tolist() == pytest.approx([0.01], rel=1e-6)
