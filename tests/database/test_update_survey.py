"""The survey increment of an update, drawn by hand: where it, both surveys and the parcels disagree, that is a doubt with its place."""

import pandas as pd
import pytest

from lowland_gis.analysis.update.surveyed import APART, AREA, CLASSES, NOT_SHOWN
from two_years import TRUTH, District, box, cell, code, named

FIELD, WORKS = "0103", "0601"
NUMBER = "120113000000000{:03}".format
# Parcel 8 is new on what was a field; parcels 7 and 17 went, and their land is field by now.
TURNED = {8: (FIELD, WORKS), 7: (WORKS, FIELD), 17: (WORKS, FIELD)}


@pytest.fixture
def district(project):
    return District(project)


def survey(side):
    """The survey of a year: number and class of the polygons under three parcels, and of one that covers the rest."""
    rows = {NUMBER(n): classes[side] for n, classes in TURNED.items()} | {NUMBER(99): "1006"}
    shapes = [cell(n) for n in TURNED] + [box(0, -90, 500, 80)]
    return pd.DataFrame(
        {"BSM": list(rows), "DLBM": list(rows.values()), "TBMJ": [s.area for s in shapes]}
    ), shapes


def process():
    """The process layer: each of the three has turned as a whole."""
    numbers = [NUMBER(n) for n in TURNED]
    was, now = zip(*TURNED.values(), strict=True)
    rows = {
        "BSM": [NUMBER(n + 500) for n in TURNED], "BGXW": "1", "XZQTZLX": "0", "TBBGMJ": 10_000.0, "GXSJ": "2024-12-31",
        "BGQTBBSM": numbers, "BGHTBBSM": numbers, "BGQDLBM": was, "BGHDLBM": now,
    }  # fmt: skip
    return [pd.DataFrame(rows), [cell(n) for n in TURNED]]


def compared(district, pieces, now):
    """Both years with a survey each and an increment; what the comparison finds."""
    district._ingest("dltb_annual", *survey(0), "2023-12-31")
    district.first_year()
    district._ingest("dltb_annual", *now, "2024-12-31")
    district._ingest("dltb_process", *pieces, "2024-12-31")
    district.second_year()
    district.lowland("update", "open", "2025")
    return district.found()


def kept(district):
    """The doubts as issues: layer, rule, key, and whether the place lies in the record that it is of."""
    return set(
        district.rows(
            "SELECT layer, rule, key, ST_Within(place, coalesce(parcel.geom, piece.geom)) FROM land.issue"
            " JOIN land.layer_version USING (version_id) LEFT JOIN land.parcel ON (parcel.version_id, parcel.row_no) = (issue.version_id, issue.row_no)"
            " LEFT JOIN (SELECT version_id, row_no, geom FROM land.feature) piece"
            " ON (piece.version_id, piece.row_no) = (issue.version_id, issue.row_no) WHERE rule LIKE 'lineage%%'"
        )
    )


def test_an_increment_that_fits_leaves_no_doubt(district):
    found = compared(district, process(), survey(1))
    assert named(found["changes"]) == TRUTH
    assert found["doubts"] == []
    assert "doubts" not in district.lowland("update", "diff")


def half_stated(pieces, now):
    pieces[0].loc[0, "TBBGMJ"] = 5_000.0
    return {("dltb_process", AREA, NUMBER(508))}, ["5,000.00", "9,999.9"]


def named_another(pieces, now):
    pieces[0].loc[0, "BGHTBBSM"] = NUMBER(17)
    return {("dltb_process", APART, NUMBER(508))}, [NUMBER(8), NUMBER(17)]


def half_drawn(pieces, now):
    pieces[1][0] = box(200, 100, 50, 100)
    return {("parcel", CLASSES, code(8))}, [f"{FIELD} → {WORKS}"]


def other_class(pieces, now):
    pieces[0].loc[1, "BGHDLBM"] = "0201"
    return {("parcel", CLASSES, code(7))}, [f"{WORKS} → {FIELD}", f"{WORKS} → 0201"]


def left_out(pieces, now):
    pieces[0] = pieces[0].drop(index=1)
    del pieces[1][1]
    return {("parcel", CLASSES, code(7))}, [f"{WORKS} → {FIELD}"]


def nothing_there(pieces, now):
    left_out(pieces, now)
    now[0].loc[1, "DLBM"] = WORKS
    return {("parcel", NOT_SHOWN, code(7))}, [code(7)]


@pytest.mark.parametrize(
    "spoil", [half_stated, named_another, half_drawn, other_class, left_out, nothing_there]
)
def test_each_disagreement_is_a_doubt_with_its_place(district, spoil):
    pieces, now = process(), survey(1)
    expected, words = spoil(pieces, now)
    found = compared(district, pieces, now)
    # What is doubted is still told, and the balance closes.
    assert named(found["changes"]) == TRUTH
    assert all(line["residual_m2"] == 0 for line in found["balance"])
    assert {(each["layer"], each["rule"], each["key"]) for each in found["doubts"]} == expected
    assert kept(district) == {(*each, True) for each in expected}
    told = " ".join(each["message"] for each in found["doubts"])
    assert all(word in told for word in words)
    ((layer, _, key),) = expected
    doubts = f"{len(found['doubts'])} doubts (存疑) to be looked at: lowland update diff --doubts"
    assert doubts in district.lowland("update", "diff")
    assert key in district.lowland("update", "diff", "--doubts")
    # A parcel that is gone stands in a delivery that is not in force any more.
    assert (key in district.lowland("layers", "rejects", layer)) == (key != code(7))


def test_an_increment_that_comes_later_is_compared_and_takes_its_doubts_back(district):
    pieces, now = process(), survey(1)
    half_stated(pieces, now)
    compared(district, pieces, now)
    (district.folder / "dltb_process-2024-12-31.gpkg").unlink()
    district._ingest("dltb_process", *process(), "2024-12-31")
    assert "lowland update diff" in district.lowland("update", "close", code=3)
    assert district.found()["doubts"] == []
    assert "is closed" in district.lowland("update", "close")
