"""Roles, by connecting as each: what it may do, what it is refused and with which sentence; views and parts show no more than tables."""

from __future__ import annotations

import datetime as dt
import secrets
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import revision_data
from lowland_gis import schema
from lowland_gis.db import privileges, roles
from lowland_gis.db.migrate import settle_roles, upgrade
from lowland_gis.db.private import cluster as clusters
from lowland_gis.db.role_names import ROLES, role_name
from lowland_gis.errors import MoveRefusedError, NotAllowedError, UsageError
from lowland_gis.pipeline.base.procedure import enforce
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.registry.look import entry_list
from lowland_gis.pipeline.registry.moves import Typed, record_move
from lowland_gis.pipeline.registry.subjects import Asked
from registered import as_superuser, deliver_parcels, owned, paper
from role_matrix import ELSEWHERE, HERE, THERE, accounts, move_matrix, page, table_matrix

PAGE = Path(__file__).resolve().parents[2] / "docs" / "role_matrix.md"
MINE, THEIRS = f"{HERE}001GB00001", f"{THERE}001GB00001"


@pytest.fixture
def people(project, cluster):
    """The connection strings of an account of each role, on a database with a procedure and a parcel of each of two towns."""
    enforce(project.dsn, project.settings.folder)
    deliver_parcels(project.dsn, [MINE, f"{HERE}001GB00002"])
    with psycopg.connect(project.dsn) as connection:
        # Deliveries of a layer follow each other; the second would take the place of the first.
        connection.execute("UPDATE land.layer_version SET part = 'a'")
    deliver_parcels(project.dsn, [THEIRS], THERE)
    with psycopg.connect(project.dsn) as connection:
        connection.execute("UPDATE land.layer_version SET part = 'b' WHERE part IS NULL")
    with accounts(project.dsn) as found:
        clusters.known(cluster)
        yield found


def as_(project, dsn):
    """The project as another account works in it."""
    file = project.settings.folder / "lowland.toml"
    text = file.read_text(encoding="utf-8").split("\n")
    line = next(number for number, each in enumerate(text) if each.startswith("dsn"))
    text[line] = f"dsn = {dsn!r}"
    file.write_text("\n".join(text), encoding="utf-8")
    return open_project(project.settings.folder)


def survey(project, *codes, **more):
    return record_move(project, Typed("survey", **more), Asked(names=codes))


def test_the_matrix_of_the_docs_is_what_the_database_does(project, cluster):
    enforce(project.dsn, project.settings.folder)
    revision_data.fill(project.dsn)
    settle_roles(owned(project.dsn), project.dsn)
    with accounts(project.dsn) as people:
        clusters.known(cluster)
        found = page(table_matrix(people, owned(project.dsn)), move_matrix(people, owned(project.dsn)))
    assert found == PAGE.read_text(encoding="utf-8"), "type: python scripts/make_role_matrix.py"


def test_a_town_clerk_records_for_the_own_town_and_no_other(project, people):
    clerk = as_(project, people["town"])
    assert survey(clerk, MINE).rows["subject"].tolist() == [MINE]
    with pytest.raises(
        MoveRefusedError, match=f"{THEIRS}.*of another town than yours \\({HERE}\\).*clerk or an analyst"
    ):
        survey(clerk, THEIRS)
    other = as_(project, people[ELSEWHERE])
    survey(other, THEIRS)
    with other.snapshot() as connection:
        assert connection.execute("SELECT subject FROM registry.current_entry").fetchall() == [(THEIRS,)]
        assert connection.execute("SELECT count(*) FROM registry.event").fetchone() == (1,)
        assert connection.execute("SELECT parcel_id FROM land.current_parcel").fetchall() == [(THEIRS,)]


def test_what_a_clerk_does_not_see_is_hidden_behind_views_and_parts_too(project, people):
    survey(as_(project, people["analyst"]), MINE, THEIRS)
    with psycopg.connect(people["town"]) as connection:
        for query in ("SELECT parcel_id FROM land.parcel", "SELECT parcel_id FROM land.current_parcel"):
            assert {row[0] for row in connection.execute(query)} == {MINE, f"{HERE}001GB00002"}
        for query in ("SELECT subject FROM registry.entry", "SELECT subject FROM registry.current_entry"):
            assert [row[0] for row in connection.execute(query)] == [MINE]
        assert connection.execute("SELECT count(*) FROM registry.state_day").fetchone() == (1,)
    with psycopg.connect(people["town"], autocommit=True) as connection:
        parts = [
            row[0]
            for row in connection.execute("SELECT relname FROM pg_class WHERE relname ~ '^parcel_[0-9]+$'")
        ]
        assert len(parts) == 2
        for part in parts:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier("land_part", part)))
    # Somebody who lets the clerk look at a part, or makes a view, still shows him no other town.
    with psycopg.connect(owned(project.dsn), autocommit=True) as owner:
        clerk = sql.Identifier(psycopg.conninfo.conninfo_to_dict(people["town"])["user"])
        for part in parts:
            owner.execute(
                sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier("land_part", part), clerk)
            )
    with psycopg.connect(people["town"]) as connection:
        seen = {
            row[0]
            for part in parts
            for row in connection.execute(
                sql.SQL("SELECT parcel_id FROM {}").format(sql.Identifier("land_part", part))
            )
        }
    assert seen == {MINE, f"{HERE}001GB00002"}


