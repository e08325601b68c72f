"""The whole layout of one district: plan, fillings, mesh and warp, for a wanted number of parcels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from lowland_gis.sample.codes import Leaf, Purpose, Zone
from lowland_gis.sample.dice import Dice, Ints, Shapes, generator
from lowland_gis.sample.fill import fill_blocks
from lowland_gis.sample.mesh import STEP_M, Mesh, polygons
from lowland_gis.sample.plan import NO_CELL, Blocks, Frame, Strips, cut_blocks, draw_frame, zone_cells
from lowland_gis.sample.warp import Warp, pushes

M2_PER_PARCEL = 12_000.0
CELL_M2 = 450_000.0
MANY_PARCELS = 20_000
ATTEMPTS = 6
SURPLUS = 0.04
CHUNK = 50_000


@dataclass(frozen=True)
class Layout:
    """Everything about the shape of the district; tables are columns of equal length."""

    frame: Frame
    zones: Ints
    blocks: Blocks
    strips: dict[str, Ints]
    features: dict[str, Ints]
    lots: dict[str, Ints]
    mesh: Mesh
    old_mesh: Mesh
    warp: Warp

    def shapes(self, boxes: Ints, leaf: Ints, cell: Ints, *, old: bool = False) -> Shapes:
        """Return the polygons of boxes of the plan (`old`: with the vertices of the second survey)."""
        parts = []
        for start in range(0, len(boxes), CHUNK):
            part = slice(start, start + CHUNK)
            mesh = self.old_mesh if old else self.mesh
            x, y, owner, offsets = mesh.rings(boxes[part])
            east, north = self.warp.place(
                x.astype(float), y.astype(float), leaf[part][owner], cell[part][owner]
            )
            parts.append(polygons(east, north, offsets))
        return np.concatenate(parts) if parts else np.empty(0, dtype=object)

    def sides(self, strips: dict[str, Ints]) -> tuple[Ints, Ints]:
        """Return the cells left and right of strips; −1 outside, the same cell for strips within one."""
        reach = strips["width"] // 2 + 6
        along = (strips["low"] + strips["high"]) // 2
        found = [self._cells_at(strips, strips["middle"] + sign * reach, along) for sign in (-1, 1)]
        within = strips["cell"] >= 0
        return np.where(within, strips["cell"], found[0]), np.where(within, strips["cell"], found[1])

    def _cells_at(self, strips: dict[str, Ints], across: Ints, along: Ints) -> Ints:
        upright = strips["axis"] == 0
        points = shapely.points(np.where(upright, across, along), np.where(upright, along, across))
        tree = shapely.STRtree(shapely.box(*np.array([cell.admin for cell in self.frame.cells]).T))
        point, cell = tree.query(points, predicate="intersects")
        cells = np.full(len(points), NO_CELL, dtype=np.int64)
        cells[point] = cell
        return cells

    def middle_lines(self, strips: dict[str, Ints]) -> Shapes:
        """Return the centre lines of strips, with a vertex about every 40 m."""
        span = strips["high"] - strips["low"]
        count = np.maximum(1, np.round(span / STEP_M)).astype(np.int64) + 1
        offsets = np.concatenate([[0], np.cumsum(count)])
        owner = np.repeat(np.arange(len(count)), count)
        within = np.arange(offsets[-1]) - offsets[owner]
        along = strips["low"][owner] + np.round(span[owner] * within / (count[owner] - 1)).astype(np.int64)
        across = strips["middle"][owner]
        upright = strips["axis"][owner] == 0
        x, y = np.where(upright, across, along), np.where(upright, along, across)
        east, north = self.warp.place(
            x.astype(float), y.astype(float), np.full(len(x), -1), strips["cell"][owner]
        )
        points = np.column_stack([east, north])
        return np.asarray(shapely.from_ragged_array(shapely.GeometryType.LINESTRING, points, (offsets,)))

    @property
    def cell_of_leaf(self) -> Ints:
        """Return the cell of every block."""
        return self.blocks.cell


def boxes_of(table: dict[str, Ints], prefix: str = "") -> Ints:
    """Return the outlines of a table as rows x0, y0, x1, y1."""
    return np.column_stack([table[f"{prefix}{name}"] for name in ("x0", "y0", "x1", "y1")])


@dataclass(frozen=True)
class Drawing:
    """One attempt at a plan, before it is known whether the number of lots fits."""

    frame: Frame
    zones: Ints
    blocks: Blocks
    strips: dict[str, Ints]
    features: dict[str, Ints]
    lots: dict[str, Ints]
    warp: Warp

    def misses(self, parcels: int) -> tuple[bool, int]:
        """Return how badly the number of lots fits: too few is worse than too many."""
        count = len(self.lots["x0"])
        return (count < parcels, abs(count - parcels))


def draw_layout(parcels: int, seed: int) -> Layout:
    """Draw districts until one has the wanted number of lots or a few more, then leave the surplus unregistered."""
    area = parcels * M2_PER_PARCEL
    best = drawing = _draw(area, parcels, seed)
    for _ in range(ATTEMPTS - 1):
        count = len(drawing.lots["x0"])
        if parcels <= count <= parcels * (1 + SURPLUS):
            break
        area *= (1 + SURPLUS / 2) * parcels / count
        drawing = _draw(area, parcels, seed)
        best = min(best, drawing, key=lambda one: one.misses(parcels))
    return _finish(best, _trimmed(best.lots, parcels, seed))


def _draw(area: float, parcels: int, seed: int) -> Drawing:
    strips = Strips()
    dice = Dice(seed, "plan")
    towns = 9 if parcels >= MANY_PARCELS else 5
    cell_m2 = min(CELL_M2, area / 26)
    frame = draw_frame(area, towns=towns, cell_m2=cell_m2, strips=strips, dice=dice)
    zones = zone_cells(frame, dice)
    blocks = cut_blocks(frame, zones, strips, dice)
    warp = _warp(frame, zones, blocks, seed)
    features, lots = fill_blocks(blocks, warp.least_share(), Dice(seed, "fill"))
    return Drawing(frame, zones, blocks, strips.table(), features, lots, warp)


def _warp(frame: Frame, zones: Ints, blocks: Blocks, seed: int) -> Warp:
    random = generator(seed, "warp")
    inner = blocks.inner
    crooked = np.isin(
        blocks.kind, (Leaf.OLD, Leaf.VILLAGE, Leaf.FIELDS, Leaf.PONDS, Leaf.WOODS, Leaf.ORCHARD)
    )
    cell_boxes = np.array([cell.inner for cell in frame.cells])
    urbane = zones == Zone.INDUSTRY
    return Warp(
        root=frame.root,
        river_x=frame.river_x,
        leaf_boxes=inner,
        leaf_push=pushes(inner, np.where(crooked, 0.055, 0.0), random),
        leaf_cell=blocks.cell,
        cell_boxes=cell_boxes,
        cell_push=pushes(cell_boxes, np.where(urbane, 0.02, 0.055), random),
        seed=seed,
    )


def _trimmed(lots: dict[str, Ints], parcels: int, seed: int) -> dict[str, Ints]:
    """Drop surplus lots: farm plots and village houses that have never been surveyed as parcels."""
    surplus = len(lots["x0"]) - parcels
    if surplus <= 0:
        return lots
    spare = np.flatnonzero(np.isin(lots["purpose"], (Purpose.FIELD, Purpose.RURAL_HOME)))
    dropped = generator(seed, "trim").choice(spare, min(surplus, len(spare)), replace=False)
    keep = np.ones(len(lots["x0"]), dtype=bool)
    keep[dropped] = False
    return {name: column[keep] for name, column in lots.items()}


def _finish(drawing: Drawing, lots: dict[str, Ints]) -> Layout:
    frame, zones, blocks = drawing.frame, drawing.zones, drawing.blocks
    strips, features = drawing.strips, drawing.features
    admin = np.array(
        [frame.root, *(town.admin for town in frame.towns), *(cell.admin for cell in frame.cells)]
    )
    boxes = np.concatenate([boxes_of(strips), blocks.inner, boxes_of(features), boxes_of(lots), admin])
    old = np.concatenate([boxes_of(strips, "o")[strips["polygon2"] == 1], blocks.old])
    return Layout(frame, zones, blocks, strips, features, lots, Mesh.of(boxes), Mesh.of(old), drawing.warp)
