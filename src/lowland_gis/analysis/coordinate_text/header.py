"""What the header of a coordinate text says of the system, held against what its coordinates say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lowland_gis.analysis.coordinate_text.axes import ZONES_3, ZONES_6, Axes
from lowland_gis.analysis.coordinate_text.lines import FormatError
from lowland_gis.analysis.geometry.extent import DATUMS

Header = Mapping[str, tuple[str, int]]
CGCS2000, XIAN, BEIJING = DATUMS
_SPELT = ((CGCS2000, ("2000", "CGCS")), (XIAN, ("80", "西安", "XIAN")), (BEIJING, ("54", "北京", "BEIJING")))
_IN_DEGREES = {CGCS2000: 4490, XIAN: 4610, BEIJING: 4214}
_WIDTHS = {"3": 3, "三": 3, "6": 6, "六": 6}
_PARAMETERS = 7
_OF_3 = 3
_NOTHING = {"", "无", "null", "NULL"}


@dataclass(frozen=True)
class System:
    """The system as `EPSG:…` (None where too little is said), in words, and the values of 转换参数 where they are not all nothing."""

    name: str | None
    words: str
    parameters: str | None = None


def system(header: Header, axes: Axes) -> System:
    """Return the system that header and coordinates say together.

    Raises:
        FormatError: they contradict each other.
    """
    _refuse_other_unit(header, axes)
    parameters = _parameters(header)
    datum = _datum(header)
    if datum is None:
        said = header.get("坐标系", ("", 0))[0]
        return System(
            None, f"坐标系 {said!r} is no datum that is known" if said else "no 坐标系 is said", parameters
        )
    if axes.degrees:
        return System(f"EPSG:{_IN_DEGREES[datum]}", f"{datum} in degrees", parameters)
    width, zone = _width(header), _zone(header)
    if axes.zone:
        if zone is not None and zone != axes.zone:
            raise FormatError(
                header["带号"][1],
                f"带号 is {zone}, but the coordinates are of zone {axes.zone}: one of them is wrong",
            )
        zone = axes.zone
    if zone is None:
        return System(None, f"{datum}, but neither 带号 nor the coordinates say the zone", parameters)
    found = 3 if zone in ZONES_3 else 6 if zone in ZONES_6 else None
    where = header.get("几度分带", header.get("分带", ("", 0)))[1]
    if found is None or (width is not None and width != found):
        raise FormatError(
            where, f"there is no zone {zone} of {width or '3 or 6'} degrees in China (几度分带, 带号)"
        )
    numbered_3, plain_3, numbered_6, plain_6 = DATUMS[datum]
    first, place = (
        ((numbered_3, plain_3), zone - ZONES_3[0])
        if found == _OF_3
        else ((numbered_6, plain_6), zone - ZONES_6[0])
    )
    return System(
        f"EPSG:{(first[0] if axes.zone else first[1]) + place}",
        f"{datum}, zone {zone} of {found} degrees",
        parameters,
    )


def _refuse_other_unit(header: Header, axes: Axes) -> None:
    unit, row = header.get("计量单位", ("", 0))
    if ("度" in unit and not axes.degrees) or ("米" in unit and axes.degrees):
        found = "degrees" if axes.degrees else "metres"
        raise FormatError(row, f"计量单位 is {unit!r}, but the coordinates are {found}: one of them is wrong")


def _datum(header: Header) -> str | None:
    said = header.get("坐标系", ("", 0))[0].upper()
    found = [name for name, words in _SPELT if any(word in said for word in words)]
    return found[0] if found[:1] == [CGCS2000] or len(found) == 1 else None


def _width(header: Header) -> int | None:
    said = header.get("几度分带", header.get("分带", ("", 0)))[0]
    return next((width for sign, width in _WIDTHS.items() if sign in said), None)


def _zone(header: Header) -> int | None:
    said, row = header.get("带号", ("", 0))
    digits = re.fullmatch(r"\D*([0-9]{1,3})\D*", said)
    if said and not digits:
        raise FormatError(row, f"带号 is {said!r}, which is no number of a zone")
    return int(digits[1]) if digits else None


def _parameters(header: Header) -> str | None:
    """Return the parameters of a shift where they are not all zero or left empty.

    Raises:
        FormatError: they are no numbers.
    """
    said, row = header.get("转换参数", ("", 0))
    parts = [part.strip() for part in said.replace("，", ",").split(",")]
    if all(part in _NOTHING for part in parts):
        return None
    try:
        numbers = [float(part) if part else 0.0 for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != _PARAMETERS:
        raise FormatError(row, f"转换参数 is {said!r}, which is no {_PARAMETERS} numbers")
    return said if any(numbers) else None
