"""Measure commands as a person waits for them: the whole process, its start included, in turn in one run.

    python bench/startup.py [--project FOLDER] [--parcels 400] [--rounds 5]

`tabulate` is asked for one parcel in one zone. The commands that show something are asked of a demo, which is made in a folder and a
database of its own and is gone afterwards, or of the finished project in a folder (`--project`). One unmeasured round fills the caches
of the disk, of Python and of machine code. Processor seconds are those of the command; what the database computes is in the seconds by
the clock. Figures go to bench/results/startup.json, and the page of all figures is written anew.
"""

from __future__ import annotations

import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import shapely
from project import reader
from tabulate import FIRST_CORE, keep

# Ended well, or with findings.
ENDINGS = (0, 1)
CORNER = (500_000.0, 4_300_000.0)


class Command(NamedTuple):
    """Words of a command as a person types them; PARCEL, ENTRY (a parcel in a register), FOLDER stand for one of the project. `bar`: seconds that it may take."""

    words: str
    bar: float | None = None


COMMANDS = (
    Command("--help", 0.3),
    Command("tabulate --help", 0.3),
    Command("classify explain --help", 0.3),
    Command("tabulate FOLDER/parcel.parquet FOLDER/zone.parquet --id id --by code", 0.4),
    Command("classify explain PARCEL", 0.8),
    Command("unit list", 0.8),
    Command("rules show", 0.8),
    Command("registry problems", 0.8),
    Command("registry list", 0.8),
    Command("registry show ENTRY", 0.8),
    Command("registry verify", 0.8),
    Command("registry procedure", 0.8),
    Command("rules list"),
    Command("rules check example_general"),
    Command("measures list"),
    Command("layers list"),
    Command("classify todo"),
    Command("check run"),
    Command("unit metrics"),
    Command("unit members"),
    Command("unit why PARCEL"),
    Command("db status"),
)


def main() -> None:
    """Measure every command, print a line each and keep the figures."""
    parser = reader(__doc__)
    parser.add_argument("--project", type=Path, help="folder of a finished project")
    parser.add_argument("--parcels", type=int, default=400, help="of the demo, where no project is named")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lowland-bench-", dir="/tmp") as name:
        folder = Path(name)
        # The server may run as another user.
        folder.chmod(0o755)
        write_files(folder)
        with finished(given.project, folder, given.parcels) as project:
            parcels = parcels_of(project)
            words = {"PARCEL": parcels[0], "ENTRY": entry_of(project, folder), "FOLDER": str(folder)}
            runs = in_turn(project, words, given.rounds)
    figures = {
        "parcels": len(parcels),
        "rounds": given.rounds,
        "commands": [summed(command, runs[command]) for command in COMMANDS],
    }
    for row in figures["commands"]:
        say(row)
    print(f"kept in {keep('startup', figures)}")


def write_files(folder: Path) -> None:
    """Write a parcel and a zone that holds half of it."""
    x, y = CORNER
    shapes = {
        "parcel": ("id", shapely.box(x, y, x + 20, y + 10)),
        "zone": ("code", shapely.box(x + 10, y, x + 99, y + 10)),
    }
    for name, (field, shape) in shapes.items():
        gpd.GeoDataFrame({field: ["a"]}, geometry=[shape], crs=4548).to_parquet(folder / f"{name}.parquet")


@contextmanager
def finished(project: Path | None, folder: Path, parcels: int) -> Iterator[Path]:
    """Yield the folder of a project through which the whole flow has gone."""
    if project is not None:
        yield project
        return
    os.environ["LOWLAND_STATE"] = str(folder / "state")
    made = folder / "demo"
    subprocess.run(
        [*lowland(), "demo", str(made), "--parcels", str(parcels)], check=True, capture_output=True
    )
    try:
        yield made
    finally:
        down = [*lowland(), "--project", str(made / "lowland.toml"), "db", "down"]
        subprocess.run(down, check=True, capture_output=True)


def lowland() -> list[str]:
    """Return how a command begins; it runs on one core."""
    return ["taskset", "-c", str(FIRST_CORE), sys.executable, "-m", "lowland_gis"]


def parcels_of(project: Path) -> list[str]:
    """Return the codes of the parcels of a demo, as its sample wrote them."""
    with (project / "truth.csv").open(encoding="utf-8-sig", newline="") as truth:
        return [row["parcel_id"] for row in csv.DictReader(truth)]


def entry_of(project: Path, folder: Path) -> str:
    """Return the code of a parcel in the register of low-efficiency land, into which the flow has brought its drafts."""
    listed = folder / "entries.csv"
    asked = ["registry", "list", "--register", "low_efficiency", "-o", str(listed)]
    subprocess.run(
        [*lowland(), "--project", str(project / "lowland.toml"), *asked], check=True, capture_output=True
    )
    with listed.open(encoding="utf-8-sig", newline="") as rows:
        return next(csv.DictReader(rows))["subject"]


def in_turn(project: Path, standing: dict[str, str], rounds: int) -> dict[Command, list[dict[str, float]]]:
    """Run every command once unmeasured and then in turn, with the words that stand for those of the project."""
    runs: dict[Command, list[dict[str, float]]] = {command: [] for command in COMMANDS}
    for number in range(rounds + 1):
        for command in COMMANDS:
            typed = command.words
            for word, meant in standing.items():
                typed = typed.replace(word, meant)
            run = measured([*lowland(), "--project", str(project / "lowland.toml"), *typed.split()])
            runs[command] += [run] if number else []
    return runs


def measured(command: list[str]) -> dict[str, float]:
    """Run a process and return its seconds by the clock and of the processor.

    Raises:
        RuntimeError: it ended otherwise than it should.
    """
    # As a person has it: who told Python to keep nothing beside sources would measure its compiler.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        started = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(started.pid, 0)
        wall = time.perf_counter() - begun
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode not in ENDINGS:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {started.returncode}: {said.read().decode()}")
    return {"wall": wall, "cpu_seconds": used.ru_utime + used.ru_stime}


def summed(command: Command, runs: list[dict[str, float]]) -> dict[str, Any]:
    """Return the medians of a command; the words without the names of this machine."""
    medians = {name: statistics.median(run[name] for run in runs) for name in ("wall", "cpu_seconds")}
    return {"command": command.words, "bar": command.bar, **medians}


def say(row: dict[str, Any]) -> None:
    """Print one line of figures."""
    bar = "" if row["bar"] is None else f"  of at most {row['bar']:.1f}"
    print(f"{row['command'][:40]:40} processor {row['cpu_seconds']:6.3f} s  wall {row['wall']:6.3f} s{bar}")


if __name__ == "__main__":
    main()
