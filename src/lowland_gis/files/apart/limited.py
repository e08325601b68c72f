"""Become a program with little memory: `python -m lowland_gis.files.apart.limited BYTES PROGRAM ARGUMENTS`."""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress


def main(memory_bytes: int, command: list[str]) -> None:
    """Set the limit, which whatever this process becomes has as well, and become the program."""
    with suppress(ImportError):
        resource = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.execvp(command[0], command)  # noqa: S606 - a list of words, no shell


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
