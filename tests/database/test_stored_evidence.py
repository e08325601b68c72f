"""Evidence as it is stored: what is written as columns is shown row by row, is read back, and outlives a migration."""

import numpy as np
import pandas as pd
import psycopg
import pytest

from lowland_gis.db import connect, migrate
from lowland_gis.pipeline.evidence.stored import (
    Column,
    as_measured,
    read_measured,
    read_parcel,
    read_rows,
    write_evidence,
)
from registered import owned

SRID = 4548


@pytest.fixture
def database(database):
    """A fresh database, as its owner."""
    return owned(database)


NAN = np.nan
PARCELS = np.array(["P1", "P2", "P3"], dtype=object)
FOUND = {
    "share": Column(
        np.array([0.25, -0.0, NAN]), "dltb3 2023-12-31 v2", np.array([0.2, NAN, NAN]), np.array([0.3, NAN, NAN]),
        np.array(["203村庄 90%", None, None], dtype=object),
    ),
    "nobody": Column(np.full(3, NAN), "dltb2 v1"),
    "area": Column(np.array([1e-300, 2.5, NAN]), "parcel v3"),
}  # fmt: skip
PAPERS = pd.DataFrame(
    {"parcel_id": ["P3", "gone"], "measure": ["paper: x > 1", "area"], "value": [1.0, 7.0], "source": ["甲.pdf", "乙.pdf"]}
)  # fmt: skip
ROWS = [
    ("P1", "area", 1e-300, None, None, "parcel v3", None),
    ("P1", "share", 0.25, 0.2, 0.3, "dltb3 2023-12-31 v2", "203村庄 90%"),
    ("P2", "area", 2.5, None, None, "parcel v3", None),
    ("P2", "share", -0.0, None, None, "dltb3 2023-12-31 v2", None),
    ("P3", "paper: x > 1", 1.0, None, None, "甲.pdf", None),
    ("gone", "area", 7.0, None, None, "乙.pdf", None),
]


def run(connection, number):
    """Make a run that two parcels, and one without evidence, belong to."""
    connection.execute(
        "INSERT INTO result.run (run_id, stage, started_at, finished_at, code_version, inputs, settings, digest) OVERRIDING SYSTEM VALUE"
        " VALUES (%s, 'measure', now(), now(), 'x', '{}', '{}', 'x')",
        [number],
    )


def parcels(connection):
    """Make a delivery of the parcels, in another order than that of their codes."""
    connection.execute("CREATE TABLE land_part.parcel_1 PARTITION OF land.parcel FOR VALUES IN (1)")
    for number, name in enumerate(["P3", "P1", "P2"]):
        connection.execute(
            "INSERT INTO land.parcel (version_id, parcel_id, row_no, attributes, area_m2, planar_m2, geom)"
            " VALUES (1, %s, %s, '{}', 0, 0, 'SRID=4548;MULTIPOLYGON EMPTY')",
            [name, number],
        )


@pytest.fixture
def written(database):
    """A database with one run that has written what was found, and one that found nothing."""
    with connect.transaction(database) as connection:
        parcels(connection)
        for number in (1, 2):
            run(connection, number)
        write_evidence(connection, 1, PARCELS, FOUND, [PAPERS], srid=SRID)
        write_evidence(connection, 2, PARCELS, {}, srid=SRID)
    return database


def shown(dsn):
    """Return the rows of the view, sorted, with the sign of zero."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT parcel_id, measure, value, low, high, source, detail FROM result.evidence WHERE run_id = 1"
        ).fetchall()
    return repr(sorted(rows, key=lambda row: row[:2]))


def test_the_view_shows_a_row_for_every_known_value(written):
    assert shown(written) == repr(ROWS)
    with psycopg.connect(written) as connection:
        assert connection.execute("SELECT count(*) FROM result.evidence WHERE run_id = 2").fetchone() == (0,)


def test_it_comes_back_as_columns(written):
    with connect.transaction(written) as connection:
        found = read_measured(connection, 1, [1])
        nothing = read_measured(connection, 2, [1])
    assert nothing == {}
    assert list(found) == ["area", "paper: x > 1", "share"]
    np.testing.assert_array_equal(found["share"].value, [0.25, -0.0, NAN])
    assert np.signbit(found["share"].value[1])
    np.testing.assert_array_equal(found["share"].low, [0.2, -0.0, NAN])
    np.testing.assert_array_equal(found["share"].high, [0.3, -0.0, NAN])
    np.testing.assert_array_equal(found["area"].value, [1e-300, 2.5, NAN])
    np.testing.assert_array_equal(found["paper: x > 1"].high, [NAN, NAN, 1.0])


def test_what_a_run_hands_on_is_what_is_read(written):
    with connect.transaction(written) as connection:
        found = read_measured(connection, 1, [1])
    handed = as_measured(PARCELS, FOUND, [PAPERS])
    assert as_measured(PARCELS, {}) == {}
    assert list(handed) == list(found)
    for name, item in found.items():
        for end in ("value", "low", "high"):
            assert getattr(handed[name], end).tobytes() == getattr(item, end).tobytes(), (name, end)


def test_one_parcel_and_all_rows_are_read(written):
    with connect.transaction(written) as connection:
        one = read_parcel(connection, [1, 2], "P1")
        rows = read_rows(connection, 1, ["parcel_id", "measure"])
    assert {name: (item.value, item.high, item.detail) for name, item in one.items()} == {
        "share": (0.25, 0.3, "203村庄 90%"), "area": (1e-300, None, None),
    }  # fmt: skip
    assert sorted(map(tuple, rows.to_numpy().tolist())) == [row[:2] for row in ROWS]


def test_a_run_goes_with_its_evidence(written):
    with psycopg.connect(written) as connection:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("DELETE FROM result.run WHERE run_id = 1")
        connection.rollback()
        connection.execute("DELETE FROM result.evidence_measure")
        connection.execute("DELETE FROM result.evidence_apart")
        connection.execute("DELETE FROM result.run")
        assert connection.execute("SELECT count(*) FROM result.parcel_evidence").fetchone() == (0,)


def test_no_digit_is_lost_on_the_way_down_and_up(written):
    migrate.downgrade(written, SRID, "0010")
    assert shown(written) == repr(ROWS)
    with psycopg.connect(written) as connection:
        # What older programs wrote may have any source, a band with one end, or no number at all.
        connection.execute(
            "INSERT INTO result.evidence (run_id, parcel_id, measure, value, low, high, source, detail) VALUES"
            " (1, 'P3', 'area', 'NaN', NULL, NULL, 'parcel v3', NULL), (1, 'P4', 'area', 'inf', 1, NULL, 'parcel v3', 'x'),"
            " (2, 'P1', 'share', 0.5, NULL, NULL, 'other v9', NULL)"
        )
    before = shown(written)
    migrate.upgrade(written, SRID)
    assert shown(written) == before
    with psycopg.connect(written) as connection:
        assert connection.execute(
            "SELECT value, source FROM result.evidence WHERE run_id = 2"
        ).fetchall() == [(0.5, "other v9")]
        held = connection.execute(
            "SELECT run_id, count(*) FROM result.parcel_evidence GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert held == [(1, 3), (2, 1)]
    migrate.downgrade(written, SRID, "0010")
    assert shown(written) == before
