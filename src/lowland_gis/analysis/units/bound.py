"""Prove how much the units of a component can be worth at most: a quick linear bound, and rounds of exact pricing.

Both leave rules away (compactness, holes; the quick one also that a unit hangs together), so they never promise too little. A
*type* is a choice of the main zone, kind … of a unit; for a given type the cost of mixing is linear, and the true value is the
greatest over the types.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import RELATIVE_TOLERANCE, Ground, Problem
from lowland_gis.analysis.units.pack import Master, Pool, quiet_highs
from lowland_gis.analysis.units.quick import nothing, quick_units
from lowland_gis.analysis.units.search import Effort, Found, bench_of, repacked, spread
from lowland_gis.analysis.units.value import ENCLOSES, KEPT, RAGGED, Desk, desk_of, value_and_rule
from lowland_gis.analysis.units.weighed import Scales

_MOST_TYPES = 12
_PRICING_NODES = 400
_CUT_ROUNDS = 24
# Before it is priced exactly, which takes seconds, units are grown against the prices so often, which takes milliseconds.
_GROWN = 12
_EPSILON = 1e-6
# A bound so near is as good as the value.
_CLOSED = 1e-4
# Compactness as straight lines: for the bound so few that it is 0.01 % wider and half as dear, for pricing as many as cut off most.
_TANGENTS, _PRICING_TANGENTS = 4, 12
_INF = highspy.kHighsInf


@dataclass(frozen=True)
class _Local:
    """A component by its own numbers: links one < other with their lengths, and the gain of every parcel by type."""

    members: Ints
    one: Ints
    other: Ints
    length: Floats
    gain: Floats
    area: Floats
    low: Floats
    public: Floats


def quick_bound(problem: Problem, found: Found) -> float:
    """Return a value in m² that the units of a component cannot exceed, by one linear programme over all types."""
    if found.optimal:
        return found.value
    local = _local(problem.ground, found.pool.members)
    return max(_relaxed(problem.ground, local), found.value)


def proven_bound(problem: Problem, found: Found, rounds: int) -> float:
    """Return a tighter bound: prices of the linear programme, made valid by pricing every type exactly.

    Whatever the prices π ≥ 0 and the greatest v(U) - π(U) = R over connected sets, no packing is worth more than Σπ plus
    R for each unit that fits; rounds add the sets found and bring R to 0. The integer programmes stop at a number of nodes
    and then count with their own bound, so the result holds in any case.
    """
    best = quick_bound(problem, found)
    if found.optimal or rounds == 0 or best <= found.value * (1 + _CLOSED):
        return best
    ground = problem.ground
    local = _local(ground, found.pool.members)
    master = Master(found.pool, np.zeros(len(local.members), dtype=bool))
    _grown_dear(problem, found.pool, master)
    scales, desk = Scales(problem), desk_of(ground)
    most = _most_units(ground, local)
    # Excess that is too small to matter for all units together.
    enough = 0.5 * _CLOSED * found.value / max(most, 1.0)
    pricers = [_Pricer(ground, local, gain, scales, enough) for gain in local.gain]
    centre: Floats | None = None
    for _ in range(rounds):
        prices, value = master.prices()
        prices = np.maximum(prices, 0.0)
        tried = prices if centre is None else 0.5 * centre + 0.5 * prices
        excess, new = 0.0, 0
        for pricer in pricers:
            bound, units = pricer.price(tried)
            excess = max(excess, bound)
            new += _taken(found.pool, ground, desk, units)
        bound = float(tried.sum()) + most * excess
        if bound < best:
            best, centre = bound, tried
        elif not new:
            # Cuts that were learnt on the way bring the next round further, unless nothing is left to learn.
            if centre is None and excess <= _EPSILON:
                break
            centre = None
        if best <= max(value, found.value) * (1 + _CLOSED):
            break
    return max(best, found.value)


def _most_units(ground: Ground, local: _Local) -> float:
    """Return how many units may lie in a component by its area, and by its low-efficiency land."""
    room = local.area.sum() / ground.least
    if ground.low_share > 0:
        room = min(room, local.low.sum() / (ground.low_share * ground.least))
    return float(np.floor(room * (1 + RELATIVE_TOLERANCE)))


def _grown_dear(problem: Problem, pool: Pool, master: Master) -> None:
    """Grow units against the prices of the pool, over and over, and put them into it."""
    bench, members = bench_of(problem), pool.members
    bench.free[members] = True
    for _ in range(_GROWN):
        bench.price[members] = np.maximum(master.prices()[0], 0.0)
        none = np.zeros(len(members), dtype=bool)
        grown, _ = quick_units(problem.ground, bench.desk, bench.free, bench.price, members, none, nothing())
        bench.free[members] = True
        if not pool.add(*grown):
            break


def _taken(pool: Pool, ground: Ground, desk: Desk, units: list[Ints]) -> int:
    """Add units that keep every rule to the pool and return how many were new."""
    new = 0
    for unit in units:
        members = pool.members[unit]
        value, rule = value_and_rule(ground, desk, members)
        if rule == KEPT:
            new += pool.add(np.array([0, len(unit)]), members, np.array([value]))
    return new


def _local(ground: Ground, members: Ints) -> _Local:
    begin, count = ground.start[members], ground.start[members + 1] - ground.start[members]
    at = np.repeat(np.arange(len(members)), count)
    way = np.arange(len(at)) + np.repeat(begin - (np.cumsum(count) - count), count)
    there = np.searchsorted(members, ground.neighbour[way])
    linked = (there > at) & (members[np.minimum(there, len(members) - 1)] == ground.neighbour[way])
    return _Local(
        members,
        at[linked],
        there[linked],
        ground.facing[way[linked]],
        _gains(ground, members),
        ground.area[members],
        ground.low[members],
        ground.public[members],
    )


def _gains(ground: Ground, members: Ints) -> Floats:
    """Return what each parcel brings by type; kinds of mixing that make too many types are left free."""
    kinds = [np.unique(ground.codes[kind, members]) for kind in range(len(ground.mixing))]
    chosen: list[int] = []
    count = 1
    for kind in np.argsort(-ground.mixing, kind="stable"):
        if count * len(kinds[kind]) <= _MOST_TYPES:
            chosen.append(int(kind))
            count *= len(kinds[kind])
    gains = []
    for codes in product(*(kinds[kind] for kind in chosen)):
        gain = ground.gain[members].copy()
        for kind, code in zip(chosen, codes, strict=True):
            foreign = ground.codes[kind, members] != code
            gain -= ground.mixing[kind] * ground.bases[kind, members] * foreign
        gains.append(gain)
    return np.array(gains)


class _Rows:
    """Rows of a programme while it is put together."""

    def __init__(self) -> None:
        self._blocks: list[tuple[Floats, Floats, Ints, Ints, Floats]] = []

    def add(self, lower: float, upper: float, columns: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Add lower <= Σ values · columns <= upper."""
        self.add_all(lower, upper, np.array([len(np.asarray(columns))]), columns, values)

    def add_all(
        self, lower: float, upper: float, sizes: Ints, columns: npt.ArrayLike, values: npt.ArrayLike
    ) -> None:
        """Add rows of the same bounds; `sizes` says how many of the columns are each one's."""
        block = np.full(len(sizes), lower), np.full(len(sizes), upper), sizes
        self._blocks.append((*block, np.asarray(columns), np.asarray(values, dtype=np.float64)))

    def put(self, highs: highspy.Highs, shift: int = 0) -> None:
        """Hand the rows over, for columns that begin so much later."""
        lower, upper, sizes, columns, values = map(np.concatenate, zip(*self._blocks, strict=True))
        highs.addRows(
            len(lower),
            lower,
            upper,
            len(columns),
            (np.cumsum(sizes) - sizes).astype(np.int32),
            (columns + shift).astype(np.int32),
            values,
        )


