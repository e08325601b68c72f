"""Drafts of units side by side, and why low-efficiency land is in none; for the command line and notebooks."""

from __future__ import annotations

import pandas as pd

from lowland_gis.analysis.units.draw import Draft
from lowland_gis.pipeline.units.ground import UnitInputs


def compared_drafts(drafts: dict[str, Draft]) -> pd.DataFrame:
    """Return drafts side by side: units, parcels, hectares, median unit, value, bound, gap, coverage, compactness."""
    return pd.DataFrame({name: _figures(draft) for name, draft in drafts.items()}).T


def _figures(draft: Draft) -> dict[str, float]:
    units, area = draft.units, draft.units["area_m2"].sum()
    return {
        "units": len(units),
        "parcels in units": int(draft.members["unit_id"].notna().sum()),
        "area in units (ha)": round(area / 10_000, 2),
        "median unit (ha)": round(float(units["area_m2"].median()) / 10_000, 2) if len(units) else 0.0,
        "value (m²)": round(draft.value_m2),
        "at most (m²)": round(draft.bound_m2),
        "gap (%)": round(100 * draft.gap, 2),
        "low-efficiency land covered (%)": round(100 * draft.coverage, 1),
        "compactness": round(float((units["compactness"] * units["area_m2"]).sum() / area), 3)
        if area
        else 0.0,
    }


def why_left_out(draft: Draft, inputs: UnitInputs) -> pd.DataFrame:
    """Return the low-efficiency parcels that no unit holds, by the rule that keeps them out: parcels and hectares."""
    low = inputs.parcels.set_index("parcel_id")["low_m2"]
    out = draft.members[draft.members["reason"].notna()]
    out = out[out["parcel_id"].map(low) > 0]
    rules = out["reason"].str.split(":").str[0]
    table = out.assign(rule=rules, ha=out["parcel_id"].map(low) / 10_000)
    return (
        table.groupby("rule")
        .agg(parcels=("parcel_id", "size"), ha=("ha", "sum"))
        .round(2)
        .sort_values("ha", ascending=False)
    )
