"""Doubts of a comparison as issues of the deliveries: a person looks at each, and none is settled silently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from lowland_gis.analysis.update import lineage as became
from lowland_gis.analysis.update.limits import Limits
from lowland_gis.analysis.update.lineage import PER_M2, Lineage
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.update.land import TwoStates

# The state that a doubt is of (old or new), the parcel, the rule and the words.
AtParcel = tuple[str, str, str, str]
PATTERN = r"lineage\_%"
_WORDS = {
    became.NEAR_LIMIT: "{old} 与 {new} 重叠（或不重合）{value:,.2f} m²，接近界限 {limit:,.2f} m²，是否同一来源存疑；请核对界址",
    became.ELSEWHERE: "宗地代码 {old} 去年与今年位于不同土地；代码不应重复使用，请核对",
    became.SLIVER: "{one} 大部分位于其他宗地范围内（自有 {value:,.2f} m²，全部 {limit:,.2f} m²），疑为狭长碎片；请核对界址",
    became.UNCHANGED_UNDER: "{new} 压盖未变化的宗地 {old} {value:,.2f} m²；同一土地被重复登记，请核对",
    became.UNCLEAR: "{old} 与 {new} 编号不同、界线也不同，仅重叠 {value:,.2f} m²；是否由其变更而来存疑，请核对",
}


def keep_doubts(
    connection: Connection,
    states: tuple[Basis, Basis],
    rows: Iterable[AtParcel],
    others: Sequence[int],
) -> None:
    """Keep an issue of every doubt at the parcel that it is of, in place of what an earlier comparison said of these deliveries.

    `others` are other deliveries of which it said something too.
    """
    before, after = (basis.parcels for basis in states)
    connection.execute(
        "DELETE FROM land.issue WHERE rule LIKE %s AND version_id = ANY(%s)",
        [PATTERN, [*before, *after, *others]],
    )
    rows = list(rows)
    for versions, side in ((after, "new"), (before, "old")):
        some = [(parcel, rule, words) for at, parcel, rule, words in rows if at == side]
        connection.execute(
            "INSERT INTO land.issue (version_id, row_no, key, rule, action, message, place)"
            " SELECT version_id, row_no, parcel_id, rule, 'kept', message, ST_PointOnSurface(geom)"
            " FROM unnest(%s::text[], %s::text[], %s::text[]) AS doubt (code, rule, message)"
            " JOIN land.parcel ON parcel_id = code AND version_id = ANY(%s) ORDER BY parcel_id, rule, message",
            [[row[0] for row in some], [row[1] for row in some], [row[2] for row in some], versions],
        )


def lineage_doubts(land: TwoStates, found: Lineage, limits: Limits) -> Iterator[AtParcel]:
    """Yield the doubts about what became of parcels."""
    yield from _of_lineage(land, found)
    yield from _claimed(land, limits)


def doubts_of(connection: Connection, versions: Sequence[int]) -> pd.DataFrame:
    """Return the doubts about some deliveries: layer, rule, key and message."""
    return read_frame(
        connection,
        "SELECT layer, rule, key, message FROM land.issue JOIN land.layer_version USING (version_id)"
        " WHERE rule LIKE %s AND version_id = ANY(%s) ORDER BY rule, key, message",
        [PATTERN, list(versions)],
    )


def _of_lineage(land: TwoStates, found: Lineage) -> Iterator[AtParcel]:
    old, new = land.old_moved.ids, land.new_moved.ids
    for row in found.doubts:
        one = str(old[row.old]) if row.old >= 0 else ""
        other = str(new[row.new]) if row.new >= 0 else ""
        words = _WORDS[row.rule].format(
            old=one, new=other, one=other or one, value=row.value, limit=row.limit
        )
        yield ("new", other, row.rule, words) if other else ("old", one, row.rule, words)


def _claimed(land: TwoStates, limits: Limits) -> Iterator[AtParcel]:
    """Yield new parcels that lie on land of parcels that stayed as they were, by more than a strip along their boundary."""
    for place, code, area in land.claimed:
        limit = limits.drift_m * land.new_moved.perimeter_m[place] / 2
        if area > limit * PER_M2:
            new = str(land.new_moved.ids[place])
            words = _WORDS[became.UNCHANGED_UNDER].format(old=code, new=new, value=area / PER_M2)
            yield "new", new, became.UNCHANGED_UNDER, words
