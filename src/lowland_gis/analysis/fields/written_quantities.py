"""Units as offices write them: 公顷, hm², 千元, 元/平方米; and by what numbers of one become numbers of another."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from lowland_gis.quantities import UNITS, Dimension

_WRITTEN = {
    "m²": ("m2", "m^2", "平方米", "平米", "平方公尺", "sqm"),
    "亩": ("亩", "市亩", "mu"),
    "公顷": ("公顷", "ha", "hm2", "hm^2"),
    "km²": ("km2", "km^2", "平方公里", "平方千米"),
    "元": ("元", "人民币元", "元人民币", "rmb", "yuan"),
    "万元": ("万元", "万", "人民币万元", "万元人民币"),
    "亿元": ("亿元", "亿"),
    "m": ("m", "米"),
    "month": ("month", "月", "个月", "months"),
    "year": ("year", "年", "years"),
    "day": ("day", "天", "日", "days"),
    "%": ("%", "百分比"),
}
_UNITS: dict[str, tuple[Dimension, float]] = {
    word: (UNITS[name].dimension, UNITS[name].factor) for name, words in _WRITTEN.items() for word in words
} | {"千元": (UNITS["元"].dimension, UNITS["元"].factor * 1000), "百万元": (UNITS["万元"].dimension, 100.0)}


@lru_cache(maxsize=4096)
def key(text: str) -> str:
    r"""Return a text as it is compared: half width, small letters, no white space, no invisible characters.

    >>> key("占地面积\n（亩）") == key("占地面积(亩)"), key("ＺＤＤＭ ")
    (True, 'zddm')
    """
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKC", text).casefold()
        if not letter.isspace() and unicodedata.category(letter) != "Cf"
    )


def known_units() -> dict[str, list[str]]:
    """Return what is measured → the spellings of its units; a quotient of two, such as 元/m², is known as well."""
    kinds = {"area": "m²", "money": "元", "length": "m", "time": "year", "share": "%"}
    return {
        kind: [word for word, known in _UNITS.items() if known[0] == UNITS[name].dimension]
        for kind, name in kinds.items()
    }


def known_unit(text: str) -> bool:
    """Tell whether a text is a unit of area, money, length or time, or a quotient of two."""
    return _unit(key(text)) is not None


def unit_factor(unit: str, into: str) -> float | None:
    """Return by what numbers of one unit become numbers of another; None where they cannot be compared or are not known.

    >>> unit_factor("公顷", "亩"), unit_factor("元", "万元"), unit_factor("万元", "万元/亩")
    (15.0, 0.0001, None)
    """
    one, other = _unit(key(unit)), _unit(key(into))
    if one is None or other is None or one[0] != other[0]:
        return None
    return 1.0 if one[1] == other[1] else one[1] / other[1]


def names_unit(text: str, like: str) -> bool:
    """Tell whether a text holds a unit that can be compared with another one, wherever it stands.

    >>> names_unit("停产月数", "year"), names_unit("占地面积", "亩"), names_unit("税收万元", "元")
    (True, False, True)
    """
    dimension = _unit(key(like))
    word = key(text)
    return dimension is not None and any(
        known[0] == dimension[0] and not unit.isascii() and unit in word for unit, known in _UNITS.items()
    )


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
