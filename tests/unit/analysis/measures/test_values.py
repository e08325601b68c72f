"""Measures: what is 0, what is unknown, what weighs how much."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity

from lowland_gis.analysis.measures import values as measures
from lowland_gis.analysis.measures.values import BuildingPieces, LayerOverlaps, MovedShares

PARCELS = pd.Index(["P1", "P2", "P3"])
AREAS = np.array([1000.0, 500.0, 200.0])
PLACE = {code: place for place, code in enumerate(PARCELS)}
NAN = np.nan


def overlaps(*rows: tuple[str, str, float]) -> LayerOverlaps:
    frame = pd.DataFrame(list(rows), columns=["parcel_id", "code", "share"])
    return LayerOverlaps.of(PARCELS, frame.assign(area_m2=100 * frame["share"].astype(float)))


def test_shares_of_several_codes_and_layers_add_up():
    survey = overlaps(("P1", "204", 0.5), ("P1", "011", 0.3))
    strips, other = overlaps(("P1", "102", 0.2)), overlaps(("P2", "204", 1))
    shares = measures.overlap_share([(survey, ["204"]), (strips, ["102"]), (other, ["011"])], 3)
    assert shares.tolist() == [0.7, 0.0, 0.0]


def test_a_share_never_exceeds_one():
    assert measures.overlap_share([(overlaps(("P1", "1", 0.8), ("P1", "2", 0.7)), ["1", "2"])], 3)[0] == 1.0


@pytest.mark.parametrize("codes", [[], ["9"]])
def test_codes_that_nothing_has_give_zero(codes: list[str]):
    assert measures.overlap_share([(overlaps(("P1", "1", 1.0)), codes)], 3).tolist() == [0, 0, 0]


def test_without_overlaps_every_share_is_zero():
    assert measures.overlap_share([(overlaps(), ["1"])], 3).tolist() == [0, 0, 0]


def moved(square: shapely.Polygon, zone: shapely.Polygon, tolerance: float) -> MovedShares:
    drawn = [square.buffer(distance, join_style="mitre") for distance in (-tolerance, tolerance)]
    inside = [np.array([outline.intersection(zone).area]) for outline in drawn]
    return MovedShares(
        *inside, *(np.array([outline.area]) - part for outline, part in zip(drawn, inside, strict=True))
    )


ZONES = {
    "half": shapely.box(50, -500, 500, 500),
    "all": shapely.box(-500, -500, 500, 500),
    "none": shapely.box(300, 300, 500, 500),
    "edge": shapely.box(-500, -500, 101, 500),
    "strip": shapely.box(48, -500, 52, 500),
    "corner": shapely.Polygon([(-20, 40), (60, -30), (500, 500)]),
    "speck": shapely.box(40, 40, 43, 43),
}


@pytest.mark.parametrize("name", list(ZONES))
@pytest.mark.parametrize("tolerance", [0.5, 2.0, 7.0])
def test_a_band_holds_the_share_of_every_displacement(name: str, tolerance: float):
    square, zone = shapely.box(0, 0, 100, 100), ZONES[name]
    share = square.intersection(zone).area / square.area
    low, high = measures.drift_band(
        np.array([share]),
        np.array([square.area]),
        np.array([square.length]),
        moved(square, zone, tolerance),
        tolerance,
    )
    for angle in np.linspace(0, 2 * np.pi, 48, endpoint=False):
        for part in (0.3, 1.0):
            shift = tolerance * part
            away = shapely.affinity.translate(zone, shift * np.cos(angle), shift * np.sin(angle))
            found = square.intersection(away).area / square.area
            assert low[0] - 1e-9 <= found <= high[0] + 1e-9, (angle, part)
    assert 0 <= low[0] <= share <= high[0] <= 1


@pytest.mark.parametrize(("name", "low", "high"), [("all", 1, 1), ("none", 0, 0), ("half", 0.4608, 0.5392)])
def test_a_band_is_tight_where_nothing_is_near(name: str, low: float, high: float):
    square = shapely.box(0, 0, 100, 100)
    share = np.array([square.intersection(ZONES[name]).area / square.area])
    found = measures.drift_band(
        share, np.array([1e4]), np.array([400.0]), moved(square, ZONES[name], 2.0), 2.0
    )
    assert [ends[0] for ends in found] == pytest.approx([low, high], abs=1e-9)


def test_classes_are_named_from_the_largest_down():
    survey = overlaps(
        ("P1", "203", 0.61),
        ("P1", "011", 0.2),
        ("P1", "104", 0.1),
        ("P1", "114", 0.09),
        ("P2", "203", 0.0001),
    )
    found = measures.composition([survey, overlaps(("P1", "011", 0.005))], 3, {"203": "村庄", "011": "水田"})
    assert found.tolist() == ["203村庄 61%、011水田 20.5%、104 10%", None, None]


def test_present_and_equals():
    values = pd.Series(["1", None, "0"], index=PARCELS)
    assert measures.present(values).tolist() == [1, 0, 1]
    np.testing.assert_equal(measures.equals(values, ("1",)), [1, NAN, 0])


def pieces(*rows: tuple[object, ...]) -> BuildingPieces:
    columns = ["parcel", "footprint_m2", "floor_m2", "year", "use", "grade"]
    return BuildingPieces(placed(rows, columns))


def placed(rows: tuple[tuple[object, ...], ...], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=columns)
    return frame.assign(parcel=frame["parcel"].map(PLACE).astype(int))


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
    """Rows of parcel, year, value, land in 亩 and, where it is stated, floor area."""
    return placed(tuple((*row, None)[:5] for row in rows), ["parcel", "year", "value", "land_mu", "floor_m2"])


def newest(rows: pd.DataFrame) -> list[float]:
    return measures.firm_values(measures.reported_in(rows, None), 3).intensity.tolist()


def test_the_newest_year_counts():
    rows = firms(("P1", 2022, 9.0, 10), ("P1", 2023, 2.0, 10), ("P2", 2021, 7.0, 10))
    np.testing.assert_equal(newest(rows), [2, 7, NAN])


def test_a_year_of_its_own_counts_only_what_was_reported_in_it():
    rows = firms(("P1", 2022, 9.0, 10), ("P1", 2023, 2.0, 10), ("P2", 2021, 7.0, 10))
    np.testing.assert_equal(
        measures.firm_values(measures.reported_in(rows, 2022), 3).intensity, [9, NAN, NAN]
    )


def test_firms_of_one_parcel_weigh_by_their_land():
    found = measures.firm_values(firms(("P1", 2023, 10.0, 30), ("P1", 2023, 2.0, 10)), 3)
    assert found.intensity[0] == 8.0
    assert found.allocation.tolist() == ["2家企业按用地面积分摊", None, None]


def test_firms_that_state_their_floor_area_weigh_by_it():
    found = measures.firm_values(firms(("P1", 2023, 10.0, 30, 100), ("P1", 2023, 2.0, 10, 300)), 3)
    assert found.intensity[0] == 4.0
    assert found.allocation[0] == "2家企业按建筑面积分摊"


def test_one_firm_without_floor_area_lets_the_land_weigh():
    assert newest(firms(("P1", 2023, 10.0, 30, 100), ("P1", 2023, 2.0, 10)))[0] == 8.0


def totals(*rows: tuple[object, ...]) -> pd.DataFrame:
    return placed(rows, ["parcel", "year", "firm", "value", "total"]).assign(year=2023)


def spread(rows: pd.DataFrame, floor: np.ndarray, ground: np.ndarray) -> np.ndarray:
    return measures.intensities(rows, measures.firm_parts(rows, floor, ground), ground)


def test_a_firm_without_code_and_name_is_told_by_its_row_among_all():
    none = np.array([None, None], dtype=object)
    assert measures.firm_keys(none, none, [7, 9]).tolist() == ["row 7", "row 9"]


def test_a_total_is_spread_over_the_parcels_of_a_firm_by_floor_area():
    """30 万元 over 300 and 100 m² of floor, on 3 亩 and 1.5 亩."""
    rows = totals(("P1", 2023, "A", NAN, 30.0), ("P2", 2023, "A", NAN, 30.0))
    ground = np.array([2000.0, 1000.0, 1.0])
    assert spread(rows, np.array([300.0, 100.0, 0.0]), ground).tolist() == pytest.approx([7.5, 5.0])


def test_a_total_is_spread_by_ground_where_a_parcel_has_no_building():
    rows = totals(("P1", 2023, "A", NAN, 30.0), ("P2", 2023, "A", NAN, 30.0))
    ground = np.array([2000.0, 1000.0, 1.0])
    found = spread(rows, np.array([300.0, 0.0, 0.0]), ground)
    assert found.tolist() == pytest.approx([20 / 3, 20 / 3])


def test_a_reported_intensity_stands_before_a_total():
    found = spread(totals(("P1", 2023, "A", 4.0, 30.0), ("P3", 2023, "B", NAN, NAN)), np.zeros(3), np.ones(3))
    np.testing.assert_equal(found, [4.0, NAN])


@pytest.mark.parametrize("lacking", [("P1", 2023, None, 10), ("P1", 2023, 2.0, None)])
def test_one_of_several_firms_that_lacks_value_or_land_makes_it_unknown(lacking: tuple[object, ...]):
    rows = firms(("P1", 2023, 10.0, 30), lacking)
    assert np.isnan(newest(rows)[0])


@pytest.mark.parametrize("land", [None, 0, 12])
def test_a_single_firm_needs_no_land(land: float | None):
    assert newest(firms(("P1", 2023, 4.0, land)))[0] == 4.0


def test_no_firms():
    assert np.isnan(newest(firms())).all()


DATES = ["signed", "agreed_start", "actual_start", "agreed_end", "actual_end"]
DAY = dt.date(2023, 12, 31)


def contracts(*rows: tuple[object, ...]) -> pd.DataFrame:
    """Rows of parcel, agreed and actual completion."""
    frame = placed(rows, ["parcel", "agreed_end", "actual_end"])
    return frame.reindex(columns=["parcel", *DATES])


def overdue(*rows: tuple[object, ...]) -> list[float]:
    return measures.contract_statistic(contracts(*rows), 3, DAY, "overdue_years").tolist()


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
    np.testing.assert_allclose(overdue(("P1", agreed, actual)), [years, 0, 0], rtol=1e-12)


def test_the_worst_contract_counts_and_an_unknown_one_makes_it_unknown():
    found = overdue(
        ("P1", "2022-12-31", None), ("P1", "2019-12-31", None), ("P2", "2019-12-31", None), ("P2", None, None)
    )
    assert found[0] == pytest.approx(1461 / 365.25)
    assert np.isnan(found[1])


def test_without_contracts_nothing_is_overdue():
    assert overdue() == [0, 0, 0]


@pytest.mark.parametrize(
    ("statistic", "dates", "value"),
    [
        ("idle_years", (None, "2021-12-31", None, None, None), 730 / 365.25),
        ("idle_years", (None, "2021-12-31", "2023-06-01", None, None), 0),
        ("idle_years", (None, "2021-12-31", "2024-06-01", None, None), 730 / 365.25),
        ("idle_years", (None, None, None, None, None), NAN),
        ("completed", (None, None, None, None, "2023-12-31"), 1),
        ("completed", (None, None, None, "2020-01-01", None), 0),
        ("years_since_signing", ("2019-12-31", None, None, None, None), 1461 / 365.25),
        ("years_since_signing", (None, None, None, None, None), NAN),
    ],
)
def test_dates_of_contracts(statistic: str, dates: tuple[str | None, ...], value: float):
    rows = placed((("P1", *dates),), ["parcel", *DATES])
    np.testing.assert_allclose(measures.contract_statistic(rows, 3, DAY, statistic)[0], value, rtol=1e-12)


def test_the_newest_contract_counts_for_its_signing_and_every_one_for_completion():
    rows = placed(
        (("P1", "2010-12-31", None, None, None, "2012-01-01"), ("P1", "2019-12-31", None, None, None, None)), ["parcel", *DATES]
    )  # fmt: skip
    assert measures.contract_statistic(rows, 3, DAY, "years_since_signing")[0] == pytest.approx(1461 / 365.25)
    np.testing.assert_equal(measures.contract_statistic(rows, 3, DAY, "completed"), [0, NAN, NAN])


def test_no_contract_at_all_tells_nothing_of_signing():
    assert np.isnan(measures.contract_statistic(contracts(), 3, DAY, "years_since_signing")).all()
