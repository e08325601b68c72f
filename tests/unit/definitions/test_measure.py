"""Kinds of measures: each says itself on which layers and fields it rests, and is computed by a function of its own."""

import pytest

from lowland_gis.definitions.layer import layer_definition, layer_keys
from lowland_gis.definitions.measure import (
    ADAPTER,
    KINDS,
    PaperMeasure,
    features_read,
    from_json,
    measures,
    to_json,
)
from lowland_gis.pipeline.evidence.kinds import evaluate

PLAIN = {"title": "甲", "unit": "share"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_computed(kind):
    """Papers are said, not computed: `pipeline.evidence.measure` takes them from what was registered."""
    nobody = evaluate.dispatch(object)
    assert (evaluate.dispatch(kind) is nobody) == (kind is PaperMeasure)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_used_by_a_shipped_measure(kind):
    assert kind in {type(measure) for measure in measures().values()}


@pytest.mark.parametrize("name", list(measures()))
def test_what_a_measure_rests_on_is_there(name):
    measure = measures()[name]
    assert {*measure.needs, *measure.may_use} <= set(layer_keys())
    for layer, field in (*measure.fields, *measure.named_fields.values()):
        assert field in {item.name for item in layer_definition(layer).field}


def needs(table):
    found = ADAPTER.validate_python({"x": {**PLAIN, **table}})["x"]
    return found.needs, found.may_use, found.fields


def test_each_says_what_it_needs_and_may_use():
    overlap = {"kind": "overlap", "layers": ["dltb2", "xzdw2"], "codes": "all"}
    assert needs(overlap) == (("dltb2",), ("xzdw2",), ())
    # Alone, the same lines are no addition to anything.
    assert needs({**overlap, "layers": ["xzdw2"]}) == (("xzdw2",), (), ())
    firms = {"kind": "enterprise", "column": "MJSS"}
    assert needs(firms) == (("enterprise",), (), (("enterprise", "MJSS"),))
    assert needs({**firms, "total": "SSZE"}) == (("enterprise",), ("building",), ())
    assert needs({"kind": "present", "field": "ZL"}) == (("parcel",), (), (("parcel", "ZL"),))
    idle = {"kind": "contract", "statistic": "idle_years", "min_share": 0.5}
    assert needs(idle) == (("supply",), (), (("supply", "YDJDSJ"), ("supply", "SJJDSJ")))
    assert needs({"kind": "paper", "unit": "yes/no"}) == ((), (), ())
    assert features_read() == ("building", "supply", "town")


def test_measures_survive_the_record_of_a_run():
    assert from_json(to_json(measures())) == measures()
