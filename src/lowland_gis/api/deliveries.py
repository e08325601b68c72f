"""`read_delivery` and `check`: what a file of an office holds under the names of its standard, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import shapely

from lowland_gis.analysis.geometry.geodesy import GaussPlane
from lowland_gis.api.layers import Layer, layer
from lowland_gis.api.said import warned
from lowland_gis.definitions.check import CheckDefinition, chosen_checks
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.definitions.mapping import read_mapping
from lowland_gis.errors import UsageError
from lowland_gis.files import crs as reference
from lowland_gis.files import transform
from lowland_gis.files.batches import BATCH_ROWS, Batch, Received, bounds
from lowland_gis.files.in_memory import InMemory
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from lowland_gis.pipeline.base.telling import Tell
from lowland_gis.pipeline.intake.rows import Preparer, no_shapes, nothing_left
from lowland_gis.pipeline.quality import layers as checked
from lowland_gis.pipeline.quality.check import layer_findings
from lowland_gis.settings import gauss_plane

DEFAULT_PLANE = "EPSG:4548"
_ISSUE = ["row_no", "rule", "action", "key", "message"]

Geometries = npt.NDArray[np.object_]


class Delivery(NamedTuple):
    """What a delivery would load: `records` under standard names, every doubt in `issues`, and how many rows came."""

    records: gpd.GeoDataFrame
    issues: gpd.GeoDataFrame
    n_read: int


def read_delivery(
    source: Layer,
    layer: str,
    *,
    plane: str = DEFAULT_PLANE,
    src_crs: str | None = None,
    encoding: str | None = None,
    mapping: str | Path | None = None,
) -> Delivery:
    """Read a delivery as `lowland ingest` does, without a database: standard field names, repaired outlines, every doubt kept.

    Args:
        source: a vector file, a workbook or text table (or `FILE:LAYER`); a GeoDataFrame or Arrow table too.
        layer: key of the layer that it is, as parcel or dltb3 (layers.md).
        plane: the CGCS2000 Gauss-Krüger plane that geometries are brought to.
        src_crs: coordinate system of the source, where it declares none or a wrong one.
        encoding: text encoding, where the bytes do not tell it.
        mapping: TOML file of other field names (mappings.md).

    Returns:
        `records`: one row a record that would be loaded, its index the number of the row from 0; the fields of the standard that came,
        `area_m2` (ellipsoidal, by the survey formula) and the geometry on the plane. `issues`: row_no, rule, action (kept, repaired or
        rejected), key, message and the place. `n_read`: rows of the source.

    Raises:
        InputRefusedError: the source cannot be taken for what it is: no geometries, no system, fields missing, nothing usable.
        UsageError: there is no such layer key.

    What concerns the source as a whole is said by a `LowlandWarning`.

    >>> import geopandas, shapely
    >>> from lowland_gis import read_delivery
    >>> square = shapely.box(511_000, 4_345_000, 511_020, 4_345_010)
    >>> came = geopandas.GeoDataFrame({"ZDDM": ["120113001001GB00001", None]}, geometry=[square, square], crs=4548)
    >>> delivery = read_delivery(came, "parcel")
    >>> delivery.records[["ZDDM", "area_m2"]].values.tolist()
    [['120113001001GB00001', 200.0]]
    >>> delivery.issues[["row_no", "rule", "action"]].values.tolist()
    [[1, 'value_missing', 'kept'], [1, 'parcel_id_missing', 'rejected']]
    """
    with warned() as tell:
        came = _came(source, layer_definition(layer), _How(plane, src_crs, encoding, mapping), tell)
    return Delivery(came.records(), came.issues(), came.n_read)


def check(
    source: Layer,
    layer: str,
    *,
    others: Mapping[str, Layer] | None = None,
    suite: str | None = None,
    plane: str = DEFAULT_PLANE,
    src_crs: str | None = None,
) -> gpd.GeoDataFrame:
    """Return what `lowland check` finds in a layer (质检): rule, severity, keys, value, limit_value, unit, message, row_no, geometry.

    Args:
        source: a GeoDataFrame, Arrow table or file, with the fields of the layer.
        layer: key of the layer that it is (layers.md).
        others: layers that it is held against, by their keys: a check against a layer that is not there is left out.
        suite: only the checks of one suite: topology, attributes, relations or layers (checks.md).
        plane: the CGCS2000 Gauss-Krüger plane that geometries are brought to.
        src_crs: coordinate system of the source, where it declares none.

    Raises:
        InputRefusedError: the source cannot be taken for what it is.
        UsageError: there is no such layer key, or no such suite.

    >>> import geopandas, shapely
    >>> from lowland_gis import check
    >>> lots = shapely.box([511_000, 511_015], 4_345_000, [511_020, 511_030], 4_345_010)
    >>> parcels = geopandas.GeoDataFrame({"ZDDM": ["120113001001GB00001", "120113001001GB00002"]}, geometry=lots, crs=4548)
    >>> found = check(parcels, "parcel", suite="topology")
    >>> found[["rule", "value"]].values.tolist()
    [['overlap', 50.0]]
    """
    chosen = chosen_checks({}, suite)
    with warned() as tell:
        asked = {key: layer_definition(key) for key in others or {}}
        there = {key: _came(given, asked[key], _How(plane), tell) for key, given in (others or {}).items()}
        came = _came(source, layer_definition(layer), _How(plane, src_crs), tell)
    wanted = {
        name: item
        for name, item in chosen.items()
        if layer in item.layer_keys
        and (item.other is None or item.other in there)
        # Rasters are files of a project, and the base of the year before is a delivery of one.
        and item.kind not in ("without_value", "increment")
    }
    return _findings(came, wanted, there, plane)


def _findings(
    came: _Came, wanted: Mapping[str, CheckDefinition], there: Mapping[str, _Came], plane: str
) -> gpd.GeoDataFrame:
    key = came.definition.key
    fields = sorted({name for item in wanted.values() for name in item.used_fields(key)})
    found = layer_findings(came.layer(fields), wanted, _Others(there))
    found = found.drop(columns=["version_id", "layer"]).reset_index(drop=True)
    places = found.pop("place")
    return gpd.GeoDataFrame(found, geometry=list(places), crs=plane)


@dataclass(frozen=True)
class _How:
    """The plane that a source is brought to, and what it does not say itself."""

    plane: str
    src_crs: str | None = None
    encoding: str | None = None
    mapping: str | Path | None = None


@dataclass
class _Came:
    """The rows of a source that would be loaded, with their standard fields and every doubt."""

    definition: LayerDefinition
    plane: str
    n_read: int = 0
    _rows: list[pd.DataFrame] = field(default_factory=list)
    _fields: list[pd.DataFrame] = field(default_factory=list)
    _issues: list[pd.DataFrame] = field(default_factory=list)

    def add(self, preparer: Preparer, batch: Batch, tell: Tell) -> None:
        """Take a batch."""
        begun = preparer.begin(batch)
        prepared = preparer.finish(begun)
        kept = prepared.rows["row_no"].to_numpy() - batch.first_row
        self._fields.append(
            begun.standard.rows.take(pa.array(kept)).to_pandas().set_index(prepared.rows["row_no"])
        )
        self._rows.append(prepared.rows)
        self._issues.append(prepared.issues)
        self.n_read += len(begun.rows)
        for _, words in prepared.remarks:
            tell(words)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Return the rows as they would be stored."""
        return pd.concat(self._rows)

    def records(self) -> gpd.GeoDataFrame:
        """Return the fields of the standard with area and geometry."""
        found = pd.concat(self._fields).rename_axis("row_no")
        if "geom" not in self.rows:
            return gpd.GeoDataFrame(found)
        areas = self.rows["area_m2"].to_numpy(dtype=float)
        return gpd.GeoDataFrame(found.assign(area_m2=areas), geometry=self.geometries(), crs=self.plane)

    def geometries(self) -> Geometries:
        """Return the outlines on the plane; what nothing was done to is kept as the bytes that came."""
        return np.array(
            [shapely.from_wkb(item) if isinstance(item, bytes) else item for item in self.rows["geom"]],
            dtype=object,
        )

    def issues(self) -> gpd.GeoDataFrame:
        """Return the doubts row by row with their places."""
        found = pd.concat(self._issues, ignore_index=True)
        places = found["place"].tolist() if "place" in found else [None] * len(found)
        return gpd.GeoDataFrame(found.reindex(columns=_ISSUE), geometry=places, crs=self.plane)

    def texts(self, fields: list[str]) -> pd.DataFrame:
        """Return fields as text, as a check asks for them; one that did not come is missing everywhere."""
        records = [json.loads(text, parse_float=str, parse_int=str) for text in self.rows["attributes"]]
        return pd.DataFrame(
            {name: pd.Series([row.get(name) for row in records], dtype=object) for name in fields}
        )

    def layer(self, fields: list[str]) -> checked.Layer:
        """Return the layer as checks take it."""
        wanted = list(dict.fromkeys((*fields, *filter(None, [self.definition.identifier]))))
        texts = self.texts(wanted)
        rows = pd.DataFrame({"row_no": self.rows["row_no"].to_numpy(), "version_id": 0})
        shaped = "geom" in self.rows
        rows["area_m2"] = self.rows["area_m2"].to_numpy() if shaped else np.nan
        rows["key"] = "row " + rows["row_no"].astype(str)
        if self.definition.identifier is not None:
            rows["key"] = texts[self.definition.identifier].fillna(rows["key"])
        geometries = self.geometries() if shaped else np.full(len(rows), None, dtype=object)
        return checked.Layer(self.definition, rows, texts, geometries)


