"""The whole flow refuses what is wrong before the first row is written."""

import datetime as dt

import geopandas as gpd
import pandas as pd
import psycopg
import pytest
import shapely

from lowland_gis.cli import main
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.errors import DatabaseError, DefinitionError, InputRefusedError, UsageError
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.base.runs import current_versions
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.flow import run
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels
from readings import explained

GOOD = "\n[[delivery]]\nlayer = 'parcel'\nsource = '宗地.shp'\n"


def count(project, table):
    with psycopg.connect(project.dsn) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - fixed names


def settled(project, text, *, old="", new=""):
    """The same project with other settings."""
    file = project.settings.folder / "lowland.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new) + text, encoding="utf-8")
    return open_project(file)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("[[delivery]]\nlayer = 'parcell'\nsource = '宗地.shp'\n", UsageError, "parcel"),
        (
            "[[delivery]]\nlayer = 'dltb2'\nsource = '二调.shp'\n[[delivery]]\nlayer = 'dltb3'\nsource = '三调.gdb:DLTB'\n",
            InputRefusedError,
            "2 of 3 deliveries",
        ),
        ("[classify]\npack = 'none'\n", DefinitionError, "none"),
        ("[package]\ndefinition = 'none'\n", DefinitionError, "none"),
    ],
)
def test_a_slip_in_the_project_file_changes_nothing(project, tmp_path, text, error, said):
    write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0)})
    with pytest.raises(error, match=said):
        run(settled(project, GOOD + text))
    assert count(project, "land.layer_version") == 0


def test_only_what_the_chosen_stages_need_is_looked_at(project, tmp_path):
    write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0)})
    run(settled(project, GOOD + "[classify]\npack = 'none'\n"), last="ingest")
    assert count(project, "land.parcel") == 1


def test_rows_set_aside_are_a_reason_to_end_with_1_only_where_it_is_strict(project, tmp_path, capsys):
    code = "120113100001GB00001"
    write_parcels(tmp_path / "宗地.shp", {code: box(0, 0), "": box(200, 0)})
    settled(project, GOOD)

    def ended(*more):
        with pytest.raises(SystemExit) as end:
            main(["--project", str(project.settings.folder / "lowland.toml"), *more])
        return end.value.code, capsys.readouterr().out

    assert ended("run", "--to", "ingest") == (
        0,
        "ingest     1 deliveries (0 there already), 1 records, 1 set aside, 2 issues (land.issue)\n",
    )
    assert ended("run", "--to", "ingest", "--strict")[0] == 1
    assert ended("ingest", "parcel", str(tmp_path / "宗地.shp"), "--part", "x")[0] == 2
    assert ended("ingest", "parcel", str(tmp_path / "宗地.shp"), "--as-of", "2024-01-01")[0] == 1
    assert ended("ingest", "parcel", str(tmp_path / "宗地.shp"), "--as-of", "2024-01-01")[0] == 1


def test_an_empty_delivery_does_not_take_the_place_of_a_full_one(project, tmp_path):
    path = str(write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0)}))
    ingest(project, DeliverySettings(layer="parcel", source=path))
    write_parcels(tmp_path / "宗地.shp", {"": box(0, 0)})
    with pytest.raises(InputRefusedError, match="none of its 1 rows can be used, so parcel would be empty"):
        ingest(project, DeliverySettings(layer="parcel", source=path))
    assert (count(project, "land.parcel"), count(project, "land.layer_version")) == (1, 1)
    ingest(project, DeliverySettings(layer="parcel", source=path, allow_empty=True))
    assert count(project, "land.layer_version") == 2


def test_a_project_of_another_plane_does_not_open(project):
    with pytest.raises(DatabaseError, match="EPSG:4548.*EPSG:4547"):
        settled(project, "", old="EPSG:4548", new="EPSG:4547")


def test_a_parcel_in_two_parts_is_refused_by_its_code(project, tmp_path):
    code = "120113100001GB00001"
    for part in ("北", "南"):
        path = write_parcels(tmp_path / f"{part}.shp", {code: box(0, 0)})
        ingest(project, DeliverySettings(layer="parcel", source=str(path), part=part))
    with pytest.raises(InputRefusedError, match=f"{code}.*count twice.*北.*南"):
        tabulate(project)
    assert count(project, "result.run") == 0


