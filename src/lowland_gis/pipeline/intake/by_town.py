"""Hold a delivery against the one that it replaces, town by town (镇街): a town that is missing is told, and so is every difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lowland_gis.analysis.measures.towns import TOWN_DIGITS
from lowland_gis.db.connect import Connection
from lowland_gis.definitions.layer import LayerDefinition
from lowland_gis.pipeline.base.land import names_by_code
from lowland_gis.pipeline.base.runs import Version, Versions

RULE = "town_missing"
# The middle of the box is where a feature is counted: it costs nothing, and both deliveries are counted alike.
_IN_TOWN = (
    "SELECT t.code, count(*) FROM land.feature t JOIN land.feature f ON t.geom && f.geom"
    " AND ST_Intersects(t.geom, ST_Centroid(ST_Envelope(f.geom))) WHERE t.version_id = ANY(%(towns)s) AND f.version_id = ANY(%(counted)s)"
    " AND t.code IS NOT NULL GROUP BY t.code"
)
# Where towns meet, the first code counts.
_PLACED = (
    "WITH placed AS (SELECT p.parcel_id, min(t.code) AS code FROM land.feature t JOIN land.parcel p ON t.geom && p.geom"
    " AND ST_Intersects(t.geom, ST_Centroid(ST_Envelope(p.geom))) WHERE t.version_id = ANY(%(towns)s)"
    " AND p.version_id = ANY(%(parcels)s) AND t.code IS NOT NULL GROUP BY 1) "
)
_PARCELS = (
    f"{_PLACED}SELECT coalesce(placed.code, p.town_code), count(*) FROM land.parcel p LEFT JOIN placed USING (parcel_id)"  # noqa: S608 - constants
    " WHERE p.version_id = ANY(%(counted)s) AND coalesce(placed.code, p.town_code) IS NOT NULL GROUP BY 1"
)
_FIRMS = (
    f"{_PLACED}SELECT coalesce(placed.code, substring(e.parcel_id FROM '^[0-9]{{{TOWN_DIGITS}}}')) AS town, count(*)"  # noqa: S608 - constants
    " FROM land.enterprise e LEFT JOIN placed USING (parcel_id) WHERE e.version_id = ANY(%(counted)s) GROUP BY 1"
)
_TOWNS = "SELECT code, count(*) FROM land.feature WHERE version_id = ANY(%(counted)s) AND code IS NOT NULL GROUP BY 1"


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
    current: Versions,
) -> ByTown:
    """Count a new delivery and those that it replaces by town.

    All go by where they lie in the current towns, firms by their parcel; parcels and firms that lie in none, or where there are none, by
    the digits of the parcel code. Nothing is counted where nothing is replaced.
    """
    if not replaced:
        return ByTown({}, {}, {})
    places = [town.version_id for town in current.get("town", [])]
    parcels = [parcel.version_id for parcel in current.get("parcel", [])]
    before, after = (
        _counts(connection, definition, numbers, (places, parcels))
        for numbers in ([version.version_id for version in replaced], [version_id])
    )
    return ByTown(before, after, _names(connection, places))


def _counts(
    connection: Connection, definition: LayerDefinition, numbers: list[int], held: tuple[list[int], list[int]]
) -> dict[str, int]:
    places, parcels = held
    key = "town" if definition.key == "town" else definition.stored
    query = {"town": _TOWNS, "parcel": _PARCELS, "enterprise": _FIRMS}.get(key, _IN_TOWN)
    parcels = numbers if key == "parcel" else parcels
    rows: list[Any] = connection.execute(
        query, {"counted": numbers, "towns": places, "parcels": parcels}
    ).fetchall()
    return {str(code): int(count) for code, count in rows if code is not None}


def _names(connection: Connection, places: list[int]) -> dict[str, str]:
    rows = connection.execute(
        "SELECT code, attributes->>'XZQMC' FROM land.feature WHERE version_id = ANY(%s) AND code IS NOT NULL ORDER BY feature_id",
        [places],
    ).fetchall()
    return names_by_code((str(code), str(name)) for code, name in rows if name)


def replaced_by(current: Mapping[str, list[Version]], layer: str, part: str | None) -> list[Version]:
    """Return the current deliveries of a layer that a new one takes the place of: those of its part, or all where it is the whole."""
    return [version for version in current.get(layer, []) if part is None or version.part == part]
