"""Tabulate frames that are in memory, in one process, with the API and the peers that take frames, in turn.

    python bench/frames.py [--parcels 50000] [--rounds 3] [--peers lowland_api,geopandas_overlay,tobler_tables]

`seconds` is of the call alone: imports, reading the files and, by one call on a few rows before, loading machine code are not counted. Every
peer gives the same frame: parcel_id, code, area_m2. `copied_mb` is how far the peak of the process rose above what it held before the call.
Figures go to bench/results/frames-PARCELS.json.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

HERE = Path(__file__).parent
PEERS = ("lowland_api", "geopandas_overlay", "tobler_tables")
_FEW = 50

Tabulate = Callable[[gpd.GeoDataFrame, gpd.GeoDataFrame], pd.DataFrame]


def lowland_api(parcels: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    """Tabulate with `lowland_gis.tabulate`."""
    import lowland_gis  # noqa: PLC0415

    return lowland_gis.tabulate(parcels, zones, id="parcel_id", by="code").drop(columns="share")


def geopandas_overlay(parcels: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    """Tabulate as the documentation of geopandas leads to: overlay, area, groupby."""
    pieces = gpd.overlay(parcels, zones, how="intersection", keep_geom_type=True, make_valid=False)
    areas = pieces.assign(area_m2=pieces.area)
    return areas.groupby(["parcel_id", "code"], as_index=False)["area_m2"].sum()


def tobler_tables(parcels: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    """Tabulate with the area tables of tobler's `area_interpolate`, summed by code."""
    from tobler.area_weighted.area_interpolate import _area_tables_binning  # noqa: PLC0415

    table = _area_tables_binning(parcels, zones, spatial_index="auto").tocoo()
    pieces = pd.DataFrame(
        {
            "parcel_id": parcels["parcel_id"].to_numpy()[table.row],
            "code": zones["code"].to_numpy()[table.col],
            "area_m2": table.data,
        }
    )
    return pieces.groupby(["parcel_id", "code"], as_index=False)["area_m2"].sum()


WAYS: dict[str, Tabulate] = {
    "lowland_api": lowland_api,
    "geopandas_overlay": geopandas_overlay,
    "tobler_tables": tobler_tables,
}


def one(peer: str, parcels: str, zones: str, output: str) -> None:
    """Measure one peer in this process and print one line of JSON."""
    frames = gpd.read_parquet(parcels), gpd.read_parquet(zones)
    WAYS[peer](*(frame.head(_FEW) for frame in frames))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    held = peak_mb()
    start, busy = time.perf_counter(), time.process_time()
    table = WAYS[peer](*frames)
    took = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - busy}
    copied = peak_mb() - held
    print(json.dumps({"peer": peer, "copied_mb": copied, "held_mb": held, "rows": len(table)} | took))
    table.to_parquet(output, index=False)


def peak_mb() -> float:
    """Return the peak memory of this process since it was last put back."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Measure the peers in turn, compare their tables, and keep the figures."""
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
        return
    from district import DATA, district  # noqa: PLC0415
    from project import reader  # noqa: PLC0415
    from tabulate import Bench, compare, keep  # noqa: PLC0415

    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(PEERS))
    given = parser.parse_args()
    made, folder = district(given.parcels), DATA
    peers = given.peers.split(",")
    runs: list[dict[str, Any]] = []
    for number in range(1, given.rounds + 1):
        for peer in peers:
            files = [str(made.parcels), str(made.zones), str(folder / f"{peer}.parquet")]
            command = ["taskset", "-c", "0", sys.executable, str(HERE / "frames.py"), "--one", peer, *files]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            runs.append(json.loads(done.stdout.splitlines()[-1]) | {"round": number})
            print(runs[-1], flush=True)
    medians = {
        peer: {
            key: statistics.median(run[key] for run in runs if run["peer"] == peer)
            for key in ("seconds", "cpu_seconds", "copied_mb", "held_mb")
        }
        for peer in peers
    }
    compared = Bench(made, folder, 1, {})
    kept = {
        "district": {"parcels": made.n_parcels, "zones": made.n_zones},
        "rounds": given.rounds,
        "medians": medians,
        "agreement": {peer: compare(compared, peers[0], peer) for peer in peers[1:]},
        "runs": runs,
    }
    print(f"kept in {keep(f'frames-{given.parcels}', kept)}")


if __name__ == "__main__":
    main()
