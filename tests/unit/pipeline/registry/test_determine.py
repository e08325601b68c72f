"""What the three databases are drafted from, and that drafts never touch what people decided."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from lowland_gis.analysis.rules.pack import Clause, Parameter, Question, Rule, RulePack
from lowland_gis.definitions.rule_pack import from_json, to_json
from lowland_gis.pipeline.registry.determine import _changes, legacy, low_efficiency, problems

DAY = dt.date(2024, 4, 17)


def clause(name: str, *, needed: str | None = None, office: str | None = None) -> Clause:
    return Clause(name, ">=", 1, f"{name}标题", needed, office)


PACK = RulePack(
    "p", "p", "d", DAY, example=True, parameter=(Parameter("x", 1, "", "", DAY, example=True),),
    question=(
        Question("kind", "类型", "none", {"low": "低效", "none": "非"}, (
            Rule("r1", "t", "low", "a", (clause("m", needed="税收表", office="税务局"), clause("n"))),
            Rule("r2", "t", "low", "a", (clause("m"), clause("k"))),
        ), means={"low": ("low",), "not": ("none",)}),
        Question("retention", "保留", "no", {"yes": "可", "no": "否"}, (
            Rule("state", "t", "yes", "a", (clause("s"), clause("paper"))),
            Rule("village", "t", "yes", "a", (clause("v"), clause("paper"))),
        ), {"kind": ("low",)}),
    ),
)  # fmt: skip


def verdicts(*rows: tuple[str, str, str, bool, str | None, str]) -> pd.DataFrame:
    columns = ["parcel_id", "question", "answer", "settled", "rule", "trace"]
    return pd.DataFrame(list(rows), columns=columns).assign(town_code="120113100", area_m2=100.0)


def test_low_efficiency_land_is_what_a_rule_says():
    rows = low_efficiency(
        verdicts(
            ("P1", "kind", "low", True, "r1", "ttff"),
            ("P2", "kind", "none", True, None, "ffff"),
            ("P3", "kind", "open", False, None, "ffff"),
            ("P1", "retention", "yes", True, "state", "ttff"),
        ),
        PACK,
    )
    assert rows[["parcel_id", "kind", "rule"]].to_numpy().tolist() == [["P1", "low", "r1"]]
    assert rows["area_m2"].tolist() == [100.0]


def test_what_an_answer_means_is_what_the_pack_says():
    """Neither `none` nor `open` is a word of ours: a pack may call land that is not low-efficient `fine`, and wait with `later`."""
    answers = {"poor": "低效", "idle": "闲置", "fine": "正常", "later": "待定"}
    means = {"low": ("poor", "idle"), "not": ("fine",), "open": ("later",)}
    own = replace(PACK, question=(replace(PACK.question[0], otherwise="fine", answers=answers, means=means),))
    rows = low_efficiency(
        verdicts(
            *(
                (f"P{n}", "kind", answer, True, None, "")
                for n, answer in enumerate([*answers, "open", "none"])
            )
        ),
        own,
    )
    assert rows["kind"].tolist() == ["poor", "idle"]
    assert own.question[0].meaning("open") == ("later", "open")


def test_a_pack_recorded_before_answers_had_meanings_is_read_with_those_of_its_day():
    recorded = to_json(PACK)
    del recorded["question"][0]["means"]
    assert from_json(recorded).low_answers == ("low",)
    assert from_json(recorded).question[0].meaning("not") == ("none",)


def test_the_problem_list_names_each_unknown_clause_once_with_its_paper():
    rows = problems(verdicts(("P1", "kind", "open", False, None, "utuu")), PACK)
    assert rows[["clause", "needed", "office"]].to_numpy().tolist() == [
        ["m标题", "税收表", "税务局"], ["k标题", "资料核实", "牵头部门"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settled", "trace"), [(True, "utff"), (False, "uffu")],
    ids=["the answer is settled", "the rule is false anyway"],
)  # fmt: skip
def test_what_changes_nothing_is_no_problem(settled: bool, trace: dict[str, str]):
    rows = problems(verdicts(("P1", "kind", "none", settled, None, trace)), PACK)
    assert rows.empty
    assert rows.columns.tolist() == ["parcel_id", "town_code", "question", "clause", "needed", "office"]


def test_unknowns_after_a_rule_that_holds_are_no_problem():
    rows = problems(verdicts(("P1", "kind", "open", False, None, "ttuu")), PACK)
    assert rows.empty


def test_legacy_land_shows_the_clauses_of_the_rule_that_fits_best():
    rows = legacy(
        verdicts(
            ("P1", "retention", "open", False, None, "futu"),
            ("P2", "retention", "no", True, None, "ffft"),
        ),
        PACK,
    )
    assert rows["clauses"].tolist() == [{"v标题": "t", "paper标题": "u"}, {"v标题": "f", "paper标题": "t"}]
    assert rows["retention"].tolist() == ["open", "no"]


KEY, CONTENT = ["parcel_id"], ["kind", "area_m2"]


def table(*rows: tuple[Any, ...]) -> pd.DataFrame:
    rows = pd.DataFrame(list(rows), columns=["parcel_id", "kind", "area_m2", "stands"])
    return rows.assign(people=rows["stands"].isin(["approved", "returned"]))


def changes(held: pd.DataFrame, wanted: pd.DataFrame) -> list[list[Any]]:
    return (
        _changes(held, wanted[[*KEY, *CONTENT]], KEY, CONTENT, STATES)[["parcel_id", "kind", "state"]]
        .to_numpy()
        .tolist()
    )


STATES = {"draft": "draft", "withdrawn": "withdrawn"}
WANTED = table(("P1", "town", 100.0, ""))


@pytest.mark.parametrize(
    ("held", "appended"),
    [
        (table(), [["P1", "town", "draft"]]),
        (table(("P1", "town", 100.0, "draft")), []),
        (table(("P1", "village", 100.0, "draft")), [["P1", "town", "draft"]]),
        (table(("P1", "town", 99.0, "draft")), [["P1", "town", "draft"]]),
        (table(("P1", "town", 100.0, "withdrawn")), [["P1", "town", "draft"]]),
        (table(("P1", "village", 100.0, "approved")), []),
        (table(("P1", "village", 100.0, "returned")), [["P1", "town", "draft"]]),
        (table(("P1", "town", 100.0, "returned")), []),
        (table(("P1", "town", 100.0, "withdrawn")).assign(people=True), []),
        (table(("P1", "town", 100.0, "draft"), ("P2", "town", 5.0, "draft")), [["P2", "town", "withdrawn"]]),
        (table(("P1", "town", 100.0, "draft"), ("P2", "town", 5.0, "withdrawn")), []),
        (table(("P1", "town", 100.0, "draft"), ("P2", "town", 5.0, "approved")), []),
    ],
    ids=["new", "same", "other kind", "other area", "wanted again", "decided by people",
         "returned, other figures by now", "returned as it is", "withdrawn by people", "wanted no more",
         "withdrawn already", "decided and wanted no more"],
)  # fmt: skip
def test_what_is_appended(held: pd.DataFrame, appended: list[list[str]]):
    assert changes(held, WANTED) == appended


def test_nothing_held_and_nothing_wanted():
    assert changes(table(), table()) == []
