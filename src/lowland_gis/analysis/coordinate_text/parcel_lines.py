"""The line of a parcel: which value is what, in each of the forms that receiving systems ask for."""

from __future__ import annotations

from collections.abc import Sequence

from lowland_gis.analysis.coordinate_text.lines import FormatError

COUNT, AREA, NUMBER, NAME, KIND, SHEET, USE, CODE = (
    "界址点数", "地块面积", "地块编号", "地块名称", "图形属性", "图幅号", "地块用途", "地类编码",
)  # fmt: skip
STANDARD = (COUNT, AREA, NUMBER, NAME, KIND, SHEET, USE, CODE)
# Columns that every file gives; the number of points is held against the points and is no value.
COLUMNS = (AREA, NUMBER, NAME, KIND, SHEET, USE, CODE)
_OF_13 = ("TBLX", "DL", "GZQ", "GZH", "BZ")
_OF_4_COUNTED, _OF_4_NUMBERED = (COUNT, NAME, KIND, USE), (NUMBER, NAME, KIND, "属性4")
_SHORT = 4


def meanings(parcels: Sequence[tuple[int, tuple[str, ...], int, int]]) -> tuple[str, ...]:
    """Return what the values of the lines mean. Each parcel is its line, its values, its points, and its rings.

    Raises:
        FormatError: lines have unlike numbers of values, or a number that no form has.

    >>> meanings([(1, ("4", "甲", "面", "工业"), 4, 1)])
    ('界址点数', '地块名称', '图形属性', '地块用途')
    >>> meanings([(1, ("A-1", "甲", "面", ""), 4, 1)])[0]
    '地块编号'
    """
    width = len(parcels[0][1])
    for row, values, _, _ in parcels:
        if len(values) != width:
            raise FormatError(
                row,
                f"the parcel has {len(values)} values before the @, that of line {parcels[0][0]:,} has {width}",
            )
    if width == 0:
        return ()
    if width >= len(STANDARD):
        more = width - len(STANDARD)
        return STANDARD + (
            _OF_13 if more == len(_OF_13) else tuple(f"属性{place}" for place in range(9, width + 1))
        )
    if width != _SHORT:
        raise FormatError(
            parcels[0][0],
            f"the parcel has {width} values before the @; known are lines of 4, and of 8 and more",
        )
    whole = all(values[0].isascii() and values[0].isdecimal() for _, values, _, _ in parcels)
    # A form without a use leaves its last value empty, so a use says that the first one counts.
    counted = whole and (
        any(values[-1] for _, values, _, _ in parcels)
        or all(n <= int(values[0]) <= n + rings for _, values, n, rings in parcels)
    )
    return _OF_4_COUNTED if counted else _OF_4_NUMBERED


def stated_count(text: str | None, row: int) -> int | None:
    """Return the number of points that a line states, None where it states none.

    Raises:
        FormatError: it is no whole number.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise FormatError(row, f"{text!r} stands where the number of points (界址点数) is to stand")
    return int(text)


def stated_area(text: str | None, row: int) -> float | None:
    """Return the area that a line states, None where it states none.

    Raises:
        FormatError: it is no number.
    """
    if not text:
        return None
    try:
        value = float(text) if text.isascii() and "_" not in text else float("nan")
    except ValueError:
        value = float("nan")
    if not 0 <= value < float("inf"):
        raise FormatError(
            row,
            f"{text!r} stands where the area (地块面积) is to stand, in half-width digits without signs between thousands",
        )
    return value
