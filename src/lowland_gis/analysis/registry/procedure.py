"""The procedure (办理程序): the registers, the states of their entries, and the moves between these, as `states.toml` gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from lowland_gis.analysis.rules.faults import Fault

Role = Literal["reader", "town", "analyst", "approver", "admin"]
ROLES: tuple[Role, ...] = ("reader", "town", "analyst", "approver", "admin")
ROLE_TITLES: dict[str, str] = {
    "reader": "查阅",
    "town": "镇街",
    "analyst": "分析",
    "approver": "审批",
    "admin": "管理",
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Move(_Frozen):
    """A step of an entry from one of several states to another.

    `first` lets it put a subject into the register. `roles` may record it here; `actor` decides it in the office. `document` is the
    paper without which it is refused (an own file writes "" where none is needed any more). `days` whole days must lie between the last move `since` and this one. `basis` names the document
    that lets a project ask for less than the shipped procedure.
    """

    title: str
    reaches: str
    roles: tuple[Role, ...] = Field(min_length=1)
    actor: str
    leaves: tuple[str, ...] = ()
    first: bool = False
    verb: str | None = None
    document: str | None = None
    reason: bool = False
    days: int = Field(default=0, ge=0, le=3660)
    since: str | None = None
    example: bool = False
    basis: str | None = Field(default=None, min_length=1)

    @field_validator("document", mode="after")
    @classmethod
    def _none(cls, value: str | None) -> str | None:
        return value or None


class Register(_Frozen):
    """One register (库): its states by name with what they are called, and its moves by name.

    `subject` says what an entry is of: a parcel, a unit, a town, a project or a contract.
    """

    title: str
    subject: Literal["parcel", "unit", "town", "project", "contract"]
    source: str
    state: dict[str, str] = Field(min_length=1)
    move: dict[str, Move] = Field(min_length=1)

    def verb(self, name: str) -> str:
        """Return what is typed for a move."""
        return self.move[name].verb or name

    def allowed(self, state: str | None, role: str | None = None) -> dict[str, Move]:
        """Return the moves that lead on from a state, by name; None is a subject that is not in the register.

        With `role` only those that it may record.
        """
        return {
            name: move
            for name, move in self.move.items()
            if (move.first if state is None else state in move.leaves)
            and (role is None or role in move.roles)
        }

    def meant(self, verb: str, state: str | None, reaches: str | None = None) -> list[str]:
        """Return the moves that a verb can mean for an entry in a state; `reaches` names the state that is wanted."""
        return [
            name
            for name, move in self.allowed(state).items()
            if self.verb(name) == verb and reaches in (None, move.reaches)
        ]

    @property
    def final(self) -> tuple[str, ...]:
        """Return the states from which no move leads on: what is there has ended."""
        return tuple(state for state in self.state if not self.allowed(state))

    @property
    def verbs(self) -> tuple[str, ...]:
        """Return everything that can be typed for a move, in the order of the file."""
        return tuple(dict.fromkeys(map(self.verb, self.move)))


Procedure = Mapping[str, Register]
ADAPTER: TypeAdapter[dict[str, Register]] = TypeAdapter(dict[str, Register])


def procedure_faults(procedure: Procedure) -> Iterator[Fault]:
    """Yield what in a procedure does not fit together: states and moves that are not there, moves that cannot be told apart."""
    for register, content in procedure.items():
        states, where = tuple(content.state), f"register {register}"
        for name, move in content.move.items():
            here = f"{where}, move {name}"
            for key, state in (*(("leaves", state) for state in move.leaves), ("reaches", move.reaches)):
                if state not in content.state:
                    yield Fault(here, key, state, "the register has no such state", states)
            if move.since is not None and move.since not in content.move:
                yield Fault(here, "since", move.since, "the register has no such move", tuple(content.move))
            # No days since a move: that is how a project's own file waives those of the shipped one.
            if move.days > 0 and move.since is None:
                yield Fault(
                    here, "days", move.days, "days are counted from a move, so `days` and `since` go together"
                )
        yield from _unclear(content, where)
        if not content.allowed(None):
            yield Fault(
                where, "move", None, "no move has `first = true`, so nothing can be put into the register"
            )


def _unclear(register: Register, where: str) -> Iterator[Fault]:
    """Yield moves that cannot be told apart: the same is typed for them, in the same state, and they reach the same one."""
    for state in (None, *register.state):
        seen: dict[tuple[str, str], str] = {}
        for name, move in register.allowed(state).items():
            other = seen.setdefault((register.verb(name), move.reaches), name)
            if other != name:
                yield Fault(
                    f"{where}, move {name}",
                    "verb",
                    register.verb(name),
                    f"in the state {state or '(not in the register)'} it cannot be told apart from the move {other}",
                )


def weaker(shipped: Procedure, own: Procedure) -> dict[tuple[str, str], list[str]]:
    """Return where a procedure asks for less than the shipped one: (register, move) → what it lets pass.

    Fewer states to leave, fewer roles, more days, a paper where none was needed: that is stricter, and not named.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for register, content in own.items():
        known = shipped[register].move if register in shipped else {}
        for name, move in content.move.items():
            said = (
                list(_less(known[name], move))
                if name in known
                else ["a way that the shipped procedure does not have"]
            )
            if said:
                found[register, name] = said
    return found


def _less(before: Move, now: Move) -> Iterator[str]:
    if roles := [role for role in now.roles if role not in before.roles]:
        yield f"it may be recorded by {', '.join(roles)} too"
    if states := [state for state in now.leaves if state not in before.leaves]:
        yield f"it leads on from {', '.join(states)} too"
    if now.first and not before.first:
        yield "it puts subjects into the register"
    if now.reaches != before.reaches:
        yield f"it reaches {now.reaches} instead of {before.reaches}"
    if before.document is not None and now.document != before.document:
        instead = f"{now.document} takes its place" if now.document else "no other takes its place"
        yield f"the paper {before.document} is not needed, {instead}"
    if before.reason and not now.reason:
        yield "no reason is needed"
    if now.days < before.days or (before.days and now.since != before.since):
        yield f"it may be made after {now.days} days since {now.since}, not {before.days} since {before.since}"


def without_basis(shipped: Procedure, own: Procedure) -> Iterator[Fault]:
    """Yield where a procedure asks for less than the shipped one and names no document that lets it."""
    for (register, name), said in weaker(shipped, own).items():
        if own[register].move[name].basis is None:
            yield Fault(
                f"register {register}, move {name}",
                "basis",
                None,
                f"it asks for less than the shipped procedure ({'; '.join(said)}), so the document that lets it must be named, with its"
                ' date, such as basis = "津规资发〔2024〕1号，2024-05-01"',
            )
