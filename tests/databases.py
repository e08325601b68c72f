"""Databases of a test's own on the cluster of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from lowland_gis.db.private import cluster as clusters

# The sample district after its demo, made once (`acceptance/conftest.py`).
DEMO = "acceptance_demo"


@contextmanager
def created(cluster: clusters.Cluster, name: str, template: str = "template1") -> Iterator[str]:
    """Yield the connection string of a database that goes afterwards."""
    names = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
    admin = make_conninfo(clusters.superuser_dsn(cluster), dbname="postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {name} OWNER lowland_lowland_owner TEMPLATE {template}").format(**names)
        )
        try:
            yield make_conninfo(clusters.dsn(cluster), dbname=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**names))
