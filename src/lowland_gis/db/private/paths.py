"""Where the private cluster of a project lies, and whether those folders can be trusted."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lowland_gis.db.private.binaries import SearchPath, search_path
from lowland_gis.db.private.programs import Account, run_as, server_account
from lowland_gis.errors import DatabaseError

DATABASE = "lowland"
PORT = 5432  # only names the socket file; no TCP port is opened
SOCKET_NAME = f".s.PGSQL.{PORT}"
LONGEST_SOCKET_BYTES = 103  # macOS; Linux allows 107
ROOT_BASE = Path("/var/lib/lowland")
UNQUOTABLE = '"$`\\\n'  # pg_ctl hands the data folder to a shell inside double quotes


@dataclass(frozen=True)
class Cluster:
    """The private PostGIS of one project: where it lies and who runs it; nothing is touched by having one."""

    home: Path
    socket_dir: Path
    account: Account | None
    search: SearchPath
    project: Path
    database: str = DATABASE

    @property
    def data_dir(self) -> Path:
        """The data folder of PostgreSQL."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The log of the server."""
        return self.data_dir / "server.log"

    @property
    def settings(self) -> Path:
        """The server settings, written again at each start."""
        return self.home / "server.conf"

    @property
    def owner(self) -> int:
        """The user id that owns the data and the socket folder."""
        return self.account.uid if self.account else os.geteuid()  # type: ignore[attr-defined, unused-ignore]


def locate(project_dir: Path, *, env: Mapping[str, str]) -> Cluster:
    """Return the cluster that belongs to a project folder; the same folder always has the same one."""
    account = server_account()
    project = project_dir.resolve()
    home = (_base(env).expanduser() / short_hash(project)).resolve()
    if any(letter in str(home) for letter in UNQUOTABLE):
        raise DatabaseError(
            f'{home}: pg_ctl cannot start a server in a folder with one of the characters " $ ` \\ in its path. '
            "Choose another folder, for example LOWLAND_STATE=/var/tmp/lowland."
        )
    return Cluster(home, _socket_dir(home, account, env), account, search_path(env), project)


def at_home(cluster: Cluster, home: Path, *, env: Mapping[str, str]) -> Cluster:
    """Return the cluster that lies in another home, run by the same account."""
    return replace(cluster, home=home, socket_dir=_socket_dir(home, cluster.account, env))


def short_hash(path: Path) -> str:
    """Return 8 hexadecimal digits that stand for a path.

    >>> short_hash(Path("/srv/lowland"))
    '87e26639'
    """
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]


def make_home(cluster: Cluster) -> None:
    """Make the cluster's folder, and refuse one that someone else could have made."""
    _make(cluster.home.parent, 0o700 if cluster.account is None else 0o755)
    # Root keeps the home folder itself; the server's user only walks through it to its own data folder.
    _make(cluster.home, 0o700 if cluster.account is None else 0o711)
    check_private(cluster.home, os.geteuid(), 0o022)  # type: ignore[attr-defined, unused-ignore]


def prepare_folders(cluster: Cluster) -> None:
    """Make the home and the socket folder, and refuse the ones that someone else could have made."""
    make_home(cluster)
    _check_walkable(cluster)
    try:
        cluster.socket_dir.mkdir(mode=0o700)
    except FileExistsError:
        check_private(cluster.socket_dir, cluster.owner, 0o077)
    else:
        give(cluster.socket_dir, cluster.account)


def check_private(folder: Path, owner: int, forbidden: int) -> None:
    """Refuse a folder that is a link, has another owner, or has one of the forbidden mode bits."""
    found = folder.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not mode & forbidden:
        return
    raise DatabaseError(
        f"{folder}: expected a folder of user {owner} that others cannot use, found mode {mode:04o} of user "
        f"{found.st_uid}; another user could listen there in place of the database. "
        f"Look what it is, then remove it: rm -r '{folder}'"
    )


def give(path: Path, account: Account | None) -> None:
    """Hand a file or folder to the server's user; as an ordinary user it is the caller's already."""
    if account is not None:
        os.chown(path, account.uid, account.gid)  # type: ignore[attr-defined, unused-ignore]


def _base(env: Mapping[str, str]) -> Path:
    if state := env.get("LOWLAND_STATE"):
        return Path(state)
    if os.geteuid() == 0:  # type: ignore[attr-defined, unused-ignore]
        return ROOT_BASE
    return Path(env.get("XDG_DATA_HOME") or "~/.local/share") / "lowland"


def _socket_dir(home: Path, account: Account | None, env: Mapping[str, str]) -> Path:
    """Choose a short folder: the path of a socket has a length limit that a checkout path can pass."""
    digest = short_hash(home)
    runtime = env.get("XDG_RUNTIME_DIR", "")
    if account is None and Path(runtime).is_absolute() and Path(runtime).is_dir():
        candidate = Path(runtime) / f"lowland-{digest}"
        if len(os.fsencode(candidate / SOCKET_NAME)) <= LONGEST_SOCKET_BYTES:
            return candidate
    uid = account.uid if account else os.geteuid()  # type: ignore[attr-defined, unused-ignore]
    return Path(f"/tmp/lowland-{uid}-{digest}")  # noqa: S108 - owner and mode are checked before use


def _make(folder: Path, mode: int) -> None:
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"{folder}: cannot be made ({error.strerror}), so the database has no place. "
            "Choose a folder you may write to, for example LOWLAND_STATE=/var/tmp/lowland."
        ) from error


def _check_walkable(cluster: Cluster) -> None:
    if cluster.account is None:
        return
    walked = run_as(cluster.account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(cluster.home)], timeout=20)
    if walked.returncode:
        raise DatabaseError(
            f"{cluster.home}: user {cluster.account.name}, who runs the server for root, may not enter this folder. "
            "Choose a folder open to it, for example LOWLAND_STATE=/var/tmp/lowland."
        )
