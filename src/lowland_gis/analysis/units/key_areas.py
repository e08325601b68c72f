"""Key areas (重点区域): where low-efficiency land gathers, ranked by criteria whose weights are data, each rank explained."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

# What may be a criterion: the columns of the areas.
NAMES = ("low_ha", "low_share", "ownership_share", "papers_share", "near_share", "potential_ha", "floor_ha")
POTENTIAL = ("potential_ha", "floor_ha")
_TOLERANCE = 1e-9


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Criterion(_Frozen):
    """One criterion: the column that it looks at, how a value becomes a mark from 0 to 1, and its weight."""

    name: Literal[
        "low_ha", "low_share", "ownership_share", "papers_share", "near_share", "potential_ha", "floor_ha"
    ]
    title: str
    form: Literal["greatest", "share"]
    weight: float = Field(ge=0)


class KeyRules(_Frozen):
    """How areas are ranked; `example` marks numbers that no document gives."""

    document: str
    example: bool
    by: Literal["planning", "block"] = "planning"
    gathered_share: float = Field(gt=0, le=1)
    min_low_ha: float = Field(ge=0)
    ownership: tuple[str, ...]
    road_grades: tuple[str, ...]
    distance_m: float = Field(ge=0)
    criterion: tuple[Criterion, ...] = Field(min_length=1)

    @property
    def needs_potential(self) -> bool:
        """Return whether a criterion that counts looks at what land could gain."""
        return any(item.weight > 0 and item.name in POTENTIAL for item in self.criterion)

    @model_validator(mode="after")
    def _sound(self) -> KeyRules:
        twice = [name for name, count in Counter(item.name for item in self.criterion).items() if count > 1]
        if twice:
            raise ValueError(f"the criterion {', '.join(twice)} is there twice")
        if not any(item.weight > 0 for item in self.criterion):
            raise ValueError("no criterion has a weight above 0, so nothing would be ranked")
        return self


def rank_areas(areas: pd.DataFrame, rules: KeyRules) -> pd.DataFrame:
    """Rank areas and say which are key areas, and why.

    `areas` has area_id and the columns of the criteria (ha, or shares in [0, 1]; missing where not known). Added are, in the order of
    the rank: rank (from 1), key, gathered_share (the share of all low-efficiency land in the areas up to this one), score (0 to 1: the
    marks weighted over the criteria that are known), known_share (the share of the weights that are known), reason (each mark times
    its weight, in words). Ties go to the larger low-efficiency area, then to the first area_id; the order of rows does not matter.
    """
    used = [item for item in rules.criterion if item.weight > 0]
    marks = pd.DataFrame({item.name: _marks(areas[item.name], item.form) for item in used}, index=areas.index)
    weights = pd.Series({item.name: item.weight for item in used})
    known = marks.notna().mul(weights, axis=1).sum(axis=1)
    score = marks.mul(weights, axis=1).sum(axis=1) / known.where(known > 0)
    table = areas.assign(
        score=score.fillna(0.0).round(6),
        known_share=(known / weights.sum()).round(6),
        reason=[_reason(used, areas.loc[at], marks.loc[at], float(known[at])) for at in areas.index],
    )
    table = table.sort_values(
        ["score", "low_ha", "area_id"], ascending=[False, False, True], kind="stable"
    ).reset_index(drop=True)
    whole = float(table["low_ha"].sum())
    enough = table["low_ha"] >= rules.min_low_ha * (1 - _TOLERANCE)
    enough &= table["low_ha"] > 0
    gathered = table["low_ha"].cumsum()
    held = table["low_ha"].where(enough, 0.0).cumsum()
    # Those before an area hold too little: it is one more.
    key = enough & (held - table["low_ha"] < rules.gathered_share * whole * (1 - _TOLERANCE))
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    table.insert(1, "key", key)
    table["gathered_share"] = (gathered / whole if whole else gathered).round(6)
    return table


def _marks(values: pd.Series, form: str) -> pd.Series:
    numbers = values.astype(float)
    if form == "share":
        return numbers.clip(0.0, 1.0)
    greatest = numbers.max()
    return numbers / greatest if greatest > 0 else numbers * 0.0


def _reason(used: list[Criterion], values: pd.Series, marks: pd.Series, known: float) -> str:
    """Return each mark times its weight, as it counts in the score; what is not known is named."""
    parts, unknown = [], []
    for item in used:
        if pd.isna(marks[item.name]):
            unknown.append(item.title)
        else:
            value = f"{values[item.name]:,.2f}" if item.form == "greatest" else f"{values[item.name]:.0%}"
            parts.append(f"{item.title} {value}: {marks[item.name]:.2f} × {item.weight / known:.2f}")
    said = "；".join(parts)
    return f"{said}；未知：{'、'.join(unknown)}" if unknown else said


def areas_of(
    parcels: pd.DataFrame,
    near: pd.Series,
    known: pd.Series,
    potential: pd.DataFrame | None,
    ownership: tuple[str, ...],
) -> pd.DataFrame:
    """Return what is known of every area: the columns that criteria look at, and what is told beside them.

    `parcels` has area_id, area_m2, low_m2, ownership (code, missing where not known), unit_id; `near` (whether infrastructure is at hand, missing where not known), `known` (the
    share of the measures of a parcel that are known, missing where it has none) and `potential` (m²: `land` that is redeveloped and `floor`
    area gained, each at least, missing where not known; None where it was not computed) are by the same index. All shares are of the
    low-efficiency land. Columns: area_id, n_parcels, area_ha (of the parcels), low_ha, low_share, ownership_share (of codes that begin
    so; missing where none is known), papers_share, near_share, potential_ha, floor_ha (hectares of floors), n_units.
    """
    gains = (
        pd.DataFrame({"land": np.nan, "floor": np.nan}, index=parcels.index)
        if potential is None
        else potential
    )
    rows = parcels.assign(near=near, known=known, land=gains["land"], floor=gains["floor"])
    rows = rows[rows["area_id"].notna()]
    return pd.DataFrame(
        [
            {"area_id": area, **_figures(part, ownership)}
            for area, part in rows.groupby("area_id", sort=True)
        ],
        columns=["area_id", "n_parcels", "area_ha", "low_ha", "low_share", "ownership_share", "papers_share", "near_share",
                 "potential_ha", "floor_ha", "n_units"],
    )  # fmt: skip


def _figures(part: pd.DataFrame, ownership: tuple[str, ...]) -> dict[str, float]:
    low = part["low_m2"].to_numpy(dtype=np.float64)
    total, area = float(low.sum()), float(part["area_m2"].sum())
    codes = part["ownership"].astype(object)
    wanted = codes.astype(str).str.startswith(ownership).astype(float).where(codes.notna())
    return {
        "n_parcels": len(part),
        "area_ha": area / 10_000,
        "low_ha": total / 10_000,
        "low_share": total / area if area else 0.0,
        "ownership_share": _weighted(wanted, low),
        "papers_share": _weighted(part["known"], low),
        "near_share": _weighted(part["near"], low),
        "potential_ha": float(part["land"].sum(min_count=1)) / 10_000,
        "floor_ha": float(part["floor"].sum(min_count=1)) / 10_000,
        "n_units": int(part["unit_id"].nunique()),
    }


def _weighted(values: pd.Series, low: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Return the mean over low-efficiency land, of what is known; missing where nothing is."""
    there = values.notna().to_numpy() & (low > 0)
    if not there.any():
        return float("nan")
    return float(np.average(values[there].astype(float), weights=low[there]))
