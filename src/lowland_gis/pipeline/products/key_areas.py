"""Key areas (重点区域) and both tiers of units as tables, layers and maps; the map shows the figures of the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis.units.key_areas import KeyRules, areas_of, rank_areas
from lowland_gis.definitions.key_areas import key_rules
from lowland_gis.errors import UsageError
from lowland_gis.files.features import write_features
from lowland_gis.files.table import write_rows
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.land import town_names
from lowland_gis.pipeline.evidence.facts import evidence_table
from lowland_gis.pipeline.products.frames import pack_legend
from lowland_gis.pipeline.products.potential import parcel_gains
from lowland_gis.pipeline.products.potential_rows import floor_ends
from lowland_gis.pipeline.units.drafts import HeldDraft
from lowland_gis.pipeline.units.tiers import Tiers, tiers_of
from lowland_gis.products.maps.key_areas import AreaMap, draw_area_map

PLANNING = "planning"
MAPS, LAYERS = (".png", ".pdf"), (".gpkg",)
_DIGITS = {
    "area_ha": 4,
    "low_ha": 4,
    "potential_ha": 4,
    "floor_ha": 4,
    "low_share": 4,
    "ownership_share": 4,
    "papers_share": 4,
    "near_share": 4,
}
HEADINGS = {
    "rank": "序号", "key": "重点区域", "area_id": "编号", "town_code": "镇街代码", "town": "镇街", "low_ha": "低效用地（公顷）",
    "area_ha": "宗地面积（公顷）", "low_share": "低效占比", "ownership_share": "国有土地占比", "papers_share": "资料齐备度",
    "near_share": "设施邻近度", "potential_ha": "可再开发用地（公顷）", "floor_ha": "可增建筑面积（万m²）", "n_parcels": "宗地数", "n_units": "实施单元数", "score": "得分",
    "known_share": "已知权重", "gathered_share": "累计低效占比", "reason": "评分说明",
}  # fmt: skip
PLANNING_HEADINGS = {
    "plan_id": "规划单元", "town_code": "镇街代码", "town": "镇街", "area_ha": "面积（公顷）", "n_parcels": "宗地数",
    "parcels_ha": "宗地面积（公顷）", "low_ha": "低效用地（公顷）", "low_share": "低效占比", "n_units": "实施单元数",
    "units_ha": "实施单元面积（公顷）", "low_in_units_ha": "单元内低效（公顷）", "findings": "说明",
}  # fmt: skip


@dataclass(frozen=True)
class KeyAreas:
    """Ranked areas with their outlines (the columns of `HEADINGS`, geometry), the rules of the rank, and both tiers of the draft.

    `doubts` are what a person should know of the parameters of the potential.
    """

    areas: gpd.GeoDataFrame
    rules: KeyRules
    tiers: Tiers
    doubts: tuple[str, ...] = ()


def key_areas(draft: HeldDraft, rules: Path | None = None, by: str | None = None) -> KeyAreas:
    """Rank the planning units, or the blocks, of a draft as key areas.

    `rules` is a file of the office instead of the shipped rules, `by` says from what they are drawn instead of what the rules say.

    Raises:
        DefinitionError: the rules, or the project's parameters of potential, make no sense.
        UsageError: no area holds low-efficiency land, or the planning units cannot be read.
    """
    wanted, tiers = key_rules(rules), tiers_of(draft)
    if by is not None:
        wanted = wanted.model_copy(update={"by": by})
    grounds = _grounds(tiers, wanted.by)
    parcels = tiers.parcels.assign(
        area_id=tiers.parcels["plan_id"] if wanted.by == PLANNING else _block(tiers.parcels["cell"])
    )
    if not (parcels["low_m2"] > 0).any():
        raise UsageError(
            "There is no low-efficiency land, so there are no key areas. Look at: lowland classify run"
        )
    known = _known(draft, parcels)
    worth, doubts = _potential(draft, parcels) if wanted.needs_potential else (None, ())
    ranked = rank_areas(
        areas_of(parcels, _near(draft, parcels, wanted), known, worth, wanted.ownership), wanted
    )
    names = town_names(draft.held.connection, draft.held.versions("town"))
    ranked["town_code"] = ranked["area_id"].map(grounds.set_index("area_id")["town_code"])
    ranked["town"] = ranked["town_code"].map(names)
    shapes = ranked["area_id"].map(grounds.set_index("area_id").geometry)
    table = ranked.round(_DIGITS)[list(HEADINGS)]
    frame = gpd.GeoDataFrame(table, geometry=shapes.to_numpy(), crs=grounds.crs)
    return KeyAreas(frame, wanted, tiers, doubts)


def _potential(draft: HeldDraft, parcels: gpd.GeoDataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return what each parcel could gain at least (m²: land, floor), missing where that is not known, and doubts of the parameters."""
    gains, doubts = parcel_gains(draft, parcels)
    ends = [(each.parcel.parcel_id, each.land.low, floor_ends(each)[0]) for each in gains]
    found = pd.DataFrame(ends, columns=["parcel_id", "land", "floor"]).set_index("parcel_id").astype(float)
    return found.reindex(parcels["parcel_id"]).set_index(parcels.index), doubts


