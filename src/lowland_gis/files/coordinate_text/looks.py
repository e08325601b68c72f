"""Tell a coordinate text from a note by its beginning, and find all of a folder."""

from __future__ import annotations

import codecs
from pathlib import Path

from lowland_gis.analysis.coordinate_text.lines import looks_right

SUFFIX = ".txt"
_SAMPLE = 1 << 16
_READINGS = ("utf-8-sig", "gb18030")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_coordinate_text(path: Path) -> bool:
    """Tell whether the beginning of a file is that of a coordinate text, in any encoding that these come in.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(_SAMPLE)
    readings = ("utf-16",) if content.startswith(_UTF_16) else _READINGS
    return any(looks_right(content.decode(reading, "ignore")) for reading in readings)


def coordinate_texts(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the coordinate texts of a folder and its folders, and the other files of that suffix; both in the order of their paths.

    Raises:
        OSError: a file cannot be read.
    """
    every = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() == SUFFIX and path.is_file() and not path.name.startswith((".", "~$"))
    ]
    texts = [path for path in every if is_coordinate_text(path)]
    return texts, [path for path in every if path not in set(texts)]
