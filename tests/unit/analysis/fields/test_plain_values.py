"""Columns that name or sum: categories, mixed kinds and nothing are values; lists and tables are refused in words."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely

from lowland_gis.analysis.fields.plain_values import plain_values
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.overlaps.two_files import tabulate_files

BOXES = [shapely.box(500_000 + 100 * n, 4_340_000, 500_100 + 100 * n, 4_340_100) for n in range(2)]
CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4548"}}


def geojson(path, values, encoding="utf-8"):
    features = [
        {"type": "Feature", "properties": {"v": value}, "geometry": json.loads(shapely.to_geojson(box))}
        for value, box in zip(values, BOXES, strict=True)
    ]
    text = json.dumps({"type": "FeatureCollection", "crs": CRS, "features": features}, ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    return str(path)


def rows(file, **fields):
    found = [
        part.overlaps.to_pylist()
        for part in tabulate_files(file, file, **({"id_field": None, "by_field": None} | fields))
    ]
    return [(row["parcel_id"], row["code"]) for part in found for row in part]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (pd.Categorical(["b", "a"]), ["b", "a"]),
        (pd.Categorical([2, 1]), [2, 1]),
        (pd.Categorical(["b", None]), ["b", ""]),
        (pd.Series([None, None], dtype=object), ["", ""]),
        ([1.5, np.nan], ["1.5", ""]),
        ([True, False], [True, False]),
    ],
)
def test_a_column_of_a_geoparquet_that_no_kernel_of_arrow_takes(tmp_path, values, codes):
    file = str(tmp_path / "a.parquet")
    gpd.GeoDataFrame({"v": values}, geometry=BOXES, crs=4548).to_parquet(file)
    assert rows(file, by_field="v") == [(0, codes[0]), (1, codes[1])]
    if None not in list(values):
        named = rows(file, id_field="v")
        assert sorted(named, key=str) == sorted(((value, "all") for value in _values(values)), key=str)


def _values(values):
    return [None if isinstance(value, float) and np.isnan(value) else value for value in values]


def test_an_empty_column_names_no_parcels(tmp_path):
    file = str(tmp_path / "a.parquet")
    gpd.GeoDataFrame({"v": pd.Series([None, None], dtype=object)}, geometry=BOXES, crs=4548).to_parquet(file)
    with pytest.raises(InputRefusedError, match="2 parcels have no v, so they cannot be told apart"):
        rows(file, id_field="v")


@pytest.mark.parametrize(
    "values", [[["a"], ["b"]], [{"x": 1}, {"x": 2}], [b"a", b"b"], pd.to_timedelta([1, 2], unit="s")]
)
@pytest.mark.parametrize("field", ["id_field", "by_field"])
def test_what_is_no_value_is_refused_in_words(tmp_path, values, field):
    file = str(tmp_path / "a.parquet")
    gpd.GeoDataFrame({"v": values}, geometry=BOXES, crs=4548).to_parquet(file)
    with pytest.raises(InputRefusedError, match="the field v holds (lists or tables|bytes|spans of time)"):
        rows(file, **{field: "v"})


@pytest.mark.parametrize(
    ("values", "codes"), [(["a", 5], ["a", "5"]), ([True, "x"], ["true", "x"]), (["5", 2.5], ["5", "2.5"])]
)
def test_a_property_of_mixed_kinds_is_text(tmp_path, values, codes):
    file = geojson(tmp_path / "a.geojson", values)
    assert rows(file, by_field="v") == [(0, codes[0]), (1, codes[1])]
    assert sorted(rows(file, id_field="v")) == sorted((code, "all") for code in codes)


@pytest.mark.parametrize("values", [[{"a": 1}, "x"], [[1], "x"], [[1], [2]]])
def test_a_property_that_holds_tables_is_refused(tmp_path, values):
    file = geojson(tmp_path / "a.geojson", values)
    with pytest.raises(InputRefusedError, match="the field v holds lists or tables"):
        rows(file, by_field="v")


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("gb18030", "it is in GBK.*iconv -f GBK"),
        ("utf-16", "it is in UTF-16.*iconv -f UTF-16"),
        ("latin-1", None),
    ],
)
def test_a_geojson_in_another_encoding_is_named(tmp_path, encoding, said):
    file = geojson(
        tmp_path / "a.geojson", ["天津市北辰区双街镇", "宜兴埠"] if said else ["é ", "ü"], encoding
    )
    with pytest.raises(InputRefusedError, match=said or "some of its bytes are no UTF-8"):
        rows(file, by_field="v")


def test_nothing_is_a_text_that_is_missing():
    assert plain_values(pa.chunked_array([pa.nulls(2)])).to_pylist() == [None, None]
    assert plain_values(pa.chunked_array([pa.array([float("nan"), 1.0])])).to_pylist() == [None, 1.0]
