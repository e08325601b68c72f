"""Rows of one cell of Spark as measures look at them: the same that the local stage reads out of the database, held in a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.analysis.overlay import tabulate
from lowland_gis.analysis.overlay.polygons import binary_parts
from lowland_gis.analysis.overlay.rings import Rings, joined, taken
from lowland_gis.analysis.overlay.wkb import decode
from lowland_gis.engines import local
from lowland_gis.engines.sedona import work
from lowland_gis.engines.spool import Spool
from lowland_gis.pipeline.evidence.records import Floats, Objects, Rows

# Kinds of rows, in the order in which a cell gets them; zones have the kinds of `engines.sedona.work`.
OVERLAP, RECORD, FIRM, PARCEL = 11, 12, 13, 14

# What rows of any kind have; what a kind does not have is null.
COLUMNS = {
    "cell": "int", "kind": "int", "row": "long", "layer": "string", "parcel": "string", "code": "string", "version": "long",
    "year": "double", "area": "double", "planar": "double", "share": "double", "part": "double", "town": "string",
    "attributes": "string", "klass": "long", "wkb": "binary",
}  # fmt: skip
_NAMES = {"row": "feature_id", "version": "version_id", "parcel": "parcel_id"}


@dataclass(frozen=True)
class HeldRows(Rows):
    """Rows of a layer in a table of `COLUMNS`."""

    table: pa.Table

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Return version_id, feature_id, code, parcel_id and year."""
        names = ("version", "row", "code", "parcel", "year")
        return pd.DataFrame({_NAMES.get(name, name): array(self.table[name]) for name in names})

    def field(self, name: str) -> Objects:
        """Return what each row has in a field of the layer, None where it has nothing."""
        found = np.empty(len(self._attributes), dtype=object)
        found[:] = [values.get(name) for values in self._attributes]
        return found

    @cached_property
    def _attributes(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.table["attributes"].to_pylist()]

    @cached_property
    def areas(self) -> Floats:
        """Return the planar areas (m²)."""
        return array(self.table["area"]).astype(np.float64)


def array(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return a column as numbers, NaN where there is none, or as objects."""
    values: npt.NDArray[Any] = column.to_numpy()
    return values


@dataclass(frozen=True)
class HeldOverlaps:
    """The overlaps of the parcels of a cell."""

    table: pa.Table

    def layer(self, layer: str, parcels: pd.Index[Any]) -> LayerOverlaps:
        """Return the overlaps of parcels, in the order of their codes, with a layer."""
        some = self.table.filter(pc.equal(self.table["layer"], layer))
        ids, codes = (array(some[name]).astype(object) for name in ("parcel", "code"))
        area, share = (array(some[name]).astype(np.float64) for name in ("area", "share"))
        return LayerOverlaps.of_columns(parcels, ids, codes, area, share).sorted()


@dataclass(frozen=True)
class HeldZones:
    """The zones near the parcels of a cell; `names` gives the layers and the codes of classes."""

    table: pa.Table
    names: Callable[[npt.NDArray[np.int64]], tuple[Objects, Objects]]

    @contextmanager
    def layer(self, layer: str) -> Iterator[local.Layer]:
        """Yield the zones of a layer."""
        rings, layers, codes = self._decoded
        rows = np.flatnonzero(layers == layer)
        numbers, names = tabulate.class_numbers(codes[rows])
        some = taken(rings, rows)
        with Spool(0) as nothing:
            yield local.Layer(nothing, numbers, names, tabulate.zone_layer(some, numbers, names))

    @cached_property
    def _decoded(self) -> tuple[Rings, Objects, Objects]:
        """Return the polygons in the order of their rows, whole ones and those of which a window was seen, with their layers and codes."""
        seen = self.table["kind"].to_numpy() == work.SEEN
        parts = [
            work.as_seen(wkb) if is_seen else decode(*binary_parts(wkb))[0]
            for is_seen in (False, True)
            for wkb in [self.table["wkb"].filter(pa.array(seen == is_seen)).combine_chunks()]
            if len(wkb)
        ]
        both = np.concatenate([np.flatnonzero(~seen), np.flatnonzero(seen)])
        order = np.argsort(self.table["row"].to_numpy()[both], kind="stable")
        classes = self.table["klass"].to_numpy()[both][order].astype(np.int64)
        return taken(joined(parts), order), *self.names(classes)


@dataclass(frozen=True)
class CheckedRaster:
    """A raster that was held against its delivery before the tasks began."""

    path: str

    def file(self, _folder: Path) -> str:
        """Return where it is."""
        return self.path


@dataclass(frozen=True)
class Told:
    """What is known of the parcels of all cells: which totals any firm states, and the part of each row of firms."""

    stated: Mapping[str, bool]
    parts: Floats | None

    def documented(self, named: list[str], at_hand: pd.Index[Any]) -> pd.Index[Any]:  # noqa: ARG002 - as the protocol has it
        """Return the parcels at hand: what papers say of others is taken with these."""
        return at_hand

    def total_stated(self, total: str, at_hand: bool) -> bool:  # noqa: ARG002 - as the protocol has it
        """Tell what was found of all firms."""
        return self.stated[total]

    def firm_parts(self) -> Floats | None:
        """Return which part of its firm's total each row of firms of the cell takes."""
        return self.parts


def parcels_of(table: pa.Table, srid: int) -> gpd.GeoDataFrame:
    """Return the parcels of a cell: version_id, parcel_id, town_code, area_m2, planar_m2 and the geometry where it came."""
    columns = {
        "version_id": array(table["version"]),
        "parcel_id": array(table["parcel"]).astype(object),
        "town_code": array(table["town"]).astype(object),
        "area_m2": array(table["area"]).astype(np.float64),
        "planar_m2": array(table["planar"]).astype(np.float64),
    }
    shapes = shapely.from_wkb(np.array([*table["wkb"].to_pylist(), None], dtype=object)[:-1])
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=srid)


def of_kinds(table: pa.Table, kinds: Sequence[int]) -> pa.Table:
    """Return the rows of some kinds."""
    return table.filter(pc.is_in(table["kind"], pa.array(kinds, table["kind"].type)))
