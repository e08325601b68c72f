"""Write a draft as a GeoPackage that people edit in QGIS."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from lowland_gis.files.units import write_editable
from lowland_gis.pipeline.units.drafts import HeldDraft
from lowland_gis.pipeline.units.editing import links_layer


def export(draft: HeldDraft, target: Path, *, overwrite: bool = False) -> Path:
    """Write a draft as a GeoPackage for QGIS: `members` (parcels with unit_id, to be edited), `units` (outlines) and `links` by hand.

    Raises:
        UsageError: the file is there, is no draft as lowland wrote it (an edited one is not), and `overwrite` is not set.
    """
    with draft.held.project.outputs.writing(target, overwrite=overwrite):
        return write_editable(target, *_editable(draft))


def _editable(draft: HeldDraft) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    inputs = draft.inputs()
    members = inputs.parcels.merge(draft.stored.members, on="parcel_id", suffixes=("_not_allowed", ""))
    shown = members[["parcel_id", "unit_id", "reason", "kind", "area_m2", "low_m2", "geometry"]]
    return gpd.GeoDataFrame(shown, crs=inputs.parcels.crs), draft.units(), links_layer(inputs)