def _columns(highs: highspy.Highs, cost: Floats, upper: Floats) -> None:
    nothing = np.zeros(len(cost), dtype=np.int32)
    highs.addCols(len(cost), cost, np.zeros(len(cost)), upper, 0, nothing, nothing[:0], np.empty(0))


def _unit_rows(ground: Ground, local: _Local, tangents: int) -> _Rows:
    """Return the rows of units of one type; the columns are its parcels, its links, and how many units there are."""
    rows = _Rows()
    count, links = len(local.members), len(local.one)
    number, parcels = count + links, np.arange(count)
    ends = np.stack([local.one, local.other], axis=1).ravel()
    link = np.repeat(count + np.arange(links), 2)
    pairs = np.stack([link, ends], axis=1).ravel()
    rows.add_all(-_INF, 0.0, np.full(len(ends), 2), pairs, np.tile([1.0, -1.0], len(ends)))
    rows.add(0.0, _INF, [*parcels, number], [*local.area, -ground.least])
    rows.add(-_INF, 0.0, [*parcels, number], [*local.area, -ground.most])
    rows.add(0.0, _INF, parcels, local.low - ground.low_share * local.area)
    if ground.public_share > 0:
        rows.add(0.0, _INF, parcels, local.public - ground.public_share * local.area)
    _compact_rows(ground, local, rows, tangents)
    rows.add_all(-_INF, 0.0, *_parcel_rows(local, number, local.area < ground.least))
    return rows


