"""What a table and a column are, and the columns that many tables share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# The last three hold several values in one place.
Kind = Literal[
    "text", "integer", "bigint", "number", "boolean", "date", "timestamp", "json", "bytes", "geometry",
    "integers", "numbers", "texts",
]  # fmt: skip

LAND, RESULT, REGISTRY = "land", "result", "registry"
SCHEMAS = (LAND, RESULT, REGISTRY)
# The table of the registry that holds the digest of every row of the others.
CHAIN = "link"


@dataclass(frozen=True)
class Column:
    """One column: its kind, what it means, its unit, and how it is constrained.

    A reference that is not `enforced` is no foreign key: rows that come in bulk are written by the transaction that writes what they
    refer to, and a check of each would cost more than loading it. What is `filled` is said by the database, never by a program.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str | None = None
    nullable: bool = False
    identity: bool = False
    references: str | None = None
    enforced: bool = True
    indexed: bool = False
    geometry_type: str = "GEOMETRY"
    filled: str | None = None

    @property
    def spatially_indexed(self) -> bool:
        """Return whether the column has a spatial index; received geometry is only ever looked at one by one."""
        return self.kind == "geometry" and self.name != "geom_received"


@dataclass(frozen=True)
class Table:
    """One table of one schema; `key` names the columns of its primary key.

    `partitioned_by` names the column whose every value is a table of its own below this one (see `db.parts`). What is `unique` is so at
    once, what is `unique_at_end` when the transaction ends: until then a trigger has said what is wrong in words.
    """

    schema: str
    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    partitioned_by: str | None = None
    unique_at_end: tuple[tuple[str, ...], ...] = ()

    @property
    def full_name(self) -> str:
        """Return `schema.table`."""
        return f"{self.schema}.{self.name}"

    @property
    def append_only(self) -> bool:
        """Return whether rows are only ever added: all of the registry is history, so the database refuses to change or delete them."""
        return self.schema == REGISTRY

    @property
    def chained(self) -> bool:
        """Return whether every row of it is a link of the registry's chain; the chain itself is none."""
        return self.append_only and self.name != CHAIN

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class View:
    """What a query shows of tables under a name of its own; its columns mean what they say there."""

    schema: str
    name: str
    meaning: str
    columns: tuple[Column, ...]
    query: str

    @property
    def full_name(self) -> str:
        """Return `schema.view`."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns in order."""
        return tuple(column.name for column in self.columns)


def identity(name: str, meaning: str) -> Column:
    """Return the number that the database gives a row."""
    return Column(name, "bigint", meaning, identity=True)


PARCEL_ID = Column("parcel_id", "text", "parcel code (宗地代码 ZDDM)")
AREA = Column("area_m2", "number", "ellipsoidal area by the survey formula (椭球面积)", unit="m²")
TOWN = Column(
    "town_code",
    "text",
    "town that it lies in (镇街代码), from the layer town; where none was delivered, by its code",
    nullable=True,
)
