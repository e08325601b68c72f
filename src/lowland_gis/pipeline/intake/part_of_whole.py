"""A part that comes after a whole delivery: it takes the place of its pieces of the whole, and the rest of the whole stays in force.

What stays is a delivery of its own (`land.layer_version.rest_of`), so that every reader sees parts and rest as one basis.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from psycopg import sql

from lowland_gis import schema
from lowland_gis.analysis.geometry.derived import joined
from lowland_gis.analysis.measures.towns import code_of_town
from lowland_gis.analysis.pieces import Pieces, ground_of_both, pieces, towns_of
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_geoframe
from lowland_gis.db.parts import copy_rest
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.errors import InputRefusedError, UsageError, listed
from lowland_gis.pipeline.base.project import who
from lowland_gis.pipeline.base.runs import Version, Versions, digest_of
from lowland_gis.pipeline.intake.versions_compared import Difference, compared, side_of
from lowland_gis.settings import DeliverySettings

# The part that the rest of a whole stands under.
REST = "rest of the whole"
# Of a file of which so much lies elsewhere it is not the part that is said.
_MOST = 0.5
# What outlines share beside a common boundary is no common ground, m².
_COMMON_M2 = 1.0
_SHOWN = 5
_LEAST_DIGITS = 6
# The names of these stay with the land; others may be numbered anew with every file.
_LASTING = ("ZDDM", "XZQDM")
# Fields whose codes begin with that of the town.
_SAYING = ("ZDDM", "ZLDWDM", "XZQDM")
_TABLES = {"feature": schema.FEATURE, "parcel": schema.PARCEL, "enterprise": schema.ENTERPRISE}
_ROWS = (
    "SELECT held.row_no, held.attributes->>{key} AS key, held.attributes->>{saying} AS saying, {place} AS geom FROM land.{table} held"
    " {firms} WHERE held.version_id = {version} ORDER BY held.row_no"
)
_FIRMS = "LEFT JOIN land.parcel p ON p.parcel_id = held.parcel_id AND p.version_id = ANY({parcels})"
_REST = (
    "INSERT INTO land.layer_version (layer, part, rest_of, source_id, as_of, digest, options, loaded_at, loaded_by, n_read, n_loaded,"
    " n_rejected) SELECT layer, %s, coalesce(rest_of, version_id), source_id, as_of, %s, options, %s, %s, 0, 0, n_rejected"
    " FROM land.layer_version WHERE version_id = %s RETURNING version_id"
)
# A doubt about the delivery as a whole has neither key nor place.
_ISSUES = (
    "INSERT INTO land.issue (version_id, row_no, key, rule, action, message, place, received, received_wkb)"
    " SELECT %s, row_no, key, rule, action, message, place, received, received_wkb FROM land.issue WHERE version_id = %s"
    " AND (action = 'rejected' OR (row_no = 0 AND key IS NULL AND place IS NULL) OR NOT row_no = ANY(%s)) ORDER BY issue_id"
)


@dataclass(frozen=True)
class Meaning:
    """Which pieces of a whole a part stands for: those of the town `here`, told by the places of towns or by codes alone."""

    here: str
    title: str
    towns: gpd.GeoDataFrame
    by_place: bool


@dataclass(frozen=True)
class Taken:
    """What a part has taken the place of: `text` tells the difference, `doubts` (rule, words) stand in `land.issue`."""

    text: str
    doubts: list[tuple[str, str]] = field(default_factory=list)


def cut_by(current: Versions, layer: str, part: str | None) -> Version | None:
    """Return the whole delivery (or what parts have left of it) that a part is to take pieces of; None where the part is in force."""
    held = current.get(layer, [])
    if part is None or any(version.part == part for version in held):
        return None
    return next((version for version in held if version.is_whole), None)


def meaning(connection: Connection, delivery: DeliverySettings, current: Versions) -> Meaning | None:
    """Return which pieces of a whole delivery a part stands for; None where no whole delivery is in force, or the part is.

    Raises:
        UsageError: it cannot be told which pieces are meant, or they are another part already.
    """
    if delivery.part == REST:
        raise UsageError(f"--part {REST!r} is the name of what parts leave of a whole. Choose another one.")
    if delivery.part_by is not None and delivery.part is None:
        raise UsageError("--part-by says which pieces a part takes the place of. Name it with --part NAME")
    held = cut_by(current, delivery.layer, delivery.part)
    if held is None or delivery.part is None:
        return None
    definition = layer_definition(delivery.layer)
    towns = _towns(connection, [version.version_id for version in current.get("town", [])])
    told = _told(definition, delivery, towns)
    if told is None:
        raise _untold(definition, delivery, held, towns)
    for other in current[delivery.layer]:
        if not other.is_whole and other.part is not None:
            same = _told(definition, delivery.model_copy(update={"part": other.part}), towns)
            if same is not None and same.here == told.here:
                raise UsageError(
                    f"{told.title} is in force already as the part {other.part!r} of {delivery.layer} (version {other.version_id}), so as part"
                    f" {delivery.part!r} its land would count twice. Type: --part {other.part}"
                )
    return told


def take_place(
    connection: Connection,
    delivery: DeliverySettings,
    version_id: int,
    told: Meaning,
    current: Versions,
    *,
    srid: int,
) -> Taken:
    """Put a part that was just loaded in the place of its pieces of the whole, and keep the rest of this in force.

    Raises:
        InputRefusedError: most of the file lies elsewhere, or of some pieces it cannot be told whether they are meant.
    """
    definition = layer_definition(delivery.layer)
    held = cut_by(current, delivery.layer, delivery.part)
    if held is None:
        raise AssertionError(f"{delivery.layer}: there is no whole to take pieces of")
    parcels = [version.version_id for version in current.get("parcel", [])]
    part = _records(connection, definition, version_id, parcels, told, srid=srid)
    near = pd.concat([part.bounds, told.towns[told.towns["code"] == told.here].bounds])
    whole = _records(connection, definition, held.version_id, parcels, told, srid=srid, near=near)
    by = delivery.part_by if told.by_place else "code"
    found = pieces(whole, part, told.here, by)
    _refuse_elsewhere(delivery, part, found, told)
    _refuse_doubt(delivery, whole, found, told)
    rows = [int(number) for number in whole["row_no"][found.taken].unique()]
    difference = compared(
        connection,
        definition,
        (held.version_id, side_of(connection, definition, held.version_id, rows)),
        (version_id, side_of(connection, definition, version_id)),
    )
    rest = _keep_rest(connection, definition, held, rows)
    doubts = list(_doubts(part, whole, found, told))
    kept = int((~found.taken).sum())
    text = (
        f"{delivery.layer} part {delivery.part}: it takes the place of {len(rows):,} records of the whole delivery (version"
        f" {held.rest_of or held.version_id}) that are of {told.title}, told by {_way(told, delivery)}: {_difference(difference)}."
        f" The other {kept:,} records of the whole stay in force (version {rest})"
    )
    return Taken(text, doubts)


def _way(told: Meaning, delivery: DeliverySettings) -> str:
    if not told.by_place:
        return "the digits of their codes"
    return "their codes, as was said" if delivery.part_by == "code" else "the largest share in the town layer"


def _towns(connection: Connection, versions: list[int]) -> gpd.GeoDataFrame:
    """Return the towns in force, one row a code in their order: code, name, geometry."""
    rows = read_geoframe(
        connection,
        "SELECT code, attributes->>'XZQMC' AS name, ST_AsBinary(geom) AS geom FROM land.feature WHERE version_id = ANY(%s)"
        " AND code IS NOT NULL ORDER BY code, feature_id",
        [versions],
        srid=0,
    )
    rows = rows.assign(code=rows["code"].map(code_of_town))
    groups = [
        (code, group["name"].iloc[0], group.geometry.to_numpy()) for code, group in rows.groupby("code")
    ]
    outlines: list[Any] = list(joined([shapes for _, _, shapes in groups]).geometries) if groups else []
    return gpd.GeoDataFrame(
        {"code": [code for code, _, _ in groups], "name": [name for _, name, _ in groups]},
        geometry=outlines,
    )


def _told(definition: LayerDefinition, delivery: DeliverySettings, towns: gpd.GeoDataFrame) -> Meaning | None:
    """Return what a part stands for, None where that cannot be told."""
    part = str(delivery.part)
    named = towns[(towns["code"] == code_of_town(part)) | (towns["name"] == part)]
    saying = _saying(definition)
    if delivery.part_by == "code" and saying is None:
        return None
    if len(named) == 1:
        here, name = str(named["code"].iloc[0]), named["name"].iloc[0]
        by_place = definition.key != "town" and definition.stored != "raster"
        if by_place or saying is not None:
            return Meaning(here, " ".join(filter(None, (here, name))), towns, by_place)
    if (
        len(named) == 0
        and delivery.part_by != "place"
        and part.isdigit()
        and len(part) >= _LEAST_DIGITS
        and saying is not None
    ):
        return Meaning(
            code_of_town(part),
            f"codes ({saying}) that begin with {code_of_town(part)}",
            towns,
            by_place=False,
        )
    return None


def _saying(definition: LayerDefinition) -> str | None:
    """Return the field whose codes begin with that of the town, None where a layer has none."""
    names = {item.name for item in definition.field}
    if definition.stored == "raster":
        return None
    return next((name for name in _SAYING if name in names), None)


def _untold(
    definition: LayerDefinition, delivery: DeliverySettings, held: Version, towns: gpd.GeoDataFrame
) -> UsageError:
    saying = _saying(definition)
    if definition.stored == "raster":
        why = "a raster cannot be cut"
    else:
        why = (
            "no town of the layer town has this code or name"
            if len(towns)
            else "there are no towns (lowland ingest town FILE)"
        )
        why += (
            f", and it is no beginning of codes ({saying})"
            if saying
            else ", and the layer has no codes that name a town"
        )
    known = [
        " ".join(filter(None, (code, name))) for code, name in zip(towns["code"], towns["name"], strict=True)
    ]
    hint = f" Name the part by the code of a town:\n{listed(known)}\nOr deliver" if known else " Deliver"
    return UsageError(
        f"{delivery.layer} is there as a whole delivery (version {held.version_id}), and which pieces of it the part {delivery.part!r} stands"
        f" for cannot be told: {why}. Nothing was loaded.{hint} the whole layer again, without a part."
    )


def _records(
    connection: Connection,
    definition: LayerDefinition,
    version_id: int,
    parcels: list[int],
    told: Meaning,
    *,
    srid: int,
    near: pd.DataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Return the records of a delivery as `analysis.pieces` wants them: row_no, name, key, town, said, geometry.

    Of a whole district only the shapes are read that lie `near` (bounds of shapes), or whose codes say the town: no other is of it.
    """
    firms = definition.stored == "enterprise"
    identifier = definition.identifier or ""
    query = sql.SQL(_ROWS).format(
        key=sql.Literal(identifier),
        saying=sql.Literal(_saying(definition) or ""),
        place=_place("p" if firms else "held", _saying(definition), told.here, near),
        table=sql.Identifier(definition.stored),
        firms=sql.SQL(_FIRMS).format(parcels=sql.Literal(parcels)) if firms else sql.SQL(""),
        version=sql.Literal(version_id),
    )
    rows = read_geoframe(connection, query, srid=srid)
    shapes, towns = rows.geometry.to_numpy(), told.towns
    town = np.full(len(rows), None, dtype=object)
    if told.by_place:
        there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        town[there] = towns_of(shapes[there], towns.geometry.to_numpy(), towns["code"].to_numpy(dtype=object))
    known = sorted({*towns["code"], told.here}, key=len, reverse=True)
    said = [_said(code, known) for code in rows["saying"]]
    lasting = rows["key"] if identifier in _LASTING else _by_shape(shapes, rows.index, firms=firms)
    names = rows["key"].fillna("row " + rows["row_no"].astype(str))
    return gpd.GeoDataFrame(
        {"row_no": rows["row_no"], "name": names, "key": lasting, "town": town, "said": pd.Series(said, dtype=object)},
        # Firms are told by their parcels, but have no ground of their own.
        geometry=gpd.GeoSeries([None] * len(rows), crs=srid) if firms else rows.geometry,
    )  # fmt: skip


