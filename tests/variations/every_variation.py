"""Every variation at the sizes and seeds that `make test-variations` names; not among the ordinary tests."""

from __future__ import annotations

import os

import pytest

from variations.catalogue import VARIATIONS
from variations.judged import judge
from variations.known import KNOWN_DIFFERENCES

PARCELS = [int(text) for text in os.environ.get("PARCELS", "400").split(",")]
SEEDS = [int(text) for text in os.environ.get("SEEDS", "1,2,3").split(",")]


def _case(variation):
    reason = KNOWN_DIFFERENCES.get(variation.name)
    marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
    return pytest.param(variation, marks=marks, id=variation.name)


@pytest.mark.parametrize("variation", [_case(variation) for variation in VARIATIONS])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("parcels", PARCELS)
def test_a_variation_changes_what_it_says(districts, new_database, tmp_path, parcels, seed, variation):
    judge(variation, *districts(parcels, seed), tmp_path, new_database)
