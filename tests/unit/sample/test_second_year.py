"""The second year of the sample, read from its files: what differs between the two years is what the truth lists, and nothing else."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from lowland_gis.analysis.increment import COMPARED, Polygons, check_increment
from lowland_gis.definitions.states import shipped_procedure
from lowland_gis.sample import SecondYear, write_district, write_second_year
from lowland_gis.sample.changes import CAUSES, CHANGES, COLUMNS
from lowland_gis.sample.decisions import decided_on
from lowland_gis.sample.second import DELIVERIES, INCREMENT, SURVEY

PARCEL, BUILDING, SUPPLY = "不动产登记中心/宗地.shp", "住建委/房屋普查.shp", "规资分局/供地合同.shp"
RECORD = {"added", "removed", "split", "merged", "attribute_changed", "boundary_drifted"}


@dataclass(frozen=True)
class Grown:
    """The files of both years."""

    folder: Path
    second: SecondYear

    def first(self, name: str, **options: Any) -> gpd.GeoDataFrame:
        return gpd.read_file(self.folder / "incoming" / name, **options)

    def later(self, name: str, **options: Any) -> gpd.GeoDataFrame:
        return gpd.read_file(self.folder / DELIVERIES / name, **options)

    def both(self, name: str, **options: Any) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
        return self.first(name, **options), self.later(name, **options)

    @cached_property
    def changes(self) -> pd.DataFrame:
        return table(self.second.changes)

    def rows(self, layer: str, *changes: str) -> pd.DataFrame:
        rows = self.changes[self.changes["layer"] == layer]
        return rows[rows["change"].isin(changes or CHANGES)]

    def ids(self, side: str, layer: str, *changes: str) -> set[str]:
        return set(";".join(self.rows(layer, *changes)[side]).split(";")) - {""}

    @cached_property
    def surveys(self) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
        return self.later(SURVEY, layer="DLTB2023"), self.later(SURVEY, layer="DLTB2024")


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)


def grown(folder: Path, parcels: int, seed: int) -> Grown:
    write_district(folder, parcels=parcels, seed=seed)
    return Grown(folder, write_second_year(folder, parcels=parcels, seed=seed))


_FURTHER = [pytest.param(each, marks=pytest.mark.again) for each in ((400, 2), (400, 3), (200, 7), (1500, 4))]


@pytest.fixture(scope="module", params=[(400, 1), *_FURTHER], ids=str)
def year(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Grown:
    return grown(tmp_path_factory.mktemp("grown"), *request.param)


def differing(before: gpd.GeoDataFrame, now: gpd.GeoDataFrame, key: str) -> dict[str, set[str]]:
    """Compare two files record by record, knowing nothing of how they were made: gone, come, shape, fields and which field of which."""
    one, other = (frame.drop_duplicates(key).set_index(key) for frame in (before, now))
    both = one.index.intersection(other.index)
    left, right = one.loc[both], other.loc[both]
    missing = shapely.is_missing(left.geometry) & shapely.is_missing(right.geometry)
    same = missing | shapely.equals_exact(left.geometry.to_numpy(), right.geometry.to_numpy(), 0.0)
    found = {
        "gone": set(one.index.difference(other.index)),
        "come": set(other.index.difference(one.index)),
        "shape": set(both[~same]),
        "fields": set(),
        "which": set(),
    }
    for name in left.columns.drop("geometry"):
        differs = (texts(left[name]) != texts(right[name])).to_numpy()
        found["fields"] |= set(both[differs])
        found["which"] |= {f"{code}.{name}" for code in both[differs]}
    return found


def texts(values: pd.Series) -> pd.Series:
    """Return texts in which whatever stands for nothing is the same."""
    return values.astype(object).where(values.notna(), "").astype(str)


def test_the_list_has_its_columns_and_words(year):
    assert tuple(year.changes.columns) == COLUMNS
    assert set(year.changes["change"]) <= set(CHANGES)
    assert set(year.changes["cause"]) <= set(CAUSES)
    parcels = year.rows("parcel")
    assert set(parcels["change"]) == set(CHANGES)
    wanted = {"firm_figures", "firm_closed", "firm_new", "new_construction", "demolished", "rule_changed"}
    assert wanted <= set(parcels["cause"])


def test_a_parcel_has_at_most_one_row_of_each_sort(year):
    for changes in (RECORD, {"reclassified"}, {"disposed"}):
        ids = ";".join(year.rows("parcel", *changes)["before"]).split(";")
        ids = [name for name in ids if name]
        assert len(ids) == len(set(ids)), changes


def test_parcels_differ_as_listed_and_nowhere_else(year):
    found = differing(*year.both(PARCEL), "ZDDM")
    assert found["gone"] == year.ids("before", "parcel", "removed", "split", "merged")
    assert found["come"] == year.ids("after", "parcel", "added", "split", "merged")
    drifted = year.ids("after", "parcel", "boundary_drifted")
    assert found["shape"] == drifted
    assert found["fields"] - drifted == year.ids("after", "parcel", "attribute_changed")
    listed = {
        f"{row.after}.{one.partition(':')[0]}"
        for row in year.rows("parcel", "attribute_changed").itertuples()
        for one in row.fields.split(";")
    }
    assert {name for name in found["which"] if not name.endswith(".ZDMJ")} == listed


def test_numbers_are_never_given_again(year):
    before = year.first(PARCEL)["ZDDM"]
    now = year.later(PARCEL)["ZDDM"]
    assert not year.ids("after", "parcel", "added", "split", "merged") & set(before)
    again = now[now.duplicated()]
    assert set(again) <= set(before[before.duplicated()])


def test_pieces_are_the_ground_of_what_they_came_from(year):
    before, now = (frame.drop_duplicates("ZDDM").set_index("ZDDM").geometry for frame in year.both(PARCEL))
    for row in year.rows("parcel", "split", "merged").itertuples():
        old, new = before[row.before.split(";")].union_all(), now[row.after.split(";")].union_all()
        assert old.symmetric_difference(new).area < 1e-5
        assert float(row.area_before_m2) == pytest.approx(float(row.area_after_m2), abs=0.011 * 3)


def test_drift_is_of_centimetres_to_decimetres(year):
    before, now = (frame.drop_duplicates("ZDDM").set_index("ZDDM").geometry for frame in year.both(PARCEL))
    for code in year.ids("after", "parcel", "boundary_drifted"):
        moved = np.hypot(*(shapely.get_coordinates(now[code]) - shapely.get_coordinates(before[code])).T)
        assert 0.02 < moved.max() < 0.42


def test_parcels_overlap_nowhere_but_where_they_were_spoilt(year):
    frame = year.later(PARCEL)
    spoilt = set(table(year.folder / "spoilt.csv").query("layer == 'parcel'")["key"])
    sound = frame[~frame["ZDDM"].isin(spoilt)]
    assert sound.is_valid.all()
    assert sound.geom_type.eq("Polygon").all()
    shapes = sound.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = one < other
    assert shapely.area(shapely.intersection(shapes[one[pairs]], shapes[other[pairs]])).max() < 1e-5
    new = sound[sound["ZDDM"].isin(year.ids("after", "parcel"))]
    assert new["ZDMJ"].to_numpy() == pytest.approx(new.area.to_numpy(), rel=1e-4)


def test_kinds_differ_as_listed(year):
    before, now = (
        table(path).set_index("parcel_id")["kind"] for path in (year.folder / "truth.csv", year.second.truth)
    )
    both = before.index.intersection(now.index)
    changed = {(code, before[code], now[code]) for code in both if before[code] != now[code]}
    rows = year.rows("parcel", "reclassified")
    assert changed == set(zip(rows["after"], rows["kind_before"], rows["kind_after"], strict=True))
    assert set(now.index) == set(year.later(PARCEL)["ZDDM"])


def test_buildings_and_contracts_differ_as_listed(year):
    for name, key, layer in ((BUILDING, "JZBH", "building"), (SUPPLY, "DZJGH", "supply")):
        found = differing(*year.both(name), key)
        assert found["gone"] == year.ids("before", layer, "removed")
        assert found["come"] == year.ids("after", layer, "added")
        assert found["shape"] == set()
        assert found["fields"] == year.ids("after", layer, "attribute_changed")


def test_new_buildings_stand_on_their_parcel_and_touch_no_other(year):
    frame = year.later(BUILDING)
    parcels = year.later(PARCEL).set_index("ZDDM").geometry
    for row in year.rows("building", "added").itertuples():
        house = frame.geometry[frame["JZBH"] == row.after].item()
        code = row.note.removeprefix("宗地").removesuffix("新建")
        assert house.is_valid
        assert parcels[code].covers(house)
        others = frame[(frame["JZBH"] != row.after) & shapely.is_valid(frame.geometry)]
        assert others.intersection(house).area.sum() < 1e-6


def test_firms_differ_as_listed(year):
    before, now = (
        pd.read_excel(path, dtype=str, engine="openpyxl")
        for path in (
            year.folder / "incoming/税务局/企业2023.xlsx",
            year.folder / DELIVERIES / "税务局/企业2024.xlsx",
        )
    )
    credit, code = "统一社会信用代码", "宗地代码"
    assert set(before[credit]) - set(now[credit]) == year.ids("before", "enterprise", "removed")
    assert set(now[credit]) - set(before[credit]) == year.ids("after", "enterprise", "added")
    moved = before.merge(now, on=credit)
    moved = moved[moved[f"{code}_x"] != moved[f"{code}_y"]]
    assert set(moved[credit]) == year.ids("after", "enterprise", "attribute_changed")
    parcels = set(year.later(PARCEL)["ZDDM"])
    assert set(now[code]) <= parcels


def test_the_edition_alone_makes_low_efficient_what_it_is_said_to(year):
    """By hand: figures of both years are equal, good enough for the old limits and not for the new one."""
    first = pd.read_excel(
        year.folder / "incoming/税务局/企业2023.xlsx", dtype={"宗地代码": str}, engine="openpyxl"
    ).set_index("宗地代码")
    now = pd.read_excel(
        year.folder / DELIVERIES / "税务局/企业2024.xlsx", dtype={"宗地代码": str}, engine="openpyxl"
    ).set_index("宗地代码")
    text = (year.folder / year.second.pack).read_text(encoding="utf-8")
    limit = float(text.partition('name = "output_min"\nvalue = ')[2].partition("\n")[0])
    assert limit > 100
    tax, output = "亩均税收（万元/亩）", "亩均产出（万元/亩）"
    rows = year.rows("parcel", "reclassified")
    by_rule = rows[rows["cause"] == "rule_changed"]["after"]
    for code in by_rule:
        assert (first.loc[code, tax], first.loc[code, output]) == (now.loc[code, tax], now.loc[code, output])
        assert now.loc[code, tax] < 5
        assert 100 <= now.loc[code, output] < limit
    poor = set(now.index[(now[tax] < 5) & (now[output] < limit)])
    kinds = table(year.second.truth).set_index("parcel_id")["kind"]
    assert set(kinds[sorted(poor)]) <= {"industrial", "legacy"}


def test_the_survey_differs_as_listed_and_the_increment_says_all_of_it(year):
    before, now = year.surveys
    found = differing(before.drop(columns="SJNF"), now.drop(columns="SJNF"), "BSM")
    assert found["gone"] == year.ids("before", "dltb_annual") - year.ids("after", "dltb_annual")
    assert found["come"] == year.ids("after", "dltb_annual") - year.ids("before", "dltb_annual")
    changed = found["shape"] | found["fields"] | found["come"]
    assert changed == year.ids("after", "dltb_annual")
    assert changed == set(year.later(f"{INCREMENT}/DLTBGX.shp")["BSM"])


def test_the_survey_covers_the_same_ground_without_gap_or_overlap(year):
    before, now = year.surveys
    assert now.is_valid.all()
    assert now["BSM"].is_unique
    assert before.union_all().symmetric_difference(now.union_all()).area < 1e-4
    assert now.area.sum() == pytest.approx(now.union_all().area, abs=1e-4)
    assert round(now["TBMJ"].sum(), 2) == round(before["TBMJ"].sum(), 2)


def polygons(frame: gpd.GeoDataFrame) -> Polygons:
    rows = frame[["BSM", "TBMJ", *COMPARED]]
    return Polygons(rows.reset_index(drop=True), frame.geometry.to_numpy())


def test_base_and_increment_make_the_base_of_the_year(year):
    before, now = map(polygons, year.surveys)
    changed, process = (year.later(f"{INCREMENT}/{name}.shp") for name in ("DLTBGX", "DLTBGXGC"))
    found = check_increment(before, now, polygons(changed), pd.DataFrame(process.drop(columns="geometry")))
    assert found.issues.to_dict("records") == []
    assert found.balance.residual_m2 == 0.0
    assert found.balance.changed_m2 == pytest.approx(changed["TBMJ"].sum(), abs=0.001)
    assert set(process["BGXW"]) == {"0", "1", "2", "3"}
    assert process.area.sum() == pytest.approx(changed.area.sum(), abs=1e-4)


def test_one_field_missing_from_the_increment_is_told(year):
    before, now = map(polygons, year.surveys)
    changed, process = (year.later(f"{INCREMENT}/{name}.shp") for name in ("DLTBGX", "DLTBGXGC"))
    less = changed.iloc[1:]
    found = check_increment(before, now, polygons(less), pd.DataFrame(process.drop(columns="geometry")))
    assert changed["BSM"].iloc[0] in set(found.issues["bsm"])


def test_the_line_between_two_towns_was_moved(year):
    name = "民政局/行政区.gpkg"
    for layer, level in (("XZ", "town"), ("CUN", "village")):
        found = differing(*year.both(name, layer=layer), "XZQDM")
        assert found["shape"] == year.ids("after", level)
        assert len(found["shape"]) == 2
        assert not found["gone"] | found["come"] | found["fields"]
        now = year.later(name, layer=layer)
        assert now.area.sum() == pytest.approx(now.union_all().area, abs=1e-4)
        assert now.area.sum() == pytest.approx(year.first(name, layer=layer).area.sum(), abs=1e-4)
    increment = year.later(f"{INCREMENT}/XZQGX.shp").set_index("XZQDM")
    towns = year.later(name, layer="XZ").set_index("XZQDM")
    assert set(increment.index) == year.ids("after", "town")
    for code, shape in increment.geometry.items():
        assert shape.symmetric_difference(towns.geometry[code]).area < 1e-6
    strip = shapely.symmetric_difference(
        towns.geometry[increment.index[0]],
        year.first(name, layer="XZ").set_index("XZQDM").geometry[increment.index[0]],
    )
    assert 50 < strip.area < 1000
    pieces = year.later(f"{INCREMENT}/XZQGXGC.shp")
    went = pieces[pieces["BGQXZQDM"] != pieces["BGHXZQDM"]]
    assert len(went) == 1
    assert went.geometry.iloc[0].symmetric_difference(strip).area < 1e-6
    for side, before in (("BGQ", year.first(name, layer="XZ").set_index("XZQDM")), ("BGH", towns)):
        for code, rows in pieces.groupby(f"{side}XZQDM"):
            assert rows.union_all().symmetric_difference(before.geometry[code]).area < 1e-5
            assert rows[f"{side}DCMJ"].iloc[0] == pytest.approx(before.geometry[code].area, rel=1e-3)


def test_decisions_end_where_the_list_says(year):
    rows = table(year.folder / "truth/decisions.csv")
    low = set(table(year.folder / "truth.csv").query("kind != 'none'")["parcel_id"])
    assert set(rows["parcel_id"]) <= low
    assert set(rows["verb"]) == {
        "notice",
        "objection",
        "approve",
        "submit",
        "return",
        "review",
        "file",
        "start",
        "dispose",
    }
    assert set(rows[rows["verb"] == "dispose"]["parcel_id"]) == year.ids("before", "parcel", "disposed")
    assert rows[rows["verb"] == "return"]["reason"].ne("").all()
    for paper in set(rows["paper"]):
        assert (year.folder / paper).is_file()


def test_decisions_are_of_the_year_before_and_keep_the_notice_period(year):
    rows = table(year.folder / "truth/decisions.csv")
    assert rows.groupby("verb")["on"].nunique().eq(1).all()
    days = {verb: dt.date.fromisoformat(on) for verb, on in zip(rows["verb"], rows["on"], strict=True)}
    assert {day.year for day in days.values()} == {2024}
    assert all(day.weekday() < 5 for day in days.values())
    approve = shipped_procedure()["low_efficiency"].move["approve"]
    assert (approve.since, approve.days > 0) == ("notice", True)
    assert days["approve"] >= days["notice"] + dt.timedelta(days=approve.days)
    assert days["notice"] < days["objection"] < days["approve"] < days["submit"] < days["return"]
    assert days["submit"] < days["review"] < days["file"] < days["start"] < days["dispose"]
    # The shipped procedure is kept, and none of the sample's own lets it do with less.
    assert not (year.folder / "definitions/states.toml").exists()
    for verb, paper in set(zip(rows["verb"], rows["paper"], strict=True)):
        assert str(days[verb]) in (year.folder / paper).read_text(encoding="utf-8")


def test_another_seed_has_other_days():
    days = [tuple(decided_on(seed, dt.date(2023, 12, 31)).values()) for seed in (1, 1, 2)]
    assert days[0] == days[1] != days[2]
    later = tuple(decided_on(1, dt.date(2025, 12, 31)).values())
    assert {day.year for day in later} == {2026}


def contents(folder: Path) -> dict[str, str]:
    """Return a digest of every file, of the content where the format stamps a time of its own; FileGDB is left to the tests of the first year."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        if ".gdb" in name:
            continue
        if path.suffix != ".gpkg":
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            continue
        for layer, _ in pyogrio.list_layers(path):
            rows = pyogrio.read_dataframe(path, layer=layer)
            text = rows.drop(columns="geometry").to_csv() + str(
                shapely.to_wkb(rows.geometry.to_numpy(), hex=True).tolist()
            )
            found[f"{name}:{layer}"] = hashlib.sha256(text.encode()).hexdigest()
    return found


def test_the_same_seed_gives_the_same_bytes_and_leaves_the_first_year_alone(tmp_path):
    alone = tmp_path / "alone"
    write_district(alone, parcels=200, seed=5)
    before = contents(alone)
    two = [grown(tmp_path / name, 200, 5) for name in ("one", "two")]
    assert contents(two[0].folder) == contents(two[1].folder)
    assert before.items() <= contents(two[0].folder).items()
    other = grown(tmp_path / "other", 200, 6)
    assert table(other.second.changes).to_csv() != two[0].changes.to_csv()
