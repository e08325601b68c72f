"""Decide the text encoding of a DBF from its bytes, because headers and .cpg files are often missing or wrong."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.source import Source, sidecar

# Share of Chinese characters in level 1 of GB 2312 (the 3,755 common ones) below which a GBK reading is mojibake.
COMMON_SHARE = 0.6
_LEVEL_1 = range(0xB0, 0xD8)
_LDID = {0x4D: "gb18030", 0x57: "latin-1", 0x03: "cp1252", 0x4F: "big5", 0x78: "big5", 0x7A: "gb18030"}
_BIG5_LEVEL_1 = range(0xA4, 0xC7)
# … and from 0xA1 on, its second byte; Big5 and rare GBK characters go below.
_LEVEL_1_TRAIL = 0xA1
_LEAST_DBF_BYTES = 33
_LAST_ASCII = 127
_DOUBLE = 2
# A block stays in the processor's cache while its columns are gone through.
_BLOCK_ROWS = 4_096
# So many characters tell how common a text is; all bytes are decoded all the same.
_SHARE_OF = 20_000
_SAMPLES = 3
# A character takes so many bytes at most.
_LONGEST = 4
# What editors and spreadsheets put in front of a text.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_BETWEEN_CELLS = re.compile(rb'[,;\t"\r\n]+')
# Unicode keeps this one for programs themselves: no text holds it.
CUT = "\ufdd0"
_CHINESE = re.compile("[\u3400-\u9fff]")

# What gives the text of a file from its beginning, in parts that end with a line; a long file is never held as a whole.
Blocks = Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class Encoding:
    """The encoding to read with, and why; `cut` says that texts may end inside a character, whose beginning is left out."""

    name: str
    reason: str
    cut: bool = False


@dataclass(frozen=True)
class DbfHeader:
    """What the header of a DBF says of itself."""

    records: int
    header_bytes: int
    record_bytes: int
    ldid: int
    fields: tuple[tuple[bytes, str, int], ...]


def dbf_header(path: Path) -> DbfHeader:
    """Read the header of a DBF: record count and the name, type and width of each field.

    Raises:
        InputRefusedError: the file is too short for its own header, or for the records that the header counts.
    """
    with path.open("rb") as dbf:
        content = dbf.read(32 + 32 * 256)
    size = path.stat().st_size
    if len(content) < _LEAST_DBF_BYTES:
        raise InputRefusedError(f"{path}: too short to be a DBF. Ask the sender for the file again.")
    records = int.from_bytes(content[4:8], "little")
    header_bytes = int.from_bytes(content[8:10], "little")
    record_bytes = int.from_bytes(content[10:12], "little")
    if size < header_bytes + records * record_bytes:
        raise InputRefusedError(
            f"{path}: the header counts {records} records, but the file ends after"
            f" {max(0, size - header_bytes) // max(1, record_bytes)}: it was cut off, so nothing was loaded."
            " Ask the sender for the file again."
        )
    fields = []
    for start in range(32, header_bytes - 1, 32):
        if content[start : start + 1] in (b"\r", b""):
            break
        name = content[start : start + 11].split(b"\x00")[0]
        fields.append((name, chr(content[start + 11]), content[start + 16]))
    if header_bytes < _LEAST_DBF_BYTES or 1 + sum(width for _, _, width in fields) > record_bytes:
        raise InputRefusedError(
            f"{path}: the header contradicts itself (its fields are wider than its records), so no value can be found."
            " Ask the sender for the file again."
        )
    return DbfHeader(records, header_bytes, record_bytes, content[29], tuple(fields))


def source_encoding(source: Source, forced: str | None) -> Encoding | None:
    """Decide how to read the text of a source; None where the format says it itself.

    Raises:
        InputRefusedError: a shapefile has no .dbf, or no encoding fits without loss.
    """
    if source.driver != "ESRI Shapefile":
        return None
    dbf = sidecar(source.path, ".dbf")
    if dbf is None:
        raise InputRefusedError(f"{source.name}: its .dbf is missing. Ask the sender for all parts.")
    return shapefile_encoding(dbf, sidecar(source.path, ".cpg"), forced)


def shapefile_encoding(dbf: Path, cpg: Path | None, forced: str | None) -> Encoding:
    """Decide how to read the text of a shapefile.

    The bytes decide; LDID and .cpg only settle what bytes leave open. `forced` is taken if every byte fits it. A name or value that the
    width of its field has cut inside a character is no reason to refuse.

    Raises:
        InputRefusedError: no encoding fits without loss; three values are shown in each reading.
    """
    return _decided(dbf, lambda: _texts(dbf), _declared(dbf, cpg), forced, texts=lambda: _texts(dbf))


def text_encoding(path: Path, content: bytes, forced: str | None) -> Encoding:
    """Decide how to read a table that is plain text; a byte order mark settles it. A cell may end inside a character.

    Raises:
        InputRefusedError: no encoding fits without loss.
    """
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if forced is None and marked is not None and _fits(lambda: iter([content]), marked):
        return Encoding(marked, "it begins with a byte order mark")
    return _decided(path, lambda: iter([content]), None, forced, texts=lambda: iter([cells_of(content)]))


def words_encoding(path: Path, words: bytes, declared: str | None, forced: str | None) -> Encoding:
    """Decide how to read words, a line each, by their bytes; what is declared only settles what bytes leave open.

    Raises:
        InputRefusedError: no encoding fits without loss.
    """
    return _decided(path, lambda: iter([words]), declared, forced, texts=lambda: iter([words]))


def _decided(
    path: Path, blocks: Blocks, declared: str | None, forced: str | None, *, texts: Blocks
) -> Encoding:
    """Decide by the bytes; `texts` are those of them that may each end inside a character, a line each."""
    if forced is not None:
        return _given(path, blocks, forced, texts)
    if all(block.isascii() for block in blocks()):
        return Encoding("utf-8", "all text is ASCII")
    if _fits(blocks, "utf-8") and not (declared == "gb18030" and _only_by_chance_utf8(blocks)):
        return Encoding("utf-8", _reason("every byte is valid UTF-8", declared, "utf-8"))
    common = _common_share(blocks) if _fits(blocks, "gb18030") else 0.0
    if common >= COMMON_SHARE:
        return Encoding("gb18030", _reason(f"valid GBK, {common:.0%} common characters", declared, "gb18030"))
    fits = declared is not None and _fits(blocks, declared) and _plausible(blocks, declared)
    if declared is not None and fits and not (declared == "gb18030" and _rather_big5(blocks)):
        return Encoding(declared, "declared by .cpg or LDID, and every byte fits")
    cut_short = _cut(texts)
    if cut_short is not None:
        return cut_short
    raise InputRefusedError(
        f"{path}: the text encoding cannot be told.{_readings(blocks)}\nSay which is right, for example: --encoding GBK"
    )


def _given(path: Path, blocks: Blocks, forced: str, texts: Blocks) -> Encoding:
    """Return the encoding that the user gives, if every byte fits it."""
    if _fits(blocks, forced):
        return Encoding(codecs.lookup(forced).name, "given by the user")
    # By the bytes it must be that encoding: of UTF-8 that is read as GBK every other text seems to be cut.
    cut_short = _cut(texts) if _known(forced) else None
    if cut_short is not None and _family(forced) == _family(cut_short.name):
        words = "given by the user; some texts were cut inside a character"
        return Encoding(codecs.lookup(forced).name, words, cut=True)
    raise InputRefusedError(
        f"{path}: not all text is {forced}, so some would be lost.{_readings(blocks)}\n"
        "Leave --encoding away, or name another."
    )


def _family(encoding: str) -> str:
    name = codecs.lookup(encoding).name
    return "gb18030" if name in {"gbk", "gb2312"} else name


def _known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True


def _texts(dbf: Path) -> Iterator[bytes]:
    """Yield the field names, then block by block the distinct texts with a byte over 127, a line each."""
    header = dbf_header(dbf)
    yield b"\n".join(name for name, _, _ in header.fields)
    if header.records == 0:
        return
    records = np.memmap(
        dbf,
        dtype=np.uint8,
        mode="r",
        offset=header.header_bytes,
        shape=(header.records, header.record_bytes),
    )
    for start in range(0, header.records, _BLOCK_ROWS):
        block = np.ascontiguousarray(records[start : start + _BLOCK_ROWS])
        if block.max() <= _LAST_ASCII:
            continue
        position = 1
        for _, kind, width in header.fields:
            if kind == "C" and width:
                yield _non_ascii(block[:, position : position + width])
            position += width


def _non_ascii(column: np.ndarray) -> bytes:
    """Return the distinct texts of a column with a byte over 127, a line each."""
    rows = np.ascontiguousarray(column[column.max(axis=1) > _LAST_ASCII])
    return b"\n".join(dict.fromkeys(rows.view(f"S{rows.shape[1]}")[:, 0].tolist()))


def _declared(dbf: Path, cpg: Path | None) -> str | None:
    if cpg is not None:
        word = cpg.read_bytes().strip().decode("ascii", "replace").lower()
        name = {"936": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "gb2312": "gb18030"}.get(word, word)
        try:
            return codecs.lookup(name).name
        except (LookupError, ValueError):
            # What the .cpg says is no encoding; the bytes decide.
            return None
    return _LDID.get(dbf_header(dbf).ldid)


def _reason(found: str, declared: str | None, name: str) -> str:
    if declared is None:
        return f"{found}; nothing declared"
    same = codecs.lookup(declared).name == codecs.lookup(name).name
    return f"{found}; declared as well" if same else f"{found}; declared {declared}, which is wrong"


def _fits(blocks: Blocks, encoding: str) -> bool:
    try:
        for block in blocks():
            block.decode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def whole_characters(text: bytes, encoding: str) -> bytes:
    """Return text without the beginning of a character at its end, and without the blanks of its field.

    >>> whole_characters("北辰".encode("gbk")[:3], "gb18030").decode("gb18030")
    '北'
    """
    text = text.rstrip(b" \x00")
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        decoder.decode(text, final=False)
    except UnicodeError:
        return text
    begun = decoder.getstate()[0]
    return text[: len(text) - len(begun)]


def reads_as_gbk(content: bytes) -> bool:
    """Tell whether bytes that are no UTF-8 are common Chinese in GBK."""
    return (
        _fits(lambda: iter([content]), "gb18030") and _common_share(lambda: iter([content])) >= COMMON_SHARE
    )


def cut_words(name: str, text: str) -> str:
    """Return the words for a value that goes on with half a character."""
    return f"{name}: {text!r} goes on with a character that was cut in the middle and is left out"


def names_cut_words(names: Sequence[str]) -> str:
    """Return the words for names of fields that end inside a character."""
    return f"the names of {len(names)} fields were cut inside a character, whose beginning was left out: {', '.join(names)}"


def cells_of(content: bytes) -> bytes:
    r"""Return the cells of a CSV, a line each; what stands between them is no part of a character in UTF-8 and GBK.

    >>> cells_of(b'a,"b"\n1;2')
    b'a\nb\n1\n2'
    """
    return _BETWEEN_CELLS.sub(b"\n", content)


def cells_decoded(content: bytes, encoding: Encoding) -> str:
    """Return the text of a CSV; `CUT` stands where the beginning of a character was left out at the end of a cell."""
    if not encoding.cut:
        return content.decode(encoding.name)
    parts = re.split(b"(%b)" % _BETWEEN_CELLS.pattern, content)
    return "".join(_part_decoded(part, encoding.name) for part in parts)


def _part_decoded(part: bytes, encoding: str) -> str:
    try:
        return part.decode(encoding)
    except UnicodeDecodeError:
        return whole_characters(part, encoding).decode(encoding) + CUT


def _halved(blocks: Blocks, encoding: str) -> Blocks:
    """Return the same texts, each without the beginning of a character at its end."""

    def whole() -> Iterator[bytes]:
        for block in blocks():
            yield b"\n".join(whole_characters(text, encoding) for text in block.split(b"\n"))

    return whole


def _cut(blocks: Blocks) -> Encoding | None:
    """Return the encoding of texts of which some end inside a character, None where they are none such."""
    for encoding, what in (("utf-8", "UTF-8"), ("gb18030", "GBK")):
        whole = _halved(blocks, encoding)
        chinese = _fits(whole, encoding) and any(_CHINESE.search(block.decode(encoding)) for block in whole())
        if chinese and (encoding == "utf-8" or _common_share(whole) >= COMMON_SHARE):
            return Encoding(encoding, f"valid {what}, but some texts were cut inside a character", cut=True)
    return None


def _only_by_chance_utf8(blocks: Blocks) -> bool:
    """Tell whether the UTF-8 reading holds no Chinese while the GBK reading is common Chinese, such as 茅 (é in UTF-8)."""
    chinese = any(_CHINESE.search(block.decode("utf-8")) for block in blocks())
    return not chinese and _fits(blocks, "gb18030") and _common_share(blocks) >= COMMON_SHARE


def _plausible(blocks: Blocks, encoding: str) -> bool:
    """Refuse a one-byte encoding, which fits anything, when the bytes over 127 come in runs as no western word has them."""
    if len("中文".encode(encoding, "replace")) > _DOUBLE:
        return True
    high = [byte > _LAST_ASCII for byte in _beginning(blocks)]
    runs = sum(one and other for one, other in pairwise(high))
    return runs * _DOUBLE < sum(high)


def _common_share(blocks: Blocks) -> float:
    """Return the share of two-byte characters that lie in level 1 of GB 2312."""
    text = _beginning(blocks).decode("gb18030", "ignore")
    decoded = [character for character in text[:_SHARE_OF] if not character.isascii()]
    encoded = [character.encode("gb18030") for character in decoded]
    double = [pair for pair in encoded if len(pair) == _DOUBLE]
    common = sum(pair[0] in _LEVEL_1 and pair[1] >= _LEVEL_1_TRAIL for pair in double)
    return common / len(encoded) if encoded else 0.0


def _rather_big5(blocks: Blocks) -> bool:
    """Tell whether text that makes rare characters in GBK makes common ones in Big5: then a declared GBK is wrong."""
    if not _fits(blocks, "big5"):
        return False
    decoded = [
        character for character in _beginning(blocks).decode("big5", "ignore") if not character.isascii()
    ]
    common = sum(character.encode("big5")[0] in _BIG5_LEVEL_1 for character in decoded)
    return common >= COMMON_SHARE * len(decoded)


def _beginning(blocks: Blocks) -> bytes:
    """Return so many blocks that they hold the characters that are counted, however long the file is."""
    gathered: list[bytes] = []
    for block in blocks():
        gathered.append(block)
        if sum(map(len, gathered)) > _SHARE_OF * _LONGEST:
            break
    return b"\n".join(gathered)


def _readings(blocks: Blocks) -> str:
    lines = (line for block in blocks() for line in block.split(b"\n") if line and not line.isascii())
    samples = list(islice(lines, _SAMPLES))
    readings = [
        f"\n  as {name}: " + " | ".join(sample.rstrip().decode(name, "replace") for sample in samples)
        for name in ("utf-8", "gb18030", "big5")
    ]
    return "".join(readings)
