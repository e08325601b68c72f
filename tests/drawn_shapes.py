"""Strategies for shapes near Beichen: stars, stars with a hole, and coverages without gaps or overlaps."""

from __future__ import annotations

import math

import numpy as np
import shapely
from hypothesis import strategies as st

ORIGIN = np.array([515_000.0, 4_345_000.0])


def at(east: float, north: float) -> np.ndarray:
    """Return the point so many metres from the origin."""
    return ORIGIN + np.array([east, north])


# Centimetres, as surveyors write them; small numbers of them make shared points and edges likely.
OFFSETS = st.integers(-400, 400).map(lambda centimetres: centimetres / 4)
RADII = st.integers(4, 120).map(float)


@st.composite
def stars(draw: st.DrawFn) -> shapely.Polygon:
    """A valid polygon of 3 to 9 corners round a centre, sometimes with a hole of the same form."""
    radii = draw(st.lists(RADII, min_size=3, max_size=9))
    centre = at(draw(OFFSETS), draw(OFFSETS))
    angles = [2 * math.pi * number / len(radii) for number in range(len(radii))]
    around = np.array([[r * math.cos(a), r * math.sin(a)] for r, a in zip(radii, angles, strict=True)])
    holes = [np.round(centre + around * 0.4, 3)] if draw(st.booleans()) else []
    return shapely.Polygon(np.round(centre + around, 3), holes)


@st.composite
def rectangles(draw: st.DrawFn) -> shapely.Polygon:
    """A box on a grid of 10 m, so that edges are often shared."""
    west, south = draw(st.integers(-6, 6)), draw(st.integers(-6, 6))
    width, height = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    corner = at(10 * west, 10 * south)
    return shapely.box(*corner, *at(10 * (west + width), 10 * (south + height)))


SHAPES = st.one_of(stars(), rectangles())


@st.composite
def coverages(draw: st.DrawFn) -> list[shapely.Polygon]:
    """Polygons that cover 240 m by 240 m round the origin exactly once: a bent grid."""
    cuts = [sorted(draw(st.sets(st.integers(-110, 110), min_size=1, max_size=4))) for _ in range(2)]
    xs, ys = ([-400, *cut, 400] for cut in cuts)
    inner = {
        (i, j): at(x + draw(st.integers(-4, 4)) / 10, y + draw(st.integers(-4, 4)) / 10)
        for i, x in enumerate(xs)
        for j, y in enumerate(ys)
    }
    cells = [(i, j) for i in range(len(xs) - 1) for j in range(len(ys) - 1)]
    rings = [[inner[i, j], inner[i + 1, j], inner[i + 1, j + 1], inner[i, j + 1]] for i, j in cells]
    return list(map(shapely.Polygon, rings))
