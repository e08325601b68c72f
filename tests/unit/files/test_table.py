"""Tables in files: what a spreadsheet would compute stays text, and numbers stay numbers."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from full_disk import full_disk
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.table import csv_writer, row_writer, write_rows

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
    with csv_writer(text) as write:
        write(rows)
    assert text.getvalue().splitlines()[1] == "=1+1,-1.5"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_written_in_turn_are_one_table(tmp_path, suffix):
    target = tmp_path / f"t{suffix}"
    first, second = (
        pa.table({"code": [code]}).set_column(0, "code", pa.array([code]).dictionary_encode())
        for code in "ab"
    )
    with row_writer(target) as write:
        write(first)
        write(second)
        assert not target.exists()
    read = pd.read_csv(target) if suffix == ".csv" else pd.read_parquet(target)
    assert read["code"].tolist() == ["a", "b"]
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_what_failed_in_between_is_not_blamed_on_the_target(tmp_path):
    (tmp_path / "t.csv").write_text("before")
    with pytest.raises(OSError, match="elsewhere"), row_writer(tmp_path / "t.csv") as write:
        write(pa.table(COLUMNS))
        raise OSError("elsewhere")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("t.csv", "before")]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("room", [0, 20])
def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, suffix, room):
    """The last bytes go out when the file is closed."""
    with (
        full_disk(room),
        pytest.raises(InputRefusedError, match=r"t\.\w+: cannot be written \(.*[Ff]ile too large"),
        row_writer(tmp_path / f"t{suffix}") as write,
    ):
        write(pa.table(COLUMNS))
    assert list(tmp_path.iterdir()) == []


def test_a_list_for_people_begins_with_a_mark_for_excel_and_one_for_programs_does_not(tmp_path):
    rows = pd.DataFrame({"名称": ["北辰区"]})
    for bom in (True, False):
        write_rows(rows, tmp_path / f"{bom}.csv", bom=bom)
        assert (tmp_path / f"{bom}.csv").read_bytes().startswith(b"\xef\xbb\xbf") == bom
        assert (tmp_path / f"{bom}.csv").read_text(encoding="utf-8-sig") == "名称\n北辰区\n"
