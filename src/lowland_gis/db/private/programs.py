"""Start programs of PostgreSQL as the right operating-system user; standard library only."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lowland_gis.errors import DatabaseError

PASSED_ON = ("DYLD_LIBRARY_PATH", "HOME", "LD_LIBRARY_PATH", "PATH", "TZ")
SERVER_USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An operating-system user that a server runs as."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the user that the server must run as, or None when that is the caller.

    PostgreSQL refuses to run as root, so root hands its server to `postgres`, else to `nobody`.
    """
    if os.geteuid() != 0:  # type: ignore[attr-defined, unused-ignore]
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}  # type: ignore[attr-defined, unused-ignore]
    for name in SERVER_USERS:
        if name in known:
            return Account(name, known[name].pw_uid, known[name].pw_gid)
    raise DatabaseError(
        "root: this system has neither a user postgres nor a user nobody, and PostgreSQL refuses to run as root. "
        "Type: useradd --system postgres"
    )


def server_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Keep only what a server needs: no PG* variable, no password, messages in English.

    >>> server_environment({"PATH": "/bin", "PGPORT": "5433", "LOWLAND_DSN": "password=x"})
    {'PATH': '/bin', 'LC_ALL': 'C'}
    """
    kept = {name: environment[name] for name in PASSED_ON if name in environment}
    return kept | {"LC_ALL": "C"}


def run_as(
    account: Account | None, command: Sequence[str], *, timeout: float, held: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a command as the account and return its output; `held` are file descriptors that it keeps open.

    Raises:
        DatabaseError: the program cannot be started or does not end within `timeout` seconds.
    """
    try:
        return subprocess.run(
            command,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            cwd="/",  # the caller's folder may be closed to the account
            env=server_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            pass_fds=held,
            check=False,
        )
    except OSError as error:
        who = account.name if account else "this user"
        raise DatabaseError(
            f"{command[0]}: cannot be started by {who} ({error.strerror}), so there is no database server. "
            "Give another folder of PostgreSQL programs, for example LOWLAND_PG_BIN=/usr/lib/postgresql/15/bin."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise DatabaseError(
            f"{command[0]}: not finished after {timeout:.0f} s and stopped, so the database is not ready. "
            "Look at the load and the disk of this machine, then type: lowland db up"
        ) from error
