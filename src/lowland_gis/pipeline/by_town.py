"""Hold a delivery against the one that it replaces, town by town (镇街): a town that is missing is told, and so is every difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lowland_gis.db.connect import Connection
from lowland_gis.definitions.layer import LayerDefinition
from lowland_gis.pipeline.runs import Version

RULE = "town_missing"
_TOWN_DIGITS = 9
# The middle of the box is where a feature is counted: it costs nothing, and both deliveries are counted alike.
_IN_TOWN = (
    "SELECT t.code, count(*) FROM land.feature t JOIN land.feature f ON t.geom && f.geom"
    " AND ST_Intersects(t.geom, ST_Centroid(ST_Envelope(f.geom))) WHERE t.version_id = ANY(%s) AND f.version_id = ANY(%s)"
    " AND t.code IS NOT NULL GROUP BY t.code"
)
_OF_CODE = {
    "parcel": "SELECT town_code, count(*) FROM land.parcel WHERE version_id = ANY(%s) AND town_code IS NOT NULL GROUP BY 1",
    "enterprise": f"SELECT left(parcel_id, {_TOWN_DIGITS}), count(*) FROM land.enterprise WHERE version_id = ANY(%s)"  # noqa: S608 - a constant
    " AND parcel_id IS NOT NULL GROUP BY 1",
    "town": "SELECT code, count(*) FROM land.feature WHERE version_id = ANY(%s) AND code IS NOT NULL GROUP BY 1",
}  # fmt: skip


@dataclass(frozen=True)
class ByTown:
    """Records by town code in the deliveries that were replaced, and now."""

    before: Mapping[str, int]
    after: Mapping[str, int]
    names: Mapping[str, str]

    @property
    def missing(self) -> list[str]:
        """Return the towns that had records and have none any more."""
        return [code for code in sorted(self.before) if not self.after.get(code)]

    def issues(self) -> pd.DataFrame:
        """Return one row of `land.issue` where towns are missing, else none."""
        if not self.missing:
            return pd.DataFrame()
        named = ", ".join(f"{self._named(code)} ({self.before[code]:,} before)" for code in self.missing)
        words = (
            f"{len(self.missing)} of {len(self.before)} towns (镇街) of the delivery before have no record any more: {named}."
            " If the file should hold the whole district, ask for it again; if it is a part, deliver it with --part."
        )
        return pd.DataFrame([{"row_no": 0, "rule": RULE, "action": "kept", "message": words, "place": None}])

    def text(self) -> str:
        """Return what is different, town by town, or an empty text."""
        codes = sorted({*self.before, *self.after})
        changed = [code for code in codes if self.before.get(code, 0) != self.after.get(code, 0)]
        return ", ".join(
            f"{self._named(code)} {self.before.get(code, 0):,} → {self.after.get(code, 0):,}"
            for code in changed
        )

    def _named(self, code: str) -> str:
        return " ".join(filter(None, (code, self.names.get(code))))


def by_town(
    connection: Connection,
    definition: LayerDefinition,
    version_id: int,
    replaced: list[Version],
    towns: list[Version],
) -> ByTown:
    """Count a new delivery and those that it replaces by town.

    Parcels and firms go by the digits of their parcel code, features by where they lie in the current towns; nothing is counted where
    nothing is replaced, or where there are no towns to count in.
    """
    if not replaced:
        return ByTown({}, {}, {})
    places = [town.version_id for town in towns]
    before, after = (
        _counts(connection, definition, numbers, places)
        for numbers in ([version.version_id for version in replaced], [version_id])
    )
    return ByTown(before, after, _names(connection, places))


def _counts(
    connection: Connection, definition: LayerDefinition, numbers: list[int], places: list[int]
) -> dict[str, int]:
    key = "town" if definition.key == "town" else definition.stored
    rows: list[Any] = (
        connection.execute(_OF_CODE[key], [numbers]).fetchall()
        if key in _OF_CODE
        else connection.execute(_IN_TOWN, [places, numbers]).fetchall()
    )
    return {str(code): int(count) for code, count in rows}


def _names(connection: Connection, places: list[int]) -> dict[str, str]:
    rows = connection.execute(
        "SELECT code, attributes->>'XZQMC' FROM land.feature WHERE version_id = ANY(%s) AND code IS NOT NULL",
        [places],
    ).fetchall()
    return {str(code): str(name) for code, name in rows if name}


def replaced_by(current: Mapping[str, list[Version]], layer: str, part: str | None) -> list[Version]:
    """Return the current deliveries of a layer that a new one takes the place of: those of its part, or all where it is the whole."""
    return [version for version in current.get(layer, []) if part is None or version.part == part]
