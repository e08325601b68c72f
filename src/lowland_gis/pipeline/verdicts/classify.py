"""Decide every question of the rule pack for every parcel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowland_gis import schema
from lowland_gis.analysis.rules.decide import Decision, decide
from lowland_gis.analysis.rules.pack import RulePack
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import COPY_ROWS, copy_in
from lowland_gis.definitions.rule_pack import NO_EXAMPLES, rule_pack, unproven
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import CLASSIFY, MEASURE, classification
from lowland_gis.pipeline.base.runs import Record, Run, needed_record, recorded
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.evidence.facts import evidence_facts
from lowland_gis.pipeline.evidence.stored import Column, write_evidence

if TYPE_CHECKING:
    from lowland_gis.pipeline.verdicts import by_tasks
else:
    by_tasks = when_used("lowland_gis.pipeline.verdicts.by_tasks")


def classify(project: Project, *, tell: Tell = silent) -> Run:
    """Write `result.verdict` for the parcels that were measured, and the scores, ranks and estimates of the pack as evidence.

    Raises:
        DefinitionError: the rule pack has faults, or a parameter that is not in force.
        UsageError: the stage measure has not run.
    """
    settings = project.settings
    pack = rule_pack(settings.classify.pack, settings.folder, settings.project.as_of)
    with project.turn(CLASSIFY) as connection:
        measured = needed_record(connection, MEASURE)

        def work(run_id: int) -> None:
            tell(f"classify {pack.name} {pack.title}")
            for words in unproven(pack):
                if NO_EXAMPLES in words:
                    tell(f"Warning: {words}")
            if project.spark is not None:
                by_tasks.write(connection, project, project.spark, measured, pack, run_id, tell=tell)
                return
            facts = evidence_facts(connection, measured, pack, keep=project.kept)
            _write(connection, project, decide(pack, facts), pack, run_id)

        return recorded(connection, classification(project, pack, measured), work)


def decided(connection: Connection, pack: RulePack, measured: Record) -> Decision:
    """Return what a pack decides on the evidence of a run of the stage measure."""
    return decide(pack, evidence_facts(connection, measured, pack))


def derived_columns(decision: Decision, pack: RulePack) -> dict[str, Column]:
    """Return the scores, ranks and estimates of a pack as evidence."""
    return {
        item.name: Column(decision.derived[item.name], f"{pack.name} {item.document}")
        for item in pack.derived
    }


def _write(connection: Connection, project: Project, decision: Decision, pack: RulePack, run_id: int) -> None:
    parcels, columns = decision.facts.parcels, derived_columns(decision, pack)
    write_evidence(connection, run_id, parcels, columns, srid=project.srid)
    for verdicts in decision.verdicts.values():
        for rows in verdicts.chunks(parcels, COPY_ROWS):
            copy_in(connection, schema.VERDICT, rows, srid=project.srid, constants={"run_id": run_id})
