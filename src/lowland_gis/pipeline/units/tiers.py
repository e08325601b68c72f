"""Both tiers of a draft: planning units (规划单元), the implementation units (实施单元) in them, and the place of every parcel."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis.units.contiguity import cell_of
from lowland_gis.analysis.units.draw import Draft
from lowland_gis.analysis.units.planning import Planning, planning_table
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.units.before import blocks_digest, read_blocks
from lowland_gis.pipeline.units.drafts import HeldDraft
from lowland_gis.pipeline.units.ground import UnitInputs
from lowland_gis.pipeline.units.planned import plan_areas, planning_units
from lowland_gis.settings import DelineateSettings


@dataclass(frozen=True)
class Tiers:
    """The two tiers of a draft.

    `planning`: one row a planning unit (`planning.planning_table`, with geometry); `parcels`: the parcels that units are drawn from, with
    cell, plan_id and unit_id (None where in none); `findings`: limits that are not kept at this tier, planning units without low-efficiency
    land and those in which no unit could be drawn; `cells`: the blocks (as of `contiguity.barrier_cells`).
    """

    planning: gpd.GeoDataFrame
    parcels: gpd.GeoDataFrame
    findings: pd.DataFrame
    cells: gpd.GeoDataFrame


def tiers_of(draft: HeldDraft) -> Tiers:
    """Return both tiers of a stored draft, under the limits that it was drawn with.

    Raises:
        UsageError: the delivered planning units overlap, or have no numbers.
    """
    return tiers(draft.inputs(), draft.stored.settings, draft.stored.members)


def tiers_of_drawn(inputs: UnitInputs, settings: DelineateSettings, drawn: Draft) -> Tiers:
    """Return both tiers of a draft that is kept nowhere."""
    return tiers(inputs, settings, drawn.members)


def tiers(inputs: UnitInputs, settings: DelineateSettings, members: pd.DataFrame) -> Tiers:
    """Return both tiers over a membership table."""
    planning, cell = planning_of(inputs, settings)
    unit = inputs.parcels["parcel_id"].map(members.set_index("parcel_id")["unit_id"]).astype(object)
    parcels = inputs.parcels.assign(
        cell=cell, plan_id=planning.of(cell), unit_id=unit.where(unit.notna(), None)
    )
    table, findings = planning_table(planning, parcels)
    areas = gpd.GeoDataFrame(table, geometry=planning.areas.geometry.to_numpy(), crs=planning.areas.crs)
    return Tiers(areas, parcels, findings, inputs.cells)


def planning_of(
    inputs: UnitInputs, settings: DelineateSettings
) -> tuple[Planning, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Return the planning units of the ground, and the cell of every parcel (-1: outside)."""
    cell = cell_of(inputs.parcels.geometry.to_numpy(), inputs.cells).astype(np.int64)
    return planning_units(inputs.cells, inputs.plan_areas, settings), cell


def planning_areas(held: Reading) -> gpd.GeoDataFrame | None:
    """Return the planning units of now (plan_id, town_code, geometry): those that were delivered, or the blocks of the flow's newest draft.

    None where blocks are to be put together and no draft of the flow has any that rest on the deliveries in force.

    Raises:
        UsageError: the delivered planning units overlap, have no numbers, or were not delivered.
    """
    settings, day = held.project.settings.delineate, held.basis.as_of
    areas = plan_areas(held.connection, held.project, held.current, day)
    digest = blocks_digest(settings, held.current, day, held.project.settings.project.district_code)
    blocks = read_blocks(held.connection, digest, srid=held.project.srid)
    return None if blocks is None else planning_units(blocks.cells, areas, settings).areas


def plan_of_outlines(outlines: gpd.GeoSeries, planning: gpd.GeoDataFrame) -> pd.Series:
    """Return the planning unit that most of each outline lies in, None where in none; a parcel that a barrier cuts is drawn whole."""
    shapes, grounds = outlines.to_numpy(), planning.geometry.to_numpy()
    outline, area = shapely.STRtree(grounds).query(shapes, predicate="intersects")
    common = shapely.area(shapely.intersection(shapes[outline], grounds[area]))
    found = np.full(len(shapes), None, dtype=object)
    # Of areas that hold as much of it the first.
    for at in np.lexsort((-area, common)):
        if common[at] > 0:
            found[outline[at]] = planning["plan_id"].iloc[area[at]]
    return pd.Series(found, index=outlines.index, dtype=object)


def plan_of(draft: HeldDraft, parcel_id: str) -> str | None:
    """Return the planning unit that a parcel lies in, None where it is in none."""
    rows = tiers_of(draft).parcels
    found = rows["plan_id"][rows["parcel_id"] == parcel_id]
    return None if found.empty or pd.isna(found.iloc[0]) else str(found.iloc[0])
