"""Units that a line beside a table states for all of it (单位：万元): read, and held against the columns that they can be meant for.

单位 is also an office (填报单位：税务局), so what follows it is taken only where it is a unit, or could be no office.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lowland_gis.analysis.fields.written_quantities import key, known_unit, names_unit, unit_factor
from lowland_gis.quantities import UNITS

# 单位 stands for itself, or behind a word that says of what: then a unit follows, or the name of an office.
_OF_WHAT = r"(?:计量|金额|货币|面积|数量|长度|时间|价值|数据)"
_OWN = re.compile(rf"(?:^|[^\w]|{_OF_WHAT})$")
_NEXT = re.compile(rf"{_OF_WHAT}$")
_SAYS = re.compile(r"单\s*位\s*(?:均?为|是|:)?\s*")
_BETWEEN = re.compile(r"[、,;和及与+|\s]+")
_ENDS = re.compile(r"[()\[\]【】〔〕「」{}。]")
# What is counted has no unit that numbers could be converted from.
_COUNTS = frozenset("个人户家宗件块栋幢笔项次条处座套")
_OFFICE = re.compile(
    r"[局委办厅部处室所站院校厂司社会队组镇乡村街道区县市省]$|中心$|集团$|企业$|政府$|科$|公司|名称|[编代]码|编号"
)
_LONGEST = 5


@dataclass(frozen=True)
class Stated:
    """Units that are stated for a table: `lines` is unit → the text that states it; `unclear` is what cannot be applied, in words."""

    lines: dict[str, str] = field(default_factory=dict)
    unclear: tuple[str, ...] = ()

    def meant_for(self, heading: str, unit: str | None, own: str | None) -> str | None:
        """Return the stated unit for a heading of a field in `unit`: of its dimension, and none where the heading names one of its own."""
        if unit is None or own is not None or names_unit(heading, unit):
            return None
        return next((stated for stated in self.lines if unit_factor(stated, unit) is not None), None)


NOTHING = Stated()


def stated_units(texts: Iterable[str]) -> Stated:
    """Return the units that lines beside a table state; where two of them measure the same, neither can be applied.

    >>> stated_units(["2023年企业用地（单位：亩、万元）", "填报单位：税务局"]).lines
    {'亩': '单位:亩、万元', '万元': '单位:亩、万元'}
    """
    lines: dict[str, str] = {}
    unclear: dict[str, None] = {}
    for line, words in _statements(texts):
        for word in words:
            if known_unit(word):
                lines.setdefault(word, line)
            else:
                unclear[f"{line}: {word} is no unit that is known, so it was applied to no column"] = None
    clashing = {unit: others for unit in lines if (others := _others(unit, lines))}
    for unit, others in clashing.items():
        unclear[
            f"{lines[unit]}: {'、'.join(sorted([unit, *others]))} measure the same, so it cannot be told which columns each is meant"
            " for, and none was applied"
        ] = None
    return Stated({unit: line for unit, line in lines.items() if unit not in clashing}, tuple(unclear))


def _others(unit: str, lines: dict[str, str]) -> list[str]:
    """Return the stated units that measure the same as one and are of another size."""
    return [other for other in lines if unit_factor(other, unit) not in (None, 1.0)]


def _statements(texts: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield what says 单位 in some texts, each with the words behind it that are units, or could be."""
    for text in texts:
        plain = " ".join(unicodedata.normalize("NFKC", text).split())
        says = list(_SAYS.finditer(plain))
        for number, match in enumerate(says):
            end = says[number + 1].start() if number + 1 < len(says) else len(plain)
            behind = _ENDS.split(_NEXT.sub("", plain[match.end() : end]), maxsplit=1)[0].strip()
            own = _OWN.search(plain[: match.start()]) is not None
            words = _units(behind) if own else _only_units(behind)
            if words:
                yield match[0].strip() + "、".join(words), words


def _units(text: str) -> list[str]:
    """Return the words of a text up to the first that is an office, a day or another entry, without what is only counted."""
    found = []
    for word in _words(text):
        if not known_unit(word) and (
            len(word) > _LONGEST or not word.isalpha() or _OFFICE.search(word) is not None
        ):
            break
        found.append(word)
    return [word for word in found if word not in _COUNTS]


def _only_units(text: str) -> list[str]:
    words = [word for word in _words(text) if word not in _COUNTS]
    return words if all(map(known_unit, words)) else []


def _words(text: str) -> list[str]:
    """Return the words of a text: 万 元 is one unit, 亩/万元 are two, 万元/亩 is one."""
    if known_unit(text) and _measured(text):
        return [key(text)]
    words = [word for word in _BETWEEN.split(text) if word]
    return [
        part
        for word in words
        for part in ([word] if _measured(word) or "/" not in word else word.split("/"))
        if part
    ]


def _measured(unit: str) -> bool:
    """Tell whether anything is measured in a unit: 万元/亩 is, 亩/万元 is not."""
    return any(unit_factor(unit, known) is not None for known in UNITS)
