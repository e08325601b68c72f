"""What was not delivered, or not clearly, and what follows from it: a sentence each, with what to type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lowland_gis.definitions import measure as define
from lowland_gis.definitions.layer import layer_definition, layer_keys
from lowland_gis.pipeline.base.absent import Absent, absent_fields
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.base.runs import Versions
from lowland_gis.pipeline.base.towns import TOWN, parcel_towns
from lowland_gis.pipeline.evidence.facts import Objects
from lowland_gis.pipeline.intake.reading import Reading

_DISTRICT, _ZONES = "district", "plan_zone"
# So many measures are named; the others are counted.
_NAMED = 4


def lacking(held: Reading) -> list[str]:
    """Say what a classification did without: layers, fields of layers, and towns of parcels that nobody knows for certain."""
    basis = held.basis
    read = {**held.current, **basis.versions}
    absent = absent_fields(held.connection, [version for layer in read.values() for version in layer])
    parcels, units = _parcels(held), held.project.settings.delineate
    wanted = {
        name: basis.measures[name]
        for name in dict.fromkeys((*basis.pack.measures, *units.protected, *units.inside))
        if name in basis.measures
    }
    return [
        *layers_lacking(wanted, read),
        *fields_lacking(wanted, read, absent),
        *(_towns_in_doubt(held, basis, parcels) if TOWN in basis.versions else ()),
    ]


def layers_lacking(wanted: Mapping[str, define.AnyMeasure], versions: Versions) -> Iterator[str]:
    """Yield a sentence for each layer that measures of the rules or the units need and that was not delivered."""
    unknown: dict[str, list[str]] = {}
    for measure in wanted.values():
        for key in measure.needs:
            unknown.setdefault(key, []).append(measure.title)
    for key in layer_keys():
        follows = _follows(key, unknown.get(key, []), versions)
        if key not in versions and follows:
            yield f"{layer_definition(key).title} {key} was not delivered, so {follows}. Type: lowland ingest {key} FILE"


def _follows(key: str, titles: Sequence[str], versions: Versions) -> str:
    if key == TOWN:
        return (
            "the town of a parcel is what the first nine digits of its code say, which may be a 地籍区 and no town, and units may"
            " cross the borders of towns"
        )
    if key == _DISTRICT:
        block = "" if versions.get(TOWN) else ", and units are drawn in one block over all parcels"
        return f"nothing is held against the boundary of the district{block}"
    if key == _ZONES:
        return "nobody knows in which zone of the plan a parcel lies, units are not kept to one zone, and what the rules make differ by zone is unknown"
    return f"{_titles(titles)} unknown; what hangs on that stays open (待核)" if titles else ""


def fields_lacking(
    wanted: Mapping[str, define.AnyMeasure], versions: Versions, absent: Absent
) -> Iterator[str]:
    """Yield a sentence for each field that measures of the rules or the units need and that a delivery does not have."""
    unknown: dict[tuple[str, str], list[str]] = {}
    for measure in wanted.values():
        for place in measure.fields:
            unknown.setdefault(place, []).append(measure.title)
    for (key, name), titles in unknown.items():
        without = [version for version in versions.get(key, []) if name in absent.get(version.version_id, ())]
        if without:
            layer = layer_definition(key)
            title = next(field.title for field in layer.field if field.name == name)
            numbers = ", ".join(str(version.version_id) for version in without)
            yield (
                f"{layer.title} {key} (version {numbers}) has no column {name} {title}, so {_titles(titles)} unknown there; what hangs on"
                " that stays open (待核). Deliver it with the column, or name the one that holds it with --mapping."
            )


def _titles(titles: Sequence[str]) -> str:
    shown = ", ".join(titles[:_NAMED])
    more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
    return f"{shown}{more} {'is' if len(titles) == 1 else 'are'}"


def _parcels(held: Reading) -> Objects:
    rows = held.connection.execute(
        "SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%s) ORDER BY parcel_id",
        [held.basis.parcels],
    ).fetchall()
    return np.array([row[0] for row in rows], dtype=object)


def _towns_in_doubt(held: Reading, basis: Basis, parcels: Objects) -> Iterator[str]:
    """Yield how many parcels two towns claim, and how many lie in none."""
    towns = parcel_towns(held.connection, basis.measured, parcels)
    if towns.claimed.any():
        yield (
            f"{int(towns.claimed.sum()):,} parcels lie in more than one town (镇街), for example {parcels[towns.claimed][0]}: they count in"
            " the one that holds most of them, and what differs by town is unknown for them. All of them: lowland check, then:"
            " lowland check show parcel_astride"
        )
    outside = ~towns.by_place
    if outside.any():
        yield (
            f"{int(outside.sum()):,} parcels lie in no town (镇街), for example {parcels[outside][0]}: their town is what their code says."
        )
