"""Fields of parcels that differ between two states, for parcels that are the same in both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lowland_gis.analysis.update.causes import beyond_outline, told_fields
from lowland_gis.db.connect import Connection
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.definitions.update import UpdateDefinition
from lowland_gis.pipeline.base.basis import Basis

Differences = dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Outline:
    """What became of the outline of a parcel: the code that it has now, and by which share its area has changed."""

    code: str
    changed: float


# The server compares whole rows, so that only those that differ are sent. A delivery that is part of both states differs in nothing.
_DIFFERING = """
    SELECT held.parcel_id, now.parcel_id, held.attributes, now.attributes
    FROM land.parcel held JOIN land.parcel now ON now.parcel_id = held.parcel_id
    WHERE held.version_id = ANY(%s) AND now.version_id = ANY(%s) AND held.attributes IS DISTINCT FROM now.attributes
"""
_PAIRED = """
    SELECT held.parcel_id, now.parcel_id, held.attributes, now.attributes
    FROM unnest(%s::text[], %s::text[]) AS pair (one, other)
    JOIN land.parcel held ON held.parcel_id = pair.one AND held.version_id = ANY(%s)
    JOIN land.parcel now ON now.parcel_id = pair.other AND now.version_id = ANY(%s)
"""


def differing_fields(
    connection: Connection,
    before: Basis,
    after: Basis,
    definition: UpdateDefinition,
    outlines: Mapping[str, Outline],
) -> dict[tuple[str, str], Differences]:
    """Return (old code, new code) → the fields that differ, of parcels that are the same one in both states.

    `outlines` gives old code → the outline of those whose outline or number has changed. A number that follows an outline is then no change
    as far as it has changed no more than the area; neither is the area itself, nor the number of a parcel.
    """
    layer = layer_definition("parcel")
    area = () if layer.area_field is None else (layer.area_field,)
    always = set(definition.fields.ignored)
    rows = connection.execute(_DIFFERING, [before.parcels, after.parcels]).fetchall()
    numbers = {one: outline.code for one, outline in outlines.items() if one != outline.code}
    if numbers:
        values = [list(numbers), list(numbers.values()), before.parcels, after.parcels]
        rows += connection.execute(_PAIRED, values).fetchall()
    found = {}
    for one, other, was, now in rows:
        outline = outlines.get(one)
        ignored = always if outline is None else {*always, *area}
        number = () if one == other or layer.identifier is None else (layer.identifier,)
        differences = told_fields(was or {}, now or {}, {*ignored, *number})
        if outline is not None:
            differences = beyond_outline(differences, definition.fields.follow_outline, outline.changed)
        if differences:
            found[str(one), str(other)] = differences
    return dict(sorted(found.items()))
