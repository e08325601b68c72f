"""The private PostGIS of a project: no password, no TCP port, no system cluster touched."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from psycopg.conninfo import make_conninfo

from lowland_gis.db.private.access import SUPERUSER, refresh_map, settle, write_access
from lowland_gis.db.private.binaries import Binaries, find_binaries
from lowland_gis.db.private.owner import ID_FILE, claim, moved_from, named, others, told
from lowland_gis.db.private.paths import (
    PORT,
    SOCKET_NAME,
    Cluster,
    at_home,
    check_private,
    give,
    locate,
    make_home,
    prepare_folders,
)
from lowland_gis.db.private.process import (
    START_SECONDS,
    find_postmaster,
    log_tail,
    server_settings,
    start_server,
    stop_server,
    wait_until,
)
from lowland_gis.db.private.programs import run_as
from lowland_gis.db.role_names import OWNER, PROGRAM, role_name
from lowland_gis.db.server import Facts, ensure_postgis, facts_of, fields_of, psql_call
from lowland_gis.errors import DatabaseError, listed
from lowland_gis.files.whole import write_text

__all__ = [
    "Cluster",
    "ClusterStatus",
    "connect_string",
    "down",
    "dsn",
    "known",
    "locate",
    "owner_dsn",
    "psql",
    "remove",
    "service_file",
    "status",
    "superuser_dsn",
    "up",
]

LOCK_SECONDS = 600
INITDB_SECONDS = 300
HALF_MADE = "data.new-"


@dataclass(frozen=True)
class ClusterStatus:
    """What is known of a private cluster: `absent`, `stopped`, `starting` or `running`.

    `note` says of one that is absent where the project's database may lie from before it was moved.
    """

    state: str
    data_dir: Path
    log: Path
    socket_dir: Path | None = None
    pid: int | None = None
    dsn: str | None = None
    facts: Facts | None = None
    note: str | None = None


def up(cluster: Cluster, *, durable: bool = True, take_over: Path | None = None) -> None:
    """Make the cluster where there is none, start it, and see to its database and PostGIS.

    Doing it again changes nothing; two at once wait for each other. `durable=False` gives up
    safety against power loss and is for throw-away clusters. `take_over` names the cluster, or the former folder, of this project
    before it was moved; its data become this one's.

    Raises:
        DatabaseError: it cannot be made or started; or the project was moved and nothing was said of its former database.
    """
    if take_over is None:
        _refuse_beside_former(cluster)
    prepare_folders(cluster)
    with _locked(cluster) as lock:
        if take_over is not None:
            _take_over(cluster, take_over)
        if not _usable(cluster):
            binaries = find_binaries(cluster.search, cluster.account, wanted=_data_version(cluster))
            _make_data(cluster, binaries, lock, durable=durable)
            _write_settings(cluster, durable=durable)
            start_server(cluster, binaries)
        _await_answer(cluster)
        settle(cluster, _server(cluster))
        ensure_postgis(dsn(cluster))
        service_file(cluster)
        claim(cluster)


def down(cluster: Cluster) -> bool:
    """Stop the server; False when none was running."""
    if not cluster.home.is_dir():
        return False
    with _locked(cluster):
        postmaster = find_postmaster(cluster)
        if postmaster is None:
            return False
        stop_server(cluster, postmaster)
        return True


def remove(cluster: Cluster) -> None:
    """Stop the server and delete the cluster with everything in it; for throw-away clusters."""
    down(cluster)
    for folder in (cluster.home, cluster.socket_dir):
        if folder.exists():
            shutil.rmtree(folder)


def status(cluster: Cluster) -> ClusterStatus:
    """Describe the cluster without changing anything."""
    postmaster = find_postmaster(cluster)
    if postmaster is None:
        made = _data_version(cluster) is not None
        return ClusterStatus(
            "stopped" if made else "absent",
            cluster.data_dir,
            cluster.log,
            note=None if made else told(cluster),
        )
    text = dsn(cluster)
    return ClusterStatus(
        state="running" if postmaster.ready else "starting",
        data_dir=cluster.data_dir,
        log=cluster.log,
        socket_dir=postmaster.socket_dir,
        pid=postmaster.pid,
        dsn=text,
        facts=facts_of(text) if postmaster.ready else None,
    )


def dsn(cluster: Cluster) -> str:
    """Return the libpq connection string of the project's database, running or not."""
    return _conninfo(cluster, cluster.database)


