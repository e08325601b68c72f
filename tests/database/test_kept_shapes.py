"""Shapes of parcels that one stage has read are those of the next, as long as the deliveries are the same."""

import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from lowland_gis.db import connect
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.runs import current_versions
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

FIRST, SECOND, THIRD = (f"120113100001GB0000{number}" for number in (1, 2, 3))
COLUMNS = ("parcel_id", "area_m2")


@pytest.fixture
def load(project, tmp_path):
    """A function that delivers parcels anew."""

    def deliver(parcels):
        path = write_parcels(tmp_path / f"{len(list(tmp_path.iterdir()))}.shp", parcels)
        ingest(project, DeliverySettings(layer="parcel", source=str(path)))

    return deliver


def read(project, kept=None):
    with connect.transaction(project.dsn) as connection:
        versions = current_versions(connection)
        return land.parcels(connection, versions, srid=project.srid, columns=COLUMNS, kept=kept)


def test_they_are_read_once_for_the_same_deliveries(project, load):
    load({FIRST: box(0, 0), SECOND: box(50, 0)})
    kept = {}
    first, second = read(project, kept), read(project, kept)
    assert_geodataframe_equal(first, read(project))
    assert_geodataframe_equal(second, first)
    assert all(one is other for one, other in zip(first.geometry, second.geometry, strict=True))


def test_other_deliveries_are_read_anew(project, load):
    load({FIRST: box(0, 0), SECOND: box(50, 0)})
    kept = {}
    read(project, kept)
    load({SECOND: box(0, 0), THIRD: box(50, 50)})
    found = read(project, kept)
    assert found["parcel_id"].tolist() == [SECOND, THIRD]
    assert_geodataframe_equal(found, read(project))
    assert_geodataframe_equal(read(project, kept), found)
    assert shapely.equals(found.geometry.iloc[0], read(project).geometry.iloc[0])