def test_rows_of_towns_are_watched_on_every_table_view_and_part_of_the_catalogue(project, people):
    with psycopg.connect(project.dsn) as connection:
        watched = {
            (space, name): (on, forced)
            for space, name, on, forced in connection.execute(
                "SELECT relnamespace::regnamespace::text, relname, relrowsecurity, relforcerowsecurity FROM pg_class"
                " WHERE relkind IN ('r', 'p') AND relnamespace IN ('land'::regnamespace, 'land_part'::regnamespace,"
                " 'registry'::regnamespace, 'result'::regnamespace)"
            )
        }
        views = connection.execute(
            "SELECT count(*) FILTER (WHERE NOT coalesce('security_invoker=true' = ANY (reloptions), false)), count(*) FROM pg_class"
            " WHERE relkind = 'v' AND relnamespace IN ('land'::regnamespace, 'registry'::regnamespace, 'result'::regnamespace)"
        ).fetchone()
    assert views == (0, len(schema.VIEWS))
    for table in schema.TABLES:
        assert watched[table.schema, table.name] == (privileges.row_secured(table),) * 2, table.full_name
    parts = {name: on for (space, name), on in watched.items() if space == "land_part"}
    assert len(parts) == 2
    assert all(on == (True, True) for on in parts.values())


@pytest.mark.parametrize(
    ("who", "verb", "said"),
    [
        (
            "reader",
            "survey",
            r"_reader \(reader\) may not do this: .*the move survey, which may: town, analyst\. ",
        ),
        (
            "reader",
            "approve",
            r"the move approve, which may: approver\. .*lowland db grant \S+_reader approver$",
        ),
        ("admin", "survey", r"_admin \(admin\) may not do this"),
        (
            "approver",
            "survey",
            "the move survey is recorded by town \\(of 120113101\\) or analyst; .*_approver is approver",
        ),
    ],
)
def test_a_move_of_others_is_refused_with_who_may(project, people, who, verb, said):
    with pytest.raises((MoveRefusedError, NotAllowedError), match=said):
        record_move(as_(project, people[who]), Typed(verb), Asked(names=(MINE,)))
    with psycopg.connect(project.dsn) as connection:
        assert connection.execute("SELECT count(*) FROM registry.event").fetchone() == (0,)


def test_an_approver_decides_what_an_analyst_may_not(project, people, tmp_path):
    analyst, old = as_(project, people["analyst"]), dt.date(2024, 3, 1)
    with analyst.transaction() as connection:
        connection.execute("SELECT registry.await_turn()")
    survey(analyst, MINE, on=old)
    with as_superuser(project.dsn) as connection:
        connection.execute(
            "INSERT INTO registry.event (entry_id, version, move, from_state, to_state, on_date)"
            " SELECT entry_id, 2, 'notice', 'survey', 'notice', '2024-03-01' FROM registry.entry"
        )
    approve = Typed("approve", on=dt.date(2024, 4, 1), document=paper(tmp_path, "认定"))
    with pytest.raises(
        MoveRefusedError, match="the move approve is recorded by approver; .*_analyst is analyst"
    ):
        record_move(as_(project, people["analyst"]), approve, Asked(names=(MINE,)))
    record_move(as_(project, people["approver"]), approve, Asked(names=(MINE,)))
    with psycopg.connect(project.dsn) as connection:
        row = connection.execute(
            "SELECT recorded_by, to_state FROM registry.event ORDER BY version DESC LIMIT 1"
        ).fetchone()
    assert row == (psycopg.conninfo.conninfo_to_dict(people["approver"])["user"], "determined")


def test_set_role_neither_gives_a_move_nor_hides_who_recorded_it(project, people):
    survey(as_(project, people["town"]), MINE)
    user = psycopg.conninfo.conninfo_to_dict(people["analyst"])["user"]
    move = (
        "INSERT INTO registry.event (entry_id, version, move_id, move, from_state, to_state, on_date)"
        " SELECT entry_id, 2, move_id, 'draft', 'survey', 'draft', current_date FROM registry.entry, registry.move"
        " WHERE move.register = 'low_efficiency' AND move.name = 'draft' AND move.from_state = 'survey' RETURNING recorded_by"
    )
    with psycopg.connect(people["analyst"]) as connection:
        name = connection.execute("SELECT name FROM lowland.role WHERE role = 'reader'").fetchone()[0]
        group = connection.execute("SELECT name FROM lowland.role WHERE role = 'analyst'").fetchone()[0]
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(group)))
        assert connection.execute(move).fetchone() == (user,)
        connection.rollback()
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(name)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(move)
    with (
        psycopg.connect(people["town"]) as connection,
        pytest.raises(psycopg.Error, match="is recorded by analyst; .*_town is town"),
    ):
        connection.execute(move)


