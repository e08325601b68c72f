"""The schema of a real database: up, down, up again, nothing left to generate, nothing of others touched."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from alembic.script import ScriptDirectory
from psycopg import sql
from psycopg.conninfo import make_conninfo

import revision_data
from lowland_gis import schema
from lowland_gis.db import entities, guards, migrate, revision
from lowland_gis.db.parts import attach_part, new_part
from lowland_gis.db.server import facts_of
from lowland_gis.errors import DatabaseError, UsageError
from registered import owned

SRID = 4548


@pytest.fixture
def database(database):
    """A fresh database, as its owner: nobody else changes a schema."""
    return owned(database)


def tables_of(dsn):
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema = ANY(%s)",
            [list(schema.SCHEMAS)],
        )
        return {row[0] for row in rows}


def test_holds_every_table_of_the_dictionary(database):
    assert tables_of(database) == {item.full_name for item in (*schema.TABLES, *schema.VIEWS)}


def test_columns_are_those_of_the_dictionary_with_their_meaning(database):
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT n.nspname || '.' || c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_attribute a"
            " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0",
            [list(schema.SCHEMAS)],
        ).fetchall()
        meanings = dict(
            connection.execute(
                "SELECT n.nspname || '.' || c.relname, obj_description(c.oid) FROM pg_class c JOIN pg_namespace n"
                " ON n.oid = c.relnamespace WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v')",
                [list(schema.SCHEMAS)],
            ).fetchall()
        )
    assert meanings == {item.full_name: item.meaning for item in (*schema.TABLES, *schema.VIEWS)}
    found = {(table, column): meaning for table, column, meaning in rows}
    for table in (*schema.TABLES, *schema.VIEWS):
        for column in table.columns:
            assert found.pop((table.full_name, column.name)).startswith(column.meaning)
    assert not found


def test_every_geometry_has_the_srid_and_every_current_one_an_index(database):
    with psycopg.connect(database) as connection:
        columns = connection.execute(
            "SELECT f_table_schema, f_table_name, f_geometry_column, srid FROM geometry_columns"
            " WHERE f_table_schema = ANY(%s)",
            [list(schema.SCHEMAS)],
        ).fetchall()
        indexes = " ".join(
            row[0]
            for row in connection.execute("SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%gist%'")
        )
    assert len(columns) >= 6
    views = {view.full_name for view in schema.VIEWS}
    for space, table, column, srid in columns:
        assert srid == SRID
        if f"{space}.{table}" in views:
            continue  # it is found by the index of its table
        indexed = re.search(rf"{space}\.{table} USING gist \({column}\)", indexes) is not None
        assert indexed == (column != "geom_received")


def test_autogenerate_is_empty(database):
    assert migrate.differences(database, SRID) == []


def test_down_and_up_again(database):
    migrate.downgrade(database, SRID)
    assert tables_of(database) == set()
    assert revision.current_revision(database) is None
    migrate.upgrade(database, SRID)
    assert revision.current_revision(database) == revision.newest_revision()
    assert migrate.differences(database, SRID) == []


def test_tables_of_qgis_are_left_alone(database):
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE public.layer_styles (id serial PRIMARY KEY, styleqml xml)")
        connection.execute("CREATE TABLE land.qgis_projects (name text PRIMARY KEY, content bytea)")
        connection.execute("CREATE VIEW result.of_an_analyst AS SELECT parcel_id FROM result.evidence")
    assert migrate.differences(database, SRID) == []


def test_another_srid_is_refused_by_name(database):
    with pytest.raises(DatabaseError, match="EPSG:4548.*EPSG:4527"):
        migrate.upgrade(database, 4527)


def test_another_srid_reaches_a_fresh_database(database):
    migrate.downgrade(database, SRID)
    migrate.upgrade(database, 4527)
    assert migrate.differences(database, 4527) == []


def test_two_upgrades_at_once_queue(database):
    migrate.downgrade(database, SRID)
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: migrate.upgrade(database, SRID), range(2)))
    assert migrate.differences(database, SRID) == []


def test_a_newer_database_is_left_alone(database):
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE lowland.alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match="newer lowland"):
        migrate.upgrade(database, SRID)
    assert revision.current_revision(database) == "9999"


def place_of_version(dsn):
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT schemaname FROM pg_tables WHERE tablename = 'alembic_version' ORDER BY schemaname"
        )
        return [row[0] for row in rows]


def test_a_version_table_of_a_former_lowland_is_moved_out_of_public(database):
    migrate.downgrade(database, SRID, "0007")
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE lowland.alembic_version SET SCHEMA public")
        connection.execute("DROP SCHEMA lowland")
    assert revision.current_revision(database) == "0007"
    migrate.upgrade(database, SRID, "0007")
    assert place_of_version(database) == ["lowland"]
    assert revision.current_revision(database) == "0007"


@pytest.mark.parametrize("theirs", ["ae1027a6acf", "0003", None])
def test_the_version_table_of_another_program_is_no_newer_lowland(database, theirs):
    """Many programs keep alembic's table in `public`, and many count from 0001."""
    migrate.downgrade(database, SRID)
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)")
        if theirs:
            connection.execute("INSERT INTO public.alembic_version VALUES (%s)", [theirs])
    assert revision.current_revision(database) is None
    migrate.upgrade(database, SRID)
    assert revision.current_revision(database) == revision.newest_revision()
    assert place_of_version(database) == ["lowland", "public"]
    with psycopg.connect(database) as connection:
        kept = [row[0] for row in connection.execute("SELECT version_num FROM public.alembic_version")]
    assert kept == ([theirs] if theirs else [])


