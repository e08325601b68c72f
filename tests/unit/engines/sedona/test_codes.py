"""Classes have the numbers that the local engine gives them."""

import numpy as np
import pyarrow as pa
import pytest

from lowland_gis.analysis.overlay.tabulate import class_numbers
from lowland_gis.engines.sedona.codes import numbered_codes


@pytest.mark.parametrize("values", [["b", "a"], ["b", None, "a"], [None, "", "a"], [None], ["", "z"], []])
def test_codes_are_numbered_as_the_local_engine_does(values):
    codes, numbers, called = numbered_codes(pa.array(values, pa.string()))
    expected, names = class_numbers(np.array([*values, None], dtype=object)[:-1])
    found = dict(zip(codes.to_pylist(), numbers.to_pylist(), strict=True))
    assert [found[value] for value in values] == expected.tolist()
    assert called.to_pylist() == names.tolist()


def test_codes_that_are_numbers_are_sorted_as_numbers():
    codes, numbers, called = numbered_codes(pa.array([10, 9]))
    assert (codes.to_pylist(), numbers.to_pylist(), called.to_pylist()) == ([9, 10], [0, 1], [9, 10])
