"""Promises of firms (承诺) in the registry: read from a table, held against the yearly figures, and what is breached proposed as problems."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from lowland_gis import schema
from lowland_gis.analysis.fields.attributes import arrow_table, standardise
from lowland_gis.analysis.quality.attributes import is_credit_code
from lowland_gis.analysis.registry.moving import Wish, planned
from lowland_gis.analysis.registry.promises import (
    BREACHED,
    DUE,
    ITEMS,
    STATUS,
    UNKNOWN,
    Item,
    Promise,
    contracts_of,
    items,
    promise_of,
)
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.db.role_names import ANALYST
from lowland_gis.definitions.promise import promise_fields
from lowland_gis.errors import InputRefusedError, MoveRefusedError, gathered, listed
from lowland_gis.files.read import read
from lowland_gis.files.source import opened
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.entries import PROBLEM, PROMISE_QUESTION, newest_row, record_drafted
from lowland_gis.pipeline.base.kept_papers import keep_paper, known_paper
from lowland_gis.pipeline.base.procedure import procedure_in_force, take_turn
from lowland_gis.pipeline.base.project import Project, who
from lowland_gis.pipeline.base.requests import CLASSIFY
from lowland_gis.pipeline.base.runs import latest_record
from lowland_gis.pipeline.registry.figures import delivered_figures, delivered_works
from lowland_gis.pipeline.registry.moves import entered, record_events
from lowland_gis.pipeline.registry.subjects import Asked, found_entries

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

REGISTER, BREACH = "promise", "promise_breached"
_NEEDED, _OFFICE = "整改材料或违约处理意见", "区工信局"
_DAYS = [field.name for field in promise_fields() if field.type == "date"]
_HELD = (
    "SELECT DISTINCT ON (entry.subject) entry.subject, stands.state, event.content, event.document_sha256, paper.file_name, paper.size_bytes"
    " FROM registry.entry JOIN registry.event USING (entry_id) JOIN registry.current_entry AS stands USING (entry_id)"
    " JOIN registry.paper ON paper.sha256 = event.document_sha256"
    " WHERE entry.register = 'promise' AND event.move = 'sign'"
    " ORDER BY entry.subject, entry.ordinal DESC, event.version DESC, paper.has_file DESC"
)


@dataclass(frozen=True)
class Held:
    """A contract as it holds: what it promises, where it stands, and its paper."""

    promise: Promise
    state: str
    document: str
    file_name: str
    size_bytes: int


def record_promises(
    project: Project, table: Path, *, on: dt.date | None = None, dry_run: bool = False
) -> tuple[list[str], int]:
    """Record the contracts of a table; return those that are new or amended, and how many were recorded before.

    Raises:
        InputRefusedError: the table cannot be read, or a row of it has a fault; with all of them. Nothing was recorded.
        MoveRefusedError: a contract has ended.
    """
    rows, faults = _rows(table)
    found, more = contracts_of(rows)
    faults += more
    with project.transaction(dry_run=dry_run) as connection:
        take_turn(connection, "recording promises and their breaches", lambda: (ANALYST,))
        force = procedure_in_force(connection)
        before = held_promises(connection)
        towns = _towns(connection, [row["ZDDM"] for row in rows])
        faults += list(_strange(rows, found, before, towns))
        if faults:
            lines = gathered(
                (f"row {place + 2}", f"row {place + 2}, {name}: {words}", f"{name}: {words}")
                for place, name, words in sorted(faults)
            )
            raise InputRefusedError(f"{table}: nothing was recorded:\n{listed(lines, shown=len(lines))}")
        papers = {promise.contract: _paper(connection, table.parent, rows[place]) for promise, place in found}
        fresh = [
            promise
            for promise, _ in found
            if promise.contract not in before
            or before[promise.contract].state != "signed"
            or (before[promise.contract].promise, before[promise.contract].document)
            != (promise, papers[promise.contract])
        ]
        register = force.register(REGISTER)
        day = on or dt.datetime.now().astimezone().date()
        if fresh:
            names = tuple(promise.contract for promise in fresh)
            entries = found_entries(connection, REGISTER, register, Asked(names), "promise").entries
            plan = planned(register, entries, Wish("promise", day, document="x"), {})
            if plan.faults:
                raise MoveRefusedError(
                    f"{register.title}: nothing was recorded:\n{listed(gathered(plan.faults))}"
                )
            events = entered(
                connection, REGISTER, plan.events, {p.contract: towns.get(p.parcels[0]) for p in fresh}
            )
            for promise in fresh:
                wish = Wish(
                    "promise", day, document=papers[promise.contract], document_no=promise.contract, content=promise.as_json()
                )  # fmt: skip
                own = events[events["subject"] == promise.contract]
                record_events(connection, force, REGISTER, own, wish)
    return [promise.contract for promise in fresh], len(found) - len(fresh)


def held_promises(connection: Connection) -> dict[str, Held]:
    """Return the contracts by number as they hold now: of one that was amended the newer."""
    return {
        contract: Held(promise_of(content), state, document, name, size)
        for contract, state, content, document, name, size in connection.execute(_HELD)
    }


def promise_items(connection: Connection, day: dt.date) -> list[tuple[Held, Item]]:
    """Return everything that the contracts in force promise, and how it stands on a day."""
    held = [each for each in held_promises(connection).values() if each.state == "signed"]
    figures = delivered_figures(connection, [firm for each in held for firm in each.promise.firms])
    works = delivered_works(connection, [parcel for each in held for parcel in each.promise.parcels])
    return [(each, item) for each in held for item in items(each.promise, figures, works, day)]


def promise_rows(
    connection: Connection, day: dt.date, *, firm: str | None = None, parcel: str | None = None
) -> list[dict[str, Any]]:
    """Return what was promised and how it stands on a day, of a firm (code or name) or a parcel where one is named.

    Columns: contract, firms, names, parcels, item, year, due, promised, actual (万元, or a day), status, title, words.
    """
    found = promise_items(connection, day)
    names = dict(
        connection.execute(
            "SELECT DISTINCT ON (credit_code) credit_code, attributes->>'QYMC' FROM land.current_enterprise"
            " WHERE credit_code IS NOT NULL ORDER BY credit_code, year DESC"
        ).fetchall()
    )
    rows = []
    for held, item in found:
        named = [names.get(code) or "" for code in held.promise.firms]
        if (firm is None or firm in (*held.promise.firms, *named)) and (
            parcel is None or parcel in held.promise.parcels
        ):
            rows.append(
                {
                    **vars(item), "firms": " ".join(held.promise.firms), "names": "、".join(named), "parcels": " ".join(held.promise.parcels),
                    "item": ITEMS[item.item], "title": STATUS[item.status],
                }
            )  # fmt: skip
    return rows


def propose_breaches(project: Project, day: dt.date) -> tuple[int, int]:
    """Bring the problem list up to what is breached on a day; return how many problems are new, and how many were taken back.

    A problem that people have settled or dropped is not proposed again. Of parcels with a breach `promise_breached` is registered as
    said by the contract, so that rules can ask for it with the next classification; where nothing is breached any more it is withdrawn.
    """
    with project.transaction() as connection:
        take_turn(connection, "recording promises and their breaches", lambda: (ANALYST,))
        force = procedure_in_force(connection)
        found = promise_items(connection, day)
        breached = {
            (parcel, _clause(item)): held
            for held, item in found
            if item.status == BREACHED
            for parcel in held.promise.parcels
        }
        # What cannot be told now is no reason to take anything back.
        unclear = {
            (parcel, _clause(item))
            for held, item in found
            if item.status in (UNKNOWN, DUE)
            for parcel in held.promise.parcels
        }
        states = {
            (subject, matter.removeprefix(f"{PROMISE_QUESTION}: ")): state
            for subject, matter, state in connection.execute(
                "SELECT DISTINCT ON (subject, matter) subject, matter, state FROM registry.current_entry WHERE register = 'problem'"
                " AND starts_with(matter, %s) ORDER BY subject, matter, ordinal DESC",
                [f"{PROMISE_QUESTION}: "],
            )
        }
        fresh = [key for key in breached if key not in states]
        back = [
            key
            for key, state in states.items()
            if state == "open" and key not in breached and key not in unclear
        ]
        before, run = newest_row(connection, schema.PROBLEM), latest_record(connection, CLASSIFY)
        towns = _towns(connection, [parcel for parcel, _ in (*fresh, *back)])
        rows = [
            {"parcel_id": parcel, "town_code": towns.get(parcel), "clause": clause, "state": state}
            for keys, state in ((fresh, "draft"), (back, "withdrawn"))
            for parcel, clause in sorted(keys)
        ]
        _append(connection, schema.PROBLEM, rows, {
            "question": PROMISE_QUESTION, "needed": _NEEDED, "office": _OFFICE, "run_id": 0 if run is None else run.run_id,
        })  # fmt: skip
        record_drafted(connection, PROBLEM, force, before, by_program=True)
        _say_breached(connection, {parcel: held for (parcel, _), held in breached.items()})
    return len(fresh), len(back)


def _say_breached(connection: Connection, breached: Mapping[str, Held]) -> None:
    """Register what the contracts say of parcels: breached, or not said any more."""
    said = {
        parcel: (document, name, size)
        for parcel, says, document, name, size in connection.execute(
            "SELECT DISTINCT ON (parcel_id) parcel_id, says, sha256, file_name, size_bytes FROM registry.document WHERE condition = %s"
            " ORDER BY parcel_id, entry_id DESC",
            [BREACH],
        )
        if says
    }
    rows: list[dict[str, Any]] = [
        {"parcel_id": parcel, "says": True, "sha256": held.document, "file_name": held.file_name, "size_bytes": held.size_bytes, "state": "registered"}
        for parcel, held in sorted(breached.items())
        if parcel not in said
    ]  # fmt: skip
    rows += [
        {"parcel_id": parcel, "says": None, "sha256": document, "file_name": name, "size_bytes": size, "state": "withdrawn"}
        for parcel, (document, name, size) in sorted(said.items())
        if parcel not in breached
    ]  # fmt: skip
    _append(connection, schema.DOCUMENT, rows, {"condition": BREACH})


def _append(
    connection: Connection, table: schema.Table, rows: list[dict[str, Any]], constants: Mapping[str, Any]
) -> None:
    if rows:
        recorded = {"recorded_at": dt.datetime.now(dt.UTC), "recorded_by": who()}
        copy_in(
            connection, table, pd.DataFrame(rows).astype(object), srid=0, constants={**constants, **recorded}
        )


def _clause(item: Item) -> str:
    return f"{item.contract} {ITEMS[item.item]}" + ("" if item.year is None else str(item.year))


def _rows(table: Path) -> tuple[list[dict[str, Any]], list[tuple[int, str, str]]]:
    """Return the rows of a table under standard names and in their units, and what is wrong with its values.

    Raises:
        InputRefusedError: it cannot be read, or lacks a column that is needed.
    """
    with opened(str(table), Path()) as source:
        received = read(source).attributes
    fields = promise_fields()
    standard = standardise(
        arrow_table({str(name): received[name] for name in received.columns}), fields, {}
    )  # fmt: skip
    if standard.missing:
        raise InputRefusedError(
            f"{table}: nothing was recorded, because columns are missing: {', '.join(standard.missing)}. It has:"
            f" {', '.join(map(str, received.columns))}"
        )
    faults = [
        (int(row["row_no"]), str(row["rule"]), str(row["message"]))
        for row in standard.faults.to_dict("records")
    ]
    empty = dict.fromkeys(field.name for field in fields)
    rows = [{**empty, **row} for row in standard.rows.to_pylist()]
    wrong = {place for place, _, _ in faults}
    for place, row in enumerate(rows):
        faults += [
            (place, field.name, f"{field.title} is empty")
            for field in fields
            if field.required and row[field.name] in (None, "") and place not in wrong
        ]
        row.update({name: None if row[name] is None else dt.date.fromisoformat(row[name]) for name in _DAYS})
    if not rows:
        raise InputRefusedError(f"{table}: it has no rows, so nothing was recorded.")
    return rows, faults


def _strange(
    rows: Sequence[Mapping[str, Any]],
    found: Sequence[tuple[Promise, int]],
    before: Mapping[str, Held],
    towns: Mapping[str, str | None],
) -> Iterator[tuple[int, str, str]]:
    """Yield what does not fit what is there: parcels, codes of firms, papers, and contracts that are older than the one recorded."""
    for place, row in enumerate(rows):
        if row["ZDDM"] and row["ZDDM"] not in towns:
            yield place, "ZDDM", f"there is no parcel {row['ZDDM']} among the current ones"
        if row["TYSHXYDM"] and not is_credit_code(row["TYSHXYDM"]):
            yield place, "TYSHXYDM", f"{row['TYSHXYDM']} is no unified social credit code"
    for promise, place in found:
        held = before.get(promise.contract)
        if held is not None and promise.signed_on and promise.signed_on < held.promise.signed_on:
            yield place, "HTQDRQ", f"{promise.contract} was amended on {held.promise.signed_on}, after {promise.signed_on}"  # fmt: skip
        if not rows[place]["HTWJ"] and not rows[place]["HTJYM"]:
            yield place, "HTWJ", f"{promise.contract} has no paper: name its file (HTWJ), or its SHA-256 (HTJYM)"  # fmt: skip


def _paper(connection: Connection, folder: Path, row: Mapping[str, Any]) -> str:
    """Keep the paper of a contract and return its SHA-256; of one that is elsewhere only the digest is known."""
    if row["HTWJ"] and not row["HTJYM"]:
        return keep_paper(connection, folder / row["HTWJ"])[0]
    return known_paper(connection, row["HTJYM"], row["HTWJ"] or row["HTBH"])


def _towns(connection: Connection, parcels: Sequence[str]) -> dict[str, str | None]:
    """Return the towns of the parcels that there are."""
    query = sql.SQL("SELECT parcel_id, town_code FROM land.current_parcel WHERE parcel_id = ANY(%s)")
    rows = read_frame(connection, query, [[parcel for parcel in parcels if parcel]])
    return dict(zip(rows["parcel_id"], rows["town_code"], strict=True))
