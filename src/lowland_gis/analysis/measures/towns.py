"""Which town (镇街) each parcel lies in: the one that holds most of it. The digits of its code stand in where no town does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.loading import when_used

if TYPE_CHECKING:
    import pandas as pd
    import shapely
else:
    pd = when_used("pandas")
    shapely = when_used("shapely")

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
        return ~_missing(self.others[0])


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
    named = np.array([bool(name) for name in overlaps.codes], dtype=bool)[overlaps.code]
    claims = np.flatnonzero((overlaps.parcel >= 0) & named & (overlaps.share >= claim_min))
    parcel, code, shares = overlaps.parcel[claims], overlaps.code[claims], overlaps.share[claims]
    order = np.lexsort((code, -shares, parcel))
    parcel, code, shares = parcel[order], code[order], shares[order]
    rank = np.arange(len(parcel)) - np.searchsorted(parcel, parcel)
    ranked = []
    for number in range(int(rank.max(initial=-1)) + 1):
        town = np.full(len(codes), None, dtype=object)
        town[parcel[rank == number]] = names[code[rank == number]]
        ranked.append(town)
    if not ranked:
        return by_codes(codes)
    share = np.full(len(codes), np.nan)
    share[parcel[rank == 0]] = shares[rank == 0]
    by_place = np.isfinite(share)
    town = np.where(by_place, ranked[0], _none_for_missing(codes))
    return ParcelTowns(town, share, by_place, tuple(ranked[1:]))


def _none_for_missing(codes: Texts) -> Texts:
    found = codes.astype(object)
    found[_missing(codes)] = None
    return found


def _missing(codes: Texts) -> Flags:
    """Return where there is no text: a table from elsewhere has NaN there."""
    return np.array([not isinstance(code, str) for code in codes], dtype=bool)


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
