"""Run the whole flow over a district by commands, on a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from variations.answers import Answers, answers_of
from variations.incoming import Incoming, moved_whole, project_text

NewDatabase = Callable[[], AbstractContextManager[str]]
_SECONDS = 1800


class RefusedError(AssertionError):
    """A command of the flow ended with another exit code than it should."""


@dataclass(frozen=True)
class Flow:
    """What one flow said, and what it answered."""

    answers: Answers
    output: str


def run_flow(incoming: Incoming, folder: Path, database: NewDatabase) -> Flow:
    """Deliver a district below `folder` and run every stage; earlier deliveries, where there are any, first.

    Raises:
        RefusedError: a command did not end with 0.
    """
    project = folder / incoming.folder
    project.mkdir(parents=True)
    states = [incoming] if incoming.before is None else [replace(incoming, layers=incoming.before), incoming]
    with database() as dsn:
        for number, state in enumerate(states, 1):
            _write(state, project, f"第{number}次交付")
            if number > 1 and state.mixes:
                _refuse_a_mix(state, project, dsn)
            for _ in range(2 if incoming.again else 1):
                output = _run(state, project, dsn)
        return Flow(answers_of(dsn, project / "out" / "package"), output)


def _write(incoming: Incoming, project: Path, name: str) -> None:
    """Write the deliveries and the project file."""
    if incoming.copied:
        incoming = moved_whole(incoming, project)
    written = tuple(item.settings(project / "incoming" / name) for item in incoming.layers)
    (project / "lowland.toml").write_text(project_text(written, incoming.crs), encoding="utf-8")


def _refuse_a_mix(incoming: Incoming, project: Path, dsn: str) -> None:
    """Load the next state of the land and nothing more: old answers over it may not be handed on.

    Raises:
        RefusedError: a package was built, or refused in another way than as an input.
    """
    file = str(project / "lowland.toml")
    lowland("--project", file, "run", "--to", "ingest", dsn=dsn, **incoming.environment)
    target = str(project / "mixed")
    lowland("--project", file, "package", "build", target, dsn=dsn, ends=3, **incoming.environment)


def _run(incoming: Incoming, project: Path, dsn: str) -> str:
    return lowland("--project", str(project / "lowland.toml"), "run", dsn=dsn, **incoming.environment)


def lowland(*arguments: str, dsn: str, ends: int = 0, **environment: str) -> str:
    """Run a command as a person would and return what it printed.

    Raises:
        RefusedError: it ended with another exit code than it should.
    """
    done = subprocess.run(
        [sys.executable, "-m", "lowland_gis", *arguments],
        env={**os.environ, "PYTHONUTF8": "1", **environment, "LOWLAND_DSN": dsn},
        capture_output=True,
        check=False,
        timeout=_SECONDS,
    )
    encoding = "gb18030" if environment.get("PYTHONUTF8") == "0" else "utf-8"
    if done.returncode != ends:
        lines = done.stderr.decode(encoding, errors="replace").strip().splitlines()
        said = "\n".join(lines[-6:])
        raise RefusedError(f"lowland {' '.join(arguments[2:])} ended with {done.returncode}: {said}")
    return done.stdout.decode(encoding)
