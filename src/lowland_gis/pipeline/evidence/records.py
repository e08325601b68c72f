"""Delivered rows that measures look at one by one, column by column: a field or an outline is read when it is first asked for."""

from __future__ import annotations

import datetime as dt
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from psycopg import sql

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.runs import Version
from lowland_gis.pipeline.evidence.some import Some

Objects = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]


class Rows(ABC):
    """Delivered rows of a layer, in the order in which they came, wherever they lie."""

    @property
    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """Return what every layer of a kind has: version_id, and feature_id and code, or parcel_id and year."""

    @abstractmethod
    def field(self, name: str) -> Objects:
        """Return what each row has in a field of the layer, None where it has nothing."""

    @property
    @abstractmethod
    def areas(self) -> Floats:
        """Return the planar areas (m²)."""

    def numbers(self, name: str) -> Floats:
        """Return a field as numbers, NaN where a row has nothing.

        Raises:
            ValueError: there is something that is no number.
        """
        return np.asarray(pd.to_numeric(pd.Series(self.field(name), dtype=object)), dtype=np.float64)


@dataclass(frozen=True)
class Records(Rows):
    """The rows of some deliveries of a layer out of the database, in the order of `order`.

    `chosen` is what follows SELECT in a statement that reads them, with its `values`; `columns` are read at once.
    """

    connection: Connection
    definition: LayerDefinition
    chosen: sql.Composed
    values: Sequence[object]
    order: str
    columns: tuple[str, ...]
    _fields: dict[str, Objects] = field(default_factory=dict)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Return the columns of the table that measures need."""
        return self._read(sql.SQL(", ").join(map(sql.Identifier, self.columns)))

    def field(self, name: str) -> Objects:
        """Return what each row has in a field of the layer, None where it has nothing."""
        if name not in self._fields:
            self._read_fields(
                list({*(each.name for each in self.definition.field), name} - self._fields.keys())
            )
        return self._fields[name]

    @cached_property
    def areas(self) -> Floats:
        """Return the planar areas (m²)."""
        rows = self._read(sql.SQL("ST_AsBinary(geom) AS geom"))
        return np.asarray(shapely.area(shapely.from_wkb(rows["geom"].to_numpy(dtype=object))))

    def _read_fields(self, names: Sequence[str]) -> None:
        """Read fields, each as one JSON text: parsed at once, thousands of values cost no object of their own but themselves."""
        texts = sql.SQL(", ").join(sql.SQL("json_agg(attributes->{})::text").format(name) for name in names)
        statement = sql.SQL("SELECT {} FROM ({}) AS ordered").format(
            texts, self._select(sql.SQL("attributes"))
        )
        rows = self.connection.execute(statement, list(self.values)).fetchone() or ()
        for name, text in zip(names, rows, strict=True):
            found = [] if text is None else json.loads(text)
            self._fields[name] = np.empty(len(found), dtype=object)
            self._fields[name][:] = found

    def _read(self, what: sql.Composable) -> pd.DataFrame:
        return read_frame(self.connection, self._select(what), list(self.values))

    def _select(self, what: sql.Composable) -> sql.Composed:
        return sql.SQL("SELECT {} {} ORDER BY {}").format(what, self.chosen, sql.Identifier(self.order))


def feature_records(
    connection: Connection,
    key: str,
    versions: Sequence[Version],
    as_of: dt.date,
    some: Some | None = None,
) -> Records:
    """Return the features of some deliveries of a layer that are in force on a day; of `some` parcels alone those that lie on them."""
    definition = layer_definition(key)
    chosen, values = land.chosen_features(definition, versions, as_of)
    on_some = None if some is None else some.of_features(definition)
    if on_some is not None:
        chosen, values = chosen + sql.SQL(" AND ") + on_some[0], [*values, *on_some[1]]
    return Records(connection, definition, chosen, values, "feature_id", ("version_id", "feature_id", "code"))


def enterprise_records(
    connection: Connection, versions: Sequence[Version], some: Some | None = None
) -> Records:
    """Return the enterprises of some deliveries, or those on `some` parcels alone."""
    return _of(connection, "enterprise", versions, "enterprise_id", ("parcel_id", "year"), some)


def parcel_records(connection: Connection, versions: Sequence[Version], some: Some | None = None) -> Records:
    """Return the parcels of some deliveries, or `some` of them."""
    return _of(connection, "parcel", versions, "parcel_id", ("version_id", "parcel_id"), some)


def stated(connection: Connection, versions: Sequence[Version], field: str, parcels: Sequence[int]) -> bool:
    """Tell whether any enterprise of some deliveries states a field, on a parcel of other ones."""
    row = connection.execute(
        "SELECT FROM land.enterprise WHERE version_id = ANY(%s) AND attributes->>%s IS NOT NULL AND parcel_id IN"
        " (SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%s)) LIMIT 1",
        [[version.version_id for version in versions], field, list(parcels)],
    ).fetchone()
    return row is not None


def _of(
    connection: Connection,
    key: str,
    versions: Sequence[Version],
    order: str,
    columns: tuple[str, ...],
    some: Some | None,
) -> Records:
    chosen = sql.SQL("FROM {} WHERE version_id = ANY({})").format(
        sql.Identifier("land", key), sql.Placeholder()
    )
    if some is not None:
        chosen = chosen + sql.SQL(" AND ") + some.of_parcels()
    numbers: list[Any] = [version.version_id for version in versions]
    return Records(connection, layer_definition(key), chosen, [numbers], order, columns)
