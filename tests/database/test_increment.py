"""The increment of the yearly survey in the database: read as what it is, and held against the bases of both years."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from lowland_gis.pipeline.base.runs import current_versions, versions_before
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.quality.check import check
from lowland_gis.pipeline.quality.increment import held_increment
from lowland_gis.sample import write_second_year
from lowland_gis.sample.deliveries import ShapefileForm
from lowland_gis.sample.increment_forms import DLTBGX, DLTBGXGC
from lowland_gis.sample.second import DELIVERIES, INCREMENT, SURVEY
from lowland_gis.sample.write import write_shapefile
from lowland_gis.settings import DeliverySettings

BEFORE, NOW = dt.date(2023, 12, 31), dt.date(2024, 12, 31)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("second")
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


def test_the_towns_of_the_increment_are_read(project, files):
    done = deliver(project, "town_change", str(files / INCREMENT / "XZQGX.shp"))
    assert (done.n_loaded, done.n_rejected, done.n_issues) == (2, 0, 0)
    with project.snapshot() as connection:
        names = connection.execute(
            "SELECT attributes->>'XZQMC' FROM land.feature WHERE layer = 'town_change'"
        ).fetchall()
    assert all(name.endswith("镇") for (name,) in names)
    check(project)
    with project.snapshot() as connection:
        assert connection.execute("SELECT count(*) FROM land.finding").fetchone() == (0,)
