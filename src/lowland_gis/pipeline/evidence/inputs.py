"""Everything that a measure may look at, read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.derived import areas
from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.absent import Absent, absent_fields, lacking
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Version
from lowland_gis.pipeline.evidence.rasters import DeliveredRaster, delivered_rasters
from lowland_gis.pipeline.overlaps.tabulate import layer_overlaps

Shapes = npt.NDArray[np.object_]

# Layers whose features are looked at one by one, beside their overlaps.
FEATURE_LAYERS = ("building", "supply", "town")


class Overlaps(Protocol):
    """Where overlaps come from: a run, or a calculation."""

    def frame(self, layer: str) -> pd.DataFrame:
        """Return parcel_id, code, area_m2 and share of the overlaps with a layer."""


@dataclass(frozen=True)
class StoredOverlaps:
    """The overlaps that a run of the stage tabulate wrote."""

    connection: Connection
    run_id: int

    def frame(self, layer: str) -> pd.DataFrame:
        """Return parcel_id, code, area_m2 and share of the overlaps with a layer."""
        return read_frame(
            self.connection,
            "SELECT parcel_id, code, area_m2, share FROM result.overlap WHERE run_id = %s AND layer = %s",
            [self.run_id, layer],
        )


@dataclass(frozen=True)
class Inputs:
    """Everything that a measure may look at; `zone_overlaps` tabulates other outlines of the parcels against a layer."""

    parcels: gpd.GeoDataFrame
    overlaps: Overlaps
    zone_overlaps: Callable[[str, gpd.GeoDataFrame], pd.DataFrame]
    features: Mapping[str, gpd.GeoDataFrame]
    enterprises: pd.DataFrame
    rasters: Mapping[str, list[DeliveredRaster]]
    versions: Mapping[str, list[Version]]
    absent: Absent
    documents: pd.DataFrame
    project: Project

    @cached_property
    def index(self) -> pd.Index[Any]:
        """Return the parcel codes in the order of every measured array."""
        codes: pd.Index[Any] = pd.Index(self.parcels["parcel_id"])
        return codes

    @cached_property
    def codes(self) -> Shapes:
        """Return the parcel codes as objects."""
        return self.index.to_numpy(dtype=object)

    def layer(self, layer: str) -> LayerOverlaps:
        """Return the overlaps with a layer; read once."""
        if layer not in self._layers:
            self._layers[layer] = LayerOverlaps.of(self.index, self.overlaps.frame(layer))
        return self._layers[layer]

    @cached_property
    def _layers(self) -> dict[str, LayerOverlaps]:
        return {}

    def outlines(self, distance: float) -> Shapes:
        """Return the parcels drawn out by some metres, or drawn in where the distance is below 0; drawn once.

        None where one cannot be drawn as a valid area.
        """
        if distance not in self._outlines:
            shapes = self.parcels.geometry.to_numpy()
            drawn = partial(shapely.buffer, distance=distance, join_style="mitre")
            self._outlines[distance] = areas(drawn, shapes).geometries
        return self._outlines[distance]

    def moved_layer(self, layer: str, distance: float) -> LayerOverlaps:
        """Return the overlaps of drawn in or drawn out parcels with a layer; tabulated once."""
        key = (layer, distance)
        if key not in self._moved:
            outlines = self.outlines(distance)
            there = ~(shapely.is_empty(outlines) | shapely.is_missing(outlines))
            frame = gpd.GeoDataFrame(
                {"parcel_id": self.index[there]}, geometry=outlines[there], crs=self.parcels.crs
            )
            self._moved[key] = LayerOverlaps.of(self.index, self.zone_overlaps(layer, frame))
        return self._moved[key]

    @cached_property
    def _outlines(self) -> dict[float, Shapes]:
        return {}

    @cached_property
    def _moved(self) -> dict[tuple[str, float], LayerOverlaps]:
        return {}

    def lacking(self, rows: pd.DataFrame, field: str) -> npt.NDArray[np.bool_]:
        """Return which rows (with their version_id) came with a delivery that does not have a field."""
        return lacking(rows["version_id"], self.absent, field)

    def attribute(self, field: str) -> pd.Series[Any]:
        """Return a parcel attribute by its standard name, missing where it is empty."""
        return pd.Series([values.get(field) for values in self.parcels["attributes"]], dtype=object)


def read_inputs(
    connection: Connection,
    project: Project,
    overlaps: Overlaps,
    versions: dict[str, list[Version]],
    documents: pd.DataFrame,
) -> Inputs:
    """Read the parcels, features, enterprises and rasters of some deliveries."""
    day = project.settings.project.as_of
    rasters: dict[str, list[DeliveredRaster]] = {}
    for raster in delivered_rasters(connection, versions.get("raster", [])):
        rasters.setdefault(raster.layer, []).append(raster)

    def zone_overlaps(layer: str, outlines: gpd.GeoDataFrame) -> pd.DataFrame:
        return layer_overlaps(connection, project, versions, layer, outlines)

    return Inputs(
        land.parcels(connection, versions, srid=project.srid),
        overlaps,
        zone_overlaps,
        {
            key: land.layer_shapes(connection, key, versions.get(key, []), day, srid=project.srid)
            for key in FEATURE_LAYERS
        },
        land.enterprises(connection, versions),
        rasters,
        versions,
        absent_fields(connection, [version for layer in versions.values() for version in layer]),
        documents,
        project,
    )
