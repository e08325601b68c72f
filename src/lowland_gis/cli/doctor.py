"""`lowland doctor`: what is installed, what is missing, how to get it."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import click

from lowland_gis.cli import Session
from lowland_gis.cli.tables import json_option, show
from lowland_gis.errors import LowlandError

PACKAGES = (
    "geopandas",
    "shapely",
    "pyproj",
    "pyogrio",
    "fiona",
    "rasterio",
    "sqlalchemy",
    "geoalchemy2",
    "psycopg",
)
LEAST_FREE_GB = 2.0


@click.command()
@json_option
@click.pass_obj
def doctor(session: Session, as_json: bool) -> None:
    """Say what is installed, what is missing and how to get it; exit code 1 when something is missing."""
    import pandas as pd

    from lowland_gis.products.maps.fonts import font_families

    checks = [("Python", True, sys.version.split()[0])]
    checks += [(name, True, importlib.metadata.version(name)) for name in PACKAGES]
    checks += [_checked("PostGIS", lambda: _postgis(session))]
    if session.dsn is not None:
        checks.append(_checked("server", lambda: _server(session.dsn or "")))
    checks += [_checked("Chinese font", lambda: font_families()[0])]
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    checks.append(("disk", free > LEAST_FREE_GB, f"{free:.1f} GB free"))
    checks.append(_checked("project", lambda: str(session.settings.folder)))
    show(pd.DataFrame(checks, columns=["what", "ok", "found"]), as_json=as_json)
    if not all(ok for what, ok, _ in checks if what != "project"):
        sys.exit(1)


def _postgis(session: Session) -> str:
    from lowland_gis.db.private.binaries import find_binaries
    from lowland_gis.db.private.cluster import locate

    place = locate(session.project_dir, env=os.environ)
    found = find_binaries(place.search, place.account)
    return f"PostgreSQL {found.major} with PostGIS in {found.folder}"


def _server(dsn: str) -> str:
    from lowland_gis.db.server import refuse_old

    facts = refuse_old(dsn)
    return f"PostgreSQL {facts.postgresql} with PostGIS {facts.postgis}"


def _checked(what: str, find: Callable[[], str]) -> tuple[str, bool, str]:
    try:
        return what, True, find()
    except LowlandError as error:
        return what, False, str(error)
