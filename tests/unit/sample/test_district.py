"""The sample district in memory: full coverage, clear identity, same seed same content."""

import hashlib
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from lowland_gis.analysis.geometry.geodesy import GaussPlane, ellipsoidal_areas
from lowland_gis.errors import UsageError
from lowland_gis.sample import SpoiltShares, controls, write_district
from lowland_gis.sample.dbf import Field, write_dbf
from lowland_gis.sample.district import District, draw_district
from lowland_gis.sample.firms import credit_codes
from lowland_gis.sample.geometry import ellipsoidal_area
from lowland_gis.sample.lots import plant
from lowland_gis.sample.spoil import bow_tie, new_keys, self_touching, spoil_layer
from lowland_gis.sample.survey2 import lines_2009, polygons_2009
from lowland_gis.sample.survey3 import features_2019, settlements_2019

SETTLED = re.compile(r"^(05|06|07|08|09|1004|1005|1201)")
FARMED = re.compile(r"^(01|02|03|04|1104)")
SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.fixture(scope="module")
def district() -> District:
    return draw_district(700, 3)


@pytest.fixture(scope="module")
def features(district):
    return features_2019(district.layout, district.places)


@pytest.mark.parametrize(("parcels", "seed"), [(200, 1), (301, 8), (2500, 4)])
def test_the_number_of_parcels_is_as_wanted(parcels, seed):
    found = len(draw_district(parcels, seed).lots)
    assert abs(found - parcels) <= 0.03 * parcels


@pytest.mark.parametrize("parcels", [0, 199, 2_000_001])
def test_a_size_out_of_range_is_refused(tmp_path, parcels):
    with pytest.raises(UsageError, match="--parcels"):
        write_district(tmp_path / "d", parcels=parcels)
    assert not (tmp_path / "d").exists()


def test_third_survey_covers_the_district_without_gap_or_overlap(district, features):
    root = controls.admin_areas(district.layout, district.places)["district"].geometry.iloc[0]
    assert features.is_valid.all()
    assert shapely.coverage_is_valid(features.geometry.to_numpy())
    assert features.area.sum() == pytest.approx(root.area, abs=0.01)
    assert shapely.coverage_union_all(features.geometry.to_numpy()).symmetric_difference(root).area < 1e-6


def test_towns_and_villages_tile_the_district(district):
    areas = controls.admin_areas(district.layout, district.places)
    root = areas["district"].area.sum()
    for level in ("town", "village"):
        assert shapely.coverage_is_valid(areas[level].geometry.to_numpy())
        assert areas[level].area.sum() == pytest.approx(root, abs=0.01)


def test_parcels_do_not_overlap_and_have_unique_codes(district):
    lots = district.lots
    assert shapely.is_valid(lots.shapes).all()
    assert shapely.coverage_is_valid(lots.shapes)
    assert len(set(lots.codes)) == len(lots)
    assert all(re.fullmatch(r"120113\d{6}(GB|JB)\d{5}", code) for code in lots.codes)


def test_settlement_marks_follow_the_survey_rules(features, district):
    codes = features["DLBM"].astype(str)
    mark = features["CZCSXM"].fillna("")
    must = codes.str.match(SETTLED)
    assert (mark[must] != "").all()
    assert not codes[mark.isin(["201", "202"])].eq("1006").any()
    assert not codes[mark == "203"].isin(["1001", "1002", "1006", "1101"]).any()
    assert codes[mark == "203A"].eq("0601").all()
    assert codes[mark == "205"].eq("09").all()
    settlements = settlements_2019(features, district.places)
    assert (shapely.get_num_interior_rings(settlements.geometry.to_numpy()) == 0).all()
    whole = settlements.union_all()
    assert features[must].union_all().difference(whole).area < 1e-6
    assert settlements["CZCDM"].str.len().eq(19).all()


def test_every_feature_has_a_village_and_a_positive_area(features):
    assert features["ZLDWDM"].str.fullmatch(r"120113\d{6}0{7}").all()
    assert (features["TBMJ"] > 0).all()
    planar = features.area
    assert (np.abs(features["TBMJ"] - planar) < 0.005 + planar * 2e-5).all()
    assert (features["TBMJ"] <= planar + 0.005).all()


