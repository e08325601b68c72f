"""Fixtures of every test: one throw-away cluster a session, one fresh database a test or a module.

A machine without PostGIS fails these tests with the line that installs it; nothing is skipped.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

from lowland_gis.db.migrate import upgrade
from lowland_gis.db.private import cluster as clusters
from lowland_gis.definitions import own

SRID = 4548

# How long an example takes says nothing here: two files of tests run side by side, and others work on the machine.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def prepare(dsn: str) -> None:
    """Bring the template database to the schema that the tests expect."""
    upgrade(dsn, SRID)


# Folders of tests that take minutes a file: begun last, one processor would wait for the other to end them.
_LONG = ("variations", "acceptance")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the order within a file stays."""
    items.sort(key=lambda item: not set(_LONG) & set(item.path.parts))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Count no branches in a test of further data: to follow every line is up to a third of the time of what Python computes."""
    counted = Coverage.current() if item.get_closest_marker("again") else None
    if counted is not None:
        counted.stop()
    try:
        return (yield)
    finally:
        if counted is not None:
            counted.start()


@pytest.fixture(autouse=True, scope="module")
def shipped_definitions() -> Iterator[None]:
    """A command that ran inside a test leaves its project's definitions in use: no file of tests hands them to the next."""
    with own.using(own.SHIPPED):
        yield


@pytest.fixture(scope="session")
def state_dir() -> Iterator[Path]:
    """A short folder that the server's user can enter, also when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="lowland-test-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster(state_dir: Path) -> Iterator[clusters.Cluster]:
    """A throw-away cluster, stopped and removed at the end."""
    made = clusters.locate(state_dir, env=os.environ | {"LOWLAND_STATE": str(state_dir / "state")})
    try:
        clusters.up(made, durable=False)
        yield made
    finally:
        clusters.remove(made)


@pytest.fixture(scope="session")
def template_database(cluster: clusters.Cluster) -> str:
    """The name of a database with PostGIS and the schema; nobody stays connected to it."""
    name = "template_lowland"
    with _admin(cluster) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER lowland_lowland_owner TEMPLATE {}").format(
                *map(sql.Identifier, (name, cluster.database))
            )
        )
    prepare(make_conninfo(clusters.dsn(cluster), dbname=name))
    return name


@pytest.fixture
def database(cluster: clusters.Cluster, template_database: str) -> Iterator[str]:
    """The connection string of a fresh database for one test."""
    with _copy(cluster, template_database) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def module_database(cluster: clusters.Cluster, template_database: str) -> Iterator[str]:
    """The connection string of a fresh database that the tests of one module share."""
    with _copy(cluster, template_database) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def new_database(
    cluster: clusters.Cluster, template_database: str
) -> Callable[[], AbstractContextManager[str]]:
    """What gives the connection string of a fresh database for one `with` block."""
    return lambda: _copy(cluster, template_database)


@contextmanager
def _copy(cluster: clusters.Cluster, template: str) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    with _admin(cluster) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER lowland_lowland_owner TEMPLATE {}").format(
                *map(sql.Identifier, (name, template))
            )
        )
    try:
        yield make_conninfo(clusters.dsn(cluster), dbname=name)
    finally:
        with _admin(cluster) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _admin(cluster: clusters.Cluster) -> psycopg.Connection:
    return psycopg.connect(
        make_conninfo(clusters.superuser_dsn(cluster), dbname="postgres"), autocommit=True, connect_timeout=10
    )