def test_an_explanation_of_a_run_of_another_stage_is_refused(project, tmp_path):
    path = write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0)})
    ingest(project, DeliverySettings(layer="parcel", source=str(path)))
    done = tabulate(project)
    with pytest.raises(UsageError, match=f"Run {done.run_id} is of the stage tabulate, not classify"):
        explained(project, "120113100001GB00001", str(done.run_id))
    with pytest.raises(UsageError, match=f"There is no run {done.run_id + 1}"):
        explained(project, "120113100001GB00001", str(done.run_id + 1))


def test_an_explanation_keeps_to_the_evidence_of_its_own_run(project, tmp_path):
    """What is asked of an older run is answered from the facts of that day, though newer ones are there."""
    code, classified = "120113100001GB00001", []
    for unit in (None, "120113100001GB00001F00010001"):
        path = write_parcels(tmp_path / "宗地.shp", {code: box(0, 0)}, BDCDYH=[unit])
        ingest(project, DeliverySettings(layer="parcel", source=str(path)))
        tabulate(project)
        measure(project)
        classified.append(classify(project).run_id)

    def registered(run_id):
        lines = [
            line
            for item in explained(project, code, run_id).questions
            for rule in item.rules
            for line in rule.clauses
            if line.measure == "registered"
        ]
        assert lines
        return {line.value for line in lines}

    assert [registered(str(run_id)) for run_id in classified] == [{0.0}, {1.0}]
    assert registered("latest") == {1.0}


@pytest.mark.parametrize(
    ("as_of", "in_force"),
    [("2020-06-30", "AE"), ("2020-07-01", "ABE"), ("2021-12-31", "ABE"), ("2022-01-01", "BE")],
)
def test_only_farmland_in_force_on_the_day_counts(project, tmp_path, as_of, in_force):
    """A: until 2022 began; B: from July 2020; E: without any date, which is in force."""
    days = {"A": ("2017-01-01", "2022-01-01"), "B": ("2020-07-01", None), "E": (None, None)}
    starts, ends = (pd.to_datetime([pair[place] for pair in days.values()]) for place in (0, 1))
    shapes = [box(200 * place, 0) for place in range(len(days))]
    frame = gpd.GeoDataFrame({"BSM": list(days), "BHKSSJ": starts, "BHJSSJ": ends}, geometry=shapes, crs=4548)
    frame.to_file(tmp_path / "永农.gpkg")
    ingest(project, DeliverySettings(layer="farmland", source=str(tmp_path / "永农.gpkg")))
    with project.transaction() as connection:
        found = land.features(
            connection,
            layer_definition("farmland"),
            current_versions(connection)["farmland"],
            dt.date.fromisoformat(as_of),
            srid=project.srid,
        )
    assert "".join(item["BSM"] for item in found["attributes"]) == in_force


def test_strips_of_the_second_survey_replace_the_ground_and_count_once(project, tmp_path):
    """A parcel half village (203) and half field (011), crossed by a highway (102) and, in the village, by a rural road (104)."""
    write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0, 100, 100)})
    gpd.GeoDataFrame({"BSM": [1, 2], "DLBM": ["203", "011"]}, geometry=[box(0, 0, 100, 50), box(0, 50, 100, 50)], crs=4548).to_file(tmp_path / "二调.gpkg")  # fmt: skip
    highway = shapely.LineString([(515_050, 4_344_900), (515_050, 4_345_200)])
    road = shapely.LineString([(515_000, 4_345_010), (515_100, 4_345_010)])
    gpd.GeoDataFrame({"DLBM": ["102", "104"], "KD": [10.0, 4.0]}, geometry=[highway, road], crs=4548).to_file(tmp_path / "线.gpkg")  # fmt: skip
    for layer, source in (("parcel", "宗地.shp"), ("dltb2", "二调.gpkg"), ("xzdw2", "线.gpkg")):
        ingest(project, DeliverySettings(layer=layer, source=source))
    tabulate(project)
    with psycopg.connect(project.dsn) as connection:
        rows = connection.execute(
            "SELECT code, round(area_m2::numeric, 1)::float8 FROM result.overlap"
        ).fetchall()
    # The highway takes 10 x 100, the road what the highway leaves of 4 x 100, the polygons keep the rest.
    assert dict(rows) == {"102": 1000.0, "104": 360.0, "203": 5000 - 500 - 360, "011": 4500.0}
    measure(project)
    with psycopg.connect(project.dsn) as connection:
        share = connection.execute(
            "SELECT value FROM result.evidence WHERE measure = 'construction2_share'"
        ).fetchone()[0]
    assert share == pytest.approx((1000 + 4140) / 10_000)
