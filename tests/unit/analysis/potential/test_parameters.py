"""Parameters: which one holds for a piece of land, and what is wrong with a file of them."""

import pytest

from lowland_gis.analysis.potential.bands import Band
from lowland_gis.analysis.potential.parameters import laid_over, named_faults, parameter_faults
from redeveloped import DOCUMENT, parameters

FAR = {"name": "far", "unit": "ratio", **DOCUMENT}


def faults(*more):
    return [str(fault) for fault in parameter_faults(parameters(*more))]


def test_the_longest_use_then_the_kind_then_the_zone_holds():
    given = parameters(
        FAR | {"use": "1001", "value": 3.0},
        FAR | {"use": "10", "kind": "industrial", "value": 4.0},
        FAR | {"use": "10", "zone": "510", "value": 5.0},
    )
    assert given.band("far", use="100102", kind="industrial", zone="510") == Band(3.0, 3.0)
    assert given.band("far", use="1002", kind="industrial", zone="510") == Band(4.0, 4.0)
    assert given.band("far", use="1002", kind="village", zone="510") == Band(5.0, 5.0)
    assert given.band("far", use="1002") == Band(1.0, 2.0)
    assert given.band("far", use="0901") is None
    assert given.band("far") is None


def test_numbers_are_brought_to_the_unit_that_is_computed_in():
    given = parameters({"name": "acquisition", "kind": "town", "value": 1500, "unit": "元/m²", **DOCUMENT})
    assert given.band("acquisition", kind="town").low == pytest.approx(100.0)
    assert given.band("idle_from").low == pytest.approx(1.0)


def test_a_sound_file_has_no_fault():
    assert faults() == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            {"name": "fra", "value": 1.0, "unit": "ratio"},
            "parameter fra, name = 'fra': there is no such parameter. Did you mean 'far'?",
        ),
        (
            {"name": "far", "use": "07", "value": 1.0, "unit": "公顷"},
            "parameter far (use 07), unit = '公顷': it cannot be 规划容积率",
        ),
        (
            {"name": "far", "use": "07", "value": 1.0, "unit": "stone"},
            "parameter far (use 07), unit = 'stone'",
        ),
        (
            {"name": "far", "use": "07", "low": 2.0, "high": 1.0, "unit": "ratio"},
            "parameter far (use 07), low = 2.0: it is more than high = 1",
        ),
        ({"name": "far", "use": "07", "low": 2.0, "unit": "ratio"}, "give either value, or low and high"),
        ({"name": "far", "use": "07", "unit": "ratio"}, "give either value, or low and high"),
        ({"name": "density", "use": "07", "value": 120, "unit": "%"}, "a share is at most 1"),
        (
            {"name": "far", "use": "10", "value": 1.0, "unit": "ratio"},
            "two parameters say it of the same land",
        ),
        (
            {"name": "weight_plan", "kind": "town", "value": 0.1, "unit": "share"},
            "a weight is one number for all land",
        ),
        (
            {"name": "far", "use": "07", "value": 1.0, "unit": "ratio", "example": False},
            "parameter far (use 07), date: a number that is no example",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(entry, said):
    assert any(said in fault for fault in faults(DOCUMENT | entry)), faults(DOCUMENT | entry)


def test_a_number_without_a_unit_or_a_document_is_named():
    found = [
        str(fault) for fault in named_faults({"parameter": [{"name": "far", "use": "10", "value": 1.0}]})
    ]
    assert found[0].startswith(
        "parameter far (use 10), unit: it is missing, so nobody knows what the number means"
    )
    assert "share, %, ratio" in found[0]
    assert found[1].startswith("parameter far (use 10), document: it is missing")
    assert list(named_faults({"parameter": "none"})) == []


def test_a_project_replaces_single_parameters_and_whole_tables():
    content = {
        "parameter": [{"name": "far", "use": "10", "value": 1}, {"name": "far", "value": 2}],
        "use": {"a": {"x": 1, "y": 2}, "b": {}},
    }
    laid = laid_over(
        content, {"parameter": [{"name": "far", "use": "10", "value": 9}], "use": {"a": {"x": 3}}}
    )
    assert laid["parameter"] == [{"name": "far", "value": 2}, {"name": "far", "use": "10", "value": 9}]
    assert laid["use"] == {"a": {"x": 3}, "b": {}}
