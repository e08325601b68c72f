"""A district for the benchmarks of tabulation: parcels and zones of about 50 vertices, written once as GeoParquet.

    python bench/district.py [--parcels 50000]

For N parcels there are about 3.1 N zones in one file, layer after layer:

| layer | zones | what |
|---|---|---|
| `s3` third survey | 1.82 N + 4 % | a mesh of its own, wiggly edges of 12 segments; one polygon in 25 has a hole with a pond in it |
| `s2` second survey | 1.06 N | the parcels' own outlines, drifted by up to 2 m, and the streets between their blocks |
| `plan` | 0.084 N | a coarse mesh |
| `red` red lines | 12 per 50,000 parcels, at least 2 | blobs of 1,500 to 7,000 vertices |

Parcels lie in blocks of 4 by 4 with streets between; neighbours share their boundary exactly. A parcel meets about ten zones.
Coordinates are on the 0.1 mm grid of survey data. Every vertex is a function of the seed and of its place in the mesh, so the
same size gives the same bytes, however it is cut into batches.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from project import reader
from pyproj import CRS

# Where districts and figures are kept; LOWLAND_BENCH_HOME puts them elsewhere, for a trial.
HOME = Path(os.environ.get("LOWLAND_BENCH_HOME", Path(__file__).parent))
DATA = HOME / "data"
VERSION = 1  # of what is written: another one is another folder
EPSG = 4548
SOUTH_WEST = np.array([515_000.0, 4_345_000.0])
GRID_M = 1e-4
PITCH_M = 100.0
BLOCK = 4  # parcels along a side of a block
FILLED = 0.88  # share of a block's side that parcels fill; the rest is street
BAND = 16  # rows of cells made at a time
ROW_GROUP = 30_000
RED_LINES = 12 / 50_000
POND_SHARE = 0.04
LAND_USE = (
    "0101",
    "0103",
    "0301",
    "0404",
    "0601",
    "0602",
    "0701",
    "0702",
    "0801",
    "1003",
    "1006",
    "1104",
    "1202",
)
PLAN_USE = ("070102", "080401", "090101", "100101", "1207", "1401", "150101")
_WKB_POLYGON = 3

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class District:
    """Where the files of one size lie and how many rows they hold."""

    parcels: Path
    zones: Path
    n_parcels: int
    n_zones: int


@dataclass
class Mesh:
    """A bent grid of cells: nodes off their place, edges wiggly; neighbours share their points."""

    seed: int
    columns: int
    rows: int
    pitch: Floats
    segments: int = 12
    jitter: float = 0.16  # of the pitch
    wiggle: float = 0.018  # of the pitch

    def nodes(self, i: Ids, j: Ids) -> Floats:
        """Return the points of the grid's nodes."""
        off = np.stack([noise(self.seed, 1, i, j), noise(self.seed, 2, i, j)], axis=-1) * self.jitter
        return (np.stack([i, j], axis=-1) + off) * self.pitch

    def edges(self, i: Ids, j: Ids, step: tuple[int, int]) -> Floats:
        """Return `segments` points of each edge from node (i, j) towards the next one in a direction, its end left out."""
        start, end = self.nodes(i, j), self.nodes(i + step[0], j + step[1])
        along = end - start
        across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
        t = np.arange(self.segments) / self.segments
        k = np.arange(self.segments)
        kind = 3 + step[1]
        rough = noise(self.seed, 10 + kind, i[..., None], j[..., None], k)
        bend = noise(self.seed, 20 + kind, i, j)[..., None] * np.sin(2 * math.pi * t)
        side = np.sin(math.pi * t) * self.wiggle * (rough + 2 * bend)
        return start[..., None, :] + t[:, None] * along[..., None, :] + side[..., None] * across[..., None, :]

    def rings(self, first: int, last: int) -> tuple[Ids, Floats]:
        """Return the cells (column, row) of some rows of the mesh, tile by tile, and their closed rings."""
        j, i = np.meshgrid(np.arange(first, last + 1), np.arange(self.columns + 1), indexing="ij")
        flat = self.edges(i, j, (1, 0))
        steep = self.edges(i, j, (0, 1))
        corner = self.nodes(i, j)
        south, north = flat[:-1, :-1], flat[1:, :-1]
        west, east = steep[:-1, :-1], steep[:-1, 1:]
        # An edge walked backwards starts at its far node and ends before its near one.
        back_north = np.concatenate([corner[1:, 1:, None], north[..., :0:-1, :]], axis=-2)
        back_west = np.concatenate([corner[1:, :-1, None], west[..., :0:-1, :]], axis=-2)
        rings = np.concatenate([south, east, back_north, back_west, corner[:-1, :-1, None]], axis=-2)
        cells = np.stack([i[:-1, :-1], j[:-1, :-1]], axis=-1).reshape(-1, 2)
        order = np.lexsort((cells[:, 0], cells[:, 1], cells[:, 0] // BAND))
        return cells[order], rings.reshape(len(cells), -1, 2)[order]

    def bands(self) -> Iterator[tuple[Ids, Floats]]:
        """Yield the rings of the whole mesh, some rows at a time."""
        for first in range(0, self.rows, BAND):
            yield self.rings(first, min(first + BAND, self.rows))


def district(parcels: int, folder: Path = DATA) -> District:
    """Return the district of about so many parcels; it is made when it is not there."""
    target = folder / f"{parcels}-v{VERSION}"
    files = District(target / "parcels.parquet", target / "zones.parquet", 0, 0)
    if not files.zones.exists():
        target.mkdir(parents=True, exist_ok=True)
        side = math.sqrt(parcels)
        columns = BLOCK * max(1, round(side / BLOCK))
        rows = BLOCK * max(1, round(parcels / columns / BLOCK))
        write(files.parcels, "parcel_id", parcel_rows(columns, rows))
        write(files.zones, "code", zone_rows(columns, rows))
    counts = [pq.ParquetFile(path).metadata.num_rows for path in (files.parcels, files.zones)]
    return District(files.parcels, files.zones, *counts)


def noise(*ids: int | Ids) -> Floats:
    """Return numbers in [-1, 1) that depend on the ids alone (SplitMix64)."""
    state = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        for number in ids:
            state = state ^ np.asarray(number).astype(np.uint64)
            state = state + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1


def parcel_mesh(columns: int, rows: int) -> Mesh:
    """Return the mesh that parcels are cut from."""
    return Mesh(1, columns, rows, np.array([PITCH_M, PITCH_M]))


def parcel_outlines(mesh: Mesh, first: int, last: int) -> tuple[Ids, Floats]:
    """Return the outlines of parcels, in their blocks. The cell says the block: points may lie a little beyond it."""
    cells, rings = mesh.rings(first, last)
    side = BLOCK * PITCH_M
    middle = ((cells // BLOCK + 0.5) * side)[:, None, :]
    return cells, middle + (rings - middle) * FILLED


def parcel_rows(columns: int, rows: int) -> Iterator[tuple[list[str], pa.Array]]:
    """Yield the parcels: codes as the land registry writes them, and polygons."""
    mesh = parcel_mesh(columns, rows)
    for first in range(0, rows, BAND):
        cells, rings = parcel_outlines(mesh, first, min(first + BAND, rows))
        names = [f"120113{j:05}GB{i:05}" for i, j in cells.tolist()]
        yield names, polygons(rings)


def zone_rows(columns: int, rows: int) -> Iterator[tuple[list[str], pa.Array]]:
    """Yield the zones of all layers."""
    extent = np.array([columns, rows]) * PITCH_M
    yield from third_survey(extent)
    yield from second_survey(columns, rows)
    yield from plan(extent)
    yield from red_lines(extent, max(2, round(columns * rows * RED_LINES)))


def third_survey(extent: Floats) -> Iterator[tuple[list[str], pa.Array]]:
    """Yield a mesh of its own, 1.82 cells a parcel; some cells have a pond in a hole."""
    mesh = covering(2, extent, PITCH_M / math.sqrt(1.82))
    for cells, rings in mesh.bands():
        wet = (noise(2, 30, cells[:, 0], cells[:, 1]) + 1) / 2 < POND_SHARE
        codes = chosen("s3", LAND_USE, 2, cells)
        ponds = pond_rings(cells[wet], rings[wet])
        yield codes[~wet].tolist(), polygons(rings[~wet])
        yield codes[wet].tolist(), polygons(rings[wet], ponds[:, ::-1])
        yield ["s3:1104"] * int(wet.sum()), polygons(ponds)


def pond_rings(cells: Ids, rings: Floats) -> Floats:
    """Return a round ring of 24 vertices about the middle of each cell."""
    angles = 2 * math.pi * np.arange(25) / 24
    radius = 12 + 4 * noise(2, 31, cells[:, :1], cells[:, 1:], np.arange(25) % 24)
    around = np.stack([np.cos(angles), np.sin(angles)], axis=-1) * radius[..., None]
    around[:, -1] = around[:, 0]
    return rings[:, :-1].mean(axis=1)[:, None, :] + around


def second_survey(columns: int, rows: int) -> Iterator[tuple[list[str], pa.Array]]:
    """Yield the parcels' outlines with the drift of an old survey, and the streets along the south and west of each block."""
    mesh = parcel_mesh(columns, rows)
    for first in range(0, rows, BAND):
        cells, rings = parcel_outlines(mesh, first, min(first + BAND, rows))
        yield chosen("s2", LAND_USE, 3, cells).tolist(), polygons(drifted(rings))
    across, up = np.meshgrid(np.arange(columns // BLOCK), np.arange(rows // BLOCK))
    corners = np.stack([across, up], axis=-1).reshape(-1, 1, 2) * BLOCK * PITCH_M
    width = BLOCK * PITCH_M * (1 - FILLED) / 2 - PITCH_M * 0.2
    yield ["s2:1003"] * len(corners), polygons(drifted(corners + street(width)))


def street(width: float) -> Floats:
    """Return the ring of an L along two sides of a block, 12 segments on each long side."""
    far = BLOCK * PITCH_M
    inner, long = np.linspace(width, far, 13), np.linspace(0, far, 13)
    south = np.stack([long, np.full(13, -width)], axis=-1)
    back_south = np.stack([inner[::-1], np.full(13, width)], axis=-1)
    up_west = np.stack([np.full(12, width), inner[1:]], axis=-1)
    back_west = np.stack([np.full(13, -width), long[::-1]], axis=-1)
    return np.concatenate([south, back_south, up_west, back_west, [[-width, -width]], south[:1]])


def drifted(points: Floats) -> Floats:
    """Move points by a smooth field of up to 2 m, as two surveys of one boundary differ."""
    x, y = points[..., 0], points[..., 1]
    east = np.sin(x / 310 + 1) * np.cos(y / 170) + np.sin(y / 47 + x / 900)
    north = np.cos(x / 190) * np.sin(y / 290 + 2) + np.sin(x / 53 - y / 800)
    return points + np.stack([east, north], axis=-1)


def plan(extent: Floats) -> Iterator[tuple[list[str], pa.Array]]:
    """Yield the zones of a plan, larger than parcels."""
    for cells, rings in covering(4, extent, PITCH_M / math.sqrt(0.084)).bands():
        yield chosen("plan", PLAN_USE, 4, cells).tolist(), polygons(rings)


def red_lines(extent: Floats, count: int) -> Iterator[tuple[list[str], pa.Array]]:
    """Yield blobs of 1,500 to 7,000 vertices, each in its own part of the district."""
    across = max(1, round(math.sqrt(count)))
    part = extent / np.array([across, math.ceil(count / across)])
    for number in range(count):
        vertices = 1_500 + round(5_500 * number / max(1, count - 1))
        angles = 2 * math.pi * np.arange(vertices + 1) / vertices
        bends = sum(
            noise(5, number, k) / k * np.cos(k * angles + 3 * noise(6, number, k)) for k in range(2, 9)
        )
        rough = noise(7, number, np.arange(vertices + 1) % vertices)
        radius = 0.33 * part.min() * (1 + 0.25 * bends + 2 / vertices * rough)
        middle = part * (np.array([number % across, number // across]) + 0.5)
        ring = middle + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        ring[-1] = ring[0]
        yield [f"red:{number % 3 + 1}"], polygons(ring[None])


def covering(seed: int, extent: Floats, pitch: float) -> Mesh:
    """Return a mesh of about this pitch that covers the extent and a cell beyond it."""
    counts = np.maximum(1, np.round(extent / pitch)).astype(int)
    exact = extent / counts
    return Mesh(seed, int(counts[0]), int(counts[1]), exact)


def chosen(layer: str, codes: tuple[str, ...], seed: int, cells: Ids) -> npt.NDArray[np.str_]:
    """Return a code for each cell; neighbours often share one."""
    near = noise(seed, 40, cells[:, 0] // 3, cells[:, 1] // 3)
    own = noise(seed, 41, cells[:, 0], cells[:, 1])
    pick = ((np.where(own < 0, near, own) + 1) / 2 * len(codes)).astype(int)
    return np.array([f"{layer}:{code}" for code in codes])[np.minimum(pick, len(codes) - 1)]


def polygons(shells: Floats, holes: Floats | None = None) -> pa.Array:
    """Return rings of one length each, metres from the south-west, as WKB polygons on the grid of survey data."""
    parts = [
        np.round((rings + SOUTH_WEST) / GRID_M) * GRID_M for rings in (shells, holes) if rings is not None
    ]
    head = np.frombuffer(
        np.array([1], "u1").tobytes() + np.array([_WKB_POLYGON, len(parts)], "<u4").tobytes(), "u1"
    )
    pieces = [np.broadcast_to(head, (len(shells), len(head)))]
    for rings in parts:
        count = np.frombuffer(np.array([rings.shape[1]], "<u4").tobytes(), "u1")
        # Division by the grid and back may leave a last digit that no file would hold.
        points = np.ascontiguousarray(np.round(rings, 4), dtype="<f8").reshape(len(rings), -1)
        pieces += [np.broadcast_to(count, (len(shells), 4)), points.view("u1")]
    content = np.concatenate(pieces, axis=1)
    offsets = np.arange(len(shells) + 1, dtype=np.int32) * content.shape[1]
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(shells), [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(content))]
    )


def write(path: Path, name: str, rows: Iterator[tuple[list[str], pa.Array]]) -> None:
    """Write GeoParquet 1.1 with WKB; the file has its name only when it is whole."""
    column = {
        "encoding": "WKB",
        "geometry_types": ["Polygon"],
        "crs": json.loads(CRS.from_epsg(EPSG).to_json()),
    }
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    schema = pa.schema(
        [(name, pa.string()), ("geometry", pa.binary())],
        metadata={"geo": json.dumps(geo, ensure_ascii=False)},
    )
    partial = path.with_suffix(".partial")
    kept: list[pa.Table] = []
    with pq.ParquetWriter(partial, schema, compression="snappy") as writer:
        for texts, shapes in rows:
            kept.append(pa.table([pa.array(texts, pa.string()), shapes], schema=schema))
            if sum(table.num_rows for table in kept) >= ROW_GROUP:
                writer.write_table(pa.concat_tables(kept), row_group_size=ROW_GROUP)
                kept.clear()
        writer.write_table(pa.concat_tables(kept) if kept else schema.empty_table(), row_group_size=ROW_GROUP)
    partial.replace(path)


def main() -> None:
    """Make a district and say what it holds."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=50_000)
    made = district(parser.parse_args().parcels)
    print(f"{made.parcels}: {made.n_parcels:,} parcels\n{made.zones}: {made.n_zones:,} zones")


if __name__ == "__main__":
    main()
