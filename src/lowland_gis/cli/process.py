"""What the program asks of its own process: memory that it keeps, garbage that it seldom looks for, and leaving at once.

Beside each stands what it was measured to give. Not here, since it gave less than a twentieth: to collect no garbage while modules are
imported (0.597 s without that, 0.592 s with it: medians of 9 runs of `lowland tabulate` of a parcel).
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

# Parameters of mallopt, from glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
# So many more objects than were given back are made before Python looks for circles among the young ones, and so often among the older ones.
_YOUNG, _OLDER = 100_000, 20
# The greatest that glibc takes for one block, and more than any batch gives back.
_BLOCK_BYTES, _KEPT_BYTES = 1 << 25, 1 << 30


def keep_memory() -> None:
    """Let blocks below 32 MB be used again: by itself malloc gives them back to the system, which must clear each page anew.

    That was 0.2 s of 2.5 s of ingest. Arrow has an allocator of its own, which does the same; on systems without glibc nothing changes.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    _set(_MMAP_THRESHOLD, _BLOCK_BYTES)
    _set(_TRIM_THRESHOLD, _KEPT_BYTES)


def share_memory() -> None:
    """Let all threads take their memory from one place; call it before there are any.

    What further places give back goes to the system all the same: with few and large blocks, as tabulation takes them, that was 0.3 s of
    1.2 s with two threads. With many small ones, as in ingest, threads would wait for each other.
    """
    _set(_ARENA_MAX, 1)


def collect_seldom() -> None:
    """Let Python look for circles of objects that nobody holds any more after 100,000 new ones, not after 700.

    Rows of the database and cells of sheets are hundreds of thousands of objects in no circle, among which it looked again and again: that was
    0.9 s of 15.1 s of the program in `lowland run` of 8,000 parcels, and 7 % of its samples at 20,000.
    """
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)


def leave(code: int) -> NoReturn:
    """End the process without taking a hundred libraries down again, which gives nobody anything.

    That was 0.08 s of 0.67 s of `lowland tabulate` of a parcel. Threads are at their end, since every pool is left as a context.
    """
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def _set(parameter: int, value: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(parameter, value)
