"""The one error family of lowland, each member with the exit code that the command line returns.

A message has three parts: what is wrong (with the name of the thing), why it matters, and what to type.
"""

from __future__ import annotations

from collections.abc import Sequence

SHOWN_FAULTS = 5


class LowlandError(Exception):
    """Anything that lowland refuses or cannot do; the message is for the person at the terminal."""

    exit_code = 1


class UsageError(LowlandError):
    """The command or the project settings do not make sense together."""

    exit_code = 2


class InputRefusedError(LowlandError):
    """A file cannot be read for what it is; nothing of it was loaded."""

    exit_code = 3


class StaleError(InputRefusedError):
    """Results do not rest on each other or on what is there now, so nothing was made of them."""


class DatabaseError(LowlandError):
    """The database cannot be found, started, reached or written."""

    exit_code = 4


class RerunDiffersError(LowlandError):
    """A run made again from its recorded inputs gave other rows."""

    exit_code = 5


class DefinitionError(LowlandError):
    """A rule pack, layer definition or package definition is wrong."""

    exit_code = 6


def listed(faults: Sequence[str], *, shown: int = SHOWN_FAULTS) -> str:
    """Join faults for one message: the first few on lines of their own, the rest counted.

    >>> print(listed(["a", "b", "c"], shown=2))
      - a
      - b
      … and 1 more
    """
    lines = [f"  - {fault}" for fault in faults[:shown]]
    if len(faults) > shown:
        lines.append(f"  … and {len(faults) - shown} more")
    return "\n".join(lines)
