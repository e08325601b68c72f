"""The layers that are checked, read from the database: a layer with its fields as texts, and the layers it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from psycopg import sql

from lowland_gis.analysis.quality import topology
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.pipeline.base.runs import Version, versions_before
from lowland_gis.pipeline.evidence.rasters import delivered_rasters


@dataclass(frozen=True)
class Layer:
    """One current layer: `rows` has row_no, version_id, key and area_m2, `texts` the fields that are asked for."""

    definition: LayerDefinition
    rows: pd.DataFrame
    texts: pd.DataFrame
    geometries: npt.NDArray[np.object_]

    @cached_property
    def coverage(self) -> topology.Coverage:
        """Return the layer with what GEOS suspects in it; made once for all checks."""
        return topology.coverage(self.geometries)

    @cached_property
    def corners(self) -> topology.Corners:
        """Return the vertices of all rings; made once for all checks."""
        return topology.corners(self.geometries)


class OtherLayers(Protocol):
    """The other layers that checks hold a layer against, wherever they lie."""

    def rasters(self, key: str) -> list[str]:
        """Return the files of a layer of rasters."""

    def shapes(self, key: str) -> npt.NDArray[np.object_]:
        """Return the geometries of a layer."""

    def coded(self, key: str, field: str) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
        """Return the geometries of a layer and a field of theirs."""

    def values(self, key: str, field: str) -> frozenset[str]:
        """Return every value of a field of a layer."""

    def repaired(self, layer: Layer, /) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.object_]]:
        """Return the rows of a layer whose outline ingest repaired, and the outlines that were received."""

    def layer(self, key: str, fields: tuple[str, ...]) -> Layer | None:
        """Return a layer with some fields; None where it was not delivered."""

    def before(self, key: str, fields: tuple[str, ...]) -> Layer | None:
        """Return a layer as the delivery before the one in force had it; None where there is none."""


@dataclass(frozen=True)
class Others:
    """The other layers in the database, read when a check asks for them."""

    connection: Connection
    versions: Mapping[str, list[Version]]
    folder: Path

    def rasters(self, key: str) -> list[str]:
        """Return the files of a layer of rasters; below the folder of the project where the recorded place is gone."""
        return [raster.file(self.folder) for raster in delivered_rasters(self.connection, self.versions[key])]

    def shapes(self, key: str) -> npt.NDArray[np.object_]:
        """Return the geometries of a layer."""
        return read_layer(self.connection, layer_definition(key), self.versions[key], ()).geometries

    def coded(self, key: str, field: str) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
        """Return the geometries of a layer and a field of theirs."""
        layer = read_layer(self.connection, layer_definition(key), self.versions[key], (field,))
        return layer.geometries, layer.texts[field].to_numpy(dtype=object)

    def values(self, key: str, field: str) -> frozenset[str]:
        """Return every value of a field of a layer."""
        layer = read_layer(self.connection, layer_definition(key), self.versions[key], (field,))
        return frozenset(layer.texts[field].dropna())

    def layer(self, key: str, fields: tuple[str, ...]) -> Layer | None:
        """Return a layer with some fields; None where it was not delivered."""
        versions = self.versions.get(key)
        return read_layer(self.connection, layer_definition(key), versions, fields) if versions else None

    def before(self, key: str, fields: tuple[str, ...]) -> Layer | None:
        """Return a layer as the delivery before the one in force had it; None where there is none."""
        versions = versions_before(self.connection, self.versions.get(key, []))
        return read_layer(self.connection, layer_definition(key), versions, fields) if versions else None

    def repaired(self, layer: Layer, /) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.object_]]:
        """Return the rows of a layer whose outline ingest repaired, and the outlines that were received."""
        query = sql.SQL(
            "SELECT version_id, row_no, ST_AsBinary(geom_received) AS received FROM {} WHERE version_id = ANY(%s)"
            " AND geom_received IS NOT NULL"
        ).format(sql.Identifier("land", layer.definition.stored))
        versions = [version.version_id for version in self.versions[layer.definition.key]]
        kept = read_frame(self.connection, query, [versions])
        places = layer.rows[["version_id", "row_no"]].reset_index(names="row")
        rows = kept.merge(places, on=["version_id", "row_no"])["row"].to_numpy(dtype=np.intp)
        return rows, shapely.from_wkb(kept["received"].to_numpy(dtype=object))


def read_layer(
    connection: Connection, definition: LayerDefinition, versions: list[Version], fields: tuple[str, ...]
) -> Layer:
    """Read the current rows of a layer with some of its fields as text."""
    table = definition.stored
    if table == "raster":
        return _rasters(connection, definition, versions)
    shape, area = (
        (sql.SQL("NULL::bytea"), sql.SQL("NULL::float8"))
        if table == "enterprise"
        else (sql.SQL("ST_AsBinary(geom)"), sql.SQL("area_m2"))
    )
    wanted = list(dict.fromkeys((*fields, *filter(None, [definition.identifier]))))
    query = sql.SQL(
        "SELECT row_no, version_id, {area} AS area_m2, {shape} AS geom{fields} FROM {table}"
        " WHERE version_id = ANY(%s) ORDER BY version_id, row_no"
    ).format(
        area=area,
        shape=shape,
        table=sql.Identifier("land", table),
        fields=sql.SQL("").join(
            sql.SQL(", attributes->>{} AS {}").format(sql.Literal(name), sql.Identifier(f"field {name}"))
            for name in wanted
        ),
    )
    rows = read_frame(connection, query, [[version.version_id for version in versions]])
    values = pd.DataFrame({name: rows.pop(f"field {name}") for name in wanted}, index=rows.index)
    geometries = shapely.from_wkb(rows.pop("geom").to_numpy(dtype=object))
    rows["key"] = "row " + rows["row_no"].astype(str)
    if definition.identifier is not None:
        rows["key"] = values[definition.identifier].fillna(rows["key"])
    return Layer(definition, rows, values, geometries)


def _rasters(connection: Connection, definition: LayerDefinition, versions: list[Version]) -> Layer:
    """Return the rasters of a layer, one row each; they have no geometry and no fields of their own."""
    found = delivered_rasters(connection, versions)
    rows = pd.DataFrame(
        {
            "row_no": 0,
            "version_id": [raster.version_id for raster in found],
            "area_m2": np.nan,
            "key": [Path(raster.recorded).name for raster in found],
        }
    )
    return Layer(definition, rows, pd.DataFrame(index=rows.index), np.full(len(rows), None, dtype=object))