def owner_dsn(cluster: Cluster) -> str:
    """Return the connection string of the owner of the project's database, who migrates it and makes accounts; it is no superuser."""
    return make_conninfo(dsn(cluster), user=role_name(cluster.database, OWNER))


def superuser_dsn(cluster: Cluster) -> str:
    """Return the connection string of the superuser, as whom nothing of the program works but `up`."""
    return make_conninfo(dsn(cluster), user=SUPERUSER)


def known(cluster: Cluster) -> None:
    """Let the account of this machine connect as every role that may connect, also as those made since `up`."""
    refresh_map(cluster, _server(cluster))


def service_file(cluster: Cluster, server: str | None = None) -> Path:
    """Write the connection service `[lowland]`, for psql, ogr2ogr and QGIS, and return the file.

    They read it from the variable PGSERVICEFILE; `service=lowland` is then a whole connection string.
    `server` is the connection string of a server that takes the place of the private cluster.
    """
    lines = ["[lowland]", *(f"{name}={value}" for name, value in fields_of(server or dsn(cluster)).items())]
    target = cluster.home / "pg_service.conf"
    make_home(cluster)
    write_text(target, "\n".join(lines) + "\n", mode=0o600)
    return target


def psql(cluster: Cluster, server: str | None = None) -> NoReturn:
    """Replace this process by psql on the project's database, or on the given server."""
    if server is None and find_postmaster(cluster) is None:
        raise _not_running(cluster)
    if server is None:
        program = find_binaries(cluster.search, cluster.account, wanted=_data_version(cluster)).program(
            "psql"
        )
    else:
        program = shutil.which("psql") or find_binaries(cluster.search, cluster.account).program("psql")
    arguments, environment = psql_call(program, server or dsn(cluster), os.environ)
    os.execve(program, arguments, environment)  # noqa: S606 - a program of our own search, no shell


def connect_string(project_dir: Path, dsn: str | None, *, env: Mapping[str, str] | None = None) -> str:
    """Return where the project's database answers: the given DSN, else the running private cluster.

    Raises:
        DatabaseError: no DSN is set and the cluster is not running.
    """
    if dsn:
        return dsn
    cluster = locate(project_dir, env=os.environ if env is None else env)
    if find_postmaster(cluster) is None:
        raise _not_running(cluster)
    check_private(_socket_dir(cluster), cluster.owner, 0o077)
    return _conninfo(cluster, cluster.database)


def _refuse_beside_former(cluster: Cluster) -> None:
    former = None if cluster.data_dir.exists() else moved_from(cluster)
    if former is not None:
        raise DatabaseError(
            f"{cluster.project}: this project was moved from {former.folder}, and its database still lies in {former.home}."
            " An empty one in its place would look like lost work, so none was made."
            f" Take it over with: lowland db up --take-over {former.home} – or have an empty one after: rm {cluster.project / ID_FILE}"
        )


def _take_over(cluster: Cluster, place: Path) -> None:
    """Move the data of another cluster here, its server stopped."""
    former = named(cluster, place)
    if former is None:
        known = [str(other.home) for other in others(cluster)]
        raise DatabaseError(
            f"{place}: there is no database of lowland in it or of a project that was there. Those that there are:\n{listed(known)}"
        )
    if cluster.data_dir.exists():
        raise DatabaseError(
            f"{cluster.project}: this project has a database of its own in {cluster.data_dir}, so no other can take its place."
            " Stop it with lowland db down, move that folder away, and type this again."
        )
    if not former.is_left and former != moved_from(cluster):
        raise DatabaseError(
            f"{former.home}: the database of {former.folder}, which is still there, so it was left to that project."
            " Copy what is needed with pg_dump."
        )
    old = at_home(cluster, former.home, env=os.environ)
    with _locked(old):
        postmaster = find_postmaster(old)
        if postmaster is not None:
            stop_server(old, postmaster)
        old.data_dir.rename(cluster.data_dir)
    shutil.rmtree(old.home)


