"""What commands say on stderr, as warnings of Python that point at the line of the caller."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lowland_gis.errors import LowlandWarning
from lowland_gis.pipeline.base.telling import Tell

_HOME = str(Path(__file__).parents[1])


@contextmanager
def warned() -> Iterator[Tell]:
    """Yield what takes sentences, and give each as a `LowlandWarning` at the end, also where an error ends the work."""
    told: list[str] = []
    try:
        yield told.append
    finally:
        for text in told:
            warnings.warn(text, LowlandWarning, stacklevel=_depth())


def _depth() -> int:
    """Return how many frames the caller of the package is away from whoever calls this."""
    depth, frame = 1, sys._getframe(1)  # noqa: SLF001 - inspect.stack reads the source of every frame
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
        depth, frame = depth + 1, frame.f_back
    return depth


def _is_ours(file: str) -> bool:
    return file.startswith(_HOME) or file.endswith("contextlib.py")