def test_another_version_beside_ours_changes_nothing(database):
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO public.alembic_version VALUES ('0001')")
    assert revision.current_revision(database) == revision.newest_revision()
    migrate.upgrade(database, SRID)
    assert place_of_version(database) == ["lowland", "public"]


@contextmanager
def other_database(dsn, encoding):
    """A fresh database in another encoding; nothing is in it."""
    name = f"other_{encoding.lower()}"
    with psycopg.connect(make_conninfo(dsn, user="postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0").format(
                sql.Identifier(name), sql.Literal(encoding)
            )
        )
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "EUC_CN"])
def test_a_database_in_another_encoding_is_refused_before_anything_is_made(database, encoding):
    with other_database(database, encoding) as other:
        for asked in (
            lambda: migrate.upgrade(other, SRID),
            lambda: revision.current_revision(other),
            lambda: facts_of(other),
        ):
            with pytest.raises(DatabaseError, match=f"encoded in {encoding}.*ENCODING 'UTF8'"):
                asked()
        with psycopg.connect(other) as connection:
            made = connection.execute(
                "SELECT extname FROM pg_extension UNION SELECT nspname FROM pg_namespace"
            ).fetchall()
    assert not {str(row[0]) for row in made} & {"postgis", "lowland", *schema.SCHEMAS}


def test_nothing_is_made_in_a_database_that_is_refused(database):
    migrate.downgrade(database, SRID)
    with psycopg.connect(make_conninfo(database, user="postgres")) as connection:
        connection.execute("DROP EXTENSION postgis CASCADE")
        connection.execute("INSERT INTO lowland.alembic_version VALUES ('9999')")
    with pytest.raises(DatabaseError, match="newer lowland"):
        migrate.upgrade(database, SRID)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone() is None


def test_an_unknown_revision_to_reach_is_a_wrong_call(database):
    with pytest.raises(UsageError, match="0001, 0002"):
        migrate.upgrade(database, SRID, "nonsense")


def registry_tables(database):
    """Return every table of the schema with a column that may be set, out of the catalogue."""
    with psycopg.connect(database) as connection:
        return connection.execute(
            "SELECT c.relname, min(a.attname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'registry'::regnamespace AND c.relkind IN ('r', 'p', 'f') AND a.attnum > 0"
            " AND NOT a.attisdropped AND a.attidentity = '' GROUP BY 1"
        ).fetchall()


