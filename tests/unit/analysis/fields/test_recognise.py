"""A layer is recognised by its fields; what may be which is proposed, and what is wrong with a field is said."""

from __future__ import annotations

import pytest

from lowland_gis.analysis.fields.recognise import Column, field_faults, recognise, zero_codes
from lowland_gis.definitions.codes import code_names
from lowland_gis.definitions.layer import layer_definition, layer_keys

LAYERS = [layer_definition(key) for key in layer_keys()]
CODES = {item.codes: code_names(item.codes) for layer in LAYERS for item in layer.field if item.codes}


def columns(*names: str, **known: Column) -> list[Column]:
    return [known.get(name, Column(name, "text", 3, 10)) for name in names]


def best(*names: str, geometry: str | None = "polygon", name: str = "", **known: Column):
    return recognise(columns(*names, **known), LAYERS, geometry, CODES, name=name)[0]


@pytest.mark.parametrize("key", [layer.key for layer in LAYERS if layer.field])
def test_every_layer_is_recognised_by_its_own_fields(key: str):
    layer = layer_definition(key)
    fits = recognise(columns(*(item.name for item in layer.field)), LAYERS, layer.geometry, CODES)
    top = [fit.key for fit in fits if fit.score == fits[0].score]
    assert key in top
    mine = next(fit for fit in fits if fit.key == key)
    assert (mine.covered_share, mine.explained_share, mine.missing) == (1, 1, ())


def test_structure_not_year_decides_between_surveys():
    second = [item.name for item in layer_definition("dltb2").field]
    assert best(*second, name="2019年DLTB").key == "dltb2"
    third = [item.name for item in layer_definition("dltb3").field]
    assert best(*third, name="二调").key == "dltb3"


def test_codes_decide_where_few_fields_came():
    for key, codes in (("dltb2", {"201", "011"}), ("dltb3", {"0601", "1003"})):
        known = Column("DLBM", "text", 4, 10, codes=frozenset(codes))
        fit = best("BSM", "DLBM", "TBMJ", "QSXZ", DLBM=known)
        assert (fit.key, fit.code_share) == (key, 1.0)


def test_the_data_year_tells_annual_surveys_from_the_third():
    names = [item.name for item in layer_definition("dltb3").field]
    for year, key in (("2019", "dltb3"), ("2023", "dltb_annual")):
        known = Column("SJNF", "integer", 4, 10, codes=frozenset({year}))
        assert best(*names, SJNF=known).key == key


def test_the_name_decides_between_like_layers():
    names = [item.name for item in layer_definition("town").field]
    assert [best(*names, name=f"行政区 {word}").key for word in ("XZQ", "XZ", "CUN")] == [
        "district",
        "town",
        "village",
    ]


def test_geometry_decides_between_lines_and_polygons():
    names = ("BSM", "YSDM", "DLBM", "DLMC", "KD", "CD")
    assert best(*names, geometry="line").key == "xzdw2"
    line, polygon = (best(*names, geometry=kind).score for kind in ("line", "polygon"))
    assert polygon < line


@pytest.mark.parametrize(
    ("received", "standard", "why"),
    [
        ("zddm", "ZDDM", "name"),
        ("宗地代码", "ZDDM", "title"),
        ("宗地编码", "ZDDM", "title"),
        ("不动产单元", "BDCDYH", "cut off"),
        ("土地使用权", "TBDW", "cut off"),
        ("土地使用权利人", "TBDW", "alike"),
        ("BDCDYH1", "BDCDYH", "cut off"),
    ],
)
def test_what_a_field_may_be(received: str, standard: str, why: str):
    fits = recognise(columns(received, "ZL", "QLLX"), LAYERS, "polygon", CODES)
    parcel = next(fit for fit in fits if fit.key == "parcel")
    match = next(match for match in parcel.matches if match.received == received)
    if why != "cut off" or received != "BDCDYH1":
        assert (match.standard, match.why) == (standard, why)
    assert match.certain == (why in {"name", "synonym"})


def test_short_codes_that_differ_by_a_letter_are_not_taken_for_each_other():
    fits = recognise(columns("TKMK", "XBMJ", "DLBM"), LAYERS, "polygon", CODES)
    second = next(fit for fit in fits if fit.key == "dltb2")
    assert [match.received for match in second.matches] == ["DLBM"]


def test_a_missing_required_field_is_named():
    fit = next(
        fit for fit in recognise(columns("ZL", "BDCDYH"), LAYERS, "polygon", CODES) if fit.key == "parcel"
    )
    assert fit.missing == ("ZDDM 宗地代码",)


def test_strange_fields_fit_nothing():
    assert not recognise(columns("a1", "b2"), LAYERS, "polygon", CODES)
    assert not recognise([], LAYERS, None, CODES)


def test_faults_of_fields():
    received = [
        Column("DLBM", "integer", 4, 10, codes=frozenset({"601", "1003"})),
        Column("ZLDWDM", "number", 19, 10),
        Column("TBBH", "text", 12, 10),
        Column("TBMJ", "date", 10, 10),
        Column("DLMC", "text", 0, 0),
    ]
    layer = layer_definition("dltb3")
    fit = next(fit for fit in recognise(received, LAYERS, "polygon", CODES) if fit.key == "dltb3")
    lengths = {item.name: item.length for item in layer.field}
    faults = {
        (fault.standard, fault.rule) for fault in field_faults(received, fit, layer.field, CODES, lengths)
    }
    assert faults == {
        ("DLBM", "field_kind"), ("DLBM", "leading_zero_lost"), ("ZLDWDM", "field_kind"), ("ZLDWDM", "digits_lost"),
        ("TBBH", "value_too_long"), ("TBMJ", "field_kind"),
    }  # fmt: skip
    assert zero_codes(received[0], CODES["landuse_san2019"]) == {"601": "0601"}
