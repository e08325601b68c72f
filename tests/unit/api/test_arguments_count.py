"""Every argument and column that the API takes makes a difference, so that none can be lost on the way."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pytest

from lowland_gis import DefinitionError, check, classify, draft_units, read_delivery, tabulate
from made_files import box

CODES = [f"120113001001GB{number:05}" for number in range(4)]
PACK = """
name = "own"
title = "试验"
document = "示例"
in_force = 2024-01-01
example = true

[[parameter]]
name = "least"
value = 5.0
unit = "万元/亩"
document = "示例"
in_force = 2024-01-01
until = 2030-01-01
example = true
{more}
[[question]]
name = "kind"
title = "类型"
otherwise = "none"
answers = {{ low = "低效", none = "非低效" }}
means = {{ low = ["low"], not = ["none"] }}

[[question.rule]]
name = "weak"
title = "亩均税收低"
answer = "low"
article = "示例"
all = [{{ measure = "tax_per_mu", op = "<", limit = "least", title = "亩均税收低" }}]
"""
ENTRY = '\n[[parameter]]\nname = "least"\nvalue = 10.0\nunit = "万元/亩"\ndocument = "示例"\nexample = true\n'


def kinds(folder: Path, more: str, as_of: dt.date | None = None, **columns: list[str]) -> list[str]:
    """Return the kinds of two parcels of 7 万元/亩 each by a pack with a limit of 5 and a further entry."""
    pack = folder / "own.toml"
    pack.write_text(PACK.format(more=more), encoding="utf-8")
    return classify(pd.DataFrame({"tax_per_mu": [7.0, 7.0], **columns}), pack, as_of=as_of)["answer"].tolist()


def test_the_day_says_which_entry_of_a_limit_counts(tmp_path):
    later = f"{ENTRY}in_force = 2025-01-01\n"
    assert kinds(tmp_path, later) == ["none", "none"]
    assert kinds(tmp_path, later, dt.date(2025, 6, 30)) == ["low", "low"]


def test_a_pack_that_does_not_hold_on_the_day_is_refused(tmp_path):
    with pytest.raises(DefinitionError, match="it expired on 2030-01-01, before 2031-01-01"):
        kinds(tmp_path, "", dt.date(2031, 1, 1))


@pytest.mark.parametrize(("column", "key", "values"), [("town_code", "town", ["120113101", "120113102"]), ("zone", "zone", ["GY", "JZ"])])  # fmt: skip
def test_law_of_a_town_or_zone_holds_there_only(tmp_path, column, key, values):
    own = f'{ENTRY}in_force = 2024-01-01\n{key} = "{values[0]}"\n'
    assert kinds(tmp_path, own, **{column: values}) == ["low", "none"]


def two_lots(**columns: list[object]) -> gpd.GeoDataFrame:
    given = {"parcel_id": ["A", "B"], "low_m2": [10_000.0, 10_000.0], **columns}
    return gpd.GeoDataFrame(given, geometry=[box(0, 0), box(105, 0)], crs=4548)


def test_land_for_the_public_is_counted():
    assert draft_units(two_lots(), settings={"min_ha": 1.5}).units["public_share"].tolist() == [0]
    half = draft_units(two_lots(public_m2=[0.0, 10_000.0]), settings={"min_ha": 1.5})
    assert half.units["public_share"].tolist() == [pytest.approx(0.5, rel=1e-3)]


@pytest.mark.parametrize(
    ("column", "weight"),
    [("zone", "mixed_zone"), ("kind", "mixed_kind"), ("plan_use", "mixed_use"), ("owner", "mixed_owner")],
)
def test_what_units_should_not_mix_keeps_them_apart(column, weight):
    dear = {"min_ha": 0.5, f"weights.{weight}": 100.0}
    assert len(draft_units(two_lots(**{column: ["x", "x"]}), settings=dear).units) == 1
    assert len(draft_units(two_lots(**{column: ["x", "y"]}), settings=dear).units) == 2


def test_rows_of_every_second_label_keep_their_labels():
    parcels = gpd.GeoSeries([box(0, 0), box(200, 0), box(400, 0)], crs=4548)
    found = tabulate(parcels[::2], gpd.GeoSeries([box(0, 0, 1000)], crs=4548))
    assert found["parcel_id"].tolist() == [0, 2]


def test_of_several_columns_of_geometries_the_usual_name_counts():
    elsewhere, here = (gpd.GeoSeries([box(place, 0)], crs=4548) for place in (900, 0))
    several = gpd.GeoDataFrame({"before": elsewhere, "geometry": here}, geometry="geometry", crs=4548)
    table = pa.table(several.to_arrow(index=False)).select(["before", "geometry"])
    assert tabulate(table, here)["area_m2"].tolist() == [10_000]


def test_a_system_that_is_given_serves_a_check():
    lots = gpd.GeoDataFrame({"ZDDM": CODES[:2]}, geometry=[box(0, 0), box(50, 0)])
    found = check(lots, "parcel", suite="topology", src_crs="EPSG:4548")
    assert found[["rule", "value"]].to_numpy().tolist() == [["overlap", 5000]]


def test_a_delivery_is_read_by_its_mapping(tmp_path):
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('supplier = "某局"\nlayer = "parcel"\n[rename]\n"甲" = "ZDDM"\n', encoding="utf-8")
    frame = gpd.GeoDataFrame({"甲": CODES[:1]}, geometry=[box(0, 0)], crs=4548)
    assert read_delivery(frame, "parcel", mapping=mapping).records["ZDDM"].tolist() == CODES[:1]


def test_a_delivery_is_read_in_the_encoding_that_is_given(tmp_path):
    path = tmp_path / "lots.csv"
    path.write_bytes("ZDDM,QYMC,NF\n120113001001GB00001,嘆,2023\n".encode("big5"))
    told = read_delivery(path, "enterprise", encoding="big5").records
    assert told["QYMC"].tolist() == ["嘆"]


def test_records_of_every_batch_stay_with_their_numbers(monkeypatch):
    monkeypatch.setattr("lowland_gis.pipeline.intake.in_memory.BATCH_ROWS", 2)
    shapes = [box(0, 0), None, box(200, 0), box(400, 0)]
    found = read_delivery(gpd.GeoDataFrame({"ZDDM": CODES}, geometry=shapes, crs=4548), "parcel")
    assert found.n_read == 4
    assert found.records["ZDDM"].to_dict() == {0: CODES[0], 2: CODES[2], 3: CODES[3]}
