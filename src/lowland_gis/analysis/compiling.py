"""What Numba makes of the functions of this floor; only `compiled` imports this, when one of them is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np

from lowland_gis.analysis.machine_code import SYMBOL, folder_for, folders_of

# Its own types say less than it takes.
_numba: Any = numba


def made(function: Callable[..., Any], wing: Path, options: dict[str, Any]) -> Any:
    """Return a function as Numba compiles it; the machine code is kept in the folder of its wing."""
    with suppress(OSError):
        folder_for(wing)
    with _kept_in(str(folders_of(wing)[0])):
        return _numba.njit(cache=True, **options)(function)


@contextmanager
def _kept_in(folder: str) -> Iterator[None]:
    """Let Numba keep the machine code of what is compiled here in a folder, and that of other libraries where it was."""
    settings = _numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = folder
    try:
        yield
    finally:
        settings.CACHE_DIR = before


def object_code(function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> bytes:
    """Return the object code of a function that borrows, for arguments of these types.

    Raises:
        TypeError: it returns something, or needs more than the processor: then it takes memory or may raise an error.
    """
    signature = tuple(map(_type, arguments))
    compiler = _numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(function)
    compiler.compile(signature)
    if compiler.overloads[compiler.signatures[0]].signature.return_type != _numba.types.none:
        raise TypeError(f"{function.__name__} returns something, but an entry writes what it finds to arrays")
    module = llvm.parse_assembly(compiler.inspect_llvm(compiler.signatures[0]))
    needed = [
        each.name for each in module.functions if each.is_declaration and not each.name.startswith("llvm.")
    ]
    if needed:
        raise TypeError(f"{function.__name__} needs {', '.join(needed)}, which bare machine code has not")
    next(each for each in module.functions if each.linkage == llvm.Linkage.external).name = SYMBOL
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic",
        codemodel="jitdefault",
        jit=True,
    )
    return bytes(machine.emit_object(module))


def _type(argument: Any) -> Any:
    """Return the type of an argument as it is lent: an array that may be written to, whoever may write to it elsewhere."""
    types = _numba.types
    if isinstance(argument, np.ndarray):
        return types.Array(_numba.typeof(argument).dtype, argument.ndim, "C")
    if not isinstance(argument, tuple):
        return types.float64 if isinstance(argument, float) else types.int64
    parts = [_type(each) for each in argument]
    if not hasattr(argument, "_fields"):
        return types.Tuple(parts)
    if len(set(parts)) == 1:
        return types.NamedUniTuple(parts[0], len(parts), type(argument))
    return types.NamedTuple(parts, type(argument))
