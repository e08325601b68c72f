"""The increment of the yearly survey as it was delivered: held against the bases of both years, and which polygon became which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.increment import (
    AREA,
    COMPARED,
    PROCESS,
    Checked,
    Polygons,
    check_increment,
    lineage,
)
from lowland_gis.analysis.quality import topology
from lowland_gis.analysis.town_increment import TownPieces, Towns, check_towns
from lowland_gis.db.connect import Connection
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Versions
from lowland_gis.pipeline.quality.layers import Layer, OtherLayers, Others

if TYPE_CHECKING:
    import geopandas as gpd
else:
    gpd = when_used("geopandas")

BASE, CHANGED, PIECES = "dltb_annual", "dltb_change", "dltb_process"
TOWN_PIECES = "town_process"
_TOWN_PAIRS = ("BGQXZQDM", "BGHXZQDM", "XZQTZLX")
_FIELDS = ("BSM", AREA, *COMPARED)
_PAIRS = (*PROCESS, *(f"{side}{name}" for name in COMPARED for side in ("BGQ", "BGH")))


@dataclass(frozen=True)
class HeldIncrement:
    """The increment in force.

    `pieces` has before, after, behaviour, code_before, code_after, area_m2 and geometry, one row a piece of old ∩ new; `lineage` says which
    polygon became which; `checked` what does not match, None where a base or a layer is not there (`lacking` says which).
    """

    pieces: gpd.GeoDataFrame
    lineage: pd.DataFrame
    checked: Checked | None
    lacking: tuple[str, ...]


def held_increment(connection: Connection, versions: Versions, project: Project) -> HeldIncrement | None:
    """Return the increment in force; None where no process layer was delivered."""
    others = Others(connection, versions, project.settings.folder)
    process = others.layer(PIECES, _PAIRS)
    if process is None:
        return None
    texts = process.texts
    pieces = gpd.GeoDataFrame(
        {
            "before": texts["BGQTBBSM"],
            "after": texts["BGHTBBSM"],
            "behaviour": texts["BGXW"],
            "code_before": texts["BGQDLBM"],
            "code_after": texts["BGHDLBM"],
            "area_m2": pd.to_numeric(texts["TBBGMJ"], errors="coerce"),
        },
        geometry=process.geometries,
        crs=f"EPSG:{project.srid}",
    )
    changed = others.layer(CHANGED, _FIELDS)
    checked, lacking = (None, (CHANGED,)) if changed is None else _checked(changed, others, BASE)
    return HeldIncrement(pieces, lineage(texts), checked, lacking)


def increment_findings(changed: Layer, others: OtherLayers, base: str) -> pd.DataFrame:
    """Return what does not match between an increment (DLTBGX) and the bases of both years, as raw findings of a check."""
    checked, lacking = _checked(changed, others, base)
    if checked is None:
        return _unchecked(lacking)
    return _told(checked.issues, checked.issues["bsm"], base)


def town_increment_findings(changed: Layer, others: OtherLayers, base: str) -> pd.DataFrame:
    """Return what does not match between the towns of an increment (XZQGX) and the bases of both years, as raw findings of a check."""
    code = str(changed.definition.identifier)
    now, before = others.layer(base, (code,)), others.before(base, (code,))
    if now is None or before is None:
        there = {f"{base} of the year": now, f"{base} of the year before": before}
        return _unchecked(tuple(name for name, layer in there.items() if layer is None))
    process = others.layer(TOWN_PIECES, _TOWN_PAIRS)
    pieces = None if process is None else _town_pieces(process)
    issues = check_towns(_towns(before, code), _towns(now, code), _towns(changed, code), pieces)
    return _told(issues, issues["code"], base)


def _unchecked(lacking: tuple[str, ...]) -> pd.DataFrame:
    words = f"not checked: {', '.join(lacking)} is not there. Ingest the base of the year before, then that of the year"
    found = topology.found([0], [np.nan], np.array([None], dtype=object)).assign(detail=words, limit=np.nan)
    return found.assign(names=_listed([", ".join(lacking)]))


def _told(issues: pd.DataFrame, named: pd.Series[Any], base: str) -> pd.DataFrame:
    """Return issues as raw findings; what is of no one feature is of the base."""
    found = topology.found(np.zeros(len(issues)), issues["value"], issues["place"].to_numpy(dtype=object))
    return found.assign(
        detail=issues["message"],
        subject=issues["rule"],
        limit=pd.to_numeric(issues["limit"]),
        names=_listed([name or base for name in named]),
    )


def _towns(layer: Layer, code: str) -> Towns:
    return Towns(_texts(layer, code), _areas(layer), layer.geometries)


def _town_pieces(layer: Layer) -> TownPieces:
    before, after, moved = (_texts(layer, name) for name in _TOWN_PAIRS)
    return TownPieces(before, after, moved, _areas(layer))


def _texts(layer: Layer, field: str) -> tuple[str, ...]:
    return tuple(layer.texts[field].fillna("").astype(str).str.strip())


def _areas(layer: Layer) -> npt.NDArray[np.float64]:
    return layer.rows["area_m2"].to_numpy(dtype=np.float64)


def _listed(names: list[str]) -> pd.Series[Any]:
    """Return a list of one name each."""
    return pd.Series([[name] for name in names], dtype=object)


def _checked(changed: Layer, others: OtherLayers, base: str) -> tuple[Checked | None, tuple[str, ...]]:
    now, before = others.layer(base, _FIELDS), others.before(base, _FIELDS)
    process = others.layer(PIECES, _PAIRS)
    there = {f"{base} of the year": now, f"{base} of the year before": before, PIECES: process}
    if now is None or before is None or process is None:
        return None, tuple(name for name, layer in there.items() if layer is None)
    return check_increment(_polygons(before), _polygons(now), _polygons(changed), process.texts), ()


def _polygons(layer: Layer) -> Polygons:
    return Polygons(layer.texts, layer.geometries)
