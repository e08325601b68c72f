"""Headings as offices write them: width, white space and brackets made alike, units told apart, and which field one stands for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Protocol

from lowland_gis.analysis.fields.stated_quantities import NOTHING, Stated
from lowland_gis.analysis.fields.written_quantities import key, known_unit, unit_factor


class FieldSpec(Protocol):
    """What the standard says of one field."""

    @property
    def name(self) -> str:
        """Name as the standard spells it."""

    @property
    def title(self) -> str:
        """Chinese title."""

    @property
    def type(self) -> str:
        """One of text, integer, number, date."""

    @property
    def required(self) -> bool:
        """Whether an empty value is a fault."""

    @property
    def codes(self) -> str | None:
        """Name of the list that its codes come from."""

    @property
    def digits(self) -> int | None:
        """How many digits a code has in this layer, where its list has longer and shorter ones."""

    @property
    def synonyms(self) -> tuple[str, ...]:
        """Other names under which offices deliver it."""

    @property
    def unit(self) -> str | None:
        """Unit that its numbers are in."""

    @property
    def code(self) -> bool:
        """Whether it is a code: capital letters and digits without spaces."""


@dataclass(frozen=True)
class Found:
    """The field that a heading stands for, and by what: name, synonym, or unit where only the unit is another one.

    Numbers are multiplied by `factor`; `unit` is the one that the heading names, or a line beside the table: `line` then.
    """

    standard: str
    why: str
    factor: float = 1.0
    unit: str | None = None
    line: str | None = None


# Names are taken to be alike from this ratio of common letters on.
_ALIKE = 0.8
_LEAST_CUT = 2
_IN_BRACKETS = re.compile(r"[(\[【〔「{]([^()\[\]【】〔〕「」{}]*)[)\]】〕」}]$")
_BEHIND_SIGN = re.compile(r"(?:[/,:;、_\-]|单位[:]?)([^/,:;、_\-]+(?:/[^/,:;、_\-]+)?)$")
_SAID = re.compile(r"^(计量)?单位[:]?")
_BLANK = re.compile(r"\s+")


@lru_cache(maxsize=4096)
def parted(text: str) -> tuple[str, str | None]:
    """Return a heading without its unit, as it is compared, and the unit; brackets that hold no unit belong to the heading.

    >>> parted("占地面积（公顷）"), parted("税收总额 单位：万元"), parted("批次名称（批而未供）")
    (('占地面积', '公顷'), ('税收总额', '万元'), ('批次名称(批而未供)', None))
    """
    whole = key(text)
    for pattern in (_IN_BRACKETS, _BEHIND_SIGN):
        match = pattern.search(whole)
        if match is not None and match.start():
            unit = _SAID.sub("", match[1])
            if known_unit(unit):
                return whole[: match.start()], unit
    spaced = _BLANK.split(unicodedata.normalize("NFKC", text).strip())
    if len(spaced) > 1 and known_unit(spaced[-1]):
        return key("".join(spaced[:-1])), key(spaced[-1])
    return whole, None


def found(columns: Sequence[str], fields: Sequence[FieldSpec], stated: Stated = NOTHING) -> dict[str, Found]:
    """Return which received columns stand for which fields: by name, by synonym, then by either with another unit.

    A field goes to the first column that fits best, a column to one field. What only resembles a field is not taken. Where a heading
    names no unit, the one that is `stated` for the table is meant.
    """
    left = dict.fromkeys(columns)
    taken: dict[str, Found] = {}
    done: set[str] = set()
    for fits in (_exactly, _by_name, _by_synonym, _by_unit):
        for field in fields:
            if field.name in done:
                continue
            hits = ((column, fits(column, field, stated)) for column in left)
            column, hit = next(((column, hit) for column, hit in hits if hit is not None), ("", None))
            if hit is not None:
                taken[column] = hit
                done.add(field.name)
                del left[column]
    return taken


Fits = Callable[[str, FieldSpec, Stated], Found | None]


def _exactly(column: str, field: FieldSpec, stated: Stated) -> Found | None:
    return _named(column, field, "name", stated) if column == field.name else None


def _by_name(column: str, field: FieldSpec, stated: Stated) -> Found | None:
    return _named(column, field, "name", stated) if key(column) == key(field.name) else None


def _by_synonym(column: str, field: FieldSpec, stated: Stated) -> Found | None:
    return _named(column, field, "synonym", stated) if key(column) in map(key, field.synonyms) else None


def _named(column: str, field: FieldSpec, why: str, stated: Stated) -> Found:
    unit = stated.meant_for(column, field.unit, parted(column)[1])
    return Found(field.name, why) if unit is None else _in_unit(field, why, unit, stated)


def _in_unit(field: FieldSpec, why: str, unit: str, stated: Stated) -> Found:
    factor = unit_factor(unit, field.unit or "") or 1.0
    return Found(field.name, why, factor, unit, stated.lines.get(unit))


def _by_unit(column: str, field: FieldSpec, stated: Stated) -> Found | None:
    """Take a column whose heading is the field's but for the unit, where numbers of the one become numbers of the other."""
    bare, own = parted(column)
    if field.unit is None or bare not in {parted(word)[0] for word in (field.name, *field.synonyms)}:
        return None
    unit = stated.meant_for(column, field.unit, own)
    if unit is not None:
        return _in_unit(field, "unit", unit, stated)
    factor = None if own is None else unit_factor(own, field.unit)
    return None if factor is None else Found(field.name, "unit", factor, own)


