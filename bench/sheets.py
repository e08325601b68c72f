"""How long a sheet of a parcel takes on one core, after the first: put together, drawn and written.

    python bench/sheets.py [--project lowland.toml] [--parcels 2000] [--sheets 200]

Without --project a sample district of that size goes through all stages first, in a folder and a database of its own that are gone
afterwards. Median, greatest and mean of all sheets but the first are printed, in seconds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, median
from time import perf_counter, process_time

from lowland_gis.db.private import cluster as clusters
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.products.case_book import PARCELS
from lowland_gis.pipeline.products.case_sheets import draw_sheets, sheets_of

MOST_SECONDS = 0.25


def main() -> None:
    """Draw sheets and print how long they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--project", type=Path, help="the lowland.toml of a district that has gone through all stages"
    )
    parser.add_argument("--parcels", type=int, default=2000)
    parser.add_argument("--sheets", type=int, default=200)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if options.project is not None:
        measure(options.project, options.sheets)
        return
    with tempfile.TemporaryDirectory(prefix="lowland-sheets-") as folder:
        os.environ["LOWLAND_STATE"] = folder
        Path(folder).chmod(0o755)
        made = [
            sys.executable,
            "-m",
            "lowland_gis",
            "demo",
            f"{folder}/district",
            "--parcels",
            str(options.parcels),
        ]
        subprocess.run(made, check=True, capture_output=True)
        try:
            measure(Path(folder) / "district" / "lowland.toml", options.sheets)
        finally:
            clusters.remove(clusters.locate(Path(folder) / "district", env=os.environ))


def measure(project: Path, count: int) -> None:
    """Print the times of some sheets of a project."""
    times: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="lowland-sheets-") as folder,
        sheets_of(open_project(project)) as (book, drawer, _),
    ):
        begun, worked = perf_counter(), 0.0
        for _ in draw_sheets(book, PARCELS, Path(folder), drawer, most=count):
            times.append(perf_counter() - begun)
            worked = worked or process_time()
            begun = perf_counter()
        worked = process_time() - worked
    first, rest = times[0], times[1:]
    print(f"{len(times)} sheets; the first (fonts, and what the next ones need) {first:.2f} s")
    print(
        f"after it: mean {mean(rest):.3f} s, median {median(rest):.3f} s, greatest {max(rest):.3f} s; at most {MOST_SECONDS} s are wanted"
    )

    print(
        f"of which this process worked {worked / len(rest):.3f} s a sheet; the rest is the database, and whoever else uses the core"
    )


if __name__ == "__main__":
    main()
