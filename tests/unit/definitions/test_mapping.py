"""A mapping renames, fills and replaces what it names, touches nothing else, and fits one file only."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from lowland_gis.analysis.fields.attributes import standardise
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.definitions.mapping import Mapping, apply, as_toml, read_mapping
from lowland_gis.errors import DefinitionError, InputRefusedError

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
        (
            ('= "DLBM"', '= "DLBMM"'),
            r"\[rename\], 地类码 = 'DLBMM': dltb3 has no such field. Did you mean 'DLBM'",
        ),
        (("SJNF", "sjnf"), r"\[constants\], sjnf: dltb3 has no such field"),
        (
            ('= "DLBM"', '= "DLBM"\n"编码" = "DLBM"'),
            r"\[rename\], 编码 = 'DLBM': 地类码 becomes DLBM too.*take the other line out",
        ),
        (("SJNF = 2019", 'DLBM = "1"'), r"\[constants\], DLBM: 地类码 becomes it too"),
        (("[rename]", "unknown = 1\n[rename]"), "unknown"),
        (('"某测绘院"', "["), "TOML"),
    ],
)
def test_a_faulty_mapping_is_refused(file, change, fault):
    with pytest.raises(DefinitionError, match=fault):
        read_mapping(file(TEXT.replace(*change)))


def test_an_unknown_layer_gets_the_nearest_names(file):
    with pytest.raises(
        DefinitionError,
        match=r"(?s)mapping.toml: 1 fault.*layer = 'dltb33': there is no such layer. Did you mean 'dltb3'",
    ):
        read_mapping(file(TEXT.replace("dltb3", "dltb33")))


def test_faults_of_form_names_and_units_come_together(file):
    text = 'suplier = "局"\nlayer = "parcel"\n[rename]\na = "ZDDM"\nb = "ZDDM"\nc = "ZDDN"\n[factor]\nZDMJ = "x"\n[unit]\nZDMJ = "kg"\n'
    with pytest.raises(DefinitionError) as refused:
        read_mapping(file(text))
    for part in (
        "7 fault(s)",
        "suplier: there is no such key. Did you mean 'supplier'?",
        "supplier: it is missing",
        "[factor], ZDMJ = 'x': it should be a number",
        "[rename], c = 'ZDDN': parcel has no such field. Did you mean 'ZDDM'?",
        "[rename], b = 'ZDDM': a becomes ZDDM too",
        "[factor], ZDMJ: it has a unit too",
        "[unit], ZDMJ = 'kg': ZDMJ 宗地面积 m² is in m², which kg does not become",
    ):
        assert part in str(refused.value)


def test_what_is_written_reads_back_the_same(file):
    hostile = '地"类\\码\n[values]\u202e'
    mapping = Mapping(
        supplier=hostile, layer="dltb3", rename={hostile: "DLBM"}, constants={"SJNF": 2019, "BZ": hostile},
        replace={"DLBM": {hostile: "0601"}},
    )  # fmt: skip
    assert read_mapping(file(as_toml(mapping, {hostile: "title\nrename = 1"}))) == mapping


UNITS = """
supplier = "某局"
layer = "enterprise"
[rename]
"地块大小(公顷)" = "ZDMJM"
"税" = "SSZE"
"产值" = "CZZE"
[unit]
"SSZE" = "元"
[factor]
"CZZE" = 0.1
"""


def test_units_and_factors(file):
    """The heading's own unit counts, then the mapping's; the numbers are converted where fields are found by their headings."""
    mapping = read_mapping(file(UNITS))
    columns = pa.table({"地块大小(公顷)": [2.0], "税": ["12,000"], "产值": ["25"]})
    named = apply(mapping, columns)
    assert named.to_pydict() == {"ZDMJM(公顷)": [2.0], "SSZE(元)": ["12,000"], "CZZE(万元)": ["2.5"]}
    standard = standardise(named, layer_definition("enterprise").field, {})
    assert standard.rows["ZDMJM"].to_pylist() == [30.0]
    assert [rule for rule, _ in standard.remarks] == ["unit_converted"] * 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"SSZE" = "元"', '"SSZE" = "公顷"', "is in 万元, which 公顷 does not become"),
        ('"SSZE" = "元"', '"NF" = "元"', "NF 年份 has no unit"),
        ('"CZZE" = 0.1', '"SSZE" = 0.1', r"\[factor\], SSZE: it has a unit too"),
        ('"CZZE" = 0.1', '"CZZE" = -1.0', r"\[factor\], CZZE = -1.0: a factor is a number above 0"),
        ('"CZZE" = 0.1', '"ZDDM" = 2.0', "宗地代码 is no number, so it has no factor"),
    ],
)
def test_a_mapping_that_crosses_units_is_a_fault(file, old, new, said):
    with pytest.raises(DefinitionError, match=said):
        read_mapping(file(UNITS.replace(old, new)))


def test_a_heading_of_another_unit_than_the_mapping_says_is_refused(file):
    columns = pa.table({"地块大小(公顷)": [2.0], "税": [1], "产值": [1]})
    mapping = read_mapping(file(UNITS.replace("[unit]", '[unit]\n"ZDMJM" = "亩"')))
    with pytest.raises(InputRefusedError, match="is in 公顷 by its heading, in 亩 by the mapping"):
        apply(mapping, columns)
    text = UNITS.replace('"税" = "SSZE"', '"税（亩）" = "SSZE"').replace('"SSZE" = "元"', "")
    with pytest.raises(
        InputRefusedError, match="税（亩）: SSZE 税收总额 万元 is in 万元, which 亩 does not become"
    ):
        apply(read_mapping(file(text)), columns.rename_columns(["地块大小(公顷)", "税（亩）", "产值"]))


def test_a_proposal_with_units_is_read_back(file):
    mapping = read_mapping(file(UNITS))
    assert '"SSZE" = "元"  # times 0.0001, to 万元' in as_toml(mapping, {})
    assert read_mapping(file(as_toml(mapping, {}))) == mapping