def _by_shape(shapes: Any, index: pd.Index, *, firms: bool) -> pd.Series:
    """Return what knows a record whose name does not stay with the land: its shape, however it is written; None where it has none."""
    known = np.full(len(shapes), None, dtype=object)
    if not firms:
        there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        known[there] = shapely.to_wkb(shapely.normalize(shapes[there]), hex=True)
    return pd.Series(known, index=index)


def _place(table: str, saying: str | None, here: str, near: pd.DataFrame | None) -> sql.Composed:
    """Return the column of the shapes, empty where they lie far from `near` and no code says that they are of the town."""
    geom = sql.Identifier(table, "geom")
    if near is None:
        return sql.SQL("ST_AsBinary({})").format(geom)
    low, high = near[["minx", "miny"]].min(), near[["maxx", "maxy"]].max()
    # Without anything near the box is empty, and only codes say what is of the town.
    box = [float(value) for value in (*low, *high)] if len(near.dropna()) else [0.0, 0.0, 0.0, 0.0]
    return sql.SQL(
        "CASE WHEN {geom} && ST_MakeEnvelope({box}, ST_SRID({geom})) OR starts_with(held.attributes->>{saying}, {here})"
        " THEN ST_AsBinary({geom}) END"
    ).format(
        geom=geom,
        box=sql.SQL(", ").join(map(sql.Literal, box)),
        saying=sql.Literal(saying or ""),
        here=sql.Literal(here),
    )


