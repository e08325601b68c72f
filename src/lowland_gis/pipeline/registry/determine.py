"""Draft the three registry databases from the verdicts; what people decided is never touched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from lowland_gis import schema
from lowland_gis.analysis.rules.pack import KIND, RulePack
from lowland_gis.analysis.rules.trace import fitting, open_clauses
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.db.role_names import ANALYST
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base import entries
from lowland_gis.pipeline.base.basis import basis_of
from lowland_gis.pipeline.base.procedure import procedure_in_force, take_turn
from lowland_gis.pipeline.base.project import Project, who
from lowland_gis.pipeline.base.requests import DETERMINE, registers
from lowland_gis.pipeline.base.runs import Run, recorded
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.verdicts.verdicts import registered_verdicts

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

DRAFT, WITHDRAWN = "draft", "withdrawn"
# The question that the historical-legacy database is drafted from.
RETENTION = "retention"
# What comes back from a review is drafted anew where the verdict gives other figures by now.
_RETURNED = "returned"
_FALLBACK_NEEDED, _FALLBACK_OFFICE = "资料核实", "牵头部门"


def determine(project: Project, *, on: dt.date | None = None, tell: Tell = silent) -> Run:
    """Append drafts to `registry.low_efficiency`, `registry.legacy` and `registry.problem`, and an event to the entry of each.

    A parcel gets a new row only if its newest row differs; a draft that no verdict supports any more gets a row with the state
    withdrawn. What people moved on, or withdrew, belongs to them and stays as it is; only what was returned is drafted anew where its
    figures are others by now. The parcels are those of the classification, also where others were delivered since. Drafts count from today;
    the day `on` is for data whose years are made up.

    Raises:
        UsageError: the stage classify has not run.
    """
    with project.turn(DETERMINE) as connection:
        basis = basis_of(connection)
        take_turn(connection, "drafting entries", lambda: (ANALYST,))
        force = procedure_in_force(connection)

        def work(_: int) -> None:
            tell("determine drafts of the three databases 三库")
            pack, verdicts = basis.pack, registered_verdicts(connection, basis, [RETENTION])
            for drafted, key, wanted in (
                (entries.LOW_EFFICIENCY, ["parcel_id"], low_efficiency(verdicts, pack)),
                (entries.LEGACY, ["parcel_id"], legacy(verdicts, pack)),
                (entries.PROBLEM, ["parcel_id", "question", "clause"], problems(verdicts, pack)),
            ):
                before = entries.newest_row(connection, drafted.table)
                _append(connection, project, drafted, key, wanted, basis.run_id)
                entries.record_drafted(connection, drafted, force, before, by_program=True, on=on)

        return recorded(connection, registers(basis.classified), work)


def low_efficiency(verdicts: pd.DataFrame, pack: RulePack) -> pd.DataFrame:
    """Return the low-efficiency land database: parcel_id, town_code, kind, rule, area_m2."""
    rows = verdicts[(verdicts["question"] == KIND) & verdicts["answer"].isin(pack.low_answers)]
    return rows.rename(columns={"answer": "kind"})[["parcel_id", "town_code", "kind", "rule", "area_m2"]]


def legacy(verdicts: pd.DataFrame, pack: RulePack) -> pd.DataFrame:
    """Return the historical-legacy database: parcel_id, town_code, retention, clauses, area_m2."""
    rows = verdicts[verdicts["question"] == RETENTION].rename(columns={"answer": "retention"})
    if rows.empty:
        return rows.assign(clauses=None)[["parcel_id", "town_code", "retention", "clauses", "area_m2"]]
    question = pack.question_named(RETENTION)
    best: list[Any] = [fitting(question, trace) for trace in rows["trace"].tolist()]
    rows = rows.assign(clauses=best)
    return rows[["parcel_id", "town_code", "retention", "clauses", "area_m2"]]


def problems(verdicts: pd.DataFrame, pack: RulePack) -> pd.DataFrame:
    """Return the problem list: every unknown clause that an open answer hangs on, and which paper settles it."""
    questions = {question.name: question for question in pack.question}
    found = [
        (row["parcel_id"], row["town_code"], row["question"], clause.title,
         clause.needed or _FALLBACK_NEEDED, clause.office or _FALLBACK_OFFICE)
        for row in _records(verdicts[~verdicts["settled"].astype(bool)])
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


def with_states(connection: Connection, drafted: entries.Drafted, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of a register's own table with `stands`, the state of their entry, and `people`: whether people brought it there.

    A row whose entry cannot be told stands nowhere (None).
    """
    found = read_frame(
        connection,
        "SELECT DISTINCT ON (subject, matter) subject, matter, current_entry.state AS stands, event.content->>'by' IS DISTINCT FROM 'program'"
        " AND event.move_id IS NOT NULL AS people FROM registry.current_entry JOIN registry.event USING (entry_id, version)"
        " WHERE register = %s ORDER BY subject, matter, ordinal DESC",
        [drafted.register],
    )
    matter = rows["question"] + ": " + rows["clause"] if "question" in rows else ""
    keyed = rows.assign(subject=rows[drafted.subject], matter=matter)
    return keyed.merge(found, on=["subject", "matter"], how="left").drop(columns=["subject", "matter"])


