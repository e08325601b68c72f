"""Tabulate a district with lowland and its peers, side by side in turn, and keep what was measured.

    python bench/tabulate.py [--parcels 50000] [--rounds 3] [--peers a,b] [--threads 1] [--name NAME]
    python bench/tabulate.py --shape voronoi|grid      (districts of other shapes: bench/other_shapes.py)
    python bench/tabulate.py --growth 10000,30000,100000,300000,1000000
    python bench/tabulate.py --scaling 1,2
    python bench/tabulate.py --floor --rounds 9

Every peer is a process of its own on the same core(s), reads the same GeoParquet and writes the same table. `seconds` is from
before the first byte is read to after the last is written, without the start of the interpreter and its imports; `wall` is the
whole process. One unmeasured round fills the caches of the disk and of compiled code. Figures go to bench/results/NAME.json,
and `make docs` writes docs/performance.md from there.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from district import HOME, District, district
from other_shapes import SHAPES, other_district
from performance import write_page
from project import reader
from server import load, server, server_version

HERE = Path(__file__).parent
RESULTS = HOME / "results"
OURS = "lowland"
FLOOR = "floor"
PEERS = (
    OURS,
    "duckdb_spatial",
    "sedona",
    "tobler_tables",
    "shapely_tree",
    "geopandas_overlay",
    "postgis",
    "boost_loop",
    "boost_trimmed",
)
PACKAGES = (
    "duckdb",
    "geopandas",
    "lowland_gis",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "sedonadb",
    "shapely",
    "tobler",
)
# Peers keep pieces that are rounding noise and lowland leaves out, and GEOS rounds where it cuts.
AGREE_M2, AGREE_SHARE = 1e-6, 1e-10
FIRST_CORE = 0

Run = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What is measured on: the files, the folder for tables that peers write, the cores, and where peers find a server."""

    district: District
    folder: Path
    threads: int
    environment: dict[str, str]


