"""Two plain files tabulated in a database give what the local engine gives of them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import psycopg
import pytest
import shapely
from psycopg.conninfo import make_conninfo

from lowland_gis.errors import DatabaseError, InputRefusedError
from lowland_gis.pipeline.overlaps.engine import database_for
from made_files import box
from overlaid import LOCAL, files_by, in_sql

ROWS = 40


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    number = np.arange(ROWS)
    parcels = gpd.GeoDataFrame(
        {"ZDDM": [f"P{n}" for n in number], "BH": 100 - number},
        geometry=[box(90 * (n % 8), 70 * (n // 8)) for n in number],
        crs=4548,
    )
    circles = [box(37 * n, 11 * n).centroid.buffer(60) for n in range(30)]
    bow_tie = shapely.Polygon(
        [(515_000, 4_345_000), (515_100, 4_345_100), (515_100, 4_345_000), (515_000, 4_345_100)]
    )
    zones = gpd.GeoDataFrame(
        {"DLBM": [None, *(f"{n % 4:04}" for n in range(30))], "DLDM": [7, *(n % 12 for n in range(30))]},
        geometry=[bow_tie, *circles],
        crs=4548,
    )
    parcels.to_parquet("parcels.parquet")
    zones.to_parquet("zones.parquet")
    zones.to_crs(4490).to_file("degrees.gpkg")
    return tmp_path


@pytest.mark.parametrize("zones", ["zones.parquet", "degrees.gpkg"])
@pytest.mark.parametrize("by_field", ["DLBM", "DLDM", None])
@pytest.mark.parametrize("id_field", ["ZDDM", "BH", None])
def test_both_engines_give_the_same_table(files, database, zones, by_field, id_field):
    fields = {"id_field": id_field, "by_field": by_field}
    ours = files_by(LOCAL, "parcels.parquet", zones, **fields).to_pandas()
    theirs = files_by(in_sql(database), "parcels.parquet", zones, **fields).to_pandas()
    assert len(ours) > ROWS / 2
    keys = ["parcel_id", "code"]
    assert theirs[keys].to_numpy().tolist() == ours[keys].to_numpy().tolist()
    np.testing.assert_allclose(theirs["area_m2"], ours["area_m2"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(theirs["share"], ours["share"], rtol=0, atol=1e-9)


def test_what_was_repaired_is_told_and_nothing_stays(files, database):
    told: list[str] = []
    files_by(
        in_sql(database), "parcels.parquet", "zones.parquet", id_field=None, by_field=None, tell=told.append
    )
    assert any("1 × repair changed the area" in text for text in told)
    with psycopg.connect(database) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relname LIKE 'lowland_%' AND relkind = 'r'"
        )
        assert left.fetchone() == (0,)


@pytest.mark.parametrize(
    ("parcels", "zones", "fields", "words"),
    [
        ("degrees.gpkg", "zones.parquet", {}, "in degrees"),
        ("parcels.parquet", "zones.parquet", {"id_field": "nix"}, "there is no field 'nix'"),
        ("parcels.parquet", "zones.parquet", {"by_field": "nix"}, "It has: DLBM, DLDM"),
        (
            "zones.parquet",
            "parcels.parquet",
            {"id_field": "DLDM"},
            "12 values of DLDM stand for several parcels",
        ),
        ("table.csv", "zones.parquet", {}, "it holds no geometries"),
    ],
)
def test_bad_input_is_said_in_words(files, database, parcels, zones, fields, words):
    (files / "table.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputRefusedError, match=words):
        files_by(in_sql(database), parcels, zones, **({"id_field": None, "by_field": None} | fields))


def test_a_database_without_postgis_says_so(files, cluster, database):
    with psycopg.connect(make_conninfo(database, user="postgres")) as connection:
        connection.execute("DROP EXTENSION postgis CASCADE")
        connection.commit()
    with pytest.raises(DatabaseError, match="geometry"):
        files_by(in_sql(database), "parcels.parquet", "zones.parquet", id_field=None, by_field=None)


def test_without_a_database_there_is_advice(tmp_path, monkeypatch):
    monkeypatch.setenv("LOWLAND_STATE", str(tmp_path))
    with pytest.raises(DatabaseError, match="leave it away: the local engine"):
        database_for(tmp_path, None)
    assert database_for(tmp_path, "service=x") == "service=x"
