"""Values of a delivered layer, one by one: what is a fault of each kind of field, and what the values mean."""

import datetime as dt

import pytest

from lowland_gis.definitions.package import Code, FieldDefinition, LayerDefinition
from lowland_gis.products.judging.fields import _other_name
from lowland_gis.products.judging.values import cleaned, value_faults
from lowland_gis.products.package.layers import PackageNames

NAMES = PackageNames("020113", "北辰区", 2024)


def field(kind, **more):
    return FieldDefinition(name="X", type=kind, title="x", **{"empty": True, "length": 8, **more})


def rule(value, kind, **more):
    """The rule that a value breaks in a field, and what is expected of it."""
    one = field(kind, **more)
    layer = LayerDefinition(
        name="L", title="l", geometry="none", folder="f", key="X", unique=False, fields=(one,)
    )
    found = list(value_faults({"X": [value]}, layer, NAMES))
    return found[0][2:] if found else None


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("甲乙丙丁", None), ("甲乙丙丁戊", ("value_long", "8")), (None, None), ("", None), ("１２", None),
        ("6.01E+02", ("code_as_number", "the digits themselves")), (601.0, None), ("a\u200bb", ("value_letters", "GBK")),
        ("é", None), ("😀", ("value_letters", "GBK")), ("=1+1", None),
    ],
)  # fmt: skip
def test_texts(value, wanted):
    assert rule(value, "C") == wanted


def test_codes_and_fixed_texts():
    codes = (Code(value="a", code="0601", title="工业"), Code(value="b", code="07", title="住宅"))
    assert rule("0601", "C", codes=codes) is None
    assert (
        rule("601", "C", codes=codes)
        == rule(601, "C", codes=codes)
        == rule(601.0, "C", codes=codes)
        == ("zeros_lost", "0601")
    )
    assert rule("08", "C", codes=codes) == ("code_unknown", "0601, 07")
    assert rule("06010", "C", codes=codes)[0] == "code_unknown"
    assert rule(None, "C", required=True) == ("value_missing", "")
    assert rule("020113", "C", empty=False, text="{district_code}") is None
    assert rule(20113, "C", empty=False, text="{district_code}") == ("value_other", "020113")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (12.25, None), ("12.25", None), (12.255, ("decimals", "12.26")), (99999.99, None), (999999.5, ("value_long", "8.2")),
        ("约三亩", ("not_a_number", "a number")), (float("inf"), ("not_a_number", "a number")), (float("nan"), None), (0, None),
    ],
)  # fmt: skip
def test_numbers(value, wanted):
    found = rule(value, "N", decimals=2)
    assert found == wanted or (wanted is not None and wanted[0] == "decimals" == found[0])


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (dt.date(2024, 5, 1), None), ("20240501", None), ("2024-05-01", None), ("2024-05-01T00:00:00Z", None), ("2024/5/1", None),
        ("00000000", None), (45413, ("date_as_number", "YYYYMMDD")), ("20241301", ("not_a_date", "YYYYMMDD")),
        ("五月", ("not_a_date", "YYYYMMDD")), ("2024-05-01T08:30:00Z", ("not_a_date", "YYYYMMDD")),
    ],
)  # fmt: skip
def test_days(value, wanted):
    assert rule(value, "D") == wanted


def test_values_are_what_their_field_means():
    assert cleaned(["2024-05-01T00:00:00Z", "20240501", "x", None], field("D")) == [
        dt.date(2024, 5, 1)
    ] * 2 + [None, None]
    assert cleaned([601, 601.0, "0601", ""], field("C")) == ["601", "601", "0601", None]
    assert cleaned(["12.50", 3, float("nan"), "x"], field("N", decimals=2)) == [12.5, 3.0, None, None]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("ZKFSSDYBHD", True), ("zkfssdybhdm", True), ("ZKFSSDYB_1", True), ("实施单元编号", True), ("实施单元编", True), ("ZKFSSDYBHDM_1", True),
        ("ZKF", False), ("DYBH", False), ("", False),
    ],
)  # fmt: skip
def test_a_field_is_found_under_what_programs_make_of_its_name(given, found):
    one = FieldDefinition(name="ZKFSSDYBHDM", short="ZKFSSDYBHD", type="C", title="实施单元编号", empty=True)
    assert _other_name(one, "ZKFSSDYBHDM", ["XZQDM", given]) == (given if found else None)
