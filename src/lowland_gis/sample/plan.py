"""The plan of the district in an integer plane (metres): strips, cells and blocks by repeated straight cuts.

Every cut is kept three times: `inner` leaves the strip out (the third survey), `old` lets narrow strips vanish into
their neighbours (the second survey, where a country road is a line), `admin` always meets in the middle of the strip.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lowland_gis.sample.codes import Leaf, Strip, Zone
from lowland_gis.sample.dice import Dice, Floats, Ints

Box = tuple[int, int, int, int]
PIECE_M = 480
NO_CELL = -1
ARTERIAL_SIDE_M, SECONDARY_SIDE_M, WIDE_STREET_SIDE_M = 2600, 1300, 450


class Node(NamedTuple):
    """One part of the plan with its three outlines."""

    inner: Box
    old: Box
    admin: Box

    @property
    def sides(self) -> tuple[int, int]:
        """Return width and height of the inner outline in metres."""
        x0, y0, x1, y1 = self.inner
        return x1 - x0, y1 - y0

    @property
    def area(self) -> int:
        """Return the inner area in square metres."""
        width, height = self.sides
        return width * height


class Strips:
    """The strips cut so far; one row of numbers each (see `COLUMNS`)."""

    COLUMNS = (
        "x0",
        "y0",
        "x1",
        "y1",
        "ox0",
        "oy0",
        "ox1",
        "oy1",
        "axis",
        "middle",
        "low",
        "high",
        "kind",
        "width",
        "cell",
        "polygon2",
    )

    def __init__(self) -> None:
        """Start without strips."""
        self._rows = array("q")

    def add(self, node: Node, cut: Cut, cell: int) -> None:
        """Keep one strip; long ones are kept in pieces so that features stay of a sensible size."""
        axis, middle, half = cut.axis, cut.middle, cut.width // 2
        low, high = node.inner[1 - axis], node.inner[3 - axis]
        ends = [low, *range(low + PIECE_M, high - PIECE_M // 2, PIECE_M), high]
        for number, (start, end) in enumerate(pairwise(ends)):
            old_start = node.old[1 - axis] if number == 0 else start
            old_end = node.old[3 - axis] if number == len(ends) - 2 else end
            mid_start = node.admin[1 - axis] if number == 0 else start
            mid_end = node.admin[3 - axis] if number == len(ends) - 2 else end
            inner = _oriented(axis, middle - half, start, middle + half, end)
            old = _oriented(axis, middle - half, old_start, middle + half, old_end)
            self._rows.extend(
                (*inner, *old, axis, middle, mid_start, mid_end, cut.kind, cut.width, cell, cut.polygon_2009)
            )

    def table(self) -> dict[str, Ints]:
        """Return the strips as columns."""
        rows = np.frombuffer(self._rows, dtype=np.int64).reshape(-1, len(self.COLUMNS))
        return {name: rows[:, number].copy() for number, name in enumerate(self.COLUMNS)}


class Cut(NamedTuple):
    """A straight cut: axis 0 runs along y at x = middle, axis 1 along x at y = middle."""

    axis: int
    middle: int
    width: int
    kind: Strip
    polygon_2009: bool


def _oriented(axis: int, across0: int, along0: int, across1: int, along1: int) -> Box:
    return (across0, along0, across1, along1) if axis == 0 else (along0, across0, along1, across1)


def split(node: Node, cut: Cut) -> tuple[Node, Node]:
    """Return the two parts beside a cut."""
    half = cut.width // 2
    gaps = (half, half if cut.polygon_2009 else 0, 0)
    parts = [_halves(box, cut.axis, cut.middle, gap) for box, gap in zip(node, gaps, strict=True)]
    return Node(*(low for low, _ in parts)), Node(*(high for _, high in parts))


def _halves(box: Box, axis: int, middle: int, gap: int) -> tuple[Box, Box]:
    x0, y0, x1, y1 = box
    if axis == 0:
        return (x0, y0, middle - gap, y1), (middle + gap, y0, x1, y1)
    return (x0, y0, x1, middle - gap), (x0, middle + gap, x1, y1)


def across_longer(node: Node, dice: Dice, width: int, kind: Strip, *, polygon_2009: bool) -> Cut:
    """Cut the longer side of a part somewhere near its middle."""
    sides = node.sides
    axis = 0 if sides[0] >= sides[1] else 1
    middle = node.inner[axis] + int(sides[axis] * dice.real(0.4, 0.6))
    return Cut(axis, middle, width, kind, polygon_2009)


@dataclass(frozen=True)
class Frame:
    """The coarse plan: the outline of the district, towns, cells and the strips between them."""

    root: Box
    river_x: int
    towns: tuple[Node, ...]
    cells: tuple[Node, ...]
    cell_town: tuple[int, ...]


def draw_frame(area_m2: float, *, towns: int, cell_m2: float, strips: Strips, dice: Dice) -> Frame:
    """Cut the district by river, canal and railway into towns and by roads into cells."""
    width = int(np.sqrt(area_m2 * 1.3))
    height = int(area_m2 / width)
    outline = (0, 0, width, height)
    root = Node(outline, outline, outline)
    scale = min(1.0, max(0.45, width / 5000))
    river = Cut(0, int(width * dice.real(0.38, 0.44)), _even(80 * scale), Strip.RIVER, polygon_2009=True)
    canal = Cut(1, int(height * dice.real(0.68, 0.74)), _even(28 * scale), Strip.CANAL, polygon_2009=True)
    railway = Cut(1, int(height * dice.real(0.38, 0.46)), _even(24 * scale), Strip.RAILWAY, polygon_2009=True)
    south, north = _parted(root, railway, strips)
    west, east = _parted(north, river, strips)
    nodes = [*_parted(south, river, strips), west, *_parted(east, canal, strips)]
    town_nodes = _into_towns(nodes, towns, _even(40 * scale), strips, dice)
    cells: list[Node] = []
    owners: list[int] = []
    for number, town in enumerate(town_nodes):
        found = _into_cells(town, cell_m2, strips, dice)
        cells.extend(found)
        owners.extend([number] * len(found))
    return Frame(outline, river.middle, tuple(town_nodes), tuple(cells), tuple(owners))


def _even(width: float) -> int:
    return max(4, 2 * round(width / 2))


def _parted(node: Node, cut: Cut, strips: Strips) -> tuple[Node, Node]:
    strips.add(node, cut, NO_CELL)
    return split(node, cut)


def _into_towns(nodes: list[Node], count: int, width: int, strips: Strips, dice: Dice) -> list[Node]:
    heap = [(-node.area, number, node) for number, node in enumerate(nodes)]
    heapify(heap)
    number = len(heap)
    while len(heap) < count:
        _, _, node = heappop(heap)
        cut = across_longer(node, dice, width, Strip.ARTERIAL, polygon_2009=True)
        for part in _parted(node, cut, strips):
            heappush(heap, (-part.area, number, part))
            number += 1
    return [node for _, _, node in sorted(heap, key=lambda entry: entry[1])]


def _into_cells(town: Node, cell_m2: float, strips: Strips, dice: Dice) -> list[Node]:
    done, waiting = [], [town]
    while waiting:
        node = waiting.pop()
        if node.area <= cell_m2:
            done.append(node)
            continue
        longest = max(node.sides)
        if longest > ARTERIAL_SIDE_M:
            cut = across_longer(node, dice, 30, Strip.ARTERIAL, polygon_2009=True)
        elif longest > SECONDARY_SIDE_M:
            cut = across_longer(node, dice, 20, Strip.SECONDARY, polygon_2009=True)
        else:
            cut = across_longer(node, dice, 12, Strip.COUNTY, polygon_2009=False)
        waiting.extend(reversed(_parted(node, cut, strips)))
    return done


@dataclass(frozen=True)
class Blocks:
    """The leaves of the plan: outline, cell and what they are filled with."""

    nodes: tuple[Node, ...]
    cell: Ints
    kind: Ints

    @property
    def inner(self) -> Ints:
        """Return the inner outlines, one row x0, y0, x1, y1 each."""
        return np.array([node.inner for node in self.nodes], dtype=np.int64)

    @property
    def old(self) -> Ints:
        """Return the outlines of the second survey."""
        return np.array([node.old for node in self.nodes], dtype=np.int64)


def zone_cells(frame: Frame, dice: Dice) -> Ints:
    """Give every cell a zone: towns grow round their centres, estates in their outer corners."""
    cells = np.array([cell.inner for cell in frame.cells], dtype=float)
    areas = (cells[:, 2] - cells[:, 0]) * (cells[:, 3] - cells[:, 1])
    centres = np.column_stack([cells[:, 0] + cells[:, 2], cells[:, 1] + cells[:, 3]]) / 2
    noise = np.array([dice.real(0.85, 1.15) for _ in frame.cells])
    heart = np.array([frame.river_x, frame.root[3] * 0.5])
    urban = np.zeros(len(cells))
    estate = np.zeros(len(cells))
    for number, town in enumerate(frame.towns):
        middle, corner, radius = _town_points(town, heart)
        weight = 1.3 if number == 0 else 1.0
        urban = np.maximum(urban, weight * np.exp(-np.hypot(*(centres - middle).T) / radius))
        estate = np.maximum(estate, np.exp(-np.hypot(*(centres - corner).T) / radius))
    zones = np.full(len(cells), int(Zone.RURAL))
    zones[_top(urban * noise, areas, 0.24)] = Zone.URBAN
    zones[_top(np.where(zones == Zone.URBAN, -1.0, estate * noise), areas, 0.22)] = Zone.INDUSTRY
    return zones


def _town_points(town: Node, heart: Floats) -> tuple[Floats, Floats, float]:
    x0, y0, x1, y1 = town.inner
    middle = np.array([x0 + x1, y0 + y1]) / 2
    centre = middle + (heart - middle) * 0.35
    away = np.where(middle > heart, 0.7, -0.7) * np.array([x1 - x0, y1 - y0]) / 2
    return centre, middle + away, np.sqrt((x1 - x0) * (y1 - y0)) * 0.5


def _top(scores: Floats, areas: Floats, share: float) -> Ints:
    """Return the best places that together fill the share of the whole area, at least one."""
    order = np.argsort(-scores, kind="stable")
    filled = np.cumsum(areas[order])
    return order[: max(1, int(np.searchsorted(filled, share * areas.sum())))]


def cut_blocks(frame: Frame, zones: Ints, strips: Strips, dice: Dice) -> Blocks:
    """Cut every cell into blocks and say what fills them."""
    nodes: list[Node] = []
    owners: list[int] = []
    for number, cell in enumerate(frame.cells):
        found = _cell_blocks(cell, Zone(zones[number]), number, strips, dice)
        nodes.extend(found)
        owners.extend([number] * len(found))
    cell_of = np.array(owners, dtype=np.int64)
    kinds = _block_kinds(frame, nodes, cell_of, zones, dice)
    return Blocks(tuple(nodes), cell_of, kinds)


BLOCK_M2 = {Zone.URBAN: 45_000, Zone.INDUSTRY: 95_000, Zone.RURAL: 75_000}


def _cell_blocks(cell: Node, zone: Zone, number: int, strips: Strips, dice: Dice) -> list[Node]:
    done, waiting = [], [cell]
    while waiting:
        node = waiting.pop()
        if node.area <= BLOCK_M2[zone]:
            done.append(node)
            continue
        cut = _block_cut(node, zone, dice)
        strips.add(node, cut, number)
        waiting.extend(reversed(split(node, cut)))
    return done


def _block_cut(node: Node, zone: Zone, dice: Dice) -> Cut:
    if zone == Zone.RURAL:
        kind = Strip.DITCH if dice.chance(0.3) else Strip.LANE
        return across_longer(node, dice, dice.pick((4, 6)), kind, polygon_2009=False)
    width = 16 if max(node.sides) > WIDE_STREET_SIDE_M else 10
    return across_longer(node, dice, width, Strip.STREET, polygon_2009=False)


URBAN_MIX = (
    (Leaf.OLD, 0.065),
    (Leaf.COMMERCE, 0.14),
    (Leaf.FACILITY, 0.16),
    (Leaf.PARK, 0.05),
    (Leaf.VACANT, 0.02),
)
RURAL_MIX = (
    (Leaf.PONDS, 0.09),
    (Leaf.GREENHOUSES, 0.08),
    (Leaf.WOODS, 0.09),
    (Leaf.ORCHARD, 0.05),
    (Leaf.WORKSHOP, 0.035),
)
M2_PER_VILLAGE = 620_000


def _block_kinds(frame: Frame, nodes: list[Node], cell_of: Ints, zones: Ints, dice: Dice) -> Ints:
    areas = np.array([node.area for node in nodes], dtype=float)
    zone = zones[cell_of]
    kinds = np.full(len(nodes), int(Leaf.FIELDS))
    kinds[zone == Zone.INDUSTRY] = Leaf.INDUSTRY
    kinds[zone == Zone.URBAN] = Leaf.HOUSING
    blocks = np.flatnonzero(zone == Zone.URBAN)
    near = _nearness(frame, [nodes[block] for block in blocks], cell_of[blocks])
    kinds[blocks] = _mix_urban(near, areas[blocks], dice)
    _mix_rural(kinds, np.flatnonzero(zone == Zone.RURAL), areas, cell_of, dice)
    return kinds


def _nearness(frame: Frame, nodes: list[Node], cells: Ints) -> Floats:
    """Return the distance of blocks from their town's centre, in radii of the town."""
    boxes = np.array([node.inner for node in nodes], dtype=float)
    centres = np.column_stack([boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]]) / 2
    heart = np.array([frame.river_x, frame.root[3] * 0.5])
    points = [_town_points(town, heart) for town in frame.towns]
    towns = np.array(frame.cell_town)[cells]
    middles = np.array([middle for middle, _, _ in points])[towns]
    radii = np.array([radius for _, _, radius in points])[towns]
    return np.asarray(np.hypot(*(centres - middles).T) / radii)


