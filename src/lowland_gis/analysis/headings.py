"""Headings as offices write them: width, white space and brackets made alike, units told apart, and which field one stands for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Protocol

from lowland_gis.analysis.units import UNITS, Dimension


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

    Numbers are multiplied by `factor`; `unit` is the one that the heading names.
    """

    standard: str
    why: str
    factor: float = 1.0
    unit: str | None = None


# Names are taken to be alike from this ratio of common letters on.
_ALIKE = 0.8
_LEAST_CUT = 2
_IN_BRACKETS = re.compile(r"[(\[【〔「{]([^()\[\]【】〔〕「」{}]*)[)\]】〕」}]$")
_BEHIND_SIGN = re.compile(r"(?:[/,:;、_\-]|单位[:]?)([^/,:;、_\-]+(?:/[^/,:;、_\-]+)?)$")
_SAID = re.compile(r"^(计量)?单位[:]?")
_BLANK = re.compile(r"\s+")
_WRITTEN = {
    "m²": ("m2", "m^2", "平方米", "平米", "平方公尺", "sqm"),
    "亩": ("亩", "市亩", "mu"),
    "公顷": ("公顷", "ha", "hm2", "hm^2"),
    "km²": ("km2", "km^2", "平方公里", "平方千米"),
    "元": ("元", "人民币元", "rmb", "yuan"),
    "万元": ("万元", "万", "人民币万元"),
    "亿元": ("亿元", "亿"),
    "m": ("m", "米"),
    "month": ("月", "个月", "months"),
    "year": ("年", "years"),
    "day": ("天", "日", "days"),
    "%": ("%", "百分比"),
}
_UNITS: dict[str, tuple[Dimension, float]] = {
    word: (UNITS[name].dimension, UNITS[name].factor) for name, words in _WRITTEN.items() for word in words
} | {"千元": (UNITS["元"].dimension, UNITS["元"].factor * 1000), "百万元": (UNITS["万元"].dimension, 100.0)}


@lru_cache(maxsize=4096)
def key(text: str) -> str:
    r"""Return a heading as it is compared: half width, small letters, no white space, no invisible characters.

    >>> key("占地面积\n（亩）") == key("占地面积(亩)"), key("ＺＤＤＭ ")
    (True, 'zddm')
    """
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKC", text).casefold()
        if not letter.isspace() and unicodedata.category(letter) != "Cf"
    )


def unit_factor(unit: str, into: str) -> float | None:
    """Return by what numbers of one unit become numbers of another; None where they cannot be compared or are not known.

    >>> unit_factor("公顷", "亩"), unit_factor("元", "万元"), unit_factor("万元", "万元/亩")
    (15.0, 0.0001, None)
    """
    one, other = _unit(key(unit)), _unit(key(into))
    if one is None or other is None or one[0] != other[0]:
        return None
    return 1.0 if one[1] == other[1] else one[1] / other[1]


def known_unit(text: str) -> bool:
    """Tell whether a text is a unit of area, money, length or time, or a quotient of two."""
    return _unit(key(text)) is not None


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
            if _unit(unit) is not None:
                return whole[: match.start()], unit
    spaced = _BLANK.split(unicodedata.normalize("NFKC", text).strip())
    if len(spaced) > 1 and _unit(key(spaced[-1])) is not None:
        return key("".join(spaced[:-1])), key(spaced[-1])
    return whole, None


def found(columns: Sequence[str], fields: Sequence[FieldSpec]) -> dict[str, Found]:
    """Return which received columns stand for which fields: by name, by synonym, then by either with another unit.

    A field goes to the first column that fits best, a column to one field. What only resembles a field is not taken.
    """
    left = dict.fromkeys(columns)
    taken: dict[str, Found] = {}
    done: set[str] = set()
    for fits in (_exactly, _by_name, _by_synonym, _by_unit):
        for field in fields:
            if field.name in done:
                continue
            hits = ((column, fits(column, field)) for column in left)
            column, hit = next(((column, hit) for column, hit in hits if hit is not None), ("", None))
            if hit is not None:
                taken[column] = hit
                done.add(field.name)
                del left[column]
    return taken


Fits = Callable[[str, FieldSpec], Found | None]


def _exactly(column: str, field: FieldSpec) -> Found | None:
    return Found(field.name, "name") if column == field.name else None


def _by_name(column: str, field: FieldSpec) -> Found | None:
    return Found(field.name, "name") if key(column) == key(field.name) else None


def _by_synonym(column: str, field: FieldSpec) -> Found | None:
    return Found(field.name, "synonym") if key(column) in map(key, field.synonyms) else None


def _by_unit(column: str, field: FieldSpec) -> Found | None:
    """Take a column whose heading is the field's but for the unit, where numbers of the one become numbers of the other."""
    bare, unit = parted(column)
    if (
        unit is None
        or field.unit is None
        or bare not in {parted(word)[0] for word in (field.name, *field.synonyms)}
    ):
        return None
    factor = unit_factor(unit, field.unit)
    return None if factor is None else Found(field.name, "unit", factor, unit)


def remarks(
    columns: Sequence[str], fields: Sequence[FieldSpec], taken: dict[str, Found]
) -> Iterator[tuple[str, str]]:
    """Yield what a person should know of the headings: units that were converted, and columns that resemble a field but are not used."""
    by_name = {field.name: field for field in fields}
    for column, hit in taken.items():
        field = by_name[hit.standard]
        if hit.factor != 1.0:
            yield (
                "unit_converted",
                f"{column}: taken as {field.name} {field.title}, times {hit.factor:.10g} from {hit.unit} to {field.unit}",
            )
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


def _alike(received: str, word: str) -> bool:
    # Short codes of letters differ by one letter and mean another thing: TBMJ, TKMJ.
    if received.isascii() and min(len(received), len(word)) < 6:  # noqa: PLR2004
        return received.rstrip("_0123456789") == word and received != word
    return SequenceMatcher(None, received, word).ratio() >= _ALIKE


def _unit(word: str) -> tuple[Dimension, float] | None:
    if word in _UNITS:
        return _UNITS[word]
    over, sign, under = word.replace("每", "/").partition("/")
    if not sign or over not in _UNITS or under not in _UNITS:
        return None
    (dimension, factor), (below, divisor) = _UNITS[over], _UNITS[under]
    powers = dict(dimension)
    for base, power in below:
        powers[base] = powers.get(base, 0) - power
    return tuple(sorted((base, power) for base, power in powers.items() if power)), factor / divisor
