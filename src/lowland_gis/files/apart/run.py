"""Run a program in a process of its own, with limits of time and memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

_LIMITED = "lowland_gis.files.apart.limited"


@dataclass(frozen=True)
class Limits:
    """How long a program may take, and with how much memory."""

    seconds: float = 600
    memory_bytes: int = 4_000_000_000


class TooLongError(Exception):
    """A program did not end in its time; it was ended, with all that it had started."""


def run(
    command: Sequence[str], limits: Limits, out: IO[bytes], more: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a program, its output going to a file that is open, and return its code and what it said beside.

    `more` are variables of its environment.

    Raises:
        TooLongError: it did not end in time.
        OSError: there is no such program.
    """
    # Windows has no such limits of memory; the time is limited there too.
    before = (
        [sys.executable, "-P", "-m", _LIMITED, str(limits.memory_bytes)] if sys.platform != "win32" else []
    )
    environment = {**os.environ, "PYTHONUTF8": "1", **(more or {})}
    with subprocess.Popen(
        [*before, *command], stdout=out, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            said = process.communicate(timeout=limits.seconds)[1]
        except BaseException as error:
            _end(process)
            if isinstance(error, subprocess.TimeoutExpired):
                raise TooLongError from error
            raise
    return process.returncode, said.decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started, which would else hold its output open."""
    if sys.platform != "win32":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
