"""Towns of the increment against the bases of both years: each break is told under its name, and what fits is not told."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.town_increment import TownPieces, Towns, check_towns

A, B, C = "120113100", "120113101", "120113102"
# A square of a hectare; a strip of one metre along its east side goes over to the next town.
STRIP = shapely.box(99, 0, 100, 100)
WHOLE = {A: shapely.box(0, 0, 100, 100), B: shapely.box(100, 0, 200, 100), C: shapely.box(200, 0, 300, 100)}
MOVED = WHOLE | {A: shapely.box(0, 0, 99, 100), B: shapely.box(99, 0, 200, 100)}
CHANGED = {code: MOVED[code] for code in (A, B)}
KEPT = [(A, A, "0", MOVED[A]), (B, B, "0", WHOLE[B])]


def towns(shapes) -> Towns:
    outlines = np.array(list(shapes.values()), dtype=object)
    return Towns(tuple(shapes), shapely.area(outlines), outlines)


def pieces(*rows) -> TownPieces:
    before, after, moved, shapes = zip(*rows, strict=True)
    return TownPieces(before, after, moved, shapely.area(np.array(shapes, dtype=object)))


def told(before=WHOLE, now=MOVED, changed=CHANGED, went=(*KEPT, (A, B, "0", STRIP))):
    found = check_towns(*map(towns, (before, now, changed)), pieces(*went) if went else None)
    return {(row.rule, row.code) for row in found.itertuples()}


def test_what_fits_is_not_told():
    assert told() == set()
    # A process layer of the strip alone says as much, and none at all leaves nothing open where no land came or went.
    assert told(went=[(A, B, "0", STRIP), (B, B, "0", WHOLE[B]), (A, A, "0", MOVED[A])]) == set()
    assert told(went=None) == set()


def test_a_town_that_changed_and_is_not_said_to():
    assert told(changed={A: MOVED[A]}) == {("silent_change", B)}
    found = check_towns(towns(WHOLE), towns(MOVED), towns({A: MOVED[A]}), None)
    (row,) = found.to_dict("records")
    assert (row["value"], row["limit"]) == (10_000.0, 10_100.0)
    assert MOVED[B].contains(row["place"])


def test_a_town_that_was_moved_and_kept_its_area_is_another_one():
    aside = WHOLE | {C: shapely.box(200, 0.5, 300, 100.5)}
    assert told(before=WHOLE, now=aside, changed={}, went=None) == {("silent_change", C)}


def test_the_layer_of_changes_and_the_base_of_the_year_differ():
    assert told(changed=CHANGED | {A: shapely.box(0, 0, 98.999, 100)}) == {("differs_from_base", A)}


@pytest.mark.parametrize(
    ("by_m", "breaks"), [(0.0001, set()), (0.0002, {("silent_change", C), ("balance", C)})]
)
def test_a_hundredth_of_a_square_metre_is_the_limit(by_m, breaks):
    assert told(now=MOVED | {C: shapely.box(200, 0, 300 - by_m, 100)}) == breaks


def test_a_town_that_came_or_is_gone_without_a_word():
    fewer = {code: WHOLE[code] for code in (A, B)}
    assert told(before=fewer, now=WHOLE, changed={}, went=None) == {("came_unexplained", C), ("balance", "")}
    assert told(before=WHOLE, now=fewer, changed={}, went=None) == {("gone_unexplained", C), ("balance", "")}
    # A town that went up in another, as the process layer says.
    one = {A: WHOLE[A], B: shapely.union(WHOLE[B], WHOLE[C])}
    went = [(B, B, "0", WHOLE[B]), (C, B, "0", WHOLE[C])]
    assert told(before=WHOLE, now=one, changed={B: one[B]}, went=went) == set()
    assert told(before=WHOLE, now=one, changed={B: one[B]}, went=None) == {("gone_unexplained", C)}


def test_what_no_base_has():
    assert told(changed=CHANGED | {"120113109": STRIP}) == {
        ("changed_not_in_base", "120113109"),
        ("no_process", "120113109"),
    }
    assert ("unknown_before", "120113108") in told(went=[*KEPT, ("120113108", B, "0", STRIP)])
    assert ("unknown_after", "120113108") in told(went=[*KEPT, (A, "120113108", "0", STRIP)])


def test_a_piece_that_is_left_out_is_a_break_of_both_towns():
    assert told(went=KEPT) == {("balance", A), ("balance", B)}
    found = check_towns(towns(WHOLE), towns(MOVED), towns(CHANGED), pieces(*KEPT))
    assert found[["value", "limit"]].values.tolist() == [[9_900.0, 10_000.0], [10_100.0, 10_000.0]]
    # Said the other way round, the land of twice the strip is missing.
    assert told(went=[*KEPT, (B, A, "0", STRIP)]) == {("balance", A), ("balance", B)}


def test_land_of_another_county_comes_and_goes():
    grown = WHOLE | {C: shapely.box(200, 0, 301, 100)}
    came = [(C, C, "0", WHOLE[C]), ("120114100", C, "1", shapely.box(300, 0, 301, 100))]
    assert told(now=grown, changed={C: grown[C]}, went=came) == set()
    assert (
        told(before=grown, now=WHOLE, changed={C: WHOLE[C]}, went=[came[0], (C, "", "2", came[1][3])])
        == set()
    )
    # Land that was lost at the coast: the code after is zeros.
    lost = [came[0], (C, "000000000000", "4", came[1][3])]
    assert told(before=grown, now=WHOLE, changed={C: WHOLE[C]}, went=lost) == set()
    assert told(now=grown, changed={C: grown[C]}, went=None) == {("balance", "")}


def test_codes_that_are_filled_up_and_towns_of_several_outlines():
    apart = Towns((A, B, B, C), np.array([1e4, 4e3, 6e3, 1e4]), np.array([WHOLE[A], shapely.box(100, 0, 140, 100), shapely.box(140, 0, 200, 100), WHOLE[C]]))  # fmt: skip
    filled = towns({f"{code}000": shape for code, shape in MOVED.items()})
    found = check_towns(apart, filled, towns(CHANGED), pieces(*KEPT, (f"{A}000", f"{B}000", "0", STRIP)))
    assert found.empty, found["message"].tolist()


def test_a_hole_in_a_town_is_no_land_of_it():
    holed = WHOLE | {C: shapely.difference(WHOLE[C], shapely.box(240, 40, 250, 50))}
    assert told(now=holed, changed={}, went=None) == {("silent_change", C), ("balance", "")}


def test_a_town_of_several_outlines_is_the_ground_of_all_of_them():
    halves = np.array([*MOVED.values()][:2] + [shapely.box(200, 0, 250, 100), shapely.box(250, 0, 300, 100)])
    apart = Towns((A, B, C, C), shapely.area(halves), halves)
    assert check_towns(towns(WHOLE), apart, towns(CHANGED), None).empty


def test_ground_on_both_sides_of_an_outline_counts():
    # 0.0075 m² on either side: no area differs, and more than a hundredth lies in one of both only.
    aside = WHOLE | {C: shapely.box(200, 0.000075, 300, 100.000075)}
    assert told(now=aside, changed={}, went=None) == {("silent_change", C)}
