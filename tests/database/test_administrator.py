"""An account that may make no roles, by commands: what it prints is what an administrator types, and nothing else is needed."""

from __future__ import annotations

import os
import secrets

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import own_process
from lowland_gis.db.private import cluster as clusters
from lowland_gis.db.role_names import ROLES, role_name
from planned import PROJECT


@pytest.fixture
def office(cluster, tmp_path):
    """A database of an owner without CREATEROLE, and the server's administrator."""
    name = f"office_{secrets.token_hex(4)}"
    with psycopg.connect(clusters.superuser_dsn(cluster), autocommit=True) as administrator:
        administrator.execute(sql.SQL("CREATE ROLE {} LOGIN NOCREATEROLE").format(sql.Identifier(name)))
        administrator.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))
        clusters.known(cluster)
        yield name, administrator, make_conninfo(clusters.dsn(cluster), dbname=name, user=name), tmp_path
        administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def lowland(folder, dsn, *arguments):
    """Run the command line as whom the connection string names, in a project of its settings."""
    (folder / "lowland.toml").write_text(PROJECT.format(dsn=dsn), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "LOWLAND_DSN"}
    line = ("--project", str(folder / "lowland.toml"), *arguments)
    return own_process.run(*line, env=environment | {"PYTHONUTF8": "1"})


def test_what_migrate_and_grant_print_is_all_that_an_administrator_types(office, cluster):
    name, administrator, owner, folder = office
    migrated = lowland(folder, owner, "db", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert "this account may make none (CREATEROLE)" in migrated.stderr
    assert migrated.stdout.splitlines() == [
        f'CREATE ROLE "{role_name(name, role)}" ADMIN "{name}";' for role in ROLES
    ]
    # Until then no role can be given, and it is said what is missing.
    early = lowland(folder, owner, "db", "grant", name, "reader")
    assert early.returncode == 3
    assert early.stdout == f'CREATE ROLE "{role_name(name, "reader")}" ADMIN "{name}";\n'
    assert "then type: lowland db migrate" in early.stderr
    administrator.execute(migrated.stdout)
    again = lowland(folder, owner, "db", "migrate")
    assert (again.returncode, again.stdout) == (0, ""), again.stderr

    person = f"{name}_ann"
    refused = lowland(folder, owner, "db", "grant", person, "reader")
    assert (refused.returncode, refused.stdout) == (3, f'CREATE ROLE "{person}" LOGIN;\n')
    assert "may make none (CREATEROLE), so nothing was given" in refused.stderr
    administrator.execute(refused.stdout)
    clusters.known(cluster)
    ann = make_conninfo(owner, user=person)
    before = lowland(folder, ann, "registry", "list")
    assert before.returncode == 3, before.stderr
    assert f"{person} (no role at this database) may not do this" in before.stderr
    granted = lowland(folder, owner, "db", "grant", person, "reader")
    assert granted.returncode == 0, granted.stderr
    listed = lowland(folder, ann, "registry", "list")
    assert listed.returncode == 0, listed.stderr
    moved = lowland(folder, ann, "registry", "survey", "120113101001GB00001")
    assert moved.returncode == 3
    assert "the move survey, which may: town, analyst. " in moved.stderr
    taken = lowland(folder, owner, "db", "revoke", person, "reader")
    assert taken.returncode == 0, taken.stderr
    assert lowland(folder, ann, "registry", "list").returncode == 3


def test_roles_that_are_there_and_may_not_be_given_are_asked_for_as_such(office):
    """Somebody made the roles without ADMIN: what is missing is the right to give them, and that is what is printed."""
    name, administrator, owner, folder = office
    for role in ROLES:
        administrator.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role_name(name, role))))
    migrated = lowland(folder, owner, "db", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert migrated.stdout.splitlines() == [
        f'GRANT "{role_name(name, role)}" TO "{name}" WITH ADMIN OPTION;' for role in ROLES
    ]
    administrator.execute(migrated.stdout)
    again = lowland(folder, owner, "db", "migrate")
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
