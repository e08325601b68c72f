"""Small districts for units: blocks of parcels cut at random, roads between, low-efficiency land in clusters."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

# Real coordinates of the district: what is exact near zero may not be here.
ORIGIN = np.array([515_000.0, 4_345_000.0])
ROAD_M = 24.0


def district(
    seed: int, *, blocks: int = 4, block_m: float = 300.0, parcel_m2: float = 9_000.0, low: float = 0.55
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, np.ndarray]:
    """Return parcels (with low_m2, kind, zone, public_m2, reason), the town, and the roads between `blocks` × 1 blocks."""
    random = np.random.default_rng(seed)
    pitch = block_m + ROAD_M
    boxes = [
        box
        for at in range(blocks)
        for box in _cut(random, (at * pitch, 0, at * pitch + block_m, block_m), parcel_m2)
    ]
    shapes = shapely.transform(np.array(boxes, dtype=object), lambda points: points + ORIGIN)
    centres = shapely.get_coordinates(shapely.centroid(shapes)) - ORIGIN
    wave = (
        np.sin(centres[:, 0] / 90 + seed) + np.cos(centres[:, 1] / 70) + 0.6 * random.normal(size=len(shapes))
    )
    area = shapely.area(shapes)
    is_low = wave > np.quantile(wave, 1 - low)
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": [f"P{number:04d}" for number in random.permutation(len(shapes))],
            "area_m2": area,
            "low_m2": np.where(is_low, area, 0.0),
            "kind": np.where(is_low, np.where(centres[:, 1] > block_m / 2, "industrial", "town"), None),
            "zone": np.where(centres[:, 0] % pitch > block_m * 0.6, "A", "B"),
            "public_m2": np.where(random.random(len(shapes)) < 0.3, area, 0.0),
            "reason": np.where(random.random(len(shapes)) < 0.05, "生态保护红线", None),
        },
        geometry=shapes,
        crs=4548,
    )
    ends = [at * pitch - ROAD_M / 2 for at in range(blocks + 1)]
    roads = [shapely.LineString([(x, -100), (x, block_m + 100)]) for x in ends]
    whole = shapely.box(-100, -100, blocks * pitch + 100, block_m + 100)
    town = gpd.GeoDataFrame(
        {"town_code": ["120113100"]},
        geometry=[shapely.transform(whole, lambda points: points + ORIGIN)],
        crs=4548,
    )
    return parcels, town, shapely.transform(np.array(roads, dtype=object), lambda points: points + ORIGIN)


def _cut(random: np.random.Generator, box: tuple[float, ...], parcel_m2: float) -> list[shapely.Polygon]:
    west, south, east, north = box
    if (east - west) * (north - south) < parcel_m2 * random.uniform(0.8, 2.0):
        return [shapely.box(*box)]
    lane, part = float(random.choice([0.0, 0.0, 4.0, 7.0])), float(random.uniform(0.35, 0.65))
    if east - west >= north - south:
        middle = west + (east - west) * part
        halves = ((west, south, middle - lane / 2, north), (middle + lane / 2, south, east, north))
    else:
        middle = south + (north - south) * part
        halves = ((west, south, east, middle - lane / 2), (west, middle + lane / 2, east, north))
    return [shape for half in halves for shape in _cut(random, half, parcel_m2)]
