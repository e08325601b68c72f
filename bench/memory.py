"""Peak memory of an ingest by the number of polygons in the file: it must not grow with the file.

python bench/memory.py [--polygons 100000 500000 2000000]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from project import private_project, reader

CHUNK = 100_000
SIDES = 20
# The child measures itself: the parent's figure for children is the greatest of all so far.
CHILD = """
import resource, sys
from lowland_gis.cli.process import keep_memory
keep_memory()  # as the program does
from lowland_gis.cli import main
try:
    main(sys.argv[1:])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
"""


def main() -> None:
    """Measure and print one line a size."""
    parser = reader(__doc__)
    parser.add_argument("--polygons", type=int, nargs="+", default=[100_000, 500_000, 2_000_000])
    arguments = parser.parse_args()
    with private_project() as (folder, dsn):
        for count in arguments.polygons:
            measure(folder, count, dsn)


def measure(folder: Path, count: int, dsn: str) -> None:
    """Ingest a layer of so many polygons and print time and peak memory."""
    path = folder / f"polygons_{count}.gpkg"
    write_shapefile(path, count)
    begun = time.perf_counter()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            CHILD,
            "--project",
            str(folder / "lowland.toml"),
            "ingest",
            "dltb3",
            str(path),
        ],
        env=os.environ | {"LOWLAND_DSN": dsn},
        check=True,
        capture_output=True,
        text=True,
    )
    spent = time.perf_counter() - begun
    peak = float(done.stderr.strip().splitlines()[-1])
    print(
        f"{count:>9,} polygons of {SIDES} sides  {path.stat().st_size / 1e6:7.0f} MB file  {spent:7.1f} s  peak {peak:6.0f} MB",
        flush=True,
    )
    path.unlink()


def write_shapefile(path: Path, count: int) -> None:
    """Write round polygons in rows, a part of the file at a time."""
    for first in range(0, count, CHUNK):
        number = np.arange(first, min(first + CHUNK, count))
        places = shapely.points(500_000 + 60.0 * (number % 700), 4_330_000 + 60.0 * (number // 700))
        shapes = shapely.buffer(places, 25.0, quad_segs=SIDES // 4)
        rows = {"BSM": [f"{value:018d}" for value in number], "DLBM": "0601", "TBMJ": shapely.area(shapes)}
        mode = "w" if first == 0 else "a"
        gpd.GeoDataFrame(rows, geometry=shapes, crs=4548).to_file(path, layer="DLTB", mode=mode)


if __name__ == "__main__":
    main()
