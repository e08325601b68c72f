"""`lowland update diff` of two states of a district against the stage `tabulate` of the new parcels against the old ones, in one run.

    python bench/update.py [--parcels 100000] [--moved 1.0] [--rounds 3] [--profile FILE]

Both states are parcels of about 50 vertices (bench/district.py). In the second one every boundary within a share of the district (`--moved`)
lies off by up to two decimetres, one parcel in fifty has another floor area ratio, one in a thousand is gone, and the rules are another
edition, so that both editions judge both states. The stage is asked for the new parcels in the old ones, each a zone of its own, and writes
what it finds, as `lowland run` does. Either is a process of its own; figures are those of the whole process, in turn, and the median counts:
seconds by the clock, and seconds of the processor with those of the database, which other work on the machine changes less. Peak memory is
that of the program. Figures go to bench/results/update-PARCELS.json, and the page of all figures is written anew. With `--profile` the
comparison runs once more at the end, and cProfile writes there what it found.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import psycopg
import pyarrow.parquet as pq
import shapely
from district import HOME, district
from flow import postmaster
from peers.measured import server_seconds
from project import private_project, reader
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from server import server_version
from tabulate import keep

from lowland_gis.db.private.access import SUPERUSER
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.registry.determine import determine
from lowland_gis.pipeline.registry.moves import Typed, record_move
from lowland_gis.pipeline.registry.subjects import Asked
from lowland_gis.pipeline.update.opening import open_update
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.settings import DeliverySettings

BAR, MEMORY_BAR_MB = 2.0, 2000
YEAR = 2025
STAGE, ZONES = "bench_stage", "zones.parquet"
GONE_EACH = 1000
DAYS = ("2023-12-31", "2024-12-31")
LIMITS = (0.02, 0.03)
# By how many metres a boundary lies off, and the length of the wave along which it does.
OFF_M, WAVE_M = 0.2, 37.0
STATES = '[low_efficiency.move.approve]\ndays = 1\nbasis = "试验，2023-01-01"\n'
PACK = """
name = "bench"
title = "bench"
document = "bench"
in_force = 2023-01-01
example = true
[[question]]
name = "kind"
title = "kind"
otherwise = "none"
answers = {{ industrial = "low", none = "not" }}
means = {{ low = ["industrial"], not = ["none"] }}
[[question.rule]]
name = "sparse"
title = "sparse"
answer = "industrial"
article = "1"
all = [ {{ measure = "registered_far", op = "<", limit = {limit}, unit = "ratio", title = "sparse" }} ]
[[question.rule.example]]
given = {{ registered_far = 0.001 }}
gives = "true"
"""
# What either process says at its end: its peak of memory in kB. The usage that the system reports of a child counts that of its parent as well.
_PEAK = "; print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
# What either process runs.
PROGRAMS = {
    "stage": "from lowland_gis.pipeline.base.project import open_project; from lowland_gis.pipeline.overlaps.tabulate import tabulate;"
    "tabulate(open_project({folder!r}))",
    "diff": "from lowland_gis.pipeline.base.project import open_project; from lowland_gis.pipeline.update.diff import diff_update;"
    "diff_update(open_project({folder!r}))",
}


@dataclass(frozen=True)
class Took:
    """What a process took: seconds by the clock, of its processor and of the database's, and its peak of memory in MB."""

    wall: float
    own: float
    server: float
    peak_mb: float

    @property
    def cpu_seconds(self) -> float:
        """Return the processor time of the program and of the database."""
        return self.own + self.server


