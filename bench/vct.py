"""Measure reading the exchange format of land surveys (VCT) against a shapefile of the same polygons, each in a process of its own.

Type: python bench/vct.py [--polygons N] [--folder DIR]. The polygons are those of the sample's third survey again and again; `lowland convert`
writes both files. Printed are seconds of the processor and the peak memory of a process that reads all batches, imports included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.pipeline.conversion.convert import Asked, convert

SAMPLE = Path(__file__).parent.parent / "sample_data" / "incoming" / "规资分局" / "三调成果.gdb"
STEP_M, PER_ROW = 3_000, 15


# What a process does that only reads: it loads what the program needs and nothing else.
READ = """
import json, sys, time
from pathlib import Path
start, rows = time.process_time(), 0
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
with opened(sys.argv[1], Path(sys.argv[1]).parent) as source, received(source) as arrived:
    for batch in arrived.batches:
        if batch.wkb is None or len(batch.wkb) != batch.attributes.num_rows:
            raise SystemExit("there are rows without shapes")
        rows += batch.attributes.num_rows
# Not getrusage: a process that was started counts what the one that started it had.
status = Path("/proc/self/status").read_text(encoding="ascii")
print(json.dumps([time.process_time() - start, int(status.split("VmHWM:")[1].split()[0]) / 1024, rows]))
"""


def main() -> None:
    """Make both files, read each in turn three times, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--polygons", type=int, default=300_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = asked.folder or Path(folder)
        if not (place / "survey.vct").exists():
            _make(place, asked.polygons)
        found: dict[str, list[tuple[float, float, int]]] = {"survey.shp": [], "survey.vct": []}
        for _ in range(3):
            for name, runs in found.items():
                command = [sys.executable, "-c", READ, str(place / name)]
                runs.append(
                    tuple(
                        json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
                    )
                )
        print("| file | MB | polygons | CPU s (least of 3) | peak MB |\n|---|---|---|---|---|")
        least = {}
        for name, runs in found.items():
            least[name] = min(seconds for seconds, _, _ in runs)
            size = sum(
                part.stat().st_size
                for part in place.glob(f"{Path(name).stem}.*")
                if (part.suffix == ".vct") == name.endswith("vct")
            )
            memory = max(memory for _, memory, _ in runs)
            print(f"| {name} | {size / 1e6:,.0f} | {runs[0][2]:,} | {least[name]:.2f} | {memory:,.0f} |")
        print(f"\nThe VCT takes {least['survey.vct'] / least['survey.shp']:.1f} times the shapefile.")


def _make(place: Path, polygons: int) -> None:
    tile = gpd.read_file(SAMPLE, layer="DLTB")
    tile = tile[~shapely.is_missing(tile.geometry)]
    copies = -(-polygons // len(tile))
    moved = [
        shapely.transform(
            tile.geometry.to_numpy(), lambda xy, n=n: xy + np.array([n % PER_ROW, n // PER_ROW]) * STEP_M
        )
        for n in range(copies)
    ]
    whole = pd.concat([tile] * copies, ignore_index=True).iloc[:polygons]
    frame = gpd.GeoDataFrame(
        whole.drop(columns="geometry"), geometry=np.concatenate(moved)[:polygons], crs=tile.crs
    )
    frame.to_parquet(place / "survey.parquet")
    for suffix in (".shp", ".vct"):
        convert(str(place / "survey.parquet"), place / f"survey{suffix}", Asked(), folder=place)


if __name__ == "__main__":
    main()
