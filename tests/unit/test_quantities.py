"""Units: what can be compared, and what a value is in another unit."""

import pytest

from lowland_gis.quantities import UNITS, comparable, converted, product, same_dimension


@pytest.mark.parametrize(
    ("value", "unit", "into", "found"),
    [
        (1, "公顷", "亩", 15), (1, "km²", "公顷", 100), (666.6666666667, "m²", "亩", 1), (1, "亿元", "万元", 1e4),
        (1, "亿元/km²", "万元/亩", 20 / 3), (1, "万元/亩", "元/m²", 15), (24, "month", "year", 2), (50, "%", "share", 0.5), (1, "万元/公顷", "元/m²", 1),
    ],
)  # fmt: skip
def test_a_value_in_another_unit(value, unit, into, found):
    assert converted(value, unit, into) == pytest.approx(found)
    assert converted(converted(value, unit, into), into, unit) == pytest.approx(value)


def test_a_value_in_its_own_unit_stays_to_the_bit():
    assert all(converted(0.1 + 0.2, unit, unit) == 0.1 + 0.2 for unit in UNITS)


def test_what_cannot_be_compared():
    assert not same_dimension("calendar year", "year")
    assert not same_dimension("share", "yes/no")
    assert comparable("亩") == ["m²", "亩", "公顷", "km²"]


def test_products():
    assert product(["亩", "万元/亩"]) == product(["万元"])
    assert product(["share", "ratio", "%"]) == product([])
    assert product(["亩", "亩"]) != product(["亩"])
