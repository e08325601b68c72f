"""Code lists and sets of the standards, against lists written out by hand."""

from __future__ import annotations

import pytest

from lowland_gis.definitions.codes import code_names, code_sets, codes_of
from lowland_gis.errors import DefinitionError

# TD/T 1014-2007 with the three classes of the land law; hydraulic structures and rural roads as the law sees them.
CONSTRUCTION_2 = {"101", "102", "105", "106", "107", "113", "118", "201", "202", "203", "204", "205"}
# TD/T 1055-2019.
CONSTRUCTION_3 = {
    "05H1", "0508", "0601", "0602", "0603", "0701", "0702", "08H1", "08H2", "08H2A", "0809", "0810", "0810A", "09",
    "1001", "1002", "1003", "1004", "1005", "1007", "1008", "1009", "1109", "1201",
}  # fmt: skip
OPEN_2 = {"011", "012", "013", "021", "031", "043", "104", "111", "112", "114", "117", "122", "123", "127"}
OPEN_3 = {
    "0101",
    "0103",
    "0201",
    "0301",
    "0401",
    "0603A",
    "1006",
    "1101",
    "1104",
    "1107",
    "1202",
    "1206",
    "1207",
}


@pytest.mark.parametrize("table", ["landuse_er2009", "landuse_san2019", "ydyh_2023", "czcsxm_codes"])
def test_codes_are_text_with_a_name(table: str):
    names = code_names(table)
    assert len(names) > 3
    assert all(code and name and code == code.strip() for code, name in names.items())


def test_leading_zeros_stay():
    assert code_names("landuse_er2009")["011"] == "水田"
    assert code_names("landuse_san2019")["0601"] == "工业用地"


@pytest.mark.parametrize(
    ("name", "table", "construction", "other"),
    [("construction2", "landuse_er2009", CONSTRUCTION_2, OPEN_2),
     ("construction3", "landuse_san2019", CONSTRUCTION_3, OPEN_3 - {"0603A"})],
)  # fmt: skip
def test_construction_land(name: str, table: str, construction: set[str], other: set[str]):
    assert construction | other <= set(code_names(table))
    assert set(codes_of(name, sorted(construction | other))) == construction


@pytest.mark.parametrize(
    ("name", "present", "chosen"),
    [
        ("industrial3", ["0601", "0602", "06", "601"], ["0601"]),
        ("facility3", ["08H1", "0810A", "1005", "1004", "0701", "18"], ["08H1", "0810A", "1005"]),
        ("village3", ["0702", "0701"], ["0702"]),
        ("settlement_village", ["203", "203A", "201", "202A"], ["203", "203A"]),
        ("construction3", ["00", "01", "0602A", "", "0601"], ["0601"]),
        ("all", ["x", ""], ["x", ""]),
        ("industrial3", [], []),
    ],
)
def test_sets_choose_among_the_codes_that_are_there(name: str, present: list[str], chosen: list[str]):
    assert codes_of(name, present) == chosen


# Their codes are in no public list, so the set is an example.
WITHOUT_LIST = ("park_reduced", "renewal_rebuild")


@pytest.mark.parametrize("name", sorted(code_sets()))
def test_every_set_names_its_document_and_chooses_something(name: str):
    found = code_sets()[name]
    assert found.title
    assert found.document
    tables = ("landuse_er2009", "landuse_san2019", "ydyh_2023", "czcsxm_codes")
    assert any(codes_of(name, list(code_names(table))) for table in tables) or name in WITHOUT_LIST


def test_an_unknown_set_names_the_known_ones():
    with pytest.raises(DefinitionError, match=r"'constr'.*construction2"):
        codes_of("constr", [])
