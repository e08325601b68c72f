"""Bands: every number within the inputs gives a number within the result."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowland_gis.analysis.potential.bands import UNKNOWN, Band, total

ENDS = st.floats(-1e6, 1e6)
BANDS = st.tuples(ENDS, ENDS).map(lambda ends: Band(min(ends), max(ends)))


@given(BANDS, BANDS, st.floats(0, 1), st.floats(0, 1))
def test_what_lies_in_two_bands_lies_in_the_band_of_their_sum_difference_and_product(one, other, here, there):
    a, b = (
        min(band.high, band.low + place * (band.high - band.low))
        for band, place in ((one, here), (other, there))
    )
    for exact, band in ((a + b, one + other), (a - b, one - other), (a * b, one * other)):
        assert band.low - 1e-3 <= exact <= band.high + 1e-3


@given(st.lists(BANDS, max_size=9), st.randoms())
def test_a_total_does_not_depend_on_the_order(bands, random):
    shuffled = random.sample(bands, len(bands))
    assert total(shuffled) == total(bands)


def test_nothing_is_said_by_an_amount_without_an_end():
    assert not UNKNOWN.known
    assert not Band(-math.inf, math.inf).known
    assert Band(1.0, math.inf).known
    assert Band.of(math.nan) == UNKNOWN


def test_ends_in_the_wrong_order_are_no_band():
    with pytest.raises(ValueError, match="no band"):
        Band(2.0, 1.0)
