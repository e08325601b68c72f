"""Attribute checks: what each rule of the surveys finds, and what it leaves alone; and the shipped checks themselves."""

import numpy as np
import pandas as pd
import pytest

from lowland_gis.analysis.quality import attributes as checks
from lowland_gis.definitions.check import CheckDefinition, chosen_checks, law_classes, permitted
from lowland_gis.definitions.check import checks as shipped_checks
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.errors import DefinitionError, UsageError
from lowland_gis.sample.firms import credit_codes
from lowland_gis.settings import CheckSettings


def table(**columns):
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def rows(found):
    return found["row"].tolist()


def test_matches_exact_codes_prefixes_and_empty():
    codes = pd.Series(["0601", "06", "1004", None], dtype=object)
    assert checks.matches(codes, ["06*"]).tolist() == [True, True, False, False]
    assert checks.matches(codes, ["06", ""]).tolist() == [False, True, False, True]
    assert not checks.matches(codes, []).any()


def test_mandatory_takes_blanks_for_empty():
    assert rows(checks.mandatory(table(YT=["0601", None, " ", "0"]), "YT")) == [1, 2]


def test_domain_leaves_empty_to_mandatory_and_names_the_value():
    found = checks.domain(table(QSXZ=["10", "99", None]), "QSXZ", {"10", "30"})
    assert rows(found) == [1]
    assert found["detail"].tolist() == ["“99”"]


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("1201131000020000000", False),
        ("120113100002000000", True),
        ("12011310000200000A0", True),
        (None, False),
    ],
)
def test_unit_codes_have_19_digits(code, wrong):
    assert (len(checks.pattern(table(ZLDWDM=[code]), "ZLDWDM", r"\d{19}")) == 1) == wrong


def test_range_with_and_without_its_end():
    values = table(KCXS=["-0.1", "0", "0.5", "1", None, "many"])
    found = checks.in_range(values, "KCXS", minimum=0, below=1)
    assert sorted(zip(found["row"], found["limit"], strict=True)) == [(0, 0), (3, 1)]
    assert rows(checks.in_range(values, "KCXS", minimum=0, exclusive=True)) == [0, 1]


def test_unique_names_the_first_and_how_often():
    found = checks.unique(table(BSM=["1", "2", "1", None, None, "1"]), "BSM")
    assert list(zip(found["row"], found["other"], found["value"], strict=True)) == [(2, 0, 3), (5, 0, 3)]


def test_fields_that_belong_to_some_classes_only():
    values = table(DLBM=["0102", "0102", "0601", None, "0102"], GDPDJB=["1", "6", "1", "1", None])
    found = checks.only_on(
        values, "GDPDJB", values["DLBM"], classes=["01*"], permitted=["1", "2", "3", "4", "5"]
    )
    assert rows(found) == [1, 2]
    width = table(DLBM=["1003", "0601"], XZDWKD=["12.0", "4.0"])
    assert rows(checks.only_on(width, "XZDWKD", width["DLBM"], classes=["1003"])) == [1]


@pytest.mark.parametrize(
    ("settlement", "land", "wrong"),
    [
        ("201", "1006", True), ("201", "0701", False), ("202", "1006", True), ("201A", "0601", False),
        ("202A", "0602", True), ("203", "1101", True), ("203", "0702", False), ("204", "0602", False),
        ("204", "0601", True), ("205", "09", False), ("205", "0701", True), (None, "0601", True),
        (None, "05H1", True), (None, "1004", True), (None, "1003", False), (None, "0102", False),
        ("201", None, False), (None, None, False),
    ],
)  # fmt: skip
def test_settlement_code_against_land_class(settlement, land, wrong):
    rule = shipped_checks()["settlement_class"]
    values = table(CZCSXM=[settlement], DLBM=[land])
    found = [
        checks.combination(
            values, "CZCSXM", values["DLBM"], part.values, allowed=part.allowed, forbidden=part.forbidden
        )
        for part in rule.combination
    ]
    assert (sum(map(len, found)) > 0) == wrong


def test_net_areas_of_both_surveys():
    third = table(TBDLMJ=["90", "90", "100", None], TBMJ=["100"] * 4, KCMJ=["10", "9", None, "10"])
    found = checks.equation(third, ["TBDLMJ", "TBMJ", "KCMJ"], tolerance=0.015)
    assert rows(found) == [1]
    assert found["value"].tolist() == pytest.approx([1.0])
    second = table(TBDLMJ=["85.00"], TBMJ=["100"], XZDWMJ=["10"], LXDWMJ=["3"], TKMJ=["2"])
    assert checks.equation(second, list(second), tolerance=0.015).empty


def test_area_against_geometry_on_both_sides_or_above_only():
    values = table(TBMJ=["100", "100", "100", None])
    areas = np.array([100.9, 98.5, 101.5, 5.0])
    assert rows(checks.area(values, "TBMJ", areas, tolerance_m2=1)) == [1, 2]
    assert rows(checks.area(values, "TBMJ", areas, tolerance_m2=1, above_only=True)) == [2]