def test_the_whole_registry_is_append_only_for_its_owner_too(database):
    found = registry_tables(database)
    assert {name for name, _ in found} == {
        table.name for table in schema.TABLES if table.schema == "registry"
    }
    revision_data.fill(database)
    before = revision_data.rows(database)
    for name, column in found:
        for statement in (
            "DELETE FROM {0}",
            "UPDATE {0} SET {1} = {1}",
            "TRUNCATE {0}",
            "TRUNCATE {0} CASCADE",
        ):
            query = sql.SQL(statement).format(sql.Identifier("registry", name), sql.Identifier(column))
            with (
                psycopg.connect(database) as connection,
                pytest.raises(
                    psycopg.Error, match=f"{name} is append-only|referenced in a foreign key"
                ) as refused,
            ):
                connection.execute(query)
            # PostgreSQL looks at foreign keys before it asks a trigger; all else is asked of the trigger.
            bare = statement == "TRUNCATE {0}" and refused.value.sqlstate == "0A000"
            assert bare or refused.value.sqlstate == guards.APPEND_ONLY
    assert revision_data.rows(database) == before


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("DROP TRIGGER append_only ON registry.document", "PGTrigger: registry.append_only False registry.document"),
        ("DROP TRIGGER keep_delivery ON land.layer_version", "PGTrigger: land.keep_delivery"),
        (("CREATE OR REPLACE FUNCTION registry.refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
         " $$ BEGIN RETURN NULL; END $$"), "PGFunction: registry.refuse_change()"),
        ("CREATE FUNCTION land.extra() RETURNS int LANGUAGE sql AS 'SELECT 1'", "PGFunction: land.extra()"),
        (("CREATE OR REPLACE VIEW result.evidence AS SELECT run_id, parcel_id, measure, value, low, high, source, detail"
         " FROM result.evidence_apart"), "PGView: result.evidence"),
        (("CREATE OR REPLACE TRIGGER append_only BEFORE DELETE ON registry.unit FOR EACH STATEMENT EXECUTE FUNCTION"
         " registry.refuse_change()"), "PGTrigger: registry.append_only False registry.unit"),
        ("DROP TRIGGER link_rows ON registry.event", "PGTrigger: registry.link_rows False registry.event"),
        (("CREATE OR REPLACE TRIGGER check_rows AFTER INSERT ON registry.event REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT"
          " EXECUTE FUNCTION registry.link_event()"), "PGTrigger: registry.check_rows False registry.event"),
    ],
)  # fmt: skip
def test_autogenerate_sees_triggers_and_functions(database, change, found):
    with psycopg.connect(database) as connection:
        connection.execute(change)
    (difference,) = migrate.differences(database, SRID)
    assert difference[1].startswith(found)


def test_a_new_table_of_the_registry_is_append_only_without_being_told():
    table = schema.Table(schema.REGISTRY, "promise", "x", ("entry_id",), ())
    assert table.append_only
    assert not schema.SOURCE.append_only
    watched = {entity.on_entity for entity in entities.entities() if entity.signature == "append_only"}
    assert watched == {item.full_name for item in schema.TABLES if item.schema == schema.REGISTRY}


def test_the_newest_revision_is_the_head_of_the_migrations():
    scripts = ScriptDirectory(str(revision.scripts()))
    assert scripts.get_heads() == [revision.newest_revision()]
    assert all(script.module.__name__.startswith(script.revision) for script in scripts.walk_revisions())


ROWS_OF_A_DELIVERY = {
    "feature": "(layer, row_no, attributes, area_m2, geom) VALUES ('x', 0, '{}', 0, 'SRID=4548;POINT(0 0)')",
    "parcel": "(parcel_id, row_no, attributes, area_m2, planar_m2, geom)"
    " VALUES ('P', 0, '{}', 0, 0, 'SRID=4548;MULTIPOLYGON EMPTY')",
    "enterprise": "(row_no, attributes) VALUES (0, '{}')",
    "issue": "(row_no, rule, action, message) VALUES (0, 'x', 'kept', 'x')",
}


