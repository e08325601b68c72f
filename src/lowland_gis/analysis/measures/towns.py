"""Which town (镇街) each parcel lies in: the one that holds most of it. The digits of its code stand in where no town does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.measures.values import LayerOverlaps

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]
Texts = npt.NDArray[np.object_]

TOWN_DIGITS = 9


@dataclass(frozen=True)
class ParcelTowns:
    """The town of each parcel (None unknown), the share of the parcel in it (NaN where its code says it), and who else claims it.

    `by_place` says where the town is where the parcel lies. `others` are the further towns that hold enough of a parcel, the largest
    first: one array a rank, None where there is none.
    """

    town: Texts
    share: Floats
    by_place: Flags
    others: tuple[Texts, ...] = ()

    @property
    def claimed(self) -> Flags:
        """Return which parcels more than one town claims."""
        if not self.others:
            return np.zeros(len(self.town), dtype=bool)
        return np.asarray(pd.notna(self.others[0]), dtype=bool)


def by_codes(codes: Texts) -> ParcelTowns:
    """Return the towns that the codes of parcels say, where no town was delivered; None where a code says none."""
    nothing = np.full(len(codes), np.nan)
    return ParcelTowns(_none_for_missing(codes), nothing, np.zeros(len(codes), dtype=bool))


def located(codes: Texts, overlaps: LayerOverlaps, claim_min: float) -> ParcelTowns:
    """Return the town of each parcel: the one that holds the largest share of it, of two alike the first code.

    A town with less than `claim_min` of a parcel does not claim it, as boundaries are drawn apart by some metres. Where none does, the
    parcel lies outside of all towns, and the town is what its code says (`codes`, None where it says none).

    >>> rows = pd.DataFrame({"parcel_id": ["P", "P"], "code": ["A", "B"], "area_m2": [3.0, 7.0], "share": [0.3, 0.7]})
    >>> found = located(np.array(["C", "C"], dtype=object), LayerOverlaps.of(pd.Index(["P", "Q"]), rows), 0.1)
    >>> found.town.tolist(), found.by_place.tolist(), found.others[0].tolist()
    (['B', 'C'], [True, False], ['A', None])
    """
    names = np.array(overlaps.codes, dtype=object)
    rows = pd.DataFrame({"parcel": overlaps.parcel, "code": overlaps.code, "share": overlaps.share})
    named = np.array([bool(name) for name in overlaps.codes], dtype=bool)[overlaps.code]
    rows = rows[(rows["parcel"] >= 0) & named & (rows["share"] >= claim_min)]
    rows = rows.sort_values(["parcel", "share", "code"], ascending=[True, False, True], kind="stable")
    rank = rows.groupby("parcel").cumcount().to_numpy()
    ranked = []
    for number in range(int(rank.max(initial=-1)) + 1):
        here = rows[rank == number]
        town = np.full(len(codes), None, dtype=object)
        town[here["parcel"].to_numpy(dtype=np.intp)] = names[here["code"].to_numpy(dtype=np.intp)]
        ranked.append(town)
    if not ranked:
        return by_codes(codes)
    first, share = rows[rank == 0], np.full(len(codes), np.nan)
    share[first["parcel"].to_numpy(dtype=np.intp)] = first["share"].to_numpy(dtype=np.float64)
    by_place = np.isfinite(share)
    town = np.where(by_place, ranked[0], _none_for_missing(codes))
    return ParcelTowns(town, share, by_place, tuple(ranked[1:]))


def _none_for_missing(codes: Texts) -> Texts:
    found = codes.astype(object)
    found[pd.isna(codes)] = None
    return found


def shares_in(parcels: Texts, towns: Texts) -> tuple[Ints, Ints, Floats]:
    """Return which parcels (polygons) meet which towns (polygons), by positions, and the share of the parcel there."""
    tree = shapely.STRtree(parcels)
    whole = tree.query(towns, predicate="covers")
    met = tree.query(towns, predicate="intersects")
    pairs = pd.MultiIndex.from_arrays([met[0], met[1]])
    inside = pairs.isin(pd.MultiIndex.from_arrays([whole[0], whole[1]]))
    town, parcel = met
    share = np.ones(len(parcel))
    cut = ~inside
    shared = shapely.area(shapely.intersection(parcels[parcel[cut]], towns[town[cut]]))
    share[cut] = shared / np.maximum(shapely.area(parcels[parcel[cut]]), np.finfo(float).tiny)
    return parcel, town, share


def code_of_town(code: str) -> str:
    """Return the code of a town without the zeros that longer codes have for its villages.

    >>> code_of_town("120113106000"), code_of_town("120113106"), code_of_town("120113106001"), code_of_town("A1")
    ('120113106', '120113106', '120113106001', 'A1')
    """
    town, rest = code[:TOWN_DIGITS], code[TOWN_DIGITS:]
    return town if rest and town.isdigit() and not rest.strip("0") else code
