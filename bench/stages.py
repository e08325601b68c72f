"""The stages tabulate, measure and classify by tasks of Spark and in this process, on the sample district, and how far the results are apart.

    python bench/stages.py [--parcels 20000] [--seeds 7,11] [--cell-mb 4] [--master local[2,4]] [--memory 2g]

Each seed is a district of its own in a private database, which is gone afterwards: ingested once, then run by `local` and by `sedona`.
`rows` that one of them lacks, or that differ in any text (class, source, detail, answer, rule, trace), count as `other`; `exact` are
those with the same numbers to the last bit, `greatest` the largest difference of one. Overlaps may differ by 1e-6 m²; evidence, derived
values and verdicts by nothing. Ends with 1 where they do. Figures go to bench/results/stages-PARCELS.json.
"""

from __future__ import annotations

import sys

# Beside this file `import sedona` would find the benchmark of that name, and not the library.
sys.path.append(sys.path.pop(0))

import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from project import reader

from lowland_gis.db.connect import Connection
from lowland_gis.db.private import cluster as clusters
from lowland_gis.engines.sedona.session import MEMORY
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.demo import prepare
from lowland_gis.pipeline.flow import run

HOME = Path(__file__).resolve().parent
STAGES = ("tabulate", "measure", "classify")
TOLERANCE_M2 = 1e-6
# What is compared: the view or table, the stage that wrote it, what tells rows apart, texts, and numbers.
COMPARED = {
    "overlap": ("overlap", "tabulate", "layer, parcel_id, code", "", "area_m2, share"),
    "cover": ("cover", "tabulate", "layer, parcel_id", "", "rest_m2, excess_m2"),
    "evidence": ("evidence", "measure", "parcel_id, measure", "source, detail", "value, low, high"),
    "derived": ("evidence", "classify", "parcel_id, measure", "source, detail", "value, low, high"),
    "verdict": ("verdict", "classify", "question, parcel_id", "answer, settled, rule, candidate, trace", ""),
}
# To the last bit; areas to the limit that engines keep.
MAY_DIFFER = ("overlap", "cover")


@contextmanager
def district(parcels: int, seed: int) -> Iterator[Project]:
    """Yield the project of a sample district in a temporary folder, with its database."""
    with tempfile.TemporaryDirectory(prefix="lowland-bench-", dir="/tmp") as name:
        folder = Path(name) / "district"
        Path(name).chmod(0o755)
        cluster = clusters.locate(folder, env=os.environ)
        try:
            yield prepare(folder, parcels=parcels, seed=seed)
        finally:
            clusters.remove(cluster)


def timed(project: Project, first: str) -> dict[str, Any]:
    """Run the stages up to classify; return the runs, the seconds on the wall, and what was said of Spark."""
    said: list[str] = []
    seconds = {}
    for stage in STAGES[STAGES.index(first) :]:
        begin = time.perf_counter()
        run(project, first=stage, last=stage, tell=lambda words: said.append(str(words)))
        seconds[stage] = round(time.perf_counter() - begin, 1)
    with project.snapshot() as connection:
        runs = {stage: _newest(connection, stage) for stage in STAGES}
    return {"runs": runs, "seconds": seconds, "said": [words for words in said if words.startswith("Spark")]}


def _newest(connection: Connection, stage: str) -> int:
    row = connection.execute("SELECT max(run_id) FROM result.run WHERE stage = %s", [stage]).fetchone()
    return int(row[0]) if row else 0


def apart(connection: Connection, ours: dict[str, int], theirs: dict[str, int]) -> dict[str, Any]:
    """Return how far the rows of two runs are apart, table by table."""
    found = {}
    for name, (table, stage, keys, texts, numbers) in COMPARED.items():
        number = [each for each in numbers.split(", ") if each]
        text = [each for each in texts.split(", ") if each]
        other = " OR ".join(
            [
                "a.run_id IS NULL",
                "b.run_id IS NULL",
                *(f"a.{each} IS DISTINCT FROM b.{each}" for each in text),
            ]
        )
        exact = " AND ".join(["true", *(f"a.{each} IS NOT DISTINCT FROM b.{each}" for each in number)])
        greatest = ", ".join(f"max(abs(a.{each} - b.{each}))" for each in number) or "0"
        row = (
            connection.execute(
                # Names are those of this file.
                f"SELECT count(*), count(*) FILTER (WHERE {other}), count(*) FILTER (WHERE NOT ({other}) AND {exact}), greatest({greatest})"  # noqa: S608
                f" FROM (SELECT * FROM result.{table} WHERE run_id = %s) a"
                f" FULL JOIN (SELECT * FROM result.{table} WHERE run_id = %s) b USING ({keys})",
                [ours[stage], theirs[stage]],
            ).fetchone()
            or ()
        )
        found[name] = dict(zip(("rows", "other", "exact", "greatest"), row, strict=True))
    return found


def agrees(name: str, found: dict[str, Any]) -> bool:
    """Tell whether two runs are as alike as they must be in a table."""
    alike = found["rows"] > 0 and found["other"] == 0
    if name in MAY_DIFFER:
        return alike and (found["greatest"] or 0) <= TOLERANCE_M2
    return alike and found["exact"] == found["rows"]


def compared(parcels: int, seed: int, options: Any) -> dict[str, Any]:
    """Return what both engines needed for a district, and how far they are apart."""
    with district(parcels, seed) as project:
        run(project, last="ingest")
        local = timed(project, "tabulate")
        on_spark = project.computed_by(
            "sedona", options.master, memory=options.memory, cell_mb=options.cell_mb
        )
        tasks = timed(on_spark, "tabulate")
        with project.snapshot() as connection:
            found = apart(connection, local["runs"], tasks["runs"])
    return {
        "parcels": parcels,
        "seed": seed,
        "local": local["seconds"],
        "sedona": tasks["seconds"],
        "said": tasks["said"],
        "driver_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "load": round(os.getloadavg()[0], 1),
        "apart": found,
    }


def main() -> None:
    """Measure, print and keep the figures."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=20_000)
    parser.add_argument("--seeds", default="7,11")
    parser.add_argument("--cell-mb", type=float, default=4.0)
    parser.add_argument("--master", default="local[2,4]")
    parser.add_argument("--memory", default=MEMORY)
    parser.add_argument("--keep", type=Path, default=HOME / "results")
    options = parser.parse_args()
    figures = [compared(options.parcels, int(seed), options) for seed in options.seeds.split(",")]
    options.keep.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=1, ensure_ascii=False) + "\n"
    (options.keep / f"stages-{options.parcels}.json").write_text(text, encoding="utf-8")
    print(text, end="")
    if not all(agrees(name, found) for each in figures for name, found in each["apart"].items()):
        sys.exit(1)


if __name__ == "__main__":
    main()