def _parcel_rows(local: _Local, number: int, small: npt.NDArray[np.bool_]) -> tuple[Ints, Ints, Floats]:
    """Return rows parcel by parcel: none without a unit, and none too small to be one without a neighbour in it."""
    parcels, links = np.arange(len(local.members)), np.arange(len(local.one))
    first = parcels + np.cumsum(small) - small
    node = np.concatenate([local.one, local.other])
    beside = np.concatenate([local.other, local.one])
    there = small[node]
    row = np.concatenate([first, first, first[small] + 1, first[node[there]] + 1])
    place = np.concatenate([0 * first, 0 * first + 1, 0 * first[small], 1 + np.tile(links, 2)[there]])
    column = np.concatenate([parcels, np.full(len(first), number), parcels[small], beside[there]])
    order = np.lexsort((place, row))
    return np.bincount(row), column[order], np.where(place == 0, 1.0, -1.0)[order]


def _compact_rows(ground: Ground, local: _Local, rows: _Rows, tangents: int) -> None:
    """Ask for compactness: P <= √(4πA/c) is a convex set, here by tangents at areas from the least to the greatest."""
    if ground.compactness <= 0:
        return
    largest = min(ground.most, float(local.area.sum()))
    for area in np.geomspace(ground.least, max(largest, ground.least), tangents):
        _compact_row(ground, local, rows, area)


def _compact_row(ground: Ground, local: _Local, rows: _Rows, area: float) -> None:
    """Ask for compactness by the tangent at an area: Σp x - 2Σf y - slope Σa x - (height - slope·area) n <= 0."""
    height = np.sqrt(4 * np.pi * area / ground.compactness)
    slope = height / (2 * area)
    at = np.arange(len(local.members) + len(local.one) + 1)
    outer = ground.outline[local.members] - slope * local.area
    rows.add(-_INF, 0.0, at, np.concatenate([outer, -2.0 * local.length, [slope * area - height]]))


def _relaxed(ground: Ground, local: _Local) -> float:
    """Solve the packing with parts of parcels and parts of units: columns by type are parcels, links, number of units."""
    highs = quiet_highs()
    highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
    count, links, types = len(local.members), len(local.one), len(local.gain)
    width = count + links + 1
    # No time is saved by looking for what can be left out first.
    highs.setOptionValue("presolve", "off")
    rows = _unit_rows(ground, local, _TANGENTS)
    worth = 2.0 * ground.outline_weight * local.length
    for number, gain in enumerate(local.gain):
        cost = np.concatenate([gain, worth, [-ground.unit_price]])
        _columns(highs, cost, np.concatenate([np.ones(count + links), [_INF]]))
        rows.put(highs, number * width)
    once = _Rows()
    of_parcel = np.arange(count)[:, None] + width * np.arange(types)
    once.add_all(-_INF, 1.0, np.full(count, types), of_parcel.ravel(), np.ones(count * types))
    once.put(highs)
    highs.run()
    return float(highs.getInfo().objective_function_value)


