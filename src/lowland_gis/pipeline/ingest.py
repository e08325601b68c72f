"""Bring one delivery into `land`: as a whole in one transaction, with every doubt as a row of `land.issue`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import shapely
from rasterio.errors import RasterioIOError

from lowland_gis import schema
from lowland_gis.analysis import attributes, repair
from lowland_gis.analysis.geodesy import ellipsoidal_areas
from lowland_gis.db.frames import Connection, copy_in
from lowland_gis.definitions.codes import code_names
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.errors import InputRefusedError, listed
from lowland_gis.files import crs as reference
from lowland_gis.files.read import Received, bounds, read
from lowland_gis.files.source import Source, opened
from lowland_gis.pipeline.project import Project, who
from lowland_gis.pipeline.runs import digest_of
from lowland_gis.settings import DeliverySettings

_TOWN_DIGITS = 9


@dataclass(frozen=True)
class Loaded:
    """What became of one delivery; `fresh` is false where the same bytes were there already."""

    layer: str
    version_id: int
    n_read: int
    n_loaded: int
    n_rejected: int
    n_issues: int
    encoding: str | None
    fresh: bool


@dataclass(frozen=True)
class _Prepared:
    """Rows ready for COPY, the doubts about them, and what the file turned out to be."""

    table: schema.Table
    rows: pd.DataFrame
    issues: pd.DataFrame
    n_read: int
    crs: str | None
    received: Received | None
    names: pd.Series[Any] | None = None


def ingest(project: Project, delivery: DeliverySettings, *, dry_run: bool = False) -> Loaded:
    """Load one delivery, or say that it is there already.

    Raises:
        UsageError: there is no such layer key.
        InputRefusedError: the file cannot be taken for what it is; nothing of it was loaded.
    """
    definition = layer_definition(delivery.layer)
    with opened(delivery.source, project.settings.folder) as source:
        digest = _digest(source, definition, delivery)
        with project.transaction(dry_run=dry_run) as connection:
            # One delivery of a layer at a time; readers are not held up.
            connection.execute("LOCK TABLE land.layer_version IN SHARE ROW EXCLUSIVE MODE")
            same = _same_delivery(connection, delivery, digest)
            if same is not None:
                return same
            prepared = _with_keys(_prepare(project, source, definition, delivery))
            return _store(connection, project, source, prepared, delivery, digest)


def _digest(source: Source, definition: LayerDefinition, delivery: DeliverySettings) -> str:
    options = delivery.model_dump(mode="json", exclude={"source"})
    return digest_of([source.sha256, source.layer, definition.model_dump(mode="json"), options])


def _same_delivery(connection: Connection, delivery: DeliverySettings, digest: str) -> Loaded | None:
    row = connection.execute(
        "SELECT version_id, digest, n_read, n_loaded, n_rejected,"
        " (SELECT count(*) FROM land.issue i WHERE i.version_id = v.version_id),"
        " (SELECT encoding FROM land.source s WHERE s.source_id = v.source_id)"
        " FROM land.layer_version v WHERE layer = %s AND part IS NOT DISTINCT FROM %s"
        " ORDER BY version_id DESC LIMIT 1",
        [delivery.layer, delivery.part],
    ).fetchone()
    if row is None or row[1] != digest:
        return None
    version_id, _, n_read, n_loaded, n_rejected, n_issues, encoding = row
    return Loaded(delivery.layer, version_id, n_read, n_loaded, n_rejected, n_issues, encoding, fresh=False)


def _prepare(
    project: Project, source: Source, definition: LayerDefinition, delivery: DeliverySettings
) -> _Prepared:
    if definition.stored == "raster":
        return _prepare_raster(project, source)
    received = read(source, encoding=delivery.encoding)
    standard = _standardised(source, definition, received)
    issues = standard.faults.assign(action="kept", place=None)
    if definition.stored == "enterprise":
        return _prepare_enterprises(standard.rows, issues, received, _names(definition, standard.rows))
    return _prepare_features(project, source, definition, delivery, received, standard)


def _with_keys(prepared: _Prepared) -> _Prepared:
    """Name the record of every issue by the identifier of its layer, where it has one."""
    if prepared.names is None:
        return prepared
    keys = prepared.names.reindex(prepared.issues["row_no"]).to_numpy()
    return replace(prepared, issues=prepared.issues.assign(key=keys))


def _names(definition: LayerDefinition, values: pd.DataFrame) -> pd.Series[Any] | None:
    return values[definition.identifier] if definition.identifier in values.columns else None


def _standardised(source: Source, definition: LayerDefinition, received: Received) -> attributes.Standardised:
    lists = {field.codes: code_names(field.codes) for field in definition.field if field.codes}
    standard = attributes.standardise(received.attributes, definition.field, lists)
    if standard.missing:
        columns = ", ".join(map(str, received.attributes.columns)) or "none"
        raise InputRefusedError(
            f"{source.name}: it is not a layer {definition.key} ({definition.title}), because fields are missing:\n"
            f"{listed(standard.missing)}\nIt has: {columns}. Name the right file, or the right layer key."
        )
    return standard


def _prepare_features(
    project: Project,
    source: Source,
    definition: LayerDefinition,
    delivery: DeliverySettings,
    received: Received,
    standard: attributes.Standardised,
) -> _Prepared:
    if received.wkb is None:
        raise InputRefusedError(
            f"{source.name}: it holds no geometries, but {definition.key} needs them. Name the right file."
        )
    raw, fault = repair.decode(received.wkb)
    system = reference.resolve(received.declared_crs, delivery.src_crs, bounds(raw), source.name)
    way = reference.path_between(
        system, reference.reference(project.settings.project.crs, source.name), source.name
    )
    kind: Literal["line", "polygon"] = "line" if definition.geometry == "line" else "polygon"
    mended = repair.repair(reference.transformed(raw, way), fault, kind)
    issues = _issues(standard.faults, mended)
    rows = pd.DataFrame(
        {
            "row_no": np.arange(len(raw)),
            "attributes": attributes.records(standard.rows),
            "geom": mended.geometries,
            "geom_received": mended.received,
        }
    )
    names = _names(definition, standard.rows)
    if definition.stored == "parcel":
        rows, issues = _parcels(project, rows, standard.rows, mended.usable, issues)
        return _Prepared(schema.PARCEL, rows, issues, len(raw), system.name, received, names)
    rows["layer"] = definition.key
    rows["code"] = None if definition.code is None else standard.rows[definition.code].to_numpy()
    rows = rows[mended.usable].copy()
    rows["area_m2"] = ellipsoidal_areas(rows["geom"].to_numpy(dtype=object), project.plane)
    return _Prepared(schema.FEATURE, rows, issues, len(raw), system.name, received, names)


def _issues(faults: pd.DataFrame, mended: repair.Repaired) -> pd.DataFrame:
    bad = np.flatnonzero(mended.fault != "")
    codes = mended.fault[bad]
    geometry_issues = pd.DataFrame(
        {
            "row_no": bad,
            "rule": codes,
            "action": np.where(mended.usable[bad], "repaired", "rejected"),
            "message": [repair.FAULTS[code] for code in codes],
        }
    )
    issues = pd.concat([faults.assign(action="kept"), geometry_issues], ignore_index=True)
    issues["place"] = _places(mended, issues["row_no"].to_numpy(dtype=np.intp))
    return issues


def _places(mended: repair.Repaired, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.object_]:
    places = np.full(len(rows), None, dtype=object)
    usable = mended.usable[rows] if len(rows) else np.zeros(0, dtype=bool)
    places[usable] = shapely.point_on_surface(mended.geometries[rows[usable]])
    return places


def _parcels(
    project: Project,
    rows: pd.DataFrame,
    values: pd.DataFrame,
    usable: npt.NDArray[np.bool_],
    issues: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give parcels their code, town and areas; set aside those without a code of their own."""
    rows["parcel_id"] = values["ZDDM"].to_numpy()
    nameless = usable & values["ZDDM"].isna().to_numpy()
    double = np.zeros(len(rows), dtype=bool)
    candidates = rows[usable & ~nameless]
    double[candidates.index[candidates["parcel_id"].duplicated()]] = True
    rejected = [
        _rejected(rows, nameless, "parcel_id_missing", "the parcel has no ZDDM"),
        _rejected(rows, double, "parcel_id_duplicate", "another parcel came first with the same ZDDM"),
    ]
    kept = rows[usable & ~nameless & ~double].copy()
    shapes = repair.multipolygons(kept["geom"].to_numpy(dtype=object))
    kept["geom"] = shapes
    kept["area_m2"] = ellipsoidal_areas(shapes, project.plane)
    kept["planar_m2"] = shapely.area(shapes)
    towns = kept["parcel_id"].str[:_TOWN_DIGITS]
    kept["town_code"] = towns.where(towns.str.fullmatch(rf"\d{{{_TOWN_DIGITS}}}"), None)
    return kept, pd.concat([issues, *rejected], ignore_index=True)


