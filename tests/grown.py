"""A partition of land and what became of it, drawn at random with the truth: splits, merges, drift, numbers, additions and removals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from hypothesis import strategies as st

from lowland_gis.analysis.update.lineage import PER_M2, Shared, State

CELL_M = 40.0
DRIFT_M = 0.5
ACTS = ("plain", "plain", "plain", "split", "merge", "remove", "add", "renumber", "swap")


@dataclass(frozen=True)
class Grown:
    """Two states, and what became of what: {(kind, old codes, new codes)}."""

    old: dict[str, shapely.Polygon]
    new: dict[str, shapely.Polygon]
    truth: set[tuple[str, tuple[str, ...], tuple[str, ...]]]


@st.composite
def grown(draw, columns=4, rows=3):
    """Cells of a grid with shaken corners; some corners lie a little off in the second state."""
    shake = draw(
        st.lists(
            st.floats(-8, 8), min_size=2 * (columns + 1) * (rows + 1), max_size=2 * (columns + 1) * (rows + 1)
        )
    )
    at = np.array(
        [[x * CELL_M, y * CELL_M] for y in range(rows + 1) for x in range(columns + 1)]
    ) + np.reshape(shake, (-1, 2))
    drifted = draw(st.sets(st.integers(0, len(at) - 1), max_size=4))
    by = {
        place: draw(st.tuples(st.sampled_from([-0.3, 0.2, 0.3]), st.sampled_from([-0.25, 0.15, 0.3])))
        for place in sorted(drifted)
    }
    moved = at.copy()
    for place, step in by.items():
        moved[place] += step
    corners = {
        (x, y): [y * (columns + 1) + x, y * (columns + 1) + x + 1, (y + 1) * (columns + 1) + x + 1, (y + 1) * (columns + 1) + x]
        for y in range(rows) for x in range(columns)
    }  # fmt: skip
    old, new, truth, taken = {}, {}, set(), set()
    for (x, y), ring in corners.items():
        if (x, y) in taken:
            continue
        code, before, after = f"P{y}{x}", shapely.Polygon(at[ring]), shapely.Polygon(moved[ring])
        act = draw(st.sampled_from(ACTS))
        if act == "merge" and (x + 1 == columns or (x + 1, y) in taken):
            act = "plain"
        if act == "swap":
            act = "plain"
        if act == "plain":
            old[code], new[code] = before, after
            if drifted & set(ring):
                truth.add(("boundary_drifted", (code,), (code,)))
        elif act == "split":
            old[code] = before
            keeps = draw(st.booleans())
            first, second = (code if keeps else f"{code}a"), f"{code}b"
            new[first], new[second] = _cut(after)
            truth.add(("split", (code,), tuple(sorted((first, second)))))
        elif act == "merge":
            taken.add((x + 1, y))
            other = f"P{y}{x + 1}"
            beside = corners[x + 1, y]
            old[code], old[other] = before, shapely.Polygon(at[beside])
            name = draw(st.sampled_from([f"{code}m", code]))
            outline = [ring[0], ring[1], beside[1], beside[2], ring[2], ring[3]]
            new[name] = shapely.Polygon(moved[outline])
            truth.add(("merged", (code, other), (name,)))
        elif act == "remove":
            old[code] = before
            truth.add(("removed", (code,), ()))
        elif act == "add":
            new[code] = after
            truth.add(("added", (), (code,)))
        else:
            old[code], new[f"{code}n"] = before, after
            truth.add(("renumbered", (code,), (f"{code}n",)))
    return Grown(old, new, truth)


def _cut(polygon):
    """Two halves of a quadrilateral, from the middles of two sides."""
    a, b, c, d = np.array(polygon.exterior.coords)[:4]
    low, high = (a + b) / 2, (d + c) / 2
    return shapely.Polygon([a, low, high, d]), shapely.Polygon([low, b, c, high])


def state(parcels: dict[str, shapely.Polygon]) -> State:
    """The parcels as a state."""
    shapes = list(parcels.values())
    area = np.array([round(shape.area * PER_M2) for shape in shapes], dtype=np.int64)
    return State(np.array(list(parcels), dtype=object), area, np.array([shape.length for shape in shapes]))


def shared(old: dict[str, shapely.Polygon], new: dict[str, shapely.Polygon]) -> Shared:
    """What every pair shares, by brute force."""
    found = [
        (i, j, round(area * PER_M2))
        for i, one in enumerate(old.values())
        for j, other in enumerate(new.values())
        if (area := one.intersection(other).area) > 1e-6
    ]
    columns = np.array(found, dtype=np.int64).reshape(-1, 3)
    return Shared(columns[:, 0], columns[:, 1], columns[:, 2])
