"""Names of towns and zones: a code that stands several times does not go by one of its names."""

from lowland_gis.pipeline.base.land import names_by_code


def test_one_name_stands_as_it_is():
    assert names_by_code([("120113100", "天穆镇"), ("120113101", "北仓镇"), ("120113100", "天穆镇")]) == {
        "120113100": "天穆镇",
        "120113101": "北仓镇",
    }


def test_several_names_of_one_code_are_all_meant():
    assert names_by_code([("18", "甲"), ("18", "乙")]) == {"18": "甲/乙"}
    assert names_by_code([("18", "甲"), ("18", "乙"), ("18", "丙"), ("18", "丁")]) == {"18": "甲/乙等4个"}


def test_without_rows_there_are_no_names():
    assert names_by_code([]) == {}
