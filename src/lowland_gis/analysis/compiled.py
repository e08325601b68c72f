"""The one way in which functions of this floor are compiled to machine code.

Numba is loaded when the first of them is called, not when a module is imported: it takes longer to load than a small tabulation to do.
What Python calls in a tabulation (`entry`) does without it once its machine code is kept: see `machine_code`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar, cast

from lowland_gis.analysis.machine_code import Code, Kinds, code_of, flat

Function = TypeVar("Function", bound=Callable[..., Any])

# What is compiled sets the folder of Numba's cache for a moment; one thread at a time does.
_compiling = threading.RLock()


def compiled(function: Function) -> Function:
    """Compile a function when it is first called; the machine code is kept on disk, the GIL is let go.

    No fast math and no parallel sums: the same input gives the same bits on any number of threads.
    """
    return cast("Function", Compiled(function, _nrt=True))


def borrowing(function: Function) -> Function:
    """Compile a function that only reads and writes arrays of its caller: it takes no memory and returns no array.

    Numba counts the holders of every array that a function touches, with an atomic step on both ways, also of one that it only borrows:
    that was up to two thirds of the time of the innermost loops.
    """
    return cast("Function", Compiled(function, _nrt=False))


def inlined(function: Function) -> Function:
    """Compile a function, which borrows too, into those that call it, where a call would cost more than the work."""
    return cast("Function", Compiled(function, forceinline=True, _nrt=False))


def entry(function: Function) -> Function:
    """Compile a function that borrows and is called from Python; what is kept of it runs without Numba.

    It returns nothing: what it finds it writes to arrays. It takes numbers, C-contiguous arrays, and tuples of these.
    """
    return cast("Function", Entry(function, _nrt=False))


class Compiled:
    """A function that is compiled when it is first called, by Python or by another one that is compiled."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        """Keep the function and how it is to be compiled; `_nrt` is Numba's runtime for memory."""
        # It is said each time, since a function that does not say it takes it from its first caller.
        self.py_func = function
        self.targetoptions = {"nogil": True, "error_model": "numpy", **options}
        self._made: Any = None
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        """Call the function, compiled for arguments of these types."""
        return self.made(*arguments)

    @property
    def made(self) -> Any:
        """Return what Numba makes of the function."""
        if self._made is None:
            with _compiling:
                if self._made is None:
                    from lowland_gis.analysis.compiling import made

                    self._made = made(self.py_func, self.wing, self.targetoptions)
        return self._made

    @property
    def _numba_type_(self) -> Any:
        """Return as what Numba takes this where a compiled function names it: what Numba makes of it."""
        return self.made._numba_type_

    @property
    def wing(self) -> Path:
        """Return the folder that the source of the function is in."""
        return Path(self.py_func.__code__.co_filename).parent


class Entry(Compiled):
    """A function that Python calls by its bare machine code."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        """Keep the function; its machine code is looked for when it is first called."""
        super().__init__(function, **options)
        self._codes: dict[Kinds, Code] = {}

    def __call__(self, *arguments: Any) -> None:
        """Call the function; arrays are borrowed as long as it runs."""
        kinds, values = flat(arguments)
        code = self._codes.get(kinds)
        if code is None:
            with _compiling:
                code = self._codes[kinds] = code_of(
                    self.py_func, self.wing, kinds, lambda: self._compiled(arguments)
                )
        code(values)

    def _compiled(self, arguments: tuple[Any, ...]) -> bytes:
        from lowland_gis.analysis.compiling import object_code

        return object_code(self.py_func, arguments, self.targetoptions)