def _rejected(rows: pd.DataFrame, mask: npt.NDArray[np.bool_], rule: str, message: str) -> pd.DataFrame:
    bad = rows[mask]
    return pd.DataFrame(
        {
            "row_no": bad["row_no"],
            "rule": rule,
            "action": "rejected",
            "message": message,
            "place": shapely.point_on_surface(bad["geom"].to_numpy(dtype=object)),
        }
    )


def _prepare_enterprises(
    values: pd.DataFrame, issues: pd.DataFrame, received: Received, names: pd.Series[Any] | None
) -> _Prepared:
    rows = pd.DataFrame(
        {
            "row_no": np.arange(len(values)),
            "credit_code": values.get("TYSHXYDM"),
            "year": values["NF"],
            "parcel_id": values["ZDDM"],
            "attributes": attributes.records(values),
        }
    )
    return _Prepared(schema.ENTERPRISE, rows, issues, len(values), None, received, names)


def _prepare_raster(project: Project, source: Source) -> _Prepared:
    try:
        with rasterio.open(source.path) as raster:
            declared = None if raster.crs is None else raster.crs.to_wkt()
            extent = np.array(raster.bounds)
    except RasterioIOError as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read as a raster ({error}). Ask for it again."
        ) from error
    system = reference.resolve(declared, None, extent, source.name)
    if system.name != project.settings.project.crs:
        raise InputRefusedError(
            f"{source.name}: the raster is in {system.name}, the project in {project.settings.project.crs}; a raster is"
            f" not resampled without being asked. Type: gdalwarp -t_srs {project.settings.project.crs} IN OUT"
        )
    rows = pd.DataFrame({"path": [str(source.path.resolve())], "band": [1]})
    none = pd.DataFrame({name: [] for name in ("row_no", "rule", "action", "message", "place")})
    return _Prepared(schema.RASTER, rows, none, 1, system.name, None)


