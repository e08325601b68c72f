"""Record what people decided: one move of one, many or all entries of a town, in one transaction, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowland_gis import schema
from lowland_gis.analysis.registry.moving import Wish, counted_from, planned
from lowland_gis.analysis.registry.procedure import Register
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.db.role_names import ANALYST, APPROVER, ROLES, TOWN
from lowland_gis.db.roles import my_towns
from lowland_gis.errors import MoveRefusedError, UsageError, gathered, listed
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.entries import UNIT
from lowland_gis.pipeline.base.kept_papers import keep_paper
from lowland_gis.pipeline.base.procedure import InForce, procedure_in_force, read_procedure, take_turn
from lowland_gis.pipeline.base.project import Project, who
from lowland_gis.pipeline.base.requests import MEASURE
from lowland_gis.pipeline.base.runs import latest_record
from lowland_gis.pipeline.base.towns import town_codes
from lowland_gis.pipeline.registry.descent import linked, parent_faults
from lowland_gis.pipeline.registry.subjects import Asked, found_entries

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")


@dataclass(frozen=True)
class Typed:
    """What is typed for a move: which, from which day on it counts, and what it rests on.

    `part_of` names the parcels that what is entered came from.
    """

    verb: str
    register: str = "low_efficiency"
    reaches: str | None = None
    on: dt.date | None = None
    document: Path | None = None
    document_no: str | None = None
    reason: str | None = None
    content: Mapping[str, Any] | None = None
    part_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moved:
    """What was recorded: one row an entry, with subject, matter, version, move, from_state, to_state and day (on_date)."""

    rows: pd.DataFrame
    register: Register
    document: str | None
    dry_run: bool


def record_move(project: Project, typed: Typed, asked: Asked, *, dry_run: bool = False) -> Moved:
    """Record a move of every entry that is meant, or of none.

    Raises:
        UsageError: there is no such register, unit or town, or the definitions say another procedure than the database enforces.
        InputRefusedError: a list or the paper cannot be read.
        MoveRefusedError: an entry cannot be moved so; with all of the faults. Nothing was recorded.
    """
    with project.transaction(dry_run=dry_run) as connection:
        take_turn(connection, f"the move {typed.verb}", lambda: _roles_of(connection, typed))
        force = procedure_in_force(connection)
        register = force.register(typed.register)
        _refuse_unknown_verb(typed, register)
        digest = None if typed.document is None else keep_paper(connection, typed.document)[0]
        wish = Wish(
            typed.verb,
            typed.on or dt.datetime.now().astimezone().date(),
            typed.reaches,
            digest,
            typed.document_no,
            typed.reason,
            typed.content,
        )
        found = found_entries(connection, typed.register, register, asked, typed.verb)
        plan = planned(register, found.entries, wish, _days(connection, register, found.entries))
        orphans = parent_faults(connection, typed.register, found.entries, typed.part_of)
        faults = [*found.faults, *plan.faults, *orphans]
        if faults:
            raise MoveRefusedError(
                f"{register.title}: nothing was recorded:\n{listed(gathered(faults))}\nWhere each stands: lowland registry show CODE"
            )
        keyed: Any = found.entries.set_index(["subject", "matter"])
        events = entered(connection, typed.register, plan.events, ordinals=keyed["ordinal"].to_dict())
        record_events(connection, force, typed.register, events, wish)
        linked(connection, typed.register, events, keyed["ended"].dropna().to_dict(), typed.part_of)
    return Moved(plan.events.assign(on_date=wish.on), register, digest, dry_run)


def _roles_of(connection: Connection, typed: Typed) -> tuple[str, ...]:
    """Return who may record a move from any state, by the procedure in force; where that says nothing, whoever records moves."""
    register = read_procedure(connection).registers.get(typed.register)
    moves = (
        []
        if register is None
        else [move for key, move in register.move.items() if register.verb(key) == typed.verb]
    )
    found = {role for move in moves for role in move.roles}
    return tuple(role for role in ROLES if role in found) or (TOWN, ANALYST, APPROVER)


def record_events(
    connection: Connection, force: InForce, register: str, events: pd.DataFrame, wish: Wish
) -> None:
    """Append events by COPY; the database looks at each of them again."""
    numbers = [
        force.numbers[register, move, None if pd.isna(state) else state]
        for move, state in zip(events["move"], events["from_state"], strict=True)
    ]
    rows = events[["entry_id", "version", "move", "from_state", "to_state"]].assign(move_id=numbers)
    copy_in(
        connection,
        schema.EVENT,
        rows.astype({"entry_id": "int64"}),
        srid=0,
        constants={
            "on_date": wish.on,
            "document_sha256": wish.document,
            "document_no": wish.document_no,
            "reason": wish.reason,
            "content": None if wish.content is None else dict(wish.content),
            "account": who(),
        },
    )


def _refuse_unknown_verb(typed: Typed, register: Register) -> None:
    if typed.register == UNIT.register:
        # An event alone would leave the unit frozen in its own table, with its parcels.
        raise UsageError(
            f"{register.title}（{typed.register}）: a unit is frozen and withdrawn together with its parcels and outline, so nothing was recorded."
            " Type: lowland unit freeze – or lowland unit withdraw NUMBER --reason TEXT"
        )
    if typed.verb not in register.verbs:
        raise UsageError(
            f"{register.title}（{typed.register}）: {typed.verb} is no move of this register, so nothing was recorded. Its moves:"
            f" {', '.join(register.verbs)}; another register is named with --register"
        )
    if typed.reaches is not None and typed.reaches not in register.state:
        raise UsageError(
            f"{register.title}（{typed.register}）: there is no state {typed.reaches!r}, so nothing was recorded. Its states:"
            f" {', '.join(register.state)}"
        )


def _days(
    connection: Connection, register: Register, entries: pd.DataFrame
) -> dict[tuple[int, str], dt.date]:
    """Return the last day of each move that others count from."""
    known = entries["entry_id"].dropna().astype(int).tolist()
    rows = connection.execute(
        "SELECT entry_id, move, max(on_date) FROM registry.event WHERE entry_id = ANY(%s) AND move = ANY(%s) GROUP BY 1, 2",
        [known, list(counted_from(register))],
    ).fetchall()
    return {(entry, move): day for entry, move, day in rows}


def entered(
    connection: Connection,
    register: str,
    events: pd.DataFrame,
    towns: Mapping[str, str | None] | None = None,
    *,
    ordinals: Mapping[Any, int] | None = None,
) -> pd.DataFrame:
    """Return events with the numbers of their entries; subjects that are not in the register, or have ended there, are entered.

    `towns` says in which town each of them lies, where that is known already; `ordinals` how many times each subject and matter has been in
    the register with this one, once where nothing is said.
    """
    fresh = events[events["entry_id"].isna()]
    if fresh.empty:
        return events
    towns = _towns(connection, register, fresh["subject"].tolist()) if towns is None else towns
    known = pd.Series([towns.get(subject) for subject in fresh["subject"]], index=fresh.index, dtype=object)
    rows = fresh[["subject", "matter"]].assign(register=register, town_code=known)
    rows["ordinal"] = [
        (ordinals or {}).get((subject, matter), 1)
        for subject, matter in zip(rows["subject"], rows["matter"], strict=True)
    ]
    copy_in(connection, schema.ENTRY, rows, srid=0)
    numbers = read_frame(
        connection,
        "SELECT DISTINCT ON (subject, matter) entry_id, subject, matter FROM registry.entry WHERE register = %s AND subject = ANY(%s)"
        " ORDER BY subject, matter, ordinal DESC",
        [register, fresh["subject"].tolist()],
    )
    joined = events.drop(columns="entry_id").merge(numbers, on=["subject", "matter"], how="left")
    return joined.assign(entry_id=events["entry_id"].reset_index(drop=True).fillna(joined["entry_id"]))


def _towns(connection: Connection, register: str, subjects: list[str]) -> dict[str, str | None]:
    """Return the town of each parcel: where it lies, once parcels were measured, else by its code; a town is a town itself."""
    if register == "plan":
        return {subject: subject for subject in subjects}
    measured = latest_record(connection, MEASURE)
    # A town clerk sees no overlaps, which are of the whole district: of his parcels the code says the town.
    if measured is not None and my_towns(connection) is None:
        return dict(zip(subjects, town_codes(connection, measured, subjects), strict=True))
    rows = connection.execute(
        "SELECT parcel_id, town_code FROM land.current_parcel WHERE parcel_id = ANY(%s)", [subjects]
    ).fetchall()
    return dict(rows)
