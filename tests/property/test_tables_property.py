"""Whatever stands in a sheet or a .dbf: what is not stored as it was received is an issue of its row, and nothing ends with 70."""

import contextlib
import datetime as dt
import io
import json
import math
import re
import tempfile
from pathlib import Path

import geopandas as gpd
import openpyxl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lowland_gis.analysis.geometry.geodesy import GaussPlane
from lowland_gis.cli import main
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from lowland_gis.pipeline.intake.rows import Preparer
from made_files import box, dbf_bytes

ENTERPRISE = layer_definition("enterprise")
HEADINGS = {
    "年份": "NF",
    "企业名称": "QYMC",
    "统一社会信用代码": "TYSHXYDM",
    "宗地代码": "ZDDM",
    "税收总额\n(万元)": "SSZE",
    "占地面积（亩）": "ZDMJM",
    "备用": "备用",
}
# What XML can hold; a spreadsheet program writes nothing else.
LETTERS = st.characters(
    codec="utf-8", exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\ufffe\uffff"
)
TEXTS = st.one_of(
    st.text(LETTERS, max_size=8),
    st.sampled_from(
        [
            "NA",
            "#N/A",
            "1,000.5",
            "９１",
            "'0601",
            '="0601"',
            "9.1E+17",
            "120113gb 1",
            "合计",
            "2023年",
            "1e3",
            " 7 ",
            "_x0041_",
        ]
    ),
)
CELLS = st.one_of(
    st.none(),
    TEXTS,
    st.integers(-(10**6), 10**19),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(dt.date(1901, 1, 1), dt.date(2100, 1, 1)),
    st.sampled_from(["=1+2", "#DIV/0!", "#REF!"]),
)
ROWS = st.lists(st.lists(CELLS, min_size=len(HEADINGS), max_size=len(HEADINGS)), min_size=1, max_size=5)


@settings(deadline=None, max_examples=60)
@given(ROWS, st.sampled_from([[], ["企业税收"]]))
@example([[2023, "甲", "x", 1201130010010000123, "=1+2", "#N/A", True]], ["企业税收"])
@example([[1, 2, 3, 4, 5, 6, 7]], [])
def test_what_a_sheet_does_not_give_as_it_stands_is_an_issue_of_its_row(rows, title):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.xlsx"
        book = openpyxl.Workbook()
        if title:
            book.active.append(title)
        book.active.append(list(HEADINGS))
        for row in rows:
            book.active.append(row)
        book.save(path)
        with opened(str(path), path.parent) as source, received(source) as arrived:
            (batch,) = arrived.batches
        prepared = Preparer("t", ENTERPRISE, GaussPlane(117.0, 500_000.0), lambda shapes: shapes).prepare(
            batch
        )
    # A formula that is a text is that text.
    rows = [[constant(cell) for cell in row] for row in rows]
    filled = [row for row in rows if any(not blank(cell) for cell in row)]
    if is_numbering(filled):
        return
    assert len(prepared.rows) + prepared.n_rejected == len(filled)
    doubts = prepared.issues.groupby("row_no")["message"].agg(list).to_dict()
    stored = {
        int(number): json.loads(text)
        for number, text in zip(prepared.rows["row_no"], prepared.rows["attributes"], strict=True)
    }
    for number, row in enumerate(filled):
        if number not in stored:
            assert number in doubts
            continue
        for cell, (heading, name) in zip(row, HEADINGS.items(), strict=True):
            value, words = stored[number].get(name), (name, " ".join(heading.split()))
            named = any(word in message for message in doubts.get(number, []) for word in words)
            assert same(cell, value) or named, (heading, cell, value)


def constant(cell):
    match = re.fullmatch(r'="([^"]*)"', cell) if isinstance(cell, str) else None
    return cell if match is None else match[1]


def is_numbering(rows):
    return bool(rows) and [str(cell) for cell in rows[0]] == [str(n) for n in range(1, len(HEADINGS) + 1)]


def blank(cell):
    return cell is None or (isinstance(cell, str) and not cell.strip())


def same(cell, value):
    """Whether a stored value is what the cell holds; blanks around a text say nothing."""
    if blank(cell):
        return blank(value)
    if isinstance(cell, bool) or isinstance(value, bool):
        return str(cell).lower() == str(value).lower()
    if isinstance(cell, dt.date):
        return value == cell.isoformat()
    if isinstance(cell, int | float) or isinstance(value, int | float):
        try:
            # The writer of these sheets keeps 16 digits.
            return math.isclose(float(cell), float(value), rel_tol=1e-14)
        except (TypeError, ValueError):
            return False
    return trimmed(openpyxl.utils.escape.unescape(cell)) == trimmed(str(value or ""))


