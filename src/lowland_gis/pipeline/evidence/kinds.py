"""The value of each kind of measure, from its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.measures import values as measures
from lowland_gis.analysis.measures.towns import located
from lowland_gis.definitions import measure as define
from lowland_gis.definitions.codes import code_names, codes_of
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.files.raster import raster_statistic
from lowland_gis.pipeline.base.land import names_by_code
from lowland_gis.pipeline.base.towns import TOWN
from lowland_gis.pipeline.evidence.drift import Drawn
from lowland_gis.pipeline.evidence.inputs import Inputs
from lowland_gis.pipeline.evidence.records import Rows
from lowland_gis.quantities import DAYS_PER_YEAR, MU_M2

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """The values of a measure in the order of the parcels (NaN unknown), the ends of their bands, and what they are made of.

    `used` names the optional layers that the values rest on.
    """

    value: Floats
    low: Floats | None = None
    high: Floats | None = None
    detail: npt.NDArray[np.object_] | None = None
    used: tuple[str, ...] = ()


@singledispatch
def evaluate(definition: object, inputs: Inputs) -> Found:
    """Return the values of a measure."""
    raise NotImplementedError(
        f"no way to measure {type(definition).__name__} of {len(inputs.parcels)} parcels"
    )


@evaluate.register
def _(definition: define.OverlapMeasure, inputs: Inputs) -> Found:
    layers = [inputs.layer(name) for name in definition.layers]
    chosen = [(item, codes_of(definition.codes, list(item.codes))) for item in layers]
    share = measures.overlap_share(chosen, len(inputs.index))
    if definition.coverage_min is not None:
        covered = measures.overlap_share([(item, item.codes) for item in layers], len(inputs.index))
        share = np.where(covered < definition.coverage_min, np.nan, share)
    detail = np.full(len(inputs.index), None, dtype=object)
    if definition.classes is not None:
        detail = measures.composition(layers, len(inputs.index), code_names(definition.classes))
    low, high = share, share
    if definition.drift is not None:
        low, high = _band(definition, definition.drift.tolerance_m, inputs, share)
    if definition.codes != "all":
        nameless = _nameless(definition, layers, len(inputs.index))
        high = np.minimum(high + nameless, 1.0)
        detail = measures.noted(detail, nameless, "代码缺失或不在标准内")
    return Found(share, low, high, detail, definition.may_use)


def _nameless(definition: define.OverlapMeasure, layers: list[measures.LayerOverlaps], count: int) -> Floats:
    """Return the share of each parcel in zones without a code, or with one that its list does not have: it may be any class."""
    chosen = []
    for name, overlaps in zip(definition.layers, layers, strict=True):
        layer = layer_definition(name)
        listed = next((field.codes for field in layer.field if field.name == layer.code), None)
        known = set(code_names(listed)) if listed else set(overlaps.codes) - {""}
        chosen.append((overlaps, [code for code in overlaps.codes if code not in known]))
    return measures.overlap_share(chosen, count)


def _band(
    definition: define.OverlapMeasure, tolerance_m: float, inputs: Inputs, share: Floats
) -> tuple[Floats, Floats]:
    """Return the band of a share when the layers are displaced by the tolerance."""
    moved, drift = inputs.drift.moved(definition.layers, tolerance_m), inputs.drift
    areas = []
    for drawn in (moved.inner, moved.outer):
        inside = np.minimum(_covered(definition, drawn), drawn.area)
        areas += [inside, drawn.area - inside]
    rows = moved.rows
    # Of all others the band is but a point.
    low, high = share.copy(), share.copy()
    shares = measures.MovedShares(areas[0], areas[2], areas[1], areas[3])
    low[rows], high[rows] = measures.drift_band(
        share[rows], drift.area[rows], drift.perimeter[rows], shares, tolerance_m
    )
    return low, high


def _covered(definition: define.OverlapMeasure, drawn: Drawn) -> Floats:
    """Return how many m² of the outlines that are drawn in or out lie in the codes of a measure."""
    total = np.zeros(len(drawn.area))
    for layer in definition.layers:
        if layer in drawn.overlaps:
            found = drawn.overlaps[layer]
            wanted = found.having(codes_of(definition.codes, list(found.codes)))
            total += np.bincount(found.parcel[wanted], found.area[wanted], minlength=len(total))
    return total


@evaluate.register
def _(_: define.TownMeasure, inputs: Inputs) -> Found:
    overlaps, towns, count = inputs.layer(TOWN), inputs.records[TOWN], len(inputs.index)
    found = located(
        inputs.parcels["town_code"].to_numpy(dtype=object),
        overlaps,
        inputs.settings.measure.town_claim_min,
    )
    named = zip(towns.frame["code"], towns.field("XZQMC"), strict=True)
    detail = measures.composition(
        [overlaps], count, names_by_code((code, name) for code, name in named if name)
    )
    doubt = np.full(int(found.claimed.sum()), "宗地跨镇街，以占比最大者为准，须核实", dtype=object)
    detail[found.claimed] = detail[found.claimed] + "；" + doubt
    return Found(found.share, detail=detail)


@evaluate.register
def _(_: define.AreaMeasure, inputs: Inputs) -> Found:
    return Found(inputs.parcels["area_m2"].to_numpy(dtype=np.float64) / MU_M2)


@evaluate.register
def _(definition: define.PresentMeasure, inputs: Inputs) -> Found:
    there = measures.present(inputs.attribute(definition.field))
    return Found(np.where(inputs.lacking("parcel", definition.field), np.nan, there))


@evaluate.register
def _(definition: define.EqualsMeasure, inputs: Inputs) -> Found:
    return Found(measures.equals(inputs.attribute(definition.field), definition.values))


@evaluate.register
def _(definition: define.AttributeMeasure, inputs: Inputs) -> Found:
    return Found(
        pd.to_numeric(inputs.attribute(definition.field), errors="coerce").to_numpy(dtype=np.float64)
    )


@evaluate.register
def _(definition: define.BuildingMeasure, inputs: Inputs) -> Found:
    if definition.statistic == "age":
        as_of = inputs.settings.project.as_of
        today = as_of.year + (as_of.timetuple().tm_yday - 1) / DAYS_PER_YEAR
        return Found(today - _buildings(inputs, "year"))
    return Found(_buildings(inputs, definition.statistic))


def _buildings(inputs: Inputs, statistic: measures.Statistic) -> Floats:
    area = inputs.parcels["planar_m2"].to_numpy(dtype=np.float64)
    return measures.building_statistic(
        area, inputs.once("buildings", lambda: _building_pieces(inputs)), statistic
    )


def _building_pieces(inputs: Inputs) -> measures.BuildingPieces:
    """Join the overlaps of buildings with the attributes of the buildings."""
    pairs = inputs.layer("building")
    buildings = inputs.records["building"]
    place = _places(buildings, pairs)
    part = pairs.area / buildings.areas[place]
    return measures.BuildingPieces(
        pd.DataFrame(
            {
                "parcel": pairs.parcel,
                "footprint_m2": pairs.area,
                "floor_m2": buildings.numbers("JZMJ")[place] * part,
                "year": buildings.numbers("JCNF")[place],
                "use": buildings.field("LYZT")[place],
                "grade": buildings.field("FWDJ")[place],
            }
        )
    )


@evaluate.register
def _(definition: define.EnterpriseMeasure, inputs: Inputs) -> Found:
    rows = inputs.records["enterprise"]
    firms = inputs.once("firms", lambda: _firms(inputs))
    firms = firms.assign(value=rows.numbers(definition.column)[firms.index])
    if definition.total is not None:
        firms["total"] = rows.numbers(definition.total)[firms.index]
        firms["uncoded"] &= firms["value"].isna() & firms["total"].notna()
        firms["value"] = _intensities(firms, inputs)
    year = None if definition.back is None else inputs.settings.project.as_of.year - definition.back
    reported = measures.reported_in(firms, year)
    found = measures.firm_values(reported, len(inputs.index))
    if definition.total is None or not inputs.beyond.total_stated(
        definition.total, bool(firms["total"].notna().any())
    ):
        return Found(found.intensity, detail=found.allocation)
    # Only a total that was spread rests on which rows are one firm.
    uncoded = np.bincount(reported["parcel"], reported["uncoded"], minlength=len(inputs.index)).astype(
        np.int64
    )
    detail = measures.noted_firms(found.allocation, uncoded)
    return Found(found.intensity, detail=detail, used=definition.may_use)


def _firms(inputs: Inputs) -> pd.DataFrame:
    """Return the rows of firms on parcels, by the number of their record."""
    rows = inputs.records["enterprise"]
    codes = rows.field(define.FIRM_CODE)
    firms = pd.DataFrame(
        {
            "parcel": inputs.index.get_indexer(pd.Index(rows.frame["parcel_id"], dtype=object)),
            "year": pd.to_numeric(rows.frame["year"]),
            "firm": measures.firm_keys(codes, rows.field(define.FIRM_NAME)),
            "uncoded": pd.isna(codes),
            "floor_m2": rows.numbers("JZMJ"),
            "land_mu": rows.numbers("ZDMJM"),
        }
    )
    return firms[firms["parcel"] >= 0]


def _intensities(firms: pd.DataFrame, inputs: Inputs) -> Floats:
    """Return the value of each row of firms a 亩, totals spread; no floor area is asked for where no total is to be spread."""
    if not firms["total"].notna().any():
        return firms["value"].to_numpy(dtype=np.float64)
    ground = inputs.parcels["area_m2"].to_numpy(dtype=np.float64)

    def parts() -> Floats:
        known = inputs.beyond.firm_parts()
        if known is not None:
            return known[firms.index]
        return measures.firm_parts(firms, floor_areas(inputs), ground)

    return measures.intensities(firms, inputs.once("parts of firms", parts), ground)


def floor_areas(inputs: Inputs) -> Floats:
    """Return the floor area of the buildings of each parcel, m², 0 where there are none or nobody knows."""
    if "building" not in inputs.versions:
        return np.zeros(len(inputs.index))
    return np.nan_to_num(_buildings(inputs, "floor_area"))


@evaluate.register
def _(definition: define.ContractMeasure, inputs: Inputs) -> Found:
    rows = inputs.once(("contracts", definition.min_share), lambda: _contracts(inputs, definition.min_share))
    as_of = inputs.settings.project.as_of
    return Found(measures.contract_statistic(rows, len(inputs.index), as_of, definition.statistic))


def _contracts(inputs: Inputs, min_share: float) -> pd.DataFrame:
    """Return the contracts that cover at least a share of a parcel, with their dates."""
    pairs, contracts = inputs.layer("supply"), inputs.records["supply"]
    wide = pairs.share >= min_share
    place = _places(contracts, pairs)[wide]
    dates = {name: _dates(contracts.field(field))[place] for name, field in define.CONTRACT_DATES.items()}
    unsaid = {
        f"unsaid_{what}": inputs.lacking("supply", define.CONTRACT_DATES[f"actual_{what}"])[place]
        for what in ("start", "end")
    }
    return pd.DataFrame({"parcel": pairs.parcel[wide], **dates, **unsaid})


@evaluate.register
def _(definition: define.RasterMeasure, inputs: Inputs) -> Found:
    files = [raster.file(inputs.settings.folder) for raster in inputs.rasters[definition.layer]]
    return Found(
        measures.of_parts([raster_statistic(file, inputs.parcels, definition.statistic) for file in files])
    )


def _dates(texts: npt.NDArray[np.object_]) -> npt.NDArray[Any]:
    """Return ISO dates, each read by itself: without a format the first one would say how all others are read."""
    found: npt.NDArray[Any] = pd.to_datetime(
        pd.Series(texts, dtype=object), format="ISO8601", errors="coerce"
    ).to_numpy()
    return found


def _places(features: Rows, pairs: measures.LayerOverlaps) -> npt.NDArray[np.intp]:
    """Return the row of the feature behind each overlap of a layer that is tabulated feature by feature."""
    rows = pd.Index(features.frame["feature_id"].astype(str)).get_indexer(pd.Index(pairs.codes, dtype=object))
    return np.asarray(rows, dtype=np.intp)[pairs.code]