@dataclass(frozen=True)
class _Others:
    """The other layers of a check, as they were given."""

    there: Mapping[str, _Came]

    def rasters(self, key: str) -> list[str]:
        """Return none: rasters are files of a project."""
        raise UsageError(f"{key}: rasters are checked in a project. Type: lowland check")

    def shapes(self, key: str) -> Geometries:
        """Return the geometries of a layer."""
        return self.there[key].geometries()

    def coded(self, key: str, field: str) -> tuple[Geometries, Geometries]:
        """Return the geometries of a layer and a field of theirs."""
        return self.shapes(key), self.there[key].texts([field])[field].to_numpy(dtype=object)

    def values(self, key: str, field: str) -> frozenset[str]:
        """Return every value of a field of a layer."""
        return frozenset(self.there[key].texts([field])[field].dropna())

    def layer(self, key: str, fields: tuple[str, ...]) -> checked.Layer | None:
        """Return a layer with some fields; None where it was not given."""
        return self.there[key].layer(list(fields)) if key in self.there else None

    def before(self, _key: str, _fields: tuple[str, ...]) -> checked.Layer | None:
        """Return none: what is given is one state."""
        return None

    def repaired(self, _layer: checked.Layer, /) -> tuple[npt.NDArray[np.intp], Geometries]:
        """Return none: the outlines of a layer that is checked are the ones that were given."""
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=object)


