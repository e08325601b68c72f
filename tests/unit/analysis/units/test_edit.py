"""A planner's edits: what was said stays, each is answered as the evaluator judges it, repairs lead to what they say, faults are named together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.draw import Draft, search_units
from lowland_gis.analysis.units.edit import Edit
from lowland_gis.analysis.units.edit_faults import twice
from lowland_gis.analysis.units.ground import Weights, build_problem
from lowland_gis.analysis.units.judge import judge
from lowland_gis.analysis.units.pricing import Pricer
from lowland_gis.analysis.units.programme import component_of
from lowland_gis.analysis.units.reasons import alternatives
from lowland_gis.analysis.units.search import Effort, no_wishes, solve_component
from lowland_gis.analysis.units.session import Answer, EditSession
from lowland_gis.analysis.units.weighed import Scales
from unit_instances import district

EFFORT = Effort(rounds=2)
WHY = {"reason": "人行天桥", "said_by": "规划科"}


@pytest.fixture(scope="module")
def ground():
    frame, town, roads = district(3, blocks=4, block_m=420.0)
    old = np.where(np.arange(len(frame)) % 3 == 0, "old-001", None)
    frame = frame.assign(before=np.where(frame["reason"].isna(), old, None))
    cells = barrier_cells(town, roads)
    problem = build_problem(frame, cells, None, Weights(changed_land=0.05, mixed_use=0.1, mixed_owner=0.1))
    return problem, cells, search_units(problem, cells, EFFORT)


@pytest.fixture(scope="module")
def narrow(ground):
    """The same ground, where a neck has a limit and a price."""
    problem, cells, drawn = ground
    limits, weights = (
        replace(problem.limits, min_neck_m=90.0, neck_wide_m=140.0),
        replace(problem.weights, neck=40.0),
    )
    return build_problem(problem.parcels, cells, limits, weights), cells, drawn


@pytest.fixture
def session(ground) -> EditSession:
    problem, cells, drawn = ground
    return EditSession(problem, cells, drawn.members, EFFORT)


def of(session: EditSession, unit: str) -> list[str]:
    return session.problem.ids[session.division.units[unit]].tolist()


def holder(session: EditSession, parcel: str) -> str | None:
    return session.members.set_index("parcel_id")["unit_id"][parcel]


def outside(session: EditSession) -> tuple[str, str]:
    """Return a parcel left out beside a unit, that may be in one, with the unit."""
    return next(iter(all_outside(session)))


def all_outside(session: EditSession) -> list[tuple[str, str]]:
    problem, held = session.problem, session.division.unit_of
    links = zip(problem.links["first"], problem.links["second"], strict=True)
    pairs = [pair for one, other in links for pair in ((one, other), (other, one))]
    return [
        (problem.ids[at], held[to])
        for at, to in pairs
        if held[at] is None and held[to] is not None and problem.free[at]
    ]


def far_apart(session: EditSession) -> tuple[str, str]:
    """Return two parcels of one block that are no neighbours, with nothing protected on the way between them."""
    problem = session.problem
    shapes = problem.parcels.geometry.to_numpy()
    barred = shapely.union_all(shapes[~problem.free])
    linked = set(zip(problem.links["first"], problem.links["second"], strict=True))
    for one in np.flatnonzero(problem.free):
        for other in np.flatnonzero(problem.free & (problem.cell == problem.cell[one])):
            way = shapely.shortest_line(shapes[one], shapes[other])
            if one < other and (one, other) not in linked and not shapely.intersects(way, barred):
                return problem.ids[one], problem.ids[other]
    raise AssertionError("the district has no such parcels")


def agrees(session: EditSession, answer: Answer) -> None:
    """Hold an answer against the evaluator, which shares no line with it."""
    judged = judge(session.problem, session.members)
    assert session.value_m2 == pytest.approx(judged.value_m2, abs=1e-5)
    assert answer.value_m2 == session.value_m2
    assert sum(answer.terms.values()) == pytest.approx(answer.gain_m2, abs=1e-5)
    units = judged.units.set_index("unit_id")
    for unit in answer.units:
        if unit.parcels_after:
            assert unit.parcels_after == units.loc[unit.unit_id, "n_parcels"]
            assert unit.value_after_m2 == pytest.approx(units.loc[unit.unit_id, "value_m2"], abs=1e-6)
    ours = {(each.unit_id, each.rule, round(each.value, 7), round(each.limit, 7)) for each in session.broken}
    theirs = {
        (row.unit_id, row.rule, round(row.value, 7), round(row.limit, 7))
        for row in judged.findings.itertuples()
    }
    assert ours == theirs


def leads_there(session: EditSession, answer: Answer) -> None:
    """Do every repair, and hold the value and the rules that it promised against the evaluator; then take it back."""
    for repair in answer.repairs:
        if repair.edit is None:
            session.undo()
            assert session.value_m2 == pytest.approx(repair.value_m2)
            session.redo()
            continue
        further = session.say(repair.edit)
        agrees(session, further)
        assert session.value_m2 == pytest.approx(repair.value_m2, abs=1e-5)
        broken = {(each.unit_id, each.rule) for each in session.broken}
        assert not set(repair.settles) & broken
        assert {*repair.leaves, *repair.breaks} <= broken
        assert (repair.settles and len(repair.settles) > len(repair.breaks)) or repair.gain_m2 > 0
        session.undo()


def some_edits(session: EditSession) -> list[Edit]:
    """Return an edit of every kind, most of which break something."""
    parcel, unit = outside(session)
    names = sorted(session.division.units, key=lambda name: -len(session.division.units[name]))
    first, second = of(session, names[0])[:2]
    one, other = far_apart(session)
    linked = session.problem.links.iloc[0]
    neighbours = (session.problem.ids[int(linked[name])] for name in ("first", "second"))
    facing = next(neighbours), next(neighbours)
    return [
        Edit("move", (parcel,), (unit,)),
        Edit("move", (first,)),
        Edit("new", (first, parcel)),
        Edit("swap", (first,), others=(parcel,)),
        Edit("swap", (first,), others=(of(session, names[-1])[0],)),
        Edit("merge", units=(names[0], names[-1])),
        Edit("merge", units=(names[1], names[2])),
        Edit("split", (first, second), (names[0],)),
        Edit("split", tuple(of(session, names[1])[::2]), (names[1],)),
        Edit("link", (one,), others=(other,), **WHY),
        Edit("unlink", (facing[0],), others=(facing[1],), **WHY),
        Edit("lock", units=(names[0],)),
        Edit("forbid", (first,)),
        Edit("force", (parcel,)),
        Edit("mend", units=(names[0],)),
        Edit("redraw", units=(names[0],)),
    ]


@pytest.mark.parametrize("number", range(16))
def test_every_answer_is_the_evaluators_and_every_repair_leads_where_it_says(session, number):
    edit = some_edits(session)[number]
    answer = session.say(edit)
    agrees(session, answer)
    leads_there(session, answer)


@pytest.mark.parametrize("number", [0, 5, 7, 8, 9, 10, 13, 14])
def test_necks_are_measured_priced_and_forbidden_as_by_the_evaluator(narrow, number):
    problem, cells, drawn = narrow
    session = EditSession(problem, cells, drawn.members, EFFORT)
    assert "min_neck_m" in {breach.rule for breach in session.broken}
    answer = session.say(some_edits(session)[number])
    agrees(session, answer)
    leads_there(session, answer)


@pytest.mark.parametrize("seed", range(3))
def test_edits_one_after_the_other_are_answered_as_the_evaluator_judges(ground, seed):
    problem, cells, drawn = ground
    session = EditSession(problem, cells, drawn.members, EFFORT)
    random = np.random.default_rng(seed)
    values = [session.value_m2]
    for _ in range(12):
        edits = some_edits(session)
        # Anywhere: parcels far away break more than those at the border.
        edits.append(
            Edit(
                "move",
                (str(random.choice(problem.ids[problem.free])),),
                (str(random.choice(sorted(session.division.units))),),
            )
        )
        try:
            answer = session.say(edits[random.integers(len(edits))])
        except ValueError:
            assert session.value_m2 == values[-1]
            continue
        agrees(session, answer)
        values.append(session.value_m2)
    assert len(values) > 5
    for value in reversed(values[:-1]):
        session.undo()
        assert session.value_m2 == value
    assert session.undo() is None
    assert judge(session.problem, session.members).value_m2 == pytest.approx(drawn.value_m2)
    for value in values[1:]:
        answer = session.redo()
        assert answer.value_m2 == session.value_m2 == value
    assert session.redo() is None


def test_the_same_edits_give_the_same_answers_whatever_the_order_of_rows(ground):
    problem, cells, drawn = ground
    shuffled = build_problem(
        problem.parcels.sample(frac=1, random_state=4), cells, problem.limits, problem.weights
    )
    sessions = [
        EditSession(problem, cells, drawn.members, EFFORT),
        EditSession(shuffled, cells, drawn.members.sample(frac=1, random_state=5), EFFORT),
    ]
    for edit in some_edits(sessions[0])[:9]:
        first, second = (each.say(edit) for each in sessions)
        assert first == second
        for each in sessions:
            each.undo()


def test_a_moved_parcel_is_where_it_was_put_and_nothing_else_changes(session):
    parcel, unit = outside(session)
    before = {name: set(of(session, name)) for name in session.division.units}
    answer = session.say(Edit("move", (parcel,), (unit,)))
    assert [each.unit_id for each in answer.units] == [unit]
    assert {name: set(of(session, name)) for name in session.division.units} == before | {
        unit: before[unit] | {parcel}
    }
    assert answer.gain_m2 <= 1e-6


def is_in_no_unit(session: EditSession, parcel: str) -> bool:
    """Prove by exact pricing that no unit that keeps the rules holds a parcel: none is worth its dear gain."""
    problem, dear = session.problem, 1e8
    at = list(problem.ids).index(parcel)
    members = np.flatnonzero(problem.component == problem.component[at])
    local = component_of(problem.ground, members)
    prices = np.where(members == at, -dear, 0.0)
    return all(
        Pricer(problem.ground, local, gain, Scales(problem), 1.0).price(prices)[0] < dear / 2
        for gain in local.gain
    )


def test_a_forced_parcel_is_in_a_unit_and_no_rule_is_broken(session):
    """Only a parcel of which it can be proven that it is in no unit that keeps the rules is refused, and then nothing has changed."""
    before, held = session.division, 0
    for parcel, _ in all_outside(session)[:8]:
        try:
            session.say(Edit("force", (parcel,)))
        except ValueError as error:
            assert f"no unit that keeps the rules holds {parcel}" in str(error)  # noqa: PT017 - which ones are refused is not the point
            assert is_in_no_unit(session, parcel)
        else:
            held += 1
            assert holder(session, parcel) is not None
            assert session.broken == ()
            assert not is_in_no_unit(session, parcel)
            session.undo()
        assert session.division.units == before.units
    assert held >= 3


def test_a_locked_unit_stays_when_its_component_is_drawn_anew_and_takes_no_edit(session):
    unit = min(session.division.units)
    parcels = of(session, unit)
    session.say(Edit("lock", units=(unit,)))
    session.say(Edit("redraw", units=(unit,)))
    assert of(session, unit) == parcels
    with pytest.raises(ValueError, match=f"move: {unit} is locked; unlock it first"):
        session.say(Edit("move", (parcels[0],)))
    session.say(Edit("unlock", units=(unit,)))
    session.say(Edit("move", (parcels[0],)))


def test_what_is_out_by_an_edit_is_proposed_for_no_unit_and_what_is_forced_does_not_leave(session):
    unit = max(session.division.units, key=lambda name: len(session.division.units[name]))
    parcel = of(session, unit)[0]
    session.say(Edit("forbid", (parcel,)))
    answers = [session.say(Edit("move", (code,))) for code in of(session, unit)[:3]]
    assert any(answer.repairs for answer in answers)
    for answer in answers:
        for repair in answer.repairs:
            if repair.edit is not None:
                session.say(repair.edit)
                assert holder(session, parcel) is None
                session.undo()


def test_a_split_unit_is_two_and_a_merge_takes_it_back(session):
    largest = max(session.division.units, key=lambda name: len(session.division.units[name]))
    whole, value = set(of(session, largest)), session.value_m2
    part = tuple(of(session, largest)[:2])
    answer = session.say(Edit("split", part, (largest,)))
    new = next(each.unit_id for each in answer.units if each.parcels_before == 0)
    assert set(of(session, new)) == set(part)
    assert "min_ha" in {breach.rule for breach in answer.broken}
    session.say(Edit("merge", units=(largest, new)))
    assert set(of(session, largest)) == whole
    assert new not in session.division.units
    assert session.value_m2 == pytest.approx(value)


def test_taking_the_edit_back_is_proposed_where_it_broke_a_rule(session):
    names = sorted(session.division.units)
    value = session.value_m2
    answer = session.say(Edit("merge", units=(names[0], names[-1])))
    assert {breach.rule for breach in answer.broken} >= {"one_block", "contiguous"}
    blocks = next(breach for breach in answer.broken if breach.rule == "one_block")
    assert (blocks.value, blocks.limit) == (2.0, 1.0)
    back = next(repair for repair in answer.repairs if repair.edit is None)
    assert back.value_m2 == value
    assert (names[0], "one_block") in back.settles


def test_a_link_by_hand_lets_parcels_hang_together_and_saves_no_outline(session):
    one, other = far_apart(session)
    session.say(Edit("new", (one, other)))
    unit = holder(session, one)
    apart = {breach.rule for breach in session.broken if breach.unit_id == unit}
    value = session.value_m2
    answer = session.say(Edit("link", (one,), others=(other,), **WHY))
    agrees(session, answer)
    assert "contiguous" in apart
    assert (unit, "contiguous") in answer.settled
    assert session.value_m2 == pytest.approx(value)
    assert [link.to_json() for link in session.division.links] == [
        {"one": min(one, other), "other": max(one, other), "joined": True, **WHY}
    ]
    assert "m apart" in answer.notes[0]
    session.say(Edit("unlink", (other,), others=(one,), **WHY))
    assert session.division.links == ()
    assert "contiguous" in {breach.rule for breach in session.broken}


def test_a_link_that_is_forbidden_gives_both_their_whole_outline(session):
    unit = max(session.division.units, key=lambda name: len(session.division.units[name]))
    links, inside = session.problem.links, session.division.units[unit]
    both = links[links["first"].isin(inside) & links["second"].isin(inside)].iloc[0]
    one, other = (session.problem.ids[int(both[name])] for name in ("first", "second"))
    answer = session.say(Edit("unlink", (one,), others=(other,), **WHY))
    agrees(session, answer)
    assert answer.terms["outline_cost"] == pytest.approx(
        -2 * session.problem.weights.outline * both["length_m"]
    )
    with pytest.raises(ValueError, match="no neighbours, so there is no link to cut"):
        session.say(Edit("unlink", (one,), others=(other,), **WHY))


def test_the_draft_after_edits_is_what_the_session_says(ground, session):
    parcel, unit = outside(session)
    session.say(Edit("move", (parcel,), (unit,)))
    draft: Draft = session.draft(ground[2].bound_m2)
    assert draft.value_m2 == pytest.approx(session.value_m2)
    assert draft.members.set_index("parcel_id")["unit_id"][parcel] == unit
    assert draft.bound_m2 == ground[2].bound_m2


def test_a_unit_that_may_lie_in_several_towns_is_named_by_both_and_breaks_no_rule(ground):
    problem, cells, drawn = ground
    centre = shapely.get_coordinates(shapely.centroid(problem.parcels.geometry.to_numpy()))[:, 1]
    one = drawn.members["parcel_id"][drawn.members["unit_id"] == drawn.units["unit_id"].iloc[0]]
    towns = np.where(centre > np.median(centre[np.isin(problem.ids, one)]), "120113101", "120113100")
    across = replace(problem, parcels=problem.parcels.assign(town=towns))
    session = EditSession(across, cells, drawn.members, EFFORT)
    named = {breach.unit_id: breach for breach in session.broken}
    assert named
    assert {breach.rule for breach in named.values()} == {"across_towns"}
    judged = judge(across, drawn.members).findings
    assert set(judged["unit_id"]) == set(named)
    assert set(judged["rule"]) == {"across_towns"}
    unit = next(iter(named))
    answer = session.say(Edit("move", (of(session, unit)[0],)))
    agrees(session, answer)


def test_parcels_of_a_frozen_unit_are_named(ground):
    problem, cells, drawn = ground
    unit = drawn.units["unit_id"].iloc[0]
    parcels = drawn.members["parcel_id"][drawn.members["unit_id"] == unit].tolist()
    session = EditSession(problem, cells, drawn.members, EFFORT, frozen=dict.fromkeys(parcels, "ZKF-007"))
    other = session.say(Edit("lock", units=(unit,)))
    session.undo()
    answer = session.say(Edit("move", (parcels[0],)))
    assert other.notes == ()
    assert answer.notes == (
        "ZKF-007 is frozen: it stays as it is until a unit that is frozen takes its place",
    )


FAULTS = {
    "unknown": (Edit("move", ("nobody",), ("nowhere",)), ["no parcel nobody", "no unit nowhere"]),
    "merge of one": (Edit("merge", units=("120113100-001",)), ["two units or more"]),
    "merge of itself": (Edit("merge", units=("120113100-001", "120113100-001")), ["two units or more"]),
    "unknown forced": (Edit("force", ("RED",)), ["no parcel RED"]),
    "no parcel": (Edit("move", (), ("120113100-001",)), ["name a parcel"]),
    "no unit": (Edit("mend"), ["name a unit"]),
    "redraw of nothing": (Edit("redraw"), ["name a unit or a parcel"]),
    "half a swap": (Edit("swap", ("P0000",)), ["name the other parcel too"]),
    "twice in one": (Edit("new", ("P0000", "P0000")), ["P0000 stands in it twice"]),
    "swap with itself": (Edit("swap", ("P0000",), others=("P0000",)), ["P0000 stands in it twice"]),
    "link unknown": (Edit("link", ("P0000",), others=("x",), **WHY), ["no parcel x"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_named_together_and_nothing_has_changed(session, name):
    edit, words = FAULTS[name]
    before = session.members
    with pytest.raises(ValueError, match=".") as refused:
        session.say(edit)
    assert all(word in str(refused.value) for word in words), refused.value
    pd.testing.assert_frame_equal(session.members, before)
    assert session.answers == ()


def refused(session: EditSession, edit: Edit) -> str:
    with pytest.raises(ValueError, match=".") as raised:
        session.say(edit)
    return str(raised.value)


def test_what_makes_no_sense_is_named(session):
    problem = session.problem
    unit = max(session.division.units, key=lambda name: len(session.division.units[name]))
    first, second = of(session, unit)[:2]
    out = [parcel for parcel, _ in all_outside(session)]
    red = problem.ids[np.flatnonzero(~problem.free)[0]]
    assert "P" in red
    assert f"may be in no unit: {red}" in refused(session, Edit("move", (red,), (unit,)))
    assert f"may be in no unit: {red}" in refused(session, Edit("swap", (first,), others=(red,)))
    assert f"both are in {unit}" in refused(session, Edit("swap", (first,), others=(second,)))
    assert "both are in no unit" in refused(session, Edit("swap", (out[0],), others=(out[-1],)))
    assert "one side lie in several units" in refused(
        session, Edit("swap", (first, out[0]), others=(out[-1],))
    )
    assert f"{first} is in {unit} already" in refused(session, Edit("move", (first,), (unit,)))
    assert "nothing to take out" in refused(session, Edit("move", (out[0],)))
    assert "some, not all" in refused(session, Edit("split", tuple(of(session, unit)), (unit,)))
    assert "some, not all" in refused(session, Edit("split", (out[0],), (unit,)))


def test_a_link_crosses_no_barrier_and_no_land_that_may_be_in_no_unit(session):
    problem = session.problem
    free = problem.ids[problem.free]
    other_block = problem.ids[problem.free & (problem.cell != problem.cell[problem.free][0])]
    said = refused(session, Edit("link", (free[0],), others=(other_block[0],), **WHY))
    assert "different blocks" in said
    assert "crosses no barrier" in said
    linked = problem.links.iloc[0]
    one, other = (problem.ids[int(linked[name])] for name in ("first", "second"))
    assert "neighbours already" in refused(session, Edit("link", (one,), others=(other,), **WHY))
    assert "say why, and who says so" in refused(
        session, Edit("link", far_apart(session)[:1], others=far_apart(session)[1:])
    )
    red = problem.ids[np.flatnonzero(~problem.free)[0]]
    assert "may be in no unit" in refused(session, Edit("link", (free[0],), others=(red,), **WHY))
    assert "runs over" in refused(session, over_red(session))


def over_red(session: EditSession) -> Edit:
    """Return a link over a parcel that may be in no unit."""
    problem = session.problem
    shapes = problem.parcels.geometry.to_numpy()
    linked = set(zip(problem.links["first"], problem.links["second"], strict=True))
    for red in np.flatnonzero(~problem.free):
        for one in np.flatnonzero(problem.free & (problem.cell == problem.cell[red])):
            for other in np.flatnonzero(problem.free & (problem.cell == problem.cell[red])):
                way = shapely.shortest_line(shapes[one], shapes[other])
                if (
                    one < other
                    and (one, other) not in linked
                    and shapely.length(shapely.intersection(way, shapes[red])) > 1
                ):
                    return Edit("link", (problem.ids[one],), others=(problem.ids[other],), **WHY)
    raise AssertionError("nothing lies between")


def test_a_parcel_in_two_edits_of_one_command_is_named():
    edits = [
        Edit("move", ("A",), ("U",)),
        Edit("swap", ("B",), others=("A",)),
        Edit("link", ("A",), others=("B",)),
    ]
    assert twice(edits) == ["the parcel A stands in 2 edits (move, swap)"]
    assert twice(edits[:1] + edits[2:]) == []


@pytest.mark.parametrize("kind", ["mend", "redraw"])
def test_no_parcel_is_in_two_units_where_the_first_of_a_unit_may_be_in_none_any_more(ground, kind):
    """As after a delivery in which it overlaps another parcel: the draft still has it, the new ground bars it."""
    _, cells, drawn = ground
    unit = drawn.members["unit_id"].dropna().iloc[0]
    first = drawn.members["parcel_id"][drawn.members["unit_id"] == unit].iloc[0]
    frame = ground[0].parcels.assign(
        reason=lambda rows: (
            rows["reason"].astype(object).where(rows["parcel_id"] != first, "overlaps another parcel")
        )
    )
    session = EditSession(build_problem(frame, cells), cells, drawn.members, EFFORT)
    assert {breach.rule for breach in session.broken} >= {"not_allowed"}
    session.say(Edit(kind, units=(unit,)))
    members = np.concatenate(list(session.division.units.values()))
    assert len(members) == len(np.unique(members))
    assert holder(session, first) is None


def test_the_next_best_units_hold_the_parcel_and_the_best_is_the_one_drawn(ground):
    problem, _, drawn = ground
    unit = drawn.units.set_index("unit_id")["area_m2"].idxmax()
    parcel = drawn.members["parcel_id"][drawn.members["unit_id"] == unit].iloc[0]
    component = int(problem.component[list(problem.ids).index(parcel)])
    found = alternatives(problem, solve_component(problem, component, EFFORT, no_wishes(problem)), parcel)
    assert len(found) > 1
    assert all(parcel in item.parcels for item in found)
    assert found[0].loses_m2 == pytest.approx(0, abs=1e-6)
    assert [item.loses_m2 for item in found] == sorted(item.loses_m2 for item in found)
