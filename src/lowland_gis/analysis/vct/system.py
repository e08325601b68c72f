"""The coordinate system that the head of a VCT says."""

from __future__ import annotations

from lowland_gis.analysis.geometry.extent import DATUMS
from lowland_gis.analysis.vct.blocks import Head

# How the words for a datum begin or what they hold, and the name under which its numbers are known.
_SPELT = (
    ("CGCS2000", ("CGCS2000", "2000国家", "国家2000", "CHINA_2000", "CHINA2000")),
    ("Xian 1980 (西安80)", ("XIAN", "西安", "1980", "IAG75", "IAG-75")),
    ("Beijing 1954 (北京54)", ("BEIJING", "北京", "1954", "KRASS", "克拉索夫斯基")),
)
_IN_DEGREES = {"CGCS2000": 4490, "Xian 1980 (西安80)": 4610, "Beijing 1954 (北京54)": 4214}
_FIRST_3, _FIRST_6, _LAST = 75, 75, 135
_FIRST_ZONE_3, _FIRST_ZONE_6 = 25, 13
_FALSE_EASTING = 500_000
_ZONE_M = 1_000_000
_PLANE, _DEGREES = "P", "D"


def system(head: Head) -> str | None:
    """Return `EPSG:…`, or None where the head does not say enough: what is not said is asked of whoever delivers it.

    Read are CoordinateSystemType, Spheroid (or the words of another key that name a datum) and Parameters: the central meridian,
    the scale, the false easting, the false northing and the width of zones.
    """
    datum = _datum(head)
    if datum is None:
        return None
    kind = head.values.get("coordinatesystemtype", _PLANE).upper()[:1]
    if kind == _DEGREES:
        return f"EPSG:{_IN_DEGREES[datum]}"
    numbers = _numbers(head.values.get("parameters", ""))
    if kind != _PLANE or len(numbers) < 3:  # noqa: PLR2004 - to the false easting
        return None
    width = next((int(number) for number in numbers[3:] if number in (3, 6)), 3)
    return _plane(datum, numbers[0], numbers[2], width)


def _datum(head: Head) -> str | None:
    said = " ".join(
        head.values.get(key, "") for key in ("spheroid", "datum", "coordinatesystem", "projection")
    ).upper()
    found = [name for name, words in _SPELT if any(word in said for word in words)]
    return found[0] if len(found) == 1 else None


def _numbers(said: str) -> list[float]:
    found = []
    for part in said.split(","):
        try:
            found.append(float(part))
        except ValueError:
            found.append(float("nan"))
    return found


def _plane(datum: str, meridian: float, false_easting: float, width: int) -> str | None:
    numbered_3, plain_3, numbered_6, plain_6 = DATUMS[datum]
    numbered, plain, first_zone = (
        (numbered_3, plain_3, _FIRST_ZONE_3) if width == 3 else (numbered_6, plain_6, _FIRST_ZONE_6)  # noqa: PLR2004 - zones
    )
    zone = (meridian - _FIRST_3) / width
    if zone != int(zone) or not _FIRST_3 <= meridian <= _LAST:
        return None
    if false_easting == _FALSE_EASTING:
        return f"EPSG:{plain + int(zone)}"
    if false_easting == (first_zone + int(zone)) * _ZONE_M + _FALSE_EASTING:
        return f"EPSG:{numbered + int(zone)}"
    return None
