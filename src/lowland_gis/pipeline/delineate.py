"""Draw redevelopment units from the current verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis import schema
from lowland_gis.analysis.contiguity import barrier_cells
from lowland_gis.analysis.delineate import Limits, draw_units
from lowland_gis.analysis.rules import OPEN
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.errors import UsageError
from lowland_gis.pipeline import land
from lowland_gis.pipeline.classify import evidence_table
from lowland_gis.pipeline.project import Project, Tell, silent
from lowland_gis.pipeline.runs import Run, current_versions, needed_run, recorded
from lowland_gis.settings import DelineateSettings

STAGE = "delineate"
NOT_LOW = ("none", OPEN)
_BARRIER_LAYERS = ("road", "river")


@dataclass(frozen=True)
class DelineationInputs:
    """Low-efficiency parcels (parcel_id, answer, area_m2, reason, geometry), cells of the barriers, barriers, and towns."""

    parcels: gpd.GeoDataFrame
    cells: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    towns: gpd.GeoDataFrame


def delineate(project: Project, *, tell: Tell = silent) -> Run:
    """Write `result.unit` and `result.member`.

    Raises:
        UsageError: the stage classify has not run, or no towns were ingested.
    """
    limits = limits_of(project.settings.delineate)
    with project.transaction() as connection:
        classified = needed_run(connection, "classify")
        versions = current_versions(connection)

        def work(run_id: int) -> None:
            tell("delineate redevelopment units 再开发单元")
            inputs = _read(connection, project)
            drawn = draw_units(inputs.parcels, inputs.cells, limits)
            units = pd.DataFrame(drawn.units).rename(columns={"geometry": "geom"})
            constants = {"run_id": run_id}
            copy_in(connection, schema.UNIT, units, srid=project.srid, constants=constants)
            copy_in(connection, schema.MEMBER, drawn.members, srid=project.srid, constants=constants)

        used = [version.digest for key in (*_BARRIER_LAYERS, "town") for version in versions.get(key, [])]
        return recorded(
            connection,
            STAGE,
            inputs={"classify": classified.digest, "versions": sorted(used)},
            settings=project.settings.delineate.model_dump(mode="json"),
            work=work,
        )


def limits_of(settings: DelineateSettings) -> Limits:
    """Return the limits of the settings as the drawing takes them."""
    return Limits(settings.gap_m, settings.min_length_m, settings.min_ha, settings.max_ha)


def read_delineation_inputs(project: Project) -> DelineationInputs:
    """Return what units are drawn from: for notebooks that redraw them with other limits."""
    with project.transaction() as connection:
        return _read(connection, project)


def _read(connection: Connection, project: Project) -> DelineationInputs:
    versions = current_versions(connection)
    if not versions.get("town"):
        raise UsageError("There are no towns yet, so no block can be told. Type: lowland ingest town FILE")
    towns = land.layer_shapes(connection, "town", versions, srid=project.srid).rename(
        columns={"code": "town_code"}
    )
    barriers = _barriers(connection, project, versions)
    parcels = _low_parcels(connection, project)
    cells = barrier_cells(towns[["town_code", "geometry"]], barriers.geometry.to_numpy())
    return DelineationInputs(parcels, cells, barriers, towns)


def _barriers(connection: Connection, project: Project, versions: dict[str, Any]) -> gpd.GeoDataFrame:
    roads = land.layer_shapes(connection, "road", versions, srid=project.srid)
    rivers = land.layer_shapes(connection, "river", versions, srid=project.srid)
    stopping = roads[roads["code"].isin(project.settings.delineate.road_grades)]
    return pd.concat([stopping.assign(layer="road"), rivers.assign(layer="river")], ignore_index=True)[
        ["layer", "code", "geometry"]
    ]


def _low_parcels(connection: Connection, project: Project) -> gpd.GeoDataFrame:
    classified = needed_run(connection, "classify")
    measured = needed_run(connection, "measure")
    verdicts = read_frame(
        connection,
        "SELECT parcel_id, answer FROM result.verdict WHERE run_id = %s AND question = 'kind'",
        [classified.run_id],
    )
    low = verdicts[~verdicts["answer"].isin(NOT_LOW)]
    parcels = land.parcels(connection, current_versions(connection), srid=project.srid)
    parcels = parcels[["parcel_id", "town_code", "area_m2", "geometry"]].merge(low, on="parcel_id")
    evidence = evidence_table(connection, measured.run_id).reindex(parcels["parcel_id"])
    return parcels.assign(reason=_reasons(evidence, project.settings.delineate))


def _reasons(evidence: pd.DataFrame, settings: DelineateSettings) -> npt.NDArray[np.object_]:
    """Say why a parcel may be in no unit; None where it may. What is unknown forbids nothing."""

    def share(name: str) -> npt.NDArray[np.float64]:
        if name not in evidence.columns:
            return np.full(len(evidence), np.nan)
        return np.asarray(evidence[name], dtype=np.float64)

    inside = np.fmax(share("boundary_share"), share("settlement_village_share"))
    reason = np.full(len(evidence), None, dtype=object)
    reason[inside < settings.inside_min] = "outside the development boundary and village land"
    reason[share("farmland_share") > settings.protected_max] = (
        "touches permanent basic farmland (永久基本农田)"
    )
    reason[share("eco_share") > settings.protected_max] = "touches the ecological red line (生态保护红线)"
    return reason
