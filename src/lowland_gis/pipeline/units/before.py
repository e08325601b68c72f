"""What the newest draft of the flow found piece by piece, for the next one to take over; the one place that writes and reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import shapely

from lowland_gis import schema
from lowland_gis.analysis.units.draw import Draft
from lowland_gis.analysis.units.resting import Before, Searched
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.pipeline.base.program import program_version
from lowland_gis.pipeline.base.requests import DELINEATE
from lowland_gis.pipeline.base.runs import latest_record

_BOUND, _UNITS, _UNIT = "bound_m2", "units", "unit_id"


def read_before(connection: Connection) -> Before:
    """Return what the newest draft of the flow found, where the same program drew it; nothing where there is none.

    The digests say on what each piece rests, limits and effort of the search among it, so it does not matter on what the rest of it does.
    """
    newest = latest_record(connection, DELINEATE)
    if newest is None or newest.code_version != program_version():
        return Before()
    rows = connection.execute(
        "SELECT s.digest, s.found, ST_AsBinary(u.geom) FROM result.searched s LEFT JOIN result.unit u"
        " ON u.run_id = s.run_id AND u.unit_id = s.found->>%s WHERE s.run_id = %s",
        [_UNIT, newest.run_id],
    ).fetchall()
    return Before(
        {digest: _searched(found) for digest, found, _ in rows if _UNITS in found},
        {digest: shapely.from_wkb(bytes(shape)) for digest, _, shape in rows if shape is not None},
    )


def write_searched(connection: Connection, run_id: int, drawn: Draft, *, srid: int) -> None:
    """Write what a draft was put together from under its run."""
    found: dict[str, Mapping[str, Any]] = {
        digest: {_UNITS: item.units, _BOUND: item.bound_m2} for digest, item in drawn.searched.items()
    }
    names = drawn.units["unit_id"] if len(drawn.units) else ()
    found |= {
        digest: {_UNIT: name}
        for name, digest in zip(names, drawn.drawn_from, strict=True)
        if digest is not None
    }
    rows = pd.DataFrame({"digest": list(found), "found": pd.Series(list(found.values()), dtype=object)})
    copy_in(connection, schema.SEARCHED, rows, srid=srid, constants={"run_id": run_id})


def _searched(found: Mapping[str, Any]) -> Searched:
    return Searched(tuple(tuple(unit) for unit in found[_UNITS]), float(found[_BOUND]))
