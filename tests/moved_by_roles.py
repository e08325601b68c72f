"""Random moves of random entries by random roles, beside a model that says by the procedure alone what must become of each.

A step draws who moves what, how (as a command does, as a command does for trial, or by hand in psql), and at most one fault: a state that
the move does not leave, no paper, one that the registry does not hold, no reason, too early a day, one in the future, a stale version.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lowland_gis.analysis.registry.procedure import Move, Register
from lowland_gis.db.role_names import ADMIN, ANALYST, APPROVER, READER, TOWN
from lowland_gis.errors import MoveRefusedError, NotAllowedError
from lowland_gis.pipeline.base.procedure import InForce
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.registry.moves import Typed, record_move
from lowland_gis.pipeline.registry.subjects import Asked
from lowland_gis.pipeline.registry.verify import verify
from role_matrix import ELSEWHERE, HERE, THERE

PROGRAM, OWNER = "program", "owner"
# Who moves; the owner of the database only tries to take back.
MOVERS = (READER, TOWN, ELSEWHERE, ANALYST, APPROVER, ADMIN, PROGRAM)
REGISTERS = ("low_efficiency", "low_efficiency", "legacy", "problem", "disposal")
TOWNS = {TOWN: HERE, ELSEWHERE: THERE}
PARCELS = {town: [f"{town}{number:03}GB00001" for number in range(250)] for town in (HERE, THERE)}
FIRST_DAY, FUTURE = dt.date(2024, 1, 1), dt.timedelta(days=40)
# A paper of which the digest is known, and one of which nothing is known.
KNOWN, UNKNOWN = "0" * 63 + "1", "f" * 64
DENIED = psycopg.errors.InsufficientPrivilege.sqlstate
# What the program tells before the database is asked.
TOLD = "told by the program"
FAULTS = ("state", "paper", "strange paper", "reason", "before", "early", "future", "stale")
HOW = ("command", "command", "trial", "by hand", "by hand", "look", "take back")
APPENDED = {
    "event": "reason",
    "entry": "subject",
    "lineage": "part_of",
    "paper": "file_name",
    "link": "head",
    "move": "title",
}
TAKEN_BACK = [
    (table, column, what)
    for table, column in APPENDED.items()
    for what in ("DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {0} SET {1} = {1}")
]


@dataclass(frozen=True)
class Attempt:
    """One move that somebody tries: `version` is that of the new event, `behind` how many versions ago the entry was looked at."""

    who: str
    register: str
    parcel: str
    move: str
    leaves: str | None
    day: dt.date
    paper: str | None
    reason: str | None
    behind: int = 0


@dataclass
class Held:
    """One event of the model: what was recorded, from which day, on what, and by whom."""

    move: str
    before: str | None
    state: str
    day: dt.date
    paper: str | None
    reason: str | None
    by: str


@dataclass
class Model:
    """What the registry must hold, and what must become of an attempt, by the procedure as data and nothing of the program's own checks."""

    registers: Mapping[str, Register]
    # Register and parcel → its entries, the newest last; each a list of its events.
    entries: dict[tuple[str, str], list[list[Held]]] = field(default_factory=dict)

    def events(self, register: str, parcel: str) -> list[Held]:
        """Return the events of the newest entry of a parcel; none where it is in no register."""
        return (self.entries.get((register, parcel)) or [[]])[-1]

    def answer_by_hand(self, attempt: Attempt) -> str | None:  # noqa: PLR0911 - one for each number
        """Return the number of the refusal of an event that is inserted by hand; None where it must be taken."""
        events, move = self.events(attempt.register, attempt.parcel), self._move(attempt)
        if attempt.who in (READER, ADMIN) or self._foreign(attempt):
            return DENIED
        if attempt.behind:
            return "LR005"
        if attempt.leaves != events[-1].state:
            return "LR001"
        if not self._may(attempt, move):
            return "LR011"
        if move.document and not attempt.paper:
            return "LR002"
        if attempt.paper == UNKNOWN:
            return "LR010"
        if move.reason and not attempt.reason:
            return "LR003"
        if attempt.day < events[-1].day or attempt.day > dt.datetime.now().astimezone().date() + FUTURE / 2:
            return "LR006"
        return "LR004" if self._early(attempt, move, events) else None

    def answer_to_command(self, attempt: Attempt) -> str | None:
        """Return how a command is refused: by the program's own words, or by the database's number; None where it must be done."""
        register, move = self.registers[attempt.register], self._move(attempt)
        events = self.events(attempt.register, attempt.parcel)
        if attempt.who in (READER, ADMIN):
            return DENIED
        if self._foreign(attempt):
            return TOLD
        ended = bool(events) and events[-1].state in register.final
        state = events[-1].state if events and not (ended and move.first) else None
        leads = move.first if state is None else state in move.leaves
        if (
            attempt.behind
            or not leads
            or (move.document and not attempt.paper)
            or (move.reason and not attempt.reason)
            or (events and attempt.day < events[-1].day)
            or self._early(attempt, move, events)
        ):
            return TOLD
        if not self._may(attempt, move):
            return "LR011"
        return "LR006" if attempt.day > dt.datetime.now().astimezone().date() + FUTURE / 2 else None

    def record(self, attempt: Attempt, by: str) -> None:
        """Keep what was recorded; what has ended, or never was there, is a new entry."""
        entries = self.entries.setdefault((attempt.register, attempt.parcel), [])
        if not entries or (entries[-1][-1].state in self.registers[attempt.register].final):
            entries.append([])
        before = entries[-1][-1].state if entries[-1] else None
        reaches = self._move(attempt).reaches
        entries[-1].append(
            Held(attempt.move, before, reaches, attempt.day, attempt.paper, attempt.reason, by)
        )

    def rows(self) -> list[tuple[Any, ...]]:
        """Return what the database must show of all events, in the order of register, parcel, entry and version."""
        return [
            (register, parcel, ordinal, version, held.move, held.before, held.state, held.day, held.paper, held.reason, held.by)
            for (register, parcel), entries in sorted(self.entries.items())
            for ordinal, events in enumerate(entries, start=1)
            for version, held in enumerate(events, start=1)
        ]  # fmt: skip

    def _move(self, attempt: Attempt) -> Move:
        return self.registers[attempt.register].move[attempt.move]

    @staticmethod
    def _foreign(attempt: Attempt) -> bool:
        return attempt.who in TOWNS and not attempt.parcel.startswith(TOWNS[attempt.who])

    @staticmethod
    def _may(attempt: Attempt, move: Move) -> bool:
        return attempt.who == PROGRAM or (TOWN if attempt.who in TOWNS else attempt.who) in move.roles

    @staticmethod
    def _early(attempt: Attempt, move: Move, events: list[Held]) -> bool:
        days = [held.day for held in events if held.move == move.since]
        return bool(move.days) and (not days or attempt.day < max(days) + dt.timedelta(days=move.days))


