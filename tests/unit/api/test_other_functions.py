"""The other functions of the API against the pure functions behind them, and what they refuse."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from lowland_gis import (
    DefinitionError,
    InputRefusedError,
    LowlandWarning,
    UsageError,
    area,
    check,
    classify,
    draft_units,
    facing_neighbours,
    read_delivery,
)
from lowland_gis.analysis.geometry.geodesy import GaussPlane, ellipsoidal_areas
from made_files import box, write_parcels

PLANE = GaussPlane(117.0, 500_000.0)
CODES = [f"120113001001GB{number:05}" for number in range(4)]


def lots(*places: float, crs: int | None = 4548) -> gpd.GeoDataFrame:
    """Squares of a hectare in a row, with codes."""
    shapes = [box(place, 0) for place in places]
    return gpd.GeoDataFrame({"ZDDM": CODES[: len(shapes)]}, geometry=shapes, crs=crs)


def test_area_is_that_of_the_survey_formula_and_keeps_the_index(tmp_path):
    frame = lots(0, 300).set_index("ZDDM")
    expected = ellipsoidal_areas(frame.geometry.to_numpy(), PLANE).tolist()
    assert area(frame).to_dict() == dict(zip(CODES, expected, strict=False))
    frame.to_file(tmp_path / "lots.gpkg")
    assert area(tmp_path / "lots.gpkg").tolist() == expected
    assert area(frame.geometry.iloc[0], src_crs="EPSG:4548") == expected[0]


def test_area_of_what_is_invalid_missing_or_empty():
    bowtie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    shapes = [shapely.transform(bowtie, lambda xy: xy + [515_000, 4_345_000]), None, shapely.Polygon()]
    with pytest.warns(LowlandWarning) as told:
        found = area(gpd.GeoSeries(shapes, crs=4548))
    # The two halves of the bow tie, not their difference.
    assert found.iloc[0] == pytest.approx(5000, rel=1e-3)
    assert found.isna().tolist() == [False, True, True]
    assert len(told) == 3


@pytest.mark.parametrize(
    ("crs", "words"),
    [(None, "the coordinate system is unknown"), (4490, "in degrees"), (3857, "is not a Gauss-Krüger plane"), (2384, "is not CGCS2000")],
)  # fmt: skip
def test_area_needs_a_plane_of_the_surveys(crs, words):
    with warnings.catch_warnings(), pytest.raises(InputRefusedError, match=words):
        warnings.simplefilter("ignore", LowlandWarning)
        area(lots(0, crs=4548).to_crs(crs) if crs else lots(0, crs=None))


def test_neighbours_are_named_and_the_gap_counts():
    frame = lots(0, 104, 300)
    found = facing_neighbours(frame, id="ZDDM", gap=5)
    assert found.to_numpy().tolist() == [[CODES[0], CODES[1], 100, 4]]
    assert facing_neighbours(frame, gap=3).empty
    with pytest.raises(InputRefusedError, match="there is no field 'nix'"):
        facing_neighbours(frame, id="nix")
    with pytest.raises(InputRefusedError, match="stand for several parcels"):
        facing_neighbours(frame.assign(ZDDM="a"), id="ZDDM")


def test_a_delivery_is_read_as_ingest_reads_it(tmp_path):
    path = write_parcels(
        tmp_path / "parcels.shp", {CODES[0]: box(0, 0), CODES[1]: box(200, 0)}, TDYT=["工业", "工业"]
    )
    delivery = read_delivery(path, "parcel")
    assert delivery.n_read == 2
    assert delivery.records["ZDDM"].tolist() == CODES[:2]
    assert delivery.records["ZL"].tolist() == ["北辰区示例路"] * 2
    assert delivery.records["area_m2"].tolist() == area(delivery.records).tolist()
    assert delivery.records.crs.to_epsg() == 4548


def test_records_that_are_set_aside_are_issues(tmp_path):
    frame = pd.concat([lots(0, 200), lots(400)], ignore_index=True)
    frame.loc[1, "geometry"] = None
    delivery = read_delivery(frame, "parcel")
    assert delivery.n_read == 3
    assert delivery.records.index.tolist() == [0]
    rejected = delivery.issues[delivery.issues["action"] == "rejected"]
    assert rejected[["row_no", "rule"]].to_numpy().tolist() == [
        [1, "geometry_missing"], [2, "parcel_id_duplicate"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "layer", "error", "words"),
    [
        (lots(0), "parcels", UsageError, "parcel"),
        (lots(0).drop(columns="ZDDM"), "parcel", InputRefusedError, "fields are"),
        (pd.DataFrame({"ZDDM": CODES}), "parcel", InputRefusedError, "it holds no geometries"),
        (lots(0, crs=None), "parcel", InputRefusedError, "the coordinate system is unknown"),
        (lots(0)[:0], "parcel", InputRefusedError, "it has no rows"),
    ],
)
def test_what_is_no_such_layer_is_refused(frame, layer, error, words):
    with pytest.raises(error, match=words):
        read_delivery(frame, layer)


def test_checks_find_what_the_command_finds_and_need_the_other_layer():
    frame = lots(0, 50)
    found = check(frame, "parcel", suite="topology")
    assert found[["rule", "value", "severity"]].to_numpy().tolist() == [["overlap", 5000, "error"]]
    assert found["keys"].tolist() == [CODES[:2]]
    assert found.geometry.iloc[0].area == pytest.approx(5000)
    towns = gpd.GeoDataFrame(
        {"XZQDM": ["120113100", "120113101"], "XZQMC": ["甲", "乙"]},
        geometry=[box(-100, -100, 125, 300), box(25, -100, 300, 300)],
        crs=4548,
    )
    alone, held = check(frame, "parcel"), check(frame, "parcel", others={"town": towns})
    assert set(held["rule"]) - set(alone["rule"]) == {"parcel_astride"}
    with pytest.raises(UsageError, match="There is no suite 'nix'"):
        check(frame, "parcel", suite="nix")


MEASURES = pd.DataFrame(
    {"registered": [1, 1], "industrial3_share": [0.9, 0.2], "tax_per_mu": [1.0, 1.0], "output_per_mu": [10, 10.0],
     "paper_exempt": [0, 0]},
    index=["A", "B"],
)  # fmt: skip


def test_a_pack_decides_over_measures_and_an_unknown_one_leaves_it_open():
    found = classify(MEASURES, "example_beichen")
    kind = found[found["question"] == "kind"].set_index("parcel_id")
    assert kind.loc["A", ["answer", "settled"]].tolist() == ["industrial", True]
    assert kind.loc["B", "answer"] == "open"
    named = classify(MEASURES.reset_index(names="code"), "example_beichen", id="code")
    pd.testing.assert_frame_equal(named, found)


def test_a_slip_in_a_name_is_told_with_the_nearest():
    with pytest.warns(
        LowlandWarning, match="tax_per_m says nothing|tax_per_m is no measure.*Did you mean tax_per_mu"
    ):
        classify(MEASURES.rename(columns={"tax_per_mu": "tax_per_m"}), "example_beichen")


@pytest.mark.parametrize(
    ("frame", "options", "error", "words"),
    [
        (MEASURES, {"pack": "example_beichn"}, DefinitionError, "Did you mean 'example_beichen'"),
        (MEASURES, {"id": "nix"}, InputRefusedError, "there is no field 'nix'"),
        (
            MEASURES.set_index([["A", "A"]]),
            {},
            InputRefusedError,
            "1 values of the index stand for several parcels",
        ),
        (MEASURES.assign(tax_per_mu="viel"), {}, InputRefusedError, "holds something else than numbers"),
    ],
)
def test_measures_that_cannot_be_judged_are_refused(frame, options, error, words):
    with pytest.raises(error, match=words):
        classify(frame, **({"pack": "example_beichen"} | options))


def ground(**columns: list[object]) -> gpd.GeoDataFrame:
    frame = lots(0, 104, 600)
    return frame.assign(low_m2=[10_000.0, 10_000.0, 0.0], **columns)


def test_units_are_drawn_and_a_barrier_keeps_them_apart():
    free = draft_units(ground(), id="ZDDM", settings={"min_ha": 1.5})
    assert len(free.units) == 1
    assert free.members["unit_id"].notna().tolist() == [True, True, False]
    road = gpd.GeoSeries([shapely.LineString([(515_102, 4_344_000), (515_102, 4_346_000)])], crs=4548)
    cut = draft_units(ground(), id="ZDDM", barriers=road, settings={"min_ha": 1.5})
    assert cut.units.empty
    assert cut.members["reason"].notna().all()


def test_towns_keep_units_apart_as_well():
    towns = gpd.GeoDataFrame(
        {"town_code": ["1", "2"]},
        geometry=[shapely.box(514_000, 4_344_000, 515_102, 4_346_000), shapely.box(515_102, 4_344_000, 517_000, 4_346_000)],
        crs=4548,
    )  # fmt: skip
    assert draft_units(ground(), id="ZDDM", towns=towns, settings={"min_ha": 1.5}).units.empty
    apart = draft_units(ground(), id="ZDDM", towns=towns, settings={"min_ha": 0.5}).units
    assert sorted(apart["town_code"]) == ["1", "2"]


@pytest.mark.parametrize(
    ("frame", "options", "error", "words"),
    [
        (ground().drop(columns="low_m2"), {}, InputRefusedError, "there is no field 'low_m2'"),
        (ground(), {"id": "parcel_id"}, InputRefusedError, "there is no field 'parcel_id'"),
        (ground().assign(ZDDM="a"), {}, InputRefusedError, "stand for several parcels"),
        (ground().assign(low_m2="viel"), {}, InputRefusedError, "something else than numbers"),
        (ground().set_crs(None, allow_override=True), {}, InputRefusedError, "the coordinate system is unknown"),
        (ground().set_geometry([box(0, 0), None, box(300, 0)], crs=4548), {}, InputRefusedError, "without a shape or an area"),
        (ground(), {"settings": {"min_hectares": 3}}, UsageError, "min_hectares"),
        (ground(), {"barriers": lots(0).to_crs(4490)}, InputRefusedError, "Bring both to one plane"),
        (ground(reason=["r", "r", "r"]), {}, InputRefusedError, "None of the 3 parcels may be in a unit"),
    ],
)  # fmt: skip
def test_ground_that_cannot_be_drawn_on_is_refused(frame, options, error, words):
    with warnings.catch_warnings(), pytest.raises(error, match=words):
        warnings.simplefilter("ignore", LowlandWarning)
        draft_units(frame, **({"id": "ZDDM"} | options))


def test_areas_of_units_are_those_of_the_survey_where_none_are_given():
    drawn = draft_units(ground(), id="ZDDM", settings={"min_ha": 1.5})
    expected = area(ground())[:2].sum()
    assert drawn.units["area_m2"].tolist() == pytest.approx([expected])
    given = draft_units(
        ground(area_m2=np.full(3, 20_000.0)), id="ZDDM", settings={"min_ha": 1.5, "min_low_share": 0.4}
    )
    assert given.units["area_m2"].tolist() == [40_000]