def remarks(
    columns: Sequence[str],
    fields: Sequence[FieldSpec],
    taken: dict[str, Found],
    stated: Stated = NOTHING,
) -> Iterator[tuple[str, str]]:
    """Yield what a person should know of the headings: units that were converted or stated beside the table, columns left unused."""
    by_name = {field.name: field for field in fields}
    for column, hit in taken.items():
        field = by_name[hit.standard]
        times = f"times {hit.factor:.10g} from {hit.unit} to {field.unit}"
        if hit.line is not None:
            how = f"in {hit.unit}" if hit.factor == 1.0 else times
            yield "unit_stated", f"{column}: taken as {field.name} {field.title}, {how}, as “{hit.line}” says"
        elif hit.factor != 1.0:
            yield "unit_converted", f"{column}: taken as {field.name} {field.title}, {times}"
    yield from (("unit_doubtful", words) for words in (*stated.unclear, *_overruled(taken, by_name, stated)))
    missing = [field for field in fields if field.name not in {hit.standard for hit in taken.values()}]
    for column in columns:
        near = (
            None if column in taken else next((field for field in missing if resembles(column, field)), None)
        )
        if near is not None:
            yield (
                "column_unused",
                f"{column}: resembles {near.name} {near.title}, but was not taken for it: {_why(column, near)}",
            )


def _overruled(taken: dict[str, Found], by_name: dict[str, FieldSpec], stated: Stated) -> Iterator[str]:
    """Yield the stated units that no column is in, because all headings that they could be meant for name another one."""
    owns = {column: hit.unit or by_name[hit.standard].unit or "" for column, hit in taken.items()}
    applied = {hit.unit for hit in taken.values() if hit.line is not None}
    for unit, line in stated.lines.items():
        others = [column for column, own in owns.items() if unit_factor(unit, own) not in (None, 1.0)]
        alike = any(unit_factor(unit, own) == 1.0 for own in owns.values())
        if others and not alike and unit not in applied:
            yield f"{line}: {unit} was applied to no column, because headings name another unit: {', '.join(others)}"


def _why(column: str, field: FieldSpec) -> str:
    unit = parted(column)[1]
    if field.unit is not None and unit is None:
        return f"it names no unit ({field.unit} is wanted). Say so with --mapping."
    if unit is not None and (field.unit is None or unit_factor(unit, field.unit) is None):
        return f"{unit} is no unit of it{'' if field.unit is None else f' ({field.unit} is wanted)'}. Say what it is with --mapping."
    return "the heading is another one. Say so with --mapping if it is meant."


def resembles(column: str, field: FieldSpec) -> bool:
    """Tell whether a person would take a heading for a field: by its title, cut off, or alike."""
    return is_title(column, field) or is_cut(column, field) or is_alike(column, field)


def is_title(column: str, field: FieldSpec) -> bool:
    """Tell whether a heading is the title of a field or one of its names, whatever the units."""
    bare = parted(column)[0]
    title = parted(field.title)[0]
    words = {title, title.replace("代码", "编码"), title.replace("编码", "代码")}
    return bare in words | {parted(word)[0] for word in (field.name, *field.synonyms)}


def is_cut(column: str, field: FieldSpec) -> bool:
    """Tell whether a name is cut off: a shapefile cuts after ten bytes, five Chinese characters in GBK, three in UTF-8."""
    received = key(column)
    bare = re.sub(r"_?\d+$", "", received) or received
    least = 8 if bare.isascii() else _LEAST_CUT
    words = [*_words(field), parted(field.title)[0]]
    return len(bare) >= least and any(word != bare and word.startswith(bare) for word in words)


def is_alike(column: str, field: FieldSpec) -> bool:
    """Tell whether a name is nearly that of a field, whatever the units."""
    received = parted(column)[0]
    words = (field.title, field.name, *field.synonyms)
    return any(_alike(received, parted(word)[0]) for word in words)


def _words(field: FieldSpec) -> list[str]:
    return [key(word) for word in (field.name, *field.synonyms)]


@lru_cache(maxsize=1 << 16)
def _alike(received: str, word: str) -> bool:
    # Short codes of letters differ by one letter and mean another thing: TBMJ, TKMJ.
    if received.isascii() and min(len(received), len(word)) < 6:  # noqa: PLR2004
        return received.rstrip("_0123456789") == word and received != word
    # No more signs match than are in both: most words are apart by that alone, which is a tenth of the time of matching them.
    signs = len(received) + len(word)
    if signs and 2 * sum(map(word.__contains__, received)) / signs < _ALIKE:
        return False
    return SequenceMatcher(None, received, word).ratio() >= _ALIKE
