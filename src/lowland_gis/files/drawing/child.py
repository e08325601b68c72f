"""Read a drawing in a process of its own: `python -m lowland_gis.files.drawing.child FILE ENCODING`, ENCODING empty where it is not given.

Its parts go to stdout as Arrow; a reason why it cannot be read goes there as text, with a code of its own.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from ezdxf.document import Drawing
from ezdxf.filemanagement import read
from ezdxf.lldxf.const import DXFError
from ezdxf.lldxf.tagger import binary_tags_loader
from ezdxf.lldxf.types import DXFTag

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.drawing.entities import Parts
from lowland_gis.files.drawing.records import table_of, with_head
from lowland_gis.files.drawing.text import BINARY, Text, spelt_by, text_of

# The codes with which it ends: it may not be read, it is broken, there is not memory enough.
MAY_NOT, BROKEN, NO_MEMORY = 10, 11, 12
_BATCH_ROWS = 50_000
_WORDS, _MOST_SAID = 120, 1000


def main(path: str, encoding: str) -> None:
    """Write the parts of a drawing to stdout."""
    heard = _Heard()
    logging.getLogger("ezdxf").addHandler(heard)
    try:
        content = Path(path).read_bytes()
        text = text_of(Path(path), content, encoding or None)
        drawing = _drawing(content, text)
        del content
        _write(Parts(drawing, text), heard.said)
    except InputRefusedError as error:
        _end(MAY_NOT, str(error))
    except MemoryError:
        _end(NO_MEMORY, "")
    except (DXFError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        _end(BROKEN, " ".join(str(error).split()) or type(error).__name__)


def _drawing(content: bytes, text: Text) -> Drawing:
    if content.startswith(BINARY):
        loader: Any = _spelt(binary_tags_loader(content), text)
        return Drawing.load(loader)
    decoded = io.StringIO(content.decode(text.encoding.name, "surrogateescape"), newline=None)
    return read(decoded)


def _spelt(tags: Iterator[DXFTag], text: Text) -> Iterator[DXFTag]:
    """Yield the tags of a binary drawing with their words read as they are encoded, not as the head says."""
    said = spelt_by(text.version, text.code_page)
    for tag in tags:
        if isinstance(tag.value, str) and not tag.value.isascii():
            word = tag.value.encode(said, "surrogateescape").decode(text.encoding.name, "surrogateescape")
            yield DXFTag(tag.code, word)
        else:
            yield tag


class _Heard(logging.Handler):
    """What the library says and goes on: a block that it leaves out, a part whose tags it does not know."""

    def __init__(self) -> None:
        """Hear warnings and worse."""
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the words of a record."""
        self.said.append(" ".join(record.getMessage().split())[:_WORDS])


def _write(parts: Parts, said: list[str]) -> None:
    batches = []
    rows: list[dict[str, Any]] = []
    for row in parts.rows():
        rows.append(row)
        if len(rows) == _BATCH_ROWS:
            batches.append(table_of(rows))
            rows = []
    parts.head.said = list(dict.fromkeys(said))[:_MOST_SAID]
    whole = with_head(pa.concat_tables([*batches, table_of(rows)]), parts.head)
    with pa.ipc.new_stream(sys.stdout.buffer, whole.schema) as writer:
        writer.write_table(whole)


def _end(code: int, why: str) -> None:
    sys.stdout.buffer.write(why.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()
    sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
