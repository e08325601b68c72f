"""What the newest draft of the flow found piece by piece, for the next one to take over; the one place that writes and reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis import schema
from lowland_gis.analysis.units.draw import Draft
from lowland_gis.analysis.units.resting import Before, Searched
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.definitions.own import CODES, LAYERS, in_use
from lowland_gis.pipeline.base.program import program_version
from lowland_gis.pipeline.base.requests import DELINEATE, dividing_layers
from lowland_gis.pipeline.base.runs import Record, Versions, digest_of, latest_record, numbered
from lowland_gis.pipeline.units.ground import PARCELS, Blocks, ground_of
from lowland_gis.settings import DelineateSettings

_BOUND, _UNITS, _UNIT = "bound_m2", "units", "unit_id"
_BLOCKS, _MISSING, _CUT_BY = "blocks", "missing", "blocks_of_run"


def read_before(connection: Connection) -> Before:
    """Return what the newest draft of the flow found, where the same program drew it; nothing where there is none.

    The digests say on what each piece rests, limits and effort of the search among it, so it does not matter on what the rest of it does.
    """
    newest = _newest(connection)
    if newest is None:
        return Before()
    rows = connection.execute(
        "SELECT s.digest, s.found, ST_AsBinary(u.geom) FROM result.searched s LEFT JOIN result.unit u"
        " ON u.run_id = s.run_id AND u.unit_id = s.found->>%s WHERE s.run_id = %s AND NOT jsonb_exists_any(s.found, %s)",
        [_UNIT, newest.run_id, [_BLOCKS, _CUT_BY]],
    ).fetchall()
    return Before(
        {digest: _searched(found) for digest, found, _ in rows if _UNITS in found},
        {digest: shapely.from_wkb(bytes(shape)) for digest, _, shape in rows if shape is not None},
    )


def _newest(connection: Connection) -> Record | None:
    """Return the newest draft of the flow, where the same program drew it."""
    newest = latest_record(connection, DELINEATE)
    return None if newest is None or newest.code_version != program_version() else newest


def blocks_digest(
    settings: DelineateSettings, versions: Versions, day: dt.date, district_code: str
) -> str | None:
    """Return the digest of all that the blocks rest on: what divides and the ground, on a day; None where the ground is that of the parcels."""
    if ground_of(versions) == PARCELS:
        return None
    layers = sorted(dividing_layers(settings, versions))
    return digest_of(
        [
            {key: numbered(versions.get(key, [])) for key in layers},
            [settings.road_grades, settings.barriers, settings.across_towns, settings.planning.layer],
            [day, district_code, in_use().digest(LAYERS, CODES)],
        ]
    )


def read_blocks(connection: Connection, digest: str | None, *, srid: int) -> Blocks | None:
    """Return the blocks that the newest draft of the flow lay in, where they rest on the same."""
    newest = None if digest is None else _newest(connection)
    if newest is None:
        return None
    query = "SELECT found FROM result.searched WHERE run_id = %s AND digest = %s"
    row, run_id = connection.execute(query, [newest.run_id, digest]).fetchone(), newest.run_id
    if row is not None and _CUT_BY in row[0]:
        run_id = int(row[0][_CUT_BY])
        row = connection.execute(query, [run_id, digest]).fetchone()
    if row is None or _BLOCKS not in row[0]:
        return None
    towns, shapes = zip(*row[0][_BLOCKS], strict=True)
    columns = {"cell": np.arange(len(towns)), "town_code": pd.Series(towns, dtype=object)}
    cells = gpd.GeoDataFrame(columns, geometry=shapely.from_wkb(list(shapes)), crs=srid)
    return Blocks(cells, tuple(row[0][_MISSING]), run_id)


def write_searched(
    connection: Connection, run_id: int, drawn: Draft, blocks: tuple[str | None, Blocks], *, srid: int
) -> None:
    """Write what a draft was put together from under its run: pieces, and the blocks by their digest (None: they rest on parcels)."""
    found: dict[str, Mapping[str, Any]] = {
        digest: {_UNITS: item.units, _BOUND: item.bound_m2} for digest, item in drawn.searched.items()
    }
    names = drawn.units["unit_id"] if len(drawn.units) else ()
    found |= {
        digest: {_UNIT: name}
        for name, digest in zip(names, drawn.drawn_from, strict=True)
        if digest is not None
    }
    digest, lain_in = blocks
    if digest is not None and len(lain_in.cells):
        found[digest] = _written(lain_in)
    rows = pd.DataFrame({"digest": list(found), "found": pd.Series(list(found.values()), dtype=object)})
    copy_in(connection, schema.SEARCHED, rows, srid=srid, constants={"run_id": run_id})


def _searched(found: Mapping[str, Any]) -> Searched:
    return Searched(tuple(tuple(unit) for unit in found[_UNITS]), float(found[_BOUND]))


def _written(blocks: Blocks) -> Mapping[str, Any]:
    if blocks.run_id is not None:
        return {_CUT_BY: blocks.run_id}
    shapes = shapely.to_wkb(blocks.cells.geometry.to_numpy(), hex=True).tolist()
    return {
        _BLOCKS: list(zip(blocks.cells["town_code"], shapes, strict=True)),
        _MISSING: list(blocks.missing),
    }
