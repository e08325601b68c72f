"""Decide every question of the rule pack for every parcel, and explain a verdict afterwards."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lowland_gis import schema
from lowland_gis.analysis.rules import Clause, Question, Rule, RulePack, decide
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.measure import measures
from lowland_gis.definitions.rule_pack import from_json, rule_pack, to_json
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.project import Project, Tell, silent
from lowland_gis.pipeline.runs import Run, current_versions, needed_run, recorded, run_settings

STAGE = "classify"
OUTCOMES = {"t": "true", "f": "false", "u": "unknown"}


def classify(project: Project, *, tell: Tell = silent) -> Run:
    """Write `result.verdict` for the current parcels.

    Raises:
        DefinitionError: the rule pack has faults.
        UsageError: the stage measure has not run.
    """
    pack = rule_pack(project.settings.classify.pack, project.settings.folder)
    with project.transaction() as connection:
        measured = needed_run(connection, "measure")

        def work(run_id: int) -> None:
            tell(f"classify {pack.name} {pack.title}")
            verdicts = decide(pack, evidence_table(connection, measured.run_id))
            copy_in(connection, schema.VERDICT, verdicts, srid=project.srid, constants={"run_id": run_id})

        return recorded(
            connection,
            STAGE,
            inputs={"measure": measured.digest, "measure_run": measured.run_id},
            settings={"pack": to_json(pack)},
            work=work,
        )


def evidence_table(connection: Connection, run_id: int) -> pd.DataFrame:
    """Return evidence as one row a parcel and one column a measure, NaN where nothing is known."""
    ids = [version.version_id for version in current_versions(connection).get("parcel", [])]
    parcels = read_frame(
        connection, "SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%s) ORDER BY parcel_id", [ids]
    )
    long = read_frame(
        connection, "SELECT parcel_id, measure, value FROM result.evidence WHERE run_id = %s", [run_id]
    )
    wide = long.pivot(index="parcel_id", columns="measure", values="value")  # noqa: PD010 - pivot_table would average
    return wide.reindex(pd.Index(parcels["parcel_id"])).astype(np.float64)


@dataclass(frozen=True)
class ClauseLine:
    """One clause of an explanation, as people read it."""

    title: str
    measure: str
    measure_title: str
    op: str
    limit: float
    unit: str
    value: float | None
    outcome: str
    source: str | None
    needed: str | None
    office: str | None


@dataclass(frozen=True)
class RuleLine:
    """One rule of an explanation with its clauses."""

    rule: str
    title: str
    answer: str
    article: str
    outcome: str
    clauses: tuple[ClauseLine, ...]


@dataclass(frozen=True)
class Explanation:
    """The verdict on one question for one parcel, with everything that it rests on."""

    parcel_id: str
    question: str
    question_title: str
    answer: str
    answer_title: str
    settled: bool
    rule: str | None
    candidate_title: str | None
    pack: str
    pack_title: str
    example: bool
    run_id: int
    rules: tuple[RuleLine, ...]


def explain(project: Project, parcel_id: str, run: int | None = None) -> list[Explanation]:
    """Return the explanation of every question that was asked of a parcel, from the record of a run.

    Raises:
        UsageError: there is no such run, or no such parcel in it.
    """
    with project.transaction() as connection:
        run_id = needed_run(connection, STAGE).run_id if run is None else run
        pack = from_json(run_settings(connection, run_id, STAGE)["pack"])
        verdicts = read_frame(
            connection,
            "SELECT question, answer, settled, rule, candidate, trace FROM result.verdict"
            " WHERE run_id = %s AND parcel_id = %s",
            [run_id, parcel_id],
        )
        if verdicts.empty:
            raise UsageError(
                f"Run {run_id} holds no parcel {parcel_id!r}. Check the code (宗地代码 ZDDM); a parcel that was set aside"
                " at ingest is in land.issue."
            )
        evidence = _parcel_evidence(connection, run_id, parcel_id)
    asked = {str(row["question"]): row for row in verdicts.to_dict("records")}
    return [
        _explanation(pack, question, asked[question.name], evidence, parcel_id, run_id)
        for question in pack.question
        if question.name in asked
    ]


def _parcel_evidence(connection: Connection, run_id: int, parcel_id: str) -> dict[str, tuple[float, str]]:
    rows = connection.execute(
        "SELECT measure, value, source FROM result.evidence WHERE parcel_id = %s AND run_id ="
        " (SELECT (inputs->>'measure_run')::bigint FROM result.run WHERE run_id = %s)",
        [parcel_id, run_id],
    ).fetchall()
    return {name: (value, source) for name, value, source in rows}


def _explanation(
    pack: RulePack,
    question: Question,
    verdict: Mapping[Hashable, Any],
    evidence: dict[str, tuple[float, str]],
    parcel_id: str,
    run_id: int,
) -> Explanation:
    titles = {**question.answers, "open": "待核"}
    return Explanation(
        parcel_id,
        question.name,
        question.title,
        verdict["answer"],
        titles[verdict["answer"]],
        bool(verdict["settled"]),
        verdict["rule"],
        titles.get(str(verdict["candidate"])),
        pack.name,
        pack.title,
        pack.example,
        run_id,
        tuple(_rule_line(pack, rule, verdict["trace"][rule.name], evidence) for rule in question.rule),
    )


def _rule_line(pack: RulePack, rule: Rule, letters: str, evidence: dict[str, tuple[float, str]]) -> RuleLine:
    whole = "f" if "f" in letters else "u" if "u" in letters else "t"
    clauses = tuple(
        _clause_line(pack, clause, letter, evidence) for clause, letter in zip(rule.all, letters, strict=True)
    )
    return RuleLine(rule.name, rule.title, rule.answer, rule.article, OUTCOMES[whole], clauses)


def _clause_line(
    pack: RulePack, clause: Clause, letter: str, evidence: dict[str, tuple[float, str]]
) -> ClauseLine:
    value, source = evidence.get(clause.measure, (None, None))
    definition = measures().get(clause.measure)
    return ClauseLine(
        clause.title,
        clause.measure,
        definition.title if definition else clause.measure,
        clause.op,
        pack.limit(clause),
        definition.unit if definition else "",
        value,
        OUTCOMES[letter],
        source,
        clause.needed,
        clause.office,
    )
