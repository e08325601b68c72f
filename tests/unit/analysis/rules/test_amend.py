"""Other limits, what differs between two packs, what differs between two tables, and how a trace reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lowland_gis.analysis.rules.amend import Change, amended, limits_of, pack_differences
from lowland_gis.analysis.rules.changes import changed_answers, reasons, table_differences
from lowland_gis.analysis.rules.trace import fitting, open_clauses, split, whole
from lowland_gis.definitions.rule_pack import rule_pack

PACK = rule_pack("example_beichen", Path())
KIND = PACK.question_named("kind")


def test_a_parameter_changes_everywhere_or_in_one_rule():
    everywhere = amended(PACK, Change("stopped_min", 20))
    assert {entry.value for entry in everywhere.entries("stopped_min")} == {20}
    assert everywhere.question == PACK.question
    alone = amended(PACK, Change("stopped_min", 20, "veto_stopped"))
    assert {entry.value for entry in alone.entries("stopped_min")} == {12}
    changed = [(question.name, rule.name) for question in alone.question for rule in question.rule
               if rule not in PACK.question_named(question.name).rule]  # fmt: skip
    assert changed == [("grade", "veto_stopped")]


@pytest.mark.parametrize(
    ("change", "said"),
    [(Change("tax_mn", 1), "tax_min"), (Change("tax_min", 1, "nobody"), "no rule"), (Change("tax_min", 1, "veto_stopped"), "does not use")],
)  # fmt: skip
def test_a_change_of_nothing_is_refused(change: Change, said: str):
    with pytest.raises(KeyError, match=said):
        amended(PACK, change)


def test_differences_between_packs_are_told():
    assert list(pack_differences(PACK, PACK)) == []
    other = amended(PACK, Change("tax_min", 8))
    assert list(pack_differences(PACK, other)) == [(None, "tax_min 5 万元/亩 → 8 万元/亩")]
    shorter = replace(PACK, question=(replace(KIND, rule=KIND.rule[1:]), *PACK.question[1:]))
    assert list(pack_differences(PACK, shorter)) == [
        ("kind", "rule legacy_built taken away"),
        ("kind", "other order of rules"),
    ]
    assert ("kind", "rule legacy_built new") in list(pack_differences(shorter, PACK))
    less = replace(PACK, estimate=(), question=PACK.question[:-1])
    assert list(pack_differences(PACK, less)) == [
        (None, "supplement taken away"),
        ("tool_reclaim", "question taken away"),
    ]
    assert "tax_min" in limits_of(PACK, "kind")
    assert limits_of(PACK, "nothing") == set()


def frame(**answers: str) -> pd.DataFrame:
    return pd.DataFrame({"question": "kind", "parcel_id": list(answers), "answer": list(answers.values())})


def test_changed_answers_and_their_reasons():
    before, after = frame(A="x", B="x", C="x", D="x", E="x"), frame(A="y", B="y", C="y", D="y", F="x")
    changed = changed_answers(before, after)
    assert changed[["parcel_id", "before", "after"]].to_numpy().tolist() == [
        ["A", "x", "y"], ["B", "x", "y"], ["C", "x", "y"], ["D", "x", "y"], ["E", "x", "not asked"], ["F", "not asked", "x"],
    ]  # fmt: skip
    with_data, with_rule = frame(A="y", B="x", C="y", D="x", F="x"), frame(A="x", B="y", C="y", D="x", E="x")
    assert reasons(changed, with_data, with_rule).tolist() == ["data", "rule", "both", "both", "data", "data"]


def test_differences_of_tables_to_the_last_digit():
    recorded = pd.DataFrame(
        {"key": list("abcd"), "value": [1.0, np.nan, 3.0, 4.0], "text": ["x", None, "y", "z"]}
    )
    rebuilt = pd.DataFrame(
        {
            "key": list("abce"),
            "value": [np.nextafter(1.0, 2), np.nan, 3.0, 5.0],
            "text": ["x", None, "n", "z"],
        }
    )
    found = table_differences(recorded, rebuilt, ["key"])
    assert found[["key", "column"]].to_numpy().tolist() == [
        ["d", "row"],
        ["e", "row"],
        ["a", "value"],
        ["c", "text"],
    ]
    assert found.iloc[0][["recorded", "rebuilt"]].tolist() == ["there", "nothing"]
    assert table_differences(recorded, recorded.iloc[::-1], ["key"]).empty


def letters(**given: str) -> str:
    """A trace of the question kind: false everywhere but in the given parts."""
    return "".join(given.get(part.name, "f" * len(part.all)) for part in KIND.parts)


def test_a_trace_reads_rule_by_rule():
    made = letters(industrial_performance="ttt", supported="f")
    assert split(KIND, made)["industrial_performance"] == "ttt"
    rule = next(part for part in KIND.rule if part.name == "industrial_performance")
    assert [
        whole(KIND, rule, split(KIND, letters(industrial_performance="ttt", supported=end))) for end in "ftu"
    ] == ["t", "f", "u"]
    with pytest.raises(ValueError, match="none of the question kind"):
        split(KIND, made[:-1])


def test_open_clauses_are_those_before_the_rule_that_holds():
    made = letters(legacy_built="ttuut", industrial_stopped="tu", industrial_overdue="tt", town_housing="tuu")
    assert [clause.title for clause in open_clauses(KIND, made)] == [
        "无用地审批",
        "无供地合同",
        "停产一年以上",
    ]


def test_an_unknown_exception_is_an_open_clause():
    made = letters(industrial_performance="ttt", supported="u")
    assert [clause.title for clause in open_clauses(KIND, made)] == ["列入扶持名单"]
    made = letters(industrial_performance="tuf", supported="u")
    assert list(open_clauses(KIND, made)) == []


def test_the_fitting_rule_has_the_fewest_false_clauses():
    retention = PACK.question_named("retention")
    made = "".join(
        "f" + "t" * (len(rule.all) - 1) if rule.name == "item_11_state" else "t" * len(rule.all)
        for rule in retention.rule
    )
    assert "村集体同意" in fitting(retention, made)
