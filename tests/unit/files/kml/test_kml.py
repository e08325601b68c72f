"""KML, KMZ and ovKML: attributes and shapes as they stand, beside what GDAL makes of them; nothing before somebody has answered for GCJ-02."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowland_gis.errors import InputRefusedError
from lowland_gis.files import inspect
from lowland_gis.files.consents import Consents
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from other_formats import kml, placemark, polygon, ring

BOX = polygon(ring((117.1, 39.2), (117.101, 39.2), (117.101, 39.201), (117.1, 39.201), (117.1, 39.2)))
HOLED = polygon(
    ring((117.1, 39.2), (117.104, 39.2), (117.104, 39.204), (117.1, 39.204), (117.1, 39.2)),
    ring((117.101, 39.201), (117.102, 39.201), (117.102, 39.202), (117.101, 39.201)),
)
NO = Consents(gcj02="no")


def arrived(file: Path, layer: str | None = None, consents: Consents = NO):
    name = str(file) if layer is None else f"{file}:{layer}"
    with opened(name, file.parent) as source, received(source, consents=consents) as found:
        batches = list(found.batches)
        return found, batches[0] if batches else None


def written(folder: Path, body: str, name: str = "a.kml", encoding: str = "UTF-8") -> Path:
    file = folder / name
    file.write_bytes(kml(body, encoding))
    return file


def refusal(file: Path, consents: Consents = NO) -> str:
    with pytest.raises(InputRefusedError) as refused:
        arrived(file, consents=consents)
    return str(refused.value)


def test_chinese_attributes_come_each_under_its_name_where_gdal_makes_one_of_them(tmp_path):
    file = written(
        tmp_path,
        f"<Document><name>低效</name>{placemark('甲', BOX, 地类编码='0601', 权属单位='某村', 图斑编号='012', 宗地面积='3.5')}</Document>",
    )
    found, batch = arrived(file)
    assert batch.attributes.to_pylist() == [
        {"name": "甲", "地类编码": "0601", "权属单位": "某村", "图斑编号": "012", "宗地面积": "3.5"}
    ]
    assert (found.declared_crs, found.layer) == ("EPSG:4326", "低效")
    fields = pyogrio.read_info(file)["fields"].tolist()
    assert "地类编码" not in fields
    assert "____________" in fields


def test_schema_data_attributes_of_their_own_name_and_description(tmp_path):
    body = """<Document><Schema name="S" id="S"><SimpleField type="int" name="户数"/></Schema>
    <Placemark><name>甲</name><description><![CDATA[<table><tr><td>x</td></tr></table>]]></description>
    <ExtendedData><SchemaData schemaUrl="#S"><SimpleData name="户数">12</SimpleData><SimpleData name="name">乙</SimpleData></SchemaData></ExtendedData>
    <Point><coordinates>117.1,39.2</coordinates></Point></Placemark></Document>"""
    found, batch = arrived(written(tmp_path, body))
    assert batch.attributes.to_pylist() == [
        {"name": "甲", "description": "<table><tr><td>x</td></tr></table>", "户数": "12", "name_2": "乙"}
    ]
    assert [code for code, _ in found.doubts] == ["description_table"]


def test_every_kind_of_shape(tmp_path):
    track = "<gx:Track><gx:coord>117 39 1</gx:coord><gx:coord>117.1 39 2</gx:coord></gx:Track>"
    shapes = {
        "Polygon": HOLED, "MultiPolygon": f"<MultiGeometry>{BOX}{HOLED}</MultiGeometry>", "Point": "<Point><coordinates> 117.1, 39.2 </coordinates></Point>",
        "LineString": "<LineString><coordinates>117.1,39.2\n117.2,39.3</coordinates></LineString>",
        "GeometryCollection": f"<MultiGeometry>{BOX}<Point><coordinates>117,39</coordinates></Point></MultiGeometry>",
        "LinearRing": ring((117, 39), (117.1, 39), (117.1, 39.1), (117, 39)),
        "MultiLineString": "<MultiGeometry><LineString><coordinates>1,2 3,4</coordinates></LineString><LineString><coordinates>1,2 3,4</coordinates></LineString></MultiGeometry>",
    }  # fmt: skip
    body = (
        "".join(placemark(kind, shape) for kind, shape in shapes.items())
        + placemark("track", track)
        + placemark("none")
    )
    _, batch = arrived(written(tmp_path, f"<Document>{body}</Document>"))
    made = shapely.from_wkb(batch.wkb)
    # WKB has no rings by themselves.
    assert [None if shape is None else shape.geom_type for shape in made] == [
        *list(shapes)[:5],
        "LineString",
        "MultiLineString",
        "LineString",
        None,
    ]
    assert (made[0].area, shapely.has_z(made[0]), shapely.has_z(made[7])) == (
        pytest.approx(15.5e-6),
        False,
        True,
    )
    assert batch.doubts == ()


def test_folders_are_layers_and_none_is_left_out(tmp_path):
    body = f"""<Document><name>d</name>{placemark("0", BOX)}<Folder><name>A</name>{placemark("1", BOX)}<Folder><name>B</name>{placemark("2", BOX)}</Folder></Folder>
    <Folder><name>A</name>{placemark("3", BOX)}</Folder><Folder>{placemark("4", BOX)}</Folder><NetworkLink/></Document>"""
    file = written(tmp_path, body)
    with opened(str(file), tmp_path) as source:
        assert inspect.layer_names(source) == ("d", "A", "A/B")
    rows = {layer: arrived(file, layer)[1].attributes["name"].to_pylist() for layer in ("d", "A", "A/B")}
    assert rows == {"d": ["0", "4"], "A": ["1", "3"], "A/B": ["2"]}
    assert "it holds several folders. Name one of: d, A, A/B – as FILE:FOLDER" in refusal(file)
    assert arrived(file, "A")[0].doubts == [
        ("element_left_out", "1 elements NetworkLink are no placemarks and were left out")
    ]
    with pytest.raises(InputRefusedError, match="there is no folder 'X'"):
        arrived(file, "X")


@pytest.mark.parametrize("suffix", [".kml", ".ovkml", ".kmz", ".ovkmz"])
def test_nothing_is_read_until_somebody_answers_for_it(tmp_path, suffix):
    content = kml(placemark("甲", BOX))
    file = tmp_path / f"a{suffix}"
    if suffix.endswith("z"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("files/other.kml", "<kml/>")
            archive.writestr("doc.kml", content)
    else:
        file.write_bytes(content)
    assert "100 to 700 m off (GCJ-02" in refusal(file, Consents())
    assert arrived(file)[1].attributes["name"].to_pylist() == ["甲"]


@pytest.mark.parametrize("said", ["GCJ02", "gcj-02", "BD09"])
def test_what_says_itself_that_it_is_shifted_is_refused_whatever_is_answered(tmp_path, said):
    file = written(
        tmp_path, f"<Document><OvCoordType>{said}</OvCoordType>{placemark('甲', BOX)}</Document>", "a.ovkml"
    )
    assert f"it says itself.*OvCoordType {said}".replace(
        ".*", " that its coordinates are those of a map of the internet ("
    ) in refusal(file)
    file = written(
        tmp_path, f"<Document><OvCoordType>CGCS2000</OvCoordType>{placemark('甲', BOX)}</Document>", "b.ovkml"
    )
    assert "It says OvCoordType CGCS2000, which programs write without looking" in refusal(file, Consents())
    assert arrived(file)[1] is not None


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK", "GB2312", "UTF-16"])
def test_encodings(tmp_path, encoding):
    """GDAL knows none of the Chinese ones."""
    found, batch = arrived(written(tmp_path, placemark("甲地块", BOX), encoding=encoding))
    assert batch.attributes["name"].to_pylist() == ["甲地块"]
    assert found.encoding.name == {"UTF-8": "utf-8", "UTF-16": "utf-16"}.get(encoding, "gb18030")


def test_gbk_that_says_it_is_utf_8(tmp_path):
    file = tmp_path / "a.kml"
    file.write_bytes(kml(placemark("低效工业用地地块名称", BOX)).decode().encode("gbk"))
    found, batch = arrived(file)
    assert batch.attributes["name"].to_pylist() == ["低效工业用地地块名称"]
    assert "it declares utf-8, which is wrong" in found.encoding.reason


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            placemark("甲", "<Point><coordinates>x,y</coordinates></Point>"),
            "hold something that is no number",
        ),
        (placemark("甲", "<Point><coordinates>nan,39</coordinates></Point>"), "infinite or no number"),
        (placemark("甲", "<Point><coordinates></coordinates></Point>"), "it has no coordinates"),
        (placemark("甲", polygon(ring((1, 2), (3, 4)))), "a ring has 3 vertices"),
        (placemark("甲", "<Polygon></Polygon>"), "a polygon has no outer ring"),
    ],
)
def test_a_broken_shape_is_listed_and_its_row_stays(tmp_path, body, words):
    _, batch = arrived(written(tmp_path, body + placemark("乙", BOX)))
    assert [(doubt.row, doubt.rule) for doubt in batch.doubts] == [(0, "shape_unreadable")]
    assert words in batch.doubts[0].words
    assert [shape is None for shape in shapely.from_wkb(batch.wkb)] == [True, False]


def test_an_open_ring_is_closed_and_listed(tmp_path):
    _, batch = arrived(
        written(tmp_path, placemark("甲", polygon(ring((117, 39), (117.1, 39), (117.1, 39.1)))))
    )
    assert [doubt.rule for doubt in batch.doubts] == ["ring_closed"]
    assert shapely.from_wkb(batch.wkb)[0].is_valid


def test_broken_and_hostile_files(tmp_path):
    whole = kml(f"<Document>{placemark('甲', BOX)}</Document>")
    file = tmp_path / "a.kml"
    for content, words in (
        (whole[: len(whole) // 2], "line 1: "),
        (whole.replace(b"</Document>", b""), "mismatched tag"),
        (
            b'<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + whole[38:],
            "its content is not what",
        ),
        (b"PK\x03\x04", "its content is not what"),
        (whole.replace("甲".encode(), "甲".encode()[:2]), "bytes that are no utf-8"),
        (b"<a><kml/></a>", "it has no element kml"),
        (whole.replace(b"<Document>", b"<Folder>" * 300), "nested 200 deep"),
    ):
        file.write_bytes(content)
        assert words in refusal(file)
    packed = tmp_path / "a.kmz"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x.png", b"")
    assert "holds no .kml" in refusal(packed)
    packed.write_bytes(packed.read_bytes()[:30])
    assert "cannot be unpacked" in refusal(packed)


def test_a_cut_anywhere_is_refused(tmp_path):
    whole = kml(f"<Document>{placemark('甲', BOX, 地类='0601')}</Document>")
    file = tmp_path / "a.kml"
    for size in range(len(whole.rstrip())):
        file.write_bytes(whole[:size])
        with pytest.raises(InputRefusedError):
            arrived(file)


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_change_ends_in_anything_but_a_reading_or_a_refusal(tmp_path, data):
    content = bytearray(
        kml(
            f"<Document><Folder><name>A</name>{placemark('甲', HOLED, 地类='0601')}</Folder>{placemark('乙', BOX)}</Document>"
        )
    )
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 9))] = data.draw(
            st.sampled_from([b"", b"<", b">", b"&amp;", b"&x;", b",", b" ", b"e9", b"\xff", b"<name>", b"\0"])
        )
    file = tmp_path / "a.kml"
    file.write_bytes(content)
    with suppress(InputRefusedError):
        arrived(file)
