"""Maps drawn in text: a letter is a cell of 10 m by 10 m, north is up, a dot is nothing.

All cells of one letter are one shape; where they only meet at corners it is a multipolygon.
"""

from __future__ import annotations

import geopandas as gpd
import shapely

CELL_M = 10.0
# Real coordinates of the district: what is exact near zero may not be here.
EASTING_M, NORTHING_M = 515_000.0, 4_345_000.0
CRS = 4548


def shapes(text: str) -> dict[str, shapely.Geometry]:
    """Return the shape of every letter of a map, in the order of the alphabet."""
    lines = [line.strip() for line in text.strip().splitlines()]
    cells: dict[str, list[shapely.Polygon]] = {}
    for row, line in enumerate(reversed(lines)):
        for column, letter in enumerate(line):
            if letter != ".":
                west, south = EASTING_M + column * CELL_M, NORTHING_M + row * CELL_M
                cells.setdefault(letter, []).append(shapely.box(west, south, west + CELL_M, south + CELL_M))
    return {letter: shapely.union_all(cells[letter]) for letter in sorted(cells)}


def parcels(text: str) -> gpd.GeoDataFrame:
    """Return parcel_id (the letter) and area_m2 of a map of parcels."""
    drawn = shapes(text)
    frame = gpd.GeoDataFrame({"parcel_id": list(drawn)}, geometry=list(drawn.values()), crs=CRS)
    return frame.assign(area_m2=frame.area, reason=None)


def zones(*maps: str) -> gpd.GeoDataFrame:
    """Return code (the letter) of every letter of every map; maps lie on each other, so their zones may overlap."""
    drawn = [(letter, shape) for text in maps for letter, shape in shapes(text).items()]
    return gpd.GeoDataFrame(
        {"code": [letter for letter, _ in drawn]}, geometry=[shape for _, shape in drawn], crs=CRS
    )
