"""Verdicts beside a planted truth: the share that agrees, and a reason for each that does not."""

from __future__ import annotations

import pandas as pd
import pytest

from lowland_gis.sample.agreement import Agreement, compare

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
