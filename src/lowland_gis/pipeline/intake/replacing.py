"""What a delivery may take the place of: each file once, and older land only where that is meant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from lowland_gis.db.connect import Connection
from lowland_gis.errors import InputRefusedError, listed
from lowland_gis.pipeline.base.runs import Version, current_versions
from lowland_gis.pipeline.intake.by_town import replaced_by
from lowland_gis.pipeline.intake.part_of_whole import cut_by
from lowland_gis.settings import DeliverySettings


def refuse_same_file(
    connection: Connection, delivery: DeliverySettings, sha256: str, layer: str | None
) -> None:
    """Refuse a file, or its layer of that name, that is in force under another part: its land would count twice.

    Raises:
        InputRefusedError: it is.
    """
    current = current_versions(connection).get(delivery.layer, [])
    others = [version.version_id for version in current if version.part != delivery.part]
    if delivery.part is None or not others:
        return
    row = connection.execute(
        "SELECT CASE WHEN rest_of IS NULL THEN part END, version_id FROM land.layer_version JOIN land.source USING (source_id) WHERE version_id = ANY(%s)"
        " AND sha256 = %s AND (%s::text IS NULL OR layer_name = %s) ORDER BY version_id LIMIT 1",
        [others, sha256, layer, layer],
    ).fetchone()
    if row is not None:
        raise InputRefusedError(
            f"{delivery.source}: the same file is in force already as {'the whole' if row[0] is None else f'part {row[0]}'} of {delivery.layer}"
            f" (version {row[1]}), so as part"
            f" {delivery.part} its land would count twice. Name the file of the part {delivery.part}."
        )


def refuse_older(connection: Connection, delivery: DeliverySettings, as_of: dt.date | None) -> None:
    """Refuse a delivery whose state is older than that of what it takes the place of, unless `allow_older` says that it is meant.

    Raises:
        InputRefusedError: it is older.
    """
    if as_of is None or delivery.allow_older:
        return
    newer = [
        version for version in _replaced(connection, delivery) if version.as_of and version.as_of > as_of
    ]
    if newer:
        held = ", ".join(f"version {version.version_id} of {version.as_of}" for version in newer)
        raise InputRefusedError(
            f"{delivery.source}: it shows the {delivery.layer} of {as_of}, but {held} is in force, so older land would take the place of"
            " newer; nothing was changed. Give the right day with --as-of YYYY-MM-DD – or, where older land is meant, type"
            " --allow-older (in lowland.toml: as_of = …, allow_older = true)."
        )


def refuse_taken_back(connection: Connection, delivery: DeliverySettings, digest: str) -> None:
    """Refuse what was loaded before and has been replaced since: whoever only runs the flow again does not want it back.

    Raises:
        InputRefusedError: a newer delivery is in force.
    """
    row = connection.execute(
        "SELECT max(version_id) FROM land.layer_version WHERE layer = %s AND part IS NOT DISTINCT FROM %s AND digest = %s",
        [delivery.layer, delivery.part, digest],
    ).fetchone()
    before = None if row is None else row[0]
    newer = [] if before is None else _replaced(connection, delivery)
    if newer:
        held = ", ".join(f"version {version.version_id} ({version.label})" for version in newer)
        raise InputRefusedError(
            f"{delivery.source}: it was loaded as version {before} of {delivery.layer}, and {held} has taken its place since, so lowland.toml"
            " would put older land back. Name the newer file in lowland.toml, or go on with what is in force: lowland run --from tabulate"
            f" – to have the older one back: lowland ingest {delivery.layer} FILE"
        )


def refuse_contradicting(deliveries: Sequence[DeliverySettings]) -> None:
    """Refuse a list in which one delivery takes the place of another; a part that comes after the whole only takes that of its pieces.

    Raises:
        InputRefusedError: two are of the same layer and part, or a whole comes after a part of it; all of them are named.
    """
    faults = []
    for number, one in enumerate(deliveries):
        for other in deliveries[number + 1 :]:
            if one.layer == other.layer and (one.part == other.part or other.part is None):
                part = "" if one.part is None or one.part != other.part else f" part {one.part}"
                faults.append(f"{one.layer}{part}: {one.source} and {other.source}")
    if faults:
        raise InputRefusedError(
            f"lowland.toml names {len(faults)} pair(s) of deliveries of which one would take the place of the other, so nothing was"
            f" loaded:\n{listed(faults)}\nTake one out – or, where they belong together, give each its own part = …, after the whole"
        )


def _replaced(connection: Connection, delivery: DeliverySettings) -> list[Version]:
    current = current_versions(connection)
    cut = cut_by(current, delivery.layer, delivery.part)
    return [*replaced_by(current, delivery.layer, delivery.part), *([] if cut is None else [cut])]