def _store(
    connection: Connection,
    project: Project,
    source: Source,
    prepared: _Prepared,
    delivery: DeliverySettings,
    digest: str,
) -> Loaded:
    source_id = _insert_source(connection, source, prepared)
    issues = prepared.issues
    n_loaded = len(prepared.rows)
    n_rejected = issues.loc[issues["action"] == "rejected", "row_no"].nunique()
    if n_loaded + n_rejected != prepared.n_read:
        raise AssertionError(
            f"{source.name}: read {prepared.n_read}, loaded {n_loaded}, rejected {n_rejected}"
        )
    as_of = delivery.as_of or layer_definition(delivery.layer).as_of or project.settings.project.as_of
    version_id = _one(
        connection,
        "INSERT INTO land.layer_version (layer, part, source_id, as_of, digest, loaded_at, loaded_by, n_read, n_loaded,"
        " n_rejected) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING version_id",
        [
            delivery.layer, delivery.part, source_id, as_of, digest, dt.datetime.now(dt.UTC), who(),
            prepared.n_read, n_loaded, n_rejected,
        ],
    )  # fmt: skip
    constants = {"version_id": version_id}
    copy_in(connection, prepared.table, prepared.rows, srid=project.srid, constants=constants)
    copy_in(connection, schema.ISSUE, issues, srid=project.srid, constants=constants)
    encoding = prepared.received.encoding if prepared.received else None
    return Loaded(
        delivery.layer, version_id, prepared.n_read, n_loaded, int(n_rejected), len(issues),
        encoding.name if encoding else None, fresh=True,
    )  # fmt: skip


def _insert_source(connection: Connection, source: Source, prepared: _Prepared) -> int:
    encoding = prepared.received.encoding if prepared.received else None
    layer = source.layer or (prepared.received.layer if prepared.received else None)
    return _one(
        connection,
        "INSERT INTO land.source (path, layer_name, driver, sha256, size_bytes, encoding, encoding_reason, crs)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING source_id",
        [
            source.name, layer, source.driver, source.sha256, source.size_bytes,
            encoding.name if encoding else None, encoding.reason if encoding else None, prepared.crs,
        ],
    )  # fmt: skip


def _one(connection: Connection, statement: Any, parameters: list[Any]) -> int:
    row = connection.execute(statement, parameters).fetchone()
    if row is None:
        raise AssertionError("an INSERT … RETURNING gives one row")
    return int(row[0])
