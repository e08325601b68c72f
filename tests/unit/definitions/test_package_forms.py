"""What a package definition may say of forms, of names in a DBF and of fields that are filled by hand; and how packages are judged."""

import pytest

from lowland_gis.definitions.judging import FILE, judging
from lowland_gis.definitions.own import own_definitions, using
from lowland_gis.definitions.package import package_definition
from lowland_gis.definitions.reading import FOLDER
from lowland_gis.definitions.take_up import take_up
from lowland_gis.errors import DefinitionError

HEAD = """name = "own"
title = "x"
version = "1"
example = true
source = "x"
root = "{year}"
dictionary = "d.xlsx"
"""
LAYER = """
[[layers]]
name = "AAA"
title = "x"
geometry = "none"
folder = "f"
key = "BSM"

[[layers.fields]]
name = "BSM"
type = "C"
title = "x"
empty = true
"""


def read(folder, text):
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return package_definition("own.toml", folder)


def test_a_layer_without_a_frame_and_a_field_of_a_long_name(tmp_path):
    found = read(
        tmp_path,
        HEAD
        + LAYER
        + '\n[[layers.fields]]\nname = "LONGERTHANTEN"\nshort = "LONGER"\ntype = "C"\ntitle = "x"\nempty = true\n',
    )
    (layer,) = found.layers
    assert (layer.source, layer.key_field.name, layer.fields[1].dbf_name, layer.fields[0].dbf_name) == (
        None,
        "BSM",
        "LONGER",
        "BSM",
    )
    assert found.forms == ("shapefile",)
    assert found.in_forms(("filegdb", "filegdb")).forms == ("filegdb",)
    assert found.in_forms(("filegdb",)).place(layer, "filegdb") == "f/{district_name}({district_code}).gdb"
    assert (found.place(layer, "shapefile"), found.place(layer, "geoparquet")) == (
        "f/AAA.dbf",
        "f/AAA.parquet",
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('forms = ["shapefile", "shapefile"]\n' + LAYER, "forms = 'shapefile': this form stands twice"),
        ('forms = ["gdb"]\n' + LAYER, "forms"),
        ("forms = []\n" + LAYER, "forms"),
        ('forms = ["filegdb"]\n' + LAYER, "database: it is missing"),
        ('database = "../x"\n' + LAYER, "no file name"),
        (LAYER.replace('key = "BSM"', 'key = "BSX"'), r"key = 'BSX': the layer has no frame, so its key is the name of a field"),
        (LAYER.replace("empty = true", 'column = "parcel_id"'), "no frame that it could be a column of"),
        (LAYER.replace("empty = true", 'empty = true\ntext = "x"'), "either column or text, or empty"),
        (LAYER.replace("empty = true", "empty = false"), "either column or text, or empty"),
        (LAYER.replace('name = "BSM"', 'name = "BSMBSMBSMBSM"').replace('key = "BSM"', 'key = "BSMBSMBSMBSM"'), "short: it is missing"),
        (LAYER + 'short = "bsm"\n', "short = 'bsm': a DBF name"),
        (LAYER + '\n[[layers.fields]]\nname = "LONGERTHANTEN"\nshort = "BSM"\ntype = "C"\ntitle = "x"\nempty = true\n', "two fields have this name in a DBF"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(tmp_path, text, reason):
    with pytest.raises(DefinitionError, match=reason):
        read(tmp_path, HEAD + text)


SHIPPED = (FOLDER / FILE).read_text(encoding="utf-8")


def test_a_project_may_weigh_faults_in_its_own_way(tmp_path):
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / FILE).write_text(SHIPPED.replace("A = 42.0", "A = 30.0"), encoding="utf-8")
    with using(own_definitions(tmp_path)):
        assert judging().points["A"] == 30
    assert judging().points["A"] == 42
    assert [judging().grade(mark) for mark in (100, 90, 89.99, 60, 0)] == ["优", "优", "良", "合格", "不合格"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("A = 42.0", "", r"\[points\], A: it is missing"),
        ("from = 90.0", "from = 50.0", "from the best to the worst"),
        ("encoding = {", "encodings = {", "Did you mean 'encoding'"),
        ('class = "D"', 'class = "E"', "'E'"),
        ("full_at_share = 0.05", "full_at_share = 0", "full_at_share"),
    ],
)
def test_an_own_way_that_does_not_fit_stops_every_command(tmp_path, old, new, reason):
    assert old in SHIPPED
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / FILE).write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError, match=reason):
        take_up(tmp_path)
