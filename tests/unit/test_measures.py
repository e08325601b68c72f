"""Measures: what is 0, what is unknown, what weighs how much."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from lowland_gis.analysis import measures
from lowland_gis.analysis.measures import BuildingPieces

PARCELS = pd.Index(["P1", "P2", "P3"])
AREAS = pd.Series([1000.0, 500.0, 200.0], index=PARCELS)
NAN = np.nan


def overlaps(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["layer", "parcel_id", "code", "share"])


def test_shares_of_several_codes_and_layers_add_up():
    rows = overlaps(
        ("dltb2", "P1", "204", 0.5), ("xzdw2", "P1", "102", 0.2), ("dltb2", "P1", "011", 0.3), ("dltb3", "P2", "204", 1)
    )  # fmt: skip
    shares = measures.overlap_share(PARCELS, rows, {("dltb2", "204"), ("xzdw2", "102")})
    assert shares.tolist() == [0.7, 0.0, 0.0]


def test_a_share_never_exceeds_one():
    rows = overlaps(("a", "P1", "1", 0.8), ("a", "P1", "2", 0.7))
    assert measures.overlap_share(PARCELS, rows, {("a", "1"), ("a", "2")})[0] == 1.0


@pytest.mark.parametrize("codes", [set(), {("a", "9")}])
def test_codes_that_nothing_has_give_zero(codes: set[tuple[str, str]]):
    assert measures.overlap_share(PARCELS, overlaps(("a", "P1", "1", 1.0)), codes).tolist() == [0, 0, 0]


def test_without_overlaps_every_share_is_zero():
    assert measures.overlap_share(PARCELS, overlaps(), {("a", "1")}).tolist() == [0, 0, 0]


def test_present_and_equals():
    values = pd.Series(["1", None, "0"], index=PARCELS)
    assert measures.present(values).tolist() == [1, 0, 1]
    np.testing.assert_equal(measures.equals(values, ("1",)), [1, NAN, 0])


def pieces(*rows: tuple[object, ...]) -> BuildingPieces:
    columns = ["parcel_id", "footprint_m2", "floor_m2", "year", "use", "grade"]
    return BuildingPieces(pd.DataFrame(list(rows), columns=columns))


TWO = pieces(
    ("P1", 100, 300, 1980, "1", "A"), ("P1", 300, 100, 2000, "2", "D"), ("P2", 50, None, None, None, None)
)


@pytest.mark.parametrize(
    ("statistic", "values"),
    [
        ("density", [0.4, 0.1, 0.0]),
        ("floor_area_ratio", [0.4, NAN, 0.0]),
        ("year", [1995.0, NAN, NAN]),
        ("vacant_share", [0.25, NAN, NAN]),
        ("unsafe_share", [0.25, NAN, NAN]),
    ],
)
def test_building_statistics(statistic: str, values: list[float]):
    np.testing.assert_allclose(measures.building_statistic(AREAS, TWO, statistic), values, rtol=1e-12)


@pytest.mark.parametrize("statistic", ["year", "vacant_share", "unsafe_share"])
def test_one_building_without_the_value_makes_the_parcel_unknown(statistic: str):
    mixed = pieces(("P1", 100, 300, 1980, "1", "A"), ("P1", 1, 1, None, None, None))
    assert np.isnan(measures.building_statistic(AREAS, mixed, statistic)[0])


@pytest.mark.parametrize(("statistic", "value"), [("year", 1980), ("vacant_share", 1), ("unsafe_share", 0)])
def test_a_building_of_no_area_is_not_asked(statistic: str, value: float):
    """A shed of no floor area has no use to know; neither does a footprint that only touches the parcel."""
    mixed = pieces(("P1", 100, 300, 1980, "2", "A"), ("P1", 0, 0, None, None, None))
    assert measures.building_statistic(AREAS, mixed, statistic)[0] == value


@pytest.mark.parametrize("statistic", ["year", "vacant_share", "unsafe_share"])
def test_only_buildings_of_no_area_tell_nothing(statistic: str):
    assert np.isnan(measures.building_statistic(AREAS, pieces(("P1", 0, 0, 1980, "2", "D")), statistic)[0])


@pytest.mark.parametrize(("statistic", "value"), [("density", 0.0), ("floor_area_ratio", 0.0), ("year", NAN)])
def test_without_any_building(statistic: str, value: float):
    np.testing.assert_equal(measures.building_statistic(AREAS, pieces(), statistic), [value] * 3)


def firms(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["parcel_id", "year", "value", "land_mu"])


def test_the_newest_year_counts():
    rows = firms(("P1", 2022, 9.0, 10), ("P1", 2023, 2.0, 10), ("P2", 2021, 7.0, 10))
    np.testing.assert_equal(measures.latest_of_enterprises(PARCELS, rows), [2, 7, NAN])


def test_firms_of_one_parcel_weigh_by_their_land():
    rows = firms(("P1", 2023, 10.0, 30), ("P1", 2023, 2.0, 10))
    assert measures.latest_of_enterprises(PARCELS, rows)[0] == 8.0


@pytest.mark.parametrize("lacking", [("P1", 2023, None, 10), ("P1", 2023, 2.0, None)])
def test_one_of_several_firms_that_lacks_value_or_land_makes_it_unknown(lacking: tuple[object, ...]):
    rows = firms(("P1", 2023, 10.0, 30), lacking)
    assert np.isnan(measures.latest_of_enterprises(PARCELS, rows)[0])


@pytest.mark.parametrize("land", [None, 0, 12])
def test_a_single_firm_needs_no_land(land: float | None):
    assert measures.latest_of_enterprises(PARCELS, firms(("P1", 2023, 4.0, land)))[0] == 4.0


def test_no_firms():
    assert np.isnan(measures.latest_of_enterprises(PARCELS, firms())).all()


def contracts(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["parcel_id", "agreed", "actual"])


@pytest.mark.parametrize(
    ("agreed", "actual", "years"),
    [
        ("2020-12-31", None, 1095 / 365.25),
        ("2020-12-31", "2021-05-01", 0),
        ("2020-12-31", "2024-05-01", 1095 / 365.25),
        ("2023-12-31", None, 0),
        ("2030-01-01", None, 0),
        (None, "2021-05-01", 0),
        (None, None, NAN),
    ],
)
def test_years_overdue_on_the_last_day_of_2023(agreed: str | None, actual: str | None, years: float):
    found = measures.overdue_years(PARCELS, contracts(("P1", agreed, actual)), dt.date(2023, 12, 31))
    np.testing.assert_allclose(found, [years, 0, 0], rtol=1e-12)


def test_the_worst_contract_counts_and_an_unknown_one_makes_it_unknown():
    day = dt.date(2023, 12, 31)
    rows = contracts(
        ("P1", "2022-12-31", None), ("P1", "2019-12-31", None), ("P2", "2019-12-31", None), ("P2", None, None)
    )
    found = measures.overdue_years(PARCELS, rows, day)
    assert found[0] == pytest.approx(1461 / 365.25)
    assert np.isnan(found[1])


def test_without_contracts_nothing_is_overdue():
    assert measures.overdue_years(PARCELS, contracts(), dt.date(2023, 12, 31)).tolist() == [0, 0, 0]
