"""Plots for units, drawn at random: rows of skew parcels along lanes of 0 to 12 m, with slivers, shared corners, holes and parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from hypothesis import assume
from hypothesis import strategies as st

ORIGIN = np.array([515_000.0, 4_345_000.0])
LANES_M = (0.0, 0.0, 0.004, 0.05, 1.0, 3.5, 6.0, 9.98, 10.0, 10.04, 10.06, 12.0)


@dataclass(frozen=True)
class Plot:
    """Valid parcels that share no land, units (positions) that share no parcel, and the block of each unit (None: no bound)."""

    shapes: np.ndarray
    units: list[np.ndarray]
    cells: np.ndarray


@st.composite
def plots(draw: st.DrawFn) -> Plot:
    """Cells of a grid with shaken corners, drawn apart by lanes, each turned into one of the forms that parcels have."""
    columns, rows = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    xs, ys = (_sides(draw, n) for n in (columns, rows))
    shake = draw(st.sampled_from([0.0, 0.0005, 0.3, 4.0]))
    at = st.floats(-shake, shake)
    corners = {
        (x, y): np.array([xs[x], ys[y]]) + [draw(at), draw(at)]
        for x in range(len(xs))
        for y in range(len(ys))
    }
    parcels: list[shapely.Geometry] = []
    for column in range(columns):
        for row in range(rows):
            west, south = 2 * column, 2 * row
            ring = np.array(
                [
                    corners[x, y]
                    for x, y in ((west, south), (west + 1, south), (west + 1, south + 1), (west, south + 1))
                ]
            )
            parcels += draw(st.sampled_from(FORMS))(draw, ring)
    turn = draw(st.sampled_from([0.0, 0.3, 0.7853981633974483, 1.1]))
    spun = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    digits = draw(st.sampled_from([3, 4, 12]))
    shapes = shapely.transform(
        np.array(parcels, dtype=object), lambda points: np.round(points @ spun + ORIGIN, digits)
    )
    shapes = _apart(shapes[shapely.is_valid(shapes) & (shapely.area(shapes) > 1e-3)])
    assume(len(shapes))
    owner = np.array(
        draw(st.lists(st.sampled_from([0, 0, 0, 1, 1, 2]), min_size=len(shapes), max_size=len(shapes))),
        dtype=int,
    )
    units = [np.flatnonzero(owner == number) for number in range(2) if (owner == number).any()]
    west, south, east, north = shapely.total_bounds(shapes)
    bound = draw(st.sampled_from([None, 0.0, 3.0, -5.0]))
    cell = None if bound is None else shapely.box(west - bound, south - bound, east + bound, north + bound)
    return Plot(shapes, units, np.array([*[cell] * len(units), None], dtype=object)[:-1])


def _sides(draw, n):
    """Return where parcels begin and end: sides of 8 to 60 m, lanes between."""
    found, here = [], 0.0
    for _ in range(n):
        side = draw(st.sampled_from([8.0, 15.0, 23.5, 60.0]))
        found += [here, here + side]
        here += side + draw(st.sampled_from(LANES_M))
    return found


def _apart(shapes):
    """Leave out parcels that share land with an earlier one by more than digitising does."""
    kept: list[int] = []
    for at, shape in enumerate(shapes):
        if all(shapely.intersection(shape, shapes[other]).area < 1e-3 for other in kept):
            kept.append(at)
    return shapes[kept]


def _between(one, other, share):
    return one + (other - one) * share


def _plain(draw, ring):
    return [shapely.Polygon(ring)]


def _halves(draw, ring):
    """Two triangles along a diagonal."""
    return [shapely.Polygon(ring[:3]), shapely.Polygon(ring[[2, 3, 0]])]


def _sliver(draw, ring):
    """A strip of millimetres to half a metre beside the rest."""
    share = draw(st.sampled_from([1e-4, 1e-3, 0.01, 0.03]))
    low, high = _between(ring[0], ring[1], share), _between(ring[3], ring[2], share)
    return [shapely.Polygon([ring[0], low, high, ring[3]]), shapely.Polygon([low, ring[1], ring[2], high])]


def _corner(draw, ring):
    """Four parcels that meet in one corner, one of them left out."""
    share, up = draw(st.sampled_from([0.5, 0.3])), draw(st.sampled_from([0.5, 0.6]))
    middle = ring.mean(axis=0)
    south, east = _between(ring[0], ring[1], share), _between(ring[1], ring[2], up)
    north, west = _between(ring[2], ring[3], share), _between(ring[3], ring[0], up)
    four = [
        shapely.Polygon([ring[0], south, middle, west]),
        shapely.Polygon([south, ring[1], east, middle]),
        shapely.Polygon([middle, east, ring[2], north]),
        shapely.Polygon([west, middle, north, ring[3]]),
    ]
    out = draw(st.sampled_from([None, 0, 1, 2, 3]))
    return [one for number, one in enumerate(four) if number != out]


def _holed(draw, ring):
    """A parcel with a hole, and in the hole a parcel or nothing."""
    inner = ring.mean(axis=0) + (ring - ring.mean(axis=0)) * draw(st.sampled_from([0.02, 0.3, 0.7, 0.999]))
    shell = shapely.Polygon(ring, [inner[::-1]])
    return [shell, shapely.Polygon(inner)] if draw(st.booleans()) else [shell]


def _touching(draw, ring):
    """A hole that touches the shell in a corner."""
    middle = ring.mean(axis=0)
    shell = shapely.Polygon(
        ring, [[ring[0], _between(middle, ring[1], 0.3), middle, _between(middle, ring[3], 0.3)]]
    )
    return [shell] if shell.is_valid else [shapely.Polygon(ring)]


def _parts(draw, ring):
    """One parcel of two parts on the sides of a strip, and the strip or nothing between."""
    one, other = draw(st.sampled_from([(0.45, 0.55), (0.2, 0.8), (0.499, 0.501)]))
    cut = [(_between(ring[0], ring[1], share), _between(ring[3], ring[2], share)) for share in (one, other)]
    both = shapely.MultiPolygon(
        [
            shapely.Polygon([ring[0], cut[0][0], cut[0][1], ring[3]]),
            shapely.Polygon([cut[1][0], ring[1], ring[2], cut[1][1]]),
        ]
    )
    strip = shapely.Polygon([cut[0][0], cut[1][0], cut[1][1], cut[0][1]])
    return [both, strip] if draw(st.booleans()) else [both]


def _hooked(draw, ring):
    """A parcel with a notch that opens by millimetres to metres."""
    width = draw(st.sampled_from([1e-4, 0.002, 0.05, 0.2]))
    low, high = 0.5 - width, 0.5 + width
    a, b = _between(ring[0], ring[1], low), _between(ring[0], ring[1], high)
    top_a, top_b = (
        _between(p, q, 0.8)
        for p, q in ((a, _between(ring[3], ring[2], low)), (b, _between(ring[3], ring[2], high)))
    )
    return [shapely.Polygon([ring[0], a, top_a, top_b, b, ring[1], ring[2], ring[3]])]


def _curved(draw, ring):
    """A parcel whose side is digitised with many short edges."""
    steps = np.linspace(0, 1, 25)[:, None]
    side = ring[1] + (ring[2] - ring[1]) * steps
    across = (ring[0] - ring[1]) / np.linalg.norm(ring[0] - ring[1])
    side = side + across * np.abs(np.sin(steps * 9)) * draw(st.sampled_from([0.02, 0.3, 2.0]))
    return [shapely.Polygon([ring[0], *side, ring[3]])]


def _gone(draw, ring):
    return []


FORMS = (_plain, _plain, _halves, _sliver, _corner, _holed, _touching, _parts, _hooked, _curved, _gone)