def _grounds(tiers: Tiers, by: str) -> gpd.GeoDataFrame:
    if by == PLANNING:
        return tiers.planning.rename(columns={"plan_id": "area_id"})[["area_id", "town_code", "geometry"]]
    cells = tiers.cells
    return gpd.GeoDataFrame(
        {"area_id": _block(cells["cell"]), "town_code": cells["town_code"]},
        geometry=cells.geometry,
        crs=cells.crs,
    )


def _block(cell: pd.Series) -> pd.Series:
    """Return the names of blocks by their numbers; a parcel outside of all is in none."""
    return pd.Series(
        [f"B{number + 1:04d}" if number >= 0 else None for number in cell], index=cell.index, dtype=object
    )


def _near(draft: HeldDraft, parcels: gpd.GeoDataFrame, rules: KeyRules) -> pd.Series:
    """Tell which parcels lie near a road of the grades; missing where no roads were delivered."""
    held = draft.held
    roads = land.layer_shapes(
        held.connection, "road", draft.dividing.get("road", []), held.basis.as_of, srid=held.project.srid
    )
    if roads.empty:
        return pd.Series(np.nan, index=parcels.index)
    lines = roads.geometry.to_numpy()[roads["code"].isin(rules.road_grades).to_numpy()]
    parcel, _ = shapely.STRtree(lines).query(
        parcels.geometry.to_numpy(), predicate="dwithin", distance=rules.distance_m
    )
    near = np.zeros(len(parcels))
    near[parcel] = 1.0
    return pd.Series(near, index=parcels.index)


def _known(draft: HeldDraft, parcels: pd.DataFrame) -> pd.Series:
    """Return the share of the measures of each parcel that are known: what offices and papers have told of it."""
    evidence = evidence_table(draft.held.connection, draft.held.basis.measured)
    share = evidence.notna().mean(axis=1) if evidence.shape[1] else pd.Series(dtype=float)
    return parcels["parcel_id"].map(share).astype(float)


def planning_list(draft: HeldDraft) -> tuple[gpd.GeoDataFrame, Tiers]:
    """Return the planning units of a draft with what each holds (the columns of `PLANNING_HEADINGS`, geometry), and both tiers."""
    tiers = tiers_of(draft)
    names = town_names(draft.held.connection, draft.held.versions("town"))
    said = (
        tiers.findings.groupby("plan_id")["message"].agg("; ".join)
        if len(tiers.findings)
        else pd.Series(dtype=object)
    )
    table = tiers.planning.assign(
        town=tiers.planning["town_code"].map(names), findings=tiers.planning["plan_id"].map(said)
    ).round(4)
    return table[[*PLANNING_HEADINGS, "geometry"]], tiers


def write_areas(
    draft: HeldDraft,
    areas: gpd.GeoDataFrame,
    headings: dict[str, str],
    target: Path,
    *,
    rules: KeyRules | None = None,
    tiers: Tiers,
    overwrite: bool = False,
) -> Path:
    """Write areas as a table (.csv, .parquet), a layer (.gpkg) or a map with the figures beside it (.png, .pdf).

    Raises:
        UsageError: another ending; or the file is there, is not as lowland wrote it, and `overwrite` is not set.
    """
    ending = target.suffix.lower()
    if ending not in (*MAPS, *LAYERS, ".csv", ".parquet"):
        raise UsageError(f"{target}: give a name that ends in .csv, .parquet, .gpkg, .png or .pdf.")
    with draft.held.project.outputs.writing(target, overwrite=overwrite):
        if ending in LAYERS:
            plain = pd.DataFrame(areas.drop(columns="geometry"))
            texts = plain.astype({name: object for name in plain.columns if plain[name].dtype == object})
            write_features(gpd.GeoDataFrame(texts, geometry=areas.geometry.to_numpy(), crs=areas.crs), target)
        elif ending in MAPS:
            draw_area_map(_map(draft, areas, rules, tiers), target)
        else:
            write_rows(
                pd.DataFrame(areas.drop(columns="geometry")).rename(columns=headings), target, bom=True
            )
    return target


def _map(draft: HeldDraft, areas: gpd.GeoDataFrame, rules: KeyRules | None, tiers: Tiers) -> AreaMap:
    held, settings = draft.held, draft.held.project.settings
    legend, _ = pack_legend(held)
    notes = [
        f"方案 {draft.stored.name}（第 {draft.stored.run_id} 次运行）",
        f"数据时点 {held.basis.as_of.isoformat()}",
    ]
    if rules is not None:
        notes.append("权重为示例，非官方标准" if rules.example else rules.document)
    if draft.stale is not None:
        notes.append("成果已过期：数据、规则或程序已更新")
    return AreaMap(
        title=f"{settings.project.district_name}低效用地再开发{'重点区域' if rules is not None else '规划单元与实施单元'}",
        areas=areas,
        units=draft.units(),
        parcels=tiers.parcels,
        notes=tuple(notes),
        mark="合成数据 示例" if settings.project.synthetic else "",
        legend=legend,
    )
