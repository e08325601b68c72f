"""Turn overlaps, attributes, buildings, enterprises, contracts and rasters into evidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis import schema
from lowland_gis.analysis import measures
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions import measure as define
from lowland_gis.definitions.codes import codes_of
from lowland_gis.files.raster import raster_means
from lowland_gis.pipeline import land
from lowland_gis.pipeline.project import Project, Tell, silent
from lowland_gis.pipeline.runs import Run, Version, current_versions, needed_run, recorded

STAGE = "measure"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Inputs:
    """Everything that a measure may look at."""

    parcels: gpd.GeoDataFrame
    overlaps: pd.DataFrame
    features: dict[str, gpd.GeoDataFrame]
    enterprises: pd.DataFrame
    rasters: dict[str, list[str]]
    versions: dict[str, list[Version]]
    project: Project

    @property
    def index(self) -> pd.Index[Any]:
        """Return the parcel codes in the order of every measured array."""
        codes: pd.Index[Any] = pd.Index(self.parcels["parcel_id"])
        return codes

    def attribute(self, field: str) -> pd.Series[Any]:
        """Return a parcel attribute by its standard name, missing where it is empty."""
        return pd.Series([values.get(field) for values in self.parcels["attributes"]], dtype=object)


def measure(project: Project, *, tell: Tell = silent) -> Run:
    """Write `result.evidence`: one row for every known value of every measure.

    Raises:
        UsageError: the stage tabulate has not run.
    """
    with project.transaction() as connection:
        tabulated = needed_run(connection, "tabulate")
        versions = current_versions(connection)
        defined = define.measures()

        def work(run_id: int) -> None:
            inputs = _read(connection, project, tabulated.run_id, versions)
            for name, definition in defined.items():
                tell(f"measure {name} {definition.title}")
                rows = _evidence(name, definition, inputs)
                copy_in(connection, schema.EVIDENCE, rows, srid=project.srid, constants={"run_id": run_id})

        used = [
            version
            for key in ("building", "supply", "enterprise", "raster")
            for version in versions.get(key, [])
        ]
        return recorded(
            connection,
            STAGE,
            inputs={"tabulate": tabulated.digest, "versions": sorted(version.digest for version in used)},
            settings={
                "as_of": project.settings.project.as_of.isoformat(),
                "measures": {
                    name: definition.model_dump(mode="json") for name, definition in defined.items()
                },
            },
            work=work,
        )


def _read(
    connection: Connection, project: Project, run_id: int, versions: dict[str, list[Version]]
) -> Inputs:
    overlaps = read_frame(
        connection,
        "SELECT layer, parcel_id, code, area_m2, share FROM result.overlap WHERE run_id = %s",
        [run_id],
    )
    shapes = {
        key: land.layer_shapes(connection, key, versions, srid=project.srid) for key in ("building", "supply")
    }
    rasters = read_frame(
        connection,
        "SELECT v.layer, r.path FROM land.raster r JOIN land.layer_version v USING (version_id)"
        " WHERE version_id = ANY(%s) ORDER BY version_id",
        [[version.version_id for version in versions.get("raster", [])]],
    )
    return Inputs(
        land.parcels(connection, versions, srid=project.srid),
        overlaps,
        shapes,
        land.enterprises(connection, versions),
        {str(layer): list(paths) for layer, paths in rasters.groupby("layer")["path"]},
        versions,
        project,
    )


def _evidence(name: str, definition: define.AnyMeasure, inputs: Inputs) -> pd.DataFrame:
    layers = _layers(definition)
    missing = [layer for layer in layers if layer not in inputs.versions]
    empty = pd.DataFrame({"parcel_id": [], "measure": [], "value": [], "source": []})
    if missing or isinstance(definition, define.PaperMeasure):
        return empty
    values = evaluate(definition, inputs)
    source = "; ".join(dict.fromkeys(v.label for layer in layers for v in inputs.versions[layer]))
    rows = pd.DataFrame({"parcel_id": inputs.index, "measure": name, "value": values, "source": source})
    return rows[np.isfinite(values)]


def _layers(definition: define.AnyMeasure) -> tuple[str, ...]:
    """Return the layers that a measure cannot do without."""
    match definition:
        case define.OverlapMeasure():
            # Strips of line features are an addition: a survey without them is still a survey.
            return tuple(layer for layer in definition.layers if layer != "xzdw2")
        case define.PresentMeasure() | define.EqualsMeasure():
            return ("parcel",)
        case define.RasterMeasure():
            return (definition.layer,)
        case define.PaperMeasure():
            return ()
    return {"building": ("building",), "enterprise": ("enterprise",), "overdue": ("supply",)}[definition.kind]


@singledispatch
def evaluate(definition: object, inputs: Inputs) -> Floats:
    """Return the values of a measure in the order of the parcels, NaN where nothing is known."""
    raise NotImplementedError(
        f"no way to measure {type(definition).__name__} of {len(inputs.parcels)} parcels"
    )


@evaluate.register
def _(definition: define.OverlapMeasure, inputs: Inputs) -> Floats:
    overlaps = inputs.overlaps[inputs.overlaps["layer"].isin(definition.layers)]
    present = sorted(overlaps["code"].unique())
    codes = [(layer, code) for code in codes_of(definition.codes, present) for layer in definition.layers]
    return measures.overlap_share(inputs.index, overlaps, codes)


@evaluate.register
def _(definition: define.PresentMeasure, inputs: Inputs) -> Floats:
    return measures.present(inputs.attribute(definition.field))


@evaluate.register
def _(definition: define.EqualsMeasure, inputs: Inputs) -> Floats:
    return measures.equals(inputs.attribute(definition.field), definition.values)


@evaluate.register
def _(definition: define.BuildingMeasure, inputs: Inputs) -> Floats:
    planar = inputs.parcels.set_index("parcel_id")["planar_m2"]
    return measures.building_statistic(planar, _building_pieces(inputs), definition.statistic)


@evaluate.register
def _(definition: define.EnterpriseMeasure, inputs: Inputs) -> Floats:
    rows = inputs.enterprises
    firms = pd.DataFrame(
        {
            "parcel_id": rows["parcel_id"],
            "year": pd.to_numeric(rows["year"]),
            "value": _numbers(rows["attributes"], definition.column),
            "land_mu": _numbers(rows["attributes"], "ZDMJM"),
        }
    )
    return measures.latest_of_enterprises(inputs.index, firms)


@evaluate.register
def _(definition: define.OverdueMeasure, inputs: Inputs) -> Floats:
    pairs = inputs.overlaps[
        inputs.overlaps["layer"].eq("supply") & (inputs.overlaps["share"] >= definition.min_share)
    ]
    attributes = _by_feature(inputs.features["supply"]).reindex(pairs["code"])
    contracts = pd.DataFrame(
        {
            "parcel_id": pairs["parcel_id"].to_numpy(),
            "agreed": [values.get(definition.agreed) for values in attributes],
            "actual": [values.get(definition.actual) for values in attributes],
        }
    )
    return measures.overdue_years(inputs.index, contracts, inputs.project.settings.project.as_of)


@evaluate.register
def _(definition: define.RasterMeasure, inputs: Inputs) -> Floats:
    return raster_means(inputs.rasters[definition.layer][-1], inputs.parcels)


def _building_pieces(inputs: Inputs) -> measures.BuildingPieces:
    """Join the overlaps of buildings with the attributes of the buildings."""
    pairs = inputs.overlaps[inputs.overlaps["layer"] == "building"]
    buildings = inputs.features["building"]
    footprint = pd.Series(
        shapely.area(buildings.geometry.to_numpy()), index=buildings["feature_id"].astype(str)
    ).reindex(pairs["code"])
    attributes = _by_feature(buildings).reindex(pairs["code"])
    part = pairs["area_m2"].to_numpy(dtype=float) / footprint.to_numpy()
    return measures.BuildingPieces(
        pd.DataFrame(
            {
                "parcel_id": pairs["parcel_id"].to_numpy(),
                "footprint_m2": pairs["area_m2"].to_numpy(dtype=float),
                "floor_m2": _numbers(attributes, "JZMJ").to_numpy() * part,
                "year": _numbers(attributes, "JCNF").to_numpy(),
                "use": [values.get("LYZT") for values in attributes],
                "grade": [values.get("FWDJ") for values in attributes],
            }
        )
    )


def _by_feature(features: gpd.GeoDataFrame) -> pd.Series[Any]:
    return pd.Series(features["attributes"].to_numpy(), index=features["feature_id"].astype(str))


def _numbers(attributes: pd.Series[Any], field: str) -> pd.Series[Any]:
    return pd.to_numeric(
        pd.Series([values.get(field) for values in attributes], index=attributes.index, dtype=object)
    ).astype(np.float64)