def _mix_urban(near: Floats, areas: Floats, dice: Dice) -> Ints:
    """Return the kinds of urban blocks: old quarters and shops near the centre, housing for the rest."""
    kinds = np.full(len(near), int(Leaf.HOUSING))
    free = np.ones(len(near), dtype=bool)
    for kind, share in URBAN_MIX:
        pull = {Leaf.OLD: 3.0, Leaf.COMMERCE: 1.0}.get(kind, 0.0)
        scores = np.array([dice.real() for _ in near]) - pull * near
        chosen = _top(np.where(free, scores, -np.inf), areas, share)
        free[chosen] = False
        kinds[chosen] = kind
    return kinds


def _one_a_cell(cells: Ints, count: int, dice: Dice) -> list[int]:
    """Choose a number of blocks, not two in one cell."""
    order = sorted((dice.real(), cell) for cell in np.unique(cells).tolist())[:count]
    chosen = []
    for _, cell in order:
        start, stop = np.searchsorted(cells, [cell, cell + 1]).tolist()
        chosen.append(int(dice.real(start, stop)))
    return chosen


def _mix_rural(kinds: Ints, blocks: Ints, areas: Floats, cell_of: Ints, dice: Dice) -> None:
    free = np.ones(len(blocks), dtype=bool)
    villages = _one_a_cell(cell_of[blocks], max(1, round(areas[blocks].sum() / M2_PER_VILLAGE)), dice)
    kinds[blocks[villages]] = Leaf.VILLAGE
    free[villages] = False
    for kind, share in RURAL_MIX:
        scores = np.array([dice.real() for _ in blocks])
        chosen_many = _top(np.where(free, scores, -np.inf), areas[blocks], share)
        free[chosen_many] = False
        kinds[blocks[chosen_many]] = kind
    rest = np.flatnonzero(free)
    largest = rest[np.argsort(-areas[blocks][rest], kind="stable")]
    kinds[blocks[largest[:1]]] = Leaf.RESERVOIR
    kinds[blocks[largest[1 :: max(60, len(rest) // 400)][: max(1, len(rest) // 60)]]] = Leaf.MEMORIAL
