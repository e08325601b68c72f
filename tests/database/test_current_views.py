"""The views of the land in force: what our readers take for current, and what programs of maps open."""

from __future__ import annotations

import ast
import os
import subprocess

import geopandas as gpd
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from lowland_gis import schema
from lowland_gis.pipeline.base.runs import current_versions
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels
from registered import owned

CODES = [f"120113100001GB{number:05d}" for number in range(1, 5)]


def deliver(project, folder, name, codes, part=None, shift=0.0):
    shapes = {code: box(120 * CODES.index(code) + shift, 0) for code in codes}
    path = write_parcels(folder / f"{name}.shp", shapes)
    return ingest(project, DeliverySettings(layer="parcel", source=str(path), part=part)).version_id


@pytest.fixture
def land(project, tmp_path):
    """Two parts, of which one was delivered again, and a layer that was delivered twice."""
    deliver(project, tmp_path, "north", CODES[:2], "北")
    deliver(project, tmp_path, "south", CODES[2:], "南")
    deliver(project, tmp_path, "again", CODES[2:3], "南", shift=5.0)
    for count in (2, 1):
        path = tmp_path / f"红线{count}.gpkg"
        shapes = [box(0, 0, 10 * count), box(50, 0)][:count]
        gpd.GeoDataFrame({"BSM": [str(n) for n in range(count)]}, geometry=shapes, crs=4548).to_file(path)
        ingest(project, DeliverySettings(layer="eco_redline", source=str(path)))
    return project


def test_they_show_the_deliveries_in_force_and_no_others(land):
    with land.snapshot() as connection:
        shown = connection.execute(
            "SELECT version_id, parcel_id FROM land.current_parcel ORDER BY 2"
        ).fetchall()
        current = current_versions(connection)
        features = connection.execute("SELECT layer, version_id FROM land.current_feature").fetchall()
    assert [code for _, code in shown] == CODES[:3]
    assert {number for number, _ in shown} == {version.version_id for version in current["parcel"]}
    assert features == [("eco_redline", current["eco_redline"][0].version_id)]


def test_every_view_of_land_has_a_key_of_one_integer_that_comes_once(land):
    with land.snapshot() as connection:
        for view in schema.VIEWS:
            if view.schema == schema.LAND:
                key = view.columns[0]
                assert key.kind == "bigint"
                counts = connection.execute(
                    f"SELECT count(*), count(DISTINCT {key.name}), count({key.name}) FROM {view.full_name}"  # noqa: S608 - of the dictionary
                ).fetchone()
                assert len(set(counts)) == 1


def source(project) -> str:
    """Return the database as GDAL names it."""
    parts = conninfo_to_dict(project.dsn)
    return "PG:" + " ".join(f"{name}='{value}'" for name, value in parts.items())


@pytest.mark.parametrize(
    ("view", "kind", "rows"),
    [
        ("current_parcel", "Multi Polygon", 3),
        ("current_feature", "Unknown (any)", 1),
        ("current_issue", "Point", None),
    ],
)
def test_programs_of_maps_recognise_geometry_system_and_key(land, view, kind, rows):
    """QGIS opens PostGIS by the same catalogue as GDAL: geometry column, type and SRID."""
    done = subprocess.run(
        ["ogrinfo", "-ro", "-so", source(land), f"land.{view}"], capture_output=True, text=True, check=True
    )
    assert f"Geometry: {kind}" in done.stdout
    assert 'ID["EPSG",4548]' in done.stdout
    assert f"Feature Count: {rows}" in done.stdout or rows is None
    assert "Geometry Column = " in done.stdout
    with psycopg.connect(land.dsn) as connection:
        srid = connection.execute(
            "SELECT srid FROM geometry_columns WHERE f_table_schema = 'land' AND f_table_name = %s", [view]
        ).fetchone()
    assert srid == (4548,)


IN_QGIS = """
import sys
from qgis.core import QgsApplication, QgsDataSourceUri, QgsVectorLayer
QgsApplication.setPrefixPath("/usr", True)
program = QgsApplication([], False)
program.initQgis()
uri = QgsDataSourceUri(sys.argv[1])
uri.setDataSource("land", "current_parcel", "geom", "", "parcel_no")
layer = QgsVectorLayer(uri.uri(False), "parcels", "postgres")
rows = sorted((row["parcel_id"], row["parcel_no"]) for row in layer.getFeatures())
print(layer.isValid(), layer.crs().authid(), layer.featureCount(), [layer.fields()[n].name() for n in layer.primaryKeyAttributes()])
print(rows)
"""


def test_qgis_opens_the_parcels_by_their_key(land):
    """A text as key would have QGIS keep a table of all keys; one integer is the number of the feature itself."""
    program = os.environ.get("LOWLAND_QGIS_PYTHON", "/usr/bin/python3")
    environment = {
        "PATH": os.environ["PATH"],
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": os.environ.get("HOME", "/tmp"),
    }
    done = subprocess.run(
        [program, "-c", IN_QGIS, land.dsn], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()[:2]
    assert first == "True EPSG:4548 3 ['parcel_no']"
    with land.snapshot() as connection:
        rows = connection.execute(
            "SELECT parcel_id, parcel_no FROM land.current_parcel ORDER BY 1"
        ).fetchall()
    assert ast.literal_eval(second) == rows


def test_who_may_only_read_may_read_them(land):
    with psycopg.connect(owned(land.dsn)) as connection:
        connection.execute("CREATE ROLE lowland_only_reads LOGIN")
        connection.execute("SELECT lowland.give_role('lowland_only_reads', 'reader', NULL)")
        connection.execute("GRANT lowland_only_reads TO CURRENT_USER")
        connection.execute("SET ROLE lowland_only_reads")
        assert connection.execute("SELECT count(*) FROM land.current_parcel").fetchone() == (3,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE land.current_parcel SET parcel_id = 'x'")
        connection.rollback()


def test_firms_and_doubts_of_deliveries_that_are_replaced_are_not_shown(land, tmp_path):
    for name in ("甲厂", "乙厂"):
        path = tmp_path / f"{name}.csv"
        path.write_text(f"QYMC,ZDDM,NF,SSZE\n{name},{CODES[0]},2023,viel\n", encoding="utf-8")
        newest = ingest(land, DeliverySettings(layer="enterprise", source=str(path))).version_id
    of_firms = "WHERE version_id IN (SELECT version_id FROM land.layer_version WHERE layer = 'enterprise')"
    with land.snapshot() as connection:
        for table in ("enterprise", "issue"):
            every, shown = (
                connection.execute(f"SELECT DISTINCT version_id FROM land.{name} {of_firms}").fetchall()  # noqa: S608 - fixed names
                for name in (table, f"current_{table}")
            )
            assert len(every) == 2
            assert shown == [(newest,)]


def test_a_whole_replaces_every_part_before_it(land, tmp_path):
    whole = deliver(land, tmp_path, "whole", CODES[1:])
    with land.snapshot() as connection:
        shown = connection.execute("SELECT version_id, parcel_id FROM land.current_parcel ORDER BY 2")
        assert shown.fetchall() == [(whole, code) for code in CODES[1:]]
