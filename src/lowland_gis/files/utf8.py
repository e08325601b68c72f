"""Text files that a standard wants in UTF-8, such as GeoJSON: told before a library meets a letter that it cannot read."""

from __future__ import annotations

import codecs
from pathlib import Path

from lowland_gis.errors import InputRefusedError

_BLOCK = 1 << 22


def refuse_other_encoding(path: Path, name: str) -> None:
    """Read a text file through, and refuse it where it is not UTF-8.

    Raises:
        InputRefusedError: it is in another encoding; the message names it, and how to change it.
    """
    if _is_in(path, "utf-8"):
        return
    encoding = _named(path)
    seen = f"it is in {encoding}, and" if encoding else "some of its bytes are no UTF-8, but"
    way = (
        f"Type: iconv -f {encoding} -t UTF-8 {path.name} > new{path.suffix} – and name the new file."
        if encoding
        else "Ask the sender for it again."
    )
    raise InputRefusedError(
        f"{name}: {seen} {path.suffix} files are UTF-8, so its texts cannot be read. {way}"
    )


def _named(path: Path) -> str | None:
    with path.open("rb") as file:
        if file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
            return "UTF-16"
    return "GBK" if _is_in(path, "gb18030") else None


def _is_in(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
