"""Registered papers (登记材料): what a paper says of one clause of one parcel, and the evidence that it becomes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lowland_gis import schema
from lowland_gis.analysis.rules.pack import Clause, RulePack
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.db.role_names import ANALYST
from lowland_gis.definitions.measure import PaperMeasure, measures
from lowland_gis.definitions.rule_pack import rule_pack
from lowland_gis.errors import UsageError
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.kept_papers import keep_paper
from lowland_gis.pipeline.base.procedure import take_turn
from lowland_gis.pipeline.base.project import Project, who
from lowland_gis.pipeline.base.runs import current_versions

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

# Evidence of this kind says what a registered paper states of a condition.
SAID = "paper: "
REGISTERED, WITHDRAWN = "registered", "withdrawn"
SHOWN_DIGITS = 12
_CURRENT = (
    "SELECT parcel_id, condition, says, file_name, sha256, recorded_by, recorded_at FROM ("
    " SELECT DISTINCT ON (parcel_id, condition) * FROM registry.document WHERE entry_id <= coalesce(%s, entry_id)"
    " ORDER BY parcel_id, condition, entry_id DESC) AS newest WHERE says IS NOT NULL"
    " ORDER BY parcel_id, condition"
)
_COLUMNS = ["parcel_id", "measure", "value", "source"]


@dataclass(frozen=True)
class Registered:
    """A paper as it was registered; `fresh` is false where the same paper said the same before, and nothing was added."""

    parcel_id: str
    condition: str
    title: str
    says: bool | None
    file_name: str
    sha256: str
    recorded_by: str
    fresh: bool = True


def register(project: Project, parcel_id: str, clause: str, file: Path, *, says: bool | None) -> Registered:
    """Append what a paper says of a clause of a parcel; `says` None withdraws what was said before.

    The file itself is kept in the registry (`kept_papers`). The same paper that says the same again adds nothing, so that a command whose
    answer was lost can be typed again; a file of which only the digest was known is kept then.
    `clause` is the name of a measure, the title of a clause, or its condition, in the rule pack of the project.

    Raises:
        UsageError: there is no such parcel, or no such clause; the nearest names are given.
        InputRefusedError: the file cannot be read, or is empty.
        DefinitionError: the rule pack has faults.
    """
    pack = rule_pack(project.settings.classify.pack, project.settings.folder)
    condition, title = _condition(pack, clause)
    state = WITHDRAWN if says is None else REGISTERED
    with project.transaction() as connection:
        take_turn(connection, "registering a paper", lambda: (ANALYST,))
        _refuse_unknown_parcel(connection, parcel_id)
        digest, size = keep_paper(connection, file)
        entry = Registered(parcel_id, condition, title, says, file.name, digest, who())
        there = _newest_entry(connection, parcel_id, condition)
        if there is not None and there[:3] == (says, digest, state):
            return replace(entry, file_name=there[3], recorded_by=there[4], fresh=False)
        row = {
            "parcel_id": parcel_id, "condition": condition, "says": says, "file_name": file.name, "sha256": digest, "size_bytes": size,
            "state": state, "recorded_by": entry.recorded_by,
        }  # fmt: skip
        copy_in(
            connection,
            schema.DOCUMENT,
            pd.DataFrame([row]),
            srid=project.srid,
            constants={"recorded_at": dt.datetime.now(dt.UTC)},
        )
    return entry


def _newest_entry(connection: Connection, parcel_id: str, condition: str) -> tuple[Any, ...] | None:
    """Return says, digest, state, file name and person of what was registered last."""
    return connection.execute(
        "SELECT says, sha256, state, file_name, recorded_by FROM registry.document WHERE parcel_id = %s AND condition = %s"
        " ORDER BY entry_id DESC LIMIT 1",
        [parcel_id, condition],
    ).fetchone()


def current_documents(connection: Connection, last_entry: int | None = None) -> pd.DataFrame:
    """Return what papers say, the newest of each parcel and condition, up to an entry; withdrawn ones are left out."""
    return read_frame(connection, _CURRENT, [last_entry])


def document_texts(connection: Connection, last_entry: int) -> list[list[str]]:
    """Return what `current_documents` returns as texts, for a digest: no frame is needed to know that nothing was registered."""
    return [list(map(str, row)) for row in connection.execute(_CURRENT, [last_entry]).fetchall()]


def paper_rows(name: str, documents: pd.DataFrame, parcels: pd.Index[Any]) -> pd.DataFrame:
    """Return the evidence of a paper measure that papers state of some parcels."""
    said = documents[(documents["condition"] == name) & documents["parcel_id"].isin(parcels)]
    return _rows(said).assign(measure=name)


def silence(definition: PaperMeasure) -> str:
    """Return the source of what the list of an office says of parcels that it does not name."""
    listed = definition.office or "名单"
    return f"{listed}名单未列入" if definition.absent == 0 else f"{listed}名单默认"


def said_rows(documents: pd.DataFrame, measured: set[str]) -> pd.DataFrame:
    """Return the evidence of papers that settle a condition of something measured."""
    said = documents[~documents["condition"].isin(measured)]
    return _rows(said).assign(measure=SAID + said["condition"].astype(str).to_numpy())


def _rows(said: pd.DataFrame) -> pd.DataFrame:
    days = [moment.astimezone(dt.UTC).date().isoformat() for moment in said["recorded_at"]]
    sources = [
        f"{name} sha256:{digest[:SHOWN_DIGITS]} {person} {day}登记"
        for name, digest, person, day in zip(
            said["file_name"], said["sha256"], said["recorded_by"], days, strict=True
        )
    ]
    return pd.DataFrame(
        {
            "parcel_id": said["parcel_id"].to_numpy(dtype=object),
            "measure": "",
            "value": said["says"].to_numpy().astype(np.float64),
            "source": pd.Series(sources, dtype=object),
        },
        columns=_COLUMNS,
    )


def _condition(pack: RulePack, wanted: str) -> tuple[str, str]:
    """Return what is registered for a clause (a paper measure, or a condition) and its title."""
    clauses = [
        clause
        for question in pack.question
        for part in question.parts
        for clause in part.all
        if isinstance(clause, Clause)
    ]
    found = {
        _registered_as(clause): clause.title
        for clause in clauses
        if wanted in (clause.measure, clause.title, clause.condition)
    }
    if len(found) == 1:
        return next(iter(found.items()))
    if not found:
        names = list(dict.fromkeys(name for clause in clauses for name in (clause.measure, clause.title)))
        near = get_close_matches(wanted, names, n=3, cutoff=0.4)
        hint = f" Did you mean: {', '.join(near)}?" if near else ""
        raise UsageError(
            f"The rule pack {pack.name} has no clause {wanted!r}, so nothing was registered.{hint} All of them: lowland rules show {pack.name}"
        )
    raise UsageError(
        f"{wanted!r} stands in {len(found)} conditions, so nothing was registered. Give one of them: "
        + "; ".join(repr(condition) for condition in found)
    )


def _registered_as(clause: Clause) -> str:
    return clause.measure if isinstance(measures().get(clause.measure), PaperMeasure) else clause.condition


def _refuse_unknown_parcel(connection: Connection, parcel_id: str) -> None:
    ids = [version.version_id for version in current_versions(connection).get("parcel", [])]
    known = connection.execute(
        "SELECT 1 FROM land.parcel WHERE version_id = ANY(%s) AND parcel_id = %s", [ids, parcel_id]
    ).fetchone()
    if known is None:
        raise UsageError(
            f"There is no parcel {parcel_id!r} among the current ones, so nothing was registered. Check the code (宗地代码 ZDDM)."
        )
