"""Findings over reruns, and versions compared, on a real database."""

from dataclasses import replace

import geopandas as gpd
import psycopg
import pytest
from shapely import Polygon

from lowland_gis.errors import DefinitionError, UsageError
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.intake.versions_compared import layer_difference
from lowland_gis.pipeline.quality.check import check
from lowland_gis.pipeline.quality.findings import accept, listed_findings
from lowland_gis.settings import CheckSettings, DeliverySettings
from made_files import box, write_parcels

FIRST, SECOND, THIRD = (f"120113100001GB0000{number}" for number in (1, 2, 3))


def deliver(project, tmp_path, shapes, **columns):
    """Deliver parcels as a new version, with a field that makes the file another one."""
    count = len(list(tmp_path.glob("*.shp")))
    path = write_parcels(
        tmp_path / f"宗地{count}.shp",
        shapes,
        **{"YT": ["0701"] * len(shapes), "QSXZ": ["10"] * len(shapes), "BZ": [str(count)] * len(shapes)}
        | columns,
        ZDMJ=[shape.area for shape in shapes.values()],
    )
    return ingest(project, DeliverySettings(layer="parcel", source=str(path))).version_id


def findings(project, rule="overlap", statuses=("open", "fixed", "accepted")):
    with project.transaction() as connection:
        return listed_findings(connection, [rule], statuses)


def states(project, rule="overlap"):
    return findings(project, rule)["status"].tolist()


@pytest.fixture
def overlapping():
    return {FIRST: box(0, 0), SECOND: box(99, 0), THIRD: box(500, 0)}


@pytest.fixture
def apart():
    return {FIRST: box(0, 0), SECOND: box(100, 0), THIRD: box(500, 0)}


def test_a_finding_says_where_how_much_and_against_what(project, tmp_path, overlapping):
    version = deliver(project, tmp_path, overlapping)
    assert check(project).fresh
    found = findings(project)
    assert len(found) == 1
    row = found.iloc[0]
    assert row["keys"] == [FIRST, SECOND]
    assert (row["value"], row["limit_value"], row["unit"]) == (pytest.approx(100.0), 0.01, "m²")
    assert (row["official"], row["severity"], row["layer"]) == ("三调 4101", "error", "parcel")
    assert (row["east_m"], row["north_m"]) == (515_099.5, 4_345_050.0)
    assert "100.00 m²" in row["message"]
    with psycopg.connect(project.dsn) as connection:
        assert connection.execute(
            "SELECT version_id, ST_Area(place), ST_SRID(place) FROM land.finding WHERE rule = 'overlap'"
        ).fetchall() == [(version, pytest.approx(100.0), 4548)]


def test_nothing_is_checked_again_where_nothing_has_changed(project, tmp_path, overlapping):
    deliver(project, tmp_path, overlapping)
    first = check(project)
    again = check(project)
    assert (again.fresh, again.run_id) == (False, first.run_id)


def test_a_finding_is_fixed_by_a_new_delivery_and_opens_when_it_comes_back(
    project, tmp_path, overlapping, apart
):
    deliver(project, tmp_path, overlapping)
    check(project)
    number = findings(project)["finding_id"].tolist()
    deliver(project, tmp_path, apart)
    check(project)
    assert states(project) == ["fixed"]
    deliver(project, tmp_path, overlapping)
    check(project)
    assert states(project) == ["open"]
    assert findings(project)["finding_id"].tolist() == number


def test_an_accepted_finding_stays_accepted_whether_found_again_or_not(project, tmp_path, overlapping, apart):
    deliver(project, tmp_path, overlapping)
    check(project)
    with project.transaction() as connection:
        accept(connection, findings(project)["finding_id"].tolist(), "双方已签字")
    for shapes in (overlapping, apart, overlapping):
        deliver(project, tmp_path, shapes)
        assert check(project).fresh
        row = findings(project).iloc[0]
        assert (row["status"], row["accepted_why"]) == ("accepted", "双方已签字")
        assert row["accepted_by"]


def test_accepting_needs_a_reason_and_an_open_finding(project, tmp_path, overlapping):
    deliver(project, tmp_path, overlapping)
    check(project)
    number = int(findings(project)["finding_id"].iloc[0])
    with pytest.raises(UsageError, match="reason"), project.transaction() as connection:
        accept(connection, [number], " ")
    with pytest.raises(UsageError, match="999999"), project.transaction() as connection:
        accept(connection, [number, 999999], "why")
    assert states(project) == ["open"]


def test_a_rerun_of_one_suite_leaves_the_findings_of_the_others(project, tmp_path, overlapping):
    deliver(project, tmp_path, overlapping, YT=[None, "0701", "0701"])
    check(project)
    before = findings(project, "mandatory")
    assert before["keys"].tolist() == [[FIRST]]
    assert before["subject"].tolist() == ["YT"]
    check(project, suite="topology")
    assert states(project, "mandatory") == ["open"]


