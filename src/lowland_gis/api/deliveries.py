"""`read_delivery` and `check`: what a file of an office holds under the names of its standard, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd

from lowland_gis.api.layers import Layer
from lowland_gis.api.layers import layer as as_source
from lowland_gis.api.said import warned
from lowland_gis.definitions.check import CheckDefinition, chosen_checks
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.pipeline.intake.in_memory import Came, How, came_in
from lowland_gis.pipeline.quality.check import layer_findings
from lowland_gis.pipeline.quality.in_memory import OthersInMemory, checked_layer

DEFAULT_PLANE = "EPSG:4548"


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
        came = came_in(
            as_source(source, layer), layer_definition(layer), How(plane, src_crs, encoding, mapping), tell
        )
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
        there = {
            key: came_in(as_source(given, key), asked[key], How(plane), tell)
            for key, given in (others or {}).items()
        }
        came = came_in(as_source(source, layer), layer_definition(layer), How(plane, src_crs), tell)
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
    came: Came, wanted: Mapping[str, CheckDefinition], there: Mapping[str, Came], plane: str
) -> gpd.GeoDataFrame:
    key = came.definition.key
    fields = sorted({name for item in wanted.values() for name in item.used_fields(key)})
    found = layer_findings(checked_layer(came, fields), wanted, OthersInMemory(there))
    found = found.drop(columns=["version_id", "layer"]).reset_index(drop=True)
    places = found.pop("place")
    return gpd.GeoDataFrame(found, geometry=list(places), crs=plane)
