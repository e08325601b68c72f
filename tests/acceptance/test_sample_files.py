"""The delivered files of the sample district, read and judged with plain GeoPandas: the rules follow from the records."""

import datetime as dt
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from lowland_gis.sample import Delivery, write_district

OLD_BUILT = ("201", "202", "203", "204", "205", "101", "102", "105", "106", "107", "113", "118")
NEW_BUILT = re.compile(r"^(05|06|07|08|09|100[1-5]|100[7-9]|1109|1201)")
OVERDUE_SINCE = pd.Timestamp("2021-12-31")


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    return write_district(tmp_path_factory.mktemp("district"), parcels=300, seed=1)


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    return write_district(tmp_path_factory.mktemp("larger"), parcels=1500, seed=2)


def source_of(delivery: Delivery, key: str) -> tuple[Path, str | None]:
    name = dict(delivery.sources)[key]
    path, _, layer = name.partition(":")
    return delivery.folder / path, layer or None


def layer_of(delivery: Delivery, key: str, **options) -> gpd.GeoDataFrame:
    path, layer = source_of(delivery, key)
    frame = gpd.read_file(path, layer=layer, **options)
    return frame.set_geometry(
        shapely.make_valid(frame.geometry.to_numpy(), method="structure", keep_collapsed=False)
    )


