"""Overlaps between tables of a database, by names that need quoting, against the local engine on the same shapes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pytest
import shapely
from psycopg import sql

from lowland_gis.engines import frames, postgis
from lowland_gis.engines.postgis import Relation
from made_files import box
from overlaid import in_sql, overlaps
from registered import owned

CRS = 4548


@pytest.fixture
def connection(database: str):
    with psycopg.connect(owned(database)) as made:
        yield made


def stars(count: int, seed: int) -> np.ndarray:
    """Return ragged stars of 5 to 40 corners, thrown over 2 km."""
    random = np.random.default_rng(seed)
    shapes = []
    for corners in random.integers(5, 40, count):
        angles = np.sort(random.uniform(0, 2 * np.pi, corners))
        radius = random.uniform(30, 200, corners)
        centre = np.array([515_000, 4_345_000]) + random.uniform(0, 2000, 2)
        shapes.append(
            shapely.Polygon(centre + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1))
        )
    return shapely.make_valid(np.array(shapes, dtype=object), method="structure", keep_collapsed=False)


def table(
    connection, name: tuple[str, ...], column: str, values: list, shapes: np.ndarray, geometry: str
) -> None:
    place = sql.Identifier(*name)
    connection.execute(
        sql.SQL("CREATE TABLE {} ({} text, {} geometry)").format(
            place, *map(sql.Identifier, (column, geometry))
        )
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            sql.SQL("INSERT INTO {} VALUES (%s, ST_GeomFromWKB(%s))").format(place),
            [(value, shapely.to_wkb(shape)) for value, shape in zip(values, shapes, strict=True)],
        )


def test_tables_give_what_frames_give(connection, database):
    parcels = gpd.GeoDataFrame({"parcel_id": [f"P{n}" for n in range(120)]}, geometry=stars(120, 1), crs=CRS)
    zones = gpd.GeoDataFrame({"code": [f"{n % 7:02}" for n in range(300)]}, geometry=stars(300, 2), crs=CRS)
    connection.execute('CREATE SCHEMA "Bürö 数据"')
    table(
        connection,
        ("Bürö 数据", 'p"; --'),
        "宗地代码",
        parcels["parcel_id"].tolist(),
        parcels.geometry.array,
        "Das Geom",
    )
    table(connection, ("zones",), "select", zones["code"].tolist(), zones.geometry.array, "geom")
    found = postgis.overlaps(
        connection,
        Relation(("Bürö 数据", 'p"; --'), "宗地代码", geometry="Das Geom"),
        Relation(("zones",), "select"),
    )
    expected = overlaps(parcels, zones)
    assert len(expected) > 300
    assert found.columns.tolist() == expected.columns.tolist()
    assert found[["parcel_id", "code"]].equals(expected[["parcel_id", "code"]].astype(object))
    np.testing.assert_allclose(found["area_m2"], expected["area_m2"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["share"], expected["share"], rtol=0, atol=1e-9)
    again = frames.overlaps(in_sql(database), parcels, zones)
    pd.testing.assert_frame_equal(again, expected, check_exact=False, rtol=0, atol=1e-6, check_dtype=False)


def test_without_a_code_there_is_one(connection):
    table(connection, ("p",), "id", ["a"], np.array([box(0, 0)]), "geom")
    table(connection, ("z",), "code", ["x", None], np.array([box(0, 0, 50), box(50, 0, 10)]), "geom")
    assert postgis.overlaps(
        connection, Relation(("p",), "id"), Relation(("z",), None)
    ).to_numpy().tolist() == [["a", "all", 6000, 0.6]]
    assert postgis.overlaps(
        connection, Relation(("p",), "id"), Relation(("z",), "code")
    ).to_numpy().tolist() == [
        ["a", "", 1000, 0.1],
        ["a", "x", 5000, 0.5],
    ]


def test_parcels_need_a_name(connection):
    with pytest.raises(ValueError, match="a column that names them"):
        postgis.statement(Relation(("p",), None), Relation(("z",), None))


def test_nothing_stays_behind(connection, database):
    frames_ = (
        gpd.GeoDataFrame({"parcel_id": ["a"]}, geometry=[box(0, 0)], crs=CRS),
        gpd.GeoDataFrame({"code": ["x"]}, geometry=[box(0, 0)], crs=CRS),
    )
    for _ in range(2):
        assert frames.overlaps(in_sql(database), *frames_)["share"].tolist() == [1.0]
    left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'lowland%' AND relkind = 'r'"
    assert connection.execute(left).fetchone() == (0,)
