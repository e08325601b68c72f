"""What a delivery would load, in memory: standard fields, repaired outlines, every doubt; for frames and files, without a database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import shapely

from lowland_gis.analysis.geometry.geodesy import GaussPlane
from lowland_gis.definitions.layer import LayerDefinition
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
from lowland_gis.settings import gauss_plane

_ISSUE = ["row_no", "rule", "action", "key", "message"]

Geometries = npt.NDArray[np.object_]


@dataclass(frozen=True)
class How:
    """The plane that a source is brought to, and what it does not say itself."""

    plane: str
    src_crs: str | None = None
    encoding: str | None = None
    mapping: str | Path | None = None


@dataclass
class Came:
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


def came_in(given: str | InMemory, definition: LayerDefinition, how: How, tell: Tell) -> Came:
    """Read a source, a file by its name or what lies in memory, as ingest does, up to the rows that it would load.

    Raises:
        UsageError: the layer is one of rasters.
        InputRefusedError: the source cannot be taken for what it is.
    """
    if definition.stored == "raster":
        raise UsageError(
            f"{definition.key}: it is a layer of rasters, which stay files. Type: lowland inspect FILE"
        )
    said = None if how.mapping is None else read_mapping(Path(how.mapping))
    came = Came(definition, how.plane)
    with _arrived(given, how.encoding) as (name, arrived, doubts):
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


def _way(arrived: Received, how: How, name: str, tell: Tell) -> Callable[[Geometries], Geometries]:
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
