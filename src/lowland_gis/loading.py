"""Libraries that are loaded when they are first used, not when a module is imported that might use them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def when_used(name: str) -> Any:
    """Return what stands for a library until something of it is asked for: pandas takes longer to load than most lists to print.

    A module says `import pandas as pd` only where types are checked (`if TYPE_CHECKING`), else `pd = when_used("pandas")`. Python's own
    import loads it, so one thread does and others wait.

    >>> calendar = when_used("calendar")
    >>> calendar.isleap(2024)
    True
    """
    return _Library(name)


class _Library:
    def __init__(self, name: str) -> None:
        self.__name = name

    def __getattr__(self, attribute: str) -> Any:
        # Asked only for what is not kept here yet.
        found = getattr(import_module(self.__name), attribute)
        setattr(self, attribute, found)
        return found
