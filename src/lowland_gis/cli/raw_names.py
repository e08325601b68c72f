"""Names that are no UTF-8, as folders that came from Chinese Windows have them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import click


def refuse_bytes(arguments: Sequence[str]) -> None:
    """Refuse arguments in another encoding, which neither the database nor GDAL takes.

    Raises:
        click.UsageError: an argument is no UTF-8.
    """
    for argument in arguments:
        if is_bytes(argument):
            raise click.UsageError(not_utf8("The argument", argument))


def is_bytes(text: str) -> bool:
    """Say whether a text stands for bytes that were no UTF-8."""
    return any("\udc80" <= letter <= "\udcff" for letter in text)


def word_around(error: UnicodeEncodeError) -> str:
    """Return the word that could not be written; the text it stands in may be a whole file."""
    before, after = error.object[: error.start], error.object[error.start :]
    return re.split(r"\s", before)[-1] + re.split(r"\s", after)[0]


def not_utf8(what: str, text: str) -> str:
    """Return what to say of a text that stands for bytes in another encoding, and how Chinese Windows would read it."""
    raw = os.fsencode(text)
    shown = ascii(raw)[2:-1]
    try:
        read = f" (read as GBK it is {raw.decode('gb18030')!r})"
    except UnicodeDecodeError:
        read = ""
    return (
        f"{what} {shown} is not UTF-8{read}, so it cannot be kept in the database or given to GDAL."
        " Rename the file or folder, for example: convmv -f gbk -t utf8 --notest NAME"
    )
