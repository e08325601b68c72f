"""Rows of potential: what is not known of any land is no figure, and both ends of a unit are those of its parcels."""

import math
from dataclasses import replace

import pytest

from lowland_gis.analysis.potential.gain import gain, public, summed
from lowland_gis.analysis.potential.money import balances
from lowland_gis.analysis.potential.uses import next_uses
from lowland_gis.pipeline.products.potential import UnitPotential
from lowland_gis.pipeline.products.potential_rows import (
    figure_rows,
    parameter_rows,
    parcel_rows,
    unit_row,
    use_rows,
)
from redeveloped import BAND, FACTORY, HOUSE, SHOPS, parameters

GIVEN = parameters()


def unit(*lands):
    gains = tuple(gain(land, GIVEN) for land in lands)
    benefit = public(lands, GIVEN)
    figures = summed([each for each in gains if each.parcel.kind is not None])
    return UnitPotential(
        "U",
        "120113101",
        gains,
        figures,
        benefit,
        tuple(next_uses(lands, benefit, GIVEN)),
        balances(gains, GIVEN),
    )


def ends(made, key):
    (row,) = (row for row in figure_rows(made, GIVEN) if row["key"] == key)
    return row["low"], row["high"]


def test_figures_by_hand():
    made = unit(FACTORY, HOUSE)
    assert ends(made, "area") == (0.7, 0.7)
    assert ends(made, "low") == (0.6, 0.6)
    assert ends(made, "land") == (0.3, 0.6)
    assert ends(made, "floor") == (2250.0, 4500.0)
    assert ends(made, "public_short") == (0.18, 0.18)
    assert ends(made, "reserve_left") == (56.25, 382.5)
    row = unit_row(made)
    assert (row["floor_low_m2"], row["floor_high_m2"], row["reserve_low_wan"]) == (2250.0, 4500.0, 56.25)
    assert row["next_use"] == use_rows(made)[0]["use"] == "工业"


def test_what_is_known_of_no_land_is_no_figure():
    made = unit(SHOPS)
    for key in ("idle", "freed", "floor_now", "floor", "floor_plan", "vacant"):
        assert ends(made, key) == (None, None), key
    # Of the other half it is known: then there is a least.
    mixed = unit(SHOPS, FACTORY)
    assert ends(mixed, "floor") == (2250.0, None)
    assert ends(mixed, "idle") == (0.6, 0.7)


def test_a_least_of_nothing_is_told_where_it_is_known_and_a_most_where_the_plan_says_it():
    assert ends(unit(BAND), "idle") == (0.0, 0.0)
    unbuilt = replace(BAND, floor_m2=math.nan)
    assert ends(unit(unbuilt), "floor") == (None, 4000.0)
    (row,) = parcel_rows(unit(unbuilt), {"industrial": "低效工业用地"})
    assert (row["kind"], row["floor_low_m2"], row["floor_high_m2"], row["hangs_on"]) == (
        "低效工业用地",
        None,
        4000.0,
        "现状建筑面积",
    )


def test_without_a_plan_public_land_is_unknown():
    made = unit(replace(FACTORY, public_m2=math.nan))
    assert ends(made, "public_planned") == ends(made, "public_short") == (None, None)
    assert ends(made, "public_wanted") == (0.24, 0.24)


@pytest.mark.parametrize(
    ("name", "told"),
    [("redeveloped", (50.0, 100.0, "%")), ("far", (1.0, 2.0, "—")), ("idle_from", (12.0, 12.0, "个月"))],
)
def test_parameters_are_told_in_the_unit_that_they_are_given_in(name, told):
    row = next(row for row in parameter_rows(GIVEN) if row["name"] == name)
    assert (row["low"], row["high"], row["unit"]) == told
