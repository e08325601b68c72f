"""The increment of the survey on the land of an update: what it says is held against both surveys, and each disagreement is a doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lowland_gis.analysis.increment import CAME, PROCESS, WENT, lineage
from lowland_gis.analysis.update.lineage import ADDED, REMOVED
from lowland_gis.analysis.update.surveyed import (
    APART,
    AREA,
    CLASSES,
    NOT_SHOWN,
    Pair,
    Seen,
    SurveyDoubt,
    pair_doubts,
    parcel_doubts,
)
from lowland_gis.db.connect import Connection
from lowland_gis.definitions.update import UpdateDefinition
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.base.runs import Version, current_versions, numbered, versions_before
from lowland_gis.pipeline.quality.increment import BASE, CHANGED, PIECES
from lowland_gis.pipeline.quality.layers import Others
from lowland_gis.pipeline.update.doubts import AtParcel

_WORDS = {
    APART: "变更过程层称图斑 {one} 变为 {other} {said:,.2f} m²，而两者图形不相交；请核对变更调查增量",
    AREA: "变更过程层称图斑 {one} 变为 {other} {said:,.2f} m²，两期图斑实际重叠 {shown:,.2f} m²；请核对变更调查增量",
    CLASSES: "宗地 {one} 范围内地类 {was} → {now}：变更过程层为 {said:,.2f} m²，两期图斑叠加为 {shown:,.2f} m²；请核对变更调查增量",
    NOT_SHOWN: "宗地 {one} 新增或灭失，变更调查增量和两期图斑在其范围内均无地类变化；原因存疑，请核对",
}
# What old and new polygons of the process layer share, brought to the ellipsoid by the scale of the old one; none where one is not there.
_PAIRS = """
    SELECT pair.before, pair.after, pair.stated, sum(
        ST_Area(ST_Intersection(was.geom, now.geom)) * was.area_m2 / nullif(ST_Area(was.geom), 0))
    FROM unnest(%s::text[], %s::text[], %s::float8[]) AS pair (before, after, stated)
    JOIN land.feature was ON was.version_id = ANY(%s) AND was.attributes->>'BSM' = pair.before
    JOIN land.feature now ON now.version_id = ANY(%s) AND now.attributes->>'BSM' = pair.after
    GROUP BY pair.before, pair.after, pair.stated ORDER BY 1, 2
"""
_PARCELS = """
    SELECT parcel_id, area_m2, geom, area_m2 / nullif(planar_m2, 0) AS scale FROM land.parcel
    WHERE version_id = ANY(%(parcels)s) AND parcel_id = ANY(%(codes)s)
"""
_SAID = f"""
    WITH parcel AS ({_PARCELS})
    SELECT parcel_id, piece.attributes->>'BGQDLBM', piece.attributes->>'BGHDLBM', sum(ST_Area(ST_Intersection(parcel.geom, piece.geom)) * scale)
    FROM parcel JOIN land.feature piece ON piece.version_id = ANY(%(pieces)s) AND piece.geom && parcel.geom
        AND ST_Intersects(piece.geom, parcel.geom)
    WHERE piece.attributes->>'BGQDLBM' <> piece.attributes->>'BGHDLBM'
        AND NOT coalesce(piece.attributes->>'XZQTZLX', '0') = ANY(%(moved)s)
    GROUP BY 1, 2, 3
"""  # noqa: S608 - constants
_SHOWN = f"""
    WITH parcel AS ({_PARCELS})
    SELECT parcel_id, was.attributes->>'DLBM', now.attributes->>'DLBM',
        sum(ST_Area(ST_Intersection(ST_Intersection(parcel.geom, was.geom), now.geom)) * scale)
    FROM parcel
    JOIN land.feature was ON was.version_id = ANY(%(was)s) AND was.geom && parcel.geom AND ST_Intersects(was.geom, parcel.geom)
    JOIN land.feature now ON now.version_id = ANY(%(now)s) AND now.geom && parcel.geom AND now.geom && was.geom
        AND ST_Intersects(now.geom, parcel.geom)
    WHERE was.attributes->>'DLBM' <> now.attributes->>'DLBM'
    GROUP BY 1, 2, 3
"""  # noqa: S608 - constants
_KEEP_PAIRS = """
    INSERT INTO land.issue (version_id, row_no, key, rule, action, message, place)
    SELECT DISTINCT ON (doubt.before, doubt.after) version_id, row_no, attributes->>'BSM', rule, 'kept', message, ST_PointOnSurface(geom)
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS doubt (before, after, rule, message)
    JOIN land.feature ON version_id = ANY(%s) AND attributes->>'BGQTBBSM' = doubt.before AND attributes->>'BGHTBBSM' = doubt.after
    ORDER BY doubt.before, doubt.after, row_no