def test_two_empty_fields_of_one_parcel_are_two_findings(project, tmp_path, overlapping):
    deliver(project, tmp_path, overlapping, YT=[None, "0701", "0701"], QSXZ=[None, "10", "10"])
    check(project)
    assert sorted(findings(project, "mandatory")["subject"]) == ["QSXZ", "YT"]
    for kept, gone in (("QSXZ", "YT"), ("YT", "QSXZ")):
        deliver(project, tmp_path, overlapping, **{kept: [None, "10", "10"]})
        check(project)
        status = findings(project, "mandatory").set_index("subject")["status"]
        assert (status[kept], status[gone]) == ("open", "fixed")


def test_limits_of_the_project_file_are_heard(project, tmp_path, overlapping):
    file = tmp_path / "lowland.toml"
    file.write_text(
        file.read_text(encoding="utf-8")
        + '[check.overlap]\nseverity = "warning"\nparameter = { min_area_m2 = 99 }\n'
        + "[check.area_survey]\nenabled = false\n",
        encoding="utf-8",
    )
    own = open_project(tmp_path)
    deliver(own, tmp_path, overlapping)
    check(own)
    found = findings(own)
    assert (found["severity"].tolist(), found["limit_value"].tolist()) == (["warning"], [99.0])
    file.write_text(file.read_text(encoding="utf-8") + "[check.overlaps]\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"check.overlaps"):
        check(open_project(tmp_path))


def test_a_project_changes_limit_severity_and_switch(project, tmp_path, overlapping):
    deliver(project, tmp_path, overlapping)
    changed = {
        "overlap": CheckSettings(parameter={"min_area_m2": 500}),
        "area_survey": CheckSettings(enabled=False),
        "duplicate": CheckSettings(severity="warning"),
    }
    own = replace(project, settings=project.settings.model_copy(update={"check": changed}))
    check(own)
    assert states(own) == []
    check(project)
    assert states(project) == ["open"]


def test_parcels_that_no_survey_covers_and_industry_without_enterprise(project, tmp_path, overlapping):
    survey = gpd.GeoDataFrame({"DLBM": ["0601"], "BSM": ["1"]}, geometry=[box(0, 0, 199, 100)], crs=4548)
    survey.to_file(tmp_path / "DLTB.gpkg")
    ingest(project, DeliverySettings(layer="dltb3", source=str(tmp_path / "DLTB.gpkg")))
    deliver(project, tmp_path, overlapping, YT=["0601", "0701", "0701"])
    check(project)
    assert findings(project, "parcel_outside_survey3")["keys"].tolist() == [[THIRD]]
    # No enterprises were delivered at all, so nothing can be said of them.
    assert states(project, "industry_without_enterprise") == []


def test_a_repair_that_changed_the_area_is_a_finding_above_the_limit_of_the_project(project, tmp_path):
    corners = [(515_000, 4_345_000), (515_100, 4_345_100), (515_100, 4_345_000), (515_000, 4_345_100)]
    # A spike has no area, so its repair is no loss.
    spike = [
        (515_500, 4_345_000),
        (515_600, 4_345_000),
        (515_600, 4_345_130),
        (515_600, 4_345_100),
        (515_500, 4_345_100),
    ]
    deliver(project, tmp_path, {FIRST: Polygon(corners), SECOND: Polygon(spike), THIRD: box(800, 0)})
    check(project)
    (found,) = findings(project, "repair_loss").to_dict("records")
    assert (found["keys"], found["value"], found["severity"]) == ([FIRST], 1.0, "warning")
    assert found["message"].endswith("repair changed the area by 100.0%: 0.00 m² before, 5,000.00 m² after")
    changed = {"repair_loss": CheckSettings(parameter={"max_share": 1.0})}
    check(replace(project, settings=project.settings.model_copy(update={"check": changed})))
    assert states(project, "repair_loss") == ["fixed"]


def test_versions_are_compared_by_code(project, tmp_path, apart):
    old = deliver(project, tmp_path, apart, BZ=["x"] * 3)
    fourth = "120113100001GB00004"
    new = deliver(
        project, tmp_path, {FIRST: box(0, 0), SECOND: box(100, 0, 90), fourth: box(900, 0)}, YT=["0601", "0701", "0701"], BZ=["x"] * 3
    )  # fmt: skip
    found = layer_difference(project, "parcel", str(old), "latest")
    assert (found.old_version, found.new_version) == (old, new)
    assert found.added["key"].tolist() == [fourth]
    assert found.removed["key"].tolist() == [THIRD]
    assert found.geometries["key"].tolist() == [SECOND]
    assert found.geometries["symmetric_m2"].tolist() == [pytest.approx(1000.0)]
    assert found.fields.query("key == @FIRST")[["field", "old", "new"]].to_numpy().tolist() == [
        ["YT", "0701", "0601"]
    ]
    assert found.unchanged == 0
    assert found.balance.residual_m2 == pytest.approx(0, abs=1e-6)
    assert found.balance.changed_m2 == pytest.approx(-1000, abs=0.1)
    assert layer_difference(project, "parcel", str(old), str(old)).unchanged == 3


def test_a_version_that_is_not_there_is_refused_by_name(project, tmp_path, apart):
    version = deliver(project, tmp_path, apart)
    with pytest.raises(UsageError, match=f"no version '77'.*{version}"):
        layer_difference(project, "parcel", str(version), "77")
    with pytest.raises(UsageError, match="raster"):
        layer_difference(project, "raster", "1", "2")