def _came(given: Layer, definition: LayerDefinition, how: _How, tell: Tell) -> _Came:
    """Read a source as ingest does, up to the rows that it would load."""
    if definition.stored == "raster":
        raise UsageError(
            f"{definition.key}: it is a layer of rasters, which stay files. Type: lowland inspect FILE"
        )
    asked = layer(given, definition.key)
    said = None if how.mapping is None else read_mapping(Path(how.mapping))
    came = _Came(definition, how.plane)
    with _arrived(asked, how.encoding) as (name, arrived, doubts):
        if definition.stored != "enterprise" and not arrived.has_geometry:
            raise no_shapes(name, definition.key)
        bring = _way(arrived, how, name, tell) if arrived.has_geometry else _as_they_are
        preparer = Preparer(name, definition, _gauss(how.plane), bring, said, arrived.stated)
        empty = Batch.empty(arrived.columns, has_geometry=arrived.has_geometry)
        batches = arrived.batches
        came.add(preparer, next(batches, empty), tell)
        for batch in batches:
            came.add(preparer, batch, tell)
        for words in (*doubts, *(words for _, words in arrived.doubts)):
            tell(words)
    preparer.elsewhere.refuse(name)
    if came.rows.empty:
        raise nothing_left(name, definition.key, came.n_read)
    return came


@contextmanager
def _arrived(asked: str | InMemory, encoding: str | None) -> Iterator[tuple[str, Received, list[str]]]:
    if isinstance(asked, InMemory):
        with asked.received(asked.columns, BATCH_ROWS) as arrived:
            yield asked.name, arrived, []
        return
    with opened(asked, Path.cwd()) as source, received(source, encoding=encoding) as arrived:
        yield asked, arrived, [words for _, words in source.doubts]


def _way(arrived: Received, how: _How, name: str, tell: Tell) -> Callable[[Geometries], Geometries]:
    """Return what brings the geometries of a batch to the plane, and refuses those that contradict the declared system."""
    declared, nowhere = arrived.declared_crs, np.full(4, np.nan)
    system = reference.resolve(declared, how.src_crs, nowhere, name)
    target = reference.reference(how.plane, "plane")
    way, words = transform.path_between(system, target, name), transform.null_shift(system, target)
    if words is not None:
        tell(words)

    def bring(geometries: Geometries) -> Geometries:
        reference.resolve(declared, how.src_crs, bounds(geometries), name)
        return transform.transformed(geometries, way)

    return bring


def _gauss(plane: str) -> GaussPlane:
    try:
        return gauss_plane(plane)
    except ValueError as error:
        raise UsageError(f"plane: {error}.") from error


def _as_they_are(geometries: Geometries) -> Geometries:
    return geometries