def test_floor_area_is_footprint_times_storeys():
    values = table(JZMJ=["300", "300", "300"], CS=["3", "2", "0"])
    found = checks.floor_area(values, "JZMJ", "CS", np.array([100.0] * 3), tolerance_share=0.02)
    assert rows(found) == [1]
    assert found["value"].tolist() == [0.5]


def test_credit_codes_are_those_of_the_standard():
    good = ["91350100M000100Y43", *credit_codes(np.array([10_000_000, 23_456_789]))]
    assert all(checks.is_credit_code(code) for code in good)
    values = table(TYSHXYDM=[*good, "91350100M000100Y44", "91350100M000100Y4", "91350100M0001O0Y43", None])
    assert rows(checks.credit_codes(values, "TYSHXYDM")) == [3, 4, 5]


def test_a_credit_code_may_end_in_0():
    ending = [code for code in credit_codes(np.arange(10_000_000, 10_000_200)) if code.endswith("0")]
    assert ending
    assert all(checks.is_credit_code(code) for code in ending)


def test_every_single_wrong_sign_of_a_credit_code_is_noticed():
    code = "91350100M000100Y43"
    for place in range(len(code)):
        for sign in checks.CREDIT_SIGNS:
            other = code[:place] + sign + code[place + 1 :]
            assert checks.is_credit_code(other) == (other == code)


def test_the_first_area_limit_that_names_a_class_holds():
    codes = pd.Series(["0601", "1202", "0102", "1106", "9999", None], dtype=object)
    limits = [(200.0, ["1202"], ["建设用地"]), (400.0, [], ["农用地"]), (600.0, [], ["未利用地"])]
    found = checks.area_limits(codes, law_classes("landuse_san2019"), limits)
    assert found.tolist()[:4] == [200, 200, 400, 600]
    assert np.isnan(found[4:]).all()


def test_partner_of_another_layer():
    assert rows(checks.partner(table(ZDDM=["a", "b", None]), "ZDDM", {"a"})) == [1]


@pytest.mark.parametrize("name", shipped_checks())
def test_a_shipped_check_reads_fields_that_its_layers_have(name):
    check = shipped_checks()[name]
    for key in check.layer_keys:
        known = {field.name for field in layer_definition(key).field}
        assert check.used_fields(key) <= known
    assert check.kind != "domain" or permitted(check)
    words = check.message.format(subject="X", value=1.5, limit=2.0, detail="d")
    assert words
    assert "{" not in words


def test_every_parameter_says_its_unit_and_source():
    for check in shipped_checks().values():
        assert check.source
        for parameter in check.parameter.values():
            assert parameter.unit
            assert parameter.source
            assert parameter.example or "not verified" not in parameter.source


def test_a_project_changes_severity_switch_and_limit():
    chosen = chosen_checks(
        {
            "sliver": CheckSettings(severity="warning", parameter={"min_area_m2": 20}),
            "short_edge": CheckSettings(enabled=False),
        }
    )
    assert chosen["sliver"].severity == "warning"
    assert chosen["sliver"].value("min_area_m2") == 20
    assert shipped_checks()["sliver"].value("min_area_m2") == 10
    assert "short_edge" not in chosen
    assert "short_edge" in shipped_checks()


def test_a_suite_holds_its_own_checks_only():
    suites = {check.suite for check in shipped_checks().values()}
    assert suites == {"topology", "attributes", "relations", "layers"}
    assert sum(len(chosen_checks({}, suite)) for suite in suites) == len(shipped_checks())
    with pytest.raises(UsageError, match="no suite 'x'"):
        chosen_checks({}, "x")


def test_settings_that_name_nothing_are_refused_together():
    with pytest.raises(DefinitionError, match=r"2 fault\(s\)") as caught:
        chosen_checks({"slivers": CheckSettings(), "sliver": CheckSettings(parameter={"min_m2": 1})})
    assert "slivers" in str(caught.value)
    assert "min_m2" in str(caught.value)


def test_a_check_without_what_its_kind_needs_is_refused():
    facts = {"suite": "s", "title": "t", "message": "m", "severity": "error", "source": "s"}
    with pytest.raises(ValueError, match="needs parameter.min_area_m2"):
        CheckDefinition(kind="overlap", layers=("dltb3",), **facts)
    with pytest.raises(ValueError, match="no kind"):
        CheckDefinition(kind="nonsense", layers=("dltb3",), **facts)
    with pytest.raises(ValueError, match="not known: dltb9"):
        CheckDefinition(kind="duplicate", layers=("dltb9",), **facts)