def _append(
    connection: Connection,
    project: Project,
    drafted: entries.Drafted,
    key: list[str],
    wanted: pd.DataFrame,
    run_id: int,
) -> None:
    held = with_states(connection, drafted, newest(connection, drafted.table, key))
    if "question" in held:
        # What firms did not keep is proposed and taken back elsewhere.
        held = held[held["question"] != entries.PROMISE_QUESTION]
    content = [name for name in wanted.columns if name not in key]
    new = _changes(held, wanted, key, content, drafted.states)
    copy_in(
        connection,
        drafted.table,
        new,
        srid=project.srid,
        constants={
            "run_id": run_id,
            "recorded_at": dt.datetime.now(dt.UTC),
            "recorded_by": who(),
        },
    )


def _changes(
    held: pd.DataFrame, wanted: pd.DataFrame, key: list[str], content: list[str], states: Mapping[str, str]
) -> pd.DataFrame:
    """Return the rows to append: new or changed drafts, and withdrawals of drafts that are wanted no more.

    `states` are those of an entry whose row was drafted, and withdrawn, by the program.
    """
    if held.empty:
        # The first drafts of a district are all of them, and nobody need look at them one by one.
        return wanted[[*key, *content]].assign(state=DRAFT)
    by_key: dict[tuple[Any, ...], dict[Hashable, Any]] = {
        tuple(row[name] for name in key): row for row in _records(held)
    }
    rows = []
    for row in _records(wanted):
        before = by_key.pop(tuple(row[name] for name in key), None)
        if before is None or _is_drafted_anew(before, row, content, states):
            rows.append({**row, "state": DRAFT})
    rows += [
        {**{name: before[name] for name in (*key, *content)}, "state": WITHDRAWN}
        for before in by_key.values()
        if before["stands"] == states[DRAFT]
    ]
    return pd.DataFrame(rows, columns=[*key, *content, "state"])


def _records(rows: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return rows as dictionaries; pandas looks at every value of every row for that, which takes three times as long.

    Texts that pandas keeps in Arrow come as objects all at once, not one by one.
    """
    columns = [rows[name].to_numpy(dtype=object).tolist() for name in rows.columns]
    return [dict(zip(rows.columns, values, strict=True)) for values in zip(*columns, strict=True)]


def _is_drafted_anew(
    before: Mapping[Hashable, Any], row: Mapping[Hashable, Any], content: list[str], states: Mapping[str, str]
) -> bool:
    if before["stands"] == states[WITHDRAWN]:
        return not before["people"]
    return before["stands"] in (states[DRAFT], _RETURNED) and any(
        before[name] != row[name] for name in content
    )
