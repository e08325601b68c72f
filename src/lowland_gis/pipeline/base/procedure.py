"""The procedure (办理程序) in force: taken up into the database, which enforces it, and read back from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.types.json import Jsonb

from lowland_gis import schema
from lowland_gis.analysis.registry.procedure import ADAPTER, Procedure, Register
from lowland_gis.db import revision
from lowland_gis.db.connect import Connection, transaction
from lowland_gis.db.copy import copy_in
from lowland_gis.db.role_names import ADMIN
from lowland_gis.definitions.own import own_definitions, using
from lowland_gis.definitions.states import (
    procedure,
    procedure_digest,
    procedure_json,
    weaker_than_shipped,
)
from lowland_gis.errors import DefinitionError, UsageError, listed
from lowland_gis.loading import when_used

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

LOCK_TIMEOUT_S = 30


@dataclass(frozen=True)
class InForce:
    """The procedure that the database enforces: its registers, and the number of each move from each state.

    `weaker` says where it asks for less than the shipped one.
    """

    procedure_id: int
    registers: Mapping[str, Register]
    numbers: Mapping[tuple[str, str, str | None], int]
    weaker: tuple[str, ...]

    def register(self, name: str) -> Register:
        """Return a register.

        Raises:
            UsageError: there is none of that name.
        """
        if name not in self.registers:
            raise UsageError(f"There is no register {name!r}. Registers: {', '.join(self.registers)}")
        return self.registers[name]


def take_turn(connection: Connection, what: str, roles: Callable[[], Sequence[str]]) -> None:
    """Wait until nobody else records in the registry, and keep others waiting until the transaction ends.

    `what` is to be recorded, and `roles` says who may, which is asked for when somebody may not.

    Raises:
        NotAllowedError: the account has none of the roles that record anything.
    """
    connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
    try:
        connection.execute("SELECT registry.await_turn()")
    except psycopg.errors.InsufficientPrivilege as error:
        # Only who is refused something waits for what knows the tables.
        from lowland_gis.db.refused import not_allowed_to  # noqa: PLC0415

        raise not_allowed_to(connection, error, what, roles) from error
    connection.execute("SET LOCAL lock_timeout = 0")


def take_up_procedure(connection: Connection, wanted: Procedure | None = None) -> tuple[str, ...] | None:
    """Have the database enforce the procedure of the project at work; return where it asks for less than the shipped one.

    None: it is in force already, and nothing was done. The definitions in use are those of the project (`definitions.own`).

    Raises:
        DefinitionError: the project's own procedure has faults.
    """
    wanted = procedure() if wanted is None else wanted
    digest = procedure_digest(wanted)
    take_turn(connection, "taking up a procedure", lambda: (ADMIN,))
    if _newest_digest(connection) == digest:
        return None
    weaker = weaker_than_shipped(wanted)
    row = connection.execute(
        "INSERT INTO registry.procedure (digest, content, weaker) VALUES (%s, %s, %s) RETURNING procedure_id",
        [digest, Jsonb(procedure_json(wanted)), Jsonb(weaker)],
    ).fetchone()
    number = int(row[0]) if row else 0
    copy_in(connection, schema.MOVE, _move_rows(wanted), srid=0, constants={"procedure_id": number})
    return tuple(weaker)


def enforce(dsn: str, folder: Path) -> str | None:
    """Have a database at the newest schema enforce the procedure of a project; return what is to be said of it.

    A procedure with faults is not taken up: the one before stays in force, and the faults are said.
    """
    if revision.current_revision(dsn) != revision.newest_revision():
        return None
    try:
        with using(own_definitions(folder)):
            wanted = procedure()
    except DefinitionError as error:
        return f"The procedure in force stays as it was: {error}"
    with transaction(dsn) as connection:
        weaker = take_up_procedure(connection, wanted)
    if weaker is None:
        return None
    less = f" It asks for less than the shipped one:\n{listed(weaker, shown=len(weaker))}" if weaker else ""
    return f"The database enforces the procedure of states.toml (办理程序) from now on.{less}"


def procedure_in_force(connection: Connection) -> InForce:
    """Return the procedure that the database enforces; a database without one takes up that of the project.

    Raises:
        UsageError: the project's definitions say another one by now; taking it up is a step of its own.
        DefinitionError: the project's own procedure has faults.
    """
    wanted = procedure_digest(procedure())
    found = _newest_digest(connection)
    if found is None:
        take_up_procedure(connection)
    elif found != wanted:
        raise UsageError(
            "The definitions say another procedure (states.toml) than the one that the database enforces, so nothing was recorded."
            " Have it taken up: lowland db up"
        )
    return read_procedure(connection)


def read_procedure(connection: Connection) -> InForce:
    """Return the procedure that the database enforces, whatever the definitions say.

    Raises:
        UsageError: there is none yet.
    """
    row = connection.execute(
        "SELECT procedure_id, content, weaker FROM registry.procedure ORDER BY procedure_id DESC LIMIT 1"
    ).fetchone()
    if row is None:
        raise UsageError("The database enforces no procedure (states.toml) yet. Type: lowland db up")
    moves = connection.execute(
        "SELECT register, name, from_state, move_id FROM registry.move WHERE procedure_id = %s", [row[0]]
    )
    numbers = {(register, name, state): number for register, name, state, number in moves}
    return InForce(int(row[0]), ADAPTER.validate_python(row[1]), numbers, tuple(row[2]))


def _newest_digest(connection: Connection) -> str | None:
    row = connection.execute(
        "SELECT digest FROM registry.procedure ORDER BY procedure_id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else str(row[0])


def _move_rows(wanted: Procedure) -> pd.DataFrame:
    """Return one row for each state that a move leaves."""
    rows = [
        {
            "register": register, "name": name, "title": move.title, "verb": content.verb(name), "from_state": state,
            "to_state": move.reaches, "roles": list(move.roles), "document": move.document, "needs_reason": move.reason,
            "days": move.days, "since": move.since, "ends": move.reaches in content.final,
        }
        for register, content in wanted.items()
        for name, move in content.move.items()
        for state in (*((None,) if move.first else ()), *move.leaves)
    ]  # fmt: skip
    return pd.DataFrame(rows)
