"""How near the drawing comes to the optimum and in what time, beside an older build: components against bounds, districts against many rounds.

Both builds search the same files with their own defaults, each in a process of its own, in turn (see `unit_build`); the evaluator of this
build judges what both have drawn.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from unit_build import DEFAULT, searched_in, unpacked, written

from lowland_gis.analysis.units.bound import bounds
from lowland_gis.analysis.units.ground import Problem, Weights, build_problem
from lowland_gis.analysis.units.judge import judge
from lowland_gis.analysis.units.search import Effort, solve
from unit_instances import BLOCK_M, PARCELS_A_BLOCK, Instance, bubenec, generated, members_table

HERE = Path(__file__).parents[1] / "src"
# The build that this one is measured against.
OLD = "a329624"
# Components of one block each have so many parcels, from the fewest to the most.
FEWEST, MOST = 60, 330
# A gap so small is none.
_CLOSED = 1e-4


@dataclass(frozen=True)
class Asked:
    """What is measured: districts of so many parcels with blocks of such sides for each seed, and so many components from a seed on.

    `many` are the rounds that stand for the best; `both`: of both builds. `proof` rounds of exact pricing bound components up to
    `proven_up_to` parcels: a hundred parcels take them seconds, a hundred and seventy half a minute.
    """

    parcels: Sequence[int] = (10_000,)
    seeds: Sequence[int] = (1, 2, 3, 4, 5)
    blocks: Sequence[int] = (520, 1020)
    components: int = 20
    first: int = 1
    many: int = 60
    both: bool = True
    proof: int = 8
    proven_up_to: int = 170
    old: str = OLD
    cadastre: bool = True


def bars(asked: Asked) -> None:
    """Print every bar: what this build and the old one find by default, the best that is known, bounds, broken rules, CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        old = unpacked(asked.old, work)
        print(
            "| component | parcels | value ha | old build ha | best known ha | bound ha | value / best known | value / bound | proven | broken rules | s | old s | bound s |"
        )
        _components_against_bounds(work / "components", old, asked)
        print(
            f"| district parcels/seed/block m | value ha | old build ha | {asked.many} rounds ha | value / best | old build / best | broken rules | search s | old search s | search ratio | with ground and bound s | old with ground and bound s | whole ratio |"
        )
        for count in asked.parcels:
            for name in (f"{count}/{seed}/{block}" for block in asked.blocks for seed in asked.seeds):
                _against_many(name, work / name.replace("/", "-"), old, asked)


def _components(asked: Asked) -> list[Instance]:
    cadastre = (
        [replace(bubenec(), name="bubenec 407, outline 5", weights=Weights(outline=5.0))]
        if asked.cadastre
        else []
    )
    sizes = np.linspace(FEWEST, MOST, asked.components)
    return cadastre + [
        generated(round(size), number + asked.first, BLOCK_M * float(np.sqrt(size / PARCELS_A_BLOCK)))
        for number, size in enumerate(sizes)
    ]


@dataclass(frozen=True)
class Drawn:
    """What a build drew: value in m² and broken rules by the evaluator, CPU seconds of the search, and with ground and bound."""

    value: float
    broken: int
    search: float
    whole: float


def both_builds(
    instances: list[Instance], folder: Path, old: Path, many: tuple[int, int]
) -> list[tuple[Problem, list[Drawn], list[Drawn]]]:
    """Return of each instance its ground, and what this build and the old one draw by default, and in so many rounds where that is above 0."""
    problems = [build_problem(each.parcels, each.cells, each.limits, each.weights) for each in instances]
    drawn: list[list[list[Drawn]]] = []
    for build, source, rounds in (("this", HERE, many[0]), ("old", old, many[1])):
        places = [folder / build / f"{number:03d}" for number in range(len(instances))]
        for place, each in zip(places, instances, strict=True):
            written(place, each.parcels, each.cells, each.limits, each.weights)
        asked = [DEFAULT, *([str(rounds)] if rounds else [])]
        searched_in(source, folder / build, asked)
        drawn.append(
            [
                [_read(problem, place / f"{count}.json") for count in asked]
                for problem, place in zip(problems, places, strict=True)
            ]
        )
    return list(zip(problems, *drawn, strict=True))


def _read(problem: Problem, file: Path) -> Drawn:
    told = json.loads(file.read_text(encoding="utf-8"))
    judged = judge(problem, members_table(problem.ids, np.array(told["labels"])))
    return Drawn(judged.value_m2, len(judged.findings), told["search"], told["all"])


def _against_many(name: str, folder: Path, old: Path, asked: Asked) -> None:
    count, seed, block = map(int, name.split("/"))
    instance = generated(count, seed, float(block))
    many = asked.many, asked.many if asked.both else 0
    ((_, (this, *longer), (before, *longer_before)),) = both_builds([instance], folder, old, many)
    best = max(one.value for one in (this, before, *longer, *longer_before))
    most = " / ".join(f"{one.value / 10_000:.2f}" for one in (*longer, *longer_before))
    _say(
        name, f"{this.value / 10_000:.2f}", f"{before.value / 10_000:.2f}", most, f"{this.value / best:.2%}", f"{before.value / best:.2%}",
        this.broken, f"{this.search:.2f}", f"{before.search:.2f}", f"{this.search / before.search:.2f}", f"{this.whole:.2f}",
        f"{before.whole:.2f}", f"{this.whole / before.whole:.2f}",
    )  # fmt: skip


def _components_against_bounds(folder: Path, old: Path, asked: Asked) -> None:
    instances = _components(asked)
    if instances:
        for instance, (problem, (this,), (before,)) in zip(
            instances, both_builds(instances, folder, old, (0, 0)), strict=True
        ):
            _against_bound(instance, problem, this, before, asked)


def _against_bound(instance: Instance, problem: Problem, this: Drawn, before: Drawn, asked: Asked) -> None:
    effort = Effort(rounds=asked.many)
    many = solve(problem, effort)
    begun = time.process_time()
    is_small = instance.name.startswith("bubenec") or len(problem.cell) <= asked.proven_up_to
    bound, proved = bounds(problem, many, replace(effort, proof=asked.proof if is_small else 0))
    proved_s = time.process_time() - begun
    best = max(this.value, before.value, *(sum(part.value for part in found) for found in (many, proved)))
    _say(
        instance.name, len(problem.cell), *(f"{value / 10_000:.3f}" for value in (this.value, before.value, best, bound)),
        f"{this.value / best:.2%}", f"{this.value / bound:.2%}", "yes" if best >= bound * (1 - _CLOSED) else "no",
        this.broken, f"{this.search:.2f}", f"{before.search:.2f}", f"{proved_s:.1f}",
    )  # fmt: skip


def _say(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
