"""The one error family of lowland, each member with the exit code that the command line returns.

A message has three parts: what is wrong (with the name of the thing), why it matters, and what to type.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

SHOWN_FAULTS = 5
# Files of settings and definitions are mended in one go, so all of their faults are shown.
SHOWN_IN_FILES = 40
_FEW = 2


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


class MoveRefusedError(InputRefusedError):
    """The registry does not take it: a move that the procedure does not know, without its paper, too early, or of what somebody else moved."""


class NotAllowedError(InputRefusedError):
    """The account at the database may not do it; `statements` is the SQL with which an administrator lets it, where that is all it needs."""

    def __init__(self, message: str, *, statements: str | None = None) -> None:
        """Keep what an administrator would type."""
        super().__init__(message)
        self.statements = statements


class DatabaseError(LowlandError):
    """The database cannot be found, started, reached or written."""

    exit_code = 4


class RerunDiffersError(LowlandError):
    """A run made again from its recorded inputs gave other rows."""

    exit_code = 5


class DefinitionError(LowlandError):
    """A rule pack, layer definition or package definition is wrong."""

    exit_code = 6


class LowlandWarning(UserWarning):
    """What a command would say on stderr: it was done, and there is something to know about it."""


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


def gathered(faults: Iterable[tuple[str, str, str]], *, shown: int = SHOWN_FAULTS) -> list[str]:
    """Return the lines of faults, each given as its place, its own line, and words that fit every place with the same fault.

    More than two of the same are one line with their number and the first places.

    >>> gathered([(f"row {n}", f"row {n}: 'x' is no number", "no number") for n in range(2)])
    ["row 0: 'x' is no number", "row 1: 'x' is no number"]
    >>> gathered([(f"row {n}", f"row {n}: 'x' is no number", "no number") for n in range(2107)], shown=2)
    ['no number – 2,107 times: row 0; row 1 … and 2,105 more']
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for place, line, together in faults:
        groups.setdefault(together, []).append((place, line))
    lines: list[str] = []
    for together, group in groups.items():
        if len(group) <= _FEW:
            lines += [line for _, line in group]
            continue
        places = "; ".join(place or "at the top" for place, _ in group[:shown])
        more = f" … and {len(group) - shown:,} more" if len(group) > shown else ""
        lines.append(f"{together} – {len(group):,} times: {places}{more}")
    return lines
