"""Standard streams that are closed, full, read by nobody or of a poor locale."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
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


_WIPE = "\r\x1b[2K"


class _Line:
    """Whether a line stands on the terminal that the next one is to take the place of."""

    stands = False


def warn(text: str) -> None:
    """Say something on stderr; that nobody reads it stops no work."""
    wipe = _WIPE if _Line.stands else ""
    _Line.stands = False
    with suppress(BrokenPipeError):
        click.echo(wipe + text, err=True)


def mention(text: str) -> None:
    """Say on one line of a terminal what is at work, until anything else is said; elsewhere say nothing."""
    if not sys.stderr.isatty():
        return
    _Line.stands = True
    with suppress(BrokenPipeError):
        click.echo(_WIPE + _cut(text, shutil.get_terminal_size().columns - 1), nl=False, err=True)


def _cut(text: str, columns: int) -> str:
    """Return what of a text fits into so many columns; Chinese letters take two.

    >>> _cut("measure 税收 tax", 12)
    'measure 税收'
    """
    room = columns
    for place, letter in enumerate(text):
        room -= 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if room < 0:
            return text[:place]
    return text
