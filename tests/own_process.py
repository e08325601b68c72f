"""`python -m lowland_gis` as a process of its own, forked from one that has loaded the libraries.

A command that a test types is a process: its own environment and folder, its own streams, its exit code. To load a thousand modules is two
seconds of processor time of most of them and the same each time, so it is done once, in a process that does nothing else; every command is
a copy of that one. What a copy cannot show, since the modules are there already, is that a module imports what it needs:
`unit/test_house.py` holds imports to that, and `cli/test_imports.py` what a command loads. The order of sets is that of the process that
was copied, so what is to be the same in two processes is compared with one that was begun afresh (`run_afresh`).
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

SECONDS = 600
# What commands load only when they need it.
_LIBRARIES = (
    "alembic.command", "docx", "docxtpl", "exactextract", "ezdxf", "fiona", "fontTools.ttLib", "geoalchemy2", "geopandas", "highspy",
    "lxml.etree", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf", "numba", "openpyxl", "pyarrow.parquet", "pyogrio",
    "python_calamine", "rasterio", "rich.console", "rich.table", "scipy.sparse.csgraph", "scipy.spatial", "sqlalchemy", "xlrd", "xlsxwriter",
)  # fmt: skip
# Spark is no part of the tests' environment.
_NOT_HERE = "lowland_gis.engines.sedona"


def run(
    *arguments: object, env: Mapping[str, str], cwd: Path | None = None, timeout: float = SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it printed; an environment that Python reads when it begins is given to a Python that does begin."""
    line = list(map(str, arguments))
    if not alike(env):
        return run_afresh(*line, env=env, cwd=cwd, timeout=timeout)
    asked = {"arguments": line, "cwd": str(cwd or Path.cwd()), "environment": dict(env)}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as request,
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
    ):
        json.dump(asked, request)
        request.seek(0)
        reading, writing = os.pipe()
        try:
            socket.send_fds(_parent(), [b"."], [request.fileno(), out.fileno(), err.fileno(), writing])
        finally:
            os.close(writing)
        with os.fdopen(reading) as status:
            number = int(status.readline())
            if not select.select([status], [], [], timeout)[0]:
                os.kill(number, signal.SIGKILL)
                raise subprocess.TimeoutExpired(line, timeout)
            code = int(status.readline())
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(line, code, out.read(), err.read())


def run_afresh(
    *arguments: object, env: Mapping[str, str], cwd: Path | None = None, timeout: float = SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run a command in a Python that begins with nothing, as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "lowland_gis", *map(str, arguments)],
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def alike(env: Mapping[str, str]) -> bool:
    """Tell whether an environment differs from that of the process that is copied only in what is read when a command asks for it."""
    ours = environment()
    apart = {name for name in {*ours, *env} if ours.get(name) != env.get(name)}
    return all(name.startswith(("LOWLAND_", "PYTEST_", "PG")) for name in apart)


def environment() -> dict[str, str]:
    """Return the environment of this process, with texts in UTF-8."""
    return os.environ | {"PYTHONUTF8": "1"}


@cache
def _parent() -> socket.socket:
    """Begin the process that is copied, and return where it is asked to copy itself; it ends when this process does."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno())],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(port: socket.socket) -> None:
    """Load everything, then copy this process for each that asks."""
    for name in _LIBRARIES:
        importlib.import_module(name)
    package = importlib.import_module("lowland_gis")
    for module in pkgutil.walk_packages(package.__path__, "lowland_gis."):
        if not module.name.startswith(_NOT_HERE) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()
    while True:
        said, streams, _, _ = socket.recv_fds(port, 1, 4)
        if not said:
            return
        if os.fork() == 0:
            port.close()
            _stand_by(*streams)
        for stream in streams:
            os.close(stream)
        _bury()


def _bury() -> None:
    """Forget the copies that have ended."""
    while True:
        try:
            number, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if number == 0:
            return


def _stand_by(request: int, out: int, err: int, status: int) -> NoReturn:
    """Let a copy become the command, and say its number and how it ended."""
    command = os.fork()
    if command == 0:
        os.close(status)
        _become(request, out, err)
    os.write(status, f"{command}\n".encode())
    _, how = os.waitpid(command, 0)
    # Nobody listens any more when it took too long.
    with suppress(BrokenPipeError):
        os.write(status, f"{os.waitstatus_to_exitcode(how)}\n".encode())
    os._exit(0)


def _become(request: int, out: int, err: int) -> NoReturn:
    """Be the command."""
    with os.fdopen(request, encoding="utf-8") as file:
        asked = json.load(file)
    for stream, number in ((out, 1), (err, 2)):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["lowland_gis", *asked["arguments"]]
    sys.path.insert(0, asked["cwd"])
    try:
        runpy.run_module("lowland_gis", run_name="__main__", alter_sys=True)
    except BaseException:  # noqa: BLE001 - it ends as Python ends: traceback and 1
        traceback.print_exc()
    os._exit(1)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
