"""The balance of money, by hand."""

import math

import pytest

from lowland_gis.analysis.potential.gain import gain
from lowland_gis.analysis.potential.money import balances
from redeveloped import FACTORY, HOUSE, SHOPS, parameters

GIVEN = parameters()


def near(band, low, high):
    return (band.low, band.high) == (pytest.approx(low), pytest.approx(high))


def test_both_ways_of_a_factory_by_hand():
    """9 亩, of which 7.5 are sold and 1.5 are a road; half to all of it is redeveloped."""
    reserve, owner = balances([gain(FACTORY, GIVEN), gain(HOUSE, GIVEN)], GIVEN)
    cost, building, sale = reserve.lines
    assert near(cost.band, -540, -135)
    assert near(building.band, -22.5, -11.25)
    assert near(sale.band, 337.5, 675)
    # The same share of land is bought, built on and sold: 675 - 540 - 22.5 at half of it, 675 - 270 - 22.5 at all.
    assert near(reserve.left, 56.25, 382.5)
    assert near(owner.lines[1].band, 22.5, 135)
    assert near(owner.left, 0, 123.75)
    assert all(line.lacks == () for line in (*reserve.lines, *owner.lines))


def test_the_balance_lies_within_its_lines():
    reserve, _ = balances([gain(FACTORY, GIVEN)], GIVEN)
    lines = [line.band for line in reserve.lines]
    assert (
        sum(band.low for band in lines)
        <= reserve.left.low
        <= reserve.left.high
        <= sum(band.high for band in lines)
    )


def test_a_price_that_no_parameter_gives_is_unknown_and_named():
    reserve, owner = balances([gain(FACTORY, GIVEN), gain(SHOPS, GIVEN)], GIVEN)
    assert reserve.lines[2].band.high == math.inf
    assert reserve.lines[2].lacks == ("出让收入（用途 0901）",)
    assert reserve.left.high == math.inf
    assert owner.lines[1].lacks == ("补缴地价（按新增建筑面积）（用途 0901）",)


def test_without_low_efficiency_land_there_is_nothing_to_pay():
    for balance in balances([gain(HOUSE, GIVEN)], GIVEN):
        assert near(balance.left, 0, 0)
