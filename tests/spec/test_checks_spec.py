"""What the checks of topology mean, drawn: a letter is a polygon, a cell is 10 m by 10 m; what is found, of whom, how large, and where."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import shapely

from ascii_maps import shapes
from lowland_gis.analysis.quality import topology, towns

LEAST = {"min_area_m2": 0.01}


def layer(*maps: str) -> tuple[str, np.ndarray]:
    """Return the letters of the maps, one after the other, and their polygons; maps lie on each other."""
    drawn = [(letter, shape) for text in maps for letter, shape in shapes(text).items()]
    return "".join(letter for letter, _ in drawn), np.array([shape for _, shape in drawn], dtype=object)


def coverage_found(
    check: Callable[..., pd.DataFrame], *maps: str, boundary: str | None = None
) -> list[tuple[str, float]]:
    """Return whom a check of a coverage names, and the value."""
    letters, drawn = layer(*maps)
    around = () if boundary is None else (shapes(boundary)["B"],)
    return said(letters, check(topology.coverage(drawn), *around, **LEAST))


def said(letters: str, found: pd.DataFrame) -> list[tuple[str, float]]:
    """Return the letters of each finding, and its value; the place of a finding is as large as its value says, where that is an area."""
    named = [
        letters[row] + (letters[other] if other != topology.NONE else "")
        for row, other in zip(found["row"], found["other"], strict=True)
    ]
    return sorted(zip(named, found["value"].round(6).tolist(), strict=True))


CLEAN = """
    aabb
    accb
"""


@pytest.mark.parametrize("check", [topology.overlaps, topology.gaps])
def test_neighbours_that_share_their_edges_have_no_finding(check):
    assert coverage_found(check, CLEAN) == []


def test_two_that_share_ground_overlap_by_it():
    assert coverage_found(topology.overlaps, "aaa.\naaa.", "..bb\n....") == [("ab", 100)]


def test_three_on_one_place_are_three_pairs():
    assert coverage_found(topology.overlaps, "aa..", ".bb.", ".c..") == [
        ("ab", 100),
        ("ac", 100),
        ("bc", 100),
    ]


def test_the_same_outline_twice_is_a_duplicate_and_no_overlap():
    maps = "aa..", "bb.."
    assert coverage_found(topology.overlaps, *maps) == []
    letters, drawn = layer(*maps)
    assert said(letters, topology.duplicates(topology.coverage(drawn))) == [("ab", 200)]


def test_a_hole_between_neighbours_is_a_gap():
    assert coverage_found(
        topology.gaps,
        """
        aaab
        a..b
        cccc
        """,
    ) == [("ab", 200)]


def test_what_is_open_to_the_outside_is_no_gap():
    assert (
        coverage_found(
            topology.gaps,
            """
            aaab
            a...
            cccc
            """,
        )
        == []
    )


def test_a_lake_with_an_island_is_a_gap_less_the_island():
    assert coverage_found(
        topology.gaps,
        """
        aaaaa
        a...a
        a.i.a
        a...a
        aaaaa
        """,
    ) == [("ai", 800)]


DISTRICT = """
    BBBB
    BBBB
"""


def test_what_the_layer_leaves_open_of_the_district_is_uncovered():
    assert coverage_found(topology.uncovered, "aabb\naab.", boundary=DISTRICT) == [("b", 100)]


def test_two_open_places_are_two_findings():
    assert coverage_found(topology.uncovered, ".abb\naab.", boundary=DISTRICT) == [("a", 100), ("b", 100)]


def test_a_gap_is_not_told_again_as_uncovered():
    district = "BBBB\nBBBB\nBBBB"
    assert coverage_found(topology.uncovered, "aaab\na..b\ncccc", boundary=district) == []


def test_what_lies_beyond_the_district_is_outside():
    assert coverage_found(topology.outside, "aabb.c\naabbcc", boundary="BBBB..\nBBBB..") == [("c", 300)]


def test_a_polygon_half_inside_is_outside_by_its_half():
    assert coverage_found(topology.outside, "aaa\n...", boundary="BB.\nBB.") == [("a", 100)]


def rows_found(found: pd.DataFrame, letters: str) -> list[tuple[str, float]]:
    return said(letters, found)


SCATTERED = """
    aa.b
    aa..
    ...b
"""


def test_a_row_of_several_parts():
    letters, drawn = layer(SCATTERED)
    assert rows_found(topology.multiparts(drawn), letters) == [("b", 2)]


def test_every_part_below_an_area_is_told():
    letters, drawn = layer(SCATTERED)
    assert rows_found(topology.small_parts(drawn, min_area_m2=101), letters) == [("b", 100), ("b", 100)]


def test_a_part_that_is_exactly_as_large_as_the_limit_is_not_small():
    letters, drawn = layer(SCATTERED)
    assert rows_found(topology.small_parts(drawn, min_area_m2=100), letters) == []


def test_a_row_is_small_by_all_of_its_parts_together():
    letters, drawn = layer(SCATTERED)
    assert rows_found(topology.small_rows(drawn, np.array([400.0, 201.0])), letters) == [("b", 200)]
    assert rows_found(topology.small_rows(drawn, np.array([np.nan, 200.0])), letters) == []


def test_a_strip_is_narrow_by_twice_its_area_over_its_outline():
    """10 m wide and 60 m long: 2 · 600 / 140 m."""
    letters, drawn = layer("aa....\nbbbbbb")
    assert rows_found(topology.narrow_parts(drawn, min_width_m=9), letters) == [
        ("a", round(2 * 200 / 60, 6)),
        ("b", round(2 * 600 / 140, 6)),
    ]


def test_holes_of_a_row():
    letters, drawn = layer("aaaaa\na.a.a\naaaaa")
    assert rows_found(topology.holed(drawn), letters) == [("a", 100), ("a", 100)]


PLACES = """
    ppqqq
    ppqqq
"""
TOWNS = """
    XXXYY
    XXXYY
"""


def in_towns(share: float) -> list[tuple[str, float]]:
    letters, parcels = layer(PLACES)
    names, drawn = layer(TOWNS)
    found = towns.astride(parcels, drawn, np.array(list(names), dtype=object), claim_min=share)
    return said(letters, found)


def test_a_parcel_that_two_towns_claim_is_astride_by_what_the_smaller_holds():
    assert in_towns(0.1) == [("q", round(1 / 3, 6))]


def test_a_town_that_holds_less_than_a_claim_claims_nothing():
    assert in_towns(0.34) == []


def test_a_code_that_names_another_town_than_the_one_it_lies_in_is_misplaced():
    letters, parcels = layer("pqr")
    names, drawn = layer("XXY")
    codes = np.array([{"X": "120113100", "Y": "120113101"}[name] for name in names], dtype=object)
    values = pd.DataFrame({"ZDDM": ["120113100GB1", "120113101GB2", "120113999GB3"]})
    found = towns.misplaced(values, "ZDDM", parcels, drawn, codes, digits=9, claim_min=0.1)
    assert [letters[row] for row in found["row"]] == ["q"]
    assert shapely.area(drawn).tolist() == [200, 100]