class MovesByRoles(RuleBasedStateMachine):
    """The registry beside its model, after each step compared event by event; whoever moves has a connection of his own."""

    force: InForce
    projects: Mapping[str, Project]
    connections: Mapping[str, psycopg.Connection[Any]]
    document: Path
    digest: str
    fresh = count()

    def __init__(self) -> None:
        super().__init__()
        number = next(self.fresh)
        self.parcels = [PARCELS[HERE][2 * number], PARCELS[HERE][2 * number + 1], PARCELS[THERE][number]]
        self.model = Model(self.registers())
        (self.others,) = self.asked("SELECT count(*) FROM registry.event")[0]

    def registers(self) -> Mapping[str, Register]:
        """Return the procedure that the model goes by."""
        return self.force.registers

    def asked(self, query: str, *parameters: Any, who: str = PROGRAM) -> list[tuple[Any, ...]]:
        """Return the rows that somebody sees."""
        return self.connections[who].execute(query, parameters).fetchall()

    @rule(
        data=st.data(), how=st.sampled_from(HOW), name=st.sampled_from(REGISTERS), which=st.sampled_from([0, 0, 0, 1, 2]),
        right=st.sampled_from([True, True, True, False]), who=st.sampled_from(MOVERS), later=st.integers(0, 3),
        fault=st.sampled_from([None] * 2 * len(FAULTS) + list(FAULTS)),
    )  # fmt: skip
    def step(
        self,
        *,
        data: Any,
        how: str,
        name: str,
        which: int,
        right: bool,
        who: str,
        later: int,
        fault: str | None,
    ) -> None:
        """Do one thing as somebody; with `right` it is somebody who may, where the procedure lets anybody move on."""
        if how == "take back":
            self.take_back(
                data.draw(st.sampled_from([*MOVERS, OWNER, OWNER])), *data.draw(st.sampled_from(TAKEN_BACK))
            )
        elif how == "look":
            self.look(who)
        else:
            attempt = self._drawn(data, name, self.parcels[which], who, right=right, fault=fault, later=later)
            if how == "by hand":
                self.by_hand(attempt)
            else:
                self.command(attempt, trial=how == "trial")

    def command(self, attempt: Attempt, *, trial: bool) -> None:
        """Record a move as a command of the program does."""
        name = attempt.register
        register, events = self.model.registers[name], self.model.events(name, attempt.parcel)
        paper = {None: None, KNOWN: self.document}.get(attempt.paper)
        attempt = Attempt(**{**vars(attempt), "paper": paper and self.digest})
        version = len(events) - attempt.behind
        typed = Typed(
            register.verb(attempt.move), name, register.move[attempt.move].reaches, attempt.day, paper, reason=attempt.reason
        )  # fmt: skip
        asked = Asked((attempt.parcel,), matter="税收" if name == "problem" else None, version=version)
        wanted, said = self.model.answer_to_command(attempt), None
        try:
            record_move(self.projects[attempt.who], typed, asked, dry_run=trial)
        except (MoveRefusedError, NotAllowedError) as refused:
            state = getattr(refused.__cause__, "sqlstate", None)
            said = state or TOLD
            self._names_who_may(said, register.move[attempt.move], str(refused))
        self._answered(attempt, wanted, said, kept=not trial)

    def by_hand(self, attempt: Attempt) -> None:
        """Insert an event as somebody would in psql: past the program, so that only the database stands in the way."""
        name, parcel = attempt.register, attempt.parcel
        events = self.model.events(name, parcel)
        if not events:
            return
        if (name, attempt.move, attempt.leaves) not in self.force.numbers:
            return
        entry = self.asked(
            "SELECT max(entry_id) FROM registry.entry WHERE register = %s AND subject = %s", name, parcel
        )[0][0]
        row = [
            entry, len(events) + 1 - attempt.behind, self.force.numbers[name, attempt.move, attempt.leaves], attempt.move,
            attempt.leaves, self.force.registers[name].move[attempt.move].reaches, attempt.day, attempt.paper, attempt.reason,
        ]  # fmt: skip
        said = self._tried(
            attempt.who,
            "INSERT INTO registry.event (entry_id, version, move_id, move, from_state, to_state, on_date, document_sha256, reason)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            row,
        )
        self._answered(attempt, self.model.answer_by_hand(attempt), said, kept=True)

    def take_back(self, who: str, table: str, column: str, what: str) -> None:
        """Try to remove or change what is recorded: nobody may, the owner neither."""
        statement = what.format(f"registry.{table}", column)
        said = self._tried(who, statement, [])
        assert said == ("LR007" if who == OWNER else DENIED), f"{who}: {statement}: {said}"

    def look(self, who: str) -> None:
        """Whoever looks sees all of it, a clerk what is of the own town, an admin nothing."""
        query = "SELECT register, subject, ordinal, version FROM registry.current_entry WHERE subject = ANY(%s) ORDER BY 1, 2, 3"
        if who == ADMIN:
            assert self._tried(who, query, [self.parcels]) == DENIED
            return
        mine = TOWNS.get(who, "")
        wanted = [
            (register, parcel, ordinal, len(events))
            for (register, parcel), entries in sorted(self.model.entries.items())
            for ordinal, events in enumerate(entries, start=1)
            if parcel.startswith(mine)
        ]
        assert self.asked(query, self.parcels, who=who) == wanted

    @invariant()
    def the_registry_is_what_the_model_says(self) -> None:
        """Every event is there as it was recorded, by whom it was, in its order, and no other anywhere."""
        found = self.asked(
            "SELECT register, subject, ordinal, version, move, from_state, to_state, on_date, document_sha256, reason, event.recorded_by"
            " FROM registry.event JOIN registry.entry USING (entry_id) WHERE subject = ANY(%s) ORDER BY 1, 2, 3, 4",
            self.parcels,
        )
        assert found == self.model.rows(), "the registry is not what the model says"
        assert self.asked("SELECT count(*) FROM registry.event")[0][0] == self.others + len(found)

    def teardown(self) -> None:
        """The chain is whole."""
        found = [each for each in verify(self.projects[PROGRAM]).findings if each.row_no is not None]
        assert found == [], "the chain does not verify"

    def _drawn(
        self, data: Any, name: str, parcel: str, who: str, *, right: bool, fault: str | None, later: int
    ) -> Attempt:
        """Return an attempt: `right` is one that the procedure allows, by whoever may; then a fault is put into it."""
        register, events = self.model.registers[name], self.model.events(name, parcel)
        state = events[-1].state if events and events[-1].state not in register.final else None
        ways = register.allowed(state)
        if right and ways:
            clerk = next(clerk for clerk, town in TOWNS.items() if parcel.startswith(town))
            who = data.draw(
                st.sampled_from(sorted({role for move in ways.values() for role in move.roles} | {PROGRAM}))
            )
            ways = ways if who == PROGRAM else register.allowed(state, who)
            who = clerk if who == TOWN else who
        move = data.draw(st.sampled_from(sorted(register.move if fault == "state" or not ways else ways)))
        asked = register.move[move]
        leaves = (
            data.draw(st.sampled_from(sorted(asked.leaves))) if fault == "state" and asked.leaves else state
        )
        last = events[-1].day if events else FIRST_DAY
        free = [held.day + dt.timedelta(days=asked.days) for held in events if held.move == asked.since]
        day = max([last, *free]) + dt.timedelta(days=later)
        day = {
            "before": last - dt.timedelta(days=1),
            "early": last + dt.timedelta(days=later),
            "future": dt.datetime.now().astimezone().date() + FUTURE,
        }.get(fault or "", day)
        paper = KNOWN if asked.document else None
        paper = {"paper": None, "strange paper": UNKNOWN}.get(fault or "", paper)
        reason = None if fault == "reason" or not (asked.reason or later) else "依据"
        return Attempt(
            who, name, parcel, move, leaves, day, paper, reason, int(fault == "stale" and bool(events))
        )

    def _tried(self, who: str, statement: str, parameters: list[Any]) -> str | None:
        """Run a statement as somebody, in a transaction; return the number of the error, None where there was none."""
        connection = self.connections[who]
        try:
            with connection.transaction():
                connection.execute(statement, parameters)
        except psycopg.Error as error:
            return error.sqlstate
        return None

    def _answered(self, attempt: Attempt, wanted: str | None, said: str | None, *, kept: bool) -> None:
        event(f"{attempt.who}: {said or 'taken'}")
        assert said == wanted, f"{attempt} was to be answered with {wanted}, and was with {said}"
        if said is None and kept:
            self.model.record(attempt, self.connections[attempt.who].info.user)

    @staticmethod
    def _names_who_may(said: str, move: Move, words: str) -> None:
        """A refusal for want of a role says which role may."""
        if said == "LR011":
            assert all(role in words for role in move.roles), words
        if said == DENIED:
            assert "may not do this" in words, words
            assert ANALYST in words, words
