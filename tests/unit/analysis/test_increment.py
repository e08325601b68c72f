"""Base of the year before + increment = base of the year: what matches says nothing, each thing that does not is told with its place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

from lowland_gis.analysis.increment import Checked, Polygons, check_increment, lineage

# A: field, half of it becomes works (B); C goes up in D; E turns from pond to field.
BEFORE = (
    ("A", "0102", 0, 10),
    ("C", "0301", 10, 14),
    ("D", "0301", 14, 20),
    ("E", "1104", 20, 30),
    ("F", "0201", 30, 40),
)
NOW = (
    ("A", "0102", 0, 5),
    ("B", "0601", 5, 10),
    ("D", "0301", 10, 20),
    ("E", "0102", 20, 30),
    ("F", "0201", 30, 40),
)
PROCESS = (
    ("A", "A", "2", 50.0, "0102", "0102"), ("A", "B", "3", 50.0, "0102", "0601"), ("C", "D", "0", 40.0, "0301", "0301"),
    ("D", "D", "2", 60.0, "0301", "0301"), ("E", "E", "1", 100.0, "1104", "0102"),
)  # fmt: skip


def polygons(*rows: tuple[str, str, int, int]) -> Polygons:
    shapes = np.array([shapely.box(west, 0, east, 10) for _, _, west, east in rows], dtype=object)
    frame = pd.DataFrame(
        {"BSM": [row[0] for row in rows], "DLBM": [row[1] for row in rows], "TBMJ": shapely.area(shapes)}
    )
    return Polygons(frame, shapes)


def process(*rows: tuple[str, str, str, float, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["BGQTBBSM", "BGHTBBSM", "BGXW", "TBBGMJ", "BGQDLBM", "BGHDLBM"])
    return frame.assign(XZQTZLX="0")


def changed() -> Polygons:
    return polygons(*(row for row in NOW if row[0] != "F"))


def checked(before=BEFORE, now=NOW, gx: Polygons | None = None, gc: pd.DataFrame | None = None) -> Checked:
    return check_increment(
        polygons(*before), polygons(*now), gx or changed(), process(*PROCESS) if gc is None else gc
    )


def rules(found: Checked) -> dict[str, list[str]]:
    return found.issues.groupby("rule")["bsm"].agg(list).to_dict()


def test_what_matches_says_nothing_and_the_areas_close():
    found = checked()
    assert found.issues.empty
    assert (found.balance.before_m2, found.balance.now_m2, found.balance.changed_m2) == (400.0, 400.0, 300.0)
    assert found.balance.residual_m2 == 0.0


def test_the_lineage_is_the_pairs_of_the_process_layer():
    found = lineage(process(*PROCESS))
    assert list(zip(found["before"], found["after"], found["behaviour"], strict=True)) == [
        ("A", "A", "2"), ("A", "B", "3"), ("C", "D", "0"), ("D", "D", "2"), ("E", "E", "1")
    ]  # fmt: skip


def test_land_of_other_counties_has_one_side_only():
    rows = process(("X", "Y", "3", 7.0, "", "0102"), ("A", "000000", "0", 3.0, "0102", "")).assign(
        XZQTZLX=["1", "2"]
    )
    found = lineage(rows)
    assert found[["before", "after", "area_m2"]].to_numpy().tolist() == [["", "Y", 7.0], ["A", "", 3.0]]


def test_land_that_came_is_part_of_the_balance():
    now = (*NOW, ("G", "0102", 40, 50))
    gx = polygons(*(row for row in now if row[0] != "F"))
    gc = pd.concat(
        [process(*PROCESS), process(("", "G", "3", 100.0, "", "0102")).assign(XZQTZLX="1")], ignore_index=True
    )
    found = check_increment(polygons(*BEFORE), polygons(*now), gx, gc)
    assert found.issues.empty
    assert (found.balance.came_m2, found.balance.residual_m2) == (100.0, 0.0)


@pytest.mark.parametrize(
    ("spoil", "rule", "numbers"),
    [
        (lambda: checked(gc=process(*PROCESS[:2], *PROCESS[3:])), "gone_unexplained", ["C"]),
        (lambda: checked(gx=polygons(*(row for row in NOW if row[0] not in "BF"))), "came_unexplained", ["B"]),
        (lambda: checked(gx=polygons(*(row for row in NOW if row[0] not in "EF"))), "silent_change", ["E"]),
        (lambda: checked(now=(*NOW[:4], ("F", "0601", 30, 40))), "silent_change", ["F"]),
        (lambda: checked(now=(*NOW[:3], ("E", "0103", 20, 30), NOW[4])), "differs_from_base", ["E"]),
        (lambda: checked(gx=polygons(*NOW[:4], ("Z", "0102", 50, 60))), "changed_not_in_base", ["Z"]),
        (lambda: checked(gx=polygons(*NOW)), "no_process", ["F"]),
        (lambda: checked(gc=process(*PROCESS, ("Q", "E", "0", 0.0, "", ""))), "unknown_before", ["Q"]),
        (lambda: checked(gc=process(*PROCESS, ("A", "Q", "3", 0.0, "", "1"))), "unknown_after", ["Q"]),
        (lambda: checked(gc=process(("A", "A", "2", 49.99, "0102", "0102"), *PROCESS[1:])), "before_area", ["A"]),
        (lambda: checked(gc=process(("A", "A", "2", 50.01, "0102", "0102"), *PROCESS[1:])), "after_area", ["A"]),
        (lambda: checked(gc=process(*PROCESS[:4], ("E", "E", "1", 100.0, "0102", "0102"))), "behaviour", ["E"]),
        (lambda: checked(gc=process(*PROCESS[:1], ("A", "B", "7", 50.0, "0102", "0601"), *PROCESS[2:])), "behaviour", ["B"]),
        (lambda: checked(gc=process(("A", "A", "3", 50.0, "0102", "0102"), *PROCESS[1:])), "behaviour", ["A"]),
        (lambda: checked(gc=process(*PROCESS[:2], ("C", "C", "0", 40.0, "0301", "0301"), *PROCESS[3:])), "behaviour", ["C"]),
        (lambda: checked(now=(*NOW[:4], ("F", "0201", 30, 39))), "balance", [""]),
    ],
)  # fmt: skip
def test_what_does_not_match_is_told(spoil, rule, numbers):
    found = spoil()
    assert rules(found)[rule] == numbers
    places = found.issues[found.issues["rule"] == rule]["place"]
    # The sum of everything has no place, and a polygon that no base holds has none either.
    assert places.notna().all() or rule == "balance" or numbers == ["Q"]


def test_a_moved_outline_of_the_same_area_is_no_silence():
    moved = polygons(*NOW)
    shapes = moved.shapes.copy()
    shapes[4] = shapely.box(30, 0, 40, 9).union(shapely.box(40, 0, 41, 10))
    found = check_increment(polygons(*BEFORE), replace(moved, shapes=shapes), changed(), process(*PROCESS))
    assert rules(found) == {"silent_change": ["F"]}
    assert shapely.within(found.issues["place"].item(), shapes[4])


def test_a_hundredth_of_a_square_metre_is_told_and_less_is_not():
    for more, told in ((0.01, {"after_area", "before_area"}), (0.004, set())):
        rows = [(*PROCESS[0][:3], 50.0 + more, *PROCESS[0][4:]), *PROCESS[1:]]
        assert set(rules(checked(gc=process(*rows)))) == told


def test_what_was_never_there_lies_where_it_is_said_to_have_gone():
    found = checked(gc=process(*PROCESS, ("Q", "E", "0", 0.0, "", "")))
    place = found.issues.loc[found.issues["rule"] == "unknown_before", "place"].item()
    assert shapely.box(20, 0, 30, 10).contains(place)


def reshaped(shape) -> Checked:
    """What is told where F has another outline in the base of the year, and the area that is stated is as it was."""
    moved = polygons(*NOW)
    shapes = moved.shapes.copy()
    shapes[4] = shape
    return check_increment(polygons(*BEFORE), replace(moved, shapes=shapes), changed(), process(*PROCESS))


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (shapely.box(30, 0, 40.0005, 10), {}),
        (shapely.box(30, 0, 39.9995, 10), {}),
        # Larger, smaller, with a hole, and not there: each on the side where only one of both has it.
        (shapely.box(30, 0, 41, 10), {"silent_change": ["F"]}),
        (shapely.box(30, 0, 39, 10), {"silent_change": ["F"]}),
        (shapely.box(30, 0, 40, 10).difference(shapely.box(34, 4, 35, 5)), {"silent_change": ["F"]}),
        (None, {"silent_change": ["F"]}),
    ],
)
def test_outlines_are_others_by_more_ground_than_an_area_can_state(shape, told):
    assert rules(reshaped(shape)) == told


def test_a_stated_area_that_differs_by_a_hundredth_is_told():
    gx = changed()
    for more, told in ((0.01, {"differs_from_base": ["E"], "after_area": ["E"]}), (0.004, {})):
        rows = gx.rows.assign(TBMJ=gx.rows["TBMJ"] + np.where(gx.rows["BSM"] == "E", more, 0.0))
        assert rules(checked(gx=replace(gx, rows=rows))) == told


def test_land_that_came_to_a_polygon_which_was_there_is_no_new_number():
    now = (*NOW[:4], ("F", "0201", 30, 41))
    gx = polygons(*now)
    rows = process(*PROCESS, ("F", "F", "2", 100.0, "0201", "0201"), ("", "F", "3", 10.0, "", "0201"))
    rows = rows.assign(XZQTZLX=["0"] * (len(rows) - 1) + ["1"])
    assert rules(check_increment(polygons(*BEFORE), polygons(*now), gx, rows)) == {}


def test_a_piece_of_which_only_a_line_moved_is_unchanged():
    gx = polygons(*NOW)
    assert rules(checked(gx=gx, gc=process(*PROCESS, ("F", "F", "4", 100.0, "0201", "0201")))) == {}
