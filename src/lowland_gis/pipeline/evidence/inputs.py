"""Everything that a measure may look at, read once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.db.connect import Connection
from lowland_gis.definitions.measure import features_read
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.absent import Absent, absent_fields, lacking
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Version
from lowland_gis.pipeline.evidence.beyond import Beyond, InDatabase, NothingBeyond
from lowland_gis.pipeline.evidence.drift import Drift
from lowland_gis.pipeline.evidence.rasters import DeliveredRaster, delivered_rasters
from lowland_gis.pipeline.evidence.records import (
    Rows,
    enterprise_records,
    feature_records,
    parcel_records,
)
from lowland_gis.pipeline.evidence.some import Some
from lowland_gis.pipeline.overlaps.tabulate import processors, zones_read
from lowland_gis.settings import Settings

Shapes = npt.NDArray[np.object_]
T = TypeVar("T")


class Overlaps(Protocol):
    """Where overlaps come from: a run, or a calculation."""

    def layer(self, layer: str, parcels: pd.Index[Any]) -> LayerOverlaps:
        """Return the overlaps of parcels, in the order of their codes, with a layer."""


class Raster(Protocol):
    """A raster that was delivered."""

    def file(self, folder: Path) -> str:
        """Return where the file is, below the folder of a project or elsewhere, once it is known to be the one that was delivered."""


@dataclass(frozen=True)
class Inputs:
    """Everything that a measure may look at, wherever it was read; `records` are the rows of layers that are looked at one by one.

    Where only some parcels are measured, all of it is theirs alone but for the papers, and `beyond` knows of the others.
    """

    parcels: gpd.GeoDataFrame
    records: Mapping[str, Rows]
    overlaps: Overlaps
    drift: Drift
    rasters: Mapping[str, Sequence[Raster]]
    versions: Mapping[str, list[Version]]
    absent: Absent
    documents: pd.DataFrame
    settings: Settings
    beyond: Beyond

    @cached_property
    def index(self) -> pd.Index[Any]:
        """Return the parcel codes in the order of every measured array."""
        codes: pd.Index[Any] = pd.Index(self.parcels["parcel_id"].to_numpy(dtype=object), dtype=object)
        return codes

    @cached_property
    def documented(self) -> pd.Index[Any]:
        """Return the codes of all parcels that there are, as far as papers speak of them."""
        return self.beyond.documented(self.documents["parcel_id"].unique().tolist(), self.index)

    @cached_property
    def codes(self) -> Shapes:
        """Return the parcel codes as objects."""
        return self.index.to_numpy(dtype=object)

    def layer(self, layer: str) -> LayerOverlaps:
        """Return the overlaps with a layer; read once."""
        if layer not in self._layers:
            self._layers[layer] = self.overlaps.layer(layer, self.index)
        return self._layers[layer]

    @cached_property
    def _layers(self) -> dict[str, LayerOverlaps]:
        return {}

    def once(self, what: Hashable, make: Callable[[], T]) -> T:
        """Return what several measures rest on, made for the first of them."""
        if what not in self._made:
            self._made[what] = make()
        made: T = self._made[what]
        return made

    @cached_property
    def _made(self) -> dict[Hashable, Any]:
        return {}

    def lacking(self, layer: str, field: str) -> npt.NDArray[np.bool_]:
        """Return which rows of a layer came with a delivery that does not have a field."""
        return lacking(self.records[layer].frame["version_id"], self.absent, field)

    def attribute(self, field: str) -> pd.Series[Any]:
        """Return a parcel attribute by its standard name, missing where it is empty."""
        return pd.Series(self.records["parcel"].field(field), dtype=object)


def read_inputs(
    connection: Connection,
    project: Project,
    overlaps: Overlaps,
    versions: dict[str, list[Version]],
    documents: pd.DataFrame,
    some: Some | None = None,
) -> Inputs:
    """Read the parcels, features, enterprises and rasters of some deliveries; of `some` parcels alone what lies on them."""
    day = project.settings.project.as_of
    rasters: dict[str, list[DeliveredRaster]] = {}
    for raster in delivered_rasters(connection, versions.get("raster", [])):
        rasters.setdefault(raster.layer, []).append(raster)

    parcels = land.parcels(
        connection,
        versions,
        srid=project.srid,
        columns=land.MEASURED_COLUMNS,
        only=None if some is None else some.of_parcels(),
        kept=project.kept,
    )
    near = None if some is None else some.boxes
    zones = partial(zones_read, connection, project, versions, near=near)
    return Inputs(
        parcels,
        {
            "parcel": parcel_records(connection, versions["parcel"], some),
            "enterprise": enterprise_records(connection, versions.get("enterprise", []), some),
            **{
                key: feature_records(connection, key, versions.get(key, []), day, some)
                for key in features_read()
            },
        },
        overlaps,
        Drift(parcels.geometry.to_numpy(), versions.keys(), zones, processors()),
        rasters,
        versions,
        absent_fields(connection, [version for layer in versions.values() for version in layer]),
        documents,
        project.settings,
        NothingBeyond() if some is None else InDatabase(connection, versions, some),
    )
