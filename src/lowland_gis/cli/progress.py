"""A progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lowland_gis.cli import Session

Watch = Callable[[int, int | None], None]


@contextmanager
def progress(session: Session, text: str) -> Iterator[Watch]:
    """Yield what a stage tells how far it is; the bar goes to stderr and leaves when the work is done."""
    errors = Console(stderr=True)
    if session.verbosity < 0 or not errors.is_terminal:
        yield lambda _done, _of: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
