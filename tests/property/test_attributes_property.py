"""What holds of standard columns for all values that a file or a workbook may hold."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from lowland_gis.analysis.fields.attributes import arrow_table, standardise
from lowland_gis.analysis.fields.json_rows import json_records


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    title: str = "标题"
    required: bool = False
    codes: str | None = None
    synonyms: tuple[str, ...] = ()
    unit: str | None = None
    code: bool = False
    digits: int | None = None


FIELDS = (
    Field("ZDDM", "text", required=True, synonyms=("宗地代码",)),
    Field("DLBM", "text", codes="landuse"),
    Field("MJ", "number"),
    Field("NF", "integer"),
    Field("RQ", "date"),
)
CELLS = st.one_of(
    st.none(), st.text(max_size=6), st.integers(-(10**6), 10**6), st.floats(allow_infinity=True, width=32), st.dates(),
    st.sampled_from(["0601", "2020-05-01", "20200501", "2020年5月1日", "1.0", " 3 ", "2020-12"]),
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["ZDDM", "zddm", "宗地代码", "DLBM", "Mj", "NF", "RQ", "other", "OTHER"]),
        st.lists(CELLS, min_size=3, max_size=3),
        max_size=6,
    )
)
def test_standardising_twice_is_standardising_once(columns: dict[str, list[object]]):
    codes = {"landuse": {"0601": "工业用地"}}
    received = arrow_table(
        pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    )
    once = standardise(received, FIELDS, codes)
    again = standardise(once.rows, FIELDS, codes)
    assert again.rows.equals(once.rows)
    assert again.missing == once.missing
    assert once.rows.num_rows == received.num_rows
    assert set(again.faults["rule"]) <= {"value_missing", "code_unknown"}


@given(st.lists(st.text(max_size=8), min_size=1, max_size=5), st.text(min_size=1, max_size=4))
def test_json_records_hold_the_very_texts(texts: list[str], name: str):
    rows = standardise(pa.table({name: texts}), (), {}).rows
    records = [json.loads(text) for text in json_records(rows).to_pylist()]
    assert records == [{name: text.replace("\x00", "")} for text in texts]
