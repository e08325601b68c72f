"""What a file geodatabase says beside its rows, written by GDAL, and values of the types of ArcGIS Pro."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyogrio.raw
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lowland_gis.errors import InputRefusedError
from lowland_gis.files import inspect
from lowland_gis.files.geodatabase import described, parsed
from lowland_gis.files.read import received
from lowland_gis.files.source import opened

WRITER = Path(__file__).with_name("described_geodatabase.py")
SYSTEM_PYTHON = os.environ.get("LOWLAND_QGIS_PYTHON", "/usr/bin/python3")


@pytest.fixture(scope="module")
def geodatabase(tmp_path_factory):
    path = tmp_path_factory.mktemp("成果") / "三调.gdb"
    subprocess.run([SYSTEM_PYTHON, WRITER, path], check=True, capture_output=True)
    return path


def test_titles_and_codes_are_said(geodatabase):
    with opened(str(geodatabase), geodatabase.parent) as source:
        assert inspect.layer_names(source) == ("DLTB", "QSDW")
        for name in ("DLTB", "地类图斑"):
            assert inspect.said_beside(replace(source, layer=name)) == [
                ("title 别名", "地类图斑"),
                ("  BSM", "标识码"),
                ("  QSXZ", "权属性质; 权属性质字典: 10 国有土地所有权, 20 国有土地使用权, 30 集体土地所有权"),
            ]
        assert inspect.said_beside(replace(source, layer="QSDW")) == [("title 别名", "权属单位")]


def test_a_layer_is_read_by_its_title(geodatabase):
    with opened(f"{geodatabase}:地类图斑", geodatabase.parent) as source, received(source) as arrived:
        (batch,) = arrived.batches
        assert (arrived.layer, batch.attributes.to_pylist()) == (
            "DLTB",
            [{"BSM": "1", "QSXZ": "20", "DLBM": None}],
        )
        assert inspect.raw_kinds(source).kinds == {"MultiPolygon": 1}
    with (
        opened(f"{geodatabase}:图斑", geodatabase.parent) as source,
        pytest.raises(InputRefusedError, match="DLTB, QSDW"),
        received(source),
    ):
        pass


def test_whole_numbers_of_64_bits_days_and_times_stay(tmp_path):
    rows = pa.table(
        {
            "BIG": pa.array([9_007_199_254_740_993, None], pa.int64()), "DAY": pa.array([dt.date(2020, 12, 31), None], pa.date32()),
            "CLOCK": pa.array([dt.time(8, 30, 15), None], pa.time32("ms")),
            "geometry": pa.array(shapely.to_wkb([shapely.box(0, 0, 1, 1)] * 2), pa.binary()),
        }
    )  # fmt: skip
    path = tmp_path / "pro.gdb"
    pyogrio.raw.write_arrow(
        rows, path, layer="a", driver="OpenFileGDB", geometry_name="geometry", geometry_type="MultiPolygon", crs="EPSG:4548",
        layer_options={"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"},
    )  # fmt: skip
    with opened(f"{path}:a", tmp_path) as source, received(source) as arrived:
        (batch,) = arrived.batches
        values = batch.attributes.to_pylist()
    assert values[0]["BIG"] == 9_007_199_254_740_993
    assert str(values[0]["DAY"])[:10].replace("/", "-") == "2020-12-31"
    assert str(values[0]["CLOCK"]).startswith("08:30:15")
    assert values[1] == {"BIG": None, "DAY": None, "CLOCK": None}


RELATION = """<DERelationshipClassInfo xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:typens="http://www.esri.com/schemas/ArcGIS/10.1">
<Name>图斑权属</Name><OriginClassNames xsi:type="typens:Names"><Name>DLTB</Name></OriginClassNames>
<DestinationClassNames xsi:type="typens:Names"><Name>QSDW</Name></DestinationClassNames><OriginClassKeys>
<RelationshipClassKey><ObjectKeyName>BSM</ObjectKeyName></RelationshipClassKey>
<RelationshipClassKey><ObjectKeyName>TBBSM</ObjectKeyName></RelationshipClassKey></OriginClassKeys></DERelationshipClassInfo>"""


def test_relationships_are_said():
    assert parsed([RELATION]).relations == ("图斑权属: DLTB → QSDW by BSM, TBBSM",)


def test_two_layers_of_one_title_are_none_by_it():
    twice = [f"<Info><Name>{name}</Name><AliasName>地类图斑</AliasName></Info>" for name in ("A", "B")]
    assert parsed(twice).layer_called("地类图斑") is None
    assert parsed(twice[:1]).layer_called("地类图斑") == "A"


@given(st.text(max_size=60), st.integers(0, len(RELATION)))
@settings(max_examples=60, deadline=None)
def test_any_definition_is_understood_or_left_out(text, kept):
    parsed([text, RELATION[:kept], f"<a>{text}</a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])


def test_other_files_say_nothing(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    with opened("a.csv", tmp_path) as source:
        assert (described(source).titles, inspect.said_beside(source)) == ({}, [])