def main() -> None:
    """Measure what is asked for, keep it, and print it."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shape", choices=("usual", *SHAPES), default="usual", help="of the district")
    parser.add_argument("--growth", help="sizes in parcels at which lowland alone is measured")
    parser.add_argument("--scaling", help="numbers of threads at which lowland alone is measured")
    parser.add_argument("--floor", action="store_true", help="lowland and the decoding of the same WKB alone")
    parser.add_argument("--name", help="of the file in bench/results/")
    given = parser.parse_args()
    if given.growth:
        sizes = [int(size) for size in given.growth.split(",")]
        kept = keep(given.name or "growth", growth(sizes, given.rounds, given.threads))
    elif given.floor:
        both = in_turn(given.parcels, [OURS, FLOOR], given.rounds, given.threads)
        kept = keep(given.name or "floor", both)
    elif given.scaling:
        counts = [int(count) for count in given.scaling.split(",")]
        kept = keep(given.name or "threads", scaling(given.parcels, counts, given.rounds))
    else:
        peers = given.peers.split(",")
        kept = keep(
            given.name or f"tabulate-{'' if given.shape == 'usual' else given.shape + '-'}{given.parcels}",
            in_turn(given.parcels, peers, given.rounds, given.threads, given.shape),
        )
    print(f"kept in {kept}")


def in_turn(parcels: int, peers: list[str], rounds: int, threads: int, shape: str = "usual") -> Run:
    """Run every peer once unmeasured and then in turn; compare the tables of the last round."""
    with bench(parcels, threads, with_server="postgis" in peers, shape=shape) as made:
        return {"shape": shape} | rounds_of(made, peers, rounds, OURS)


def rounds_of(made: Bench, peers: list[str], rounds: int, ours: str) -> Run:
    """Run every peer in turn, the first round unmeasured, and compare their tables with ours."""
    runs = []
    for number in range(rounds + 1):
        for peer in peers:
            run = measure(made, peer) | {"round": number}
            say(run)
            runs += [run] if number else []
    dsn = made.environment.get("BENCH_DSN")
    compared = [peer for peer in peers if peer not in (ours, FLOOR) and ours in peers]
    return {
        "district": {
            "parcels": made.district.n_parcels,
            "zones": made.district.n_zones,
            **pairs(made.district),
        },
        "server": server_version(dsn) if dsn else None,
        "threads": made.threads,
        "rounds": rounds,
        "medians": {peer: median([run for run in runs if run["peer"] == peer]) for peer in peers},
        "agreement": {peer: compare(made, ours, peer) for peer in compared},
        "runs": runs,
    }


def growth(sizes: list[int], rounds: int, threads: int) -> Run:
    """Run lowland at several sizes and fit the exponent of time over parcels."""
    points = []
    with bench(sizes[0], threads, with_server=False) as made:
        measure(made, OURS)
    for size in sizes:
        with bench(size, threads, with_server=False) as made:
            into_memory(made.district)
            runs = [measure(made, OURS) for _ in range(rounds)]
            counts = {"parcels": made.district.n_parcels, "zones": made.district.n_zones}
        points.append(counts | median(runs))
        say(points[-1] | {"peer": f"{counts['parcels']:,} parcels"})
    logs = [np.log([point[key] for point in points]) for key in ("parcels", "cpu_seconds", "seconds")]
    return {
        "threads": threads,
        "rounds": rounds,
        "points": points,
        "exponent": float(np.polyfit(logs[0], logs[2], 1)[0]),
        "exponent_cpu": float(np.polyfit(logs[0], logs[1], 1)[0]),
    }


def into_memory(made: District) -> None:
    """Read the files once, so that the disk is not measured."""
    for path in (made.parcels, made.zones):
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass


def scaling(parcels: int, counts: list[int], rounds: int) -> Run:
    """Run lowland with one thread and with several numbers of threads in turn, each on as many cores.

    One thread runs on each of the cores in turn and the mean counts, since the cores of a machine that others use as well are not equally
    fast in one minute. Beside several threads, as many processes of one thread run at the same time, each on its own core: what they
    get is what the machine has to give, since they share nothing but it.

    Figures are means over the rounds. How sure the ratios are is asked of rounds drawn anew from these (bootstrap).
    """
    several = [count for count in counts if count > 1]
    runs: dict[int, list[Run]] = {count: [] for count in (1, *several)}
    for number in range(rounds + 1):
        with bench(parcels, 1, with_server=False) as made:
            alone = [measure(made, OURS, core) for core in range(max(several, default=1))]
        some = {1: mean(alone)}
        for count in several:
            with bench(parcels, count, with_server=False) as made:
                some[count] = measure(made, OURS) | {"apart_seconds": apart(made, count)}
        for count, run in some.items():
            say(run | {"peer": f"{count} threads"})
            runs[count] += [run] if number else []
    points = [{"threads": count} | mean(runs[count]) | gain(runs, count) for count in runs]
    return {"rounds": rounds, "points": points}


def gain(runs: dict[int, list[Run]], count: int) -> Run:
    """Return how many times faster so many threads, and so many processes, are than one thread: low, whole, high of 95 %."""
    one = np.array([run["seconds"] for run in runs[1]])
    drawn = np.random.default_rng(0).integers(0, len(one), (2_000, len(one)))
    drawn = np.vstack([np.arange(len(one)), drawn])
    found = {}
    for key in ("seconds", "apart_seconds"):
        if key in runs[count][0]:
            other = np.array([run[key] for run in runs[count]])
            ratios = one[drawn].mean(axis=1) / other[drawn].mean(axis=1)
            ratios *= count if key == "apart_seconds" else 1
            low, high = np.quantile(ratios[1:], [0.025, 0.975])
            found[f"{key}_gain"] = [float(low), float(ratios[0]), float(high)]
    return found


def apart(made: Bench, count: int) -> float:
    """Return the mean seconds of so many processes of one thread that run at the same time."""
    each = [replace(made, folder=made.folder / str(core), threads=1) for core in range(count)]
    for one in each:
        one.folder.mkdir()
    with ThreadPoolExecutor(count) as waiting:
        runs = waiting.map(lambda one, core: measure(one, OURS, core), each, range(count))
        return statistics.mean(run["seconds"] for run in runs)


@contextlib.contextmanager
def bench(parcels: int, threads: int, *, with_server: bool, shape: str = "usual") -> Iterator[Bench]:
    """Yield the district in files, and in a server when a peer needs one."""
    made = district(parcels) if shape == "usual" else other_district(shape, parcels)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lowland-bench-")))
        environment = {}
        if with_server:
            environment["BENCH_DSN"] = stack.enter_context(server(FIRST_CORE if threads == 1 else None))
            load(environment["BENCH_DSN"], made)
        yield Bench(made, folder, threads, environment)


def measure(made: Bench, peer: str, first_core: int = FIRST_CORE) -> Run:
    """Run one peer as a process of its own on cores from one on and return what it printed, with the wall clock round it."""
    cores = ",".join(str(first_core + n) for n in range(made.threads))
    script = HERE / "peers" / f"{peer}.py"
    files = [str(made.district.parcels), str(made.district.zones), str(made.folder / f"{peer}.parquet")]
    command = ["taskset", "-c", cores, sys.executable, str(script), *files, "--threads", str(made.threads)]
    limits = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), str(made.threads)
    )
    start = time.perf_counter()
    done = subprocess.run(
        command,
        env=os.environ | limits | made.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    wall = time.perf_counter() - start
    run: Run = json.loads(done.stdout.splitlines()[-1])
    return run | {"wall": wall, "load": os.getloadavg()[0]}


def median(runs: list[Run]) -> Run:
    """Return the median of each figure, and the highest peak of memory."""
    keys = [key for key, value in runs[0].items() if isinstance(value, float) and key != "load"]
    middle = {key: statistics.median(run[key] for run in runs) for key in keys}
    return middle | {"peak_mb": max(run["peak_mb"] for run in runs)}


def mean(runs: list[Run]) -> Run:
    """Return the mean of each figure, and the highest peak of memory."""
    keys = [key for key, value in runs[0].items() if isinstance(value, float) and key != "load"]
    return {key: statistics.mean(run[key] for run in runs) for key in keys} | {
        "peak_mb": max(run["peak_mb"] for run in runs)
    }


def compare(made: Bench, own: str, peer: str) -> Run:
    """Return how far the table of a peer is from lowland's, over all parcels and codes; an absent row is none of it."""
    keys = ["parcel_id", "code"]
    tables = [
        pd.read_parquet(made.folder / f"{name}.parquet")
        .astype(dict.fromkeys(keys, str))
        .set_index(keys)["area_m2"]
        for name in (own, peer)
    ]
    ours, theirs = tables[0].align(tables[1], fill_value=0.0)
    parcels = pd.read_parquet(made.district.parcels)
    areas = pd.Series(
        shapely.area(shapely.from_wkb(parcels["geometry"].to_numpy())), index=parcels["parcel_id"]
    )
    allowed = np.maximum(AGREE_M2, AGREE_SHARE * areas.reindex(ours.index.get_level_values(0)).to_numpy())
    apart = (ours - theirs).abs().to_numpy()
    return {
        "rows": len(tables[1]),
        "largest_m2": float(apart.max()),
        "beyond": int((apart > allowed).sum()),
        "only_ours": int((theirs == 0).sum()),
        "only_theirs": int((ours == 0).sum()),
    }


