"""A progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lowland_gis.cli import Session

if TYPE_CHECKING:
    from lowland_gis.pipeline.base.telling import Watch


@contextmanager
def progress(session: Session, text: str) -> Iterator[Watch]:
    """Yield what a stage tells how far it is; the bar goes to stderr and leaves when the work is done."""
    if session.verbosity < 0 or not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
