"""What closing asks for: rows of lineage, proposals, and that nothing descends from nobody."""

import pytest

from lowland_gis.analysis.update.closing import (
    Became,
    Descent,
    Entry,
    OrphanedError,
    Proposal,
    descent,
    parents,
    proposals,
)

LOW, LEGACY = "low_efficiency", "legacy"


def entry(number, subject, *, register=LOW, state="filed", ended=False):
    return Entry(number, register, subject, 7, state, ended)


def test_a_split_without_its_parents_is_refused():
    with pytest.raises(OrphanedError, match="B、C"):
        parents([Became("split", (), ("B", "C"))])
    with pytest.raises(OrphanedError):
        descent([Became("merged", ("A", "B"), ())], [], [])
    assert parents([Became("added", (), ("N",)), Became("reclassified", ("A",), ("A",))]) == {}


def test_children_are_part_of_the_entries_of_their_parents_in_the_same_register():
    entries = [entry(1, "A"), entry(2, "A", register=LEGACY), entry(5, "B"), entry(6, "C", register=LEGACY)]
    changes = [Became("split", ("A",), ("B", "C"))]
    assert descent(changes, entries, []) == Descent(((5, 1), (6, 2)), ())
    assert descent(changes, entries, [(5, 1)]) == Descent(((6, 2),), ())


def test_an_entry_goes_on_where_a_merged_parcel_kept_the_older_number():
    entries = [entry(1, "A"), entry(2, "B")]
    changes = [Became("merged", ("A", "B"), ("A",))]
    assert descent(changes, entries, []) == Descent(((1, 2),), ())
    assert proposals(changes, entries, {"A": True}, LOW) == [Proposal(LOW, "B", 7, "filed", "宗地已合并为 A")]


def test_lineage_goes_in_no_circle():
    entries = [entry(1, "A"), entry(2, "B"), entry(3, "C")]
    # Two that went over into each other: the later entry is part of the older one.
    both = [Became("regrouped", ("A", "B"), ("A", "B"))]
    assert descent(both, entries, []) == Descent(((2, 1),), ((1, 2),))
    # A number that comes back after its parcel went up in another, by way of a third.
    back = [Became("split", ("A",), ("A", "B"))]
    assert descent(back, entries, [(1, 3), (3, 2)]) == Descent((), ((2, 1),))


def test_proposals_say_why_and_leave_out_what_has_ended():
    entries = [
        entry(1, "A"), entry(2, "G"), entry(3, "N"), entry(4, "N", register=LEGACY), entry(5, "D", state="disposed", ended=True), entry(6, "X"),
    ]  # fmt: skip
    changes = [Became("split", ("A",), ("B", "C")), Became("removed", ("G",), ())]
    present = {"B": True, "C": False, "N": False}
    assert [(each.register, each.subject, each.reason) for each in proposals(changes, entries, present, LOW)] == [
        (LOW, "A", "宗地已分割为 B、C"), (LOW, "G", "宗地已灭失"), (LOW, "N", "按本年度数据和规则不再认定为低效用地"), (LOW, "X", "宗地已灭失"),
    ]  # fmt: skip
