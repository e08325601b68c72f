"""Whether a delivery is in force already: told by its content and what is said of it, without anything that loading takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lowland_gis.db.connect import Connection
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.files.source import Source, opened
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Versions, current_versions, digest_of
from lowland_gis.pipeline.intake.options import Said, read_said
from lowland_gis.settings import DeliverySettings


@dataclass(frozen=True)
class Loaded:
    """What became of one delivery; `fresh` is false where the same bytes were there already.

    `warnings` are doubts about the delivery as a whole; they stand in `land.issue` as well. `by_town` is what is different, town by
    town, from the deliveries that it takes the place of.
    """

    layer: str
    version_id: int
    n_read: int
    n_loaded: int
    n_rejected: int
    n_issues: int
    encoding: str | None
    fresh: bool
    warnings: tuple[str, ...] = ()
    by_town: str = ""
    towns_missing: tuple[str, ...] = ()


def there_already(project: Project, deliveries: Sequence[DeliverySettings]) -> Iterator[Loaded]:
    """Yield what is in force already of deliveries, up to the first that is not: that one is to be loaded before the next are asked.

    A layer of which nothing of that part is in force is not read for it.

    Raises:
        UsageError: there is no such layer key.
        InputRefusedError: a file cannot be taken for what it is.
    """
    with project.snapshot() as connection:
        current = current_versions(connection)
        for delivery in deliveries:
            definition = layer_definition(delivery.layer)
            if not current.get(delivery.layer):
                return
            with opened(delivery.source, project.settings.folder) as source:
                digest = delivery_digest(source.sha256, source, definition, read_said(project, delivery))
            same = same_delivery(connection, delivery, digest, current, back=False)
            if same is None:
                return
            yield same


def delivery_digest(sha256: str, source: Source, definition: LayerDefinition, said: Said) -> str:
    """Return what tells a delivery from others: its bytes, its layer, what the layer is, and what is said of it."""
    return digest_of([sha256, source.layer, definition.model_dump(mode="json"), said.options])


def same_delivery(
    connection: Connection, delivery: DeliverySettings, digest: str, current: Versions, *, back: bool
) -> Loaded | None:
    """Return the same delivery where it is in force; one that is meant to stay (not `back`) also where parts took pieces of it."""
    held = current.get(delivery.layer, [])
    numbers = [version.version_id for version in held if version.part == delivery.part]
    taken = (
        [] if back or delivery.part is not None else [version.rest_of for version in held if version.rest_of]
    )
    row = connection.execute(
        "SELECT version_id, digest, n_read, n_loaded, n_rejected,"
        " (SELECT count(*) FROM land.issue i WHERE i.version_id = v.version_id),"
        " (SELECT encoding FROM land.source s WHERE s.source_id = v.source_id)"
        " FROM land.layer_version v WHERE version_id = ANY(%s) ORDER BY version_id DESC LIMIT 1",
        [[*numbers, *taken]],
    ).fetchone()
    if row is None or row[1] != digest:
        return None
    version_id, _, n_read, n_loaded, n_rejected, n_issues, encoding = row
    others = ", ".join(
        f"{version.part} (version {version.version_id})" for version in held if not version.is_whole
    )
    words = f"parts have taken the place of pieces of version {version_id} since, and stay: {others}"
    return Loaded(
        delivery.layer, version_id, n_read, n_loaded, n_rejected, n_issues, encoding, fresh=False,
        warnings=(words,) if version_id in taken else (),
    )  # fmt: skip
