"""Layers that want everything of the cells: parcels over their edges, one over many, a zone over all, holes, odd ends."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

CORNER = np.array([500_000.0, 4_300_000.0])


def mesh(count: int, side: float, jitter: float, seed: int) -> list[shapely.Polygon]:
    rng = np.random.default_rng(seed)
    lines = np.arange(count + 1) * side
    nodes = np.stack(np.meshgrid(lines, lines, indexing="ij"), axis=-1) + CORNER
    nodes += rng.uniform(-jitter, jitter, nodes.shape)
    return [
        shapely.Polygon([nodes[i, j], nodes[i + 1, j], nodes[i + 1, j + 1], nodes[i, j + 1]])
        for i in range(count)
        for j in range(count)
    ]


@pytest.fixture(scope="session")
def parcels() -> gpd.GeoDataFrame:
    shapes = mesh(20, 100, 20, 1)
    wide = shapely.box(*CORNER + 150, *CORNER + 1850).difference(shapely.Point(*CORNER + 700).buffer(150))
    shapes += [wide, None, shapely.Polygon()]
    return gpd.GeoDataFrame(
        {"parcel_id": [f"p{n:04}" for n in range(len(shapes))]}, geometry=shapes, crs=4548
    )


@pytest.fixture(scope="session")
def zones() -> gpd.GeoDataFrame:
    shapes = mesh(27, 75, 15, 2)
    turn = np.linspace(0, 2 * np.pi, 6000, endpoint=False)
    reach = 900 * (1 + 0.1 * np.sin(40 * turn))
    star = shapely.Polygon(np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1) + CORNER + 1000)
    red = star.difference(shapely.Point(*CORNER + 1100).buffer(250, quad_segs=300))
    assert red.is_valid
    codes = [f"{n % 11:04}" for n in range(len(shapes))]
    return gpd.GeoDataFrame({"code": [*codes, "red"]}, geometry=[*shapes, red], crs=4548)
