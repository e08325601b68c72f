"""What a value in the file of a rule pack may be: readable texts, numbers within bounds, days, and what examples give.

The forms are annotations of the classes of `analysis.rules.pack`, which pydantic asks when a file is read. Nothing is turned into
another kind.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Strict, ValidationInfo

LONGEST_TEXT = 2_000
LARGEST = 1e12
# Said when a pack is read that a run recorded: its texts were looked at by the program of its day, whatever is asked of them today.
RECORDED = "recorded"
_ENDS = 2


def _readable_in(text: str, info: ValidationInfo) -> str:
    return text if info.context == RECORDED else _readable(text)


def _readable(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_TEXT or not text.replace("\n", "").isprintable():
        raise ValueError(f"it is empty, longer than {LONGEST_TEXT} characters or not printable")
    return text


def _bounded(number: float) -> float:
    if not -LARGEST <= number <= LARGEST:
        raise ValueError(f"it is no number between -{LARGEST:g} and {LARGEST:g}")
    return number


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text_or_number(value: Any) -> Any:
    if isinstance(value, str):
        return _readable(value)
    if not _is_number(value):
        raise ValueError("it should be a text or a number")
    return _bounded(value)


def _case(value: Any) -> Any:
    """Return what an example gives: a number, the two ends of a band, or the answer to a question."""
    if isinstance(value, (list, tuple)):
        if len(value) != _ENDS or not all(map(_is_number, value)):
            raise ValueError("a band has two numbers, its ends")
        return tuple(map(_bounded, value))
    if not isinstance(value, str) and not _is_number(value):
        raise ValueError("it should be a number, a band of two numbers, or an answer")
    return _text_or_number(value)


# What a file must hold: nothing is turned into another kind, a text of digits is no number.
Text = Annotated[str, Strict(), AfterValidator(_readable_in)]
Number = Annotated[float, Strict(), AfterValidator(_bounded)]
Day = Annotated[dt.date, Strict()]
Flag = Annotated[bool, Strict()]
TextOrNumber = Annotated[str | float, BeforeValidator(_text_or_number)]
Case = Annotated[float | tuple[float, float] | str, BeforeValidator(_case)]
