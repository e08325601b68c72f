"""Which frozen units a correction has touched: their parcels as they were held against the parcels and verdicts of now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lowland_gis.analysis.rules.pack import KIND, OPEN
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame, read_geoframe
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.basis import Basis, basis_of
from lowland_gis.pipeline.base.runs import found_record
from lowland_gis.pipeline.base.stale import Stale
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.units.frozen import any_frozen, frozen_units

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
else:
    gpd = when_used("geopandas")
    pd = when_used("pandas")

_WAS = ["number", "parcel_id", "version_id", "area_m2", "answer", "low"]
_NOW = ["parcel_id", "version_id", "area_m2", "answer", "low"]
# Of members whose delivery is another one now the outlines are read, of the others not.
_OUTLINES = (
    "SELECT version_id, parcel_id, ST_AsBinary(geom) AS geom FROM land.parcel"
    " JOIN unnest(%s::bigint[], %s::text[]) AS wanted (version_id, parcel_id) USING (version_id, parcel_id)"
)
_BENEATH = (
    "SELECT was.parcel_id AS gone, now.parcel_id, ST_AsBinary(now.geom) AS geom FROM land.parcel was"
    " JOIN unnest(%s::bigint[], %s::text[]) AS wanted (version_id, parcel_id) USING (version_id, parcel_id)"
    " JOIN land.parcel now ON now.geom && was.geom AND now.version_id = ANY(%s) ORDER BY 1, 2"
)


def frozen_changes(held: Reading, *, without: Collection[str] = ()) -> pd.DataFrame:
    """Return what became of the parcels of the frozen units in force, but for some numbers: number, parcel_id, how, words.

    Outlines are those of the deliveries in force, verdicts those of the classification that is looked at. Nothing is returned where
    all is as it was when the units were frozen.
    """
    from lowland_gis.analysis.units.member_changes import member_changes

    connection, basis = held.connection, held.basis
    units = frozen_units(connection)
    units = units[~units["number"].isin(list(without))]
    was = _as_they_were(connection, units)
    current = [version.version_id for version in held.current.get("parcel", [])]
    now = members_now(connection, basis, sorted(set(was["parcel_id"])), current)
    changed = _with_outlines(connection, was, now, srid=held.project.srid)
    gone = was[~was["parcel_id"].isin(now["parcel_id"]) & was["version_id"].notna()]
    beneath = read_geoframe(connection, _BENEATH, [*_keys(gone), current], srid=held.project.srid)
    titles = {**basis.pack.question_named(KIND).answers, OPEN: held.project.legend.answers[OPEN].title}
    return member_changes(*changed, beneath, titles)


def affected_frozen(held: Reading) -> Stale | None:
    """Return which frozen units a correction has touched, by which parcels and how, and what to type; None where none is."""
    if not any_frozen(held.connection):
        # Most projects have none, and need not load what compares outlines.
        return None
    return said_of(frozen_changes(held))


def said_of(changes: pd.DataFrame) -> Stale | None:
    """Return in words what `frozen_changes` found; None where it found nothing."""
    if changes.empty:
        return None
    causes = [f"{row['number']}: {row['parcel_id']} {row['words']}" for row in changes.to_dict("records")]
    return Stale("Frozen units are", tuple(causes), commands(list(dict.fromkeys(changes["number"]))))


def commands(numbers: Sequence[str]) -> str:
    """Return what to type for frozen units that a correction has touched."""
    listed = " ".join(numbers)
    replaced = " ".join(f"--replaces {number}" for number in numbers)
    return (
        f"lowland unit draft, then: lowland unit freeze --unit UNIT {replaced}"
        f" – or, where nothing is to take their place: lowland unit withdraw {listed} --reason TEXT"
    )


def stale_frozen(held: Reading) -> Stale | None:
    """Return which frozen units a correction has touched; where it is none, which were drawn on other verdicts than those looked at.

    What people froze stays; that it rests on something else is said.
    """
    touched = affected_frozen(held)
    if touched is not None:
        return touched
    connection, basis = held.connection, held.basis
    causes = []
    for run_id, rows in frozen_units(connection).groupby("run_id"):
        drawn = found_record(connection, int(str(run_id)))
        if drawn is None or drawn.inputs["classify"] != basis.classified.digest:
            rests, same = (
                ("a draft that was thrown away", "is gone; what else became of them is not known")
                if drawn is None
                else (
                    f"the classification run {drawn.inputs['classify_run']}",
                    "is gone, has another outline or is not low-efficiency any more",
                )
            )
            causes.append(
                f"{len(rows)} frozen units ({rows['number'].iloc[0]} …) rest on {rests}, all else on run {basis.run_id}; of their"
                f" parcels none {same}"
            )
    if not causes:
        return None
    return Stale(
        "Frozen units are", tuple(causes), "lowland unit draft, then: lowland unit freeze --unit UNIT"
    )


def members_now(
    connection: Connection, basis: Basis, codes: Sequence[str], versions: Sequence[int]
) -> pd.DataFrame:
    """Return parcels of some deliveries: parcel_id, version_id, area_m2, answer (None: no verdict) and low, by a classification."""
    rows = read_frame(
        connection,
        "SELECT p.parcel_id, p.version_id, p.area_m2, v.answer FROM land.parcel p LEFT JOIN result.verdict v"
        " ON v.parcel_id = p.parcel_id AND v.run_id = %s AND v.question = %s"
        " WHERE p.version_id = ANY(%s) AND p.parcel_id = ANY(%s) ORDER BY p.parcel_id",
        [basis.run_id, KIND, list(versions), list(codes)],
    )
    rows = rows.drop_duplicates("parcel_id", ignore_index=True)
    low = [None if answer is None else answer in basis.pack.low_answers for answer in rows["answer"]]
    return rows.assign(low=pd.Series(low, index=rows.index, dtype=object))[_NOW]


def _as_they_were(connection: Connection, units: pd.DataFrame) -> pd.DataFrame:
    """Return the members of units as they were when these were frozen; what an older program did not keep is found by its draft."""
    parts = []
    for run_id, rows in units.groupby("run_id"):
        older = rows[rows["members"].isna()]
        known = [
            {"number": number, **member}
            for number, members in zip(rows["number"], rows["members"], strict=True)
            for member in members or []
        ]
        parts += [
            pd.DataFrame(known, columns=_WAS, dtype=object),
            _by_draft(connection, int(str(run_id)), older),
        ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_WAS, dtype=object)


def _by_draft(connection: Connection, run_id: int, units: pd.DataFrame) -> pd.DataFrame:
    """Return the members of units of a draft by the classification that it was drawn on; only their codes where it was thrown away."""
    members = units[["number", "parcels"]].explode("parcels").rename(columns={"parcels": "parcel_id"})
    drawn = None if units.empty else found_record(connection, run_id)
    if drawn is None:
        return members.reindex(columns=_WAS).astype(object)
    basis = basis_of(connection, str(drawn.inputs["classify_run"]))
    then = members_now(connection, basis, sorted(set(members["parcel_id"])), basis.parcels)
    return members.merge(then, on="parcel_id", how="left")[_WAS].astype(object)


def _with_outlines(
    connection: Connection, was: pd.DataFrame, now: pd.DataFrame, *, srid: int
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return both sides with the outlines of the parcels that came with another delivery; the others have none to compare."""
    newer = dict(zip(now["parcel_id"], now["version_id"], strict=True))
    other = was["version_id"].notna() & (was["version_id"] != was["parcel_id"].map(newer))
    codes = set(was["parcel_id"][other])
    sides: list[tuple[pd.DataFrame, Any]] = [(was, other), (now, now["parcel_id"].isin(codes))]
    made = []
    for rows, asked in sides:
        found = read_geoframe(connection, _OUTLINES, _keys(rows[asked]), srid=srid)
        shapes = dict(
            zip(zip(found["version_id"], found["parcel_id"], strict=True), found.geometry, strict=True)
        )
        placed = [
            shapes.get(key) if wanted else None
            for key, wanted in zip(
                zip(rows["version_id"], rows["parcel_id"], strict=True), asked, strict=True
            )
        ]
        geometry = gpd.GeoSeries(np.array([*placed, None], dtype=object)[:-1], index=rows.index, crs=srid)
        made.append(gpd.GeoDataFrame(rows, geometry=geometry))
    return made[0], made[1]


def _keys(rows: pd.DataFrame) -> list[list[Any]]:
    return [[int(number) for number in rows["version_id"]], rows["parcel_id"].tolist()]
