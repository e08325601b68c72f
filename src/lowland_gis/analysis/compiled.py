"""Compile a kernel with Numba: cached on disk, outside the interpreter's lock, with strict IEEE arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(kernel: Kernel) -> Kernel:
    """Return a kernel compiled on its first call.

    No fast arithmetic and no parallel sums, so that the same input gives the same bits on any number of threads.
    """
    return cast("Kernel", njit(cache=True, nogil=True)(kernel))
