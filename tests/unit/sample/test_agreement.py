"""Verdicts beside a planted truth: the share that agrees, and a reason for each that does not."""

from __future__ import annotations

import pandas as pd
import pytest

from lowland_gis.sample.agreement import Agreement, compare, compare_changes

NO_ISSUES = pd.DataFrame({"parcel_id": [], "message": []}, dtype=str)


def truth(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["parcel_id", "kind", "note"]).assign(spoilt="")


def verdicts(*rows: tuple[str, str, str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["parcel_id", "answer", "doubt", "rule"])


def reason(found: Agreement) -> str:
    return found.differences["reason"].item()


def test_all_agree():
    found = compare(truth(("P1", "none", ""), ("P2", "town", "")), verdicts(("P1", "none", None, None), ("P2", "town", None, "r")), NO_ISSUES)  # fmt: skip
    assert (found.share, found.n_planted, len(found.differences)) == (1.0, 2, 0)


def test_a_difference_names_what_was_planted_found_and_the_rule():
    found = compare(truth(("P1", "none", ""), ("P2", "town", "面积写错")), verdicts(("P1", "none", None, None), ("P2", "village", None, "village_hollow")), NO_ISSUES)  # fmt: skip
    assert found.share == 0.5
    assert found.differences.to_dict("records") == [
        {
            "parcel_id": "P2",
            "planted": "town",
            "found": "village",
            "reason": "面积写错; decided by village_hollow",
        }
    ]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (("P1", "open", "亩均税收", None), "unknown: 亩均税收"),
        (("P1", "none", None, None), "decided by no rule"),
        (("P2", "none", None, None), "no verdict, and no issue says why"),
    ],
)
def test_reasons(verdict: tuple[str, str, str | None, str | None], words: str):
    found = compare(truth(("P1", "town", "")), verdicts(verdict), NO_ISSUES)
    assert reason(found) == words


def test_a_parcel_that_was_set_aside_says_so():
    issues = pd.DataFrame({"parcel_id": ["P1", "P1"], "message": ["no geometry", "second"]})
    found = compare(truth(("P1", "town", "")), verdicts(), issues)
    assert found.differences["found"].tolist() == ["not loaded"]
    assert reason(found) == "set aside at ingest: no geometry"


def test_nothing_planted():
    assert compare(truth(), verdicts(), NO_ISSUES).share == 1.0


def changes(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["change", "before", "after", "cause"])


SPLIT, GONE = ("split", "P1", "P2;P3", "subdivided"), ("removed", "P4", "", "survey_increment")


def test_changes_that_were_planted_and_found_agree():
    found = compare_changes(changes(SPLIT, GONE).assign(layer="parcel"), changes(GONE, SPLIT))
    assert (found.share, found.n_planted, len(found.differences)) == (1.0, 2, 0)


def test_only_parcels_are_judged():
    truth = changes(SPLIT, ("added", "", "F1", "new_construction")).assign(layer=["parcel", "building"])
    found = compare_changes(truth, changes(SPLIT))
    assert (found.share, found.n_planted) == (1.0, 1)


@pytest.mark.parametrize(
    ("found", "reason", "share"),
    [
        ((SPLIT,), "not found", 0.5),
        ((SPLIT, GONE, ("added", "", "P9", "survey_increment")), "not planted", 2 / 3),
        ((SPLIT, (*GONE[:3], "demolished")), "another cause", 0.5),
    ],
)
def test_each_difference_of_changes_is_told(found, reason: str, share: float):
    done = compare_changes(changes(SPLIT, GONE).assign(layer="parcel"), changes(*found))
    assert done.share == pytest.approx(share)
    assert done.differences["reason"].tolist() == [reason]


def test_no_changes_at_all_agree():
    assert compare_changes(changes().assign(layer=""), changes()).share == 1.0
