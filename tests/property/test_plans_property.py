"""The form of the plan: what is written comes back as it was, whatever stands in it; and what is changed is named by its cell."""

import datetime as dt
import tempfile
from pathlib import Path
from unittest import mock

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from lowland_gis.analysis.fields.form import FIRST, Typed, filled
from lowland_gis.analysis.registry.plan_form import PLAN, PLAN_COLUMNS, PROGRESS, PROGRESS_COLUMNS, plan_form
from lowland_gis.analysis.registry.plan_known import KnownUnit
from lowland_gis.definitions.plan import plan_terms
from lowland_gis.files.source import opened
from lowland_gis.files.spreadsheet.book import read_cells
from lowland_gis.products.tables import form
from lowland_gis.products.tables.form import write_form

TOWNS = {"120113101": "天穆镇", "012011310": "〇镇"}
UNITS = {"DY-1": KnownUnit("120113101", 100.0), "007": KnownUnit(None, 5.5)}
FORM = plan_form("北辰区", 2026, plan_terms(), TOWNS, UNITS)
# What XML cannot hold cannot stand in a cell; a text is taken without the space around it.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"]),
    min_size=1, max_size=30,
).filter(lambda text: text == text.strip() and "_x" not in text and "合" not in text and "计" not in text)  # fmt: skip
NUMBERS = st.floats(0, 1e12).map(lambda value: round(value, 2))
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31))


def value(column):
    if column.choices is not None:
        return st.sampled_from(FORM.lists[column.choices].values)
    return {"code": TEXTS, "text": TEXTS, "number": NUMBERS, "day": DAYS}[column.kind]


def rows(columns):
    row = st.fixed_dictionaries(
        {column.key: value(column) if column.needed else st.none() | value(column) for column in columns}
    )
    return st.lists(row, max_size=4)


def written(folder, plan, reports):
    target = Path(folder) / "form.xlsx"
    # Empty rows to be filled in take most of the time, and say nothing here.
    with mock.patch.multiple(form, ROWS=3, SPARE=2):
        write_form(target, FORM, {PLAN: plan, PROGRESS: reports}, dated=dt.date(2025, 12, 1))
    return target


def read(target):
    with opened(str(target), Path()) as source:
        return filled(FORM, [Typed(sheet.name, sheet.rows, sheet.merged) for sheet in read_cells(source)])


@settings(max_examples=40, deadline=None)
@given(rows(PLAN_COLUMNS), rows(PROGRESS_COLUMNS))
def test_what_is_written_comes_back_as_it_was(plan, reports):
    with tempfile.TemporaryDirectory() as folder:
        first = written(folder, plan, reports)
        kept = first.read_bytes()
        back = read(first)
        assert written(folder, plan, reports).read_bytes() == kept
    assert back.faults == ()
    assert [dict(row.said) for row in back.rows[PLAN]] == plan
    assert [dict(row.said) for row in back.rows[PROGRESS]] == reports


WRONG = {"code": 7, "text": "=1+1", "choice": "没有的", "number": "十", "day": "2026-3-1"}


@settings(max_examples=40, deadline=None)
@given(st.data(), rows(PLAN_COLUMNS).filter(bool))
def test_a_cell_that_is_spoilt_is_named_and_no_other(data, plan):
    place = data.draw(st.integers(0, len(plan) - 1))
    order, column = data.draw(st.sampled_from(list(enumerate(PLAN_COLUMNS))))
    with tempfile.TemporaryDirectory() as folder:
        target = written(folder, plan, [])
        book = openpyxl.load_workbook(target)
        cell = f"{chr(ord('A') + order)}{FIRST + 1 + place}"
        book[PLAN][cell].number_format = "General"
        book[PLAN][cell] = WRONG[column.kind]
        book.save(target)
        faults = read(target).faults
    assert [(fault.sheet, fault.cell) for fault in faults] == [(PLAN, cell)]
