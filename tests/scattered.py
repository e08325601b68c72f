"""Scattered shapes for the tests of overlaps: ragged blobs and boxes, each a function of its seed."""

from __future__ import annotations

import numpy as np
import shapely

AT = np.array([500_000.0, 4_340_000.0])


def blob(vertices: int, radius: float, seed: int, centre: tuple[float, float] = (0, 0)) -> shapely.Polygon:
    """A ragged round polygon: bays of a tenth of its radius, and noise on every vertex."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    distance = radius * (1 + 0.1 * np.sin(9 * angle) + rng.uniform(-0.5, 0.5, vertices) / vertices)
    return shapely.Polygon(AT + centre + np.c_[np.cos(angle), np.sin(angle)] * distance[:, None])


def field(size: float, count: int, seed: int) -> list[shapely.Polygon]:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-size, size, (count, 2))
    return [shapely.box(*(AT + corner), *(AT + corner + rng.uniform(1, size / 4, 2))) for corner in corners]
