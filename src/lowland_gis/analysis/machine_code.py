"""Machine code that is kept on disk: where it lies, whether it may be trusted, and how it is called without Numba.

A file holds the object code of one function for arguments of one kind. Its name has the digest of all sources that the code can come from
and of the processor that it was made for, so what was compiled of other sources, or on another computer, is never found.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Kinds = tuple[str, ...]

HOME = Path(__file__).parent
# The name of the function in every object file.
SYMBOL = "lowland_entry"
_PREFIX = "compiled-"
_DIGEST_BYTES = hashlib.sha256().digest_size
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

# What is loaded stays loaded.
_loaded: list[Any] = []


class Code(NamedTuple):
    """Machine code that is loaded: the function, as C knows it."""

    function: Any
    name: str

    def __call__(self, values: list[int | float]) -> None:
        """Call it with what `flat` returns."""
        result, error = ctypes.c_void_p(), ctypes.c_void_p()
        if self.function(ctypes.byref(result), ctypes.byref(error), *values):
            raise RuntimeError(f"the machine code of {self.name} failed")


def flat(arguments: tuple[Any, ...]) -> tuple[Kinds, list[int | float]]:
    """Return of what kind each argument is, tuples taken apart, and what Numba's functions take for them.

    Numba passes an array as two owners, which a function that borrows does not look at, the number and size of its items, its address, shape
    and strides.

    Raises:
        TypeError: an argument is neither a number nor an array that lies in memory as C has it.
    """
    kinds: list[str] = []
    values: list[int | float] = []
    _flatten(arguments, kinds, values)
    return tuple(kinds), values


def _flatten(arguments: tuple[Any, ...], kinds: list[str], values: list[int | float]) -> None:
    for each in arguments:
        if isinstance(each, np.ndarray):
            if not (each.flags.c_contiguous and each.dtype.isnative and each.flags.aligned):
                raise TypeError(
                    "an array that is lent to machine code is contiguous, aligned and of this processor's numbers"
                )
            kinds.append(f"{each.dtype.char}{each.ndim}")
            address = each.__array_interface__["data"][0]
            values += (0, 0, each.size, each.itemsize, address, *each.shape, *each.strides)
        elif isinstance(each, tuple):
            kinds.append("(")
            _flatten(each, kinds, values)
            kinds.append(")")
        elif isinstance(each, float):
            kinds.append("float")
            values.append(each)
        elif isinstance(each, int | np.integer) and not isinstance(each, bool):
            kinds.append("int")
            values.append(int(each))
        else:
            raise TypeError(f"{type(each).__name__} cannot be lent to machine code")


def _c_types(kinds: Kinds) -> Iterator[Any]:
    for kind in kinds:
        if kind in "()":
            continue
        if kind == "float":
            yield ctypes.c_double
        elif kind == "int":
            yield ctypes.c_int64
        else:
            yield from (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
            yield from [ctypes.c_int64] * (2 * int(kind[-1]))


def code_of(function: Callable[..., Any], wing: Path, kinds: Kinds, compiled: Callable[[], bytes]) -> Code:
    """Return the machine code of a function for arguments of some kinds: what is kept, else what is compiled now, and kept.

    It is neither taken from nor written to a folder that somebody else can write to.
    """
    name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}-{_made_for(kinds)}"
    folders = [folder for folder in folders_of(wing) if _is_ours(folder)]
    content = next(filter(None, (_read(folder / name) for folder in folders)), None)
    if content is None:
        content = compiled()
        _keep(content, name, wing)
    return Code(_function(content, kinds), function.__name__)


def _made_for(kinds: Kinds) -> str:
    """Return a digest of the kinds of arguments, of this processor, and of what makes and loads the code."""
    import llvmlite
    import llvmlite.binding as llvm

    # A release of Numba goes with one of llvmlite.
    said = (llvmlite.__version__, llvm.get_process_triple(), llvm.get_host_cpu_name())
    features = llvm.get_host_cpu_features().flatten()
    return hashlib.sha256(repr((said, features, kinds)).encode()).hexdigest()[:16]


def _function(content: bytes, kinds: Kinds) -> Any:
    """Load object code and return its function."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(content))
    engine.finalize_object()
    _loaded.append(engine)
    form = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *_c_types(kinds))
    return form(engine.get_function_address(SYMBOL))


@cache
def folders_of(wing: Path) -> tuple[Path, ...]:
    """Return the folders in which the machine code of this state of a wing may lie, the one for new code first.

    A wing is the folder that the source of a function is in. Numba knows machine code by the source of its own function only. What a
    function calls is compiled into it, so after a change of
    a module the code of its callers would be that of before; a digest of the modules of the wing, and of what every wing may stand
    on (`geometry`, the modules beside this one), in the name of the folder keeps them apart. So a change of the rules does not
    compile the overlay anew. `tests/unit/analysis/test_compiled.py` holds every wing with machine code to these modules.
    """
    digest = hashlib.sha256()
    modules = {*HOME.glob("*.py"), *(HOME / "geometry").rglob("*.py")}
    if wing != HOME:
        modules |= set(wing.rglob("*.py"))
    for module in sorted(modules):
        digest.update(module.read_bytes())
    prefix = f"{_PREFIX}{wing.name}-"
    name = prefix + digest.hexdigest()[:16]
    if os.environ.get("NUMBA_CACHE_DIR"):
        return (Path(os.environ["NUMBA_CACHE_DIR"]) / name,)
    beside = HOME / "__pycache__"
    if not os.access(beside if beside.is_dir() else HOME, os.W_OK):
        # Who installed the package may have filled the folder beside the sources.
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return home / "lowland_gis" / name, beside / name
    for old in beside.glob(f"{prefix}*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)
    return (beside / name,)


def is_kept(wing: str) -> bool:
    """Return whether there is machine code of this state of a wing, such as `units`; else it is compiled where it is first called."""
    return any(folder.is_dir() and any(folder.iterdir()) for folder in folders_of(HOME / wing))


def folder_for(wing: Path) -> Path:
    """Return the folder for new machine code of a wing, made where it is not there; nobody else may write to it.

    Raises:
        OSError: it cannot be made.
    """
    folder = folders_of(wing)[0]
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        # Where accounts share a group by default (umask 002) it would be open to all of these.
        folder.chmod(0o755)
    return folder


def _is_ours(path: Path) -> bool:
    """Return whether a folder or file is there, and nobody can have written it but this account, root, or who wrote this program."""
    try:
        found = path.stat()
    except OSError:
        return False
    if not hasattr(os, "getuid"):
        return True
    return (
        found.st_uid in {os.getuid(), 0, Path(__file__).stat().st_uid} and not found.st_mode & _OTHERS_WRITE
    )


def _read(file: Path) -> bytes | None:
    """Return object code that was kept whole."""
    if not _is_ours(file):
        return None
    with suppress(OSError):
        content = file.read_bytes()
        if hashlib.sha256(content[_DIGEST_BYTES:]).digest() == content[:_DIGEST_BYTES]:
            return content[_DIGEST_BYTES:]
    return None


def _keep(content: bytes, name: str, wing: Path) -> None:
    """Write object code to where it is looked for; where that cannot be, it is compiled again the next time."""
    with suppress(OSError):
        folder = folder_for(wing)
        if _is_ours(folder):
            part = folder / f"{name}.{secrets.token_hex(4)}"
            part.write_bytes(hashlib.sha256(content).digest() + content)
            part.chmod(0o644)
            part.replace(folder / name)
