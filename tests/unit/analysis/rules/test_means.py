"""Exact means: whatever the order and however the values are parted."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowland_gis.analysis.rules.means import summed, together

NUMBERS = st.lists(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e290, max_value=1e290), min_size=1
)


@given(NUMBERS, st.integers(0, 20))
def test_parts_give_the_mean_of_the_whole_to_the_bit(values: list[float], cut: int):
    whole = summed(np.array(values))
    parts = [summed(np.array(values[cut:])), summed(np.array(values[:cut]))]
    assert together(parts) == whole
    assert whole.mean == together(reversed(parts)).mean


@given(NUMBERS)
def test_the_sum_is_the_nearest_double(values: list[float]):
    found = summed(np.array(values))
    assert found._replace(number=1).mean == math.fsum(values)


def test_the_smallest_numbers_count():
    tiny = 5e-324
    assert summed(np.array([tiny, tiny, 1e-310])).total == 2 + round(1e-310 / tiny)


def test_of_no_values_there_is_no_mean():
    assert math.isnan(summed(np.empty(0)).mean)
    assert summed(np.array([2.0, 4.0])).mean == pytest.approx(3.0)
