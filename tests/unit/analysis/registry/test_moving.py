"""Which events a wish makes of entries, and all that is wrong with it."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from lowland_gis.analysis.registry.moving import Wish, counted_from, planned
from lowland_gis.definitions.states import shipped_procedure

LAND = shipped_procedure()["low_efficiency"]
DISPOSAL = shipped_procedure()["disposal"]
DAY = dt.date(2024, 3, 1)
DAYS = {(1, "notice"): DAY}


def entries(*rows: tuple[object, ...]) -> pd.DataFrame:
    columns = ["entry_id", "subject", "matter", "version", "state", "on_date", "seen"]
    return pd.DataFrame(list(rows), columns=columns, dtype=object)


AT_NOTICE = (1, "P1", "", 3, "notice", DAY, None)


def test_an_event_goes_on_from_where_the_entry_stands():
    wish = Wish("approve", dt.date(2024, 3, 8), document="a")
    plan = planned(LAND, entries(AT_NOTICE), wish, DAYS)
    assert plan.faults == ()
    assert plan.events.to_dict("records") == [
        {"entry_id": 1, "subject": "P1", "matter": "", "version": 4, "move": "approve", "from_state": "notice", "to_state": "determined"}
    ]  # fmt: skip


def test_what_is_not_in_the_register_is_put_there():
    plan = planned(LAND, entries((None, "P2", "", None, None, None, None)), Wish("survey", DAY), {})
    assert plan.events[["subject", "version", "from_state", "to_state"]].to_numpy().tolist() == [
        ["P2", 1, None, "survey"]
    ]


@pytest.mark.parametrize(
    ("entry", "wish", "said"),
    [
        (AT_NOTICE, Wish("approve", dt.date(2024, 3, 7), document="a"), "so from 2024-03-08 on"),
        (AT_NOTICE, Wish("approve", dt.date(2024, 3, 8)), "needs a paper（认定文件）"),
        (AT_NOTICE, Wish("approve", dt.date(2024, 2, 1), document="a"), "lies before the move before it"),
        (AT_NOTICE, Wish("withdraw", DAY, document="a", reason="  "), "needs a reason"),
        (AT_NOTICE, Wish("file", DAY, document="a"), "it stands at notice 公示, from where file is no move; allowed: objection"),
        ((*AT_NOTICE[:6], 2), Wish("objection", DAY, document="a"), "it is at version 3 by now, and not at 2"),
        ((2, *AT_NOTICE[1:]), Wish("approve", DAY, document="a"), "7 days after 公示, and there was none"),
        ((3, "P3", "", 9, "disposed", DAY, None), Wish("draft", DAY), "no move leads on from there"),
        ((None, "P4", "", None, None, None, None), Wish("file", DAY, document="a"), "it is not in the register"),
    ],
)  # fmt: skip
def test_each_fault_is_told(entry: tuple[object, ...], wish: Wish, said: str):
    plan = planned(LAND, entries(entry), wish, DAYS)
    assert plan.events.empty
    assert any(said in words for _, _, words in plan.faults), plan.faults


def test_all_faults_of_all_entries_are_told_at_once():
    rows = [(number, f"P{number}", "", 3, "notice", DAY, None) for number in range(5)]
    plan = planned(LAND, entries(*rows), Wish("withdraw", DAY), DAYS)
    assert len(plan.faults) == 10


def test_where_a_verb_can_lead_to_several_states_one_must_be_named():
    fresh = entries((None, "P1", "", None, None, None, None))
    (fault,) = planned(DISPOSAL, fresh, Wish("start", DAY, document="a"), {}).faults
    assert "say which with --to (to_reserve 拟收储, conditions_changed 规划条件变更" in fault[2]
    plan = planned(DISPOSAL, fresh, Wish("start", DAY, "scheme_drawn", document="a"), {})
    assert plan.events["to_state"].tolist() == ["scheme_drawn"]


def test_days_are_counted_from_these_moves():
    assert counted_from(LAND) == ("notice",)
