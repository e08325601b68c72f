"""What a bureau's files are taken for: layer, plane, district, day and part, from what inspect says of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from lowland_gis.analysis.fields.recognise import Column, recognise
from lowland_gis.definitions.layer import layer_definition, layer_keys
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.pipeline.intake import proposal
from lowland_gis.pipeline.intake.bureau_folder import Seen
from lowland_gis.pipeline.intake.inspect import Options
from lowland_gis.pipeline.intake.inspection import Inspection

TODAY = dt.date(2024, 6, 1)
METRES = (500_000.0, 4_348_000.0, 501_000.0, 4_349_000.0)
PLANE = "EPSG:4548"


def seen(
    shown, *columns, codes=(), crs=PLANE, extent=METRES, n_rows=10, districts=None, names=None, layer=None
):
    """A polygon layer, or a table where it has no extent."""
    profile = tuple(
        column if isinstance(column, Column) else Column(column, "text", 5, n_rows) for column in columns
    )
    layers = [layer_definition(key) for key in layer_keys()]
    kind = "table" if extent is None else "polygon"
    found = Inspection(
        shown, layer, "GPKG", 1, "0", n_rows=n_rows, used_crs=crs, extent=extent, columns=profile
    )
    found.geometry = None if extent is None else {"kinds": {"Polygon": n_rows}}
    lists = {field.codes: dict.fromkeys(codes, "") for one in layers for field in one.field if field.codes}
    found.fits = tuple(recognise(profile, layers, kind, lists, name=shown))
    found.chosen = found.fits[0].key if found.fits else None
    of_several = layer is not None
    return Seen(shown, shown, found, Options(PLANE), of_several, Counter(districts or {}), names or {})


@pytest.mark.parametrize(("length", "key"), [(6, "district"), (9, "town"), (12, "village")])
def test_boundaries_of_like_fields_are_told_apart_by_the_length_of_their_codes(length, key):
    one = seen("a.shp", Column("XZQDM", "text", length, 5), "XZQMC")
    choice = proposal.chosen(one.found)
    assert (choice.key, choice.doubt) == (key, None)


def test_what_only_a_name_decides_is_a_doubt_with_the_runner_up():
    dltb = [field.name for field in layer_definition("dltb3").field]
    choice = proposal.chosen(seen("图.gdb", *dltb).found)
    assert {choice.key, choice.runner_up} == {"dltb3", "dltb_annual"}
    assert "fit" in choice.doubt
    others = [name for name in dltb if name != "SJNF"]
    year = Column("SJNF", "integer", 4, 5, codes=frozenset({"2019"}))
    choice = proposal.chosen(seen("图.gdb", *others, year).found)
    assert (choice.key, choice.doubt) == ("dltb3", None)


@pytest.mark.parametrize(
    ("shown", "layer", "key"),
    [
        ("parcels_2023.gpkg", None, "parcel"),
        ("宗地.shp", None, "parcel"),
        ("Towns.shp", None, "town"),
        ("village.gpkg", "parcels", "parcel"),
        ("village.gpkg", "zoning", None),
        ("plan_parcel.shp", None, "plan_parcel"),
        ("公告.shp", None, None),
    ],
)
def test_a_file_of_unknown_fields_goes_by_its_name_and_a_layer_among_several_by_its_own(shown, layer, key):
    choice = proposal.by_name(seen(shown, "A", "B", layer=layer))
    assert (choice and choice.key) == key
    assert choice is None or choice.doubt


def test_a_name_whose_geometry_is_another_ones_is_not_taken():
    assert proposal.by_name(seen("parcels.xlsx", "A", extent=None)) is None
    assert proposal.by_name(seen("enterprises.xlsx", "A", extent=None)).key == "enterprise"


def test_the_plane_is_that_of_the_parcels_then_that_of_most_files():
    parcels = seen("宗地.shp", *[field.name for field in layer_definition("parcel").field], crs="EPSG:4549")
    others = [seen(f"{n}.shp", "A", crs="EPSG:4548") for n in range(3)]
    plane, note = proposal.plane_of([*others, parcels], "来件", None)
    assert plane == "EPSG:4549"
    assert "EPSG:4548" in note
    assert proposal.plane_of(others, "来件", None) == ("EPSG:4548", None)
    assert proposal.plane_of(others, "来件", "EPSG:4527") == ("EPSG:4527", None)


def test_degrees_get_their_belt_and_what_has_no_plane_is_refused_with_what_to_type():
    degrees = seen("a.shp", "A", crs="EPSG:4490", extent=(116.8, 39.1, 117.3, 39.3))
    assert proposal.plane_of([degrees], "来件", None)[0] == "EPSG:4548"
    edge = seen("a.shp", "A", crs="EPSG:4490", extent=(118.2, 39.1, 118.8, 39.3))
    for one in (edge, seen("a.shp", "A", crs=None), seen("a.shp", "A", crs="EPSG:2154")):
        with pytest.raises(UsageError, match="来件: .*--crs"):
            proposal.plane_of([one], "来件", None)


def test_files_of_two_districts_are_refused_in_one_sentence_that_says_which():
    some = [
        seen("甲/宗地.shp", "A", districts={"120113": 90, "120114": 2}),
        seen("乙/宗地.shp", "A", districts={"120114": 50}),
        seen("区.shp", "XZQDM", "XZQMC", districts={"120113": 1}, names={"120113": "北辰区"}),
    ]
    with pytest.raises(InputRefusedError) as refused:
        proposal.district_of(some, "来件", None)
    said = str(refused.value)
    assert "120113 北辰区: 区.shp, 甲/宗地.shp; 120114: 乙/宗地.shp" in said
    assert "--code 120113" in said
    found = proposal.district_of(some, "来件", "120114")
    assert (found.code, dict(found.left_out)) == ("120114", {"区.shp": "120113", "甲/宗地.shp": "120113"})


def test_a_map_of_several_districts_names_the_one_of_the_parcels():
    area = seen("市.shp", Column("XZQDM", "text", 6, 3), "XZQMC", districts={"120113": 1, "120114": 1})
    area.names.update({"120113": "北辰区", "120114": "武清区"})
    parcels = seen("宗地.shp", "A", districts={"120114": 80, "120113": 20})
    found = proposal.district_of([area, parcels], "来件", None)
    assert (found.code, found.name, dict(found.left_out)) == ("120114", "武清区", {})
    assert any("20 of 100 codes begin with 120113" in doubt for doubt in found.doubts)
    assert proposal.district_of([seen("a.shp", "A")], "来件", None).code is None


@pytest.mark.parametrize(
    ("shown", "day"),
    [
        ("企业2023.xlsx", dt.date(2023, 12, 31)),
        ("2022年移交/宗地.shp", dt.date(2022, 12, 31)),
        ("2022/宗地20230615.shp", dt.date(2023, 6, 15)),
        ("宗地2023年06月15日.shp", dt.date(2023, 6, 15)),
        ("宗地2024.shp", TODAY),
        ("宗地20231345.shp", None),
        ("宗地.shp", None),
        ("EPSG4548 宗地 120113.shp", None),
    ],
)
def test_a_day_is_found_in_the_name_of_a_file_or_its_folder(shown, day):
    assert proposal.day_of(seen(shown, "A"), TODAY)[0] == day


def test_editions_lie_over_each_other_and_parts_beside():
    west, south, east, north = METRES
    one = seen("a.shp", "A").found
    assert proposal.same_land(one, seen("b.shp", "A", extent=(west, south, east, north - 100)).found, PLANE)
    assert not proposal.same_land(
        one, seen("b.shp", "A", extent=(east, south, east + 900, north)).found, PLANE
    )
    degrees = seen("b.shp", "A", crs="EPSG:4490", extent=(117.0, 39.26, 117.01, 39.28)).found
    assert proposal.same_land(one, degrees, PLANE)
    assert not proposal.same_land(one, seen("b.xlsx", "A", extent=None).found, PLANE)
    assert not proposal.same_land(one, seen("b.shp", "A", crs="a plane of the bureau's own").found, PLANE)


def test_parts_get_the_shortest_names_that_tell_them_apart():
    assert proposal.part_names(["税务局/企业2021.xlsx", "税务局/企业2022.xlsx"]) == ["企业2021", "企业2022"]
    assert proposal.part_names(["东/宗地.shp", "西/宗地.shp"]) == ["东 宗地.shp", "西 宗地.shp"]
