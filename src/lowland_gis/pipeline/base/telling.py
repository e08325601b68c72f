"""What is told to whoever waits: sentences, lines that pass by, and how much is done."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]
# How much is done, and of how much where that is known.
Watch = Callable[[int, int | None], None]


class Passing(str):
    """A line for whoever waits: on a terminal the next one takes its place, in a log it is left out."""

    __slots__ = ()


def silent(_: str) -> None:
    """Say nothing."""


def unwatched(_done: int, _of: int | None) -> None:
    """Show no progress."""
