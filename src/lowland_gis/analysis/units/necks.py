"""Over how many metres every unit hangs together at its narrowest, measured from the tables for the evaluator.

A *cut* of a unit is a parcel and one piece of what is left of the unit without it; its width is the length over which both face each other.
It is a neck where the piece and the rest each have at least a share of the unit's area. Where two such pieces hang together by the one
parcel alone, they do so over no more than its own width either: the short side of a rectangle of its area and outline. Nothing here is shared
with the search. What hangs together by two parcels side by side is not looked at. A link by hand has no length: what hangs together by it
alone has a neck of 0 m.
"""

from __future__ import annotations

import math
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.units.ground import RELATIVE_TOLERANCE, Problem


def necks(problem: Problem, rows: pd.DataFrame) -> pd.Series:
    """Return the neck of every unit in m, by name; it is missing where there is none, or the unit falls apart.

    `rows` has unit_id and position, every member once.
    """
    names, unit = np.unique(rows["unit_id"].to_numpy(dtype=str), return_inverse=True)
    at = rows["position"].to_numpy(dtype=np.int64)
    unit_of = np.full(len(problem.cell), -1, dtype=np.int64)
    unit_of[at] = unit
    beside = _beside(problem, unit_of)
    areas = problem.parcels["area_m2"].to_numpy(dtype=np.float64)
    outlines = shapely.length(problem.parcels.geometry.to_numpy())
    narrow = np.full(len(names), np.nan)
    order = np.argsort(unit, kind="stable")
    for number, rows_of in groupby(order.tolist(), unit.tolist().__getitem__):
        nodes = at[list(rows_of)].tolist()
        narrow[number] = _neck(nodes, beside, areas, outlines, problem.limits.neck_share)
    return pd.Series(narrow, index=names)


def _beside(problem: Problem, unit_of: npt.NDArray[np.int64]) -> dict[int, dict[int, float]]:
    """Return the neighbours of each member in its own unit, with facing lengths."""
    links = problem.links
    inner = unit_of[links["first"].to_numpy()]
    inner = (inner >= 0) & (inner == unit_of[links["second"].to_numpy()])
    beside: dict[int, dict[int, float]] = {}
    columns = (links[name].to_numpy()[inner].tolist() for name in ("first", "second", "length_m"))
    for one, other, length in zip(*columns, strict=True):
        beside.setdefault(one, {})[other] = length
        beside.setdefault(other, {})[one] = length
    return beside


def _neck(
    nodes: list[int],
    beside: dict[int, dict[int, float]],
    areas: npt.NDArray[np.float64],
    outlines: npt.NDArray[np.float64],
    share: float,
) -> float:
    joints, reached = _joints(nodes, beside)
    if reached < len(nodes):
        return math.nan
    whole = float(areas[nodes].sum())
    part = share * whole * (1 - RELATIVE_TOLERANCE)
    narrow = math.inf
    for node in nodes:
        near = beside.get(node, {})
        # Without a parcel that is no joint all others still hang together: they are the only piece.
        pieces = _pieces(node, beside) if node in joints else [list(near)]
        sizes = [float(areas[piece].sum()) for piece in pieces] if node in joints else [whole - areas[node]]
        for piece, size in zip(pieces, sizes, strict=True):
            if size >= part and whole - size >= part:
                narrow = min(narrow, sum(near.get(one, 0.0) for one in piece))
        if sum(size >= part for size in sizes) > 1:
            narrow = min(narrow, short_side(float(areas[node]), float(outlines[node])))
    return narrow if narrow < math.inf else math.nan


def short_side(area: float, outline: float) -> float:
    """Return the short side of the rectangle of such an area (m²) and outline (m), or the side of a square where there is none."""
    half = outline / 2
    rest = half * half - 4 * area
    return (half - math.sqrt(rest)) / 2 if rest > 0 else math.sqrt(area)


def _pieces(node: int, beside: dict[int, dict[int, float]]) -> list[list[int]]:
    """Return what hangs together in a unit without one of its parcels."""
    pieces, seen = [], {node}
    for origin in beside.get(node, {}):
        if origin in seen:
            continue
        piece = [origin]
        seen.add(origin)
        for one in piece:
            fresh = [other for other in beside[one] if other not in seen]
            seen.update(fresh)
            piece += fresh
        pieces.append(piece)
    return pieces


def _joints(nodes: list[int], beside: dict[int, dict[int, float]]) -> tuple[set[int], int]:
    """Return the parcels without which a unit falls apart (articulation points, Tarjan), and how many hang together with the first."""
    root = nodes[0]
    found, low, joints, branches = {root: 0}, {root: 0}, set(), 0
    path = [(root, -1, iter(beside.get(root, {})))]
    while path:
        node, parent, ways = path[-1]
        for other in ways:
            if other not in found:
                found[other] = low[other] = len(found)
                path.append((other, node, iter(beside[other])))
                break
            if other != parent:
                low[node] = min(low[node], found[other])
        else:
            path.pop()
            if parent < 0:
                break
            low[parent] = min(low[parent], low[node])
            branches += parent == root
            if parent != root and low[node] >= found[parent]:
                joints.add(parent)
    return (joints | {root} if branches > 1 else joints), len(found)
