"""Promises in definitions: the columns of their table, and the rule of the documentation in a pack."""

import datetime as dt
from pathlib import Path

import pytest

from lowland_gis.analysis.fields.attributes import arrow_table, standardise
from lowland_gis.definitions.promise import promise_fields
from lowland_gis.definitions.rule_pack import rule_pack

ROOT = Path(__file__).parents[3]


def test_the_headings_that_offices_write_are_known_with_their_units():
    received = arrow_table(
        {
            "合同编号": ["HT-1"],
            "承诺投资（元）": [25000.0],
            "承诺年税收(亿元)": [0.5],
            "签订日期": ["2021年3月1日"],
        }
    )
    found = standardise(received, promise_fields(), {}).rows.to_pylist()[0]
    assert (found["HTBH"], found["CNTZ"], found["CNSS"], found["HTQDRQ"]) == (
        "HT-1",
        2.5,
        5000.0,
        "2021-03-01",
    )


@pytest.mark.parametrize("name", ["example_beichen", "example_general"])
def test_a_registered_breach_decides_the_grade_of_the_shipped_packs_and_silence_does_not(name):
    pack = rule_pack(name, ROOT, dt.date(2023, 12, 31))
    grade = next(question for question in pack.question if question.name == "grade")
    (rule,) = [rule for rule in grade.rule if rule.name == "veto_promise"]
    assert (rule.answer, [clause.measure for clause in rule.all]) == ("D", ["promise_breached"])
    assert rule.article.startswith("示例")
