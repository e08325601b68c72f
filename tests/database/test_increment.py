"""The increment of the yearly survey in the database: read as what it is, and held against the bases of both years."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from click.testing import CliRunner

from lowland_gis.cli import lowland
from lowland_gis.pipeline.base.runs import current_versions, versions_before
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.quality.check import check
from lowland_gis.pipeline.quality.increment import held_increment
from lowland_gis.sample import write_district, write_second_year
from lowland_gis.sample.deliveries import SOURCES, ShapefileForm
from lowland_gis.sample.increment_forms import DLTBGX, DLTBGXGC, XZQGX, XZQGXGC
from lowland_gis.sample.second import DELIVERIES, INCREMENT, SURVEY
from lowland_gis.sample.write import write_shapefile
from lowland_gis.settings import DeliverySettings
from made_files import box

TOWNS = SOURCES["town"]
BEFORE, NOW = dt.date(2023, 12, 31), dt.date(2024, 12, 31)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("second")
    write_district(folder, parcels=200, seed=3)
    write_second_year(folder, parcels=200, seed=3)
    return folder / DELIVERIES


def deliver(project, layer: str, source: str, day: dt.date = NOW):
    return ingest(project, DeliverySettings(layer=layer, source=source, as_of=day))


def bases(project, files: Path) -> None:
    deliver(project, "dltb_annual", f"{files / SURVEY}:DLTB2023", BEFORE)
    deliver(project, "dltb_annual", f"{files / SURVEY}:DLTB2024")


def increment(project, files: Path, **spoil) -> None:
    """Deliver the increment; a layer that is named goes through a function first."""
    forms: dict[str, tuple[str, ShapefileForm]] = {
        "dltb_change": ("DLTBGX", DLTBGX),
        "dltb_process": ("DLTBGXGC", DLTBGXGC),
    }
    for layer, (name, form) in forms.items():
        path = files / INCREMENT / f"{name}.shp"
        if layer in spoil:
            frame = spoil[layer](gpd.read_file(path))
            path = project.settings.folder / f"{name}.shp"
            write_shapefile(path, frame, form, crs="EPSG:4548")
        deliver(project, layer, str(path))


def told(project):
    check(project, suite="relations")
    with project.snapshot() as connection:
        return connection.execute(
            "SELECT layer, subject, keys, message, ST_AsText(place) FROM land.finding WHERE rule = 'increment' AND status = 'open' ORDER BY message"
        ).fetchall()


def held(project):
    with project.snapshot() as connection:
        return held_increment(connection, current_versions(connection), project)


def test_an_increment_that_fits_has_no_finding_and_gives_the_lineage(project, files):
    bases(project, files)
    increment(project, files)
    assert told(project) == []
    found = held(project)
    assert found.checked.issues.empty
    assert found.checked.balance.residual_m2 == 0.0
    assert found.lacking == ()
    process = gpd.read_file(files / INCREMENT / "DLTBGXGC.shp")
    assert len(found.pieces) == len(process)
    assert set(zip(found.lineage["before"], found.lineage["after"], strict=True)) == set(
        zip(process["BGQTBBSM"], process["BGHTBBSM"], strict=True)
    )
    assert found.lineage["area_m2"].sum() == pytest.approx(process["TBBGMJ"].sum(), abs=0.001)
    assert found.pieces.area.sum() == pytest.approx(process.area.sum(), abs=1e-3)


def test_what_does_not_match_is_a_finding_with_its_place(project, files):
    bases(project, files)
    changed = gpd.read_file(files / INCREMENT / "DLTBGX.shp")
    lost = changed.iloc[0]
    increment(project, files, dltb_change=lambda frame: frame.iloc[1:])
    rows = told(project)
    assert rows, "a polygon that the increment leaves out"
    assert {row[0] for row in rows} == {"dltb_change"}
    assert {row[1] for row in rows} <= {"silent_change", "came_unexplained", "unknown_after"}
    assert all(row[2] == [lost["BSM"]] for row in rows)
    assert all(lost["BSM"] in row[3] for row in rows)
    assert all(lost.geometry.contains(point) for point in gpd.GeoSeries.from_wkt([row[4] for row in rows]))
    # Delivered whole, it is told no more.
    increment(project, files)
    assert told(project) == []


def test_areas_that_do_not_add_up_are_told_to_the_hundredth(project, files):
    bases(project, files)
    increment(
        project,
        files,
        dltb_process=lambda frame: frame.assign(
            TBBGMJ=np.where(frame.index == 0, frame["TBBGMJ"] + 0.01, frame["TBBGMJ"])
        ),
    )
    assert {row[1] for row in told(project)} == {"before_area", "after_area"}


def test_without_the_base_of_the_year_before_it_is_said_that_nothing_was_checked(project, files):
    deliver(project, "dltb_annual", f"{files / SURVEY}:DLTB2024")
    increment(project, files)
    ((layer, _, _, message, _),) = told(project)
    assert layer == "dltb_change"
    assert "not checked: dltb_annual of the year before is not there" in message
    assert held(project).lacking == ("dltb_annual of the year before",)
    assert held(project).checked is None


def test_no_increment_is_none(project, files):
    bases(project, files)
    assert held(project) is None
    with project.snapshot() as connection:
        current = current_versions(connection)["dltb_annual"]
        assert [version.as_of for version in current] == [NOW]
        assert [version.as_of for version in versions_before(connection, current)] == [BEFORE]


def towns(project, files: Path, *, base: bool = True, process: bool = True, spoil=None) -> None:
    """Deliver the towns of both years, and those of the increment; `spoil` goes over the layer of changes."""
    if base:
        deliver(project, "town", f"{files.parents[1] / 'incoming'}/{TOWNS}", BEFORE)
    deliver(project, "town", f"{files / TOWNS}")
    path = files / INCREMENT / "XZQGX.shp"
    if spoil is not None:
        frame, path = spoil(gpd.read_file(path)), project.settings.folder / "XZQGX.shp"
        write_shapefile(path, frame, XZQGX, crs="EPSG:4548")
    deliver(project, "town_change", str(path))
    if process:
        deliver(project, "town_process", str(files / INCREMENT / "XZQGXGC.shp"))


def told_of_towns(project):
    check(project, suite="relations")
    with project.snapshot() as connection:
        return connection.execute(
            "SELECT layer, subject, keys, message, ST_AsText(place) FROM land.finding WHERE rule = 'increment_town' AND status = 'open'"
            " ORDER BY message"
        ).fetchall()


@pytest.mark.parametrize("process", [True, False])
def test_the_towns_of_the_increment_make_those_of_the_year(project, files, process):
    towns(project, files, process=process)
    assert told_of_towns(project) == []


def test_a_town_that_the_increment_leaves_out_is_named_with_its_place(project, files):
    changed = gpd.read_file(files / INCREMENT / "XZQGX.shp")
    towns(project, files, spoil=lambda frame: frame.iloc[1:])
    ((layer, subject, keys, message, place),) = told_of_towns(project)
    assert (layer, subject, keys) == ("town_change", "silent_change", [changed["XZQDM"].iloc[0]])
    assert changed["XZQDM"].iloc[0] in message
    assert changed.geometry.iloc[0].contains(gpd.GeoSeries.from_wkt([place])[0])
    # Delivered whole, it is told no more.
    deliver(project, "town_change", str(files / INCREMENT / "XZQGX.shp"))
    assert told_of_towns(project) == []


def test_a_strip_that_the_process_layer_leaves_out_is_missing_from_both_towns(project, files):
    towns(project, files)
    frame = gpd.read_file(files / INCREMENT / "XZQGXGC.shp")
    path = project.settings.folder / "XZQGXGC.shp"
    write_shapefile(path, frame[frame["BGQXZQDM"] == frame["BGHXZQDM"]], XZQGXGC, crs="EPSG:4548")
    deliver(project, "town_process", str(path))
    rows = told_of_towns(project)
    assert {row[1] for row in rows} == {"balance"}
    assert sorted(key for row in rows for key in row[2]) == sorted(set(frame["BGHXZQDM"]))


def test_without_the_towns_of_the_year_before_it_is_said_that_nothing_was_checked(project, files):
    towns(project, files, base=False)
    ((_, _, _, message, _),) = told_of_towns(project)
    assert "not checked: town of the year before is not there" in message


def test_the_layers_of_towns_and_built_up_areas_are_read(project, files):
    for layer, name, count in (("town_change", "XZQGX", 2), ("town_process", "XZQGXGC", 3)):
        done = deliver(project, layer, str(files / INCREMENT / f"{name}.shp"))
        assert (done.n_loaded, done.n_rejected, done.n_issues) == (count, 0, 0)
    place = project.settings.folder / "更新.gpkg"
    built = {
        "BSM": ["120113000000000001", "120113000000000002"], "YSDM": "2099030100", "CZCLX": ["203", "999"],
        "CZCDM": "1201131000020000000", "CZCMC": "示例村", "CZCMJ": [10_000.0, 10_000.0], "GXSJ": "2024-12-31",
    }  # fmt: skip
    shapes = [box(0, 0, 100, 100), box(200, 0, 100, 100)]
    gpd.GeoDataFrame(built, geometry=shapes, crs=4548).to_file(place, layer="CZCDYDGX")
    done = deliver(project, "czcdyd_change", f"{place}:CZCDYDGX")
    assert (done.n_loaded, done.n_rejected, done.n_issues) == (2, 0, 1)
    with project.snapshot() as connection:
        names = connection.execute(
            "SELECT attributes->>'XZQMC' FROM land.feature WHERE layer = 'town_change'"
        ).fetchall()
    assert all(name.endswith("镇") for (name,) in names)
    check(project)
    with project.snapshot() as connection:
        found = connection.execute("SELECT layer, rule, keys FROM land.finding").fetchall()
    assert {(layer, rule) for layer, rule, _ in found} == {("czcdyd_change", "code_settlement")}


def test_what_a_layer_is_is_seen_by_its_name(project, files):
    for name, layer in (("XZQGX", "town_change"), ("XZQGXGC", "town_process")):
        done = CliRunner().invoke(lowland, ["inspect", str(files / INCREMENT / f"{name}.shp")])
        assert layer in done.output, done.output
