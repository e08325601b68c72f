"""Every shipped definition loads and fits the others; a broken one gives all its faults at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from lowland_gis import schema, toml
from lowland_gis.analysis.fields.written_quantities import unit_factor
from lowland_gis.analysis.measures.values import ContractStatistic, Statistic
from lowland_gis.definitions import fitting, package, reading
from lowland_gis.definitions.check import checks
from lowland_gis.definitions.codes import code_names, code_sets
from lowland_gis.definitions.layer import families, layer_definition, layer_keys
from lowland_gis.definitions.legend import read_legend
from lowland_gis.definitions.measure import BuildingMeasure, ContractMeasure, measures
from lowland_gis.definitions.rule_pack import from_json, rule_pack, to_json
from lowland_gis.errors import DefinitionError, UsageError


@pytest.mark.parametrize("key", layer_keys())
def test_a_layer_fits_itself(key: str):
    layer = layer_definition(key)
    assert layer.key == key
    names = [field.name for field in layer.field]
    assert len(names) == len(set(names))
    for named in (layer.code, layer.width, layer.valid_from, layer.valid_to):
        assert named is None or named in names
    for field in layer.field:
        assert field.codes is None or code_names(field.codes)
    words = [word.lower() for field in layer.field for word in (field.name, *field.synonyms)]
    assert len(words) == len(set(words)), "a synonym would be found twice"
    assert (layer.geometry == "raster") == (layer.stored == "raster")


@pytest.mark.parametrize("family", sorted(families()))
def test_every_family_is_checked(family: str):
    """A layer of a family that no check names would come in unseen."""
    assert any(family in check.families for check in checks().values())


@pytest.mark.parametrize("key", layer_keys())
def test_a_layer_is_checked_and_drawn_as_its_own_definition_says(key: str):
    layer = layer_definition(key)
    assert any(key in check.layer_keys for check in checks().values()) or key == "rail"
    mandatory = {field.name for field in layer.field if field.mandatory}
    assert set(checks()["mandatory"].fields.get(key, ())) == mandatory or layer.checked_as
    if layer.drawn is not None and layer.drawn.way != "classes":
        assert key in read_legend().layers


def test_only_lines_have_a_width():
    assert [key for key in layer_keys() if layer_definition(key).width] == ["xzdw2"]
    assert layer_definition("xzdw2").geometry == "line"


@pytest.mark.parametrize(
    ("wrong", "near"), [("parcels", "parcel"), ("dltb", "dltb2"), ("xyz", "xzdw2"), ("q", "parcel")]
)
def test_a_mistyped_layer_gets_the_nearest_names(wrong: str, near: str):
    with pytest.raises(UsageError, match=near):
        layer_definition(wrong)


@pytest.mark.parametrize("key", layer_keys())
def test_a_shipped_layer_fits_the_others_as_a_projects_own_must(key: str):
    assert list(fitting.layer_faults(layer_definition(key), key)) == []


@pytest.mark.parametrize("name", list(measures()))
def test_a_measure_fits_the_layers(name: str):
    measure = measures()[name]
    assert measure.title
    assert list(fitting.measure_faults(name, measure)) == []
    match measure:
        case BuildingMeasure():
            assert measure.statistic in (*get_args(Statistic), "age")
        case ContractMeasure():
            assert measure.statistic in get_args(ContractStatistic)


@pytest.mark.parametrize("name", list(checks()))
def test_a_check_fits_the_layers(name: str):
    assert list(fitting.check_faults(name, checks()[name])) == []


@pytest.mark.parametrize("name", list(code_sets()))
def test_a_code_set_fits_the_lists(name: str):
    assert list(fitting.set_faults(name, code_sets()[name])) == []


@pytest.mark.parametrize("name", reading.shipped("rules"))
def test_a_shipped_pack_loads_with_reason_document_and_examples(name: str):
    pack = rule_pack(name, Path())
    assert pack.name == name
    for parameter in pack.parameter:
        assert parameter.document
        assert parameter.example or parameter.in_force
    for question in pack.question:
        for rule in question.rule:
            assert rule.article
            assert len({example.gives for example in rule.example}) >= 2, rule.name
        assert set(question.answers) == {question.otherwise, *(rule.answer for rule in question.rule)}


@pytest.mark.parametrize("name", reading.shipped("rules"))
def test_a_pack_survives_the_record_of_a_run(name: str):
    pack = rule_pack(name, Path())
    assert from_json(to_json(pack)) == pack


def test_every_answer_has_a_colour():
    legend, pack = read_legend(), rule_pack("example_beichen", Path())
    for question in pack.question:
        if question.name == "kind":
            assert set(question.answers) <= set(legend.answers)


@pytest.mark.parametrize("name", package.package_names())
def test_a_shipped_package_loads(name: str):
    assert package.package_definition(name, Path()).name == name


def test_every_table_that_a_layer_is_stored_in_exists():
    tables = {table.name for table in schema.TABLES}
    assert {layer_definition(key).stored for key in layer_keys()} <= tables


PACK = (reading.FOLDER / "rules" / "example_beichen.toml").read_text(encoding="utf-8")


def own(folder: Path, text: str) -> str:
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return "own.toml"


def test_a_pack_of_the_district_is_read_from_its_file(tmp_path: Path):
    assert (
        rule_pack(own(tmp_path, PACK.replace("title = ", 'title = "自定" # ', 1)), tmp_path).title == "自定"
    )


def test_a_pack_in_another_encoding_is_refused(tmp_path: Path):
    (tmp_path / "own.toml").write_bytes(PACK.encode("gb18030"))
    with pytest.raises(DefinitionError, match="not readable as TOML"):
        rule_pack("own.toml", tmp_path)


def test_a_monster_is_not_read(tmp_path: Path):
    (tmp_path / "own.toml").write_bytes(b"#" * (toml.MAX_BYTES + 1))
    with pytest.raises(DefinitionError, match="larger than"):
        rule_pack("own.toml", tmp_path)


@pytest.mark.parametrize("name", ["nothing", "nothing.toml"])
def test_a_pack_that_is_not_there(tmp_path: Path, name: str):
    with pytest.raises(DefinitionError, match=re.escape(name)):
        rule_pack(name, tmp_path)


def test_every_unit_of_a_field_can_be_named_by_a_heading_or_a_mapping():
    units = {field.unit for key in layer_keys() for field in layer_definition(key).field if field.unit}
    assert {unit for unit in units if unit_factor(unit, unit) != 1.0} == set()
    assert unit_factor("月", "month") == unit_factor("个月", "month") == 1.0
