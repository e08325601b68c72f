"""Which events a wish makes of entries, or why it makes none: every entry is looked at, and all faults are told together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lowland_gis.analysis.registry.procedure import Move, Register
from lowland_gis.loading import when_used

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

# Place, own line, and words that fit every place with the same fault (`errors.gathered`).
Gathered = tuple[str, str, str]


@dataclass(frozen=True)
class Wish:
    """What somebody wants to record: what was typed, from which day on it counts, and what it rests on.

    `reaches` names the state where what was typed can lead to more than one; `document` is the SHA-256 of a paper.
    """

    verb: str
    on: dt.date
    reaches: str | None = None
    document: str | None = None
    document_no: str | None = None
    reason: str | None = None
    content: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Planned:
    """Events to be recorded, one row an entry, and why others cannot be; with any fault nothing is to be recorded."""

    events: pd.DataFrame
    faults: tuple[Gathered, ...]


def planned(
    register: Register, entries: pd.DataFrame, wish: Wish, days: Mapping[tuple[int, str], dt.date]
) -> Planned:
    """Return the events that a wish makes of entries of a register.

    `entries` has a row each: entry_id, subject, matter, version, state and on_date (of the newest event), all but the second and third
    empty where the subject is not in the register; and `seen`, the version that whoever wishes has looked at, empty where that was not
    said. `days` gives the last day of a move of an entry, for moves that others count from.

    Columns of the events: entry_id, subject, matter, version, move, from_state, to_state.
    """
    rows, faults = [], []
    for entry in entries.to_dict("records"):
        found = list(_looked_at(register, entry, wish, days))
        faults += [
            (label(entry), f"{label(entry)}: {words}", words) for words in found if isinstance(words, str)
        ]
        rows += [event for event in found if isinstance(event, dict)]
    columns = ["entry_id", "subject", "matter", "version", "move", "from_state", "to_state"]
    return Planned(pd.DataFrame(rows, columns=columns), tuple(faults))


def label(entry: Mapping[Any, Any]) -> str:
    """Return how an entry is named: its subject, and what of it where that is not all."""
    return f"{entry['subject']} {entry['matter']}".rstrip()


def _looked_at(
    register: Register, entry: Mapping[Any, Any], wish: Wish, days: Mapping[tuple[int, str], dt.date]
) -> Iterator[str | dict[str, Any]]:
    """Yield the one event that a wish makes of an entry, or every fault of it."""
    state = None if pd.isna(entry["state"]) else str(entry["state"])
    version = 0 if state is None else int(entry["version"])
    if not pd.isna(entry["seen"]) and int(entry["seen"]) != version:
        yield f"it is at version {version} by now, and not at {int(entry['seen'])}: somebody has recorded another move since; look again"
        return
    names = register.meant(wish.verb, state, wish.reaches)
    if len(names) != 1:
        yield _unclear(register, wish, state, names)
        return
    move = register.move[names[0]]
    faults = list(_missing(register, entry, wish, move, days))
    yield from faults
    if not faults:
        yield {
            "entry_id": entry["entry_id"], "subject": entry["subject"], "matter": entry["matter"], "version": version + 1,
            "move": names[0], "from_state": state, "to_state": move.reaches,
        }  # fmt: skip


def _unclear(register: Register, wish: Wish, state: str | None, names: list[str]) -> str:
    if names:
        reached = ", ".join(f"{register.move[name].reaches} {register.move[name].title}" for name in names)
        return f"{wish.verb} can lead to more than one state: say which with --to ({reached})"
    stands = (
        "it is not in the register"
        if state is None
        else f"it stands at {state} {register.state.get(state, '')}".rstrip()
    )
    ways = register.allowed(state)
    onward = ", ".join(f"{register.verb(name)} {move.title}" for name, move in ways.items())
    to = "" if wish.reaches is None else f" to {wish.reaches}"
    return f"{stands}, from where {wish.verb}{to} is no move; " + (
        f"allowed: {onward}" if ways else "no move leads on from there"
    )


def _missing(
    register: Register,
    entry: Mapping[Any, Any],
    wish: Wish,
    move: Move,
    days: Mapping[tuple[int, str], dt.date],
) -> Iterator[str]:
    if move.document is not None and wish.document is None:
        yield f"{move.title} needs a paper（{move.document}）: give it with --document FILE"
    if move.reason and not (wish.reason or "").strip():
        yield f"{move.title} needs a reason: give it with --reason TEXT"
    last = entry["on_date"]
    if not pd.isna(last) and wish.on < last:
        yield f"{wish.on} lies before the move before it, which counts from {last}: give the day with --on"
    if move.days and move.since is not None:
        began = days.get((int(entry["entry_id"]), move.since))
        free = None if began is None else began + dt.timedelta(days=move.days)
        title = register.move[move.since].title
        if began is None:
            yield f"{move.title} may be made {move.days} days after {title}, and there was none"
        elif free is not None and wish.on < free:
            yield f"{move.title} may be made {move.days} days after {title}（{began}）, so from {free} on"


def counted_from(register: Register) -> tuple[str, ...]:
    """Return the moves of a register from which the days of others are counted."""
    return tuple(sorted({move.since for move in register.move.values() if move.since is not None}))
