"""Tables that tasks cannot read are refused by name before Spark is started; portions hold every page once."""

from __future__ import annotations

import psycopg
import pyarrow as pa
import pytest

from lowland_gis.engines.sedona import tables
from lowland_gis.errors import InputRefusedError

MADE = """
CREATE TABLE public.lots (id text, n int, geom geometry(Polygon, 4548));
INSERT INTO public.lots SELECT 'p' || n, n, ST_MakeEnvelope(500000 + n, 4300000, 500001 + n, 4300001, 4548) FROM generate_series(1, 3000) AS n;
CREATE VIEW public.seen AS SELECT * FROM public.lots;
CREATE TABLE public.degrees (id text, geom geometry(Polygon, 4490));
CREATE TABLE public.unknown (id text, geom geometry(Polygon));
CREATE TABLE public.two (id text, a geometry(Polygon, 4548), b geometry(Polygon, 4548));
CREATE TABLE public.none (id text);
"""


@pytest.fixture(scope="module")
def land(module_database) -> str:
    with psycopg.connect(module_database) as connection:
        connection.execute(MADE)
    return module_database


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("PG:nothing", "there is no such table"),
        ("PG:seen", "it is a view, and tasks read tables by their pages"),
        ("PG:degrees", "areas need a plane in metres"),
        ("PG:unknown", "declares no coordinate system"),
        ("PG:two", "must have one column of geometries, and has a, b"),
        ("PG:none", "must have one column of geometries, and has none"),
    ],
)
def test_a_table_that_tasks_cannot_read_is_refused(land, place, said):
    with pytest.raises(InputRefusedError, match=f"{place}.*{said}"), tables.table(place, "id", land):
        pass


def test_a_field_that_is_not_there_is_refused_with_those_that_are(land):
    with (
        pytest.raises(InputRefusedError, match="there is no field 'ID'. It has: id, n, geom"),
        tables.table("PG:lots", "ID", land),
    ):
        pass


@pytest.mark.parametrize(
    ("field", "first", "kind"), [("id", "p1", pa.string()), ("n", 1, pa.int64()), (None, "all", pa.string())]
)
def test_portions_hold_each_row_once(land, monkeypatch, field, first, kind):
    monkeypatch.setattr(tables, "_PORTION_BYTES", 100_000)
    with tables.table("PG:lots", field, land) as table:
        assert len(table.portions) > 3
        batch = pa.RecordBatch.from_pydict({"id": list(range(len(table.portions)))})
        read = list(tables.read(batch, shapes=True, table=table, field=field))
    names = [name for rows in read for name in rows.name.to_pylist()]
    assert (len(names), names[0], read[0].name.type) == (3000, first, kind)
    assert sum(rows.wkb.null_count for rows in read) == 0
    assert len(set(names)) == (1 if field is None else 3000)


def test_a_database_that_has_gone_is_named(land):
    with tables.table("PG:lots", "id", land) as table:
        gone = tables.Table(
            table.name,
            table.geometry,
            table.crs,
            table.kind,
            table.portions,
            "host=127.0.0.1 port=1",
            table.moment,
        )
        batch = pa.RecordBatch.from_pydict({"id": [0]})
        with pytest.raises(
            tables.RowsRefusedError, match="PG:lots: the database refused a task or went away"
        ):
            list(tables.read(batch, shapes=True, table=gone, field="id"))
