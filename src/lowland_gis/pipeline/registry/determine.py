"""Draft the three registry databases from the verdicts; what people decided is never touched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from typing import Any

import pandas as pd

from lowland_gis import schema
from lowland_gis.analysis.rules.pack import KIND, RulePack
from lowland_gis.analysis.rules.trace import fitting, open_clauses
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.pipeline.base.basis import basis_of
from lowland_gis.pipeline.base.project import Project, who
from lowland_gis.pipeline.base.requests import DETERMINE, registers
from lowland_gis.pipeline.base.runs import Run, recorded
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.verdicts.verdicts import all_verdicts

DRAFT, WITHDRAWN = "draft", "withdrawn"
_OPEN_STATES = (DRAFT, WITHDRAWN)
_FALLBACK_NEEDED, _FALLBACK_OFFICE = "资料核实", "牵头部门"


def determine(project: Project, *, tell: Tell = silent) -> Run:
    """Append drafts to `registry.low_efficiency`, `registry.legacy` and `registry.problem`.

    A parcel gets a new row only if its newest row differs; a draft that no verdict supports any more gets a row with the state
    withdrawn. Entries past the draft state belong to people and stay as they are. The parcels are those of the classification, also
    where others were delivered since.

    Raises:
        UsageError: the stage classify has not run.
    """
    with project.turn(DETERMINE) as connection:
        basis = basis_of(connection)
        connection.execute(
            "LOCK TABLE registry.low_efficiency, registry.legacy, registry.problem IN EXCLUSIVE MODE"
        )

        def work(_: int) -> None:
            tell("determine drafts of the three databases 三库")
            pack, verdicts = basis.pack, all_verdicts(connection, basis)
            for table, key, wanted in (
                (schema.LOW_EFFICIENCY, ["parcel_id"], low_efficiency(verdicts, pack)),
                (schema.LEGACY, ["parcel_id"], legacy(verdicts, pack)),
                (schema.PROBLEM, ["parcel_id", "question", "clause"], problems(verdicts, pack)),
            ):
                _append(connection, project, table, key, wanted, basis.run_id)

        return recorded(connection, registers(basis.classified), work)


def low_efficiency(verdicts: pd.DataFrame, pack: RulePack) -> pd.DataFrame:
    """Return the low-efficiency land database: parcel_id, town_code, kind, rule, area_m2."""
    rows = verdicts[(verdicts["question"] == KIND) & verdicts["answer"].isin(pack.low_answers)]
    return rows.rename(columns={"answer": "kind"})[["parcel_id", "town_code", "kind", "rule", "area_m2"]]


def legacy(verdicts: pd.DataFrame, pack: RulePack) -> pd.DataFrame:
    """Return the historical-legacy database: parcel_id, town_code, retention, clauses, area_m2."""
    rows = verdicts[verdicts["question"] == "retention"].rename(columns={"answer": "retention"})
    if rows.empty:
        return rows.assign(clauses=None)[["parcel_id", "town_code", "retention", "clauses", "area_m2"]]
    question = pack.question_named("retention")
    best: list[Any] = [fitting(question, trace) for trace in rows["trace"].tolist()]
    rows = rows.assign(clauses=best)
    return rows[["parcel_id", "town_code", "retention", "clauses", "area_m2"]]


def problems(verdicts: pd.DataFrame, pack: RulePack) -> pd.DataFrame:
    """Return the problem list: every unknown clause that an open answer hangs on, and which paper settles it."""
    questions = {question.name: question for question in pack.question}
    found = [
        (row["parcel_id"], row["town_code"], row["question"], clause.title,
         clause.needed or _FALLBACK_NEEDED, clause.office or _FALLBACK_OFFICE)
        for row in verdicts[~verdicts["settled"].astype(bool)].to_dict("records")
        for clause in open_clauses(questions[row["question"]], row["trace"])
    ]  # fmt: skip
    columns = ["parcel_id", "town_code", "question", "clause", "needed", "office"]
    return pd.DataFrame(found, columns=columns).drop_duplicates(
        ["parcel_id", "question", "clause"], ignore_index=True
    )


def newest(connection: Connection, table: schema.Table, key: list[str]) -> pd.DataFrame:
    """Return the newest row of every key of a registry table."""
    columns = ", ".join(name for name in table.column_names)
    return read_frame(
        connection,
        f"SELECT DISTINCT ON ({', '.join(key)}) {columns} FROM {table.full_name}"  # noqa: S608 - names of the dictionary
        f" ORDER BY {', '.join(key)}, entry_id DESC",
    )


def _append(
    connection: Connection,
    project: Project,
    table: schema.Table,
    key: list[str],
    wanted: pd.DataFrame,
    run_id: int,
) -> None:
    held = newest(connection, table, key)
    content = [name for name in wanted.columns if name not in key]
    new = _changes(held, wanted, key, content)
    copy_in(
        connection,
        table,
        new,
        srid=project.srid,
        constants={
            "run_id": run_id,
            "recorded_at": dt.datetime.now(dt.UTC),
            "recorded_by": who(),
        },
    )


def _changes(held: pd.DataFrame, wanted: pd.DataFrame, key: list[str], content: list[str]) -> pd.DataFrame:
    """Return the rows to append: new or changed drafts, and withdrawals of drafts that are wanted no more."""
    by_key: dict[tuple[Any, ...], dict[Hashable, Any]] = {
        tuple(row[name] for name in key): row for row in held.to_dict("records")
    }
    rows = []
    for row in wanted.to_dict("records"):
        before = by_key.pop(tuple(row[name] for name in key), None)
        if before is None or (
            before["state"] in _OPEN_STATES
            and (before["state"] == WITHDRAWN or any(before[name] != row[name] for name in content))
        ):
            rows.append({**row, "state": DRAFT})
    rows += [
        {**{name: before[name] for name in (*key, *content)}, "state": WITHDRAWN}
        for before in by_key.values()
        if before["state"] == DRAFT
    ]
    return pd.DataFrame(rows, columns=[*key, *content, "state"])
