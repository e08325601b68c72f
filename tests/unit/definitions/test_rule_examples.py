"""Every example beside a rule of a shipped pack is a test."""

from pathlib import Path

import pytest

from lowland_gis.definitions.reading import shipped
from lowland_gis.definitions.rule_pack import pack_path, ran_examples

EXAMPLES = [(pack, ran) for pack in shipped("rules") for ran in ran_examples(pack_path(pack, Path()))]


@pytest.mark.parametrize(
    ("pack", "ran"),
    EXAMPLES,
    ids=[f"{pack}-{ran.question}-{ran.rule}-{ran.number}" for pack, ran in EXAMPLES],
)
def test_an_example_holds(pack, ran):
    assert ran.found == ran.example.gives


@pytest.mark.parametrize("pack", shipped("rules"))
def test_every_rule_has_an_example_that_it_holds_for(pack):
    given = {}
    for ran in ran_examples(pack_path(pack, Path())):
        given.setdefault((ran.question, ran.rule), set()).add(ran.example.gives)
    assert [rule for rule, outcomes in given.items() if "true" not in outcomes] == []
