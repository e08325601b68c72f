"""Decide every question of the rule pack for every parcel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lowland_gis import schema
from lowland_gis.analysis.decide import Decision, decide
from lowland_gis.analysis.rules import RulePack
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import COPY_ROWS, copy_in
from lowland_gis.definitions import measure as define
from lowland_gis.definitions.rule_pack import from_json, rule_pack, to_json
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.evidence import evidence_facts, evidence_table
from lowland_gis.pipeline.project import Project, Tell, silent
from lowland_gis.pipeline.runs import Run, latest_run, needed_run, recorded, run_inputs, run_settings

__all__ = ["STAGE", "classify", "decided", "derived_rows", "evidence_table", "pack_of", "run_number"]

STAGE = "classify"


def classify(project: Project, *, tell: Tell = silent) -> Run:
    """Write `result.verdict` for the parcels that were measured, and the scores, ranks and estimates of the pack as evidence.

    Raises:
        DefinitionError: the rule pack has faults, or a parameter that is not in force.
        UsageError: the stage measure has not run.
    """
    as_of = project.settings.project.as_of
    pack = rule_pack(project.settings.classify.pack, project.settings.folder, as_of)
    with project.transaction() as connection:
        measured = needed_run(connection, "measure")

        def work(run_id: int) -> None:
            tell(f"classify {pack.name} {pack.title}")
            _write(connection, project, decided(connection, pack, measured.run_id), pack, run_id)

        return recorded(
            connection,
            STAGE,
            inputs={"measure": measured.digest, "measure_run": measured.run_id},
            settings={"pack": to_json(pack), "as_of": as_of.isoformat()},
            work=work,
        )


def decided(connection: Connection, pack: RulePack, measure_run: int) -> Decision:
    """Return what a pack decides on the evidence of a run of the stage measure."""
    settings = run_settings(connection, measure_run, "measure")
    return decide(
        pack, evidence_facts(connection, measure_run, units=units_of(settings), day=pack.day(_day(settings)))
    )


def units_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the unit of each measure as a run of the stage measure recorded it."""
    return {name: definition.unit for name, definition in define.from_json(settings["measures"]).items()}


def _day(settings: Mapping[str, Any]) -> Any:
    return pd.Timestamp(settings["as_of"]).date()


def pack_of(connection: Connection, run_id: int) -> RulePack:
    """Return the rule pack that a classification recorded."""
    return from_json(run_settings(connection, run_id, STAGE)["pack"])


def measure_run_of(connection: Connection, run_id: int) -> int:
    """Return the run of the stage measure that a classification rests on."""
    return int(run_inputs(connection, run_id, STAGE)["measure_run"])


def run_number(connection: Connection, name: str) -> int:
    """Return the number of a classification by its name: a number, or latest.

    Raises:
        UsageError: it is neither, or there is no such classification.
    """
    if name == "latest":
        return needed_run(connection, STAGE).run_id
    if not name.isascii() or not name.isdigit():
        newest = latest_run(connection, STAGE)
        hint = f", for example {newest.run_id}," if newest else ""
        raise UsageError(f"{name!r} is no run. Give its number{hint} or: latest")
    run_settings(connection, int(name), STAGE)
    return int(name)


def derived_rows(decision: Decision, pack: RulePack) -> Iterator[pd.DataFrame]:
    """Yield the scores, ranks and estimates of a pack as evidence; only what is known."""
    for item in pack.derived:
        values = decision.derived[item.name]
        known = np.isfinite(values)
        yield pd.DataFrame(
            {
                "parcel_id": decision.facts.parcels[known],
                "measure": item.name,
                "value": values[known],
                "source": f"{pack.name} {item.document}",
            }
        )


def _write(connection: Connection, project: Project, decision: Decision, pack: RulePack, run_id: int) -> None:
    constants = {"run_id": run_id}
    for rows in derived_rows(decision, pack):
        copy_in(connection, schema.EVIDENCE, rows, srid=project.srid, constants=constants)
    for verdicts in decision.verdicts.values():
        for rows in verdicts.chunks(decision.facts.parcels, COPY_ROWS):
            copy_in(connection, schema.VERDICT, rows, srid=project.srid, constants=constants)
