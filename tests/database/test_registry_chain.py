"""What is done to the registry behind its back is named: each row changed, removed or inserted, in each table of the catalogue."""

# Names are of the catalogue.
# ruff: noqa: S608
import datetime as dt

import psycopg
import pytest
from psycopg import sql

from lowland_gis.cli import main
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.registry.moves import Typed, record_move
from lowland_gis.pipeline.registry.subjects import Asked
from lowland_gis.pipeline.registry.verify import verify
from registered import PROJECT, as_superuser, deliver_parcels, paper

PARCELS = [f"12011310100{number}GB0000{number}" for number in range(3)]
# Figures of the registers, as the program writes them; their tables are filled by a row each.
FIGURES = {
    "low_efficiency": "(parcel_id, kind, rule, area_m2, state, run_id, recorded_at, recorded_by)"
    " VALUES ('P', 'town', 'r', 100.1, 'draft', 1, now(), 'x')",
    "legacy": "(parcel_id, retention, clauses, area_m2, state, run_id, recorded_at, recorded_by)"
    """ VALUES ('P', 'yes', '{"a": "t"}', 100.1, 'draft', 1, now(), 'x')""",
    "problem": "(parcel_id, question, clause, needed, office, state, run_id, recorded_at, recorded_by)"
    " VALUES ('P', 'kind', '税收', '税收表', '税务局', 'draft', 1, now(), 'x')",
    "unit": "(number, unit_id, parcels, area_m2, low_share, value_m2, ledger, geom, state, run_id, recorded_at, recorded_by)"
    " VALUES ('N', 'u', '[\"P\"]', 1, 0.5, 1, '{}', 'SRID=4548;MULTIPOLYGON(((0 0, 10 0, 10 10, 0 0)))', 'frozen', 1, now(), 'x')",
    "document": "(parcel_id, condition, says, file_name, sha256, size_bytes, state, recorded_at, recorded_by)"
    " VALUES ('P', 'c', true, '纸.pdf', 'ab', 1, 'registered', now(), 'x')",
    "annual_update": "(year, step, before, after) VALUES (2025, 'opened', '{}', '{}')",
    "plan_row": "(plan_entry, plan_version, project_entry, year, town_code, number, title, kind, developer, content, phase, start_on, end_on,"
    " goal, area_m2, investment_wan, document_sha256, sheet_row) SELECT min(entry_id), 1, max(entry_id), 2026, 't', 'n', 't', 'k', 'd', 'c',"
    " 'p', '2026-01-01', '2026-12-31', 'g', 1.5, 2.5, 'ab', 4 FROM registry.entry",
    "progress": "(project_entry, number, as_of, status, document_sha256, sheet_row) SELECT max(entry_id), 'n', '2026-06-01', 1, 'ab', 4"
    " FROM registry.entry",
    "report": "(report, period, on_date, run_id, figures, file_name, document_sha256)"
    """ VALUES ('bulletin', '2026-11', '2026-11-30', 1, '{"kinds": {}}', '简报.docx', 'ab')""",
    "lineage": "(entry_id, part_of) SELECT max(entry_id), min(entry_id) FROM registry.entry",
}


@pytest.fixture(scope="module")
def folder(module_database, tmp_path_factory):
    made = tmp_path_factory.mktemp("registry")
    (made / "lowland.toml").write_text(PROJECT.format(dsn=module_database), encoding="utf-8")
    deliver_parcels(module_database, PARCELS)
    project = open_project(made)
    record_move(project, Typed("survey", on=dt.date(2024, 2, 1)), Asked(tuple(PARCELS)))
    record_move(project, Typed("draft", on=dt.date(2024, 2, 2)), Asked(tuple(PARCELS)))
    typed = Typed("notice", on=dt.date(2024, 3, 1), document=paper(made, "公示"), document_no="1号")
    record_move(project, typed, Asked(tuple(PARCELS)))
    with psycopg.connect(module_database) as connection:
        for table, row in FIGURES.items():
            connection.execute(f"INSERT INTO registry.{table} {row}")
    return made


