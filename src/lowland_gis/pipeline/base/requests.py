"""What each stage would rest on if it ran now: deliveries, papers, the runs before it, definitions and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lowland_gis.analysis.rules.pack import RulePack
from lowland_gis.db.connect import Connection
from lowland_gis.definitions import measure as define
from lowland_gis.definitions.check import CheckDefinition
from lowland_gis.definitions.layer import layer_definition, layer_keys
from lowland_gis.definitions.own import CHECKS, CODES, LAYERS, MEASURES, in_use
from lowland_gis.definitions.rule_pack import to_json
from lowland_gis.pipeline.base.papers import document_texts
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Record, Request, Versions, digest_of, numbered
from lowland_gis.settings import DelineateSettings

# What a run records of the project's own definitions: kind → digest.
DEFINITIONS = "definitions"
CHECK, TABULATE, MEASURE, CLASSIFY = "check", "tabulate", "measure", "classify"
DELINEATE, DRAFT, DETERMINE = "delineate", "draft", "determine"

# The tables name towns and plan zones, and units are drawn town by town.
_NAMED = ("parcel", "plan_zone", "town")


def tabulated_layers(versions: Versions) -> list[str]:
    """Return the delivered layers that parcels are tabulated against."""
    return [key for key in layer_keys() if key in versions and layer_definition(key).tabulate != "no"]


def tabulation(project: Project, versions: Versions, engine: str | None = None) -> Request:
    """Return what the stage tabulate rests on; `layers` says it layer by layer, so that what holds is taken over.

    Without `engine` it is that of the settings. Engines agree, so a run is not out of date by having been computed by another one.
    """
    layers = tabulated_layers(versions)
    return Request(
        TABULATE,
        {
            "versions": _numbered(versions, {"parcel", *layers}),
            "layers": {key: _overlaps(project, versions, key) for key in layers},
        },
        {
            "engine": engine or project.settings.tabulate.engine,
            "strips": "replace the ground",
            "cover": project.settings.tabulate.cover,
            "as_of": _day(project),
            **_own(LAYERS, CODES),
        },
    )


def _overlaps(project: Project, versions: Versions, key: str) -> dict[str, Any]:
    """Return all that the overlaps of a layer depend on: its deliveries, those of the parcels, and the day where it has dates."""
    definition = layer_definition(key)
    zones = [*versions[key], *(versions.get(definition.strips, []) if definition.strips else [])]
    dated = definition.valid_from is not None or definition.valid_to is not None
    return {
        "zones": numbered(zones),
        "parcels": numbered(versions.get("parcel", [])),
        "as_of": _day(project) if dated else None,
    }


def measuring(connection: Connection, project: Project, versions: Versions, tabulated: Record) -> Request:
    """Return what the stage measure rests on: a tabulation, deliveries, papers, measures and the day."""
    defined = define.measures()
    layers = set(_NAMED)
    for definition in defined.values():
        layers |= {*definition.needs, *definition.may_use}
    row = connection.execute("SELECT coalesce(max(entry_id), 0) FROM registry.document").fetchone()
    newest = int(row[0]) if row else 0
    return Request(
        MEASURE,
        {
            "tabulate": tabulated.digest,
            "tabulate_run": tabulated.run_id,
            "versions": _numbered(versions, layers),
            "parcel_versions": [version.version_id for version in versions.get("parcel", [])],
            "documents": digest_of(document_texts(connection, newest)),
            "last_document": newest,
        },
        {
            "as_of": _day(project),
            "measures": define.to_json(defined),
            "town_claim_min": project.settings.measure.town_claim_min,
            **_own(LAYERS, CODES, MEASURES),
        },
    )


def classification(project: Project, pack: RulePack, measured: Record) -> Request:
    """Return what the stage classify rests on: evidence and a rule pack."""
    return Request(
        CLASSIFY,
        {"measure": measured.digest, "measure_run": measured.run_id},
        {"pack": to_json(pack), "as_of": _day(project)},
    )


def units(
    stage: str, name: str, settings: DelineateSettings, versions: Versions, classified: Record
) -> Request:
    """Return what a draft of units rests on: verdicts, what divides, and limits."""
    return Request(
        stage,
        {
            "classify": classified.digest,
            "classify_run": classified.run_id,
            "versions": _numbered(versions, dividing_layers(settings, versions)),
        },
        {"name": name, **settings.model_dump(mode="json")},
    )


def dividing_layers(settings: DelineateSettings, versions: Versions) -> set[str]:
    """Return the layers that divide units; without towns the boundary of the district stands in for theirs."""
    planning = {settings.planning.layer} if settings.planning.layer else set()
    return {"road", "town" if versions.get("town") else "district", *settings.barriers, *planning}


def registers(classified: Record) -> Request:
    """Return what the drafts of the registry rest on: verdicts."""
    return Request(DETERMINE, {"classify": classified.digest, "classify_run": classified.run_id}, {})


def checking(versions: Versions, chosen: Mapping[str, CheckDefinition]) -> Request:
    """Return what checks rest on: the deliveries that they look at, and their limits."""
    return Request(
        CHECK,
        {"versions": _numbered(versions, checked_layers(chosen))},
        {
            "checks": {name: item.model_dump(mode="json") for name, item in chosen.items()},
            **_own(LAYERS, CODES, CHECKS),
        },
    )


def checked_layers(chosen: Mapping[str, CheckDefinition]) -> set[str]:
    """Return the layers that checks look at."""
    return {key for item in chosen.values() for key in (*item.layer_keys, *filter(None, [item.other]))}


def _own(*kinds: str) -> dict[str, Any]:
    """Return the digests of what the project has of its own, as a run records them; nothing where all is as shipped."""
    found = in_use().digest(*kinds)
    return {DEFINITIONS: found} if found else {}


def _numbered(versions: Versions, layers: set[str]) -> dict[str, str]:
    return numbered([version for key in sorted(layers) for version in versions.get(key, [])])


def _day(project: Project) -> str:
    return project.settings.project.as_of.isoformat()