class _Pricer:
    """The dearest single unit of one type against prices: an integer programme that keeps the cuts it has learnt."""

    def __init__(self, ground: Ground, local: _Local, gain: Floats, scales: Scales, enough: float) -> None:
        self._local, self._gain = local, gain
        self._ground, self._desk = ground, desk_of(ground)
        self._scales, self._enough = scales, max(enough, _EPSILON)
        count, links = len(local.members), len(local.one)
        self._highs = quiet_highs()
        self._highs.setOptionValue("mip_max_nodes", _PRICING_NODES)
        self._highs.setOptionValue("mip_abs_gap", self._enough)
        self._highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        cost = np.concatenate([gain, 2.0 * ground.outline_weight * local.length, [-ground.unit_price]])
        _columns(self._highs, cost, np.ones(count + links + 1))
        _unit_rows(ground, local, _PRICING_TANGENTS).put(self._highs)
        whole = np.concatenate([np.arange(count), [count + links]]).astype(np.int32)
        self._highs.changeColsIntegrality(
            len(whole), whole, np.full(len(whole), highspy.HighsVarType.kInteger)
        )
        self._graph = coo_matrix(
            (
                np.ones(2 * links),
                (np.concatenate([local.one, local.other]), np.concatenate([local.other, local.one])),
            ),
            shape=(count, count),
        ).tocsr()

    def price(self, prices: Floats) -> tuple[float, list[Ints]]:
        """Return a bound of v(U) - π(U) over connected sets, at least 0, and connected sets that come near."""
        count = len(prices)
        self._highs.changeColsCost(count, np.arange(count, dtype=np.int32), self._gain - prices)
        units: list[Ints] = []
        bound = _INF
        for _ in range(_CUT_ROUNDS):
            self._highs.run()
            info = self._highs.getInfo()
            bound = min(bound, float(info.mip_dual_bound))
            if bound <= self._enough or info.primal_solution_status != 2:  # noqa: PLR2004 - a feasible point
                break
            chosen = np.array(self._highs.getSolution().col_value)[:count] > 0.5  # noqa: PLR2004 - 0 or 1
            pieces = self._pieces(chosen)
            units += pieces
            rows = _Rows()
            if len(pieces) > 1:
                self._cut(rows, chosen, pieces)
            elif not self._ruled(rows, chosen):
                break
            rows.put(self._highs)
        return max(bound, 0.0), units

    def _ruled(self, rows: _Rows, chosen: npt.NDArray[np.bool_]) -> bool:
        """Ask for what a set that hangs together breaks; tell whether it breaks a rule."""
        unit = self._local.members[chosen]
        rule = value_and_rule(self._ground, self._desk, unit)[1]
        if rule == RAGGED:
            _compact_row(self._ground, self._local, rows, float(self._local.area[chosen].sum()))
        elif rule == ENCLOSES and self._fill(rows, unit):
            return True
        elif rule != KEPT:
            self._forbid(rows, chosen)
        return rule != KEPT

    def _fill(self, rows: _Rows, unit: Ints) -> bool:
        """Ask of each hole for a parcel of it, or for one less of the ring around it; tell whether that holds for other units too.

        The ring alone makes it a hole of any unit that is no smaller, which a unit of the least area is where the hole is no larger than that.
        """
        ground, members = self._ground, self._local.members
        filled = False
        for hole, _ in self._scales.holes(unit):
            begin, end = ground.start[hole], ground.start[hole + 1]
            beside = np.concatenate([ground.neighbour[one:two] for one, two in zip(begin, end, strict=True)])
            ring = np.setdiff1d(beside, hole)
            if ground.area[hole].sum() > max(ground.least, ground.area[ring].sum()):
                continue
            inner = np.searchsorted(members, np.intersect1d(hole, members))
            outer = np.searchsorted(members, ring)
            rows.add(
                1.0 - len(outer), _INF, [*outer, *inner], [*np.full(len(outer), -1.0), *np.ones(len(inner))]
            )
            filled = True
        return filled

    def _pieces(self, chosen: npt.NDArray[np.bool_]) -> list[Ints]:
        nodes = np.flatnonzero(chosen)
        if not len(nodes):
            return []
        count, label = connected_components(self._graph[nodes][:, nodes], directed=False)
        return [nodes[label == piece] for piece in range(count)]

    def _forbid(self, rows: _Rows, chosen: npt.NDArray[np.bool_]) -> None:
        """Ask for another set than this one, which breaks a rule that is no row: Σ(1 - x) over it + Σx beyond it >= 1."""
        signs = np.where(chosen, -1.0, 1.0)
        rows.add(1.0 - chosen.sum(), _INF, list(range(len(chosen))), list(signs))

    def _cut(self, rows: _Rows, chosen: npt.NDArray[np.bool_], pieces: list[Ints]) -> None:
        """Ask for what divides two pieces where a parcel of each is chosen: x_i + x_j - x(separator) <= 1.

        A piece that is too small to be a unit needs a parcel beside it whatever else is chosen: x_i - x(ring) <= 0.
        """
        for piece in pieces:
            rest = np.flatnonzero(chosen)
            rest = rest[~np.isin(rest, piece)]
            inside = np.zeros(len(chosen), dtype=bool)
            inside[piece] = True
            ring = np.flatnonzero((self._graph @ inside > 0) & ~inside)
            if self._local.area[piece].sum() < self._ground.least * (1 - RELATIVE_TOLERANCE):
                for node in piece:
                    rows.add(-_INF, 0.0, [int(node), *ring], [1.0, *np.full(len(ring), -1.0)])
                continue
            # Only what can be reached from the rest without the ring divides; the others lie behind it.
            open_ = ~inside
            open_[ring] = False
            label = connected_components(self._graph[open_][:, open_], directed=False)[1]
            names = np.full(len(chosen), -1)
            names[open_] = label
            one = int(piece[np.argmax(self._local.area[piece])])
            for other in rest[np.argsort(-self._local.area[rest], kind="stable")[:1]]:
                region = (names == names[other]) if names[other] >= 0 else np.arange(len(chosen)) == other
                near = np.flatnonzero((self._graph @ region > 0) & ~region)
                wall = np.intersect1d(ring, near) if names[other] >= 0 else ring
                rows.add(-_INF, 1.0, [one, int(other), *map(int, wall)], [1.0, 1.0] + [-1.0] * len(wall))


def bounds(problem: Problem, found: list[Found], effort: Effort) -> tuple[float, list[Found]]:
    """Return a bound of the whole in m², and what was found, bettered by what the proof came across."""
    parts = bounded(problem, found, effort)
    return float(sum(bound for bound, _ in parts)), [part for _, part in parts]


def bounded(problem: Problem, found: list[Found], effort: Effort) -> list[tuple[float, Found]]:
    """Return a bound of each component in m², and what was found there, bettered by what the proof came across."""

    def work(chunk: range) -> list[tuple[float, Found]]:
        return [_bounded(problem, found[number], effort) for number in chunk]

    return spread(work, len(found), effort.threads)


def _bounded(problem: Problem, found: Found, effort: Effort) -> tuple[float, Found]:
    if effort.proof == 0:
        return quick_bound(problem, found), found
    before = len(found.pool.units)
    bound = proven_bound(problem, found, effort.proof)
    if len(found.pool.units) > before:
        found = repacked(problem, found)
    return max(bound, found.value), found
