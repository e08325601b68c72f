"""The whole `lowland run`, from files to package, by two builds side by side: seconds of every stage, peak memory, growth.

    python bench/flow.py [--sizes 3000] [--rounds 3] [--core 0] [--old a329624] [--work DIR] [--out FILE]

The builds run in turn on one core, program and database alike, each in a project and a database of its own. Both read the same files,
which the generator of the old build writes without spoilt records. Each round is: the whole run from an empty database, the checks, a
run in which nothing has changed, and one after a town has delivered its parcels anew with one parcel in a hundred of the district
corrected. Where the old build does not come to its end, the stages that it ended are told. Files and builds are kept below `--work`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pyogrio
import shapely
from peers.measured import server_seconds

ROOT = Path(__file__).parents[1]
INSIDE = Path(__file__).with_name("flow_build.py")
OLD = "a329624"
SEED = 1
# A warm-up draws so many: every piece of machine code that the flow needs is kept afterwards.
FEWEST = 200
PARCELS = "宗地.shp"
WHOLE, CHECK, AGAIN, CORRECTED = "whole", "check", "again", "corrected"
STAGES = ("ingest", "tabulate", "measure", "classify", "delineate", "determine", "package")
EVALUATION = STAGES[1:5]

# Seconds by the clock, and of the processor.
Pair = tuple[float, ...]


@dataclass(frozen=True)
class Ended:
    """What a command came to: its exit code, seconds by the clock and of the processor (with the server's), peak memory of the program."""

    code: int
    seconds: float
    busy: float
    peak_mb: float


@dataclass(frozen=True)
class Build:
    """A build by its name and its sources."""

    name: str
    sources: Path

    def run(self, *words: str, core: int, state: Path | None = None, check: bool = True) -> Ended:
        """Run something inside the build on one core."""
        # An installed program has its byte code beside it, whatever is set where this is measured; the warm-up leaves it.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPATH"] = str(self.sources)
        if state is not None:
            environment["LOWLAND_STATE"] = str(state)
        server = postmaster(state)
        if server is not None:
            environment["FLOW_SERVER"] = str(server)
        before = server_seconds(server) if server else 0.0
        begun = time.perf_counter()
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen(
                ["taskset", "-c", str(core), sys.executable, str(INSIDE), *words],
                env=environment,
                stdout=said,
                stderr=said,
            )
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - begun
            if check and child.returncode:
                said.seek(0)
                text = said.read().decode(errors="replace")
                raise SystemExit(f"{self.name}: {' '.join(words)} ended with {child.returncode}:\n{text}")
        busy = used.ru_utime + used.ru_stime + (server_seconds(server) - before if server else 0.0)
        return Ended(child.returncode, seconds, busy, used.ru_maxrss / 1024)


@dataclass
class Figures:
    """What one build took at one size: seconds by clock and processor by run and stage, one pair a round; peak memory in MB."""

    seconds: dict[str, dict[str, list[Pair]]] = field(default_factory=dict)
    peak_mb: list[float] = field(default_factory=list)
    ended: bool = True

    def add(self, run: str, stages: dict[str, Pair], done: Ended) -> None:
        """Keep the seconds of a run; what is no stage is the start of the program. One that did not end has no total."""
        kept = self.seconds.setdefault(run, {})
        total = (done.seconds, done.busy)
        start = tuple(
            whole - sum(parts)
            for whole, parts in zip(total, zip(*stages.values(), strict=True), strict=False)
        )
        for name, value in {**stages, **({} if done.code else {"start": start, "all": total})}.items():
            if value:
                kept.setdefault(name, []).append(value)

    def median(self, run: str, stage: str, which: int = 0) -> float | None:
        """Return the median of the rounds, by the clock (0) or of the processor (1); None where the build did not end it."""
        values = self.seconds.get(run, {}).get(stage)
        return statistics.median(value[which] for value in values) if values else None


def main() -> None:
    """Measure, print and keep the figures."""
    given = arguments()
    work = given.work or Path(tempfile.mkdtemp(prefix="lowland-flow-", dir="/tmp"))
    work.mkdir(parents=True, exist_ok=True)
    # The server may run as another user.
    work.chmod(0o755)
    builds = [old_build(work, given.old), Build("new", ROOT / "src")]
    chosen = [build for build in builds if build.name in given.builds.split(",")]
    sizes = [int(size) for size in given.sizes.split(",")]
    found: dict[int, dict[str, Figures]] = {}
    warm(chosen, builds[0], work, given.core)
    for parcels in sizes:
        district = drawn(builds[0], work, parcels, given.core)
        figures = {build.name: Figures() for build in chosen}
        for round_ in range(given.rounds):
            for build in chosen if round_ % 2 == 0 else reversed(chosen):
                measure(build, district, parcels, work, given.core, figures[build.name])
        found[parcels] = figures
        print("\n".join(lines(parcels, figures, given)), flush=True)
    if len(sizes) > 1:
        print("\n".join(growth(found)))
    if given.out:
        given.out.write_text(json.dumps(kept(found, given), indent=1, ensure_ascii=False) + "\n")
    if given.work is None:
        shutil.rmtree(work)


def old_build(work: Path, commit: str) -> Build:
    """Return the build of a commit, unpacked from the history of this repository."""
    folder = work / f"build-{commit}"
    if not folder.is_dir():
        half = folder.with_suffix(".half")
        half.mkdir(parents=True)
        archive = subprocess.run(
            ["git", "-C", ROOT, "archive", commit, "src", "migrations"], check=True, capture_output=True
        )
        subprocess.run(["tar", "x", "-C", half], input=archive.stdout, check=True)
        half.rename(folder)
    return Build("old", folder / "src")


def postmaster(state: Path | None) -> int | None:
    """Return the first process of the server of a project, where one runs."""
    files = [] if state is None else list(state.rglob("postmaster.pid"))
    return int(files[0].read_text(encoding="ascii").splitlines()[0]) if files else None


def drawn(build: Build, work: Path, parcels: int, core: int) -> Path:
    """Return the folder of a district's files, drawn where it is not there yet."""
    folder = work / f"district-{parcels}-{SEED}"
    if not folder.is_dir():
        half = folder.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        build.run("draw", str(half), str(parcels), str(SEED), core=core)
        half.rename(folder)
    return folder


def warm(builds: list[Build], old: Build, work: Path, core: int) -> None:
    """Run every build once, so that its machine code is there."""
    district = drawn(old, work, FEWEST, core)
    for build in builds:
        measure(build, district, FEWEST, work, core, Figures())


def measure(build: Build, district: Path, parcels: int, work: Path, core: int, figures: Figures) -> None:
    """Take a district through the runs of one round in an empty project."""
    with project(build, district, work, core) as (folder, state):
        toml = str(folder / "lowland.toml")

        def run(name: str, *words: str) -> bool:
            told = folder / f"{name}.json"
            done = build.run(
                "lowland", str(told), "--project", toml, *words, core=core, state=state, check=False
            )
            stages = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
            figures.add(name, stages, done)
            if name == WHOLE:
                figures.peak_mb.append(done.peak_mb)
                figures.ended = done.code == 0
            return done.code == 0

        if run(WHOLE, "run"):
            run(CHECK, "check", "run")
            run(AGAIN, "run")
            correct(folder, parcels)
            run(CORRECTED, "run")


@contextmanager
def project(build: Build, district: Path, work: Path, core: int) -> Iterator[tuple[Path, Path]]:
    """Yield the folder of a project with the files of a district and an empty database, and where the database lies; both go."""
    with tempfile.TemporaryDirectory(prefix=f"{build.name}-", dir=work) as name:
        folder = Path(name)
        folder.chmod(0o755)
        state = folder / "state"
        shutil.copytree(district, folder / "project", copy_function=os.link)
        folder /= "project"
        (folder / "lowland.toml").unlink()
        shutil.copyfile(district / "lowland.toml", folder / "lowland.toml")

        def db(word: str) -> None:
            toml = str(folder / "lowland.toml")
            build.run("lowland", os.devnull, "--project", toml, "db", word, core=core, state=state)

        db("up")
        try:
            db("migrate")
            yield folder, state
        finally:
            db("down")


def correct(folder: Path, parcels: int) -> None:
    """Deliver the parcels of the largest town anew, one in a hundred of the district smaller by two percent each way."""
    text = (folder / "lowland.toml").read_text(encoding="utf-8")
    path = next(folder.rglob(PARCELS))
    rows = pyogrio.read_dataframe(path)
    towns = rows["ZDDM"].str[:9]
    town = towns.value_counts().index[0]
    part = rows[towns == town].reset_index(drop=True)
    some = part.index[: max(1, parcels // 100)]
    shapes = part.geometry.to_numpy()
    for row in some:
        centre = shapely.centroid(shapes[row])
        shapes[row] = shapely.transform(
            shapes[row], lambda corners, c=centre: (corners - (c.x, c.y)) * 0.98 + (c.x, c.y)
        )
    target = path.with_name("correction.gpkg")
    pyogrio.write_dataframe(part.set_geometry(shapes, crs=rows.crs), target)
    name = target.relative_to(folder).as_posix()
    block = f'\n[[delivery]]\nlayer = "parcel"\nsource = "{name}"\npart = "{town}"\n'
    (folder / "lowland.toml").write_text(text + block, encoding="utf-8")


def lines(parcels: int, figures: dict[str, Figures], given: argparse.Namespace) -> list[str]:
    """Return the tables of one size."""
    text = [
        f"\n## {parcels:,} parcels: medians of {given.rounds} round(s) in turn, one core for program and database\n",
        f"| run | stage |{heads(figures, 'seconds')}{heads(figures, 'processor s')}",
        "|---|---|" + "---|" * 2 * (len(figures) + 1),
    ]
    for run in (WHOLE, CHECK, AGAIN, CORRECTED):
        text += [
            f"| {run} | {stage} |" + "".join(cells(figures, run, stage, which) for which in (0, 1))
            for stage in (("all",) if run == CHECK else (*STAGES, "start", "all"))
        ]
    for name, found in figures.items():
        peaks = f"{statistics.median(found.peak_mb):,.0f} MB" if found.peak_mb else "–"
        text.append(f"\n{name}: peak memory of the program {peaks}{shares(found)}")
    return text


def heads(figures: dict[str, Figures], what: str) -> str:
    """Return the headings of the columns of one kind of seconds."""
    return "".join(f" {name}, {what} |" for name in figures) + " times faster |"


def cells(figures: dict[str, Figures], run: str, stage: str, which: int) -> str:
    """Return the columns of one kind of seconds of a stage."""
    medians = [found.median(run, stage, which) for found in figures.values()]
    return "".join(f" {shown(value)} |" for value in medians) + f" {times(medians)} |"


def shares(found: Figures) -> str:
    """Say what a corrected run takes of the whole one."""
    if not found.ended or found.median(CORRECTED, "all") is None:
        return "" if found.ended else "; it did not come to its end"
    part, whole = (
        sum(found.median(run, stage) or math.nan for stage in EVALUATION) for run in (CORRECTED, WHOLE)
    )
    total = (found.median(CORRECTED, "all") or math.nan) / (found.median(WHOLE, "all") or math.nan)
    return f"; one parcel in a hundred corrected: tabulation to units {part / whole:.1%}, the whole {total:.1%} of a full run"


def growth(found: dict[int, dict[str, Figures]]) -> list[str]:
    """Return with which exponent the whole run of each build grows, from each size to the next."""
    text = ["\n## Growth of the whole run\n"]
    sizes = sorted(found)
    for name in next(iter(found.values())):
        for small, large in pairwise(sizes):
            a, b = (found[size][name].median(WHOLE, "all") for size in (small, large))
            if a and b:
                exponent = math.log(b / a) / math.log(large / small)
                text.append(
                    f"{name}: {small:,} → {large:,} parcels: {a:.1f} → {b:.1f} s, exponent {exponent:.2f}"
                )
    return text


def shown(seconds: float | None) -> str:
    """Return seconds for the table."""
    return "–" if seconds is None else f"{seconds:.2f}"


def times(medians: list[float | None]) -> str:
    """Return how many times the second build is faster than the first."""
    match medians:
        case [float(old), float(new)] if new > 0.0:
            return f"{old / new:.1f}"
    return "–"


def kept(found: dict[int, dict[str, Figures]], given: argparse.Namespace) -> dict[str, object]:
    """Return the figures as they are kept: medians by size, build, run and stage."""
    sizes = {
        str(size): {
            name: {
                "seconds": {
                    run: {stage: [item.median(run, stage, which) for which in (0, 1)] for stage in stages}
                    for run, stages in item.seconds.items()
                },
                "peak_mb": statistics.median(item.peak_mb) if item.peak_mb else None,
                "ended": item.ended,
            }
            for name, item in figures.items()
        }
        for size, figures in found.items()
    }
    return {"old": given.old, "rounds": given.rounds, "seed": SEED, "sizes": sizes}


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="3000", help="sizes, such as 3000,20000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--builds", default="old,new", help="which of old and new are measured")
    parser.add_argument("--core", type=int, default=0, help="the core that everything runs on")
    parser.add_argument("--old", default=OLD, help="the commit of the old build")
    parser.add_argument("--work", type=Path, help="where builds and districts are kept; else nothing is kept")
    parser.add_argument("--out", type=Path, help="a file for the figures, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
