"""The text form of MapGIS by its written grammar; and files that are broken."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from other_formats import wap

BOX = shapely.box(515000.5, 4345300.5, 515100, 4345400)
HOLED = shapely.box(515200, 4345300, 515300, 4345400).difference(
    shapely.box(515210, 4345310, 515220, 4345320)
)
LINES = "WMAP9021\n3\n1,0,1,0.15,10.0,10.0,1,161,0\n2\n515000.0,4345300.0\n515100.0,4345300.0\n58,100.000,甲\n1,0,1,0.15,10,10,1,161,0\n1\n1.0,2.0\n59,0.0,乙\n\n"
POINTS = 'WMAP9022\n2\n515000.5,4345300.5,1,1,570,0.5,0.5,0.0,0,1,0.05,100,0\n515001.5,4345301.5,2,0,"等高距0.5米,甲",2.5,2.0,0.0,0.0,3,0,0,0,1,100,0\n'


def arrived(folder: Path, text: str | bytes, name: str):
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode("gbk"))
    with opened(str(file), folder) as source, received(source) as found:
        (batch,) = found.batches
        return found, batch


@pytest.mark.parametrize("less", [True, False])
def test_areas_along_signed_arcs(tmp_path, less):
    """Counts of nodes are one higher than what is there in the files that were seen."""
    found, batch = arrived(tmp_path, wap([BOX, HOLED], less=less), "a.wap")
    assert [
        shape.equals(other) for shape, other in zip(shapely.from_wkb(batch.wkb), (BOX, HOLED), strict=True)
    ] == [True, True]
    assert batch.attributes.to_pylist()[0] == {
        "ID": "1",
        "面积": f"{BOX.area:.6f}",
        "周长": f"{BOX.length:.6f}",
        "属性4": "属性值",
        "样式": "9,8,2.3,2.3,0,1,171,0",
    }
    assert (found.declared_crs, batch.doubts) == (None, ())
    assert [code for code, _ in found.doubts] == ["fields_unnamed"]


def test_lines_and_points(tmp_path):
    _, batch = arrived(tmp_path, LINES, "a.wal")
    assert batch.attributes.select(["ID", "长度", "属性3"]).to_pylist() == [
        {"ID": "58", "长度": "100.000", "属性3": "甲"},
        {"ID": "59", "长度": "0.0", "属性3": "乙"},
    ]
    assert [doubt.rule for doubt in batch.doubts] == ["shape_unreadable"]
    _, batch = arrived(tmp_path, POINTS, "a.wat")
    assert batch.attributes.select(["ID", "点类型", "文字"]).to_pylist() == [
        {"ID": "1", "点类型": "子图", "文字": None}, {"ID": "2", "点类型": "字符串", "文字": "等高距0.5米,甲"},
    ]  # fmt: skip
    assert [shape.x for shape in shapely.from_wkb(batch.wkb)] == [515000.5, 515001.5]


def test_blanks_between_values_and_old_versions(tmp_path):
    _, batch = arrived(tmp_path, LINES.replace(",", " ").replace("WMAP9", "WMAP6"), "a.wal")
    assert batch.attributes["ID"].to_pylist() == ["58", "59"]


def test_an_area_that_is_not_the_stated_one_and_arcs_that_do_not_meet_are_listed(tmp_path):
    _, batch = arrived(tmp_path, wap([BOX], areas=["9000.0"]), "a.wap")
    assert [doubt.rule for doubt in batch.doubts] == ["stated_area_differs"]
    text = wap([BOX]).split("\n")
    place = text.index("515100.000000,4345300.500000")
    # The ring ends a metre before where it begins, as rings of real files do; the stated area is that of the ring closed straight.
    last = place + 4
    text[last] = "515099.000000,4345300.500000"
    _, batch = arrived(tmp_path, "\n".join(text).replace(f"{BOX.area:.6f}", "9900.25"), "a.wap")
    assert "arcs_apart" in [doubt.rule for doubt in batch.doubts]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.wap", LINES, "begins with WMAP9021, and a .wap with WMAP9023"),
        ("a.wal", "x", "its content is not what the name"),
        ("a.wal", LINES.replace("\n3\n", "\n9\n"), "line 12: '' has fewer values|the file ends in line"),
        ("a.wal", LINES.replace("\n3\n", "\n1\n"), "stands behind all that the file counts|where the number"),
        ("a.wal", LINES.replace("515000.0,4345300.0", "五,六"), "line 5: '五,六' is no vertex"),
        ("a.wal", LINES.replace("\n2\n515", "\nx\n515"), "line 4: 'x' stands where the number of vertices"),
        ("a.wap", wap([BOX]).replace("\n1\n0\n", "\n7\n0\n"), "line .* names an arc, and there are 1"),
        (
            "a.wal",
            LINES.replace("\n2\n515", "\n999999999999\n515"),
            "line 4: counts 999,999,999,999 vertices",
        ),
        ("a.wat", POINTS.replace("515000.5,4345300.5,1,1", "1,2"), "line 3"),
    ],
)
def test_what_is_broken_is_refused_with_its_line(tmp_path, name, text, words):
    with pytest.raises(InputRefusedError, match=words):
        arrived(tmp_path, text, name)


def test_a_cut_anywhere_is_refused_or_leaves_the_same(tmp_path):
    """What ends within the last number of an attribute or the empty lines behind it cannot be told."""
    for name, text, least in (("a.wap", wap([BOX, HOLED]), 4), ("a.wal", LINES, 4)):
        _, whole = arrived(tmp_path, text, name)
        told = 0
        for size in range(len(text)):
            try:
                _, batch = arrived(tmp_path, text[:size], name)
            except InputRefusedError:
                told += 1
                continue
            assert batch.wkb.tolist() == whole.wkb.tolist()[: len(batch.wkb)]
        assert told > len(text) - 20 * least


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_change_ends_in_anything_but_a_reading_or_a_refusal(tmp_path, data):
    name, text = data.draw(
        st.sampled_from([("a.wap", wap([BOX, HOLED])), ("a.wal", LINES), ("a.wat", POINTS)])
    )
    at = data.draw(st.integers(0, len(text)))
    to = data.draw(st.integers(at, min(len(text), at + 20)))
    changed = (
        text[:at]
        + data.draw(st.sampled_from(["", ",", "\n", "0", "-", "9" * 12, '"', "\n\n", "甲"]))
        + text[to:]
    )
    with suppress(InputRefusedError):
        arrived(tmp_path, changed, name)
