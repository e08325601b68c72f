"""Lines with a width as zones, and zones whose ground such strips take; what cannot be derived is left out and told in land.issue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis.geometry import strips as analysis
from lowland_gis.analysis.geometry.derived import Derived
from lowland_gis.db.connect import Connection

RULE = "geometry_derived"
MESSAGE = (
    "the strip of the line, or what strips leave of the polygon, is no valid area, so it is left out of the overlaps;"
    " look at the vertices there"
)


class Strips(NamedTuple):
    """Zones with the derived geometry, and the feature_id of those that are left out."""

    zones: gpd.GeoDataFrame
    left_out: list[int]


def strips(lines: gpd.GeoDataFrame, width_field: str) -> Strips:
    """Return line features as strips of their own width with flat ends; lines without a width fall away.

    Where two cross, the wider one has the ground.
    """
    widths = pd.to_numeric(
        pd.Series([values.get(width_field) for values in lines["attributes"]], index=lines.index),
        errors="coerce",
    )
    return _derived(lines, analysis.of_lines(lines.geometry.to_numpy(), widths.to_numpy(dtype=float)))


def without_strips(zones: gpd.GeoDataFrame, covered: gpd.GeoDataFrame) -> Strips:
    """Return polygons without the ground that strips take the place of; one under a strip keeps an empty shape."""
    return _derived(zones, analysis.ground(zones.geometry.to_numpy(), covered.geometry.to_numpy()))


def _derived(zones: gpd.GeoDataFrame, made: Derived) -> Strips:
    shaped = zones.set_geometry(gpd.GeoSeries(made.geometries, index=zones.index, crs=zones.crs))
    left_out = zones["feature_id"].to_numpy()[np.asarray(made.failed)]
    return Strips(shaped[~shapely.is_missing(made.geometries)], [int(number) for number in left_out])


def tell_left_out(
    connection: Connection, identifier: str | None, version_ids: Sequence[int], left_out: Sequence[int]
) -> None:
    """Keep an issue of every feature that is left out, in place of what an earlier run said of these deliveries.

    `identifier` is the field that names the features, where they have one.
    """
    connection.execute(
        "DELETE FROM land.issue WHERE rule = %s AND version_id = ANY(%s)", [RULE, list(version_ids)]
    )
    connection.execute(
        "INSERT INTO land.issue (version_id, row_no, key, rule, action, message, place)"
        " SELECT version_id, row_no, attributes->>%s, %s, 'kept', %s, ST_PointOnSurface(geom) FROM land.feature"
        " WHERE version_id = ANY(%s) AND feature_id = ANY(%s) ORDER BY feature_id",
        [identifier, RULE, MESSAGE, list(version_ids), list(left_out)],
    )