def trimmed(text):
    return text.strip(" \t\r\n\v\f\x00\u3000\u00a0")


RAW = {
    "D": st.one_of(
        st.dates().map(lambda day: day.strftime("%Y%m%d").rjust(8, "0").encode()),
        st.binary(min_size=8, max_size=8),
        st.text("0123456789 -/", min_size=8, max_size=8).map(str.encode),
        st.integers(0, 99_999_999).map(lambda number: b"%08d" % number),
    ),
    "N": st.one_of(st.text("0123456789.,+-eE* ", max_size=12).map(str.encode), st.binary(max_size=12)),
    "F": st.one_of(
        st.floats(-1e9, 1e9).map(lambda value: b"%.5e" % value),
        st.text("0123456789.+-eE#IND ", max_size=12).map(str.encode),
    ),
    "L": st.binary(min_size=1, max_size=1),
}
NUMBER = re.compile(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@settings(deadline=None, max_examples=80)
@given(st.data(), st.sampled_from(sorted(RAW)), st.integers(0, 2))
def test_what_a_dbf_does_not_give_as_its_bytes_say_is_a_doubt(data, kind, decimals):
    values = data.draw(st.lists(RAW[kind], min_size=1, max_size=5))
    width = {"D": 8, "L": 1}.get(kind, 12)
    fields = [("BSM", "C", 4, 0), ("V", kind, width, decimals if kind in "NF" else 0)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.shp"
        shapes = [box(100 * n, 0) for n in range(len(values))]
        gpd.GeoDataFrame({"BSM": ["1"] * len(values)}, geometry=shapes, crs=4548).to_file(
            path, engine="pyogrio"
        )
        path.with_suffix(".dbf").write_bytes(dbf_bytes(fields, [[b"1", value] for value in values]))
        with opened(str(path), path.parent) as source, received(source) as arrived:
            (batch,) = arrived.batches
    doubted = {doubt.row for doubt in batch.doubts}
    for row, (raw, value) in enumerate(zip(values, batch.attributes["V"].to_pylist(), strict=True)):
        wanted = said(kind, raw)
        assert (row in doubted) == (wanted is ...)
        assert value == (None if wanted is ... else wanted), raw


def said(kind, raw):
    """What the bytes say: a value, None for nothing, … for what they cannot be."""
    text = raw.strip(b" \x00")
    if kind == "L":
        return {True: True, False: False}.get(
            {
                b"T": True,
                b"t": True,
                b"Y": True,
                b"y": True,
                b"F": False,
                b"f": False,
                b"N": False,
                b"n": False,
            }.get(raw),
            None if text in (b"", b"?") else ...,
        )
    if not text or (kind == "D" and not raw.strip(b" \x000")):
        return None
    if kind == "D":
        try:
            return (
                dt.date(int(raw[:4]), int(raw[4:6]), int(raw[6:])) if re.fullmatch(rb"[0-9]{8}", raw) else ...
            )
        except ValueError:
            return ...
    return float(text) if NUMBER.fullmatch(text) else ...


NAMES = st.text(
    st.one_of(LETTERS, st.sampled_from("!;:'\"#%&?*[]{}()$ ~`|<>^=,.\\\t")), min_size=1, max_size=12
).filter(lambda name: "/" not in name and name.strip(".") and len(name.encode()) < 200)


@settings(deadline=None, max_examples=60)
@given(NAMES, st.sampled_from([".xlsx", ".dbf", ".csv"]), ROWS)
@example("a!b", ".xlsx", [[2023, "甲", "x", "A1", 1, 1, 1]])
@example("重要!；:x", ".dbf", [[2023, "甲", "x", "A1", 1, 1, 1]])
def test_no_file_name_ends_with_70(name, suffix, rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}{suffix}"
        if suffix == ".xlsx":
            book = openpyxl.Workbook()
            for row in [list(HEADINGS), *rows]:
                book.active.append(row)
            book.save(path)
        elif suffix == ".dbf":
            fields = [("ZDDM", "C", 19, 0), ("NF", "N", 4, 0)]
            path.write_bytes(dbf_bytes(fields, [[b"A1", b"2023"] for _ in rows]))
        else:
            lines = [list(HEADINGS.values()), *([str(cell) for cell in row] for row in rows)]
            path.write_text(
                "\n".join(",".join(f'"{cell}"' for cell in line) for line in lines), encoding="utf-8"
            )
        code, said_of_it = inspected(path)
        assert code in (0, 1, 3), said_of_it
        assert suffix != ".dbf" or code == 0, said_of_it


def inspected(path):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["inspect", str(path), "--json"])
        except SystemExit as ended:
            return ended.code, out.getvalue() + err.getvalue()
    raise AssertionError("main ends by SystemExit")
