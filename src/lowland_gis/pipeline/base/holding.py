"""Which stages hold: their newest runs rest on all that they would rest on if they ran now."""

from __future__ import annotations

from collections.abc import Iterator

from lowland_gis.db.connect import Connection
from lowland_gis.definitions.rule_pack import rule_pack
from lowland_gis.pipeline.base import requests
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Record, Request, Run, current_versions, latest_record

# The draft of units that is a stage of the flow; others stand beside it.
FLOW = "flow"


def held_runs(project: Project) -> dict[str, Run]:
    """Return the stages of the flow that hold, and so do all that they rest on, with their newest runs, in one state of the database.

    Raises:
        DefinitionError: the rule pack has faults.
    """
    with project.snapshot() as connection:
        records = held_records(connection, project)
    return {stage: Run(record.run_id, stage, record.digest, fresh=False) for stage, record in records.items()}


def held_records(connection: Connection, project: Project) -> dict[str, Record]:
    """Return what the runs of the stages that hold recorded, by stage; arguments and errors as with `held_runs`."""
    held: dict[str, Record] = {}
    for request in _requests(connection, project, held):
        newest = latest_record(connection, request.stage)
        if newest is not None and newest.digest == request.digest:
            held[request.stage] = newest
    return held


def _requests(connection: Connection, project: Project, held: dict[str, Record]) -> Iterator[Request]:
    """Yield what stages would rest on, in their order, as far as those before them hold: `held` is looked at in between."""
    settings, versions = project.settings, current_versions(connection)
    yield requests.tabulation(project, versions)
    if requests.TABULATE in held:
        yield requests.measuring(connection, project, versions, held[requests.TABULATE])
    if requests.MEASURE in held:
        pack = rule_pack(settings.classify.pack, settings.folder, settings.project.as_of)
        yield requests.classification(project, pack, held[requests.MEASURE])
    if requests.CLASSIFY in held:
        classified = held[requests.CLASSIFY]
        yield requests.units(requests.DELINEATE, FLOW, settings.delineate, versions, classified)
        yield requests.registers(classified)
