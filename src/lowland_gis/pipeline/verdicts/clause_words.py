"""What a clause of an explanation says in words: what was measured, the limit, and where both come from; for terminals and sheets."""

from __future__ import annotations

import re

from lowland_gis.pipeline.verdicts.explain import ClauseLine
from lowland_gis.quantities import UNITS

OPS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "=": "="}
# The number of a delivery tells two of one day apart; people ask for layer and date, programs read both in the JSON.
DELIVERIES = re.compile(r" v\d+(?:、v\d+)*")
DECIMALS, _MOST_DECIMALS = 2, 9
YES_NO, _SHARE, _CALENDAR = "yes/no", "share", "calendar year"


def measured_words(clause: ClauseLine) -> str:
    """Return what was measured, with the band that drift allows."""
    if clause.answer is not None:
        return clause.answer
    if clause.value is None:
        return "材料载明" if clause.paper else "未知"
    if clause.unit == YES_NO:
        asked = "" if clause.measure_title == clause.title else f"{clause.measure_title}："
        return f"{asked}{said_value(clause.value, clause.unit, 0)}"
    decimals = telling_decimals(clause)
    text = said_value(clause.value, clause.unit, decimals)
    if clause.low is None or clause.high is None:
        return text
    low, high = (
        said_value(end, clause.unit, decimals).removesuffix("%") for end in (clause.low, clause.high)
    )
    return f"{text}（{low}–{high}{'%' if clause.unit == _SHARE else ''}）"


def limit_words(clause: ClauseLine) -> str:
    """Return the limit that a value is held against; nothing where there is none."""
    if clause.answer is not None or clause.limit is None:
        return ""
    if clause.unit == YES_NO:
        return f"须为{said_value(clause.limit, clause.unit, 0)}"
    return f"{OPS[clause.op]} {said_value(clause.limit, clause.unit, telling_decimals(clause))}"


def origin_words(clause: ClauseLine) -> str:
    """Return source and date, what the value is made of, and for an unknown what would settle it."""
    parts = [DELIVERIES.sub("", clause.source or ""), clause.detail or "", clause.paper or ""]
    if clause.outcome == "unknown":
        needed = f"需 {clause.needed}" if clause.needed else "无资料"
        parts.append(clause.lacking or "")
        parts.append(f"{needed}{f'（{clause.office}）' if clause.office else ''}")
    return "；".join(part for part in parts if part)


def telling_decimals(clause: ClauseLine) -> int:
    """Return how many decimals tell the value from its limit: 49.999 % must not read as 50 %."""
    if clause.value is None or clause.limit is None or clause.value == clause.limit:
        return DECIMALS
    value, limit, unit = clause.value, clause.limit, clause.unit
    return next(
        (
            n
            for n in range(DECIMALS, _MOST_DECIMALS)
            if said_value(value, unit, n) != said_value(limit, unit, n)
        ),
        _MOST_DECIMALS,
    )


def said_value(value: float, unit: str, decimals: int) -> str:
    """Return a value with its unit as people write it.

    >>> said_value(0.5, "share", 2), said_value(1978, "calendar year", 2), said_value(1, "yes/no", 2), said_value(12, "month", 2)
    ('50%', '1978 年', '是', '12 个月')
    """
    if unit == YES_NO:
        return "是" if value else "否"
    if unit == _SHARE:
        return f"{value * 100:.{decimals}f}".rstrip("0").rstrip(".") + "%"
    if unit == _CALENDAR:
        return f"{value:.{decimals - DECIMALS}f} 年"
    number = f"{value:,.{decimals}f}"
    number = number.rstrip("0").rstrip(".") if "." in number else number
    return f"{number} {UNITS[unit].written if unit in UNITS else unit}".strip()
