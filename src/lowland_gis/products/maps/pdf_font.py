"""The letters of sheets: of one or two font files those that are used, made small once and set into every PDF of a batch."""

from __future__ import annotations

import io
import logging
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont, TTLibError
from matplotlib import font_manager

from lowland_gis.errors import UsageError

_EM = 1000
# Of a name of a font in a PDF no letter but these is known to all readers.
_PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
_FIRST_LETTERS = "".join(map(chr, range(0x20, 0x7F)))
_CID = "cid"


@dataclass(frozen=True)
class Run:
    """Letters of one font that follow each other: the place of the font, codes of the letters in it, and how wide they are [em/1000]."""

    font: int
    codes: tuple[int, ...]
    width: float


class Letters:
    """The letters of some fonts; those that are first asked for make it larger, so ask for all of a batch at once (`take`)."""

    def __init__(self, families: Sequence[str]) -> None:
        """Look for the files of the families; the first that has a letter gives it."""
        self._families = families
        self._files = [_file_of(family) for family in dict.fromkeys(families)]
        self._known: dict[str, int] = {}
        self._small: dict[int, _Small] = {}
        self._runs: dict[str, tuple[Run, ...]] = {}
        self.take(_FIRST_LETTERS)

    def take(self, texts: Iterable[str]) -> None:
        """Have the letters of some texts.

        Raises:
            UsageError: no font has one of them.
        """
        fresh = {sign for text in texts for sign in text} - self._known.keys() - {"\n"}
        if not fresh:
            return
        changed = set()
        for sign in sorted(fresh):
            place = next((n for n, file in enumerate(self._files) if ord(sign) in file.letters), None)
            if place is None:
                raise UsageError(
                    f"no font has {sign!r} (U+{ord(sign):04X}), so it would come out as a box (fonts: {', '.join(self._families)})."
                    " Install fonts-noto-cjk or set LOWLAND_FONT to a font that has it."
                )
            self._known[sign] = place
            changed.add(place)
        for place in changed:
            own = "".join(sign for sign, n in self._known.items() if n == place)
            self._small[place] = _Small(self._files[place], own)
        self._runs.clear()

    def runs(self, text: str) -> tuple[Run, ...]:
        """Return a text as runs of letters."""
        found = self._runs.get(text)
        if found is None:
            if any(sign not in self._known for sign in text):
                self.take([text])
            found = self._runs[text] = tuple(self._split(text))
        return found

    def width(self, text: str, size: float) -> float:
        """Return how wide a text is in points."""
        return sum(run.width for run in self.runs(text)) * size / _EM

    def _split(self, text: str) -> Iterator[Run]:
        place, width = -1, 0.0
        codes: list[int] = []
        for sign in text:
            at = self._known[sign]
            if at != place and codes:
                yield Run(place, tuple(codes), width)
                codes, width = [], 0.0
            place = at
            code, wide = self._small[at].code[sign]
            codes.append(code)
            width += wide
        if codes:
            yield Run(place, tuple(codes), width)

    def made(self, place: int) -> _Small:
        """Return the small font of a place."""
        return self._small[place]

    @property
    def state(self) -> int:
        """Return how many letters are known: codes of pages that were set with fewer are of another font."""
        return len(self._known)


@dataclass(frozen=True)
class _File:
    """The content of a font file, and which of the fonts in it is meant."""

    content: bytes
    number: int

    def opened(self) -> Any:
        """Return the font, to be read from memory: of a file it would stay open."""
        return TTFont(io.BytesIO(self.content), fontNumber=self.number, lazy=True, recalcTimestamp=False)

    @cached_property
    def letters(self) -> frozenset[int]:
        """Return the letters that it has."""
        return frozenset(self.opened().getBestCmap())


def _file_of(family: str) -> _File:
    """Return the file of a family, and the number of its face in a collection."""
    path = font_manager.findfont(family)
    try:
        content = Path(str(path)).read_bytes()
        if not content.startswith(b"ttcf"):
            return _File(content, -1)
        names = [
            face["name"].getDebugName(1) or "" for face in TTCollection(io.BytesIO(content), lazy=True).fonts
        ]
        return _File(content, names.index(family) if family in names else 0)
    except (TTLibError, OSError) as error:
        raise UsageError(
            f"{path}: not a readable font ({error}). Set LOWLAND_FONT to another file."
        ) from error


class _Small:
    """A font of some letters only: code and width of each, and what stands of it in a PDF."""

    def __init__(self, file: _File, letters: str) -> None:
        logging.getLogger("fontTools").setLevel(logging.ERROR)
        options = subset.Options()
        options.layout_features, options.hinting, options.notdef_outline = [], False, True
        options.drop_tables = [
            *options.drop_tables,
            "GSUB",
            "GPOS",
            "GDEF",
            "vhea",
            "vmtx",
            "BASE",
            "FFTM",
            "VORG",
        ]
        font = file.opened()
        made = subset.Subsetter(options)
        made.populate(text=letters)
        made.subset(font)
        self.upem = int(font["head"].unitsPerEm)
        sink = io.BytesIO()
        font.save(sink)
        small = TTFont(io.BytesIO(sink.getvalue()))
        self.is_cff = "CFF " in small
        cmap, metrics, order = small.getBestCmap(), small["hmtx"], small.getReverseGlyphMap()
        keyed = self.is_cff and hasattr(small["CFF "].cff.topDictIndex[0], "ROS")
        self.code: dict[str, tuple[int, float]] = {}
        for sign in letters:
            name = cmap[ord(sign)]
            code = int(name.removeprefix(_CID)) if keyed and name.startswith(_CID) else order[name]
            self.code[sign] = (code, metrics[name][0] * _EM / self.upem)
        content = small.getTableData("CFF ") if self.is_cff else sink.getvalue()
        self.length, self.program = len(content), zlib.compress(content, 6)
        name = small["name"].getDebugName(6) or "Sheet"
        self.name = "LOWLND+" + "".join(sign for sign in name if sign in _PLAIN)
        self.box = [
            round(getattr(small["head"], side) * _EM / self.upem) for side in ("xMin", "yMin", "xMax", "yMax")
        ]
        self.ascent, self.descent = (
            round(getattr(small["hhea"], side) * _EM / self.upem) for side in ("ascent", "descent")
        )

    @cached_property
    def to_unicode(self) -> bytes:
        """Return which letter each code is, so that a search finds it."""
        rows = sorted((code, sign) for sign, (code, _) in self.code.items())
        lines = [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /LowlandSheet def /CMapType 2 def",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "1 begincodespacerange <0000> <FFFF> endcodespacerange",
        ]
        for start in range(0, len(rows), 100):
            some = rows[start : start + 100]
            lines.append(f"{len(some)} beginbfchar")
            lines += [f"<{code:04X}> <{sign.encode('utf-16-be').hex().upper()}>" for code, sign in some]
            lines.append("endbfchar")
        lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
        return zlib.compress("\n".join(lines).encode("ascii"))

    @cached_property
    def widths(self) -> str:
        """Return the widths of all codes as a PDF lists them."""
        return " ".join(f"{code} [{wide:g}]" for code, wide in sorted(set(self.code.values())))
