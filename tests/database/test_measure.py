"""The two-survey test on small layers: drift, envelopes, the reservoir, strips of line features, and firms on several parcels."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels
from readings import explained

INSIDE, STRADDLING, EDGE, WATER, OUTSIDE = (f"120113100001GB0000{number}" for number in range(1, 6))
PARCELS = {
    INSIDE: box(20, 20), STRADDLING: box(0, 200), EDGE: box(0, 400), WATER: box(0, 600), OUTSIDE: box(0, 800),
}  # fmt: skip
# 2009: a village envelope, one whose edge halves a parcel, one that just covers more than half, a reservoir, and fields.
SURVEY2 = [
    ("203", box(0, 0, 140, 140)), ("203", box(0, 200, 51, 100)), ("011", box(51, 200, 49, 100)), ("203", box(0, 400, 56, 100)), ("011", box(56, 400, 44, 100)),
    ("113", box(-10, 590, 120, 120)), ("011", box(-10, 790, 120, 120)),
]  # fmt: skip
SURVEY3 = [
    ("0702", box(0, 0, 140, 140)), ("0601", box(-10, 190, 120, 120)), ("0601", box(-10, 390, 120, 120)), ("1103", box(-10, 590, 120, 120)),
    ("0102", box(-10, 790, 120, 120)),
]  # fmt: skip


def deliver(project, folder, layer, rows, **columns):
    frame = gpd.GeoDataFrame(
        {"BSM": range(1, len(rows) + 1), "DLBM": [code for code, _ in rows], **columns}, geometry=[shape for _, shape in rows], crs=4548
    )  # fmt: skip
    frame.to_file(folder / f"{layer}.gpkg", layer=layer)
    ingest(project, DeliverySettings(layer=layer, source=f"{folder / layer}.gpkg:{layer}"))


@pytest.fixture
def surveyed(project, tmp_path):
    """Five parcels with both surveys, ready to be measured."""
    path = write_parcels(tmp_path / "宗地.shp", PARCELS, BDCDYH=[None] * 5, QSXZ=["10"] * 5)
    ingest(project, DeliverySettings(layer="parcel", source=str(path)))
    deliver(project, tmp_path, "dltb2", SURVEY2)
    deliver(project, tmp_path, "dltb3", SURVEY3)
    return project


def run(project):
    tabulate(project)
    measure(project)
    return classify(project)


def clause(project, parcel, name):
    lines = [
        line
        for question in explained(project, parcel).questions
        for rule in question.rules
        for line in rule.clauses
        if line.measure == name
    ]
    assert len({(line.outcome, line.value, line.low) for line in lines}) == 1
    return lines[0]


def taxes(project, run_id):
    """Return value and detail of the tax a 亩 of each parcel that has one."""
    query = (
        "SELECT parcel_id, value, detail FROM result.evidence WHERE run_id = %s AND measure = 'tax_per_mu'"
    )
    with project.transaction() as connection:
        return {row[0]: row[1:] for row in connection.execute(query, [run_id]).fetchall()}


def test_construction_land_is_true_only_where_it_stays_true_when_the_layer_moves(surveyed):
    run(surveyed)
    found = {parcel: clause(surveyed, parcel, "construction2_share") for parcel in PARCELS}
    assert {parcel: line.outcome for parcel, line in found.items()} == {
        INSIDE: "true", STRADDLING: "unknown", EDGE: "true", WATER: "true", OUTSIDE: "false",
    }  # fmt: skip
    # A metre beyond half of 100 m: two metres to the left lose two, to the right win nothing, as the village ends at the parcel's edge.
    straddling = found[STRADDLING]
    assert straddling.value == pytest.approx(0.51)
    assert 0.46 <= straddling.low <= 0.49
    assert straddling.high == pytest.approx(0.51)
    assert found[EDGE].low >= 0.5
    # Twenty metres inside, nothing can happen.
    assert (found[INSIDE].low, found[INSIDE].high) == (None, None)


def test_the_classes_of_both_surveys_and_their_traps_are_told(surveyed):
    run(surveyed)
    second, third = (clause(surveyed, WATER, f"construction{survey}_share") for survey in (2, 3))
    assert (second.outcome, third.outcome) == ("true", "false")
    assert second.detail == "113水库水面 100%"
    assert "地类对：113水库水面 → 1103水库水面" in second.notes
    assert any("三调属农用地" in note for note in second.notes)
    assert any("二调属建设用地" in note for note in third.notes)
    assert any("外围轮廓" in note for note in clause(surveyed, INSIDE, "construction2_share").notes)
    assert any("±2 m" in note for note in second.notes)


def test_a_road_of_the_second_survey_that_is_a_line_counts_by_its_width(surveyed, tmp_path):
    x, y = box(0, 850).bounds[:2]
    line = shapely.LineString([(x - 5, y), (x + 105, y)])
    deliver(surveyed, tmp_path, "xzdw2", [("102", line)], KD=[20.0], CD=[110.0])
    run(surveyed)
    road = clause(surveyed, OUTSIDE, "construction2_share")
    assert road.value == pytest.approx(0.2)
    assert road.outcome == "false"
    assert "102公路用地 20%" in road.detail
    assert "二调线状地物" in road.source
    assert any("线状地物" in note for note in road.notes)


def test_without_a_survey_nothing_is_known(project, tmp_path):
    path = write_parcels(tmp_path / "宗地.shp", {INSIDE: box(0, 0)})
    ingest(project, DeliverySettings(layer="parcel", source=str(path)))
    run(project)
    line = clause(project, INSIDE, "construction2_share")
    assert (line.outcome, line.value, line.source) == ("unknown", None, None)


def test_ground_that_a_survey_does_not_cover_is_unknown(project, tmp_path):
    path = write_parcels(tmp_path / "宗地.shp", {INSIDE: box(0, 0), OUTSIDE: box(5000, 0)})
    ingest(project, DeliverySettings(layer="parcel", source=str(path)))
    deliver(project, tmp_path, "dltb3", [("0601", box(-10, -10, 200, 200))])
    run(project)
    assert clause(project, INSIDE, "construction3_share").outcome == "true"
    assert clause(project, OUTSIDE, "construction3_share").outcome == "unknown"


def test_the_total_of_a_firm_is_spread_over_its_parcels_and_several_firms_are_told(surveyed, tmp_path):
    rows = pd.DataFrame(
        {
            "年份": 2023,
            "企业名称": ["甲", "甲", "乙", "丙"],
            "统一社会信用代码": ["A", "A", "B", "C"],
            "宗地代码": [STRADDLING, EDGE, INSIDE, INSIDE],
            "占地面积（亩）": [15.0, 15.0, 5.0, 10.0],
            "亩均税收（万元/亩）": [None, None, 9.0, 3.0],
            "税收总额（万元）": [60.0, 60.0, None, None],
        }
    )
    rows.to_excel(tmp_path / "企业.xlsx", index=False)
    ingest(surveyed, DeliverySettings(layer="enterprise", source=str(tmp_path / "企业.xlsx")))
    tabulate(surveyed)
    found = taxes(surveyed, measure(surveyed).run_id)
    # 60 万元 over two hectares, thirty 亩; then 9 and 3 万元/亩 by 5 and 10 亩.
    assert found[STRADDLING][0] == pytest.approx(2.0, rel=1e-3)
    assert found[EDGE][0] == pytest.approx(2.0, rel=1e-3)
    assert found[INSIDE] == (pytest.approx(5.0), "2家企业按用地面积分摊")


def test_firms_without_a_credit_code_are_not_one_firm(surveyed, tmp_path):
    """The code is optional: two works with totals of their own keep them, and a firm of two parcels is known by its name."""
    rows = pd.DataFrame(
        {
            "年份": 2023,
            "企业名称": ["甲", "甲", "乙", None, None],
            "宗地代码": [STRADDLING, EDGE, INSIDE, WATER, OUTSIDE],
            "税收总额（万元）": [60.0, 60.0, 150.0, 30.0, 45.0],
        }
    )
    rows.to_excel(tmp_path / "企业.xlsx", index=False)
    ingest(surveyed, DeliverySettings(layer="enterprise", source=str(tmp_path / "企业.xlsx")))
    tabulate(surveyed)
    found = taxes(surveyed, measure(surveyed).run_id)
    # Every parcel has a hectare, fifteen 亩.
    expected = {STRADDLING: 2.0, EDGE: 2.0, INSIDE: 10.0, WATER: 2.0, OUTSIDE: 3.0}
    assert {parcel: value for parcel, (value, _) in found.items()} == pytest.approx(expected, rel=1e-3)
    assert {detail for _, detail in found.values()} == {"1家企业无统一社会信用代码，按名称或行区分"}