def test_second_survey_is_coarser_drifted_and_a_coverage(district, features):
    old = polygons_2009(district.layout, district.places, district.old_classes, district.seed)
    lines = lines_2009(district.layout, district.old_classes, district.places, district.seed)
    assert old.is_valid.all()
    assert shapely.coverage_is_valid(old.geometry.to_numpy())
    assert len(old) < len(features) / 3
    new_area = features.area.sum()
    assert old.area.sum() == pytest.approx(new_area, rel=1e-3)
    assert old.area.sum() != pytest.approx(new_area, abs=0.01)
    assert {"102", "104", "117"} >= set(lines["DLBM"]) >= {"104"}
    assert (lines["KD"] > 0).all()
    outline = controls.admin_areas(district.layout, district.places)["district"].geometry.iloc[0]
    vertices = shapely.multipoints(shapely.get_coordinates(old.geometry.to_numpy()))
    moved = shapely.distance(shapely.points(shapely.get_coordinates(outline)), vertices)
    assert moved.min() > 1e-3, "a drifted survey shares no vertex with the outline"
    assert shapely.hausdorff_distance(old.union_all().boundary, outline.boundary) < 3


def test_the_reservoir_is_built_land_in_one_survey_only(district, features):
    old = polygons_2009(district.layout, district.places, district.old_classes, district.seed)
    water = old[old["DLBM"] == "113"].union_all()
    filled = features[(features["DLBM"] == "1202")]
    parts = filled.intersection(water).area / filled.area
    assert parts.max() > 0.9


def test_planted_parcels_cluster_in_space(district):
    lots = district.lots
    low = lots.kind != "none"
    tree = shapely.STRtree(shapely.points(lots.x, lots.y))
    pairs = tree.query(shapely.points(lots.x, lots.y), predicate="dwithin", distance=60.0)
    first, second = pairs[:, pairs[0] != pairs[1]]
    assert low[second[low[first]]].mean() > 1.6 * low.mean()


def test_planted_shares_are_near_the_target(district):
    shares = pd.Series(district.lots.kind).value_counts(normalize=True)
    for kind, share in {"legacy": 0.06, "industrial": 0.09, "town": 0.09, "village": 0.08}.items():
        assert shares[kind] == pytest.approx(share, abs=0.02), kind


def test_another_seed_plants_other_parcels(district):
    again = plant(district.lots, district.layout.zones, district.seed)
    other = plant(district.lots, district.layout.zones, district.seed + 1)
    assert (again.kind == district.lots.kind).all()
    assert (other.kind != district.lots.kind).any()


def test_credit_codes_have_valid_check_digits():
    codes = credit_codes(np.array([12345678, 10000000, 98765432, 55555555]))
    for code in codes:
        assert re.fullmatch(r"91120113[0-9X]{9}[0-9A-HJ-NP-RTUWXY]", code)
        total = sum(SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(code[:17]))
        assert SIGNS[(31 - total % 31) % 31] == code[17]
        body = sum(
            int(sign) * weight for sign, weight in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True)
        )
        assert "0123456789X0"[11 - body % 11] == code[16]
    assert len(set(codes)) == 4


SHAPES = [shapely.box(0, 0, 40, 25), shapely.Polygon([(0, 0), (9, 1), (20, 0), (30, 8), (31, 30), (2, 28)])]


@pytest.mark.parametrize("shape", SHAPES)
def test_faults_are_faults_and_change_little(shape):
    for fault in (bow_tie, self_touching):
        broken = fault(shape)
        repaired = shapely.make_valid(broken, method="structure", keep_collapsed=False)
        assert not broken.is_valid
        assert 0.4 * shape.area < repaired.area < 1.05 * shape.area


def test_spoiling_lists_every_record_and_leaves_the_rest(features):
    free = features["DLBM"].eq("0102").to_numpy()
    spoilt, records = spoil_layer("dltb3", features, key="BSM", code="DLBM", free=free, seed=1, share=0.01)
    faults = {key: fault for _, key, fault, _ in records}
    assert len(faults) == len(records)
    added = {key for key, fault in faults.items() if fault == "sliver"}
    changed = faults.keys() - added
    assert changed <= set(features.loc[free, "BSM"])
    assert set(spoilt["BSM"]) == set(features["BSM"]) | added
    assert spoilt["BSM"].is_unique
    assert spoilt.loc[spoilt["BSM"].isin(added)].area.max() < 0.4 * 61
    before, after = features.set_index("BSM"), spoilt.set_index("BSM")
    same = before.index.difference(sorted(changed))
    assert shapely.equals(before.geometry[same].to_numpy(), after.geometry[same].to_numpy()).all()
    assert (before["DLBM"][same] == after["DLBM"][same]).all()
    assert {fault for _, _, fault, _ in records} == {
        "bow_tie",
        "overlap",
        "unknown_code",
        "missing_value",
        "sliver",
    }


