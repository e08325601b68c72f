"""Personal geodatabases: one that Jackcess wrote (scripts/make_mdb.sh), broken copies of it, and programs that do not end."""

from __future__ import annotations

import datetime as dt
import lzma
import os
from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files import inspect
from lowland_gis.files.apart.run import Limits
from lowland_gis.files.crs import reference
from lowland_gis.files.mdb import tools
from lowland_gis.files.read import received
from lowland_gis.files.source import opened

MADE = Path(__file__).parents[3] / "data" / "二调.mdb.xz"
EAST, NORTH = 515_000.125, 4_345_300.5


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    # With a space and Chinese in its path, as offices have it.
    file = tmp_path_factory.mktemp("二调 成果") / "北辰 DLTB.mdb"
    file.write_bytes(lzma.decompress(MADE.read_bytes()))
    return file


def layers(file: Path) -> tuple:
    with opened(str(file), file.parent) as source:
        return inspect.layer_names(source)


def rows_of(file: Path, layer: str) -> tuple[list[dict], list, list, list, object]:
    with opened(f"{file}:{layer}", file.parent) as source, received(source, batch_rows=3) as arrived:
        batches = list(arrived.batches)
        rows = [row for batch in batches for row in batch.attributes.to_pylist()]
        shapes = (
            []
            if not arrived.has_geometry
            else [shapely.from_wkb(wkb) for batch in batches for wkb in batch.wkb]
        )
        doubts = [(doubt.row, doubt.rule) for batch in batches for doubt in batch.doubts]
        return rows, shapes, doubts, arrived.doubts, arrived


def refused(file: Path, layer: str = "地类图斑") -> str:
    with pytest.raises(InputRefusedError) as error:
        rows_of(file, layer)
    return str(error.value)


def test_layers_with_chinese_names_come_whole(survey):
    assert layers(survey) == ("地类图斑", "XZQ", "权属单位")
    rows, shapes, doubts, remarks, arrived = rows_of(survey, "地类图斑")
    assert (len(rows), arrived.n_rows, remarks) == (7, 7, [])
    assert reference(arrived.declared_crs, "it").name == "EPSG:4548"
    first = rows[0]
    assert first == {
        "OBJECTID": 1, "BSM": "120113001001000123", "DLBM": "0701", "DLMC": "城镇住宅用地", "TBMJ": 8000.123456789012, "KCXS": 0.1,
        "XH": 1, "变更日期": dt.datetime.fromisoformat("2009-12-31"), "是否举证": True, "BZ": '他说："甲,乙"\r\n第二行', "SHAPE_Area": 8000.0,
    }  # fmt: skip
    assert (rows[1]["变更日期"], rows[1]["BZ"], rows[1]["XH"]) == (
        dt.datetime.fromisoformat("2009-12-31T08:30:15"),
        "汪" * 3090,
        None,
    )
    assert (rows[2]["DLBM"], rows[2]["DLMC"], rows[2]["变更日期"]) == (None, None, None)
    hole = shapely.box(EAST + 220, NORTH + 20, EAST + 240, NORTH + 40)
    island = shapely.box(EAST + 225, NORTH + 25, EAST + 230, NORTH + 30)
    assert shapes[0].equals(shapely.box(EAST, NORTH, EAST + 100, NORTH + 80))
    assert shapes[1].equals(
        shapely.box(EAST + 200, NORTH, EAST + 300, NORTH + 100).difference(hole).union(island)
    )
    assert shapes[2].equals(shapely.box(EAST + 400, NORTH, EAST + 410, NORTH + 10))
    assert not shapes[2].has_z
    assert [shape.area for shape in shapes[3:5]] == pytest.approx([157.0796327] * 2, abs=1e-5)
    assert shapes[3].bounds[3] == pytest.approx(NORTH + 10, abs=0.001)
    assert shapes[4].bounds[3] == pytest.approx(NORTH + 10, abs=0.001)
    # The character that mdbtools cannot write, a row without a shape, and a shape that was cut.
    assert shapes[5:] == [None, None]
    assert rows[1]["DLMC"] == "工业用地㐀䶮汪??"
    assert doubts == [(1, "character_lost"), (6, "shape_unreadable")]


def test_titles_and_codes_are_said(survey):
    with opened(str(survey), survey.parent) as source:
        assert inspect.said_beside(replace(source, layer="地类图斑")) == [
            ("title 别名", "二调地类图斑"),
            ("  DLBM", "地类编码; 地类: 0601 工业用地"),
        ]
        assert inspect.said_beside(replace(source, layer="XZQ")) == [("title 别名", "行政区")]
    assert rows_of(survey, "二调地类图斑")[4].layer == "地类图斑"


def test_a_layer_is_found_by_its_title_and_a_table_has_no_shapes(survey):
    rows, shapes, _, _, arrived = rows_of(survey, "行政区")
    # Three rows were deleted in it.
    assert (arrived.layer, [row["DLMC"] for row in rows], len(shapes)) == ("XZQ", ["天穆镇"], 1)
    rows, shapes, _, _, arrived = rows_of(survey, "权属单位")
    assert (rows, shapes) == ([{"QSDWDM": "1201130010010000000", "QSDWMC": "天穆村"}], [])
    assert "Name one of: 地类图斑, XZQ, 权属单位" in refused(survey, "DLTB")


@pytest.mark.parametrize(
    ("kept", "said"),
    [(5000, "was cut off"), (8192, "Access database"), (69_632, "Access database"), (199_999, "was cut off")],
)
def test_a_file_that_was_cut_is_refused(survey, tmp_path, kept, said):
    file = tmp_path / "cut.mdb"
    file.write_bytes(survey.read_bytes()[:kept])
    assert said in refused(file)


def test_rows_that_are_missing_are_counted(survey, monkeypatch):
    monkeypatch.setattr(tools, "count", lambda path, table: 8)
    assert "its head counts 8 rows, but 7 could be read; nothing was loaded" in refused(survey)


def test_what_is_no_access_database_is_not_opened(tmp_path):
    (tmp_path / "a.mdb").write_bytes(b"SQLite format 3\x00" * 20)
    assert "its content is not what the name .mdb says" in refused(tmp_path / "a.mdb")


def test_what_is_missing_is_named_with_the_line_to_type(survey, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Type: apt-get install mdbtools" in refused(copied(survey, tmp_path))


def copied(file: Path, folder: Path) -> Path:
    """Return a copy, which was never looked at."""
    other = folder / "copy.mdb"
    other.write_bytes(file.read_bytes())
    return other


def test_a_program_that_does_not_end_is_ended_with_what_it_started(survey, monkeypatch, tmp_path):
    for name in ("mdb-tables", "mdb-export"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 60\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(tools, "LIMITS", Limits(seconds=1))
    assert "mdb-tables did not end within" in refused(copied(survey, tmp_path))
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_program_that_takes_all_memory_is_ended(survey, monkeypatch, tmp_path):
    program = tmp_path / "mdb-tables"
    program.write_text("#!/bin/sh\nexec dd if=/dev/zero of=/dev/null bs=900M count=1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(tools, "LIMITS", replace(Limits(), memory_bytes=500_000_000))
    assert "cannot be read as an Access database (" in refused(copied(survey, tmp_path))