def _said(code: object, known: Sequence[str]) -> str | None:
    """Return the town whose code another one begins with."""
    return next((town for town in known if isinstance(code, str) and code.startswith(town)), None)


def _refuse_elsewhere(delivery: DeliverySettings, part: pd.DataFrame, found: Pieces, told: Meaning) -> None:
    if found.strays.sum() > _MOST * len(part):
        place = part["town"] if told.by_place else part["said"]
        others = place[found.strays].fillna("no town").value_counts()
        where = ", ".join(f"{town} ({count:,})" for town, count in others.head(_SHOWN).items())
        raise InputRefusedError(
            f"{delivery.source}: {int(found.strays.sum()):,} of its {len(part):,} records are not of {told.title}, which the part"
            f" {delivery.part!r} stands for, but of {where}; nothing was loaded. Name the part that the file holds."
        )


def _refuse_doubt(delivery: DeliverySettings, whole: pd.DataFrame, found: Pieces, told: Meaning) -> None:
    doubtful = whole[found.doubt]
    if doubtful.empty:
        return
    named = [
        f"{row['name']}: it lies in {row['town']}, its code says {row['said']}"
        for row in doubtful.to_dict("records")
    ]
    raise InputRefusedError(
        f"{delivery.source}: of {len(named):,} records of the whole {delivery.layer} it cannot be told whether they belong to {told.title}; the"
        f" file does not hold them, so they would be gone, or stand beside what takes their place; nothing was loaded:\n{listed(named)}\n"
        "Say what counts: --part-by place (where they lie) or --part-by code (in lowland.toml: part_by = …)"
    )


