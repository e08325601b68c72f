"""Measure what rounds of search bring in value and cost in time, of this build and of another one beside it.

Type: python bench/unit_rounds.py [--parcels N] [--seeds N …] [--blocks 520 1020] [--rounds 0 4 60] [--beside OTHER/src | COMMIT] [--default N].
Every row is a generated district: value of each number of rounds as a share of the best that any row of the same district found, and
CPU seconds of one core for the search alone. With `--beside` another build (sources, or a commit) searches the same districts with
`--default` rounds, else its own default, in a process of its own, in turn with this one. The evaluator judges every drawing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from unit_build import DEFAULT, searched_in, unpacked, written

from lowland_gis.analysis.units.ground import Problem, Weights, build_problem
from lowland_gis.analysis.units.judge import judge
from lowland_gis.analysis.units.search import Effort, solve
from unit_instances import Instance, bubenec, generated, members_table

BUBENEC = "bubenec"


def instance_of(name: str) -> Instance:
    """Return `bubenec` (outline 5) or the generated district parcels/seed/block_m."""
    if name == BUBENEC:
        return replace(bubenec(), weights=Weights(outline=5.0))
    count, seed, block = map(int, name.split("/"))
    return generated(count, seed, float(block))


def searched(names: list[str], rounds: list[int]) -> list[tuple[str, int, float, float, int]]:
    """Return name, rounds, value in m², CPU seconds and broken rules of every search."""
    warm = generated(400)
    solve(build_problem(warm.parcels, warm.cells), Effort(rounds=1))
    rows = []
    for name in names:
        instance = instance_of(name)
        problem = build_problem(instance.parcels, instance.cells, instance.limits, instance.weights)
        for count in rounds:
            start = time.process_time()
            units = [unit for part in solve(problem, Effort(rounds=count)) for unit in part.units]
            took = time.process_time() - start
            labels = np.full(len(problem.cell), -1)
            for number, unit in enumerate(units):
                labels[unit] = number
            rows.append((name, count, *_judged(problem, labels), took))
    return [(name, count, value, took, broken) for name, count, value, broken, took in rows]


def _judged(problem: Problem, labels: np.ndarray) -> tuple[float, int]:
    judged = judge(problem, members_table(problem.ids, labels))
    return judged.value_m2, len(judged.findings)


def beside(source: Path, names: list[str], rounds: str) -> list[tuple[str, int, float, float, int]]:
    """Return what another build finds, in a process of its own."""
    instances = [instance_of(name) for name in names]
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / f"{number:03d}" for number in range(len(names))]
        for place, each in zip(places, instances, strict=True):
            written(place, each.parcels, each.cells, each.limits, each.weights)
        searched_in(source, Path(folder), [rounds])
        told = [json.loads((place / f"{rounds}.json").read_text(encoding="utf-8")) for place in places]
    rows = []
    for name, each, one in zip(names, instances, told, strict=True):
        problem = build_problem(each.parcels, each.cells, each.limits, each.weights)
        value, broken = _judged(problem, np.array(one["labels"]))
        rows.append((name, one["rounds"], value, one["search"], broken))
    return rows


def main() -> int:
    """Print a table of rounds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parcels", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--blocks", type=int, nargs="*", default=[520, 1020])
    parser.add_argument("--rounds", type=int, nargs="*", default=[0, Effort().rounds, 60])
    parser.add_argument("--beside")
    parser.add_argument("--default", default=DEFAULT)
    parser.add_argument("--names", nargs="*")
    options = parser.parse_args()
    names = options.names or [
        f"{options.parcels}/{seed}/{block}" for block in options.blocks for seed in options.seeds
    ]
    for name in names:
        builds = {"this": searched([name], options.rounds)}
        if options.beside:
            with tempfile.TemporaryDirectory() as work:
                builds["beside"] = beside(unpacked(options.beside, Path(work)), [name], options.default)
        best = max(row[2] for rows in builds.values() for row in rows)
        for build, rows in builds.items():
            for _, rounds, value, took, broken in rows:
                print(
                    f"| {name} | {build} | {rounds} | {value / 10_000:.2f} | {value / best:.2%} | {broken} | {took:.2f} |",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
