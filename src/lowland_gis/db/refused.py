"""What to say where PostgreSQL denies a permission: what it was, who may do it, and what to type."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg

from lowland_gis.db.privileges import who_may
from lowland_gis.db.role_names import ADMIN, ANALYST, APPROVER, READER, ROLES, TOWN
from lowland_gis.errors import NotAllowedError

# As PostgreSQL says it in English; of a server that speaks another language only its own sentence is told.
_DENIED = re.compile(r'(?:permission denied for|policy for) (\w+)(?: (?:"?)([^"]+?)"?)?$')
_FUNCTIONS = {
    "await_turn": ("recording in the registry", (TOWN, ANALYST, APPROVER)),
    "make_part": ("loading a delivery", (ANALYST,)),
    "attach_part": ("loading a delivery", (ANALYST,)),
    "give_role": ("giving roles", (ADMIN,)),
    "take_role": ("taking roles back", (ADMIN,)),
}


def not_allowed(connection: psycopg.Connection, error: psycopg.Error) -> NotAllowedError:
    """Return the refusal of what PostgreSQL has denied an account."""
    said = (error.diag.message_primary or str(error).strip()).splitlines()[0]
    user = connection.info.user
    held = _held(connection)
    what, allowed = _allowed(said, held)
    is_ = f"{user} ({', '.join(held) or 'no role at this database'})"
    if not allowed:
        return NotAllowedError(
            f"{is_} may not do this: {said}. {what}. Nothing was changed. Who has which role: lowland db roles"
        )
    return _refusal(user, held, said, what, allowed)


def not_allowed_to(
    connection: psycopg.Connection, error: psycopg.Error, what: str, roles: Callable[[], Sequence[str]]
) -> NotAllowedError:
    """Return the refusal of a piece of work that PostgreSQL has denied an account, by those who may do it."""
    said = (error.diag.message_primary or str(error).strip()).splitlines()[0]
    held = _held(connection)
    return _refusal(connection.info.user, held, said, f"What it takes is {what}, which may", tuple(roles()))


def _refusal(
    user: str, held: tuple[str, ...], said: str, what: str, allowed: tuple[str, ...]
) -> NotAllowedError:
    return NotAllowedError(
        f"{user} ({', '.join(held) or 'no role at this database'}) may not do this: {said}. {what}: {', '.join(allowed)}. Nothing was changed."
        f" Who gives out roles ({ADMIN}) types: lowland db grant {user} {allowed[0]}{' --town CODE' if allowed[0] == TOWN else ''}"
    )


def _allowed(said: str, held: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return what was to be done, and the roles that may."""
    found = _DENIED.search(said)
    if found is None:
        return "Only the owner of the database, or the server's administrator, may", ()
    kind, name = found[1], found[2] or ""
    if "policy" in said:
        return f"It lies in a town that is not yours; of all towns {name} is written by", (ANALYST, APPROVER)
    if kind == "function" and name in _FUNCTIONS:
        what, roles = _FUNCTIONS[name]
        return f"What it takes is {what}, which may", roles
    if kind == "schema":
        return "Who has a role may read it", ROLES
    reads, writes = who_may(name)
    if not (set(held) & set(reads)):
        return (f"{name} is read by", reads) if reads else (f"{name} is read by its owner alone", ())
    return (f"{name} is written by", writes) if writes else (f"{name} is written by the database alone", ())


def _held(connection: psycopg.Connection) -> tuple[str, ...]:
    """Return the roles of the account, as far as it may ask for them."""
    with suppress(psycopg.Error):
        connection.rollback()
        row = connection.execute("SELECT lowland.my_roles()").fetchone()
        held = tuple(row[0]) if row else ()
        # Who analyses or approves reads too; that needs no saying.
        return tuple(role for role in held if role != READER) or held
    return ()
