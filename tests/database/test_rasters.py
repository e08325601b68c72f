"""A raster stays a file: it is held against the digest of its delivery wherever it is read again."""

import zipfile

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from rasterio.transform import from_origin

from lowland_gis.cli import lowland
from lowland_gis.errors import InputRefusedError, RerunDiffersError
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.quality.check import check
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.pipeline.verdicts.rerun import rerun
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

PARCEL = "120113100001GB00001"


def write_raster(path, value, shift=0):
    x, y = box(-100 + shift, -100).bounds[:2]
    with rasterio.open(
        path, "w", driver="GTiff", width=40, height=40, count=1, dtype="float32", crs="EPSG:4548",
        transform=from_origin(x, y + 400, 10, 10),
    ) as raster:  # fmt: skip
        raster.write(np.full((1, 40, 40), value, dtype="float32"))
    return path


@pytest.fixture
def measured(project, tmp_path):
    """A parcel under a raster of 0.5, classified."""
    parcels = write_parcels(tmp_path / "宗地.shp", {PARCEL: box(0, 0)})
    ingest(project, DeliverySettings(layer="parcel", source=str(parcels)))
    district = gpd.GeoDataFrame(
        {"XZQDM": ["120113"], "XZQMC": ["区"]}, geometry=[box(-50, -50, 200, 200)], crs=4548
    )
    district.to_file(tmp_path / "区.gpkg", layer="XZQ")
    ingest(project, DeliverySettings(layer="district", source=f"{tmp_path / '区.gpkg'}:XZQ"))
    ingest(project, DeliverySettings(layer="raster", source=str(write_raster(tmp_path / "强度.tif", 0.5))))
    tabulate(project)
    measure(project)
    classify(project)
    return project


def built_intensity(project):
    with project.transaction() as connection:
        return connection.execute(
            "SELECT value FROM result.evidence WHERE measure = 'built_intensity' ORDER BY run_id DESC LIMIT 1"
        ).fetchone()[0]


def rerun_command(project):
    arguments = ["--project", str(project.settings.folder / "lowland.toml"), "classify", "rerun"]
    return CliRunner().invoke(lowland, arguments)


def test_the_delivered_raster_is_read_and_made_again_equally(measured):
    assert built_intensity(measured) == 0.5
    proof = rerun(measured, "latest")
    assert proof.differences.empty
    assert proof.compared["file"] == 1
    assert rerun_command(measured).exit_code == 0


@pytest.mark.parametrize("value", [0.5, 0.9])
def test_a_raster_that_was_replaced_differs_though_its_values_may_be_the_same(measured, tmp_path, value):
    path = write_raster(tmp_path / "强度.tif", value)
    with rasterio.open(path, "r+") as raster:
        raster.update_tags(by="another office")
    found = rerun(measured, "latest").differences
    assert found["table"].tolist() == ["file"]
    assert (found["key"][0], found["column"][0]) == (str(path), "sha256")
    assert found["recorded"][0] != found["rebuilt"][0]
    done = rerun_command(measured)
    assert isinstance(done.exception, RerunDiffersError)
    assert done.exception.exit_code == 5


def test_a_raster_that_is_gone_differs(measured, tmp_path):
    (tmp_path / "强度.tif").unlink()
    found = rerun(measured, "latest").differences
    assert found[["table", "rebuilt"]].to_numpy().tolist() == [["file", "gone"]]
    assert isinstance(rerun_command(measured).exception, RerunDiffersError)


@pytest.mark.parametrize("gone", [False, True])
def test_no_stage_reads_a_raster_that_is_not_the_delivered_one(measured, tmp_path, gone):
    """Measuring and checking refuse it by name; nothing of theirs is written, and the delivered file heals it."""
    path = tmp_path / "强度.tif"
    delivered = path.read_bytes()
    path.unlink() if gone else write_raster(path, 0.9)
    # Another parcel makes both stages run again.
    parcels = write_parcels(tmp_path / "宗地.shp", {PARCEL: box(0, 0, 90, 100)})
    ingest(measured, DeliverySettings(layer="parcel", source=str(parcels)))
    tabulate(measured)
    said = "is not there any more" if gone else "this is not the raster that was delivered .raster version"
    for stage in (measure, check):
        with pytest.raises(InputRefusedError, match=f"强度.tif: .*{said}"):
            stage(measured)
    path.write_bytes(delivered)
    measure(measured)
    check(measured)
    assert built_intensity(measured) == 0.5


def test_a_raster_delivered_anew_is_read(measured, tmp_path):
    ingest(measured, DeliverySettings(layer="raster", source=str(write_raster(tmp_path / "强度.tif", 0.9))))
    measure(measured)
    assert built_intensity(measured) == pytest.approx(0.9)
    # The classification of before rests on the delivery of before, whose file is no more.
    assert rerun(measured, "latest").differences["table"].tolist() == ["file"]


def test_a_raster_in_a_project_that_moved_is_found_below_it(measured, tmp_path):
    moved = tmp_path.parent / f"{tmp_path.name} moved"
    tmp_path.rename(moved)
    settings = measured.settings.model_copy(update={"folder": moved})
    assert rerun(type(measured)(settings, measured.dsn), "latest").differences.empty
    moved.rename(tmp_path)


def test_a_raster_behind_a_link_is_the_file_that_the_link_names(project, tmp_path):
    (tmp_path / "影像").mkdir()
    real = write_raster(tmp_path / "影像" / "2023.tif", 0.5)
    (tmp_path / "强度.tif").symlink_to(real)
    ingest(project, DeliverySettings(layer="raster", source="强度.tif"))
    ingest(
        project,
        DeliverySettings(
            layer="parcel", source=str(write_parcels(tmp_path / "宗地.shp", {PARCEL: box(0, 0)}))
        ),
    )
    tabulate(project)
    measure(project)
    assert built_intensity(project) == 0.5


def test_a_raster_in_a_zip_is_refused_for_it_would_be_gone(project, tmp_path):
    with zipfile.ZipFile(tmp_path / "强度.zip", "w") as archive:
        archive.write(write_raster(tmp_path / "强度.tif", 0.5), "强度.tif")
    with pytest.raises(InputRefusedError, match="cannot stay inside a zip"):
        ingest(project, DeliverySettings(layer="raster", source="强度.zip"))


def test_rasters_in_parts_are_all_read_and_a_parcel_on_their_seam_is_unknown(project, tmp_path):
    """Two tiles side by side: before, only the last one was read."""
    west, east, seam = (f"120113100001GB0000{number}" for number in range(1, 4))
    parcels = write_parcels(tmp_path / "宗地.shp", {west: box(0, 0), east: box(400, 0), seam: box(250, 120)})
    ingest(project, DeliverySettings(layer="parcel", source=str(parcels)))
    for part, value, shift in (("西", 0.25, 0), ("东", 0.75, 400)):
        path = write_raster(tmp_path / f"{part}.tif", value, shift)
        ingest(project, DeliverySettings(layer="raster", source=str(path), part=part))
    tabulate(project)
    measure(project)
    with project.transaction() as connection:
        found = connection.execute(
            "SELECT parcel_id, value FROM result.evidence WHERE measure = 'built_intensity' ORDER BY 1"
        ).fetchall()
    assert found == [(west, 0.25), (east, 0.75)]