@contextmanager
def _locked(cluster: Cluster) -> Iterator[int]:
    """Hold the cluster's lock; it falls when the last process that holds it ends, however it ends: initdb inherits it."""
    lock = os.open(cluster.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # type: ignore[attr-defined, unused-ignore]
    try:
        _take(lock, cluster)
        yield lock
    finally:
        os.close(lock)


def _take(lock: int, cluster: Cluster) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[attr-defined, unused-ignore]
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"{cluster.home}: another `lowland db up` or `down` has been at work for {LOCK_SECONDS} s, "
                    "and two at once would harm the data. See with ps what it is doing, then type: lowland db up"
                ) from None
            time.sleep(0.05)
        else:
            return


def _data_version(cluster: Cluster) -> int | None:
    try:
        return int((cluster.data_dir / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def _make_data(cluster: Cluster, binaries: Binaries, lock: int, *, durable: bool) -> None:
    """Run initdb beside the final place and rename, so that a half-made folder is never taken for data."""
    for left_over in cluster.home.glob(f"{HALF_MADE}*"):
        shutil.rmtree(left_over)
    if cluster.data_dir.exists():
        return
    fresh = Path(tempfile.mkdtemp(prefix=HALF_MADE, dir=cluster.home))
    give(fresh, cluster.account)
    command = [binaries.program("initdb"), "-D", str(fresh), "-A", "peer", "-U", SUPERUSER, "-E", "UTF8"]
    command += ["--no-locale", "--data-checksums"] + ([] if durable else ["--no-sync"])
    # initdb keeps the lock: were this process killed, nobody touches the folder before initdb has ended too.
    outcome = run_as(cluster.account, command, timeout=INITDB_SECONDS, held=(lock,))
    if outcome.returncode:
        raise DatabaseError(
            f"{cluster.data_dir}: initdb failed, so there is no database. It said\n{outcome.stderr.strip()}\n"
            "Mend what it names, then type: lowland db up"
        )
    with (fresh / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(f"\ninclude = '../{cluster.settings.name}'\n")
    write_access(fresh, cluster)
    fresh.rename(cluster.data_dir)


def _write_settings(cluster: Cluster, *, durable: bool) -> None:
    shared = Path("/dev/shm")  # noqa: S108 - only its size is read
    size = shutil.disk_usage(shared).total if shared.is_dir() else None
    text = server_settings(cluster.socket_dir, durable=durable, shared_memory=size)
    write_text(cluster.settings, text, mode=0o644)


def _usable(cluster: Cluster) -> bool:
    """Tell whether a server is there, or coming up, that can be reached; one nobody can reach is stopped."""
    postmaster = find_postmaster(cluster)
    if postmaster is None:
        return False
    if postmaster.ready and not (postmaster.socket_dir / SOCKET_NAME).exists():
        stop_server(cluster, postmaster)  # its socket folder was swept away, as /tmp and /run/user are
        return False
    return True


def _await_answer(cluster: Cluster) -> None:
    def ready_or_gone() -> bool:
        postmaster = find_postmaster(cluster)
        return postmaster is None or postmaster.ready

    wait_until(ready_or_gone, START_SECONDS)
    postmaster = find_postmaster(cluster)
    if postmaster is None or not postmaster.ready:
        raise DatabaseError(
            f"{cluster.data_dir}: the server does not take connections, so no table can be read. Its log ends with\n"
            f"{log_tail(cluster)}\nMend what it names (whole log: {cluster.log}), then type: lowland db up"
        )


def _socket_dir(cluster: Cluster) -> Path:
    """Return where the live server listens: XDG_RUNTIME_DIR may have been another when it was started."""
    postmaster = find_postmaster(cluster)
    return postmaster.socket_dir if postmaster else cluster.socket_dir


def _conninfo(cluster: Cluster, database: str) -> str:
    return make_conninfo(_server(cluster), dbname=database, user=PROGRAM)


def _server(cluster: Cluster) -> str:
    # The port is named so that a PGPORT in the environment cannot lead elsewhere.
    return make_conninfo("", host=str(_socket_dir(cluster)), port=PORT)


def _not_running(cluster: Cluster) -> DatabaseError:
    return DatabaseError(
        f"{cluster.data_dir}: the project's database is not running, so nothing can be read or stored. "
        "Start it, type: lowland db up"
    )
