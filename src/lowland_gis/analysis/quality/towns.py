"""Checks of parcels against the towns (镇街) that they lie in: two that claim one, and codes that say another town."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lowland_gis.analysis.measures.towns import ParcelTowns, Texts, code_of_town, located, shares_in
from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.analysis.quality import attributes as checks
from lowland_gis.analysis.quality import topology


def towns_of(parcels: Texts, towns: Texts, codes: Texts, *, claim_min: float) -> ParcelTowns:
    """Return the town of each parcel (polygons) among towns (polygons with their codes, None without one); None where none claims it."""
    parcel, town, share = shares_in(parcels, towns)
    names = np.array(["" if pd.isna(code) else code_of_town(str(code)) for code in codes], dtype=object)
    rows = pd.DataFrame({"parcel_id": parcel, "code": names[town], "share": share})
    summed = rows.groupby(["parcel_id", "code"], as_index=False)["share"].sum().assign(area_m2=np.nan)
    overlaps = LayerOverlaps.of(pd.RangeIndex(len(parcels)), summed)
    return located(np.full(len(parcels), None, dtype=object), overlaps, claim_min)


def astride(parcels: Texts, towns: Texts, codes: Texts, *, claim_min: float) -> pd.DataFrame:
    """Return parcels that more than one town claims, the value the share outside of the one that holds most."""
    found = towns_of(parcels, towns, codes, claim_min=claim_min)
    rows = np.flatnonzero(found.claimed)
    also = [[ranked[row] for ranked in found.others if ranked[row] is not None] for row in rows]
    details = [
        f"{found.town[row]} {found.share[row]:.1%}, and in {', '.join(others)}"
        for row, others in zip(rows, also, strict=True)
    ]
    shapes = np.array([parcels[row] for row in rows], dtype=object)
    return topology.found(rows, 1 - found.share[rows], shapes).assign(detail=details)


def misplaced(
    values: pd.DataFrame,
    field: str,
    parcels: Texts,
    towns: Texts,
    codes: Texts,
    *,
    digits: int,
    claim_min: float,
) -> pd.DataFrame:
    """Return parcels whose code begins with a town of the district that does not claim them.

    A code that begins with no town says nothing here: by the standard (TD/T 1066) the digits after the county are those of a 地籍区,
    which need not be a town.
    """
    found = towns_of(parcels, towns, codes, claim_min=claim_min)
    said = values[field].fillna("").astype(str).str[:digits].to_numpy(dtype=object)
    known = {code_of_town(str(code))[:digits] for code in codes if not pd.isna(code)}
    claims = np.zeros(len(values), dtype=bool)
    for town in (found.town, *found.others):
        claims |= np.array([str(code)[:digits] == digit for code, digit in zip(town, said, strict=True)])
    strange = found.by_place & ~claims & np.isin(said.astype(str), sorted(known))
    words = [f"“{code}”, but it lies in {town}" for code, town in zip(values[field], found.town, strict=True)]
    return checks.found(strange, field, detail=pd.Series(words, dtype=object))
