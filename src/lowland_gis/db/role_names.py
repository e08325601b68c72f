"""What the roles of a database are called: roles belong to a whole server, so each carries the name of its database."""

from __future__ import annotations

import hashlib

OWNER = "owner"
READER, TOWN, ANALYST, APPROVER, ADMIN = ROLES = ("reader", "town", "analyst", "approver", "admin")
# Where a database keeps what its roles are called on the server, and the towns of its clerks; beside the dictionary, which is of land.
ROLE_TABLES = {"lowland.clerk": ("person", "town_code"), "lowland.role": ("role", "name", "place")}
# As which the program works on a private database.
PROGRAM = "lowland"
# PostgreSQL cuts longer names off, silently.
LONGEST_BYTES = 63


def role_name(database: str, role: str) -> str:
    """Return the name of a role of a database, in at most 63 bytes of UTF-8: where it would be longer, a digest stands for the rest.

    >>> role_name("lowland", "reader")
    'lowland_lowland_reader'
    >>> role_name("北" * 20, "approver")
    'lowland_北北北北北北北北北北北北_c284f159_approver'
    """
    name = f"lowland_{database}_{role}"
    if len(name.encode()) <= LONGEST_BYTES:
        return name
    digest = hashlib.sha256(database.encode()).hexdigest()[:8]
    room = LONGEST_BYTES - len(f"lowland__{digest}_{role}".encode())
    start = database.encode()[:room].decode(errors="ignore")
    return f"lowland_{start}_{digest}_{role}"
