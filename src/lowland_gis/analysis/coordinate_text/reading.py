"""A coordinate text as rows and shapes, with everything that was decided on the way and every doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.coordinate_text import areas, axes, lines, parcel_lines, rings
from lowland_gis.analysis.coordinate_text.header import System, system
from lowland_gis.analysis.coordinate_text.lines import FormatError
from lowland_gis.analysis.fields.doubts import Doubt

_POLYGON = "面"
# Numbers of rings are shorter than coordinates.
_LONGEST_RING = 4
_KINDS = (rings.POINT, rings.LINE)
# Square metres of shapes in degrees.
Areas = Callable[[npt.NDArray[np.object_]], npt.NDArray[np.float64]]


@dataclass
class Reading:
    """The parcels of a file: values by column (地块面积 is a number of hectares), shapes as east and north, and the system.

    `decisions` say in words what was decided and by what; `doubts` are of rows, `whole` of the file; `parameters` are those of a
    shift (转换参数) that are not all nothing. `rows` is the 1-based line of each parcel.
    """

    columns: dict[str, list[str | float | None]]
    shapes: npt.NDArray[np.object_]
    system: System
    rows: list[int]
    decisions: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    whole: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _File:
    """What is read of a file before its values."""

    found: lines.Sections
    points: axes.Points
    axes: axes.Axes
    parcels: list[rings.Parcel]
    doubts: list[Doubt]
    counts: list[int | None] = field(default_factory=list)


def read_text(text: str, areas_in_degrees: Areas) -> Reading:
    """Read a coordinate text.

    Raises:
        FormatError: it contradicts itself, was cut, or stays unclear.
    """
    found = lines.sections(text)
    stray = lines.first_point_without_parcel(found.blocks)
    if stray is not None:
        raise FormatError(stray, "a point stands before the line of the first parcel")
    points = axes.points(found.blocks)
    _refuse_cut_number(text, found)
    wrong = rings.without_wrong_closing(points)
    for last, first in wrong.items():
        points.pairs[last] = points.pairs[first]
    decided = axes.decided(points)
    xy = axes.east_north(points, decided)
    meet = rings.MEET_DEGREES if decided.degrees else rings.MEET_M
    doubts = [
        Doubt(int(points.owner[last]), "closing_wrong", f"line {points.rows[last]:,}: the point that closes the ring repeats one coordinate twice; the first point was taken")
        for last in wrong
    ]  # fmt: skip
    file = _File(found, points, decided, [], doubts)
    places: list[list[int]] = [[] for _ in found.blocks]
    for place, owner in enumerate(points.owner.tolist()):
        places[owner].append(place)
    kind_at = _kind_place(found.blocks)
    kinds = [_kind(block.values, kind_at) for block in found.blocks]
    for block, of, kind in zip(found.blocks, places, kinds, strict=True):
        file.parcels.append(_points_alone(block.row, of) if kind == rings.POINT else _line(block.row, of, points) if kind == rings.LINE else rings.parcel(block.row, of, points, xy, meet))  # fmt: skip
    drawn = [each for each, kind in zip(file.parcels, kinds, strict=True) if kind not in _KINDS]
    closed = rings.refuse_cut(drawn, points, xy)
    shapes = np.empty(len(file.parcels), dtype=object)
    for place, (each, kind) in enumerate(zip(file.parcels, kinds, strict=True)):
        shapes[place] = rings.shape(each, points, xy, kind)
    found_m2 = areas_in_degrees(shapes) if decided.degrees else shapely.area(shapes)
    reading = Reading(
        {}, shapes, system(found.header, decided), [block.row for block in found.blocks], doubts=doubts
    )
    fitting = _values(file, reading, found_m2)
    if not closed and drawn:
        _refuse_fewer(file, fitting)
        if not any(fitting) and not any(file.counts):
            reading.whole.append(
                (
                    "whole_unproved",
                    "rings are not closed by a point, and neither counts nor areas say that no point is missing",
                )
            )
    _decisions(file, reading, closed=closed if drawn else None)
    return reading


def _refuse_cut_number(text: str, found: lines.Sections) -> None:
    """Refuse a last number with fewer decimals than all others have, where no line end follows it: nothing else tells of the cut."""
    *others, last = (point for block in found.blocks for point in block.points)
    if text[-1:] in "\r\n" or not others:
        return
    values = [value for value in last.values if value]
    usual = {_decimals(value) for point in others for value in point.values if "." in value}
    if (
        len(usual) == 1
        and values
        and _decimals(values[-1]) < usual.copy().pop()
        and len(values[-1]) > _LONGEST_RING
    ):
        raise FormatError(
            last.row,
            f"the last number, {values[-1]}, has fewer decimals than all others and no line end behind it, so the file was cut off",
        )


def _points_alone(row: int, places: list[int]) -> rings.Parcel:
    return rings.Parcel(row, [rings.Ring(places, closed=False)])


def _line(row: int, places: list[int], points: axes.Points) -> rings.Parcel:
    """Return the lines of a parcel of lines: each number of a ring is one."""
    parts: list[list[int]] = []
    for place in places:
        if not parts or points.rings[place] != points.rings[parts[-1][-1]]:
            parts.append([])
        parts[-1].append(place)
    short = next((part for part in parts if len(part) == 1), None)
    if short is not None:
        raise FormatError(int(points.rows[short[0]]), "a line of one point")
    return rings.Parcel(row, [rings.Ring(part, closed=False) for part in parts])


def _kind_place(blocks: list[lines.Block]) -> int | None:
    """Return where 图形属性 stands in the line of a parcel: fifth of eight values and more, third of four."""
    width = len(blocks[0].values)
    return 4 if width >= len(parcel_lines.STANDARD) else 2 if width else None


def _kind(values: tuple[str, ...], place: int | None) -> str:
    said = values[place] if place is not None and place < len(values) else ""
    return next((kind for kind in _KINDS if said.startswith(kind)), _POLYGON)


def _values(file: _File, reading: Reading, found_m2: npt.NDArray[np.float64]) -> list[bool | None]:
    """Put the values of the parcels into columns; return of each whether its stated area is its own, None where it states none."""
    parcels = file.parcels
    said = [
        (block.row, block.values, each.n_points, len(each.rings))
        for block, each in zip(file.found.blocks, parcels, strict=True)
    ]
    names = parcel_lines.meanings(said)
    rows = [dict(zip(names, block.values, strict=True)) for block in file.found.blocks]
    columns: dict[str, list[str | float | None]] = {
        name: [row.get(name) or None for row in rows]
        for name in (*parcel_lines.COLUMNS, *names)
        if name != parcel_lines.COUNT
    }
    for key, (value, _) in file.found.project.items():
        columns.setdefault(key, [value or None] * len(rows))
    reading.columns = columns
    if parcel_lines.COUNT in names:
        _hold_counts(file, rows)
    return _hold_areas(file, reading, rows, found_m2)


def _hold_counts(file: _File, rows: list[dict[str, str]]) -> None:
    for place, (each, row) in enumerate(zip(file.parcels, rows, strict=True)):
        n_lines = len(file.found.blocks[place].points)
        count = parcel_lines.stated_count(row[parcel_lines.COUNT], each.row)
        file.counts.append(count)
        if count is None:
            continue
        if count > max(n_lines, each.n_points + len(each.rings)):
            raise FormatError(each.row, f"the parcel is to have {count} points, and {each.n_points} are there, without those that close it, so points are missing")  # fmt: skip
        if count < each.n_points:
            words = f"界址点数 is {count}, but {each.n_points} points are there, without those that close rings; all were taken"
            file.doubts.append(Doubt(place, "point_count_differs", words))


def _hold_areas(
    file: _File, reading: Reading, rows: list[dict[str, str]], found_m2: npt.NDArray[np.float64]
) -> list[bool | None]:
    texts = [row.get(parcel_lines.AREA, "") for row in rows]
    stated = [
        parcel_lines.stated_area(text, each.row) for text, each in zip(texts, file.parcels, strict=True)
    ]
    known = {
        place: areas.Area(value, _decimals(texts[place]), float(found_m2[place]))
        for place, value in enumerate(stated)
        if value and found_m2[place] > 0
    }
    unit = areas.unit_of(list(known.values()))
    if known and unit is None:
        reading.whole.append(("area_unit_unclear", "most stated areas are those of the parcels in no unit; they were taken for hectares, as the rule says"))  # fmt: skip
    taken = unit or areas.HECTARES
    if known and unit is not None:
        reading.decisions.append(f"areas in {unit}, as those of the parcels show")
    fitting: list[bool | None] = [None] * len(rows)
    for place, area in known.items():
        fitting[place] = area.fits(taken)
        if not fitting[place]:
            words = f"地块面积 is {texts[place]} {taken}, but the outline has {area.found_m2 / areas.UNITS[taken]:,.4f}"
            file.doubts.append(Doubt(place, "stated_area_differs", words))
    reading.columns[parcel_lines.AREA] = [
        None if value is None else areas.in_hectares(value, _decimals(text), taken)
        for value, text in zip(stated, texts, strict=True)
    ]
    return fitting


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def _refuse_fewer(file: _File, fitting: list[bool | None]) -> None:
    """Refuse a ring that a point is missing of by its count, where the stated area does not say that it is whole."""
    for each, count, right in zip(file.parcels, file.counts, fitting, strict=False):
        if count is not None and count > each.n_points and not right:
            last = int(file.points.rows[each.rings[-1].places[-1]])
            raise FormatError(
                last,
                f"the ring ends here and does not close; {count} points are to be there and {each.n_points} are, and the stated area is not that"
                " of the outline, so points are missing",
            )


def _decisions(file: _File, reading: Reading, *, closed: bool | None) -> None:
    said = reading.decisions
    said.insert(0, file.axes.words)
    said.insert(1, reading.system.words)
    if closed is not None:
        said.append("rings closed by a point" if closed else "rings that no point closes were closed")
    n_rings = sum(len(each.rings) for each in file.parcels)
    if n_rings > len(file.parcels):
        said.append("holes told by where rings lie")
    said += [*file.points.remarks, *file.found.remarks]
    reading.whole += [
        ("section_left_out", f"[{name}] is no section that is known, and was left out")
        for name in file.found.left_out
    ]
    file.doubts += [
        Doubt(place, code, words) for place, each in enumerate(file.parcels) for code, words in each.oddities
    ]
