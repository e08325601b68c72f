"""Which fields of their layers deliveries do not have: what is in no column is unknown, and not empty."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from psycopg.types.json import Jsonb

from lowland_gis.db.connect import Connection
from lowland_gis.definitions.layer import LayerDefinition
from lowland_gis.pipeline.base.runs import Version

if TYPE_CHECKING:
    import pandas as pd

Absent = Mapping[int, frozenset[str]]
_KEY = "absent"


def fields_absent(definition: LayerDefinition, columns: Collection[str]) -> list[str]:
    """Return the fields of a layer that are not among the standardised columns of a delivery."""
    return [field.name for field in definition.field if field.name not in columns]


def record_absent(connection: Connection, version_id: int, fields: list[str]) -> None:
    """Note with a delivery which fields of its layer it does not have."""
    connection.execute(
        "UPDATE land.layer_version SET options = coalesce(options, '{}') || %s WHERE version_id = %s",
        [Jsonb({_KEY: fields}), version_id],
    )


def absent_fields(connection: Connection, versions: Iterable[Version]) -> dict[int, frozenset[str]]:
    """Return the fields that deliveries do not have, by their numbers; of those that older programs loaded none is known."""
    rows = connection.execute(
        "SELECT version_id, options->%s FROM land.layer_version WHERE version_id = ANY(%s) AND options ? %s",
        [_KEY, [version.version_id for version in versions], _KEY],
    ).fetchall()
    return {int(number): frozenset(fields) for number, fields in rows}


def lacking(version_ids: pd.Series[int], absent: Absent, field: str) -> npt.NDArray[np.bool_]:
    """Return which rows came with a delivery that does not have a field."""
    without = [number for number, fields in absent.items() if field in fields]
    return np.asarray(version_ids.isin(without), dtype=bool)
