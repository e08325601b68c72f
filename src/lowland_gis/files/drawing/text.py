"""The text of a drawing: its version, the code page that its head says, and how its bytes are really encoded."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from ezdxf.lldxf.tagger import binary_tags_loader
from ezdxf.tools.codepage import toencoding

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.encoding import Encoding, words_encoding

BINARY = b"AutoCAD Binary DXF\r\n\x1a\x00"
# The version of $ACADVER by the year that programs call it by.
VERSIONS = {"R12": "AC1009", "2000": "AC1015", "2004": "AC1018", "2007": "AC1021"}
_HEAD_BYTES = 1 << 16
# Between the name of a variable and its value stands the number of its kind, as text or as one or two bytes.
_VERSION = re.compile(rb"\$ACADVER[\s\x00\x011]{1,12}?(AC\d{4})")
_CODE_PAGE = re.compile(rb"\$DWGCODEPAGE[\s\x00\x033]{1,12}?([A-Za-z][A-Za-z0-9_\-]{3,15})")
_OTHER = re.compile(rb"[^\r\n\x00]*[\x80-\xff][^\r\n\x00]*")
_PAGES = {"gb2312": "gb18030", "big5": "big5", "ansi_936": "gb18030", "ansi_950": "big5", "dos936": "gb18030"}
_UTF8 = "utf-8"


@dataclass(frozen=True)
class Text:
    """The version of a drawing, the code page that its head says (None: none), and the encoding of its bytes."""

    version: str
    code_page: str | None
    encoding: Encoding


def text_of(path: Path, content: bytes, forced: str | None) -> Text:
    """Tell how the text of a drawing is encoded. The bytes decide: the code page of the head is that of the program, not of the text.

    Raises:
        InputRefusedError: it was cut off, or no encoding fits.
    """
    _refuse_cut(path, content)
    head = content[:_HEAD_BYTES]
    version = (_first(_VERSION, head) or VERSIONS["R12"]).upper()
    page = _first(_CODE_PAGE, head)
    declared = _UTF8 if version >= VERSIONS["2007"] else _declared(page)
    words = _words(content, version, page)
    if not words:
        return Text(version, page, Encoding(_UTF8, f"all text is ASCII; version {version}"))
    found = words_encoding(path, words, declared, forced)
    why = found.reason.replace("declared by .cpg or LDID", "declared by its head")
    reason = f"{why}; version {version}, $DWGCODEPAGE {page or 'not said'}"
    return Text(version, page, Encoding(found.name, reason, found.cut))


def _first(pattern: re.Pattern[bytes], head: bytes) -> str | None:
    found = pattern.search(head)
    return found[1].decode("ascii") if found else None


def _declared(page: str | None) -> str | None:
    if page is None:
        return None
    word = page.lower()
    name = _PAGES.get(word, word.replace("ansi_", "cp").replace("dos", "cp"))
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def _words(content: bytes, version: str, page: str | None) -> bytes:
    """Return the distinct lines with a byte over 127; of a binary drawing its words with one."""
    if not content.startswith(BINARY):
        return b"\n".join(dict.fromkeys(_OTHER.findall(content)))
    said = spelt_by(version, page)
    words = (tag.value for tag in binary_tags_loader(content) if isinstance(tag.value, str))
    return b"\n".join(
        dict.fromkeys(word.encode(said, "surrogateescape") for word in words if not word.isascii())
    )


def spelt_by(version: str, page: str | None) -> str:
    """Return by which encoding ezdxf reads the words of a binary drawing, whatever they are."""
    return "utf8" if version >= VERSIONS["2007"] else toencoding(page) if page else "cp1252"


def _refuse_cut(path: Path, content: bytes) -> None:
    end = content[-64:].rstrip(b"\x00 \t\r\n\x1a")
    if not end.endswith(b"EOF"):
        raise InputRefusedError(
            f"{path}: the drawing was cut off: it does not end with EOF, so what is missing cannot be known. Ask the sender for it again."
        )
