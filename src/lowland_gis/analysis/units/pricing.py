"""The dearest single unit of a component against prices of its parcels, by an integer programme with cuts."""

from __future__ import annotations

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import RELATIVE_TOLERANCE, Ground
from lowland_gis.analysis.units.pack import quiet_highs
from lowland_gis.analysis.units.programme import INF, Component, Rows, add_columns, compact_row, unit_rows
from lowland_gis.analysis.units.value import ENCLOSES, KEPT, RAGGED, desk_of, value_and_rule
from lowland_gis.analysis.units.weighed import Scales

_EPSILON = 1e-6
_NODES = 400
_CUT_ROUNDS = 24
# Compactness as so many straight lines cuts off most of what is ragged before it is met.
_TANGENTS = 12


class Pricer:
    """The dearest single unit of one type against prices: an integer programme that keeps the cuts it has learnt."""

    def __init__(self, ground: Ground, local: Component, gain: Floats, scales: Scales, enough: float) -> None:
        """Take a component and the gains of one type, m² a parcel; a unit that is dearer by no more than `enough` m² is not looked for."""
        self._local, self._gain = local, gain
        self._ground, self._desk = ground, desk_of(ground)
        self._scales, self._enough = scales, max(enough, _EPSILON)
        count, links = len(local.members), len(local.one)
        self._highs = quiet_highs()
        self._highs.setOptionValue("mip_max_nodes", _NODES)
        self._highs.setOptionValue("mip_abs_gap", self._enough)
        self._highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        cost = np.concatenate([gain, 2.0 * ground.outline_weight * local.length, [-ground.unit_price]])
        add_columns(self._highs, cost, np.ones(count + links + 1))
        unit_rows(ground, local, _TANGENTS).put(self._highs)
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
        bound = INF
        for _ in range(_CUT_ROUNDS):
            self._highs.run()
            info = self._highs.getInfo()
            bound = min(bound, float(info.mip_dual_bound))
            if bound <= self._enough or info.primal_solution_status != 2:  # noqa: PLR2004 - a feasible point
                break
            chosen = np.array(self._highs.getSolution().col_value)[:count] > 0.5  # noqa: PLR2004 - 0 or 1
            pieces = self._pieces(chosen)
            units += pieces
            rows = Rows()
            if len(pieces) > 1:
                self._cut(rows, chosen, pieces)
            elif not self._ruled(rows, chosen):
                break
            rows.put(self._highs)
        return max(bound, 0.0), units

    def _ruled(self, rows: Rows, chosen: npt.NDArray[np.bool_]) -> bool:
        """Ask for what a set that hangs together breaks; tell whether it breaks a rule."""
        unit = self._local.members[chosen]
        rule = value_and_rule(self._ground, self._desk, unit)[1]
        if rule == RAGGED:
            compact_row(self._ground, self._local, rows, float(self._local.area[chosen].sum()))
        elif rule == ENCLOSES and self._fill(rows, unit):
            return True
        elif rule != KEPT:
            self._forbid(rows, chosen)
        return rule != KEPT

    def _fill(self, rows: Rows, unit: Ints) -> bool:
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
                1.0 - len(outer), INF, [*outer, *inner], [*np.full(len(outer), -1.0), *np.ones(len(inner))]
            )
            filled = True
        return filled

    def _pieces(self, chosen: npt.NDArray[np.bool_]) -> list[Ints]:
        nodes = np.flatnonzero(chosen)
        if not len(nodes):
            return []
        count, label = connected_components(self._graph[nodes][:, nodes], directed=False)
        return [nodes[label == piece] for piece in range(count)]

    def _forbid(self, rows: Rows, chosen: npt.NDArray[np.bool_]) -> None:
        """Ask for another set than this one, which breaks a rule that is no row: Σ(1 - x) over it + Σx beyond it >= 1."""
        signs = np.where(chosen, -1.0, 1.0)
        rows.add(1.0 - chosen.sum(), INF, list(range(len(chosen))), list(signs))

    def _cut(self, rows: Rows, chosen: npt.NDArray[np.bool_], pieces: list[Ints]) -> None:
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
                    rows.add(-INF, 0.0, [int(node), *ring], [1.0, *np.full(len(ring), -1.0)])
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
                rows.add(-INF, 1.0, [one, int(other), *map(int, wall)], [1.0, 1.0] + [-1.0] * len(wall))
