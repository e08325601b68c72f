"""The one way in which functions of this floor are compiled to machine code."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import config, njit

Function = TypeVar("Function", bound=Callable[..., Any])

_PREFIX = "compiled-"


def compiled(function: Function) -> Function:
    """Compile a function when it is first called; the machine code is kept on disk, the GIL is let go.

    No fast math and no parallel sums: the same input gives the same bits on any number of threads.
    """
    return _kept(function, _nrt=True)


def borrowing(function: Function) -> Function:
    """Compile a function that only reads and writes arrays of its caller: it takes no memory and returns no array.

    Numba counts the holders of every array that a function touches, with an atomic step on both ways, also of one that it only borrows:
    that was up to two thirds of the time of the innermost loops.
    """
    return _kept(function, _nrt=False)


def inlined(function: Function) -> Function:
    """Compile a function, which borrows too, into those that call it, where a call would cost more than the work."""
    return _kept(function, forceinline=True, _nrt=False)


def _kept(function: Function, **options: Any) -> Function:
    # `_nrt` is Numba's runtime for memory. It is said each time, since a function that does not say it takes it from its first caller.
    with _kept_in(_folder(Path(function.__code__.co_filename).parent)):
        made = njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    return cast("Function", made)


@contextmanager
def _kept_in(folder: str) -> Iterator[None]:
    """Let Numba keep the machine code of what is compiled here in a folder, and that of other libraries where it was."""
    settings: Any = config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = folder
    try:
        yield
    finally:
        settings.CACHE_DIR = before


@cache
def _folder(wing: Path) -> str:
    """Return the folder for the machine code of this state of a wing: the folder that the source of its functions is in.

    Numba knows machine code by the source of its own function only. What a function calls is compiled into it, so after a change of
    a module the code of its callers would be that of before; a digest of the modules of the wing, and of what every wing may stand
    on (`geometry`, the modules beside this one), in the name of the folder keeps them apart. So a change of the rules does not
    compile the overlay anew. `tests/unit/analysis/test_compiled.py` holds every wing with machine code to these modules.
    """
    home = Path(__file__).parent
    digest = hashlib.sha256()
    modules = {*home.glob("*.py"), *(home / "geometry").rglob("*.py")}
    if wing != home:
        modules |= set(wing.rglob("*.py"))
    for module in sorted(modules):
        digest.update(module.read_bytes())
    prefix = f"{_PREFIX}{wing.name}-"
    name = prefix + digest.hexdigest()[:16]
    if os.environ.get("NUMBA_CACHE_DIR"):
        return str(Path(os.environ["NUMBA_CACHE_DIR"]) / name)
    beside = home / "__pycache__"
    if not os.access(beside if beside.is_dir() else home, os.W_OK):
        return str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lowland_gis" / name)
    for old in beside.glob(f"{prefix}*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)
    return str(beside / name)


@compiled
def _nothing() -> None:
    """Do nothing."""


# Numba gets its machinery together on the first call; let that be a part of the import, where it is looked for.
_nothing()
