"""A partition of land and what became of it, drawn at random with the truth: splits, merges, drift, numbers, additions and removals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from hypothesis import strategies as st

from lowland_gis.analysis.update.lineage import PER_M2, Shared, State

CELL_M = 40.0
DRIFT_M = 0.5
ACTS = ("plain", "plain", "plain", "split", "merge", "regroup", "remove", "add", "renumber")


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
    made, taken = Grown({}, {}, set()), set()
    for (x, y), ring in corners.items():
        if (x, y) in taken:
            continue
        act = draw(st.sampled_from(ACTS))
        if act in ("merge", "regroup"):
            if x + 1 == columns:
                act = "plain"
            else:
                taken.add((x + 1, y))
                ring = [*ring, *corners[x + 1, y]]  # noqa: PLW2901 - both cells
        _MAKERS[act](made, f"P{y}{x}", at[ring], moved[ring], draw(st.booleans()))
        if act == "plain" and drifted & set(ring):
            made.truth.add(("boundary_drifted", (f"P{y}{x}",), (f"P{y}{x}",)))
    return made


def _plain(made, code, before, after, _):
    made.old[code], made.new[code] = shapely.Polygon(before), shapely.Polygon(after)


def _split(made, code, before, after, keeps):
    names = (code if keeps else f"{code}a"), f"{code}b"
    made.old[code] = shapely.Polygon(before)
    made.new.update(dict(zip(names, _cut(shapely.Polygon(after)), strict=True)))
    made.truth.add(("split", (code,), names))


def _both(at):
    return shapely.Polygon([at[0], at[1], at[5], at[6], at[2], at[3]])


def _merge(made, code, before, after, keeps):
    name = code if keeps else f"{code}m"
    made.old.update({code: shapely.Polygon(before[:4]), f"{code}x": shapely.Polygon(before[4:])})
    made.new[name] = _both(after)
    made.truth.add(("merged", (code, f"{code}x"), (name,)))


def _regroup(made, code, before, after, _):
    """Two side by side become two one above the other."""
    left, right = (after[0] + after[3]) / 2, (after[5] + after[6]) / 2
    made.old.update({code: shapely.Polygon(before[:4]), f"{code}x": shapely.Polygon(before[4:])})
    middle = (after[1] + after[2]) / 2
    made.new[f"{code}l"] = shapely.Polygon([after[0], after[1], after[5], right, middle, left])
    made.new[f"{code}u"] = shapely.Polygon([left, middle, right, after[6], after[2], after[3]])
    made.truth.add(("regrouped", (code, f"{code}x"), (f"{code}l", f"{code}u")))


def _remove(made, code, before, _, __):
    made.old[code] = shapely.Polygon(before)
    made.truth.add(("removed", (code,), ()))


def _add(made, code, _, after, __):
    made.new[code] = shapely.Polygon(after)
    made.truth.add(("added", (), (code,)))


def _renumber(made, code, before, after, _):
    made.old[code], made.new[f"{code}n"] = shapely.Polygon(before), shapely.Polygon(after)
    made.truth.add(("renumbered", (code,), (f"{code}n",)))


_MAKERS = {
    "plain": _plain, "split": _split, "merge": _merge, "regroup": _regroup, "remove": _remove, "add": _add, "renumber": _renumber,
}  # fmt: skip


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
