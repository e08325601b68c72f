"""Columns under their standard names and kinds, and every value that does not fit."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lowland_gis.analysis.fields import attributes
from lowland_gis.analysis.fields.attributes import arrow_table
from lowland_gis.analysis.fields.json_rows import json_records


@dataclass(frozen=True)
class Field:
    name: str
    type: str = "text"
    title: str = "标题"
    required: bool = False
    codes: str | None = None
    synonyms: tuple[str, ...] = ()
    unit: str | None = None
    code: bool = False
    digits: int | None = None


LISTS = {"landuse": {"0601": "工业用地", "0702": "农村宅基地"}}


@dataclass(frozen=True)
class Standardised:
    """A result as the tests look at it: rows as Python objects."""

    rows: pd.DataFrame
    faults: pd.DataFrame
    missing: tuple[str, ...]


def standardise(frame: pd.DataFrame, fields: Any, lists: Any) -> Standardised:
    done = attributes.standardise(arrow_table(frame), fields, lists)
    rows = pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in done.rows.to_pydict().items()}
    )
    return Standardised(rows, done.faults, done.missing)


def records(rows: pd.DataFrame) -> list[Any]:
    return [json.loads(text) for text in json_records(arrow_table(rows)).to_pylist()]


def one(value: Any, kind: str) -> Any:
    """Return what becomes of one value; a fault raises."""
    standard = standardise(pd.DataFrame({"F": pd.Series([value], dtype=object)}), [Field("F", kind)], LISTS)
    assert standard.faults.empty, standard.faults["message"].tolist()
    return standard.rows["F"].tolist()[0]


def given(columns: dict[str, list[Any]], *fields: Field) -> Standardised:
    return standardise(pd.DataFrame(columns), fields, LISTS)


@pytest.mark.parametrize("value", ["2020-02-29", "2020/2/29", "2020.02.29", "20200229", "2020年2月29日", " 2020-02-29 ",
                                   "2020-02-29T00:00:00", "2020-02-29 00:00:00.000", dt.date(2020, 2, 29),
                                   dt.datetime(2020, 2, 29, 13, tzinfo=dt.UTC), pd.Timestamp("2020-02-29"),
                                   np.datetime64("2020-02-29")])  # fmt: skip
def test_dates_become_iso_text(value: Any):
    assert one(value, "date") == "2020-02-29"


@pytest.mark.parametrize("value", ["2021-02-29", "2020-13-01", "2020-12", "202012", "202011", "2020111", "2020-1112",
                                   "2020年5月", "43890", "5", "二〇二〇年二月", "20200229x"])  # fmt: skip
def test_what_is_no_whole_day_is_a_fault_and_not_guessed(value: str):
    standard = given({"F": [value]}, Field("F", "date"))
    assert standard.rows["F"].tolist() == [None]
    assert standard.faults["rule"].tolist() == ["value_unreadable"]
    assert value in standard.faults["message"][0]


def test_the_distant_end_of_protection_is_a_date():
    assert one("9999-09-09", "date") == "9999-09-09"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (601.0, "601"),
        (np.float32(601), "601"),
        (np.int64(601), "601"),
        (0.5, "0.5"),
        ("  0601 ", "0601"),
        ("", None),
        ("   ", None),
        (None, None),
        (float("nan"), None),
        (np.float32("nan"), None),
        (pd.NA, None),
        (pd.NaT, None),
    ],
)
def test_text(value: Any, text: str | None):
    assert one(value, "text") == text


@pytest.mark.parametrize(
    ("value", "number"), [("12.50", 12.5), (" 3 ", 3.0), (7, 7.0), (np.float32("nan"), None), (pd.NA, None)]
)
def test_numbers(value: Any, number: float | None):
    assert one(value, "number") == number


@pytest.mark.parametrize(("value", "kind"), [("12,5", "number"), ("inf", "number"), ("nan", "number"), ("三", "number"),
                                             (1.5, "integer"), ("a", "integer")])  # fmt: skip
def test_what_is_no_number_is_a_fault(value: Any, kind: str):
    standard = given({"F": [value]}, Field("F", kind))
    assert standard.rows["F"].tolist() == [None]
    assert standard.faults["rule"].tolist() == ["value_unreadable"]


def test_a_code_that_became_a_number_and_lost_digits_is_a_fault():
    codes = [1.201131000010001e18, 2.0**53 - 1, None]
    standard = given({"F": codes}, Field("F"))
    assert standard.faults[["row_no", "rule"]].to_numpy().tolist() == [[0, "digits_lost"]]
    assert "1.201131000010001e+18 came as a number" in standard.faults["message"][0]
    assert standard.rows["F"].tolist() == [None, "9007199254740991", None]
    assert standard.rows["F"].tolist()[1:] == ["9007199254740991", None]
    assert given({"F": codes}, Field("F", "number")).faults.empty


def test_an_integer_is_an_int():
    value = one("2023.0", "integer")
    assert value == 2023
    assert isinstance(value, int)


def test_fields_are_found_by_name_then_by_synonym_without_regard_to_case():
    fields = (Field("ZDDM", synonyms=("宗地代码",)), Field("NF", "integer", synonyms=("年份", "year")))
    standard = given({"宗地代码": ["P1"], "YEAR": ["2023"], "other": [1]}, *fields)
    assert standard.rows.to_dict("list") == {"ZDDM": ["P1"], "NF": [2023], "other": [1]}
    assert standard.missing == ()


def test_the_name_wins_over_a_synonym():
    standard = given({"宗地代码": ["old"], "ZDDM": ["P1"]}, Field("ZDDM", synonyms=("宗地代码",)))
    assert standard.rows.to_dict("list") == {"宗地代码": ["old"], "ZDDM": ["P1"]}


@pytest.mark.parametrize("columns", [{"zddm": ["low"], "ZDDM": ["P1"]}, {"ZDDM": ["P1"], "zddm": ["low"]}])
def test_two_columns_that_differ_in_case_only(columns: dict[str, list[str]]):
    rows = given(columns, Field("ZDDM")).rows
    assert rows["ZDDM"].tolist() == ["P1"]
    assert rows["zddm"].tolist() == ["low"]


def test_a_name_that_another_column_takes_is_numbered():
    fields = (Field("DLBM", synonyms=("code",)),)
    rows = given({"Code": ["0601"], "dlbm": ["0702"], "DLBM_2": ["x"]}, *fields).rows
    assert sorted(rows.columns) == ["Code", "DLBM", "DLBM_2"]
    assert rows["DLBM"].tolist() == ["0702"]


def test_required_fields_that_are_absent_are_listed():
    assert given({"A": [1]}, Field("ZDDM", title="宗地代码", required=True)).missing == ("ZDDM 宗地代码",)


def test_an_empty_required_value_and_an_unknown_code_are_faults_with_their_row():
    field = Field("DLBM", required=True, codes="landuse")
    standard = given({"DLBM": ["0601", "", "9999", None]}, field)
    assert standard.faults[["row_no", "rule"]].to_numpy().tolist() == [
        [1, "value_missing"], [3, "value_missing"], [2, "code_unknown"]
    ]  # fmt: skip
    assert standard.rows["DLBM"].tolist() == ["0601", None, "9999", None]


def test_an_unreadable_required_value_is_one_fault():
    assert given({"F": ["x"]}, Field("F", "number", required=True)).faults["rule"].tolist() == [
        "value_unreadable"
    ]


def test_an_empty_delivery():
    standard = given({"DLBM": []}, Field("DLBM", required=True, codes="landuse"))
    assert standard.rows.empty
    assert standard.faults.columns.tolist() == ["row_no", "rule", "message"]
    assert standard.missing == ()


def test_other_columns_are_made_fit_for_json():
    columns = {
        "n": [np.int32(3)],
        "d": [dt.date(2020, 1, 2)],
        "b": [b"\x00"],
        "m": [np.float32("nan")],
        "t": [pd.NaT],
    }
    rows = given({name: pd.Series(value, dtype=object) for name, value in columns.items()}).rows
    assert records(rows) == [{"n": 3, "d": "2020-01-02"}]
    assert isinstance(records(rows)[0]["n"], int)


def test_records_leave_missing_values_out():
    rows = pd.DataFrame({"A": ["x", None], "B": [None, 1.5]}, dtype=object)
    assert records(rows) == [{"A": "x"}, {"B": 1.5}]


def test_a_row_without_any_value_is_an_empty_record():
    rows = pd.DataFrame({"A": ["x", None, "y"], "B": [None, None, ","]}, dtype=object)
    assert records(rows) == [{"A": "x"}, {}, {"A": "y", "B": ","}]


def test_a_number_among_days_is_no_day():
    """Arrow takes 0 among days for the first of January 1970."""
    mixed = arrow_table({"a": [dt.date(2000, 1, 1), 0, None], "b": [True, 1, None], "c": [1, 2.5, None]})
    assert mixed.to_pydict() == {
        "a": ["2000-01-01", "0", None],
        "b": ["True", "1", None],
        "c": [1, 2.5, None],
    }


@pytest.mark.parametrize(
    ("received", "kept", "rule"),
    [
        ("120113gb001", "120113GB001", "code_respelt"),
        ("'0601", "0601", "code_respelt"),
        ('="0601"', "0601", "code_respelt"),
        ("１２０１\n１３", "120113", "code_respelt"),
        ("9.1E+17", None, "digits_lost"),
        ("120113GB001", "120113GB001", None),
        ("津A-1", "津A-1", None),
    ],
)
def test_codes_are_spelt_one_way_and_every_change_is_named(received, kept, rule):
    standard = given({"F": [received, None]}, Field("F", code=True))
    assert standard.rows["F"].tolist() == [kept, None]
    assert standard.faults["rule"].tolist() == ([] if rule is None else [rule])
    assert rule is None or (repr(received) if kept else received) in standard.faults["message"][0]


@pytest.mark.parametrize(
    ("came", "digits", "taken"),
    [
        ([601, 702], None, ["0601", "0702"]),
        ([11.0, None, 101.0], 3, ["011", None, "101"]),
        ([11, 101], None, ["11", "101"]),
        ([1, 999], 3, ["01", "999"]),
        (["11", "601"], 3, ["11", "601"]),
    ],
)
def test_a_code_that_came_as_a_number_gets_its_zeros_back(came, digits, taken):
    """Only numbers lost any; of 011 and 11 the one with the digits of the layer is meant, and without those it stays in doubt."""
    lists = {"l": dict.fromkeys(["0601", "0702", "011", "11", "101", "01"], "")}
    done = standardise(pd.DataFrame({"F": came}), [Field("F", codes="l", digits=digits)], lists)
    assert done.rows["F"].tolist() == taken
    respelt = done.faults[done.faults["rule"] == "code_respelt"]
    changed = [
        row
        for row, (one, other) in enumerate(zip(came, taken, strict=True))
        if other and str(one).split(".")[0] != other
    ]
    assert respelt["row_no"].tolist() == changed
