"""What `flow.py` runs inside a build: draw a district, or run one command with the seconds of every stage by clock and processor.

    PYTHONPATH=BUILD/src python bench/flow_build.py draw FOLDER PARCELS SEED
    PYTHONPATH=BUILD/src python bench/flow_build.py lowland SECONDS.json ARGUMENTS…

It works in builds of before and after the house was moved, so it looks for what it needs in both places.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peers.measured import server_seconds

# Where the stages stand: since the move, and before.
FLOWS = ("lowland_gis.pipeline.flow", "lowland_gis.pipeline.run")


def main() -> None:
    """Do what the first word says."""
    what, *given = sys.argv[1:]
    if what == "draw":
        draw(Path(given[0]), int(given[1]), int(given[2]))
    else:
        told(Path(given[0]), given[1:])


def draw(folder: Path, parcels: int, seed: int) -> None:
    """Write the files of a district without spoilt records, and the project that loads them."""
    sample, spoil = (importlib.import_module(f"lowland_gis.sample{name}") for name in ("", ".spoil"))
    demo: Any = importlib.import_module("lowland_gis.pipeline.demo")
    nothing = spoil.SpoiltShares(**dict.fromkeys(spoil.SpoiltShares.__dataclass_fields__, 0.0))
    delivery = sample.write_district(folder, parcels=parcels, seed=seed, spoilt=nothing)
    (folder / "lowland.toml").write_text(demo._project_text(delivery), encoding="utf-8")  # noqa: SLF001 - both builds have it


def told(file: Path, arguments: list[str]) -> None:
    """Run one command, and write the seconds of the stages that it went through, also where it does not come to its end."""
    seconds: dict[str, tuple[float, float]] = {}
    stages = flow()._STAGES  # noqa: SLF001 - both builds have them
    stages.update({name: timed(name, stage, seconds, file) for name, stage in stages.items()})
    sys.argv[1:] = arguments
    importlib.import_module("lowland_gis.cli").program()


def flow() -> Any:
    """Return the module of this build that has the stages."""
    return next(importlib.import_module(name) for name in FLOWS if importlib.util.find_spec(name))


def timed(
    name: str, stage: Callable[..., Any], seconds: dict[str, tuple[float, float]], file: Path
) -> Callable[..., Any]:
    """Return a stage that keeps its seconds, by the clock and of the processor, in a file when it is done."""

    def work(*words: Any, **options: Any) -> Any:
        begun, busy = time.perf_counter(), busy_seconds()
        done = stage(*words, **options)
        seconds[name] = time.perf_counter() - begun, busy_seconds() - busy
        file.write_text(json.dumps(seconds), encoding="utf-8")
        return done

    return work


def busy_seconds() -> float:
    """Return the processor time up to now of this program, and of the server whose process number is in the environment."""
    server = os.environ.get("FLOW_SERVER")
    return time.process_time() + (server_seconds(int(server)) if server else 0.0)


if __name__ == "__main__":
    main()
