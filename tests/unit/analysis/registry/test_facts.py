"""Unknown, other and not applicable are three answers, and none of them is taken for another."""

import pytest

from lowland_gis.analysis.registry.facts import FACTS, answer_of, facts, paper_answer


@pytest.mark.parametrize(
    ("value", "applies", "answer"),
    [
        ("industrial", True, "known"), (0.0, True, "known"), (False, True, "known"), ("其他", True, "known"), (None, True, "unknown"),
        ("", True, "unknown"), (float("nan"), True, "unknown"), ("open", True, "unknown"), ("other", True, "other"),
        ("none", True, "not_applicable"), (None, False, "not_applicable"), ("industrial", False, "not_applicable"),
    ],
)  # fmt: skip
def test_a_value_has_one_answer(value, applies, answer):
    assert answer_of(value, applies=applies) == answer


@pytest.mark.parametrize("register", [*FACTS, "plan", "project", "disposal"])
def test_what_nobody_has_looked_at_is_unknown_and_what_cannot_be_asked_is_not_applicable(register):
    said = {fact.name: fact for fact in facts(register, None, None)}
    wanted = "unknown" if register in FACTS else "not_applicable"
    assert {fact.answer for name, fact in said.items() if name != "town_code"} == {wanted}
    assert said["town_code"].answer == ("not_applicable" if register == "project" else "unknown")
    assert {fact.text for fact in said.values()} <= {"未知", "不适用"}


def test_what_is_known_is_written_itself():
    said = {
        fact.name: fact.text
        for fact in facts("low_efficiency", "120113100", {"kind": "other", "rule": "r", "area_m2": 1234.5})
    }
    assert said == {"town_code": "120113100", "kind": "其他", "rule": "r", "area_m2": "1,234.50"}


@pytest.mark.parametrize(
    ("document", "needed", "taken_over", "answer"),
    [
        ("a.pdf", None, False, "known"), (None, None, False, "not_applicable"), (None, "公示文本", False, "unknown"),
        (None, None, True, "unknown"),
    ],
)  # fmt: skip
def test_no_paper_is_not_the_same_as_no_paper_needed(document, needed, taken_over, answer):
    assert paper_answer(document, needed, taken_over=taken_over) == answer
