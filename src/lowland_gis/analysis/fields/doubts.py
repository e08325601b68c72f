"""Doubts that a reader has about single rows of a delivery."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Doubt:
    """A value that was not taken as it stands: its 0-based row, the code of the doubt, and words with what was received."""

    row: int
    rule: str
    words: str


@dataclass(frozen=True)
class Aside:
    """A row that is no record, such as a total: its 0-based row, the code of the reason, and words for it."""

    row: int
    rule: str
    words: str
