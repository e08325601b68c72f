"""Tables in files: what a spreadsheet would compute stays text, and numbers stay numbers."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lowland_gis.files.table import write_csv, write_rows

COLUMNS = {"code": ["=1+1", "0601", "-x", None], "area_m2": [-1.5, 2.0, 3.0, 4.0]}


def tables():
    plain = pa.table(COLUMNS)
    return [plain, plain.set_column(0, "code", plain["code"].dictionary_encode()), pd.DataFrame(COLUMNS)]


@pytest.mark.parametrize("rows", tables(), ids=["texts", "dictionary", "frame"])
def test_a_csv_holds_no_formula(tmp_path, rows):
    write_rows(rows, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text(
        encoding="utf-8"
    ) == "code,area_m2\n'=1+1,-1.5\n0601,2.0\n'-x,3.0\n,4.0\n"


@pytest.mark.parametrize("rows", tables(), ids=["texts", "dictionary", "frame"])
def test_parquet_and_what_goes_to_a_program_keep_the_texts(tmp_path, rows):
    write_rows(rows, tmp_path / "t.parquet")
    read = pq.read_table(tmp_path / "t.parquet")
    assert read.to_pydict() == COLUMNS
    assert pa.types.is_string(read.schema.field("code").type) or pa.types.is_large_string(
        read.schema.field("code").type
    )
    text = io.StringIO()
    write_csv(rows, text)
    assert text.getvalue().splitlines()[1] == "=1+1,-1.5"