def test_a_deduction_is_its_share_of_the_area():
    values = table(
        KCMJ=["10.00", "10.02", None, None, "0", "abc"],
        KCXS=["0.1", "0.1", None, "0.1", None, "0.1"],
        TBMJ=["100", "100", "100", "100", "100", "100"],
    )
    found = checks.product(values, ["KCMJ", "KCXS", "TBMJ"], tolerance=0.015)
    assert rows(found) == [1, 3, 5]
    assert found["value"].round(2).tolist() == [0.02, 10, 10]
    assert found["detail"].tolist()[0] == "10.02, KCXS makes it 10.0"
    less = table(
        TKMJ=["8", "10"], TKXS=["0.1", "0.1"], TBMJ=["100", "100"], XZDWMJ=["20", None], LXDWMJ=[None, "20"]
    )
    assert rows(checks.product(less, ["TKMJ", "TKXS", "TBMJ", "XZDWMJ", "LXDWMJ"], tolerance=0.015)) == [1]


def test_numbers_are_unique_within_their_unit():
    values = table(TBBH=["1", "1", "1", None, None, "2"], ZLDWDM=["A", "B", "A", "A", "A", None])
    found = checks.unique_within(values, "TBBH", ["ZLDWDM"])
    assert rows(found) == [2]
    assert (found["other"].tolist(), found["value"].tolist(), found["detail"].tolist()) == (
        [0],
        [2.0],
        ["“1”"],
    )


def test_an_enterprise_counts_once_a_parcel_and_year():
    values = table(
        ZDDM=["a", "a", "a", "b", "a"],
        TYSHXYDM=["1", "1", "2", "1", "1"],
        NF=["2023", "2022", "2023", "2023", "2023"],
    )
    assert rows(checks.unique_within(values, "ZDDM", ["TYSHXYDM", "NF"])) == [4]


def test_days_that_go_backwards():
    values = table(
        HTQDRQ=["2020-01-01", "2020-01-01", None, "2020-01-01"],
        YDJDSJ=["2020-06-01", "2019-12-31", "2020-01-01", None],
        YDDGSJ=["9999-09-09", "2021-01-01", "2019-01-01", "2019-12-31"],
    )
    found = checks.date_order(values, list(values))
    assert list(zip(found["row"], found["subject"], strict=True)) == [
        (1, "YDJDSJ"),
        (3, "YDDGSJ"),
        (2, "YDDGSJ"),
    ]
    assert found["detail"].iloc[0] == "2019-12-31, before HTQDRQ 2020-01-01"


def test_the_annual_survey_goes_through_the_checks_of_the_third_one():
    for check in shipped_checks().values():
        assert ("dltb3" in check.layer_keys) == ("dltb_annual" in check.layer_keys)
        assert check.fields.get("dltb3") == check.fields.get("dltb_annual")


def test_a_unit_begins_with_a_known_town():
    values = table(ZLDWDM=["1201131000020000000", "1201139990020000000", "12", None])
    assert rows(checks.begins(values, "ZLDWDM", {"120113100"}, digits=9)) == [1]


REFINED = [
    ("refinement_class", "TBXHDM", "HDGD", "0101", True),
    ("refinement_class", "TBXHDM", "HDGD", "0601", False),
    ("refinement_class", "TBXHDM", "GTGY", "0601", True),
    ("refinement_class", "TBXHDM", "GTGY", "0602", False),
    ("refinement_class", "TBXHDM", "LQYD", "0201", True),
    ("refinement_class", "TBXHDM", "GCCD", "0101", False),
    ("refinement_class", "TBXHDM", "FQ", "0602", True),
    ("refinement_class", "TBXHDM", "FQ", "0101", False),
    ("planting_class", "ZZSXDM", "LS", "0103", True),
    ("planting_class", "ZZSXDM", "LS", "0301", False),
    ("planting_class", "ZZSXDM", "JKHF", "0301", True),
    ("restoration_class", "ZZSXDM", "JKHF", "0301", True),
    ("restoration_class", "ZZSXDM", "GCHF", "0103", False),
]


@pytest.mark.parametrize(("name", "field", "value", "code", "right"), REFINED)
def test_refinements_and_planting_go_with_their_classes(name, field, value, code, right):
    values = table(DLBM=[code], **{field: [value]})
    rules = {
        word: rule for rule in shipped_checks()[name].combination for word in rule.model_dump()["values"]
    }
    rule = rules.get(value)
    found = (
        []
        if rule is None
        else rows(
            checks.combination(
                values, field, values["DLBM"], [value], allowed=rule.allowed, forbidden=rule.forbidden
            )
        )
    )
    assert (found == []) == right


def test_every_refinement_and_planting_code_has_its_classes():
    for names, codes in (
        (("refinement_class",), "code_refinement"),
        (("planting_class", "restoration_class"), "code_planting"),
    ):
        rules = [rule for name in names for rule in shipped_checks()[name].combination]
        named = {value for rule in rules for value in rule.model_dump()["values"]}
        assert named == permitted(shipped_checks()[codes])
