"""Tabulate the current parcels against every current layer that is meant for it."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely

from lowland_gis import schema
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.definitions.layer import LayerDefinition, layer_definition, layer_keys
from lowland_gis.engines import local
from lowland_gis.pipeline import land
from lowland_gis.pipeline.project import Project, Tell, silent
from lowland_gis.pipeline.runs import Run, Version, current_versions, recorded

STAGE = "tabulate"
NO_CODE = ""


def tabulate(project: Project, *, tell: Tell = silent) -> Run:
    """Write `result.overlap` for every layer whose definition says `tabulate`.

    Raises:
        UsageError: no parcels were ingested yet.
    """
    with project.transaction() as connection:
        versions = current_versions(connection)
        layers = [key for key in layer_keys() if key in versions and layer_definition(key).tabulate != "no"]
        used = [version for key in ("parcel", *layers) for version in versions.get(key, [])]

        def work(run_id: int) -> None:
            parcels = land.parcels(connection, versions, srid=project.srid)
            for key in layers:
                tell(f"tabulate {key} {layer_definition(key).title}")
                rows = _overlaps(connection, project, parcels, layer_definition(key), versions)
                constants = {"run_id": run_id, "layer": key}
                copy_in(connection, schema.OVERLAP, rows, srid=project.srid, constants=constants)

        return recorded(
            connection,
            STAGE,
            inputs={version.label: version.digest for version in used}
            | {"versions": sorted(version.digest for version in used)},
            settings={
                "engine": local.NAME,
                "strips": "replace the ground",
                "as_of": project.settings.project.as_of.isoformat(),
            },
            work=work,
        )


def _overlaps(
    connection: Connection,
    project: Project,
    parcels: gpd.GeoDataFrame,
    definition: LayerDefinition,
    versions: dict[str, list[Version]],
) -> pd.DataFrame:
    as_of = project.settings.project.as_of
    zones = land.features(connection, definition, versions[definition.key], as_of, srid=project.srid)
    if definition.width is not None:
        zones = land.strips(zones, definition.width)
    elif definition.strips in versions:
        lines = layer_definition(definition.strips)
        found = land.features(connection, lines, versions[lines.key], as_of, srid=project.srid)
        zones = land.without_strips(zones, land.strips(found, str(lines.width)))
    elif definition.geometry == "line":
        zones = zones.iloc[:0]
    if definition.tabulate == "feature":
        zones["code"] = zones["feature_id"].astype(str)
    elif definition.code is None:
        zones["code"] = definition.key
    zones["code"] = zones["code"].fillna(NO_CODE)
    return local.overlaps(parcels, zones[~shapely.is_empty(zones.geometry.to_numpy())])