def pairs(made: District) -> Run:
    """Count the pairs of parcel and zone that meet, and the vertices."""
    shapes = [
        shapely.from_wkb(pd.read_parquet(path, columns=["geometry"])["geometry"].to_numpy())
        for path in (made.parcels, made.zones)
    ]
    meeting = shapely.STRtree(shapes[1]).query(shapes[0], predicate="intersects").shape[1]
    return {"pairs": int(meeting), "vertices": int(sum(shapely.get_num_coordinates(s).sum() for s in shapes))}


def keep(name: str, figures: Run) -> Path:
    """Write figures with the machine and the versions beside them, and the page from all figures that are kept."""
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{name}.json"
    about = {
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
    }
    target.write_text(json.dumps(about | figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if HOME == HERE:
        write_page()
    return target


def machine() -> Run:
    """Describe the machine."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gb": round(memory), "system": platform.platform()}


def versions() -> Run:
    """Return the versions of what was run."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found | {"python": platform.python_version(), "geos": shapely.geos_version_string}


def say(run: Run) -> None:
    """Print one line of figures."""
    print(
        f"{run['peer']:20} {run['seconds']:8.2f} s  processor {run['cpu_seconds']:8.2f} s  wall {run['wall']:8.2f} s"
        f"  peak {run['peak_mb']:7.0f} MB",
        flush=True,
    )


if __name__ == "__main__":
    main()