def test_the_program_is_no_superuser_and_reads_no_file_of_the_server(project):
    with psycopg.connect(project.dsn, autocommit=True) as connection:
        assert (
            connection.execute(
                "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = session_user"
            ).fetchone()
            == (False,) * 4
        )
        for statement in (
            "SELECT pg_read_file('PG_VERSION')",
            "SET session_replication_role = replica",
            "ALTER TABLE registry.event DISABLE TRIGGER ALL",
            "DELETE FROM registry.event",
            "SELECT registry.append_links('event', '{1}', '{x}')",
            "CREATE EXTENSION postgis_raster",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "DROP TABLE land.parcel",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_only_an_admin_gives_roles_and_makes_nobody_the_owner(project, people, cluster):
    name = psycopg.conninfo.conninfo_to_dict(project.dsn)["dbname"]
    person = f"{name}_new"
    with psycopg.connect(owned(project.dsn), autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(person)))
    with pytest.raises(NotAllowedError, match="giving roles, which may: admin"):
        roles.grant(people["analyst"], person, "analyst", None)
    assert not roles.grant(people["admin"], person, "reader", None)
    assert not roles.grant(people["admin"], person, "town", HERE)
    roles.grant(people["admin"], person, "town", THERE)
    assert [row for row in roles.accounts(people["admin"]) if row[0] == person] == [
        (person, "reader", ()), (person, "town", (HERE, THERE)),
    ]  # fmt: skip
    clusters.known(cluster)
    assert {row[0] for row in roles.accounts(make_conninfo(project.dsn, user=person))} == {person}
    roles.revoke(people["admin"], person, "town", HERE)
    assert (person, "town", (THERE,)) in roles.accounts(people["admin"])
    roles.revoke(people["admin"], person, "town", THERE)
    roles.revoke(people["admin"], person, "reader", None)
    assert [row for row in roles.accounts(people["admin"]) if row[0] == person] == []
    with pytest.raises(MoveRefusedError, match="no account of a person"):
        roles.grant(people["admin"], "lowland_lowland_owner", "analyst", None)
    with pytest.raises(UsageError, match="--town"):
        roles.grant(people["admin"], person, "town", None)
    with pytest.raises(NotAllowedError, match='no account of that name.*CREATE ROLE "xxx" LOGIN') as refused:
        roles.grant(people["admin"], "xxx", "reader", None)
    assert refused.value.statements == 'CREATE ROLE "xxx" LOGIN;'


def test_a_server_that_lets_nobody_make_roles_gets_them_from_its_administrator(cluster):
    """An account without CREATEROLE owns a database: the schema comes, and the SQL that is missing is told."""
    name = f"office_{secrets.token_hex(4)}"
    with psycopg.connect(clusters.superuser_dsn(cluster), autocommit=True) as administrator:
        administrator.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        administrator.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))
        clusters.known(cluster)
        owner = make_conninfo(clusters.dsn(cluster), dbname=name, user=name)
        try:
            settled = upgrade(owner, 4548)
            assert settled is not None
            assert settled.missing == ROLES
            assert (
                settled.making().splitlines()[0]
                == f'CREATE ROLE "{role_name(name, "reader")}" ADMIN "{name}";'
            )
            with pytest.raises(
                NotAllowedError, match="the server has no role.*then type: lowland db migrate"
            ):
                roles.grant(owner, name, "reader", None)
            deliver_parcels(owner, [MINE])
            administrator.execute(settled.making())
            again = settle_roles(owner, owner)
            assert again.missing == ()
            person = f"{name}_ann"
            administrator.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(person)))
            clusters.known(cluster)
            ann = make_conninfo(owner, user=person)
            with psycopg.connect(ann) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT parcel_id FROM land.parcel")
            roles.grant(owner, person, "reader", None)
            with psycopg.connect(ann) as connection:
                assert connection.execute("SELECT parcel_id FROM land.parcel").fetchall() == [(MINE,)]
            with pytest.raises(
                NotAllowedError, match=f"belongs to {name}, and {person} may not change its schema"
            ):
                # Another machine's server asks for a password; here nobody but the map stands in the way.
                upgrade(_unmapped(ann, cluster, name), 4548)
        finally:
            administrator.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def _unmapped(dsn, cluster, owner):
    """Let the account of the machine be the owner no more."""
    with psycopg.connect(clusters.superuser_dsn(cluster), autocommit=True) as administrator:
        administrator.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(owner)))
    return dsn


def test_who_sees_where_entries_stand(project, people):
    survey(as_(project, people["analyst"]), MINE, THEIRS)
    for who, seen in (("reader", {MINE, THEIRS}), ("approver", {MINE, THEIRS}), ("town", {MINE})):
        with as_(project, people[who]).snapshot() as connection:
            shown = entry_list(connection, register="low_efficiency", state=None, town=None)
        assert {entry["subject"] for entry in shown} == seen
