"""Read a TOML file that people wrote: one reader, so that every kind of file is refused in the same words and at the same limits."""

from __future__ import annotations

import codecs
import re
import tomllib
from pathlib import Path
from typing import Any

from lowland_gis.errors import LowlandError

MAX_BYTES = 400_000
# Far above any file that people write; without them a short hostile file takes hours, or more of the stack than there is.
MAX_DEPTH = 24
MAX_KEY_PARTS = 8
MAX_WORD = 64

_MARKS = (
    (codecs.BOM_UTF16_LE, "UTF-16 (“Unicode” in the editor of Windows)"),
    (codecs.BOM_UTF16_BE, "UTF-16 (“Unicode big endian”)"),
    (b"\x84\x31\x95\x33", "GB18030"),
)
# Comments and texts are passed over; one that never ends runs to the end of its line or of the file, so that each letter is read
# once. No possessive quantifiers: Python 3.11 before 3.11.5 matches them wrongly.
_TOKENS = re.compile(
    r"""
    (?P<text> \#[^\n]*
      | \"{3}[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*(?:"{3}|\\?\Z)
      | '{3}[^']*(?:'(?!'')[^']*)*(?:'{3}|\Z)
      | "[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"?
      | '[^'\n]*'? )
    | (?P<word> [A-Za-z0-9_+-]+ ) | (?P<mark> [\[{\]}.=,\n] )
    """,
    re.VERBOSE | re.DOTALL,
)


def read(path: Path, refusal: type[LowlandError]) -> dict[str, Any]:
    """Return the content of a TOML file; a byte order mark in front, as editors on Windows put it, is no fault.

    Raises:
        LowlandError: as `refusal`; the file is missing, too large, in another encoding, no TOML, or nested or numbered as no
            person writes it.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise refusal(
            f"{path}: cannot be read: {error.strerror or error}. Check the path and its rights."
        ) from error
    if len(content) > MAX_BYTES:
        raise refusal(
            f"{path}: larger than {MAX_BYTES:,} bytes, which no file of settings or definitions is. Name another file."
        )
    return _parsed(_decoded(content, path, refusal), path, refusal)


def _decoded(content: bytes, path: Path, refusal: type[LowlandError]) -> str:
    named = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    try:
        if named is None:
            return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if _is_gbk(content):
            raise refusal(_other_encoding(path, "GBK", f" (seen in line {line})", "-f GBK ")) from error
        raise refusal(
            f"{path}: not readable as TOML: byte 0x{content[error.start]:02x} in line {line} is no UTF-8."
            " Mend the line and try again."
        ) from error
    raise refusal(_other_encoding(path, named, "", f"-f {named.partition(' ')[0]} "))


def _other_encoding(path: Path, encoding: str, seen: str, option: str) -> str:
    return (
        f"{path}: not readable as TOML: it is in {encoding}{seen}, and TOML is UTF-8. Save it again as UTF-8, or type:"
        f" iconv {option}-t UTF-8 {path} > new.toml"
    )


def _is_gbk(content: bytes) -> bool:
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _parsed(text: str, path: Path, refusal: type[LowlandError]) -> dict[str, Any]:
    monster = _monster(text)
    if monster is not None:
        raise refusal(f"{path}: not read: {monster}, which no person writes. Mend the file and try again.")
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise refusal(f"{path}: not readable as TOML: {error}. Mend the file and try again.") from error


def _monster(text: str) -> str | None:
    """Say what in a file would cost the parser more than its size lets expect, or nothing."""
    depth, parts, line = 0, 1, 1
    for token in _TOKENS.finditer(text):
        piece = token[0]
        if token["word"] and len(piece) > MAX_WORD:
            return f"line {line} has a number or name of {len(piece):,} characters"
        if piece in {"[", "{"}:
            depth += 1
        elif piece in {"]", "}"}:
            depth -= 1
        if depth > MAX_DEPTH:
            return f"line {line} has brackets {depth} deep"
        parts = parts + 1 if piece == "." else parts if token["word"] or token["text"] else 1
        if parts > MAX_KEY_PARTS:
            return f"line {line} has a key of more than {MAX_KEY_PARTS} parts"
        line += piece.count("\n")
    return None