def main() -> int:
    """Measure, keep and print; exit 1 above a bar."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=100_000)
    parser.add_argument("--moved", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", type=Path)
    given = parser.parse_args()
    figures = measured(given.parcels, given.moved, given.rounds, given.profile)
    name = f"update-{given.parcels}" + ("" if given.moved == 1 else f"-{given.moved:g}")
    print(figures)
    print(f"kept in {keep(name, figures)}")
    return 0 if figures["ratio_cpu"] <= BAR and figures["diff"]["peak_mb"] <= MEMORY_BAR_MB else 1


def measured(parcels: int, moved: float, rounds: int, profile: Path | None) -> dict[str, Any]:
    """Make both states and time both processes in turn."""
    with private_project() as (folder, dsn):
        os.environ["LOWLAND_DSN"] = dsn
        begun = time.perf_counter()
        counts = ready(folder, dsn, parcels, moved)
        server = postmaster(folder / "state")
        found: dict[str, list[Took]] = {name: [] for name in PROGRAMS}
        with beside(dsn, folder) as other:
            print(f"both states made in {time.perf_counter() - begun:.0f} s", flush=True)
            places = {"stage": other, "diff": dsn}
            for number in range(rounds + 1):
                for name, program in PROGRAMS.items():
                    forget(places[name])
                    took = one_process(program.format(folder=str(folder)), places[name], server)
                    print(f"{name:6} {took}", flush=True)
                    # The first round fills caches and compiles.
                    if number:
                        found[name].append(took)
        if profile is not None:
            forget(dsn)
            one_process(
                PROGRAMS["diff"].format(folder=str(folder)),
                dsn,
                server,
                ["-m", "cProfile", "-o", str(profile)],
            )
        version = server_version(dsn)
        with psycopg.connect(dsn) as connection:
            kinds = dict(
                connection.execute(
                    "SELECT kind, count(*) FROM result.change WHERE run_id = (SELECT max(run_id) FROM result.change) GROUP BY 1 ORDER BY 1"
                ).fetchall()
            )
    stage, diff = (medians(found[name]) for name in PROGRAMS)
    return {
        "parcels": counts,
        "moved": moved,
        "rounds": rounds,
        "stage": stage,
        "diff": diff,
        "ratio_cpu": round(diff["cpu_seconds"] / stage["cpu_seconds"], 2),
        "ratio_wall": round(diff["wall"] / stage["wall"], 2),
        "bar": BAR,
        "bar_mb": MEMORY_BAR_MB,
        "changes": kinds,
        "load": round(os.getloadavg()[0], 2),
        "server": version,
    }


def one_process(program: str, dsn: str, server: int | None, options: Sequence[str] = ()) -> Took:
    """Run a program to its end."""
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as script:
        script.write(program + _PEAK)
        script.flush()
        before = server_seconds(server) if server else 0.0
        begun = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, *options, script.name],
            env=os.environ | {"LOWLAND_DSN": dsn},
            stdout=subprocess.PIPE,
            text=True,
        )
        said = child.stdout.read() if child.stdout else ""
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begun
        if child.returncode:
            raise SystemExit(f"{program}: ended with {child.returncode}")
        took = server_seconds(server) - before if server else 0.0
    return Took(wall, used.ru_utime + used.ru_stime, took, int(said.split()[-1]) / 1024)


def medians(took: Sequence[Took]) -> dict[str, float]:
    """Return the medians of some rounds, and the greatest peak of memory."""
    names = ("wall", "cpu_seconds", "own", "server")
    found = {name: round(statistics.median(getattr(each, name) for each in took), 2) for name in names}
    return found | {"peak_mb": round(max(each.peak_mb for each in took))}


def forget(dsn: str) -> None:
    """Throw away what was found, so that all of it is computed anew; the program itself may not."""
    with psycopg.connect(make_conninfo(dsn, user=SUPERUSER), autocommit=True) as connection:
        connection.execute("TRUNCATE result.change, result.change_balance, result.computed_cover")
        connection.execute("UPDATE result.run SET digest = digest || 'x' WHERE stage = 'update'")
        if conninfo_to_dict(dsn)["dbname"] == STAGE:
            connection.execute("TRUNCATE result.computed_overlap, result.overlap_run, result.other_parcel")
            connection.execute(
                "UPDATE result.run SET digest = digest || 'x', code_version = 'x' WHERE stage = 'tabulate'"
            )


@contextmanager
def beside(dsn: str, folder: Path) -> Iterator[str]:
    """Yield a copy of the database in which the old parcels are zones, each for itself: there the stage has nothing else to tabulate."""
    other = make_conninfo(dsn, dbname=STAGE)
    with psycopg.connect(make_conninfo(dsn, dbname="postgres", user=SUPERUSER), autocommit=True) as admin:
        name = conninfo_to_dict(dsn)["dbname"]
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(STAGE), sql.Identifier(str(name)))
        )
    os.environ["LOWLAND_DSN"] = other
    ingest(open_project(folder), DeliverySettings(layer="building", source=str(folder / ZONES)))
    clean(other)
    yield other


def clean(dsn: str) -> None:
    """Let the database know its tables, as it does by itself after a while: so its own work falls into no measurement."""
    with psycopg.connect(make_conninfo(dsn, user=SUPERUSER), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def ready(folder: Path, dsn: str, parcels: int, moved: float) -> int:
    """Make both states: deliver, judge and file one entry of the first, deliver and judge the second, open the update.

    The number of parcels of the first.
    """
    made = district(parcels)
    table = pq.read_table(made.parcels)
    codes = np.array(table.column(0).to_pylist(), dtype=object)
    shapes = shapely.from_wkb(table.column("geometry").to_pylist())
    ratio = np.arange(len(codes)) % 100 / 100 + 0.005
    (folder / "definitions").mkdir()
    (folder / "definitions" / "states.toml").write_text(STATES, encoding="utf-8")
    for year, day in enumerate(DAYS):
        if year:
            shapes, gone = later(shapes, moved), np.arange(len(codes)) % GONE_EACH == GONE_EACH // 2
            codes, shapes, ratio = codes[~gone], shapes[~gone], ratio[~gone].copy()
            ratio[::50] = 0.9
        (folder / "pack.toml").write_text(PACK.format(limit=LIMITS[year]), encoding="utf-8")
        (folder / "lowland.toml").write_text(
            f'[project]\nname = "bench"\ndistrict_code = "120113"\ndistrict_name = "北辰区"\nas_of = {day}\n[classify]\npack = "pack.toml"\n',
            encoding="utf-8",
        )
        rows = gpd.GeoDataFrame({"ZDDM": codes, "RJL": ratio}, geometry=shapes, crs=4548)
        path = folder / f"parcels{year}.parquet"
        rows.to_parquet(path)
        project = open_project(folder)
        ingest(project, DeliverySettings(layer="parcel", source=str(path), as_of=day))
        for stage in (tabulate, measure, classify, determine):
            stage(project)
        if not year:
            # The floor area is a field without which the layer is none.
            rows.assign(JZMJ=1.0).to_parquet(folder / ZONES)
            filed(folder, project)
    clean(dsn)
    open_update(open_project(folder), YEAR)
    return made.n_parcels


def later(shapes: Any, moved: float) -> Any:
    """Return the shapes with boundaries a little off, within the western share of the district: neighbours go on sharing theirs."""
    west, _, east, _ = shapely.total_bounds(shapes)
    border = west + (east - west) * moved

    def off(at: Any) -> Any:
        by = OFF_M * np.stack([np.sin(at[:, 1] / WAVE_M), np.cos(at[:, 0] / WAVE_M)], axis=1)
        return np.where((at[:, 0] < border)[:, None], at + by, at)

    return shapely.transform(shapes, off)


def filed(folder: Path, project: Any) -> None:
    """Bring one entry as far as it is filed."""
    with psycopg.connect(project.dsn) as connection:
        row = connection.execute(
            "SELECT min(subject) FROM registry.entry WHERE register = 'low_efficiency'"
        ).fetchone()
    paper = folder / "paper.pdf"
    paper.write_bytes(b"%PDF-1.4")
    today = dt.datetime.now().astimezone().date()
    for days, verb in enumerate(("notice", "approve", "submit", "review", "file")):
        on = today + dt.timedelta(days=min(days, 1))
        record_move(project, Typed(verb, on=on, document=paper), Asked((str(row[0]),)))


if __name__ == "__main__":
    HOME.mkdir(exist_ok=True)
    sys.exit(main())