@pytest.mark.parametrize(
    ("keys", "new"),
    [
        ([3, 9, 4], [10, 11]),
        (["BC-000001", "BC-000007"], ["BC-000008", "BC-000009"]),
        (
            ["津政地〔2015〕9号（示例）", "津政地〔2010〕3号（示例）"],
            ["津政地〔2010〕10号（示例）", "津政地〔2010〕11号（示例）"],
        ),
    ],
)
def test_new_keys_continue_those_of_the_layer(keys, new):
    assert new_keys(pd.Series(keys), 2) == new


@pytest.mark.parametrize(("parcels", "seed"), [(300, 7), (600, 8), (600, 12), (1500, 10), (1500, 17)])
def test_no_feature_is_too_small_folded_or_narrow(parcels, seed):
    drawn = draw_district(parcels, seed)
    built = features_2019(drawn.layout, drawn.places)
    assert built.is_valid.all()
    wide = built[built["XZDWKD"].isna()]
    farmed = wide["DLBM"].astype(str).str.match(FARMED)
    assert wide.area.min() > 205
    assert wide[farmed].area.min() > 410
    strips = built[built["XZDWKD"].notna()]
    assert not strips.buffer(-0.5).is_empty.any()


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(514_000, 4_345_000, 514_080, 4_345_060),
        shapely.box(540_000, 4_345_000, 540_300, 4_345_200),
        shapely.box(508_000, 4_340_000, 521_000, 4_345_000)
        - shapely.box(512_000, 4_341_000, 513_000, 4_342_000),
    ],
)
def test_stated_areas_are_those_of_the_regulation(shape):
    shapes = np.array([shape])
    official = ellipsoidal_areas(shapes, GaussPlane(117.0, 500_000.0))
    assert ellipsoidal_area(shapes) == pytest.approx(official, abs=0.02, rel=5e-9)
    assert shapely.area(shapes) != pytest.approx(official, abs=0.02, rel=5e-9)


@pytest.mark.parametrize("seed", [2, 12])
def test_control_lines_do_not_overlap_each_other(seed):
    drawn = draw_district(1500, seed)
    built = features_2019(drawn.layout, drawn.places)
    lines = controls.red_lines(drawn.layout, drawn.lots)
    fields = controls.farmland(drawn.layout, drawn.lots, built, drawn.seed)
    for frame in (lines, fields):
        assert frame.area.sum() - frame.union_all().area == pytest.approx(0, abs=0.005)
    for frame, conflict in ((lines, "redline"), (fields, "farmland")):
        planted = drawn.lots.shapes[drawn.lots.subkind == conflict]
        assert len(planted) > 0
        assert shapely.area(shapely.difference(planted, frame.union_all())).max() < 0.01


def test_a_value_longer_than_its_field_is_refused(tmp_path):
    rows = pd.DataFrame({"MC": ["十个字节放不下这么多"]})
    with pytest.raises(UsageError, match="MC"):
        write_dbf(tmp_path / "a.dbf", rows, (Field("MC", "C", 10),), encoding="gbk", ldid=0)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents(folder: Path) -> dict[str, str]:
    """Return a digest of every file, of the content where the format stamps a time of its own."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix in {".gpkg", ".gdb"}:
            for layer, _ in pyogrio.list_layers(path):
                rows = gpd.read_file(path, layer=layer)
                text = rows.drop(columns="geometry").to_csv() + str(
                    shapely.to_wkb(rows.geometry.to_numpy(), hex=True).tolist()
                )
                found[f"{name}:{layer}"] = hashlib.sha256(text.encode()).hexdigest()
        elif path.is_file() and ".gdb" not in name:
            found[name] = digest(path)
    return found


def test_the_same_seed_gives_the_same_content_and_another_does_not(tmp_path):
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        write_district(tmp_path / name, parcels=220, seed=seed)
    one, two, three = (contents(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert len(one) > 30
    assert one["truth.csv"] != three["truth.csv"]
    assert one["incoming/不动产登记中心/宗地.shp"] != three["incoming/不动产登记中心/宗地.shp"]


def test_shares_of_spoilt_records_are_settable(tmp_path):
    many = SpoiltShares(duplicate=0.1, bow_tie=0.05)
    delivery = write_district(tmp_path, parcels=200, seed=1, spoilt=many)
    faults = pd.read_csv(delivery.spoilt, encoding="utf-8-sig")["fault"].value_counts()
    assert faults["duplicate"] == 20
    assert delivery.counts["parcel"] == 220
