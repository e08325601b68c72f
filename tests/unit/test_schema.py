"""The data dictionary is whole: every table and column documented, every key and reference real."""

from __future__ import annotations

import re

import pytest

from lowland_gis import schema
from lowland_gis.schema import Column, Table

ALL_COLUMNS = [(table, column) for table in schema.TABLES for column in table.columns]
NAME = re.compile(r"[a-z][a-z0-9_]*")


def ids(pair: tuple[Table, Column]) -> str:
    return f"{pair[0].full_name}.{pair[1].name}"


def test_names_are_unique_and_plain():
    names = [table.full_name for table in schema.TABLES]
    assert len(names) == len(set(names))
    assert all(table.schema in schema.SCHEMAS for table in schema.TABLES)


@pytest.mark.parametrize("table", schema.TABLES, ids=lambda table: table.full_name)
def test_a_table(table: Table):
    assert table.meaning
    assert NAME.fullmatch(table.name)
    assert len(table.column_names) == len(set(table.column_names))
    assert table.key
    assert set(table.key) <= set(table.column_names)
    for columns in table.unique:
        assert set(columns) <= set(table.column_names)
    assert not [column.name for column in table.columns if column.name in table.key and column.nullable]


@pytest.mark.parametrize("pair", ALL_COLUMNS, ids=ids)
def test_a_column(pair: tuple[Table, Column]):
    table, column = pair
    assert column.meaning
    assert NAME.fullmatch(column.name)
    assert not column.identity or table.key == (*filter(None, [table.partitioned_by]), column.name)
    if column.name.endswith("_m2"):
        assert column.unit == "m²"
    if column.name.endswith("_share"):
        assert column.unit == "[0, 1]"
    if column.references is not None:
        target, _, key = column.references.rpartition(".")
        other = next(other for other in schema.TABLES if other.full_name == target)
        assert other.key == (key,)
        assert next(item for item in other.columns if item.name == key).kind == column.kind


@pytest.mark.parametrize(
    "table", [table for table in schema.TABLES if table.schema == schema.RESULT and table.name != "run"],
    ids=lambda table: table.full_name,
)  # fmt: skip
def test_every_result_carries_its_run(table: Table):
    assert "run_id" in table.column_names


@pytest.mark.parametrize(
    "table",
    [table for table in schema.TABLES if table.chained],
    ids=lambda table: table.full_name,
)
def test_every_registry_has_a_history(table: Table):
    assert {"recorded_at", "recorded_by"} <= set(table.column_names)
    (key,) = table.key
    assert next(column for column in table.columns if column.name == key).kind == "bigint"


def test_what_was_received_is_kept_beside_what_was_repaired():
    holders = [table for table in schema.TABLES if "geom_received" in table.column_names]
    assert {table.name for table in holders} >= {"feature", "parcel"}