def _keep_rest(connection: Connection, definition: LayerDefinition, held: Version, rows: list[int]) -> int:
    """Make a delivery of what is left of a whole, with its issues, and return its number."""
    row = connection.execute(
        _REST, [REST, digest_of([held.digest, rows]), dt.datetime.now(dt.UTC), who(), held.version_id]
    ).fetchone()
    version_id = int(row[0]) if row else 0
    copied = copy_rest(connection, _TABLES[definition.stored], held.version_id, version_id, rows)
    connection.execute(_ISSUES, [version_id, held.version_id, rows])
    connection.execute(
        "UPDATE land.layer_version SET n_loaded = %s, n_read = %s + n_rejected WHERE version_id = %s",
        [copied, copied, version_id],
    )
    return version_id


def _doubts(part: Any, whole: Any, found: Pieces, told: Meaning) -> list[tuple[str, str]]:
    """Return what is doubtful of a part that is in force now: records elsewhere, and ground that the rest holds too."""
    doubts = []
    if found.strays.any():
        names = part["name"][found.strays]
        words = f"{len(names):,} records of the part are not of {told.title}, for example {names.iloc[0]}; they count where they lie"
        doubts.append(("outside_part", words))
    shapes, rest = part.geometry.to_numpy(), whole.geometry[~found.taken].to_numpy()
    twice = ground_of_both(shapes[~shapely.is_missing(shapes)], rest[~shapely.is_missing(rest)])
    if twice > _COMMON_M2:
        words = (
            f"the part shares {twice:,.0f} m² with records of the whole that stay in force, so this ground counts twice. Look at the"
            " boundary of the town, or deliver the whole layer again"
        )
        doubts.append(("part_and_rest", words))
    return doubts


def _difference(found: Difference) -> str:
    balance = found.balance
    changed = len(set(found.geometries["key"]) | set(found.fields["key"]))
    said = (
        f"{len(found.added):,} added{_named(found.added)}, {len(found.removed):,} gone{_named(found.removed)}, {changed:,} changed"
        f" ({len(found.geometries):,} in outline), {found.unchanged:,} as before"
    )
    if not found.balance.old_m2 and not found.balance.new_m2:
        return said
    return f"{said}; {balance.old_m2:,.2f} → {balance.new_m2:,.2f} m²"


def _named(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    more = f", … {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    return f" ({', '.join(map(str, rows['key'].head(_SHOWN)))}{more})"
