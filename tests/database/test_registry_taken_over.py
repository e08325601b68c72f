"""A database of the revision before, with data: its rows become the first events of their entries, with their own days and authors."""

import datetime as dt

import psycopg

from lowland_gis.db import migrate

SRID = 4548
SQUARE = "SRID=4548;MULTIPOLYGON(((0 0, 10 0, 10 10, 0 0)))"
BEFORE = """
INSERT INTO registry.low_efficiency (parcel_id, town_code, kind, rule, area_m2, state, run_id, recorded_at, recorded_by) VALUES
    ('P1', '120113101', 'town', 'r', 100, 'draft', 1, '2024-02-29 17:00+00', 'ann'),
    ('P2', NULL, 'town', 'r', 50, 'draft', 1, '2024-02-29 15:00+00', 'ann'),
    ('P1', '120113101', 'village', 'r', 100, 'draft', 2, '2024-03-05 00:00+00', 'bob'),
    ('P1', '120113101', 'village', 'r', 100, 'withdrawn', 3, '2024-03-06 00:00+00', 'bob'),
    ('P2', NULL, 'town', 'r', 50, 'approved', 3, '2024-03-07 00:00+00', 'eve');
INSERT INTO registry.legacy (parcel_id, retention, clauses, area_m2, state, run_id, recorded_at, recorded_by)
    VALUES ('P1', 'yes', '{"a": "t"}', 100, 'draft', 1, '2024-03-01', 'ann');
INSERT INTO registry.problem (parcel_id, question, clause, needed, office, state, run_id, recorded_at, recorded_by) VALUES
    ('P1', 'kind', '税收', 'x', 'x', 'draft', 1, '2024-03-01', 'ann'),
    ('P1', 'kind', '消防', 'x', 'x', 'draft', 1, '2024-03-01', 'ann'),
    ('P1', 'kind', '税收', 'x', 'x', 'withdrawn', 2, '2024-03-02', 'ann');
INSERT INTO registry.document (parcel_id, condition, says, file_name, sha256, size_bytes, state, recorded_at, recorded_by) VALUES
    ('P1', 'c', true, '纸.pdf', 'aa', 7, 'registered', '2024-03-03', 'ann'),
    ('P2', 'c', true, 'other.pdf', 'aa', 7, 'registered', '2024-03-04', 'bob');
"""
UNIT = (
    "INSERT INTO registry.unit (number, unit_id, parcels, area_m2, low_share, value_m2, ledger, geom, state, reason, run_id, recorded_at,"
    " recorded_by) VALUES ('N1', 'u1', '[\"P1\"]', 1, 0.5, 1, '{}', %s, %s, %s, 1, %s, 'ann')"
)


def test_what_was_registered_before_becomes_events_and_links(database):
    migrate.downgrade(database, SRID, "0013")
    with psycopg.connect(database) as connection:
        connection.execute(BEFORE)
        connection.execute(UNIT, [SQUARE, "frozen", None, "2024-03-01"])
        connection.execute(UNIT, [SQUARE, "withdrawn", "道路改线", "2024-03-09"])
    migrate.upgrade(database, SRID)
    assert migrate.differences(database, SRID) == []
    with psycopg.connect(database) as connection:
        events = connection.execute(
            "SELECT register, subject, matter, version, from_state, to_state, on_date, event.recorded_by, reason, content, move, drafted_row"
            " FROM registry.event JOIN registry.entry USING (entry_id) ORDER BY register, subject, matter, version"
        ).fetchall()
        papers = connection.execute(
            "SELECT sha256, has_file, file_name, size_bytes, content, recorded_by FROM registry.paper"
        ).fetchall()
        current = dict(
            connection.execute(
                "SELECT register || ' ' || subject || matter, state FROM registry.current_entry"
            ).fetchall()
        )
        towns = dict(
            connection.execute(
                "SELECT subject, town_code FROM registry.entry WHERE register = 'low_efficiency'"
            ).fetchall()
        )
    day = dt.date
    assert [row[:9] for row in events] == [
        ("legacy", "P1", "", 1, None, "draft", day(2024, 3, 1), "ann", None),
        ("low_efficiency", "P1", "", 1, None, "draft", day(2024, 3, 1), "ann", None),
        ("low_efficiency", "P1", "", 2, "draft", "draft", day(2024, 3, 5), "bob", None),
        ("low_efficiency", "P1", "", 3, "draft", "withdrawn", day(2024, 3, 6), "bob", None),
        ("low_efficiency", "P2", "", 1, None, "draft", day(2024, 2, 29), "ann", None),
        ("low_efficiency", "P2", "", 2, "draft", "draft", day(2024, 3, 7), "eve", None),
        ("problem", "P1", "kind: 消防", 1, None, "open", day(2024, 3, 1), "ann", None),
        ("problem", "P1", "kind: 税收", 1, None, "open", day(2024, 3, 1), "ann", None),
        ("problem", "P1", "kind: 税收", 2, "open", "dropped", day(2024, 3, 2), "ann", None),
        ("unit", "N1", "", 1, None, "frozen", day(2024, 3, 1), "ann", None),
        ("unit", "N1", "", 2, "frozen", "withdrawn", day(2024, 3, 9), "ann", "道路改线"),
    ]
    # A state of which nothing is known is kept beside the one that stands for it.
    assert [row[9] for row in events if row[9] is not None] == [{"state_before": "approved"}]
    assert {row[10] for row in events} == {"taken_over"}
    assert [row[11] for row in events if row[0] == "low_efficiency"] == [1, 3, 4, 2, 5]
    assert papers == [("aa", False, "纸.pdf", 7, None, "ann")]
    assert current["low_efficiency P1"] == "withdrawn"
    assert towns == {"P1": "120113101", "P2": None}


def test_what_was_taken_over_is_proved_and_goes_down_again(database):
    from lowland_gis.db.chain import chained_tables, row_digest, row_key

    migrate.downgrade(database, SRID, "0013")
    with psycopg.connect(database) as connection:
        connection.execute(BEFORE)
    migrate.upgrade(database, SRID)
    with psycopg.connect(database) as connection:
        for table in chained_tables():
            rows = connection.execute(
                f"SELECT count(*), count(*) FILTER (WHERE row_sha256 = {row_digest(table)}) FROM {table.full_name}"  # noqa: S608
                f" LEFT JOIN registry.link ON table_name = '{table.name}' AND row_no = {row_key(table)}"
            ).fetchone()
            assert rows[0] == rows[1], table.name
        assert connection.execute("SELECT count(*) FROM registry.link").fetchone() == (11 + 5 + 9 + 1,)
    migrate.downgrade(database, SRID, "0013")
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM registry.low_efficiency").fetchone() == (5,)
