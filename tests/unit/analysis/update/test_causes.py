"""What made a change of fields, and which clauses tipped a verdict."""

from dataclasses import dataclass

import pytest

from lowland_gis.analysis.rules.pack import Clause, Exemption, Question, Rule
from lowland_gis.analysis.update.causes import beyond_outline, field_cause, told_fields
from lowland_gis.analysis.update.tipped import Answered, tipped
from lowland_gis.definitions.update import update_definition


def test_fields_are_told_apart_from_what_is_no_change():
    assert told_fields({"A": " x", "B": None, "BSM": 1}, {"A": "x", "B": "", "BSM": 2}, ["BSM"]) == {}
    assert told_fields({"A": "0"}, {"A": 0, "C": "new"}, []) == {"A": ("0", 0), "C": (None, "new")}


@pytest.mark.parametrize(
    ("differences", "cause"),
    [
        ({"RJL": (0.5, 0.9)}, "new_construction"),
        ({"JZMD": (0.5, 0.5), "RJL": (0.9, 0.1)}, "demolished"),
        ({"JZMD": ("0.50", 0.5), "RJL": (0.1, 0.9)}, "new_construction"),
        ({"RJL": (None, 0.9)}, "new_construction"),
        ({"RJL": (0.5, 0.9), "YT": ("0601", "0501")}, "use_changed"),
        ({"TBDW": ("甲", "乙")}, "use_changed"),
    ],
)
def test_the_first_entry_that_has_all_fields_says_the_cause(differences, cause):
    assert field_cause(differences, update_definition().field_cause, "?") == cause


def test_what_follows_an_outline_is_no_change_as_far_as_the_area_has_changed():
    differences = {"RJL": (1.0, 1.04), "YT": ("a", "b")}
    assert beyond_outline(differences, ["RJL"], 0.05) == {"YT": ("a", "b")}
    assert beyond_outline(differences, ["RJL"], 0.001) == differences
    assert beyond_outline({"RJL": (None, 0.5)}, ["RJL"], 0.5) == {"RJL": (None, 0.5)}
    # An area that has shrunk counts as one that has grown, and rounding to hundredths is no change of small numbers.
    assert beyond_outline({"RJL": (1.0, 0.95)}, ["RJL"], -0.05) == {}
    assert beyond_outline({"RJL": (0.1, 0.11)}, ["RJL"], 0.0) == {}
    # A field that follows no outline has changed, however little.
    assert beyond_outline({"CS": (1.0, 1.01)}, ["RJL"], 0.05) == {"CS": (1.0, 1.01)}


@dataclass(frozen=True)
class Entry:
    """A cause of some fields."""

    fields: tuple[str, ...]
    cause: str | None = None
    greater: str | None = None
    less: str | None = None

    def of(self, differing):
        return set(differing) <= set(self.fields)


@pytest.mark.parametrize(
    ("differences", "cause"),
    [
        # A text is neither greater nor less: the first number says it.
        ({"BZ": ("甲", "乙"), "RJL": (0.9, 0.1)}, "fell"),
        ({"RJL": (0.1, 0.9)}, "rose"),
        ({"BZ": ("甲", "乙")}, "paper"),
        # An entry that says nothing of a fall leaves it to the next one that has all fields.
        ({"CS": (3, 2)}, "other"),
        ({"CS": (2, 3)}, "built"),
        ({"YT": ("a", "b")}, "?"),
    ],
)
def test_the_first_number_that_differs_says_which_way(differences, cause):
    entries = (
        Entry(("CS",), greater="built"), Entry(("BZ", "RJL"), cause="paper", greater="rose", less="fell"), Entry(("CS",), cause="other"),
    )  # fmt: skip
    assert field_cause(differences, entries, "?") == cause


def clause(title, measure="m"):
    return Clause(measure, "<", 1.0, title)


def question(*rules, exception=()):
    return Question("kind", "k", "none", {"low": "l", "none": "n"}, rules, exception=exception)


def test_the_clauses_of_the_rules_that_decided_are_told():
    asked = question(
        Rule("a", "a", "low", "1", (clause("甲"), clause("乙", "n"))),
        Rule("b", "b", "low", "2", (clause("丙"),)),
    )
    (found,) = tipped(Answered(asked, "a", "ttf"), Answered(asked, "b", "tft"))[:1]
    assert (found.title, found.before, found.after, found.measures) == ("乙", "t", "f", ("n",))
    assert [each.title for each in tipped(Answered(asked, None, "fff"), Answered(asked, "b", "fft"))] == [
        "丙"
    ]


def test_an_exception_that_began_to_hold_is_told_with_its_rule():
    asked = question(
        Rule("a", "a", "low", "1", (clause("甲"),), unless=("x",)),
        exception=(Exemption("x", "x", "3", (clause("例外"),)),),
    )
    assert [each.title for each in tipped(Answered(asked, "a", "tf"), Answered(asked, None, "tt"))] == [
        "例外"
    ]


def test_a_clause_that_only_one_edition_has_is_told():
    before, after = (
        question(Rule("a", "a", "low", "1", (clause("甲"),))),
        question(Rule("a", "a", "low", "1", (clause("新"),))),
    )
    told = tipped(Answered(before, None, "f"), Answered(after, "a", "t"))
    assert [(each.title, each.before, each.after) for each in told] == [("新", "-", "t"), ("甲", "f", "-")]


def test_clauses_of_other_rules_are_told_only_where_none_of_those_that_decided_differs():
    asked = question(
        Rule("a", "a", "low", "1", (clause("甲"), clause("乙"))),
        Rule("b", "b", "low", "2", (clause("丙"),)),
        Rule("c", "c", "low", "3", (clause("丁"),)),
    )

    def told(was, before, now, after):
        return [each.title for each in tipped(Answered(asked, was, before), Answered(asked, now, after))]

    # The rule that decided and the one that decides: not the third one, of which a clause differs too.
    assert told("a", "ttff", "b", "tftt") == ["乙", "丙"]
    assert told("a", "ttff", None, "tfft") == ["乙"]
    assert told(None, "tfff", "b", "tftt") == ["丙"]
    # No rule decided, before or after: whatever differs.
    assert told(None, "ftff", None, "ttfu") == ["甲", "丁"]
    assert told("a", "ttff", "a", "ttft") == ["丁"]
    assert told("a", "ttff", "a", "ttff") == []


def test_measures_of_both_editions_of_a_clause_are_told():
    before = question(Rule("a", "a", "low", "1", (clause("甲", "old"),)))
    after = question(Rule("a", "a", "low", "1", (clause("甲", "new"),)))
    (found,) = tipped(Answered(before, None, "f"), Answered(after, "a", "t"))
    assert found.measures == ("new", "old")


def test_an_exception_belongs_to_the_rule_that_it_is_of():
    asked = question(
        Rule("a", "a", "low", "1", (clause("甲"),), unless=("x",)),
        Rule("b", "b", "low", "2", (clause("丙"),)),
        exception=(Exemption("x", "x", "3", (clause("例外"),)),),
    )
    told = tipped(Answered(asked, "a", "tff"), Answered(asked, None, "tut"))
    assert [each.title for each in told] == ["例外"]
