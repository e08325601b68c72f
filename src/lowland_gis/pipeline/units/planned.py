"""Planning units (规划单元) of a project: those of a delivered layer, or blocks of a town put together."""

from __future__ import annotations

import datetime as dt
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.units.planning import (
    OUTSIDE_PLANNING,
    Planning,
    PlanningLimits,
    of_areas,
    put_together,
)
from lowland_gis.db.connect import Connection
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Versions
from lowland_gis.settings import DelineateSettings


def plan_areas(
    connection: Connection, project: Project, versions: Versions, day: dt.date
) -> gpd.GeoDataFrame | None:
    """Return the planning units that were delivered (plan_id, geometry), None where blocks are put together.

    Raises:
        UsageError: the layer was not delivered, or holds no areas with numbers.
    """
    key = project.settings.delineate.planning.layer
    if not key:
        return None
    definition = layer_definition(key)
    if definition.identifier is None or definition.geometry != "polygon":
        raise UsageError(
            f"planning.layer: the layer {key} has no numbered areas. Name a layer of polygons that has an identifier."
        )
    found = land.features(connection, definition, versions.get(key, []), day, srid=project.srid)
    if found.empty:
        raise UsageError(
            f"planning.layer: the layer {key} was not delivered, so there are no planning units (规划单元). Type: lowland ingest {key} FILE"
            " – or leave planning.layer away, and blocks of a town are put together."
        )
    names = [_number(attributes.get(definition.identifier)) for attributes in found["attributes"]]
    return gpd.GeoDataFrame(
        {"plan_id": pd.Series(names, dtype=object)}, geometry=found.geometry.to_numpy(), crs=found.crs
    )


def _number(given: object) -> str | None:
    return None if given is None or not str(given).strip() else str(given).strip()


def planning_units(
    cells: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None, settings: DelineateSettings
) -> Planning:
    """Return the planning units of the blocks.

    Raises:
        UsageError: delivered ones overlap, or have no number or the same.
    """
    limits = PlanningLimits(settings.planning.min_ha, settings.planning.max_ha)
    if areas is None:
        return put_together(cells, limits)
    try:
        return of_areas(cells, areas, limits)
    except ValueError as error:
        raise UsageError(
            f"The layer {settings.planning.layer} cannot be the planning units (规划单元), so nothing was drawn: {error}. Mend the delivery"
            " and ingest it again, or leave planning.layer away."
        ) from error


def with_borders(barriers: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None) -> npt.NDArray[np.object_]:
    """Return what divides blocks: barriers, and the borders of planning units that were delivered."""
    lines: npt.NDArray[np.object_] = barriers.geometry.to_numpy()
    return lines if areas is None else np.concatenate([lines, shapely.boundary(areas.geometry.to_numpy())])


def inside_planning(
    parcels: gpd.GeoDataFrame, cell: npt.NDArray[np.integer[Any]], planning: Planning
) -> gpd.GeoDataFrame:
    """Give parcels in no planning unit the reason why they may be in no unit, unless they have one."""
    out = pd.isna(planning.of(cell.astype(np.int64))) & parcels["reason"].isna().to_numpy()
    return parcels.assign(reason=parcels["reason"].astype(object).mask(out, OUTSIDE_PLANNING))
