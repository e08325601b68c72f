"""What the findings of checks stand for: whether a check has run, on what, and what its findings are out of date by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lowland_gis.db.connect import Connection
from lowland_gis.definitions.check import CheckDefinition, checks, chosen_checks
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import CHECK
from lowland_gis.pipeline.base.runs import Versions, current_versions, record_of
from lowland_gis.pipeline.base.stale import Stale, stale_checks


@dataclass(frozen=True)
class Standing:
    """What a list of findings stands for: `stale` says what it is out of date by, `note` why nothing new is found."""

    stale: Stale | None
    note: str | None = None


def standing(connection: Connection, project: Project, rule: str) -> Standing:
    """Return what the findings of a check stand for.

    Raises:
        UsageError: they say nothing at all: the check has not run yet, or nothing that it looks at was delivered.
    """
    current = current_versions(connection)
    item = chosen_checks(project.settings.check).get(rule)
    record = _newest(connection, rule)
    if item is None:
        switched = f"The check {rule} is switched off in lowland.toml ([check.{rule}] enabled = false), so it finds nothing any more."
        return Standing(None, switched)
    if record is not None:
        stale = stale_checks(connection, record_of(connection, record, CHECK), {rule: item}, current)
        idle = None if stale is not None else _idle(rule, item, current)
        return Standing(stale, idle)
    idle = _idle(rule, item, current)
    if idle is not None:
        raise UsageError(idle)
    looked_at = ", ".join(f"{key} {layer_definition(key).title}" for key in item.layer_keys if key in current)
    raise UsageError(
        f"The check {rule} {checks()[rule].title} was not run yet on {looked_at}, so nothing is known of them."
        " Type: lowland check run"
    )


def _newest(connection: Connection, rule: str) -> int | None:
    row = connection.execute(
        "SELECT max(run_id) FROM result.run WHERE stage = %s AND settings->'checks' ? %s", [CHECK, rule]
    ).fetchone()
    return None if row is None else row[0]


def _idle(rule: str, item: CheckDefinition, current: Versions) -> str | None:
    """Say why a check finds nothing whatever the land is like: what it looks at was not delivered."""
    if not current.keys() & set(item.layer_keys):
        keys = ", ".join(f"{key} {layer_definition(key).title}" for key in item.layer_keys)
        return (
            f"The check {rule} looks at {keys}, of which nothing was delivered, so it says nothing."
            " Type: lowland ingest LAYER FILE"
        )
    if item.other is not None and item.other not in current:
        title = layer_definition(item.other).title
        return (
            f"The check {rule} holds layers against {item.other} {title}, which was not delivered, so it says nothing."
            f" Type: lowland ingest {item.other} FILE"
        )
    return None


def idle_checks(connection: Connection, chosen: Mapping[str, CheckDefinition]) -> list[str]:
    """Return in words which checks had nothing to be held against, by the layer that is missing."""
    current = current_versions(connection)
    missing: dict[str, list[str]] = {}
    for rule, item in chosen.items():
        if current.keys() & set(item.layer_keys) and item.other is not None and item.other not in current:
            missing.setdefault(item.other, []).append(rule)
    return [
        f"{layer} {layer_definition(layer).title} was not delivered, so these checks say nothing: {', '.join(rules)}"
        for layer, rules in missing.items()
    ]
