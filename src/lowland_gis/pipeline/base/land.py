"""Current land out of the database: parcels, zones and barriers as frames."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Hashable, Iterable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from psycopg import sql

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame, read_geoframe
from lowland_gis.db.roles import my_towns
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.runs import Version, Versions

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
else:
    gpd = when_used("geopandas")

# SQLAlchemy builds no part of these: they are read in binary, with the geometry as WKB.
_PARCELS = sql.SQL("SELECT {} FROM land.parcel WHERE version_id = ANY(%s) AND {} ORDER BY parcel_id")
_SHAPE = sql.SQL("ST_AsBinary(geom) AS geom")
# Under this name shapes are kept: of one set of deliveries at a time.
_KEPT = "shapes of parcels"
MEASURED_COLUMNS = ("version_id", "parcel_id", "town_code", "area_m2", "planar_m2")


def parcels(
    connection: Connection,
    versions: Versions,
    *,
    srid: int,
    columns: Sequence[str | sql.Composable] = (*MEASURED_COLUMNS, "attributes"),
    only: sql.Composable | None = None,
    kept: MutableMapping[Hashable, Any] | None = None,
) -> gpd.GeoDataFrame:
    """Return the parcels of some deliveries in the order of their codes: some columns (parcel_id among them) and the geometry.

    With `only`, a condition, those that meet it. A column may be an expression with its name, such as one text of the attributes.
    Where an earlier stage of the same program has left the shapes of the same deliveries in `kept`, they are not read again.

    Raises:
        UsageError: no parcels were ingested yet.
        InputRefusedError: a parcel stands in two current parts.
    """
    names = [sql.Identifier(column) if isinstance(column, str) else column for column in columns]
    numbers = _parcel_versions(versions)
    if kept is not None and only is None:
        found = _with_kept_shapes(connection, names, numbers, kept, srid=srid)
    else:
        query = _PARCELS.format(sql.SQL(", ").join([*names, _SHAPE]), only or sql.SQL("true"))
        found = read_geoframe(connection, query, [numbers], srid=srid)
    _refuse_double(list(found["parcel_id"][found["parcel_id"].duplicated()].unique()), versions["parcel"])
    return found


def _with_kept_shapes(
    connection: Connection,
    names: Sequence[sql.Composable],
    numbers: list[int],
    kept: MutableMapping[Hashable, Any],
    *,
    srid: int,
) -> gpd.GeoDataFrame:
    """Return the parcels with the shapes that are kept, which are read and kept where there are none of these deliveries."""
    of = tuple(sorted(numbers)), srid
    if kept.get(_KEPT, (None,))[0] != of:
        query = _PARCELS.format(sql.SQL(", ").join([*names, _SHAPE]), sql.SQL("true"))
        found = read_geoframe(connection, query, [numbers], srid=srid)
        kept[_KEPT] = of, found["parcel_id"].tolist(), found.geometry.to_numpy().copy()
        return found
    query = _PARCELS.format(sql.SQL(", ").join(names), sql.SQL("true"))
    rows = read_frame(connection, query, [numbers])
    _, codes, shapes = kept[_KEPT]
    if rows["parcel_id"].tolist() != codes:
        del kept[_KEPT]
        return _with_kept_shapes(connection, names, numbers, kept, srid=srid)
    return gpd.GeoDataFrame(rows, geometry=shapes.copy(), crs=srid)


def present(connection: Connection, versions: Sequence[int], codes: Sequence[str]) -> list[str]:
    """Return those of some codes that are parcels of some deliveries."""
    rows = connection.execute(
        "SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%s) AND parcel_id = ANY(%s) ORDER BY parcel_id",
        [list(versions), list(codes)],
    ).fetchall()
    return [row[0] for row in rows]


def cut_from(connection: Connection, before: Collection[int], now: Collection[int]) -> dict[int, int]:
    """Return the deliveries of now that are what parts have left of one of before, with that one: their rows are rows of it, as they were."""
    rows = connection.execute(
        "SELECT rest.version_id, max(held.version_id) FROM land.layer_version rest JOIN land.layer_version held"
        " ON coalesce(held.rest_of, held.version_id) = rest.rest_of AND held.version_id < rest.version_id"
        " WHERE rest.version_id = ANY(%s) AND held.version_id = ANY(%s) GROUP BY rest.version_id",
        [sorted({*now} - {*before}), sorted(before)],
    ).fetchall()
    return dict(rows)


def refuse_double_parcels(connection: Connection, versions: Versions) -> None:
    """Refuse parcels that stand in two parts, without reading them.

    Raises:
        UsageError: no parcels were ingested yet.
        InputRefusedError: a parcel stands in two current parts.
    """
    double = connection.execute(
        "SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%s) GROUP BY parcel_id HAVING count(*) > 1 ORDER BY parcel_id",
        [_parcel_versions(versions)],
    ).fetchall()
    _refuse_double([row[0] for row in double], versions["parcel"])


def _parcel_versions(versions: Versions) -> list[int]:
    ids = [version.version_id for version in versions.get("parcel", [])]
    if not ids:
        raise UsageError("There are no parcels yet. Type: lowland ingest parcel FILE")
    return ids


def _refuse_double(double: list[str], versions: list[Version]) -> None:
    if double:
        parts = ", ".join(
            f"{version.part or 'without a part'} (version {version.version_id})" for version in versions
        )
        raise InputRefusedError(
            f"{len(double)} parcel codes (ZDDM) stand in more than one current part of the layer parcel, for example"
            f" {double[0]}, so they would count twice. The parts are: {parts}. Deliver the part that is wrong again without"
            " them: lowland ingest parcel FILE --part NAME"
        )


def features(
    connection: Connection,
    definition: LayerDefinition,
    versions: Sequence[Version],
    as_of: dt.date,
    *,
    srid: int,
    near: str | None = None,
) -> gpd.GeoDataFrame:
    """Return the features of some deliveries of a layer that are in force on a day: version_id, feature_id, code, attributes, geometry.

    `near` as with `features_query`.
    """
    columns = "version_id, feature_id, code, attributes, ST_AsBinary(geom) AS geom"
    query, values = features_query(definition, versions, as_of, columns, near=near)
    return read_geoframe(connection, query, values, srid=srid)


def features_query(
    definition: LayerDefinition,
    versions: Sequence[Version],
    as_of: dt.date,
    columns: str,
    *,
    near: str | None = None,
) -> tuple[sql.Composed, list[object]]:
    """Return the statement that reads columns of the features that are in force on a day, and its values.

    With `near`, a temporary table of boxes (`box`), those whose boxes meet none of them are left out.
    """
    chosen, values = chosen_features(definition, versions, as_of, near=near)
    statement = sql.SQL("SELECT {} {} ORDER BY feature_id")
    # The columns are words of this program.
    return statement.format(sql.SQL(columns), chosen), values


def chosen_features(
    definition: LayerDefinition, versions: Sequence[Version], as_of: dt.date, *, near: str | None = None
) -> tuple[sql.Composed, list[object]]:
    """Return FROM and WHERE of a statement over the features that are in force on a day, and its values; `near` as above."""
    conditions = [sql.SQL("version_id = ANY({})").format(sql.Placeholder())]
    values: list[object] = [[version.version_id for version in versions]]
    for name, comparison in ((definition.valid_from, "<="), (definition.valid_to, ">")):
        if name is not None:
            # ISO dates compare as text; a feature without the date is in force.
            conditions.append(
                sql.SQL("coalesce(attributes->>{} {} {}, true)").format(
                    sql.Literal(name),
                    sql.SQL(comparison),
                    sql.Placeholder(),
                )
            )
            values.append(as_of.isoformat())
    if near is not None:
        # Box by box through the spatial index, once (OFFSET 0, ARRAY): of a delivery the server may know no numbers yet, and then it
        # would hold every feature against every box, or look for the boxes anew for every feature.
        conditions.append(
            sql.SQL(
                "feature_id = ANY(ARRAY(SELECT DISTINCT near.feature_id FROM {} CROSS JOIN LATERAL"
                " (SELECT feature_id FROM land.feature WHERE version_id = ANY({}) AND geom && box OFFSET 0) AS near))"
            ).format(sql.Identifier(near), sql.Placeholder())
        )
        values.append([version.version_id for version in versions])
    return sql.SQL("FROM land.feature WHERE {}").format(sql.SQL(" AND ").join(conditions)), values


def layer_shapes(
    connection: Connection, key: str, versions: Sequence[Version], as_of: dt.date, *, srid: int
) -> gpd.GeoDataFrame:
    """Return the features of some deliveries of a layer that are in force on a day; an empty frame where there is no delivery."""
    return features(connection, layer_definition(key), versions, as_of, srid=srid)


def feature_names(connection: Connection, versions: Sequence[Version], field: str) -> dict[str, str]:
    """Return code → name from a field of the features of some deliveries; a code of which no feature has a name has none.

    A code that stands for several names shows that it does (`names_by_code`).
    """
    rows = connection.execute(
        "SELECT code, attributes->>%(field)s FROM land.feature WHERE version_id = ANY(%(versions)s) AND code IS NOT NULL"
        " AND btrim(coalesce(attributes->>%(field)s, '')) <> '' ORDER BY feature_id",
        {"field": field, "versions": [version.version_id for version in versions]},
    ).fetchall()
    return names_by_code(rows)


def names_by_code(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return code → name of rows of both; where features of one code have several names none of them may pass for all.

    >>> names_by_code([("1", "甲"), ("2", "乙"), ("2", "丙"), ("2", "乙"), ("2", "丁")])
    {'1': '甲', '2': '乙/丙等3个'}
    """
    named: dict[str, dict[str, None]] = {}
    for code, name in rows:
        named.setdefault(code, {})[name] = None
    return {code: _one_name(list(names)) for code, names in named.items()}


def _one_name(names: list[str]) -> str:
    return "/".join(names[:2]) + (f"等{len(names)}个" if len(names) > 2 else "")  # noqa: PLR2004 - two are shown


def town_names(connection: Connection, versions: Sequence[Version]) -> dict[str, str]:
    """Return town code → name from some deliveries of the towns; a town clerk reads no layers, and knows the own towns by their codes."""
    if my_towns(connection) is not None:
        return {}
    return feature_names(connection, versions, "XZQMC")


def enterprises(connection: Connection, versions: Versions) -> pd.DataFrame:
    """Return parcel_id, year and attributes of every enterprise row of some deliveries."""
    ids = [version.version_id for version in versions.get("enterprise", [])]
    return read_frame(
        connection,
        "SELECT parcel_id, year, attributes FROM land.enterprise WHERE version_id = ANY(%s) ORDER BY enterprise_id",
        [ids],
    )
