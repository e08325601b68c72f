"""On what each piece of a draft rests, as a digest: what was found for it before is found again wherever the digest is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Ground, Problem
from lowland_gis.analysis.units.search import Effort

Shapes = npt.NDArray[np.object_]

# An area that is drawn out and back reaches no farther beyond its box than the limit of a mitre, in half widths, and a metre for what rounds.
_REACH, _ROUNDING_M = 5.0, 1.0


@dataclass(frozen=True)
class Searched:
    """What was found in a component: units, as places among its parcels, and a bound in m²."""

    units: tuple[tuple[int, ...], ...]
    bound_m2: float


@dataclass(frozen=True)
class Before:
    """What earlier drafts found, by the digests of all that it rests on: of components, and outlines of units."""

    searched: Mapping[str, Searched] = field(default_factory=dict)
    outlines: Mapping[str, shapely.Geometry] = field(default_factory=dict)


def component_digests(problem: Problem, effort: Effort) -> list[str]:
    """Return the digest of all that the search of each component rests on.

    That is what hangs together with it, parcels that may be in no unit too, since a unit may enclose them; not how parcels are called, nor
    how many there are elsewhere.
    """
    ground = problem.ground
    limits = asdict(problem.limits), asdict(problem.weights), {**asdict(effort), "threads": 1}
    head = repr(limits).encode()
    count = len(problem.cell)
    graph = csr_matrix((ground.facing, ground.neighbour, ground.start), shape=(count, count))
    site = connected_components(graph, directed=False)[1]
    order = np.argsort(site, kind="stable")
    ends = np.searchsorted(site[order], np.arange(site.max(initial=-1) + 2))
    numbers = np.column_stack(
        [ground.area, ground.low, ground.gain, ground.outline, ground.public, *ground.bases]
    )
    digests = [""] * (len(problem.bounds) - 1)
    for begin, end in pairwise(ends):
        nodes = order[begin:end]
        component, place = np.unique(problem.component[nodes], return_inverse=True)
        if component[-1] < 0:
            continue
        whole = hashlib.sha256(head)
        for part in (*_graph(ground, nodes), numbers[nodes], place.astype(np.int64), component[0] < 0):
            whole.update(np.ascontiguousarray(part).tobytes())
        for kind, need in zip(ground.codes, ground.need, strict=True):
            whole.update(np.ascontiguousarray(need[kind[nodes]]).tobytes())
            whole.update(np.unique(kind[nodes], return_inverse=True)[1].astype(np.int64).tobytes())
        for at, number in enumerate(component):
            if number >= 0:
                digests[number] = hashlib.sha256(whole.digest() + at.to_bytes(8, "little")).hexdigest()
    return digests


def locked_digest(digest: str, places: Sequence[Ints]) -> str:
    """Return the digest of a component in which units (places among its parcels) stay as they are."""
    whole = hashlib.sha256(digest.encode())
    for unit in sorted(places, key=lambda unit: int(unit[0])):
        whole.update(len(unit).to_bytes(8, "little") + unit.astype(np.int64).tobytes())
    return whole.hexdigest()


def _graph(ground: Ground, nodes: Ints) -> tuple[Ints, Ints, Floats]:
    """Return how many links each of some parcels has, to which of them, and how long; none leads to others."""
    begin, count = ground.start[nodes], ground.start[nodes + 1] - ground.start[nodes]
    way = np.arange(count.sum()) + np.repeat(begin - (np.cumsum(count) - count), count)
    return count, np.searchsorted(nodes, ground.neighbour[way]).astype(np.int64), ground.facing[way]


def outline_digests(shapes: Shapes, units: list[Ints], cells: Shapes, gap_m: float) -> list[str]:
    """Return the digest of all that the outline of each unit rests on: its parcels, those around it, and its block."""
    if not units:
        return []
    each = [hashlib.sha256(wkb).digest() for wkb in shapely.to_wkb(shapes)]
    blocks = {id(cell): hashlib.sha256(shapely.to_wkb(cell) if cell else b"").digest() for cell in cells}
    boxes = shapely.bounds(shapes)
    reach = _REACH * gap_m / 2 + _ROUNDING_M
    around = np.array(
        [[*boxes[unit, :2].min(axis=0) - reach, *boxes[unit, 2:].max(axis=0) + reach] for unit in units]
    )
    unit, met = shapely.STRtree(shapes).query(shapely.box(*around.T))
    order = np.lexsort((met, unit))
    ends = np.searchsorted(unit[order], np.arange(len(units) + 1))
    digests = []
    for number, members in enumerate(units):
        near = met[order[ends[number] : ends[number + 1]]]
        whole = hashlib.sha256(f"{gap_m!r} ".encode() + blocks[id(cells[number])])
        whole.update(np.isin(near, members).tobytes())
        whole.update(b"".join([each[at] for at in near]))
        digests.append(whole.hexdigest())
    return digests
