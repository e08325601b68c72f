"""Geometries in every form that bytes can have go into the database, or are set aside with the reason; none ends the delivery."""

import psycopg
import pytest

from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings
from odd_shapes import ODD, write_odd

WHOLE = {"square": 10_000, "empty hole": 10_000, "hole and empty hole": 9_600, "part with an empty hole": 10_000,
         "hole of three points": 10_000, "part of three points": 10_000, "collection with an empty hole": 10_000,
         "arcs with an empty hole": 10_000, "hole of no area": 10_000, "big endian": 10_000, "SRID": 10_000}  # fmt: skip


def test_every_form_is_loaded_or_set_aside(project, tmp_path):
    write_odd(
        tmp_path / "图斑.parquet",
        list(ODD.values()),
        BSM=list(ODD),
        DLBM=["0601"] * len(ODD),
        DLMC=["工业用地"] * len(ODD),
    )
    loaded = ingest(project, DeliverySettings(layer="dltb3", source=str(tmp_path / "图斑.parquet")))
    assert (loaded.n_read, loaded.n_loaded + loaded.n_rejected) == (len(ODD), len(ODD))
    with psycopg.connect(project.dsn) as connection:
        areas = dict(
            connection.execute("SELECT attributes->>'BSM', ST_Area(geom) FROM land.feature").fetchall()
        )
        bytes_kept = dict(
            connection.execute(
                "SELECT key, received_wkb FROM land.issue WHERE rule = 'geometry_empty_hole'"
            ).fetchall()
        )
        short = connection.execute(
            "SELECT received_wkb FROM land.issue WHERE key = 'hole of three points'"
        ).fetchone()
        broken = connection.execute("SELECT count(*) FROM land.feature WHERE NOT ST_IsValid(geom)").fetchone()
    assert broken == (0,)
    assert {name: areas[name] for name in WHOLE} == pytest.approx(WHOLE)
    # What the database does not take as it came is kept as bytes beside the reason.
    assert bytes_kept["empty hole"] == ODD["empty hole"]
    assert short == (ODD["hole of three points"],)
