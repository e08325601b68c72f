"""The SQL tables, derived from the data dictionary."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from lowland_gis import schema

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

_TYPES: dict[str, TypeEngine[Any]] = {
    "text": sa.Text(),
    "integer": sa.Integer(),
    "bigint": sa.BigInteger(),
    "number": sa.Double(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "timestamp": sa.DateTime(timezone=True),
    "json": postgresql.JSONB(),
    "bytes": postgresql.BYTEA(),
    "integers": postgresql.ARRAY(sa.Integer()),
    "numbers": postgresql.ARRAY(sa.Double()),
    "texts": postgresql.ARRAY(sa.Text()),
}


@cache
def metadata(srid: int) -> sa.MetaData:
    """Return the tables of a database whose one plane has this SRID."""
    tables = sa.MetaData(naming_convention=NAMING)
    for table in schema.TABLES:
        sa.Table(
            table.name,
            tables,
            *(_column(column, table, srid) for column in table.columns),
            *(sa.UniqueConstraint(*names) for names in table.unique),
            *(
                sa.UniqueConstraint(*names, deferrable=True, initially="DEFERRED")
                for names in table.unique_at_end
            ),
            schema=table.schema,
            comment=table.meaning,
            **_partitioning(table),
        )
    return tables


def sql_table(table: schema.Table, srid: int = 0) -> sa.Table:
    """Return one SQL table; queries that touch no geometry type need no SRID."""
    return metadata(srid).tables[table.full_name]


def _partitioning(table: schema.Table) -> dict[str, Any]:
    return (
        {} if table.partitioned_by is None else {"postgresql_partition_by": f"LIST ({table.partitioned_by})"}
    )


def _column(column: schema.Column, table: schema.Table, srid: int) -> sa.Column[Any]:
    constraints: list[SchemaItem] = []
    if column.identity:
        constraints.append(sa.Identity(always=True))
    if column.references is not None and column.enforced:
        constraints.append(sa.ForeignKey(column.references))
    return sa.Column(
        column.name,
        _type(column, srid),
        *constraints,
        primary_key=column.name in table.key,
        nullable=column.nullable,
        server_default=None if column.filled is None else sa.text(column.filled),
        index=column.indexed or None,
        comment=comment(column),
    )


def comment(column: schema.Column) -> str:
    """Return what the database says of a column: its meaning, and its unit."""
    return column.meaning if column.unit is None else f"{column.meaning} [{column.unit}]"


def _type(column: schema.Column, srid: int) -> TypeEngine[Any]:
    if column.kind == "geometry":
        geometry: TypeEngine[Any] = Geometry(
            column.geometry_type, srid=srid, spatial_index=column.spatially_indexed
        )
        return geometry
    return _TYPES[column.kind]
