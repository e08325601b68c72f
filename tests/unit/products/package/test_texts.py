"""Coordinate texts in a package: written in the form of a receiving system, read back, and held against the layer."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import shapely

from lowland_gis.definitions.judging import judging
from lowland_gis.definitions.package import ADAPTER, package_definition
from lowland_gis.definitions.package_faults import package_faults
from lowland_gis.files.coordinate_text.templates import templates
from lowland_gis.files.read import read
from lowland_gis.files.source import opened
from lowland_gis.products.judging.judge import judge
from lowland_gis.products.package.build import build
from packages import NAMES, frames

SHIPPED = Path(__file__).parents[4] / "src/lowland_gis/definitions/packages/example_city.toml"


def with_text(template="standard", **changes):
    """The shipped definition with a coordinate text of the parcels beside it."""
    layer = package_definition("example_city", Path()).layers[0]
    text = {
        "layer": layer.name, "path": "3坐标文件/{district_name}({district_code})地块.txt", "number": layer.key_field.name,
        "template": template,
    }  # fmt: skip
    content = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    return content | {"texts": [text | changes]}


def built(folder, content):
    target = folder / "成果"
    build(frames(), ADAPTER.validate_python(content), NAMES, target, provenance={})
    (text,) = target.rglob("*.txt")
    return target, text


def found(target, content):
    judged = judge(target, ADAPTER.validate_python(content), judging(), tell=lambda _: None)
    return [(each.rule, each.layer, each.key, each.value) for each in judged.findings]


@pytest.mark.parametrize("template", sorted(templates()))
def test_what_is_built_passes_its_check_and_holds_the_outlines(tmp_path, template):
    content = with_text(template)
    target, text = built(tmp_path, content)
    assert found(target, content) == []
    layer = ADAPTER.validate_python(content).layers[0]
    with opened(str(text), text.parent) as source:
        came = read(source)
    (file,) = target.rglob(f"{layer.name}.shp")
    with opened(str(file), file.parent) as source:
        theirs = read(source)
    assert len(came.attributes) == len(theirs.attributes) > 0
    column = "地块编号" if "地块编号" in templates()[template].line else "地块名称"
    assert list(came.attributes[column]) == list(theirs.attributes[layer.key_field.dbf_name])
    areas = [float(shapely.area(shapely.from_wkb(one.wkb)).sum()) for one in (came, theirs)]
    assert areas[0] == pytest.approx(areas[1], rel=1e-6)


def test_a_text_that_another_hand_changed_is_named_parcel_by_parcel(tmp_path):
    content = with_text()
    target, text = built(tmp_path, content)
    lines = text.read_text(encoding="gbk").split("\n")
    point = next(number for number, line in enumerate(lines) if line.startswith("J2,"))
    label, ring, north, east = lines[point].split(",")
    moved = f"{float(north) + 0.5:.3f}"
    lines[point] = f"{label},{ring},{moved},{east}"
    text.write_bytes("\n".join(lines).encode("gbk"))
    (target / "manifest.json").unlink()
    rules = found(target, content)
    assert [rule for rule, *_ in rules] == ["forms_differ"]
    assert re.fullmatch(r"0\.\d+ m away", rules[0][3])


def test_a_text_that_is_missing_elsewhere_or_cut(tmp_path):
    content = with_text()
    target, text = built(tmp_path, content)
    (target / "manifest.json").unlink()
    elsewhere = text.parent.parent / text.name
    text.rename(elsewhere)
    assert [rule for rule, *_ in found(target, content)] == ["place"]
    whole = elsewhere.read_bytes()
    elsewhere.write_bytes(whole[: len(whole) // 2])
    assert {rule for rule, *_ in found(target, content)} <= {"place", "unreadable", "forms_differ"}
    assert len(found(target, content)) > 1
    elsewhere.unlink()
    assert [rule for rule, *_ in found(target, content)] == ["layer_missing"]


def test_what_a_definition_says_wrongly_of_a_text_is_named():
    for change, words in (
        ({"template": "standart"}, "no such form"),
        ({"layer": "DXYD"}, "no layer DXYD"),
        ({"number": "BSMM"}, "has no field BSMM"),
        ({"path": "../地块.txt"}, "path"),
        ({"path": "地块.csv"}, "ends in .txt"),
    ):
        faults = [
            json.dumps([str(fault)], ensure_ascii=False) for fault in package_faults(with_text(**change))
        ]
        assert any(words in fault for fault in faults), (change, faults)
