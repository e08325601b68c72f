"""The bytes decide the encoding of a DBF; what is declared settles only what they leave open."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.encoding import dbf_header, shapefile_encoding

CHINESE = ("北辰区", "天穆镇", "双街镇工业园", "规划资源局北辰分局", "历史遗留用地")
TRADITIONAL = ("臺北縣新莊市", "國有財產", "都市計畫區", "農業區", "住宅區", "綠地廣場")
FRENCH = ("Île-de-France", "forêt", "Zone à bâtir", "cimetière")


def dbf(
    folder: Path,
    values: tuple[str, ...],
    encoding: str,
    *,
    ldid: int = 0,
    cpg: str | None = None,
    name: str = "MC",
) -> tuple[Path, Path | None]:
    """Write a DBF with one text field of 40 bytes, byte by byte."""
    raw = [value.encode(encoding) for value in values]
    return dbf_of(folder, raw, ldid=ldid, cpg=cpg, name=name.encode(encoding))


def dbf_of(
    folder: Path, values: list[bytes], *, ldid: int = 0, cpg: str | None = None, name: bytes = b"MC"
) -> tuple[Path, Path | None]:
    header = bytearray(32)
    header[0], header[29] = 3, ldid
    header[4:8] = len(values).to_bytes(4, "little")
    header[8:10] = (65).to_bytes(2, "little")
    header[10:12] = (41).to_bytes(2, "little")
    field = name.ljust(11, b"\x00") + b"C" + bytes(4) + bytes([40, 0]) + bytes(14)
    path = folder / "a.dbf"
    path.write_bytes(
        bytes(header) + field + b"\r" + b"".join(b" " + value.ljust(40) for value in values) + b"\x1a"
    )
    if cpg is None:
        return path, None
    path.with_suffix(".cpg").write_text(cpg)
    return path, path.with_suffix(".cpg")


@pytest.mark.parametrize(("ldid", "cpg"), [(0, None), (0x4D, None), (0, "GBK"), (0x4D, "GBK"), (0x57, None), (0, "UTF-8"),
                                           (0, "ISO-8859-1"), (0x4F, None), (0, "936"), (0, "nonsense"), (0, ""),
                                           (0, "undefined"), (0, "hex"), (0, "g\x00b\x00k\x00")])  # fmt: skip
def test_gbk_is_found_whatever_is_declared(tmp_path: Path, ldid: int, cpg: str | None):
    found = shapefile_encoding(*dbf(tmp_path, CHINESE, "gbk", ldid=ldid, cpg=cpg), None)
    assert found.name == "gb18030"
    assert "valid GBK" in found.reason


@pytest.mark.parametrize(
    ("ldid", "cpg"), [(0, None), (0x4D, None), (0, "GBK"), (0, "UTF-8"), (0x57, "ISO-8859-1")]
)
def test_utf_8_is_found_whatever_is_declared(tmp_path: Path, ldid: int, cpg: str | None):
    assert shapefile_encoding(*dbf(tmp_path, CHINESE, "utf-8", ldid=ldid, cpg=cpg), None).name == "utf-8"


def test_the_reason_says_when_the_declaration_is_wrong(tmp_path: Path):
    assert (
        "declared utf-8, which is wrong"
        in shapefile_encoding(*dbf(tmp_path, CHINESE, "gbk", cpg="UTF-8"), None).reason
    )
    assert (
        "declared gb18030, which is wrong"
        in shapefile_encoding(*dbf(tmp_path, CHINESE, "utf-8", cpg="gbk"), None).reason
    )
    assert "declared as well" in shapefile_encoding(*dbf(tmp_path, CHINESE, "gbk", ldid=0x4D), None).reason
    assert "nothing declared" in shapefile_encoding(*dbf(tmp_path, CHINESE, "gbk"), None).reason


def test_field_names_count_as_text(tmp_path: Path):
    assert shapefile_encoding(*dbf(tmp_path, ("A1",), "gbk", name="宗地代码"), None).name == "gb18030"


def test_one_chinese_value_among_many_decides(tmp_path: Path):
    values = (*["plain"] * 30_000, "北辰区")
    assert shapefile_encoding(*dbf(tmp_path, values, "gbk"), None).name == "gb18030"


def test_ascii_needs_no_decision(tmp_path: Path):
    assert (
        shapefile_encoding(*dbf(tmp_path, ("A1", ""), "ascii", cpg="GBK"), None).reason == "all text is ASCII"
    )


def test_no_records(tmp_path: Path):
    assert shapefile_encoding(*dbf(tmp_path, (), "ascii"), None).name == "utf-8"


@pytest.mark.parametrize(
    ("ldid", "cpg"), [(0, None), (0x57, None), (0x03, None), (0x4D, None), (0, "GBK"), (0, "UTF-8")]
)
def test_big5_that_nobody_declared_is_refused_with_readings(tmp_path: Path, ldid: int, cpg: str | None):
    with pytest.raises(InputRefusedError, match="encoding cannot be told") as refused:
        shapefile_encoding(*dbf(tmp_path, TRADITIONAL, "big5", ldid=ldid, cpg=cpg), None)
    assert "as big5: " in str(refused.value)
    assert "國有財產" in str(refused.value)


@pytest.mark.parametrize(("ldid", "cpg"), [(0x4F, None), (0x78, None), (0, "Big5")])
def test_big5_that_is_declared_is_read(tmp_path: Path, ldid: int, cpg: str | None):
    assert shapefile_encoding(*dbf(tmp_path, TRADITIONAL, "big5", ldid=ldid, cpg=cpg), None).name == "big5"


@pytest.mark.parametrize(("ldid", "cpg", "name"), [(0x57, None, "latin-1"), (0x03, None, "cp1252"), (0, "ISO-8859-1", "iso8859-1")])  # fmt: skip
def test_western_text_that_is_declared_is_read(tmp_path: Path, ldid: int, cpg: str | None, name: str):
    assert shapefile_encoding(*dbf(tmp_path, FRENCH, "latin-1", ldid=ldid, cpg=cpg), None).name == name


def test_rare_characters_are_read_as_declared(tmp_path: Path):
    found = shapefile_encoding(*dbf(tmp_path, ("丿亍乇匚圮", "龢龘"), "gbk", cpg="GBK"), None)
    assert (found.name, found.reason) == ("gb18030", "declared by .cpg or LDID, and every byte fits")


def test_western_text_that_nobody_declared_is_refused(tmp_path: Path):
    with pytest.raises(InputRefusedError, match="--encoding GBK"):
        shapefile_encoding(*dbf(tmp_path, FRENCH, "latin-1"), None)


@pytest.mark.parametrize(("ldid", "name"), [(0x4D, "gb18030"), (0, "utf-8")])
def test_a_word_that_is_valid_both_ways_is_read_as_declared(tmp_path: Path, ldid: int, name: str):
    """茅 in GBK is é in UTF-8."""
    assert "茅".encode("gbk").decode("utf-8") == "é"
    assert shapefile_encoding(*dbf(tmp_path, ("茅",), "gbk", ldid=ldid), None).name == name


@pytest.mark.parametrize(("encoding", "taken"), [("utf-8", "utf-8"), ("gbk", "gb18030")])
@pytest.mark.parametrize("forced", [None, "own"])
def test_a_value_cut_inside_a_character_does_not_hide_the_encoding(
    tmp_path: Path, encoding: str, taken: str, forced: str | None
):
    cut = ["历史遗留用地北辰区天穆镇".encode(encoding)[:-1], "北辰".encode(encoding)]
    found = shapefile_encoding(*dbf_of(tmp_path, cut), forced and encoding)
    assert (found.name, found.cut) == (taken if forced is None else encoding, True)
    assert "cut inside a character" in found.reason


def test_what_the_user_says_is_taken_if_every_byte_fits(tmp_path: Path):
    paths = dbf(tmp_path, CHINESE, "gbk", cpg="UTF-8")
    assert shapefile_encoding(*paths, "GBK").reason == "given by the user"
    with pytest.raises(InputRefusedError, match="not all text is utf-8"):
        shapefile_encoding(*paths, "utf-8")
    with pytest.raises(InputRefusedError, match="not all text is nonsense"):
        shapefile_encoding(*paths, "nonsense")


def test_a_header_is_read(tmp_path: Path):
    header = dbf_header(dbf(tmp_path, CHINESE, "gbk", ldid=0x4D)[0])
    assert (header.records, header.record_bytes, header.ldid) == (5, 41, 0x4D)
    assert header.fields == ((b"MC", "C", 40),)


@pytest.mark.parametrize("size", [0, 20, 32])
def test_a_stump_is_refused(tmp_path: Path, size: int):
    path, _ = dbf(tmp_path, CHINESE, "gbk")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputRefusedError, match="too short"):
        dbf_header(path)


def test_a_cut_file_is_refused_with_both_counts(tmp_path: Path):
    path, _ = dbf(tmp_path, CHINESE, "gbk")
    path.write_bytes(path.read_bytes()[: 65 + 3 * 41 + 7])
    with pytest.raises(InputRefusedError, match="counts 5 records, but the file ends after 3"):
        dbf_header(path)


@pytest.mark.parametrize(("position", "value"), [(10, 3), (8, 1), (48, 255)])
def test_a_header_that_contradicts_itself_is_refused(tmp_path: Path, position: int, value: int):
    path, _ = dbf(tmp_path, CHINESE, "gbk")
    content = bytearray(path.read_bytes())
    content[position] = value
    path.write_bytes(bytes(content) + bytes(5000))
    with pytest.raises(InputRefusedError, match="contradicts itself"):
        dbf_header(path)


def test_utf_8_that_is_said_to_be_gbk_is_not_taken_for_cut(tmp_path: Path):
    """Nine bytes of UTF-8 are four characters of GBK and a half."""
    with pytest.raises(InputRefusedError, match="not all text is GBK"):
        shapefile_encoding(*dbf_of(tmp_path, ["北辰区".encode()]), "GBK")
