"""What parcels gain: by hand, and what must hold whatever the land."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowland_gis.analysis.potential.bands import NOTHING, UNKNOWN, Band
from lowland_gis.analysis.potential.gain import (
    DENSITY,
    FIGURES,
    FLOOR,
    IDLE,
    PLAN,
    PLAN_FAR,
    Land,
    Plot,
    gain,
    public,
    summed,
)
from redeveloped import BAND, FACTORY, HOUSE, SHOPS, parameters

GIVEN = parameters()
AMOUNTS = st.one_of(st.just(math.nan), st.floats(0.0, 5000.0))
PLOTS = st.lists(
    st.builds(Plot, st.sampled_from(["1001", "0901", "1207", None]), st.floats(10.0, 2000.0), st.one_of(st.just(math.nan), st.floats(0, 5)),
              st.one_of(st.just(math.nan), st.floats(0, 1)), st.booleans()),
    max_size=3,
)  # fmt: skip
LANDS = st.builds(
    Land, st.just("x"), st.floats(100.0, 9000.0), st.sampled_from(["industrial", "village", None]), st.sampled_from(["510", None]),
    PLOTS.map(tuple), AMOUNTS, st.one_of(st.just(math.nan), st.floats(0, 1)), st.one_of(st.just(math.nan), st.floats(0, 1)), AMOUNTS, AMOUNTS,
)  # fmt: skip


def near(band, low, high):
    return (band.low, band.high) == (pytest.approx(low), pytest.approx(high))


def test_a_factory_with_a_plan_by_hand():
    found = gain(FACTORY, GIVEN)
    assert near(found.land, 3000, 6000)
    assert found.idle == Band(6000.0, 6000.0)
    assert near(found.floor_plan, 7500, 7500)
    assert near(found.floor, 2250, 4500)
    # A fifth is built on, 5,000 of 6,000 m² may be to a half: 0.2 / (2,500 / 6,000) = 0.48 of the land would do.
    assert near(found.freed, 1560, 3120)
    assert near(found.vacant, 1000, 1000)
    assert found.missing == ()


def test_a_plan_without_a_ratio_takes_that_of_its_use_as_a_band():
    found = gain(BAND, GIVEN)
    assert near(found.floor_plan, 2000, 4000)
    assert near(found.floor, 500, 3000)
    assert found.freed == NOTHING
    assert found.idle == NOTHING


def test_what_nobody_knows_has_no_end_and_is_named():
    found = gain(SHOPS, GIVEN)
    assert found.floor == UNKNOWN
    assert found.floor_now == UNKNOWN
    assert found.lacks("floor") == (PLAN_FAR, FLOOR)
    assert found.idle == Band(0.0, 1000.0)
    assert found.lacks("idle") == (IDLE,)
    assert DENSITY in found.lacks("freed")
    figure = summed([found, gain(FACTORY, GIVEN)])["floor"]
    assert figure.band == Band(2250.0, math.inf)
    assert figure.unknown_m2 == 1000.0
    assert figure.lacks == (PLAN_FAR, FLOOR)


def test_land_that_the_plan_leaves_open_is_not_planned_but_digitising_is():
    half = replace(FACTORY, plots=(Plot("1001", 3000.0, 1.5, 0.5),))
    assert gain(half, GIVEN).lacks("floor") == (PLAN,)
    assert gain(half, GIVEN).floor.high == math.inf
    nearly = replace(FACTORY, plots=(Plot("1001", 5980.0, 1.5, 0.5),))
    assert gain(nearly, GIVEN).missing == ()
    assert near(gain(nearly, GIVEN).floor_plan, 9000, 9000)


def test_two_plans_of_the_same_ground_do_not_make_it_larger():
    twice = replace(FACTORY, plots=(Plot("1001", 6000.0, 1.0, 0.5), Plot("1001", 6000.0, 2.0, 0.5)))
    assert near(gain(twice, GIVEN).floor_plan, 9000, 9000)


def test_what_is_not_low_efficiency_gains_nothing():
    found = gain(HOUSE, GIVEN)
    assert all(getattr(found, name) == NOTHING for name in FIGURES)
    assert found.missing == ()


def test_a_parameter_of_the_kind_stands_before_that_of_all_land():
    village = replace(FACTORY, kind="village")
    assert near(gain(village, GIVEN).floor, 1125, 1125)


def test_public_land_of_a_unit_by_hand():
    found = public([FACTORY, HOUSE], GIVEN)
    assert (found.planned.low, found.wanted.low, found.short.low) == (
        1000.0,
        pytest.approx(2800),
        pytest.approx(1800),
    )
    unknown = public([FACTORY, replace(HOUSE, public_m2=math.nan)], GIVEN)
    assert not unknown.known
    assert near(unknown.short, 800, 1800)


@given(LANDS)
def test_bands_hold_and_nothing_is_gained_beyond_the_land(land):
    found = gain(land, GIVEN)
    for name in ("land", "idle", "freed"):
        band = getattr(found, name)
        assert 0 <= band.low <= band.high <= land.area_m2 * (1 + 1e-9), name


@given(LANDS, st.floats(0, 4), st.floats(0, 4))
def test_more_floors_by_plan_never_mean_less_gain(land, one, other):
    less, more = (
        gain(replace(land, plots=(Plot("1001", land.area_m2, far),)), GIVEN).floor
        for far in sorted((one, other))
    )
    assert less.low <= more.low
    assert less.high <= more.high


@settings(max_examples=60)
@given(st.lists(LANDS, min_size=1, max_size=6), st.integers(0, 6))
def test_figures_of_two_parts_are_those_of_the_whole(lands, cut):
    gains = [gain(land, GIVEN) for land in lands]
    whole, one, other = summed(gains), summed(gains[:cut]), summed(gains[cut:])
    for name in FIGURES:
        added = one[name].band + other[name].band
        assert whole[name].band.low == pytest.approx(added.low)
        assert whole[name].band.high == pytest.approx(added.high)
        assert whole[name].unknown_m2 == pytest.approx(one[name].unknown_m2 + other[name].unknown_m2)


@given(LANDS)
def test_knowing_more_never_widens_a_band(land):
    wide = gain(replace(land, floor_m2=math.nan, density=math.nan, idle_years=math.nan), GIVEN)
    narrow = gain(replace(land, floor_m2=800.0, density=0.3, idle_years=0.5), GIVEN)
    for name in ("idle", "freed", "floor_now", "floor"):
        assert getattr(wide, name).low <= getattr(narrow, name).low
        assert getattr(narrow, name).high <= getattr(wide, name).high
