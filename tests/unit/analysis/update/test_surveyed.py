"""What the survey increment says, held against outlines and surveys: from where on a disagreement is told, and which one it is."""

import pytest

from lowland_gis.analysis.update.limits import Tolerance
from lowland_gis.analysis.update.surveyed import (
    APART,
    AREA,
    CLASSES,
    NOT_SHOWN,
    Pair,
    Seen,
    pair_doubts,
    parcel_doubts,
)

# A square metre, and a hundredth of what is more than a hundred.
LIMIT = Tolerance(1.0, 0.01)
FIELD, POND = ("0103", "0601"), ("1104", "0103")


@pytest.mark.parametrize(
    ("stated", "shared", "rule"),
    [
        (50.0, 51.0, None),
        (50.0, 51.1, AREA),
        (51.1, 50.0, AREA),
        # Of large areas it is the share, of the larger of both.
        (1_000.0, 1_010.05, None),
        (1_010.05, 1_000.0, None),
        (1_000.0, 1_010.5, AREA),
        (60.0, 1.0, APART),
        # Nothing is stated where outlines share much: that is another area, and not that they do not meet.
        (0.5, 60.0, AREA),
        (0.5, 0.0, None),
    ],
)
def test_pairs_are_doubtful_beyond_the_tolerance(stated, shared, rule):
    found = list(pair_doubts([Pair("A", "B", stated, shared)], LIMIT))
    assert [doubt.rule for doubt in found] == ([rule] if rule else [])
    for doubt in found:
        assert (doubt.at, doubt.said_m2, doubt.shown_m2) == (("A", "B"), stated, shared)


@pytest.mark.parametrize(
    ("said", "shown", "needed", "told"),
    [
        ({FIELD: 80.0}, {FIELD: 81.0}, False, []),
        ({FIELD: 80.0}, {FIELD: 90.5}, False, [(CLASSES, FIELD)]),
        ({FIELD: 90.5}, {FIELD: 80.0}, False, [(CLASSES, FIELD)]),
        # What only one of both has.
        ({FIELD: 80.0}, {POND: 80.0}, False, [(CLASSES, FIELD), (CLASSES, POND)]),
        ({}, {POND: 80.0}, True, [(CLASSES, POND)]),
        ({POND: 80.0}, {}, True, [(CLASSES, POND)]),
        # Nothing worth a word is shown there: told of those only that came or went.
        ({}, {}, False, []),
        ({}, {}, True, [(NOT_SHOWN, ("", ""))]),
        ({FIELD: 5.0}, {FIELD: 5.0}, True, [(NOT_SHOWN, ("", ""))]),
        ({}, {FIELD: 11.0}, True, [(CLASSES, FIELD)]),
    ],
)
def test_parcels_are_doubtful_beyond_the_tolerance(said, shown, needed, told):
    found = list(parcel_doubts([Seen("P", 1_000.0, said, shown, needed)], LIMIT))
    assert [(doubt.rule, doubt.classes) for doubt in found] == told
    assert all(doubt.at == ("P", "") for doubt in found)


def test_a_tolerance_is_the_greater_of_both():
    assert [LIMIT.of(area) for area in (0.0, 50.0, 100.0, 5_000.0)] == [1.0, 1.0, 1.0, 50.0]
