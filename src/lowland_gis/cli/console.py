"""Standard output as Rich writes to it."""

from __future__ import annotations

import sys

from rich.console import Console

WIDTH_IN_A_PIPE = 120


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the error boundary: a reader that went away, as head does, is no failure."""
        raise BrokenPipeError


def console(width_in_a_pipe: int = WIDTH_IN_A_PIPE) -> Console:
    """Return a console on stdout, as wide as the terminal or, in a pipe or a file, as wide as is said."""
    if sys.stdout.isatty():
        return _Console()
    return _Console(width=width_in_a_pipe, no_color=True, force_terminal=False)
