"""Where a delivery lies: held against the plane and the district, degrees of satellites without a shift, areas by the ellipsoid."""

import geopandas as gpd
import psycopg
import pytest
import shapely
from pyproj import Geod

from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings
from made_files import box

CODE = "120113100001GB00001"


def rows(project, query):
    with psycopg.connect(project.dsn) as connection:
        return connection.execute(query).fetchall()


def deliver(project, layer, frame, folder, name="a.gpkg", **options):
    path = folder / name
    path.unlink(missing_ok=True)
    frame.to_file(path)
    return ingest(project, DeliverySettings(layer=layer, source=str(path), **options))


def parcels(*shapes, crs=4548):
    codes = [f"120113100001GB{number:05}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"ZDDM": codes}, geometry=list(shapes), crs=crs)


def district(shape):
    return gpd.GeoDataFrame({"XZQDM": ["120113"], "XZQMC": ["北辰区"]}, geometry=[shape], crs=4548)


def test_the_same_numbers_in_another_part_of_the_world_are_refused(project, tmp_path):
    """UTM 18 north of Philadelphia: as EPSG:4548 its numbers lie 75 km north of Beichen."""
    deliver(project, "district", district(box(0, 0, 3000, 3000)), tmp_path)
    there = parcels(shapely.box(486_000, 4_481_000, 486_100, 4_481_100), crs=32618)
    with pytest.raises(InputRefusedError, match="at least 136 km outside the district"):
        deliver(project, "parcel", there, tmp_path, src_crs="EPSG:4548")
    assert rows(project, "SELECT count(*) FROM land.parcel") == [(0,)]


def test_a_wrong_district_can_be_delivered_again(project, tmp_path):
    deliver(project, "district", district(box(0, 400_000, 3000, 3000)), tmp_path)
    again = deliver(project, "district", district(box(0, 0, 3000, 3000)), tmp_path)
    assert again.n_loaded == 1
    assert "397.0 km outside" in again.warnings[0]


@pytest.mark.parametrize(("name", "system"), [("gps.geojson", 4326), ("gps.gpkg", 9000), ("gps.gpkg", 32650)])
def test_parcels_of_gps_have_the_area_of_the_ellipsoid(project, tmp_path, name, system):
    degrees = shapely.box(117.2, 39.25, 117.201, 39.251)
    frame = parcels(degrees, crs=4326)
    loaded = deliver(
        project,
        "parcel",
        frame.to_crs(system) if system == 32650 else frame.set_crs(system, allow_override=True),
        tmp_path,
        name,
    )
    ((area,),) = rows(project, "SELECT area_m2 FROM land.parcel")
    # The survey divides edges on the plane and rounds seconds of arc to six digits.
    truth = abs(Geod(ellps="GRS80").geometry_area_perimeter(degrees)[0])
    assert area == pytest.approx(truth, abs=0.02)
    assert rows(project, "SELECT rule, action FROM land.issue") == [("datum_null_shift", "kept")]
    assert " was taken for China Geodetic Coordinate System 2000 without a shift" in loaded.warnings[0]


def test_maps_of_the_internet_are_found_out_in_degrees_of_wgs_84(project, tmp_path):
    """GeoJSON of a map of the internet says WGS 84; held against the district, its offset is seen all the same."""
    from lowland_gis.analysis.geometry.offset import gcj02_shift

    deliver(project, "district", district(box(0, 0, 3000, 3000)), tmp_path)
    tiles = parcels(*(box(1000 * x, 1000 * y, 1000, 1000) for x in range(3) for y in range(3)))
    shifted = tiles.set_geometry(
        shapely.transform(tiles.geometry.to_numpy(), lambda xy: xy + gcj02_shift(xy, project.plane)), crs=4548
    )
    degrees = shifted.to_crs(4490).set_crs(4326, allow_override=True)
    deliver(project, "parcel", degrees, tmp_path, "karte.geojson")
    found = rows(
        project,
        "SELECT rule FROM land.issue i JOIN land.layer_version USING (version_id) WHERE layer = 'parcel' ORDER BY 1",
    )
    assert found == [("datum_null_shift",), ("offset_gcj02",)]


def test_points_of_gps_lie_where_the_same_degrees_of_cgcs2000_do(project, tmp_path):
    points = gpd.GeoDataFrame(
        {"BSM": ["1"], "DLBM": ["0601"], "MJ": [12.5]}, geometry=[shapely.Point(117.2, 39.25)], crs=4326
    )
    path = tmp_path / "gps.geojson"
    points.to_file(path)
    ingest(project, DeliverySettings(layer="lxdw2", source=str(path)))
    ((x, y),) = rows(project, "SELECT ST_X(geom), ST_Y(geom) FROM land.feature")
    same = points.set_crs(4490, allow_override=True).to_crs(4548).geometry.iloc[0]
    assert (x, y) == (pytest.approx(same.x, abs=1e-6), pytest.approx(same.y, abs=1e-6))
    assert ("datum_null_shift", "kept") in rows(project, "SELECT rule, action FROM land.issue")
