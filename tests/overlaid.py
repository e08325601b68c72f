"""Overlaps of frames and files by an engine of a name, for tests that are about something else than engines."""

from __future__ import annotations

from functools import partial
from typing import Any

import pyarrow as pa

from lowland_gis.engines import frames, named
from lowland_gis.engines.base import Engine
from lowland_gis.pipeline.overlaps.two_files import tabulate_files

LOCAL = named.without_database()
# parcel_id, code, area_m2 and share of two frames.
overlaps = partial(frames.overlaps, LOCAL)


def in_sql(dsn: str) -> Engine:
    """Return the engine postgis on a database."""
    return named.engine("postgis", lambda: dsn)


def files_by(engine: Engine, parcels: str, zones: str, **fields: Any) -> pa.Table:
    """Return the overlaps of two files as one table."""
    parts = [each.overlaps for each in tabulate_files(parcels, zones, engine=engine, **fields)]
    # The few codes stand once in each part, in a dictionary of its own.
    return pa.concat_tables(part.cast(pa.schema(map(_plain, part.schema))) for part in parts)


def _plain(field: pa.Field) -> pa.Field:
    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
