"""Growing units from seeds: what a growth gives up on the way, another one has found."""

from __future__ import annotations

import numpy as np
import pytest

from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.ground import Problem, build_problem
from lowland_gis.analysis.units.grow import grow, set_hash
from lowland_gis.analysis.units.value import desk_of, next_trail
from unit_instances import district


def grown(problem: Problem, alike: int, *, remembers: bool) -> tuple[set[frozenset[int]], int]:
    """Return the units that grow from every parcel of every component, and how many growths came to an end."""
    ground, desk = problem.ground, desk_of(problem.ground)
    found, ended = set(), 0
    price = np.zeros(len(problem.cell))
    for component in range(len(problem.bounds) - 1):
        seeds = problem.of_component(component)
        trail = next_trail(desk, len(seeds)) if remembers else 0
        for seed in seeds:
            size = grow(ground, desk, problem.free, price, seed, alike, 0.0, ground.most, desk.members, trail)
            if size:
                found.add(frozenset(map(int, desk.members[:size])))
                ended += 1
    return found, ended


@pytest.mark.parametrize("alike", [-1, 0, 1])
@pytest.mark.parametrize("seed", range(4))
def test_a_growth_that_gives_up_misses_no_unit(seed: int, alike: int):
    frame, town, roads = district(seed, blocks=6, block_m=520.0)
    problem = build_problem(frame, barrier_cells(town, roads))
    every, all_ends = grown(problem, alike, remembers=False)
    fewer, ends = grown(problem, alike, remembers=True)
    assert fewer == every
    assert len(every) <= ends < all_ends / 2


def test_the_hash_of_a_set_has_no_order_and_tells_sets_apart():
    members = np.arange(40, 60)
    assert set_hash(members) == set_hash(members[::-1])
    pairs = {set_hash(np.array([one, other])) for one in range(60) for other in range(one)}
    assert len(pairs) == 60 * 59 // 2
