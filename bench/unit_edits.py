"""How soon an edit of a large district has its answer, kind by kind; the evaluator, which shares no code with it, is held against every answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import pandas as pd

from lowland_gis.analysis.units.edit import Edit
from lowland_gis.analysis.units.ground import build_problem
from lowland_gis.analysis.units.judge import judge
from lowland_gis.analysis.units.search import Effort, solve
from lowland_gis.analysis.units.session import Answer, EditSession
from unit_instances import BLOCK_M, PARCELS_A_BLOCK, Instance, generated, members_table

# Edits of each kind, by units and parcels spread evenly over the district.
EACH = 6
# An answer within this, CPU seconds, is one at once.
BAR_S = 0.2
_WHY = {"reason": "footbridge", "said_by": "bench"}
_AGREES_M2 = 1e-3
# Parcels that are enough to be split, or to lie apart.
_MANY = 4
Item = TypeVar("Item")


def edits(parcels: list[int]) -> None:
    """Print per kind of edit how many were answered, refused and confirmed, and the CPU seconds of an answer."""
    print(
        "| district | kind | edits | refused | evaluator agrees | repairs each | repairs that lead there | median s | max s |"
    )
    _warm()
    for count in parcels or [50_000]:
        for block_m in (BLOCK_M, 2 * BLOCK_M) if count > 10 * PARCELS_A_BLOCK else (BLOCK_M,):
            _district(generated(count, block_m=block_m), block_m)


def _warm() -> None:
    """Draw and mend small components, of which every set is listed, and larger ones once."""
    instance = generated(60, block_m=BLOCK_M / 2)
    problem = build_problem(instance.parcels, instance.cells)
    labels = np.where(problem.free, problem.component, -1)
    session = EditSession(problem, instance.cells, members_table(problem.ids, labels))
    for name in sorted(session.division.units):
        _said(session, Edit("mend", units=(name,)))


def _district(instance: Instance, block_m: float) -> None:
    problem = build_problem(instance.parcels, instance.cells)
    found = solve(problem, Effort())
    labels = np.full(len(problem.cell), -1)
    for number, unit in enumerate(unit for part in found for unit in part.units):
        labels[unit] = number
    start = time.process_time()
    session = EditSession(problem, instance.cells, members_table(problem.ids, labels))
    loaded = time.process_time() - start
    name = f"{instance.name}, blocks of {block_m * block_m / 10_000:.0f} ha"
    wanted = dict(_wanted(session))
    # What is loaded or compiled when it is first asked for is so before the clock is looked at.
    for kind_edits in wanted.values():
        _said(session, kind_edits[0])
    every = []
    for kind, kind_edits in wanted.items():
        every += _kind(session, name, kind, kind_edits)
    worst = max(every, default=0.0)
    print(
        f"{name}: {len(session.division.units):,} units loaded in {loaded:.1f} s; {len(every)} answers, the slowest in {worst:.3f} s, below {BAR_S} s: {worst < BAR_S}"
    )


def _kind(session: EditSession, name: str, kind: str, kind_edits: list[Edit]) -> list[float]:
    """Say every edit of a kind, hold the answer and its repairs against the evaluator, take it back, and print a row."""
    times, agreed, repairs, there, refused = [], 0, 0, 0, 0
    for edit in kind_edits:
        took, answer = _said(session, edit, back=False)
        if answer is None:
            refused += 1
            continue
        times.append(took)
        agreed += _agrees(session, answer)
        for repair in answer.repairs:
            repairs += 1
            if repair.edit is None:
                there += 1
                continue
            further = session.say(repair.edit)
            kept = not {(each.unit_id, each.rule) for each in further.broken} & set(repair.settles)
            there += abs(session.value_m2 - repair.value_m2) < _AGREES_M2 and kept
            session.undo()
        start = time.process_time()
        session.undo()
        times.append(time.process_time() - start)
    shown = (
        f"{repairs / max(1, len(kind_edits) - refused):.1f} | {there} of {repairs} | {np.median(times[::2]):.3f} | {max(times):.3f}"
        if times
        else "– | – | – | –"
    )
    print(f"| {name} | {kind} | {len(kind_edits)} | {refused} | {agreed} | {shown} |", flush=True)
    return times


def _said(session: EditSession, edit: Edit, *, back: bool = True) -> tuple[float, Answer | None]:
    start = time.process_time()
    try:
        answer = session.say(edit)
    except ValueError:
        return time.process_time() - start, None
    took = time.process_time() - start
    if back:
        session.undo()
    return took, answer


def _agrees(session: EditSession, answer: Answer) -> bool:
    """Tell whether the evaluator says of the touched units what the answer says: values, and every rule with its figures."""
    names = {unit.unit_id for unit in answer.units if unit.parcels_after}
    members = session.members
    judged = judge(session.problem, pd.DataFrame(members[members["unit_id"].isin(names)]))
    values = dict(zip(judged.units["unit_id"], judged.units["value_m2"], strict=True))
    ours = {(each.unit_id, each.rule, round(each.value, 6)) for each in answer.broken}
    theirs = {
        (row["unit_id"], row["rule"], round(row["value"], 6)) for row in judged.findings.to_dict("records")
    }
    gain = sum(values.values()) - sum(unit.value_before_m2 or 0.0 for unit in answer.units)
    alike = all(
        abs(values[unit.unit_id] - (unit.value_after_m2 or 0.0)) < _AGREES_M2
        for unit in answer.units
        if unit.parcels_after
    )
    return alike and ours == theirs and abs(gain - answer.gain_m2) < _AGREES_M2


def _wanted(session: EditSession) -> Iterator[tuple[str, list[Edit]]]:
    """Yield edits of every kind, spread over the district."""
    problem, division = session.problem, session.division
    ids, held = problem.ids, division.unit_of
    first, second = problem.links["first"].to_numpy(), problem.links["second"].to_numpy()
    inside = np.array([name is not None for name in held])
    names = sorted(division.units)
    out_in = [
        (at, held[to])
        for one, other in zip(first, second, strict=True)
        for at, to in ((one, other), (other, one))
        if not inside[at] and inside[to] and problem.free[at]
    ]
    across = [
        (one, other)
        for one, other in zip(first, second, strict=True)
        if inside[one] and inside[other] and held[one] != held[other]
    ]
    large = [name for name in names if len(division.units[name]) >= _MANY]
    yield "move into a unit", [Edit("move", (ids[at],), (name,)) for at, name in _spread(out_in)]
    yield "move out", [Edit("move", (ids[division.units[name][0]],)) for name in _spread(large)]
    yield (
        "move to a unit beside",
        [Edit("move", (ids[one],), (held[other],)) for one, other in _spread(across)],
    )
    yield "new", [Edit("new", tuple(ids[division.units[name][:3]])) for name in _spread(large)]
    yield "swap", [Edit("swap", (ids[one],), others=(ids[other],)) for one, other in _spread(across)]
    yield (
        "swap with one in no unit",
        [Edit("swap", (ids[division.units[name][0]],), others=(ids[at],)) for at, name in _spread(out_in)],
    )
    yield "merge", [Edit("merge", units=(held[one], held[other])) for one, other in _spread(across)]
    yield (
        "merge, far apart",
        [
            Edit("merge", units=(name, names[-1 - names.index(name)]))
            for name in _spread(names[: len(names) // 3])
        ],
    )
    yield "split", [Edit("split", tuple(ids[division.units[name][::2]]), (name,)) for name in _spread(large)]
    linked = set(zip(first.tolist(), second.tolist(), strict=True))
    blocks = [problem.of_component(number) for number in range(len(problem.bounds) - 1)]
    apart = [
        (int(block[0]), int(block[-1]))
        for block in blocks
        if len(block) >= _MANY and (int(block[0]), int(block[-1])) not in linked
    ]
    yield "link", [Edit("link", (ids[one],), others=(ids[other],), **_WHY) for one, other in _spread(apart)]
    within = [
        (one, other)
        for one, other in zip(first, second, strict=True)
        if inside[one] and held[one] == held[other]
    ]
    yield (
        "forbid a link",
        [Edit("unlink", (ids[one],), others=(ids[other],), **_WHY) for one, other in _spread(within)],
    )
    yield "lock", [Edit("lock", units=(name,)) for name in _spread(names)]
    yield "forbid", [Edit("forbid", (ids[division.units[name][-1]],)) for name in _spread(large)]
    yield "force", [Edit("force", (ids[at],)) for at, _ in _spread(out_in)]
    yield "mend", [Edit("mend", units=(name,)) for name in _spread(names)]
    yield "redraw", [Edit("redraw", units=(name,)) for name in _spread(names)]


def _spread(items: list[Item]) -> list[Item]:
    """Return some of many, evenly spread."""
    return [items[at] for at in np.unique(np.linspace(0, len(items) - 1, min(EACH, len(items))).astype(int))]
