"""What `units.py bars` and `unit_rounds.py` run inside a build: search instances, and write which parcel came into which unit.

    PYTHONPATH=BUILD/src python bench/unit_build.py FOLDER ROUNDS…

Every folder below FOLDER is an instance as `written` leaves it; ROUNDS are numbers, or `default`: what a project has. It works in builds of before and after
the modules of units were put together, so it looks for what it needs in both places. For each instance and number of rounds a file
`ROUNDS.json` gets the unit of every parcel (by the order of the codes, -1: none) and CPU seconds of one core: `search` alone, and `all` with
the ground and the bound.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd

PLACES = ("lowland_gis.analysis.units.", "lowland_gis.analysis.unit_")
DEFAULT = "default"


def part(name: str) -> Any:
    """Return a module of units of this build."""
    return next(importlib.import_module(place + name) for place in PLACES if _is(place + name))


def _is(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def written(
    folder: Path, parcels: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, limits: Any, weights: Any
) -> None:
    """Write an instance for every build; limits and weights that a build does not know are left out there."""
    folder.mkdir(parents=True)
    parcels.to_parquet(folder / "parcels.parquet")
    cells.to_parquet(folder / "cells.parquet")
    (folder / "rules.json").write_text(json.dumps([asdict(limits), asdict(weights)]), encoding="utf-8")


def searched_in(source: Path, folder: Path, rounds: list[str]) -> None:
    """Search all instances below a folder by the build whose sources are given, in a process of its own."""
    subprocess.run(
        [sys.executable, __file__, str(folder), *rounds],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(source.resolve()), os.environ.get("PYTHONPATH", "")]),
        },
        check=True,
    )


def unpacked(commit: str, work: Path) -> Path:
    """Return the sources of a commit of this repository, unpacked below a folder; a folder that is named is taken as it is."""
    if Path(commit).is_dir():
        return Path(commit)
    folder = work / f"build-{commit}"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        archive = subprocess.run(
            ["git", "-C", Path(__file__).parents[1], "archive", commit, "src"],
            check=True,
            capture_output=True,
        )
        subprocess.run(["tar", "x", "-C", folder], input=archive.stdout, check=True)
    return folder / "src"


def main() -> None:
    """Search every instance of a folder; what is compiled is called before on each, so that it is not counted."""
    folder, rounds = Path(sys.argv[1]), sys.argv[2:]
    ground, search, bound = (part(name) for name in ("ground", "search", "bound"))
    usual = importlib.import_module("lowland_gis.settings").DelineateSettings().rounds
    instances = sorted(path.parent for path in folder.glob("*/rules.json"))
    warm = _problem(ground, min(instances, key=lambda path: (path / "parcels.parquet").stat().st_size))
    bound.bounds(warm, search.solve(warm, search.Effort(rounds=1)), search.Effort(rounds=1))
    for instance in instances:
        begun = time.process_time()
        problem = _problem(ground, instance)
        ground_s = time.process_time() - begun
        search.solve(problem, search.Effort(rounds=0))
        for count in rounds:
            effort = search.Effort(rounds=usual if count == DEFAULT else int(count))
            begun = time.process_time()
            found = search.solve(problem, effort)
            search_s = time.process_time() - begun
            total, _ = bound.bounds(problem, found, effort)
            all_s = ground_s + time.process_time() - begun
            labels = [-1] * len(problem.cell)
            for number, unit in enumerate(unit for part in found for unit in part.units):
                for node in unit.tolist():
                    labels[node] = number
            told = {
                "labels": labels,
                "search": search_s,
                "all": all_s,
                "bound": total,
                "rounds": effort.rounds,
            }
            (instance / f"{count}.json").write_text(json.dumps(told), encoding="utf-8")


def _problem(ground: Any, instance: Path) -> Any:
    given = json.loads((instance / "rules.json").read_text(encoding="utf-8"))
    rules = (
        kind(**{name: value for name, value in values.items() if name in kind.__dataclass_fields__})
        for kind, values in zip((ground.Limits, ground.Weights), given, strict=True)
    )
    tables = (gpd.read_parquet(instance / f"{name}.parquet") for name in ("parcels", "cells"))
    return ground.build_problem(*tables, *rules)


if __name__ == "__main__":
    main()
