"""What pieces of a draft rest on: a draft that takes over what was found before is the draft that is searched anew, whatever changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from shapely import affinity

from lowland_gis.analysis.units import draw
from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.ground import Limits, build_problem
from lowland_gis.analysis.units.resting import Before, component_digests, outline_digests
from lowland_gis.analysis.units.search import Effort
from unit_instances import district

LIMITS, EFFORT = Limits(min_ha=1, max_ha=10), Effort(rounds=2)


@pytest.fixture(scope="module")
def land():
    frame, town, roads = district(3, blocks=5, block_m=300.0, parcel_m2=5_000.0)
    return frame.sort_values("parcel_id", ignore_index=True), barrier_cells(town, roads)


def built(frame, cells, limits=LIMITS):
    return build_problem(frame, cells, limits)


def before_of(drawn):
    shapes = dict(zip(drawn.drawn_from, drawn.units.geometry, strict=True))
    return Before(drawn.searched, {digest: shape for digest, shape in shapes.items() if digest is not None})


def smaller(frame, row):
    shapes = frame.geometry.copy()
    shapes[row] = affinity.scale(shapes[row], 0.97, 0.97)
    return frame.set_geometry(shapes).assign(area_m2=shapes.area)


def no_longer_low(frame, row):
    return frame.assign(low_m2=frame["low_m2"].where(frame.index != row, 0.0))


def gone(frame, row):
    return frame.drop(row).reset_index(drop=True)


def not_allowed(frame, row):
    return frame.assign(reason=frame["reason"].astype(object).where(frame.index != row, "protected"))


def same(one, other):
    pd.testing.assert_frame_equal(one.members, other.members)
    pd.testing.assert_frame_equal(pd.DataFrame(one.units.to_wkb()), pd.DataFrame(other.units.to_wkb()))
    pd.testing.assert_frame_equal(one.findings, other.findings)
    assert (one.bound_m2, one.value_m2, one.searched, one.drawn_from) == (
        other.bound_m2,
        other.value_m2,
        other.searched,
        other.drawn_from,
    )


@pytest.fixture
def counted(monkeypatch):
    """How many components were searched, and outlines drawn, in each draft."""
    counts = []
    solve, outlines = draw.solve, draw.outlines

    def solved(problem, effort, *, wishes, numbers):
        counts.append(len(numbers))
        return solve(problem, effort, wishes=wishes, numbers=numbers)

    def outlined(shapes, units, *given):
        counts.append(len(units))
        return outlines(shapes, units, *given)

    monkeypatch.setattr(draw, "solve", solved)
    monkeypatch.setattr(draw, "outlines", outlined)
    return counts


@pytest.mark.parametrize("change", [smaller, no_longer_low, gone, not_allowed])
@pytest.mark.parametrize("row", [0, 40, 77])
def test_a_draft_that_takes_over_is_one_that_is_searched_anew(land, counted, change, row):
    frame, cells = land
    first = draw.search_units(built(frame, cells), cells, EFFORT)
    after = built(change(frame, row), cells)
    taken = draw.search_units(after, cells, EFFORT, before_of(first))
    anew = draw.search_units(after, cells, EFFORT)
    same(taken, anew)
    assert len(anew.units) >= 5
    searched, outlined = counted[2:4]
    assert searched < counted[4] / 2
    assert outlined < counted[5]


def test_of_the_same_land_nothing_is_searched_or_drawn(land, counted):
    frame, cells = land
    first = draw.search_units(built(frame, cells), cells, EFFORT)
    again = draw.search_units(built(frame, cells), cells, EFFORT, before_of(first))
    same(first, again)
    hopeless = sum(digest not in first.searched for digest in component_digests(built(frame, cells), EFFORT))
    assert counted[2:] == [hopeless, 0]


def test_other_limits_weights_or_effort_rest_on_something_else(land):
    frame, cells = land
    problem = built(frame, cells)
    digests = component_digests(problem, EFFORT)
    assert component_digests(problem, replace(EFFORT, threads=2)) == digests
    weights = replace(problem.weights, outline=problem.weights.outline + 1)
    others = [
        component_digests(built(frame, cells, replace(LIMITS, max_ha=11)), EFFORT),
        component_digests(replace(problem, weights=weights), EFFORT),
        component_digests(problem, replace(EFFORT, rounds=3)),
        component_digests(problem, replace(EFFORT, seed=1)),
    ]
    for other in others:
        assert len(other) == len(digests)
        assert not {*other} & {*digests}


def test_an_outline_rests_on_the_parcels_around_it_and_on_its_block(land):
    frame, cells = land
    shapes, faces = frame.geometry.to_numpy(), cells.geometry.to_numpy()
    units, block = [np.array([0, 1]), np.array([60])], np.array([faces[0], faces[1]])
    digests = outline_digests(shapes, units, block, 10.0)
    moved = shapes.copy()
    moved[1] = affinity.translate(moved[1], 0.001)
    one, other = outline_digests(moved, units, block, 10.0)
    assert one != digests[0]
    assert other == digests[1]
    assert outline_digests(shapes, units, block[::-1], 10.0)[0] != digests[0]
    assert outline_digests(shapes, units, block, 11.0)[0] != digests[0]
