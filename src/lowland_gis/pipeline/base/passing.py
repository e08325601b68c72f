"""Lines that only say what is at work just now."""

from __future__ import annotations


class Passing(str):
    """A line for whoever waits: on a terminal the next one takes its place, in a log it is left out."""

    __slots__ = ()
