"""Write a draft as a GeoPackage that people edit in QGIS."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from lowland_gis.files.units import LINKS, MEMBERS, PLANNING, UNITS, write_editable
from lowland_gis.pipeline.units.drafts import HeldDraft
from lowland_gis.pipeline.units.editing import links_layer
from lowland_gis.pipeline.units.tiers import tiers


def export(draft: HeldDraft, target: Path, *, overwrite: bool = False) -> Path:
    """Write a draft as a GeoPackage for QGIS: `members` (parcels with unit_id, to be edited, and plan_id), `units`, `planning`, `links`.

    `planning` are the planning units (规划单元) with what each holds; they are to be looked at, and are not read back. `links` are
    those by hand, as lines that can be drawn.

    Raises:
        UsageError: the file is there, is no draft as lowland wrote it (an edited one is not), and `overwrite` is not set.
    """
    with draft.held.project.outputs.writing(target, overwrite=overwrite):
        return write_editable(target, _editable(draft))


def _editable(draft: HeldDraft) -> dict[str, gpd.GeoDataFrame]:
    inputs = draft.inputs()
    both = tiers(inputs, draft.stored.settings, draft.stored.members)
    parcels = both.parcels.drop(columns="unit_id")
    members = parcels.merge(draft.stored.members, on="parcel_id", suffixes=("_not_allowed", ""))
    shown = members[["parcel_id", "unit_id", "plan_id", "reason", "kind", "area_m2", "low_m2", "geometry"]]
    return {
        MEMBERS: gpd.GeoDataFrame(shown, crs=parcels.crs),
        UNITS: draft.units(),
        PLANNING: both.planning,
        LINKS: links_layer(inputs),
    }
