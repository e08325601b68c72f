"""Which parcels would be measured as the newest run measured them: what it found of them is taken over, and only the others are measured.

The value of a parcel rests on its own row, on what lies on it in layers, and for firms on the other parcels of the same firms. So it
is the same where the row is the same, no firm on it stands on a parcel that is another one, and the run rests on the same of all else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lowland_gis.analysis.measures.values import firm_keys
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions import measure as define
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.program import program_version
from lowland_gis.pipeline.base.runs import (
    Record,
    Request,
    Versions,
    digest_of,
    found_record,
)
from lowland_gis.pipeline.evidence.some import Some, some_parcels

SAME = "same_parcel"
# Beyond this part of the parcels it costs less to measure all of them.
_MOST = 0.25
# How far a parcel that is drawn out may reach, in times the distance, and a metre for what rounds.
_REACH, _ROUNDING_M = 6.0, 1.0
_SAME_ROWS = (
    f"INSERT INTO {SAME} SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%(both)s)"  # noqa: S608 - a constant
    " UNION SELECT parcel_id FROM land.parcel now JOIN land.parcel held USING (parcel_id)"
    " JOIN unnest(%(now)s::bigint[], %(held)s::bigint[]) AS alike (now_id, held_id)"
    " ON now.version_id = alike.now_id AND held.version_id = alike.held_id"
    " WHERE now.version_id = ANY(%(now)s) AND held.version_id = ANY(%(held)s) AND now.geom::bytea = held.geom::bytea"
    " AND now.attributes = held.attributes AND now.town_code IS NOT DISTINCT FROM held.town_code"
    " AND now.area_m2 = held.area_m2 AND now.planar_m2 = held.planar_m2"
)
_OTHERS = (
    "SELECT parcel_id, bool_or(version_id = ANY(%s)) AS there FROM land.parcel WHERE version_id = ANY(%s)"  # noqa: S608 - a constant
    f" AND parcel_id NOT IN (SELECT parcel_id FROM {SAME}) GROUP BY parcel_id"
)
_FIRMS = (
    "SELECT parcel_id, attributes->>%s AS code, attributes->>%s AS name FROM land.enterprise"
    " WHERE version_id = ANY(%s) AND parcel_id IS NOT NULL ORDER BY enterprise_id"
)


@dataclass(frozen=True)
class Earlier:
    """The run whose values are taken over, its measures in their order, the parcels that are measured anew, and all that are read for these."""

    run_id: int
    measures: tuple[str, ...]
    anew: frozenset[str]
    some: Some


def taken_over(
    connection: Connection,
    held: Record | None,
    request: Request,
    tabulated: Record,
    versions: Versions,
    defined: Mapping[str, define.AnyMeasure],
) -> Earlier | None:
    """Return what can be taken over of the newest run before (`held`), or None where all parcels are to be measured."""
    rests = {definition.rests_on for definition in defined.values()}
    if held is None or define.ALL_PARCELS in rests or not _alike(connection, held, request, tabulated):
        return None
    before, now = set(held.inputs["parcel_versions"]), set(request.inputs["parcel_versions"])
    _find_same(connection, before, now)
    others = read_frame(connection, _OTHERS, [sorted(now), sorted(before | now)])
    there = others["there"].to_numpy(dtype=bool)
    anew, around = set(others["parcel_id"][there]), set[str]()
    if define.FIRMS in rests:
        beside, around = _with_firms(connection, versions, set(others["parcel_id"]))
        anew |= beside
    read = land.present(connection, sorted(now), sorted(anew | around))
    if len(read) > _MOST * _count(connection, now):
        return None
    connection.execute(f"DELETE FROM {SAME} WHERE parcel_id = ANY(%s)", [sorted(anew)])  # noqa: S608 - a constant
    some = some_parcels(connection, tabulated.run_id, sorted(now), read, reach(defined))
    return Earlier(held.run_id, _measures(connection, held.run_id), frozenset(anew), some)


def _alike(connection: Connection, held: Record, request: Request, tabulated: Record) -> bool:
    """Tell whether a run rests on the same as one that is to come, but for the parcels."""
    below = found_record(connection, int(held.inputs["tabulate_run"]))
    if below is None or {held.code_version, below.code_version, tabulated.code_version} != {
        program_version()
    }:
        return False
    return (
        held.holds
        and digest_of(held.settings) == digest_of(request.settings)
        and held.inputs["documents"] == request.inputs["documents"]
        and _but_parcels(held.inputs) == _but_parcels(request.inputs)
        and below.settings == tabulated.settings
        and _zones(below) == _zones(tabulated)
    )


def _but_parcels(inputs: Mapping[str, Any]) -> dict[str, str]:
    parcels = {str(number) for number in inputs["parcel_versions"]}
    return {number: digest for number, digest in inputs["versions"].items() if number not in parcels}


def _zones(tabulated: Record) -> dict[str, Any]:
    """Return what the overlaps of each layer rest on but for the parcels."""
    layers: dict[str, dict[str, Any]] = tabulated.inputs.get("layers", {})
    return {
        key: {name: value for name, value in layer.items() if name != "parcels"}
        for key, layer in layers.items()
    }


def _find_same(connection: Connection, before: Collection[int], now: Collection[int]) -> None:
    """Make the table of the parcels whose rows are the same in the deliveries of before and of now, whichever delivery brought them."""
    connection.execute(f"CREATE TEMP TABLE {SAME} (parcel_id text PRIMARY KEY) ON COMMIT DROP")
    numbers = sorted({*before, *now})
    found = connection.execute(
        "SELECT version_id, options->'absent' FROM land.layer_version WHERE version_id = ANY(%s)", [numbers]
    ).fetchall()
    # A field that a delivery does not have is unknown, and empty where another one has it.
    absent = {number: None if fields is None else frozenset(fields) for number, fields in found}
    cut = {
        rest for rest, held in land.cut_from(connection, before, now).items() if absent[rest] == absent[held]
    }
    pairs = [
        (one, other)
        for one in sorted({*now} - {*before} - cut)
        for other in sorted({*before} - {*now})
        if absent[one] == absent[other]
    ]
    values = {
        "both": sorted(({*before} & {*now}) | cut),
        "now": [one for one, _ in pairs],
        "held": [other for _, other in pairs],
    }
    # Of the newest rows the server knows no numbers yet, and would look them up one by one.
    connection.execute("SET LOCAL enable_nestloop = off")
    connection.execute(_SAME_ROWS, values)
    connection.execute("SET LOCAL enable_nestloop = on")
    connection.execute(f"ANALYZE {SAME}")


def _with_firms(
    connection: Connection, versions: Versions, changed: Collection[str]
) -> tuple[set[str], set[str]]:
    """Return the parcels that share a firm with one that is another now, and those that share one with these: by them its totals are spread."""
    numbers = [version.version_id for version in versions.get("enterprise", [])]
    rows = read_frame(connection, _FIRMS, [define.FIRM_CODE, define.FIRM_NAME, numbers])
    codes, names = (rows[name].to_numpy(dtype=object) for name in ("code", "name"))
    firms = pd.Series(firm_keys(codes, names), dtype=object)
    parcels = rows["parcel_id"]
    beside = set(parcels[firms.isin(firms[parcels.isin(changed)])])
    around = set(parcels[firms.isin(firms[parcels.isin({*beside, *changed})])])
    return beside, around


def _count(connection: Connection, versions: Collection[int]) -> int:
    row = connection.execute(
        "SELECT count(*) FROM land.parcel WHERE version_id = ANY(%s)", [sorted(versions)]
    ).fetchone()
    return int(row[0]) if row else 0


def reach(defined: Mapping[str, define.AnyMeasure]) -> float:
    """Return how far beyond a parcel anything may lie that its values rest on, m."""
    drifts = [item.drift for item in defined.values() if isinstance(item, define.OverlapMeasure)]
    return _ROUNDING_M + _REACH * max((drift.tolerance_m for drift in drifts if drift), default=0.0)


def _measures(connection: Connection, run_id: int) -> tuple[str, ...]:
    rows = connection.execute(
        "SELECT measure FROM result.evidence_measure WHERE run_id = %s ORDER BY number", [run_id]
    ).fetchall()
    return tuple(row[0] for row in rows)