def shares(parcels: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.Series:
    """Return the share of every parcel that the union of the zones covers."""
    if zones.empty:
        return pd.Series(0.0, index=parcels.index)
    whole = shapely.union_all(zones.geometry.to_numpy(), grid_size=0.001)
    parts = shapely.intersection(parcels.geometry.to_numpy(), whole)
    return pd.Series(shapely.area(parts) / shapely.area(parcels.geometry.to_numpy()), index=parcels.index)


def old_share(delivery: Delivery, parcels: gpd.GeoDataFrame) -> pd.Series:
    surfaces = layer_of(delivery, "dltb2", encoding="GBK")
    lines = gpd.read_file(source_of(delivery, "xzdw2")[0])
    strips = lines[lines["DLBM"].isin(OLD_BUILT)]
    strips = strips.set_geometry(strips.buffer(strips["KD"] / 2, cap_style="flat"))
    built = surfaces[surfaces["DLBM"].isin(OLD_BUILT)]
    return shares(parcels, pd.concat([built[["geometry"]], strips[["geometry"]]]))


def evidence_of(delivery: Delivery) -> pd.DataFrame:
    """Return every measure that the example rules need, one row a parcel."""
    parcels = layer_of(delivery, "parcel").drop_duplicates("ZDDM").set_index("ZDDM")
    features = layer_of(delivery, "dltb3")
    features = features[features["DLBM"].notna() & features.geometry.notna()]
    code = features["DLBM"].astype(str)
    evidence = pd.DataFrame({"unit": parcels["BDCDYH"]})
    evidence["old"] = old_share(delivery, parcels)
    evidence["new"] = shares(parcels, features[code.str.match(NEW_BUILT)])
    evidence["approval"] = shares(parcels, layer_of(delivery, "approval").to_crs(4548))
    evidence["supply"] = shares(parcels, layer_of(delivery, "supply").to_crs(4548))
    for name, pattern in {
        "0601": "0601",
        "0701": "0701",
        "05H1": "05H1",
        "0702": "0702",
        "public": "08|1005",
    }.items():
        evidence[name] = shares(parcels, features[code.str.match(f"^({pattern})")])
    return (
        evidence.join(building_measures(delivery, parcels))
        .join(firm_measures(delivery))
        .join(overdue(delivery, parcels))
    )


def building_measures(delivery: Delivery, parcels: gpd.GeoDataFrame) -> pd.DataFrame:
    buildings = layer_of(delivery, "building")
    points = buildings.set_geometry(buildings.representative_point())
    points["footprint"] = buildings.area
    joined = points.sjoin(parcels[["geometry"]].reset_index(), predicate="within").drop_duplicates("JZBH")
    floor, footprint = joined["JZMJ"], joined["footprint"]
    parts = pd.DataFrame(
        {
            "ZDDM": joined["ZDDM"],
            "floor": floor,
            "footprint": footprint,
            "aged": footprint * joined["JCNF"],
            "worn": floor * joined["FWDJ"].isin(["C", "D"]),
            "empty": floor * joined["LYZT"].isin(["2", "3"]),
        }
    )
    sums = parts.groupby("ZDDM").sum()
    return pd.DataFrame(
        {
            "year": sums["aged"] / sums["footprint"],
            "worn": sums["worn"] / sums["floor"],
            "vacant": sums["empty"] / sums["floor"],
            "far": sums["floor"] / parcels.area,
        }
    )


def firm_measures(delivery: Delivery) -> pd.DataFrame:
    rows = pd.read_excel(
        delivery.folder / "incoming/税务局/企业2023.xlsx", dtype={"宗地代码": str}, engine="openpyxl"
    )
    return rows.set_index("宗地代码")[["亩均税收（万元/亩）", "亩均产出（万元/亩）", "停产月数"]].set_axis(
        ["tax", "output", "stopped"], axis=1
    )


def overdue(delivery: Delivery, parcels: gpd.GeoDataFrame) -> pd.Series:
    contracts = layer_of(delivery, "supply").to_crs(4548)
    late = contracts[contracts["SJDGSJ"].isna() & (contracts["YDDGSJ"] < OVERDUE_SINCE)]
    points = late.set_geometry(late.representative_point())
    hit = points.sjoin(parcels[["geometry"]].reset_index(), predicate="within")["ZDDM"]
    return pd.Series(parcels.index.isin(hit), index=parcels.index, name="overdue")


def kinds_of(evidence: pd.DataFrame) -> pd.Series:
    """Apply the example rules, first match wins."""
    papers_missing = (evidence["approval"] <= 0.1) & (evidence["supply"] <= 0.1) & evidence["unit"].isna()
    legacy = (evidence["old"] >= 0.5) & (evidence["new"] >= 0.5) & papers_missing
    poor = (evidence["tax"] < 5) & (evidence["output"] < 100)
    industrial = (evidence["0601"] >= 0.5) & (poor | (evidence["stopped"] >= 12) | evidence["overdue"])
    homes = (evidence["0701"] >= 0.5) & (evidence["year"] <= 1990) & (evidence["worn"] >= 0.3)
    trade = (evidence["05H1"] >= 0.5) & (evidence["vacant"] >= 0.5)
    public = (evidence["public"] >= 0.5) & (evidence["far"] < 0.15) & (evidence["year"] <= 1995)
    village = (evidence["0702"] >= 0.5) & (evidence["vacant"] >= 0.4)
    found = np.select(
        [legacy, industrial, homes | trade | public, village],
        ["legacy", "industrial", "town", "village"],
        "none",
    )
    return pd.Series(found, index=evidence.index)


@pytest.mark.parametrize("name", ["delivery", "larger"])
def test_the_truth_follows_from_the_records(name, request):
    delivery = request.getfixturevalue(name)
    truth = pd.read_csv(delivery.truth, dtype=str, encoding="utf-8-sig").set_index("parcel_id")
    kinds = kinds_of(evidence_of(delivery))
    clean = truth[truth["spoilt"] != "no_enterprise"]
    assert set(kinds.index) == set(truth.index)
    wrong = clean["kind"][clean["kind"] != kinds[clean.index]]
    assert wrong.empty, wrong
    assert set(truth["kind"]) == {"legacy", "industrial", "town", "village", "none"}


def test_unspoilt_parcels_keep_clear_of_the_limits(larger):
    delivery = larger
    truth = pd.read_csv(delivery.truth, dtype=str, encoding="utf-8-sig").set_index("parcel_id")
    evidence = evidence_of(delivery)
    evidence = evidence[truth["spoilt"].isna().reindex(evidence.index)]
    legacy = truth["kind"].reindex(evidence.index) == "legacy"
    assert (evidence.loc[legacy, ["old", "new"]].min() >= 0.8).all()
    assert (evidence.loc[legacy, ["approval", "supply"]].max() <= 0.05).all()
    for column, limit in (("tax", 5), ("output", 100), ("stopped", 12)):
        near = evidence[column].between(limit * 0.7, limit * 1.3, inclusive="neither")
        assert not near.any(), (column, evidence.loc[near, column])
    kinds = truth["kind"].reindex(evidence.index)
    homes, villages = evidence["0701"] >= 0.5, evidence["0702"] >= 0.5
    assert not evidence.loc[homes, "worn"].between(0.21, 0.39, inclusive="neither").any()
    assert not evidence.loc[villages, "vacant"].between(0.28, 0.52, inclusive="neither").any()
    assert not evidence.loc[evidence["05H1"] >= 0.5, "vacant"].between(0.35, 0.65, inclusive="neither").any()
    public = evidence[evidence["public"] >= 0.5]
    assert not public["far"].between(0.105, 0.195, inclusive="neither").any()
    assert set(kinds[villages & (evidence["vacant"] > 0.4)]) <= {"village", "legacy"}


def test_all_sources_exist_and_open(delivery):
    for key, source in delivery.sources:
        path, _, layer = source.partition(":")
        assert (delivery.folder / path).exists(), key
        if layer:
            assert layer in {name for name, _ in pyogrio.list_layers(delivery.folder / path)}
    assert delivery.as_of == dt.date(2023, 12, 31)


@pytest.mark.parametrize(
    ("key", "ldid", "cpg", "encoding", "sample"),
    [
        ("parcel", 0x00, "GBK", "gbk", "北辰区"),
        ("dltb2", 0x00, None, "gbk", "水浇地"),
        ("xzdw2", 0x4D, None, "gbk", "农村道路"),
        ("plan_parcel", 0x4D, "GBK", "gbk", "二类工业用地"),
        ("supply", 0x00, "UTF-8", "utf-8", "挂牌出让"),
        ("building", 0x00, "UTF-8", "utf-8", None),
    ],
)
def test_the_bytes_are_in_the_stated_encoding(delivery, key, ldid, cpg, encoding, sample):
    path, _ = source_of(delivery, key)
    table = path.with_suffix(".dbf").read_bytes()
    assert table[29] == ldid
    declared = path.with_suffix(".cpg")
    assert (declared.read_text() if declared.exists() else None) == cpg
    assert sample is None or sample.encode(encoding) in table


def test_dates_are_dates_and_lengths_exact(delivery):
    path, _ = source_of(delivery, "supply")
    info = pyogrio.read_info(path)
    kinds = dict(zip(info["fields"], info["ogr_types"], strict=True))
    assert {kinds[name] for name in ("HTQDRQ", "YDJDSJ", "YDDGSJ", "SJJDSJ", "SJDGSJ")} == {"OFTDate"}
    table = source_of(delivery, "parcel")[0].with_suffix(".dbf").read_bytes()
    assert table[32:43].rstrip(b"\0") == b"ZDDM"
    assert table[32 + 16] == 19


def test_the_zip_holds_the_farmland_in_a_folder(delivery):
    path, _ = source_of(delivery, "farmland")
    fields = gpd.read_file(f"zip://{path}!永久基本农田成果/永久基本农田.shp")
    expired = fields["BHJSSJ"] < pd.Timestamp(delivery.as_of)
    assert 0 < expired.sum() < 0.1 * len(fields)


def test_contracts_carry_the_zone_and_approvals_degrees(delivery):
    contracts = gpd.read_file(source_of(delivery, "supply")[0])
    assert contracts.crs.to_epsg() == 4527
    assert contracts.total_bounds[0] > 39_000_000
    path, layer = source_of(delivery, "approval")
    approvals = gpd.read_file(path, layer=layer)
    assert approvals.crs.to_epsg() == 4490
    assert 116 < approvals.total_bounds[0] < 118
    parcels = layer_of(delivery, "parcel").union_all()
    for frame in (contracts, approvals):
        moved = frame[frame.is_valid].to_crs(4548).buffer(-1).union_all()
        assert shapely.difference(moved, parcels).area < 1e-2 * moved.area


def test_the_spoilt_list_names_what_is_in_the_files(delivery):
    spoilt = pd.read_csv(delivery.spoilt, dtype=str, encoding="utf-8-sig")
    path, layer = source_of(delivery, "dltb3")
    features = gpd.read_file(path, layer=layer)
    listed = spoilt[spoilt["layer"] == "dltb3"].set_index("key")["fault"]
    assert set(features.loc[features["DLBM"] == "9999", "BSM"]) == set(listed[listed == "unknown_code"].index)
    assert set(features.loc[features["DLBM"].isna(), "BSM"]) == set(listed[listed == "missing_value"].index)
    assert set(features.loc[features.geometry.isna(), "BSM"]) == set(listed[listed == "null_geometry"].index)
    broken = features[features.geometry.notna() & ~features.is_valid]
    assert set(broken["BSM"]) == set(listed[listed == "bow_tie"].index)
    parcels = gpd.read_file(source_of(delivery, "parcel")[0])
    faults = spoilt[spoilt["layer"] == "parcel"].set_index("key")["fault"]
    assert set(parcels.loc[~parcels.is_valid, "ZDDM"]) == set(
        faults[faults.isin(["bow_tie", "self_touching"])].index
    )
    twice = parcels.loc[parcels["ZDDM"].duplicated(), "ZDDM"]
    assert set(twice) == set(faults[faults == "duplicate"].index)


def test_the_committed_sample_is_what_the_script_writes(delivery):
    committed = Path(__file__).parents[2] / "sample_data"
    columns = ["parcel_id", "kind", "subkind", "town_code", "spoilt"]
    kept, made = (pd.read_csv(folder / "truth.csv", dtype=str) for folder in (committed, delivery.folder))
    pd.testing.assert_frame_equal(kept[columns], made[columns])
    assert {
        source for _, source in delivery.sources if not (committed / source.split(":")[0]).exists()
    } == set()
    parcels = gpd.read_file(committed / dict(delivery.sources)["parcel"])
    assert len(parcels) == delivery.counts["parcel"]
    assert sum(file.stat().st_size for file in committed.rglob("*") if file.is_file()) < 2_000_000
