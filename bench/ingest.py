"""Ingest of a shapefile of N polygons against ogr2ogr with COPY loading the same file bare, in turn, each its own process.

    python bench/ingest.py [--parcels 100000] [--rounds 5]

Both write to one private PostGIS made for the purpose. lowland also takes a digest, decides the encoding, checks and repairs
geometries, computes ellipsoidal areas, keeps every field as JSON and maintains the spatial index.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from project import private_project, reader, seconds

from lowland_gis.sample import write_district


def main() -> None:
    """Measure and print one table."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with private_project() as (folder, dsn):
        write_district(folder, parcels=arguments.parcels)
        measure(folder, folder / "incoming/不动产登记中心/宗地.shp", dsn, arguments.rounds)


def measure(folder: Path, shapefile: Path, dsn: str, rounds: int) -> None:
    """Run both programs in turn and print medians and the ratio pair by pair."""
    ours, theirs = [], []
    for number in range(rounds + 1):
        # A part of its own, so that the same bytes are loaded again.
        command = [
            sys.executable,
            "-m",
            "lowland_gis",
            "-q",
            "--project",
            str(folder / "lowland.toml"),
            "ingest",
            "parcel",
        ]
        spent = seconds(lambda: run([*command, str(shapefile), "--part", str(number)], LOWLAND_DSN=dsn))  # noqa: B023
        bare = seconds(lambda: run(ogr2ogr(shapefile, dsn, f"bare_{number}"), PG_USE_COPY="YES"))  # noqa: B023
        if number:  # the first round warms the caches
            ours.append(spent)
            theirs.append(bare)
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    print(f"lowland ingest   median {statistics.median(ours):6.2f} s")
    print(f"ogr2ogr COPY     median {statistics.median(theirs):6.2f} s")
    print(
        f"ratio            median {statistics.median(ratios):6.2f}     min {min(ratios):.2f}  max {max(ratios):.2f}"
    )


def ogr2ogr(shapefile: Path, dsn: str, table: str) -> list[str]:
    """Return the command that loads the file bare: COPY, geometry and index, no checks."""
    return [
        "ogr2ogr", "-f", "PostgreSQL", f"PG:{dsn}", str(shapefile), "-nln", table, "-nlt", "PROMOTE_TO_MULTI",
        "-lco", "GEOMETRY_NAME=geom", "-oo", "ENCODING=GBK", "-a_srs", "EPSG:4548", "-gt", "unlimited",
    ]  # fmt: skip


def run(command: list[str], **environment: str) -> None:
    """Run one program and fail when it does."""
    subprocess.run(command, env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
