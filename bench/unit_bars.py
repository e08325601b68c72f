"""How near the drawing comes to the optimum: single components against their bounds, districts against what many rounds find."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from unit_rounds import searched

from lowland_gis.analysis.units.bound import bounds
from lowland_gis.analysis.units.ground import Weights, build_problem
from lowland_gis.analysis.units.judge import judge
from lowland_gis.analysis.units.search import Effort, Found, solve
from unit_instances import BLOCK_M, PARCELS_A_BLOCK, Instance, bubenec, generated, members_table

MANY = 60
# Components of a block each, from so many parcels to so many.
COMPONENTS, FEWEST, MOST = 20, 60, 330
# Rounds of exact pricing: a hundred parcels take them minutes, three hundred hours.
PROOF, PROVEN_UP_TO = 8, 110
# A gap so small is none.
_CLOSED = 1e-4


def bars(parcels: list[int]) -> None:
    """Print every bar: value by the evaluator, best known, bound, and what they took (CPU seconds)."""
    warm = generated(400)
    solve(build_problem(warm.parcels, warm.cells), Effort(rounds=1))
    print(
        "| instance | parcels | value ha | best known ha | bound ha | value / best known | value / bound | proven | broken rules | search s | bound s |"
    )
    _against_bound(replace(bubenec(), name="bubenec 407, outline 5", weights=Weights(outline=5.0)), PROOF)
    for number, size in enumerate(np.linspace(FEWEST, MOST, COMPONENTS)):
        instance = generated(round(size), number + 1, BLOCK_M * float(np.sqrt(size / PARCELS_A_BLOCK)))
        _against_bound(instance, PROOF if size <= PROVEN_UP_TO else 0)
    print(
        f"| district parcels/seed/block m | value ha | {MANY} rounds ha | value / {MANY} rounds | broken rules | s |"
    )
    for count in parcels or [10_000]:
        for name in (f"{count}/{seed}/{block}" for block in (520, 1020) for seed in (1, 2)):
            (_, _, value, broken, took), (_, _, most, _, _) = searched([name], [Effort().rounds, MANY])
            row = f"{value / 10_000:.2f} | {most / 10_000:.2f} | {value / most:.2%} | {broken} | {took:.2f}"
            print(f"| {name} | {row} |", flush=True)


def _against_bound(instance: Instance, proof: int) -> None:
    problem = build_problem(instance.parcels, instance.cells, instance.limits, instance.weights)
    begun = time.process_time()
    found = solve(problem, Effort())
    searched_s = time.process_time() - begun
    many = solve(problem, Effort(rounds=MANY))
    begun = time.process_time()
    bound, proved = bounds(problem, many, Effort(rounds=MANY, proof=proof))
    proved_s = time.process_time() - begun
    labels = np.full(len(problem.cell), -1)
    for number, unit in enumerate(unit for part in found for unit in part.units):
        labels[unit] = number
    judged = judge(problem, members_table(problem.ids, labels))
    best = max(judged.value_m2, _worth(many), _worth(proved))
    row = (
        instance.name, len(labels), f"{judged.value_m2 / 10_000:.3f}", f"{best / 10_000:.3f}", f"{bound / 10_000:.3f}",
        f"{judged.value_m2 / best:.2%}", f"{judged.value_m2 / bound:.2%}", "yes" if best >= bound * (1 - _CLOSED) else "no",
        len(judged.findings), f"{searched_s:.2f}", f"{proved_s:.1f}",
    )  # fmt: skip
    print("| " + " | ".join(map(str, row)) + " |", flush=True)


def _worth(found: list[Found]) -> float:
    return sum(part.value for part in found)