"""


@dataclass(frozen=True)
class Increment:
    """The increment in force: the deliveries of its process layer and of both surveys; `usable` where all of them are there."""

    layer: tuple[Version, ...]
    pieces: tuple[int, ...]
    was: tuple[int, ...]
    now: tuple[int, ...]

    @property
    def usable(self) -> bool:
        """Return whether there is something to hold against something."""
        return bool(self.pieces and self.was and self.now)

    @property
    def recorded(self) -> dict[str, str]:
        """Return the deliveries as a run records them: number → digest."""
        return numbered(self.layer)


def increment_in_force(connection: Connection) -> Increment:
    """Return the increment in force, with the survey of the year and the one before it."""
    current = current_versions(connection)
    now = current.get(BASE, [])
    was = versions_before(connection, now)
    pieces = current.get(PIECES, [])
    every = (*pieces, *current.get(CHANGED, []), *now, *was)
    numbers = [tuple(version.version_id for version in some) for some in (pieces, was, now)]
    return Increment(tuple(every) if pieces else tuple(current.get(CHANGED, [])), *numbers)


def keep_pair_doubts(
    connection: Connection, increment: Increment, definition: UpdateDefinition, folder: Path
) -> None:
    """Keep an issue of the process layer for every old polygon and new one that do not meet as it says."""
    if not increment.usable:
        return
    process = Others(connection, {PIECES: [one for one in increment.layer if one.layer == PIECES]}, folder)
    layer = process.layer(PIECES, PROCESS)
    if layer is None:
        return
    told = lineage(layer.texts)
    told = told[(told["before"] != "") & (told["after"] != "")]
    values = [told["before"].tolist(), told["after"].tolist(), told["area_m2"].tolist()]
    rows = connection.execute(_PAIRS, [*values, list(increment.was), list(increment.now)]).fetchall()
    pairs = [Pair(before, after, stated, shared or 0.0) for before, after, stated, shared in rows]
    doubts = list(pair_doubts(pairs, definition.survey_tolerance))
    columns = [
        [doubt.at[0] for doubt in doubts],
        [doubt.at[1] for doubt in doubts],
        [doubt.rule for doubt in doubts],
        [_words(doubt) for doubt in doubts],
    ]
    connection.execute(_KEEP_PAIRS, [*columns, list(increment.pieces)])


def survey_doubts(
    connection: Connection,
    increment: Increment,
    states: tuple[Basis, Basis],
    rows: Sequence[Mapping[str, Any]],
    definition: UpdateDefinition,
) -> Iterator[AtParcel]:
    """Yield the doubts about the land of changed parcels; `rows` are the changes with kind, cause, old_parcels and new_parcels.

    A parcel that is there by now is looked at with its outline of now, one that is gone with the one that it had.
    """
    there = {code for row in rows for code in row["new_parcels"]}
    gone = {code for row in rows if not row["new_parcels"] for code in row["old_parcels"]}
    # What came or went, and nothing but the survey would say why.
    needed = {
        code
        for row in rows
        if row["kind"] in (ADDED, REMOVED) and row["cause"] == definition.kind_cause[row["kind"]]
        for code in (*row["old_parcels"], *row["new_parcels"])
    }
    for side, codes, basis in (("old", gone, states[0]), ("new", there, states[1])):
        seen = _seen(connection, increment, basis.parcels, codes, needed)
        for doubt in parcel_doubts(seen, definition.survey_tolerance):
            yield side, doubt.at[0], doubt.rule, _words(doubt)


def _seen(
    connection: Connection,
    increment: Increment,
    parcels: Sequence[int],
    codes: Collection[str],
    needed: Collection[str],
) -> list[Seen]:
    given: dict[str, Any] = {
        "parcels": list(parcels), "codes": sorted(codes), "pieces": list(increment.pieces), "was": list(increment.was),
        "now": list(increment.now), "moved": [*CAME, *WENT],
    }  # fmt: skip
    areas = connection.execute(f"SELECT parcel_id, area_m2 FROM ({_PARCELS}) parcel ORDER BY 1", given)  # noqa: S608 - a constant
    said, shown = (_turns(connection, query, given) for query in (_SAID, _SHOWN))
    return [
        Seen(code, area, said.get(code, {}), shown.get(code, {}), code in needed)
        for code, area in areas.fetchall()
    ]


def _turns(
    connection: Connection, query: str, given: Mapping[str, Any]
) -> dict[str, dict[tuple[str, str], float]]:
    found: dict[str, dict[tuple[str, str], float]] = {}
    for code, was, now, area in connection.execute(query, given).fetchall():
        found.setdefault(code, {})[was, now] = float(area or 0.0)
    return found


def _words(doubt: SurveyDoubt) -> str:
    (one, other), (was, now) = doubt.at, doubt.classes
    return _WORDS[doubt.rule].format(
        one=one, other=other, was=was, now=now, said=doubt.said_m2, shown=doubt.shown_m2
    )
