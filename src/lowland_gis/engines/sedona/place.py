"""Where Spark computes, and with how much memory."""

from __future__ import annotations

from dataclasses import dataclass

MASTER = "local[*,4]"
MEMORY = "2g"


@dataclass(frozen=True)
class Place:
    """Where Spark computes: its master, the memory of the driver and of each executor, and so many MB of WKB that a cell may have at most."""

    master: str = MASTER
    memory: str = MEMORY
    cell_mb: float = 16.0
