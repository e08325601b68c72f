"""A mapping renames, fills and replaces what it names, touches nothing else, and fits one file only."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from lowland_gis.definitions.mapping import Mapping, apply, as_toml, read_mapping
from lowland_gis.errors import DefinitionError, InputRefusedError, UsageError

TEXT = """
supplier = "某测绘院"
layer = "dltb3"
[rename]
"地类码" = "DLBM"
[constants]
SJNF = 2019
[replace.DLBM]
"601" = "0601"
"""


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "mapping.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_rename_constants_and_codes(file):
    columns = pa.table({"地类码": ["601", "0702", None, " 601 "], "BZ": list("abcd")})
    mapped = apply(read_mapping(file(TEXT)), columns)
    assert mapped.to_pydict() == {
        "DLBM": ["0601", "0702", None, "0601"],
        "BZ": list("abcd"),
        "SJNF": [2019] * 4,
    }


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64()])
def test_codes_that_came_as_numbers(file, kind):
    columns = pa.table({"地类码": pa.array([601, 702, None], kind)})
    assert apply(read_mapping(file(TEXT)), columns).column("DLBM").to_pylist() == ["0601", "702", None]


def test_an_empty_value_can_be_named(file):
    mapping = read_mapping(file(TEXT + '"" = "9999"\n'))
    assert apply(mapping, pa.table({"地类码": ["601", None]})).column("DLBM").to_pylist() == ["0601", "9999"]


def test_a_column_that_has_the_name_already_is_kept(file):
    columns = pa.table({"DLBM": ["old"], "DLBM_2": ["older"], "地类码": ["0601"]})
    mapped = apply(read_mapping(file(TEXT)), columns).to_pylist()[0]
    assert mapped == {"DLBM_3": "old", "DLBM_2": "older", "DLBM": "0601", "SJNF": 2019}


def test_a_batch_without_rows_keeps_its_columns(file):
    mapped = apply(read_mapping(file(TEXT)), pa.table({"地类码": pa.array([], pa.string())}))
    assert mapped.column_names == ["DLBM", "SJNF"]
    assert mapped.num_rows == 0


def test_a_mapping_of_another_file_is_refused(file):
    mapping = read_mapping(file(TEXT))
    with pytest.raises(InputRefusedError, match="地类码 is not in the file"):
        apply(mapping, pa.table({"DLBM": ["0601"]}))
    with pytest.raises(InputRefusedError, match="SJNF is said to be constant"):
        apply(mapping, pa.table({"地类码": ["0601"], "SJNF": [2020]}))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (('= "DLBM"', '= "DLBMM"'), "dltb3 has no field DLBMM"),
        (("SJNF", "sjnf"), "dltb3 has no field sjnf"),
        (('= "DLBM"', '= "DLBM"\n"编码" = "DLBM"'), "two fields are renamed to DLBM"),
        (("SJNF = 2019", 'DLBM = "1"'), "both renamed to and constant"),
        (("[rename]", "unknown = 1\n[rename]"), "unknown"),
        (('"某测绘院"', "["), "TOML"),
    ],
)
def test_a_faulty_mapping_is_refused(file, change, fault):
    with pytest.raises(DefinitionError, match=fault):
        read_mapping(file(TEXT.replace(*change)))


def test_an_unknown_layer_gets_the_nearest_names(file):
    with pytest.raises(UsageError, match="dltb3"):
        read_mapping(file(TEXT.replace("dltb3", "dltb33")))


def test_what_is_written_reads_back_the_same(file):
    hostile = '地"类\\码\n[values]\u202e'
    mapping = Mapping(
        supplier=hostile, layer="dltb3", rename={hostile: "DLBM"}, constants={"SJNF": 2019, "BZ": hostile},
        replace={"DLBM": {hostile: "0601"}},
    )  # fmt: skip
    assert read_mapping(file(as_toml(mapping, {hostile: "title\nrename = 1"}))) == mapping
