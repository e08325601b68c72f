"""A planner's edits: what was said stays, the rest of the component is drawn again, faults are named together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.draw import Draft, describe, search_units
from lowland_gis.analysis.units.edit import Change, Edit, apply_edits, change_units, units_of
from lowland_gis.analysis.units.ground import Problem, build_problem
from lowland_gis.analysis.units.judge import judge
from lowland_gis.analysis.units.reasons import alternatives
from lowland_gis.analysis.units.search import Effort, no_wishes, solve_component
from unit_instances import district

EFFORT = Effort(rounds=2)


@pytest.fixture(scope="module")
def ground():
    frame, town, roads = district(3, blocks=4, block_m=420.0)
    cells = barrier_cells(town, roads)
    problem = build_problem(frame, cells)
    return problem, cells, search_units(problem, cells, EFFORT)


def changed(ground: tuple[Problem, object, Draft], *edits: Edit) -> Change:
    problem, _, drawn = ground
    return change_units(problem, units_of(problem, drawn.members), edits, EFFORT)


def disjoint(change: Change) -> bool:
    members = np.concatenate(list(change.units.values()))
    return len(members) == len(np.unique(members))


def of(ground, unit: str) -> list[str]:
    members = ground[2].members
    return members["parcel_id"][members["unit_id"] == unit].tolist()


def border_parcel(ground) -> tuple[str, str, str]:
    """Return a parcel left out beside a unit, that may be in one, with the unit and its code."""
    problem, _, drawn = ground
    unit = dict(zip(drawn.members["parcel_id"], drawn.members["unit_id"], strict=True))
    for one, other in zip(problem.links["first"], problem.links["second"], strict=True):
        for here, there in ((one, other), (other, one)):
            code, name = problem.ids[here], unit[problem.ids[there]]
            if pd.isna(unit[code]) and isinstance(name, str) and problem.free[here]:
                return code, name, problem.ids[there]
    raise AssertionError("the district has no such parcel")


@pytest.mark.parametrize("kind", ["forbid", "redraw"])
def test_no_parcel_is_in_two_units_where_the_first_of_a_unit_may_be_in_none_any_more(ground, kind):
    """As after a delivery in which it overlaps another parcel: the draft still has it, the new ground bars it."""
    _, cells, drawn = ground
    unit = drawn.members["unit_id"].dropna().iloc[0]
    first, second, *_ = of(ground, unit)
    frame = ground[0].parcels.assign(
        reason=lambda rows: (
            rows["reason"].astype(object).where(rows["parcel_id"] != first, "overlaps another parcel")
        )
    )
    problem = build_problem(frame, cells)
    edit = Edit("forbid", (second,)) if kind == "forbid" else Edit("redraw", units=(unit,))
    change = change_units(problem, units_of(problem, drawn.members), (edit,), EFFORT)
    assert disjoint(change)
    assert not any(problem.ids[at] == first for at in np.concatenate(list(change.units.values())))


def test_a_moved_parcel_is_where_it_was_put_and_nothing_else_changes(ground):
    parcel, unit, _ = border_parcel(ground)
    change = changed(ground, Edit("move", (parcel,), (unit,)))
    assert change.changed == (unit,)
    assert set(ground[0].ids[change.units[unit]]) == {*of(ground, unit), parcel}
    assert change.after_m2 <= change.before_m2 + 1e-6


def test_a_parcel_that_is_forbidden_is_in_no_unit_and_its_unit_is_drawn_again(ground):
    unit = ground[2].units["unit_id"].iloc[0]
    parcel = of(ground, unit)[0]
    change = changed(ground, Edit("forbid", (parcel,)))
    assert all(parcel not in ground[0].ids[members] for members in change.units.values())
    assert disjoint(change)
    assert change.broken == {}


def test_a_forced_parcel_is_in_a_unit(ground):
    parcel, _, _ = border_parcel(ground)
    change = changed(ground, Edit("force", (parcel,)))
    assert sum(parcel in ground[0].ids[members] for members in change.units.values()) == 1
    assert change.broken == {}
    assert change.after_m2 <= change.before_m2 + 1e-6


def test_a_locked_unit_stays_when_its_component_is_drawn_anew(ground):
    unit = ground[2].units["unit_id"].iloc[0]
    change = changed(ground, Edit("lock", units=(unit,)), Edit("redraw", units=(unit,)))
    assert set(ground[0].ids[change.units[unit]]) == set(of(ground, unit))
    assert disjoint(change)


def test_a_split_unit_is_two_and_a_merge_takes_it_back(ground):
    problem, cells, drawn = ground
    largest = drawn.units.sort_values("n_parcels")["unit_id"].iloc[-1]
    part = tuple(of(ground, largest)[:2])
    split = changed(ground, Edit("split", part, (largest,)))
    new = next(name for name in split.changed if name != largest)
    assert set(problem.ids[split.units[new]]) == set(part)
    merged = change_units(problem, split.units, [Edit("merge", units=(largest, new))], EFFORT)
    assert set(problem.ids[merged.units[largest]]) == set(of(ground, largest))
    assert new not in merged.units
    again = describe(problem, cells, list(merged.units.values()), drawn.bound_m2, list(merged.units))
    assert again.value_m2 == pytest.approx(drawn.value_m2)


def test_what_an_edit_breaks_is_named_and_judged_alike(ground):
    problem, cells, drawn = ground
    names = drawn.units["unit_id"].tolist()
    edits = [Edit("merge", units=(names[0], names[-1]))]
    change = changed(ground, *edits)
    assert change.broken == {names[0]: "contiguous"} or change.broken == {names[0]: "max_ha"}
    edited = apply_edits(problem, cells, drawn.members, edits, EFFORT, drawn.bound_m2)
    assert {"one_block", "contiguous"} <= set(edited.draft.findings["rule"])
    assert "broken" in edited.said


def test_the_draft_after_edits_is_judged_with_the_same_value(ground):
    problem, cells, drawn = ground
    parcel, unit, _ = border_parcel(ground)
    edited = apply_edits(
        problem, cells, drawn.members, [Edit("move", (parcel,), (unit,))], EFFORT, drawn.bound_m2
    )
    change = changed(ground, Edit("move", (parcel,), (unit,)))
    assert edited.draft.value_m2 - drawn.value_m2 == pytest.approx(change.after_m2 - change.before_m2)
    assert judge(problem, edited.draft.members).value_m2 == pytest.approx(edited.draft.value_m2)


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([Edit("move", ("nobody",), ("nowhere",))], ["no parcel nobody", "no unit nowhere"]),
        ([Edit("merge", units=("120113100-001",))], ["two units or more"]),
        ([Edit("split", ("P0000",), ("120113100-001",)), Edit("forbid", ("x",))], ["no parcel x"]),
        ([Edit("force", ("RED",))], ["no parcel RED"]),
    ],
    ids=["unknown", "merge of one", "two faults", "unknown forced"],
)
def test_faults_are_named_together(ground, edits, words):
    with pytest.raises(ValueError, match="there is no|two units") as refused:
        changed(ground, *edits)
    assert all(word in str(refused.value) for word in words)


def test_a_protected_parcel_cannot_be_moved_in(ground):
    problem, _, drawn = ground
    parcel = problem.ids[np.flatnonzero(~problem.free)[0]]
    with pytest.raises(ValueError, match=f"may be in no unit: {parcel}"):
        changed(ground, Edit("move", (parcel,), (drawn.units["unit_id"].iloc[0],)))


def test_the_next_best_units_hold_the_parcel_and_the_best_is_the_one_drawn(ground):
    problem, _, drawn = ground
    unit = drawn.units["unit_id"].iloc[0]
    parcel = of(ground, unit)[0]
    component = int(problem.component[list(problem.ids).index(parcel)])
    found = alternatives(problem, solve_component(problem, component, EFFORT, no_wishes(problem)), parcel)
    assert len(found) > 1
    assert all(parcel in item.parcels for item in found)
    assert found[0].loses_m2 == pytest.approx(0, abs=1e-6)
    assert [item.loses_m2 for item in found] == sorted(item.loses_m2 for item in found)
