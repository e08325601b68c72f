"""Districts of other shapes than the usual one, so that nobody tunes on it alone.

    python bench/other_shapes.py [--parcels 50000]

| name | parcels | zones |
|---|---|---|
| `voronoi` | N lots of 48 vertices in rows along streets, 24 m by 60 m | 1.9 N Voronoi cells of about 59 vertices, no relation to the rows |
| `grid` | the same lots | 1.16 N lots of another grid, 48 vertices each, as where two cadastres of one place meet |

Lots lie back to back, two rows between two streets; neighbours share their boundary exactly, zones too. Coordinates are on the 0.1 mm
grid of survey data, and every vertex is a function of the seed and of its place, so the same size gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from district import (
    DATA,
    GRID_M,
    LAND_USE,
    SOUTH_WEST,
    District,
    Floats,
    Ids,
    Mesh,
    chosen,
    noise,
    polygons,
    write,
)
from project import reader
from scipy.spatial import Voronoi

VERSION = 1
LOT_M = np.array([24.0, 60.0])
STREET_M = 12.0
VORONOI_PER_LOT, GRID_PER_LOT = 1.9, 1.16
SEGMENTS = 10  # of each edge of a Voronoi cell; it has six on average
WIGGLE = 0.03  # of the length of an edge
SHAPES = ("voronoi", "grid")

Rows = Iterator[tuple[list[str], pa.Array]]


def other_district(shape: str, parcels: int, folder: Path = DATA) -> District:
    """Return a district of a shape (`SHAPES`) of about so many parcels; it is made when it is not there."""
    target = folder / f"{shape}-{parcels}-v{VERSION}"
    files = District(target / "parcels.parquet", target / "zones.parquet", 0, 0)
    if not files.zones.exists():
        target.mkdir(parents=True, exist_ok=True)
        mesh = lots(parcels)
        extent = np.array([mesh.columns, mesh.rows]) * mesh.pitch
        extent[1] += STREET_M * (mesh.rows / 2)
        write(files.parcels, "parcel_id", lot_rows(mesh))
        zones = voronoi_rows if shape == "voronoi" else grid_rows
        write(files.zones, "code", zones(extent, mesh.columns * mesh.rows))
    counts = [pq.ParquetFile(path).metadata.num_rows for path in (files.parcels, files.zones)]
    return District(files.parcels, files.zones, *counts)


def lots(parcels: int) -> Mesh:
    """Return the mesh of lots of about so many parcels, about as wide as high."""
    rows = max(2, 2 * round(math.sqrt(parcels * LOT_M[0] / (LOT_M[1] + STREET_M / 2)) / 2))
    return Mesh(11, max(1, round(parcels / rows)), rows, LOT_M, jitter=0.1)


def lot_rows(mesh: Mesh) -> Rows:
    """Yield the lots; every second row a street goes between."""
    for cells, rings in mesh.bands():
        rings[..., 1] += STREET_M * (cells[:, 1] // 2)[:, None]
        yield [f"120113{j:05}GB{i:05}" for i, j in cells.tolist()], polygons(rings)


def grid_rows(extent: Floats, parcels: int) -> Rows:
    """Yield the lots of another grid over the same ground: squarer ones, that begin beside it."""
    side = math.sqrt(extent.prod() / (parcels * GRID_PER_LOT))
    counts = np.ceil(extent / side).astype(int)
    mesh = Mesh(12, int(counts[0]), int(counts[1]), extent / counts)
    for cells, rings in mesh.bands():
        yield chosen("lot", LAND_USE, 12, cells).tolist(), polygons(rings + 3.7)


def voronoi_rows(extent: Floats, parcels: int) -> Rows:
    """Yield Voronoi cells over the ground and a little beyond it; an edge has the same points for the cells on both sides."""
    number = np.arange(round(parcels * VORONOI_PER_LOT))
    places = (np.stack([noise(13, 1, number), noise(13, 2, number)], axis=-1) + 1) / 2
    cells = Voronoi(places * extent)
    inside = [
        point
        for point, region in enumerate(cells.point_region)
        if _is_closed(cells.regions[region], cells, extent)
    ]
    names = chosen("v", LAND_USE, 13, np.round(places[inside] * 1e4).astype(np.int64)).tolist()
    shapes = [_cell(cells.regions[cells.point_region[point]], cells.vertices) for point in inside]
    yield names, pa.array(shapely.to_wkb(shapely.polygons(shapes)), pa.binary())


def _is_closed(region: list[int], cells: Voronoi, extent: Floats) -> bool:
    if not region or -1 in region:
        return False
    corners = cells.vertices[region]
    return bool((corners > -0.2 * extent).all() and (corners < 1.2 * extent).all())


def _cell(region: list[int], vertices: Floats) -> shapely.LinearRing:
    ends = [*region[1:], region[0]]
    points = np.concatenate([_edge(a, b, vertices) for a, b in zip(region, ends, strict=True)])
    on_grid: npt.NDArray[np.float64] = np.round(np.round((points + SOUTH_WEST) / GRID_M) * GRID_M, 4)
    return shapely.linearrings(on_grid)


def _edge(start: int, end: int, vertices: Floats) -> Floats:
    """Return the points of an edge, its end left out; drawn from its lower node and turned round, so both sides have the same."""
    low, high = min(start, end), max(start, end)
    along = vertices[high] - vertices[low]
    steps: Ids = np.arange(SEGMENTS + 1)
    t = steps / SEGMENTS
    side = np.sin(math.pi * t) * WIGGLE * noise(13, 3, low, high, steps)
    points = vertices[low] + t[:, None] * along + side[:, None] * np.array([-along[1], along[0]])
    points[0], points[-1] = vertices[low], vertices[high]
    return points[:-1] if start == low else points[:0:-1]


def main() -> None:
    """Make the districts and say what they hold."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=50_000)
    wanted = parser.parse_args().parcels
    for shape in SHAPES:
        made = other_district(shape, wanted)
        print(f"{made.parcels}: {made.n_parcels:,} parcels\n{made.zones}: {made.n_zones:,} zones")


if __name__ == "__main__":
    main()
