"""Standard streams that are closed, full, read by nobody or of a poor locale."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

import click


def have_streams() -> None:
    """Fill in standard streams that were closed: their numbers would go to the next file, and what is printed into it.

    What is then printed fails when it is flushed, as it does on a full disk.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", closefd=False))


def nobody_reads() -> None:
    """Let what is still to be written go nowhere: the reader of our output went away, as `head` does."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def speak_utf8() -> None:
    """Never fail on a Chinese name, whatever the locale of the terminal."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def warn(text: str) -> None:
    """Say something on stderr; that nobody reads it stops no work."""
    with suppress(BrokenPipeError):
        click.echo(text, err=True)
