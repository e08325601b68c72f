"""The update of a year by commands, on a small district that is drawn by hand: two states whose changes are known."""

import pytest

from two_years import TRUTH, District, named


@pytest.fixture
def district(project):
    return District(project)


def test_every_change_is_found_with_its_cause_and_none_is_invented(district):
    district.first_year()
    district.second_year()
    said = district.lowland("update", "open", "2025")
    assert "4 entries were filed" in said
    found = district.found()
    assert named(found["changes"]) == TRUTH
    assert all(line["residual_m2"] == 0 for line in found["balance"])
    assert found["doubts"] == []
