"""What goes from the process that reads a drawing to the one that asked for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

# What a part of a drawing is: an outline, a line that is open, a hatch, a place with a text or a symbol.
AREA, LINE, HATCH, POINT = "area", "line", "hatch", "point"

SCHEMA = pa.schema(
    [
        ("layer", pa.string()), ("kind", pa.string()), ("in_block", pa.bool_()), ("entity", pa.string()),
        ("handle", pa.string()), ("color", pa.int64()), ("elevation", pa.float64()), ("text", pa.string()),
        ("block", pa.string()), ("more", pa.string()), ("fault", pa.string()), ("gap", pa.float64()), ("wkb", pa.binary()),
    ]
)  # fmt: skip
_HEAD = b"drawing"


@dataclass
class Head:
    """What a drawing says of itself: its version, how its text is read and why, $INSUNITS, and what of it is no row.

    `unread` counts kinds of parts that have no place on a map or are not understood; `in_layouts` parts of sheets; `hidden` are the
    layers that are off or frozen; `references` names of other drawings that this one shows; `symbols` blocks that are put so often that only their places are rows; `said` is what
    the library warned of while it read, and went on.
    """

    version: str
    encoding: str
    reason: str
    units: int
    unread: dict[str, int] = field(default_factory=dict)
    in_layouts: int = 0
    hidden: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    symbols: dict[str, int] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)


def with_head(table: pa.Table, head: Head) -> pa.Table:
    """Return the table with the head beside its schema."""
    return table.replace_schema_metadata({_HEAD: json.dumps(asdict(head)).encode()})


def head_of(table: pa.Table) -> Head:
    """Return the head that lies beside the schema of a table."""
    return Head(**json.loads((table.schema.metadata or {})[_HEAD]))


def table_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Return rows as a table."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)