def delivered(connection, table):
    """Make a delivery of one row."""
    source = connection.execute(
        "INSERT INTO land.source (path, driver, sha256, size_bytes) VALUES ('x', 'x', 'x', 0) RETURNING source_id"
    ).fetchone()[0]
    version = connection.execute(
        "INSERT INTO land.layer_version (layer, source_id, digest, loaded_at, loaded_by, n_read, n_loaded, n_rejected)"
        " VALUES ('x', %s, 'x', now(), 'x', 1, 1, 0) RETURNING version_id",
        [source],
    ).fetchone()[0]
    dictionary = next(item for item in schema.TABLES if item.full_name == f"land.{table}")
    part = new_part(connection, dictionary, version)
    row = (
        ROWS_OF_A_DELIVERY[table].replace("(", "(version_id, ", 1).replace("VALUES (", f"VALUES ({version}, ")
    )
    connection.execute(f"INSERT INTO {part.full_name} {row}")
    attach_part(connection, dictionary, version)
    return version


@pytest.mark.parametrize("table", ROWS_OF_A_DELIVERY)
def test_a_delivery_with_rows_cannot_be_deleted(database, table):
    """The tables that are loaded in bulk have no foreign key; this is the half of it that costs nothing."""
    with psycopg.connect(database) as connection:
        delivered(connection, table)
        connection.commit()
        for statement in (
            "DELETE FROM land.layer_version",
            "UPDATE land.layer_version SET version_id = DEFAULT",
        ):
            with pytest.raises(psycopg.errors.ForeignKeyViolation, match="still has rows"):
                connection.execute(statement)
            connection.rollback()
        connection.execute(f"DELETE FROM land.{table}")  # noqa: S608
        connection.execute("DELETE FROM land.layer_version")


@pytest.mark.parametrize("table", ["feature", "parcel"])
def test_a_row_without_a_delivery_has_no_place(database, table):
    row = ROWS_OF_A_DELIVERY[table].replace("(", "(version_id, ", 1).replace("VALUES (", "VALUES (77, ")
    with (
        psycopg.connect(database) as connection,
        pytest.raises(psycopg.errors.CheckViolation, match="no partition"),
    ):
        connection.execute(f"INSERT INTO land.{table} {row}")


def test_deliveries_outlive_the_way_down_and_up_again(database):
    with psycopg.connect(database) as connection:
        for table in ("feature", "parcel", "feature"):
            delivered(connection, table)
    before = rows_of(database)
    assert len(before) == 3
    migrate.downgrade(database, SRID, "0003")
    assert rows_of(database) == before
    migrate.upgrade(database, SRID)
    assert rows_of(database) == before
    assert migrate.differences(database, SRID) == []
    with psycopg.connect(database) as connection:
        delivered(connection, "feature")
        parts = connection.execute(
            "SELECT count(*) FROM pg_inherits WHERE inhparent IN ('land.feature'::regclass, 'land.parcel'::regclass)"
        ).fetchone()[0]
        indexes = connection.execute(
            "SELECT count(*) FROM pg_index WHERE indrelid = 'land_part.feature_3'::regclass AND indisvalid"
        ).fetchone()[0]
    assert (parts, indexes) == (4, 2)
    assert len({row[1] for row in rows_of(database) if row[0] == "feature"}) == 3


def rows_of(database):
    with psycopg.connect(database) as connection:
        return connection.execute(
            "SELECT 'feature', feature_id::text, version_id, ST_AsEWKT(geom) FROM land.feature UNION ALL"
            " SELECT 'parcel', parcel_id, version_id, ST_AsEWKT(geom) FROM land.parcel ORDER BY 1, 2"
        ).fetchall()
