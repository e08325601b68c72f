"""The one way in which functions of this floor are compiled to machine code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function when it is first called; the machine code is kept beside the source, the GIL is let go.

    No fast math and no parallel sums: the same input gives the same bits on any number of threads.
    """
    return cast("Function", njit(cache=True, nogil=True, error_model="numpy")(function))


@compiled
def _nothing() -> None:
    """Do nothing."""


# Numba gets its machinery together on the first call; let that be a part of the import, where it is looked for.
_nothing()


def inlined(function: Function) -> Function:
    """Compile a function into those that call it, where a call would cost more than the work."""
    return cast("Function", njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function))