@pytest.fixture
def project(folder, monkeypatch):
    monkeypatch.delenv("LOWLAND_DSN", raising=False)
    return open_project(folder)


def tables(dsn):
    """Every table of the registry out of the catalogue, with its key and a column of another value that can be set."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT c.relname, k.attname FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
            " JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = i.indkey[0]"
            " WHERE c.relnamespace = 'registry'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1"
        ).fetchall()
        return {
            table: (key, connection.execute(
                "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                " AND NOT attisdropped AND attname <> %s ORDER BY attnum",
                [f"registry.{table}", key],
            ).fetchall())
            for table, key in rows
        }  # fmt: skip


OTHER = {
    "text": "coalesce({0}, '') || 'x'", "bigint": "coalesce({0}, 0) + 1", "integer": "coalesce({0}, 0) + 1",
    "double precision": "coalesce({0}, 0) + 1e-9", "boolean": "NOT coalesce({0}, false)", "date": "coalesce({0}, '2024-01-01') + 1",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 microsecond'", "jsonb": "jsonb_build_array({0})",
    "bytea": "coalesce({0}, '') || '\\x00'", "text[]": "{0} || ARRAY['x']", "geometry": "ST_Translate({0}, 1e-6, 0)",
}  # fmt: skip


def found(project):
    return [tuple(each) for each in verify(project).findings]


def test_every_column_of_every_table_that_is_changed_is_found_and_its_row_named(project):
    assert found(project) == []
    looked = 0
    with as_superuser(project.dsn) as connection:
        for table, (key, columns) in tables(project.dsn).items():
            if table == "link":
                continue
            number = connection.execute(f"SELECT max({key}) FROM registry.{table}").fetchone()[0]
            assert number is not None, table
            keep = connection.execute(f"SELECT * FROM registry.{table} WHERE {key} = {number}").fetchone()
            for column, kind in columns:
                change = sql.SQL("UPDATE registry.{} SET {} = {} WHERE {} = {}").format(
                    sql.Identifier(table), sql.Identifier(column), sql.SQL(OTHER[kind].format(column)), sql.Identifier(key), number
                )  # fmt: skip
                connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM registry." + table)
                connection.execute(change)
                assert found(project) == [(table, number, "changed")], (table, column)
                connection.execute(
                    sql.SQL(
                        "UPDATE registry.{0} SET {1} = kept.{1} FROM kept WHERE registry.{0}.{2} = kept.{2}"
                    ).format(sql.Identifier(table), sql.Identifier(column), sql.Identifier(key))
                )
                connection.execute("DROP TABLE kept")
                looked += 1
            assert (
                connection.execute(f"SELECT * FROM registry.{table} WHERE {key} = {number}").fetchone()
                == keep
            )
    assert looked > 90
    assert found(project) == []


def test_a_row_that_is_removed_or_inserted_is_named_for_each_table(project):
    with as_superuser(project.dsn) as connection:
        for table, (key, columns) in tables(project.dsn).items():
            names = ", ".join(name for name, _ in columns)
            number = connection.execute(f"SELECT min({key}) FROM registry.{table}").fetchone()[0]
            connection.execute(
                f"CREATE TEMP TABLE kept AS SELECT * FROM registry.{table} WHERE {key} = {number}"
            )
            connection.execute(f"DELETE FROM registry.{table} WHERE {key} = {number}")
            assert (table, number, "removed") in found(project), table
            connection.execute(f"INSERT INTO registry.{table} OVERRIDING SYSTEM VALUE SELECT * FROM kept")
            assert found(project) == []
            if table != "link":
                connection.execute(
                    f"INSERT INTO registry.{table} ({key}, {names}) OVERRIDING SYSTEM VALUE SELECT 999999, {names} FROM kept"
                )
                assert found(project) == [(table, 999999, "inserted")]
                connection.execute(f"DELETE FROM registry.{table} WHERE {key} = 999999")
            connection.execute("DROP TABLE kept")


@pytest.mark.parametrize("column", ["row_sha256", "head", "row_no", "table_name"])
def test_a_link_that_is_changed_breaks_the_chain(project, column):
    other = {"row_no": "row_no + 1", "table_name": "'lineage'"}.get(column, f"sha256({column})")
    with as_superuser(project.dsn) as connection:
        connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM registry.link WHERE link_no = 5")
        connection.execute(f"UPDATE registry.link SET {column} = {other} WHERE link_no = 5")
        assert ("link", 5, "the chain breaks") in found(project)
        connection.execute(
            f"UPDATE registry.link SET {column} = kept.{column} FROM kept WHERE link.link_no = 5"
        )
    assert found(project) == []


def test_what_is_taken_from_the_end_with_its_links_is_found_by_a_head_that_was_kept(project, capsys):
    head = verify(project).head
    assert verify(project, head).passes is True
    with as_superuser(project.dsn) as connection:
        connection.execute("BEGIN")
        row = connection.execute(
            "SELECT table_name, row_no FROM registry.link ORDER BY link_no DESC LIMIT 1"
        ).fetchone()
        assert row[0] == "lineage"
        connection.execute(
            "CREATE TABLE public.kept AS SELECT * FROM registry.lineage WHERE lineage_id = %s", [row[1]]
        )
        connection.execute(
            "CREATE TABLE public.kept_link AS SELECT * FROM registry.link ORDER BY link_no DESC LIMIT 1"
        )
        connection.execute("DELETE FROM registry.lineage WHERE lineage_id = %s", [row[1]])
        connection.execute("DELETE FROM registry.link WHERE head = decode(%s, 'hex')", [head])
        connection.execute("COMMIT")
        seen = verify(project)
        assert seen.sound  # alone the chain cannot tell: docs/registry.md says so
        assert verify(project, head).sound is False
        assert verify(project, seen.head).passes is True
        with pytest.raises(SystemExit) as left:
            main(
                [
                    "--project",
                    str(project.settings.folder / "lowland.toml"),
                    "registry",
                    "verify",
                    "--head",
                    head,
                ]
            )
        said = capsys.readouterr()
        assert left.value.code == 1
        assert "does not pass through the head that was given" in said.out
        connection.execute("INSERT INTO registry.lineage OVERRIDING SYSTEM VALUE SELECT * FROM public.kept")
        connection.execute("INSERT INTO registry.link SELECT * FROM public.kept_link")
    assert verify(project, head).sound


@pytest.mark.parametrize(
    ("change", "back", "said"),
    [
        ("ALTER TABLE registry.event DISABLE TRIGGER check_rows", "ALTER TABLE registry.event ENABLE TRIGGER check_rows",
         ("event", "guard is off: check_rows")),
        ("ALTER TABLE registry.unit DISABLE TRIGGER USER", "ALTER TABLE registry.unit ENABLE TRIGGER USER",
         ("unit", "guard is off: append_only")),
        ("ALTER FUNCTION registry.check_event() RENAME TO check_nothing", "ALTER FUNCTION registry.check_nothing() RENAME TO check_event",
         ("registry", "guard is off: check_event()")),
    ],
)  # fmt: skip
def test_a_guard_that_is_off_is_named(project, change, back, said):
    with as_superuser(project.dsn) as connection:
        connection.execute(change)
        rows = verify(project).findings
        assert said in [(each.table_name, each.what) for each in rows]
        connection.execute(back)
    assert verify(project).sound


def test_no_head_is_told_from_a_head(project):
    from lowland_gis.errors import UsageError

    with pytest.raises(UsageError, match="a head has 64 digits"):
        verify(project, "abc")


def test_the_digest_does_not_hang_on_the_settings_of_a_session(project):
    with as_superuser(project.dsn) as connection:
        name = connection.info.dbname
        for setting in (
            "TimeZone TO 'Asia/Shanghai'",
            "DateStyle TO 'German'",
            "extra_float_digits TO -5",
            "bytea_output TO 'escape'",
        ):
            connection.execute(f"ALTER DATABASE {name} SET {setting}")
    assert found(project) == []
