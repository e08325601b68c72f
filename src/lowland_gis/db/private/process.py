"""The server process of a private cluster: is it there, start it, stop it, survive a killed one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lowland_gis.db.private.binaries import Binaries
from lowland_gis.db.private.paths import PORT, SOCKET_NAME, Cluster
from lowland_gis.db.private.programs import run_as
from lowland_gis.errors import DatabaseError

START_SECONDS = 300  # crash recovery of a large database takes its time
STOP_SECONDS = 120
ORPHAN_SECONDS = 20
LOG_LINES = 8
LARGEST_LOG = 10_000_000  # bytes
SMALL_SHARED_MEMORY = 1 << 30  # bytes; containers often have 64 MB in /dev/shm

ALWAYS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "jit": "off",
    "random_page_cost": "1.1",
    # After each delivery and run the server looks at so many times 300 rows of the table, of land with their geometries; with the 100 of
    # a new server that was a sixth of all that it did in a run, and no plan rests on more than a few classes.
    "default_statistics_target": "10",
    # Nobody follows this server, so what is loaded into a table of its own transaction is written once, not into the log as well.
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    # Off would be quicker by little (stages commit rarely) and lose what was reported as done when the server is killed.
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
}
THROW_AWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
}


@dataclass(frozen=True)
class Postmaster:
    """A live server of this cluster, as its postmaster.pid describes it."""

    pid: int
    socket_dir: Path
    ready: bool


def find_postmaster(cluster: Cluster) -> Postmaster | None:
    """Return the live server of this cluster; a stale file, or a pid that is another program now, is None."""
    try:
        lines = (
            (cluster.data_dir / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        )
    except FileNotFoundError:
        return None
    if len(lines) < 1 or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    if not _is_postmaster(pid, cluster.data_dir):
        return None
    socket_dir = Path(lines[4]) if len(lines) > 4 and lines[4] else cluster.socket_dir  # noqa: PLR2004
    return Postmaster(pid, socket_dir, ready=len(lines) > 7 and lines[7].strip() == "ready")  # noqa: PLR2004


def server_settings(socket_dir: Path, *, durable: bool, shared_memory: int | None) -> str:
    """Return the text of the settings file; `shared_memory` is the size of /dev/shm in bytes, None without one."""
    settings = ALWAYS | (DURABLE if durable else THROW_AWAY)
    settings |= {"port": str(PORT), "unix_socket_directories": str(socket_dir)}
    if shared_memory is not None and shared_memory < SMALL_SHARED_MEMORY:
        # Parallel queries would fail with "could not resize shared memory segment".
        settings["dynamic_shared_memory_type"] = "sysv"
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in sorted(settings.items())]
    return (
        "# Written again at each start of the server; changes belong in data/postgresql.auto.conf.\n"
        + "\n".join(lines)
        + "\n"
    )


def start_server(cluster: Cluster, binaries: Binaries) -> None:
    """Start the server and wait until it takes connections; one that someone else just started will do."""
    _drop_foreign_pid_files(cluster)
    _turn_log(cluster)
    deadline = time.monotonic() + ORPHAN_SECONDS
    while True:
        command = [binaries.program("pg_ctl"), "start", "-w", "-t", str(START_SECONDS), "-s"]
        command += ["-D", str(cluster.data_dir), "-l", str(cluster.log)]
        outcome = run_as(cluster.account, command, timeout=START_SECONDS + 30)
        if outcome.returncode == 0 or find_postmaster(cluster):
            return
        # After kill -9 of the server its sessions may still be at work on the shared memory.
        if "still in use" not in log_tail(cluster) or time.monotonic() > deadline:
            raise DatabaseError(_not_started(cluster, outcome.stderr))
        _end_orphans(cluster.data_dir)
        time.sleep(0.5)


def stop_server(cluster: Cluster, postmaster: Postmaster) -> None:
    """Stop the server: sessions are ended, open transactions rolled back, everything written."""
    os.kill(postmaster.pid, signal.SIGINT)
    if not wait_until(lambda: find_postmaster(cluster) is None, STOP_SECONDS):
        raise DatabaseError(
            f"{cluster.data_dir}: the server (process {postmaster.pid}) is still stopping after {STOP_SECONDS} s; "
            f"it is writing its last data. Look at {cluster.log}, then type again: lowland db down"
        )


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; False when it did not come about in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def log_tail(cluster: Cluster, lines: int = LOG_LINES) -> str:
    """Return the last lines of the server log, empty when there is none."""
    try:
        with cluster.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
            text = log.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])


def _is_postmaster(pid: int, data_dir: Path) -> bool:
    """Tell whether a process is the server of this data folder and not one that got its number later."""
    if sys.platform == "linux":
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return Path(os.fsdecode(words[0])).name == "postgres" and os.fsencode(data_dir) in words
    shown = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, timeout=20, check=False
    )
    return b"postgres" in shown.stdout and os.fsencode(data_dir) in shown.stdout


def _drop_foreign_pid_files(cluster: Cluster) -> None:
    """Remove a lock file whose number is another program's now: PostgreSQL would take that for its server.

    A dead number is left to PostgreSQL, which clears it by its own, more careful rules.
    """
    if find_postmaster(cluster) is not None:
        return
    for pid_file in (cluster.data_dir / "postmaster.pid", cluster.socket_dir / f"{SOCKET_NAME}.lock"):
        if pid_file.exists() and not _names_dead_process(pid_file):
            pid_file.unlink(missing_ok=True)


def _names_dead_process(pid_file: Path) -> bool:
    first = pid_file.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    if not first.isdigit():
        return False  # empty after a full disk: PostgreSQL would refuse it
    try:
        os.kill(int(first), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _turn_log(cluster: Cluster) -> None:
    if cluster.log.exists() and cluster.log.stat().st_size > LARGEST_LOG:
        cluster.log.replace(cluster.log.with_suffix(".log.1"))


def _end_orphans(data_dir: Path) -> None:
    """End sessions whose server was killed; they are known by working in the data folder."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            at_home = (entry / "cwd").readlink() == data_dir
            is_server = (entry / "comm").read_text(encoding="utf-8").startswith("postgres")
            if at_home and is_server:
                os.kill(int(entry.name), signal.SIGQUIT)  # type: ignore[attr-defined, unused-ignore]
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended meanwhile, or it is another user's and so not one of ours


def _not_started(cluster: Cluster, said: str) -> str:
    tail = log_tail(cluster) or f"  {said.strip()}"
    return (
        f"{cluster.data_dir}: PostgreSQL did not start, so no table can be read. Its log ends with\n{tail}\n"
        f"Mend what it names (whole log: {cluster.log}), then type: lowland db up"
    )
