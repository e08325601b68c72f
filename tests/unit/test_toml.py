"""One reader of TOML: encodings of Windows, numbers and nesting that no person writes, and the same words for every kind of file."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lowland_gis import toml
from lowland_gis.definitions.mapping import read_mapping
from lowland_gis.definitions.package import package_definition
from lowland_gis.definitions.rule_pack import rule_pack
from lowland_gis.errors import DefinitionError, LowlandError, UsageError
from lowland_gis.files.datum import read_datum
from lowland_gis.settings import load

READERS: dict[str, tuple[Callable[[Path], Any], type[LowlandError]]] = {
    "settings": (load, UsageError),
    "mapping": (read_mapping, DefinitionError),
    "rule pack": (lambda file: rule_pack(file.name, file.parent), DefinitionError),
    "package": (lambda file: package_definition(file.name, file.parent), DefinitionError),
    "datum": (read_datum, DefinitionError),
}
# Each would cost a reader without limits its stack or minutes; ours are asked only what they say to it.
MONSTERS = {
    "a number of 5,000 digits": ("a = " + "9" * 5_000, "line 1 has a number or name of 5,000 characters"),
    "a hexadecimal one": ("\na = 0x" + "f" * 5_000, "line 2 has a number or name of 5,002 characters"),
    "lists in lists": ("a = " + "[" * 400 + "]" * 400, "line 1 has brackets 25 deep"),
    "tables in tables": ("a = " + "{a = " * 400 + "1" + "}" * 400, "line 1 has brackets 25 deep"),
    "a key of many parts": ("a" + ".a" * 400 + " = 1", "line 1 has a key of more than 8 parts"),
    "quoted parts": ('"a"' + ' . "a"' * 400 + " = 1", "line 1 has a key of more than 8 parts"),
}


@pytest.fixture(params=READERS)
def reader(request, tmp_path: Path) -> Callable[[bytes], str]:
    """Write bytes as a file of each kind and return what its reader says to them."""
    read, refusal = READERS[request.param]

    def said(content: bytes) -> str:
        file = tmp_path / "own.toml"
        file.write_bytes(content)
        with pytest.raises(refusal) as refused:
            read(file)
        assert "own.toml" in str(refused.value)
        return str(refused.value)

    return said


@pytest.mark.parametrize(("text", "words"), MONSTERS.values(), ids=MONSTERS)
def test_what_no_person_writes_is_refused_by_every_reader(reader, text, words):
    assert words in reader(text.encode())


def test_a_file_that_is_too_large_is_refused_by_every_reader(reader):
    assert "larger than 400,000 bytes" in reader(b"#" * 400_001)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("# 甲\nname = '低效用地'".encode("gbk"), "it is in GBK (seen in line 1)"),
        (b"\x84\x31\x95\x33" + "name = '低效'".encode("gb18030"), "it is in GB18030"),
        (codecs.BOM_UTF16_LE + "name = 'x'".encode("utf-16-le"), "it is in UTF-16"),
        (codecs.BOM_UTF16_BE + "name = 'x'".encode("utf-16-be"), "it is in UTF-16"),
        (b"a = 1\nname = '\xff\xff'", "byte 0xff in line 2 is no UTF-8"),
    ],
)
def test_another_encoding_is_named_with_the_way_out(reader, content, words):
    said = reader(content)
    assert words in said
    assert "UTF-8" in said


def test_a_mark_in_front_is_no_fault_for_any_reader(reader):
    said = reader(codecs.BOM_UTF8 + b"a = 1")
    assert "TOML" not in said
    assert any(
        words in said
        for words in ("a: there is no such key", "kind: it is missing", "it names nothing of ours (a)")
    )


def test_texts_and_comments_may_hold_what_keys_may_not(tmp_path):
    text = f"""# {"[" * 99} {"a." * 99}
a = "{"[" * 99}{"9" * 99}"
b = '''{"a.b." * 99}
{"9" * 99}'''
c = \"\"\"a "quoted" \\\\ {"{" * 99}\"\"\"
"d.e.{"f." * 20}" = [[[1.5, 2.5]], [[-3.25e-7]]]
"""
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    found = toml.read(file, UsageError)
    assert found["b"] == "a.b." * 99 + "\n" + "9" * 99
    assert found["d.e." + "f." * 20] == [[[1.5, 2.5]], [[-3.25e-7]]]


@pytest.mark.parametrize("missing", ["nothing.toml", "."])
def test_what_cannot_be_read_is_said(tmp_path, missing):
    with pytest.raises(DefinitionError, match="cannot be read"):
        read_mapping(tmp_path / missing)


PROJECT = '[project]\nname="p"\ndistrict_code="120113"\ndistrict_name="x"\nas_of=2023-12-31\n'


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ('nam = "x"', "[project], nam: there is no such key. Did you mean 'name'?"),
        ("[clasify]", "clasify: there is no such key. Did you mean 'classify'?"),
        ("[delineate]\nmin_lenght_m = 1", "[delineate], min_lenght_m: there is no such key. Did you mean 'min_length_m'?"),
        ("[delineate.weights]\nunits = 3", "[delineate.weights], units: there is no such key. Did you mean 'unit'?"),
        ("[[delivery]]\nlayer='a'\nsource='b'\n[[delivery]]\nlayer='a'\nsource='b'\nencodin='x'",
         "[[delivery]] 2, encodin: there is no such key. Did you mean 'encoding'?"),
        ("[delineate]\nbarriers = ['river', 1]", "[delineate], barriers 2 = 1: it should be a text"),
        ('[check.x]\nseverity = "eror"', "[check.x], severity = 'eror': it is none of the allowed values. Did you mean 'error'?"),
    ],
)  # fmt: skip
def test_settings_have_the_nearest_names(tmp_path, added, words):
    file = tmp_path / "own.toml"
    file.write_text(PROJECT + added, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        load(file)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (read_mapping, 'suplier = "x"\nlayer = "dltb3"', "suplier: there is no such key. Did you mean 'supplier'?"),
        (read_mapping, 'supplier = "x"\nlayer = "dltb3"\n[constants]\nSJNF = [1]',
         "1 fault(s):\n  - [constants], SJNF = [1]: it should be a text or a whole number or a number or true or false."),
        (read_datum, 'kind = "sven"', "kind = 'sven': it is none of the allowed values. Did you mean 'seven'?"),
    ],
)  # fmt: skip
def test_definitions_have_the_nearest_names(tmp_path, read, text, words):
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError) as refused:
        read(file)
    assert words in str(refused.value)
