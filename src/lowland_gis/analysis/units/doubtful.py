"""Of which units it must be looked at closely whether they hang together and enclose nothing: a quick look at all, for the evaluator."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lowland_gis.analysis.units.ground import Problem

# What comes so near to enclosing others is looked at.
_DOUBT = 1e-6


def doubtful(problem: Problem, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of units that may lie in several blocks, fall apart or enclose others: of most it is soon seen that they do not."""
    names, unit = np.unique(rows["unit_id"].to_numpy(dtype=str), return_inverse=True)
    at = rows["position"].to_numpy(dtype=np.int64)
    unit_of = np.full(len(problem.cell), -1, dtype=np.int64)
    unit_of[at] = unit
    first, second = problem.links["first"].to_numpy(), problem.links["second"].to_numpy()
    inner = (unit_of[first] == unit_of[second]) & (unit_of[first] >= 0)
    ones, shape = np.ones(np.count_nonzero(inner)), (len(unit_of), len(unit_of))
    piece = connected_components(
        coo_matrix((ones, (first[inner], second[inner])), shape=shape), directed=False
    )[1]
    doubt = np.zeros(len(names), dtype=bool)
    for label in (problem.cell, piece):
        seen = np.full(len(names), -1, dtype=np.int64)
        seen[unit] = label[at]
        np.logical_or.at(doubt, unit, label[at] != seen[unit])
    return rows[(doubt | _may_enclose(problem, unit_of, at[np.argsort(unit, kind="stable")]))[unit]]


def _may_enclose(
    problem: Problem, unit_of: npt.NDArray[np.int64], members: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return which units may enclose others: a group beside it that does not go on for more land than the unit has.

    `members` are the parcels of units, unit by unit. A group is followed no farther than that, so a large block costs no more than a small one.
    """
    links = problem.links
    ends = np.concatenate([links["first"].to_numpy(), links["second"].to_numpy()])
    others = np.concatenate([links["second"].to_numpy(), links["first"].to_numpy()])
    order = np.argsort(ends, kind="stable")
    start = np.searchsorted(ends[order], np.arange(len(unit_of) + 1)).tolist()
    beside, length = (
        others[order].tolist(),
        np.tile(links["length_m"].to_numpy(dtype=float), 2)[order].tolist(),
    )
    areas, outlines = (
        problem.parcels["area_m2"].tolist(),
        shapely.length(problem.parcels.geometry.to_numpy()).tolist(),
    )
    cell, owner = problem.cell.tolist(), unit_of.tolist()
    share = problem.limits.max_enclosed_share * (1 - _DOUBT)
    found = np.zeros(unit_of.max(initial=-1) + 1, dtype=bool)
    most = np.bincount(
        unit_of[members], problem.parcels["area_m2"].to_numpy(dtype=float)[members], len(found)
    ) * (1 + _DOUBT)
    seen: set[int] = set()
    for unit, group in groupby(members.tolist(), owner.__getitem__):
        seen.clear()
        for origin in (other for node in group for other in beside[start[node] : start[node + 1]]):
            if owner[origin] == unit or origin in seen:
                continue
            seen.add(origin)
            waiting, mine = [origin], {origin}
            area, outline, touching, ends_here = 0.0, 0.0, 0.0, True
            while waiting and ends_here:
                node = waiting.pop()
                area, outline = area + areas[node], outline + outlines[node]
                ends_here = area <= most[unit]
                for way in range(start[node], start[node + 1]):
                    other = beside[way]
                    if owner[other] == unit:
                        touching += length[way]
                    elif cell[other] == cell[origin]:
                        outline -= length[way]
                        if other not in seen:
                            seen.add(other)
                            mine.add(other)
                            waiting.append(other)
                        elif other not in mine:
                            # It hangs together with a group that was found to go on.
                            ends_here = False
            found[unit] |= ends_here and touching > share * outline
    return found
