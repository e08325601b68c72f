"""Read the text form (明码) of MapGIS 6: points (.wat), lines (.wal) and areas (.wap), which have no coordinate system and no names of fields.

By published descriptions and one set of real files (three of one map, version 9); the counts of most parts are one higher than what is there.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.analysis.geometry.rings import by_depth
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import Batch, Received
from lowland_gis.files.encoding import Encoding, text_encoding
from lowland_gis.files.source import Source

_HEADS = {".wat": "22", ".wal": "21", ".wap": "23"}
_VERSIONS = "6789"
_KINDS = {"0": "字符串", "1": "子图", "2": "圆", "3": "弧", "4": "图像", "5": "文本"}
_WITH_TEXT = {"0", "4", "5"}
_STYLE_OF_AREA = 8
_MEET_M, _AREA_M2 = 0.001, 0.01
_LEAST = 3
_NUMBER = re.compile(r"\s*[+-]?[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?\s*", re.IGNORECASE)
_COUNT = re.compile(r"\s*([0-9]+)\s*N?\s*")
_MOST_BYTES = 500_000_000
_ASK = "Ask the sender for it again."


class _BrokenError(ValueError):
    """A line that is none of what the form has there."""


@dataclass
class _Rows:
    """Hands out line after line."""

    rows: list[str]
    at: int = 0

    def next(self, what: str) -> str:
        """Return the next line."""
        if self.at >= len(self.rows):
            raise _BrokenError(
                f"the file ends in line {self.at:,} where {what} is to stand, so it was cut off"
            )
        self.at += 1
        return self.rows[self.at - 1]

    def count(self, what: str) -> int:
        """Return a count; of nodes it ends with an N."""
        row = self.next(f"the number of {what}")
        found = _COUNT.fullmatch(row)
        if not found:
            raise _BrokenError(
                f"line {self.at:,}: {row[:40]!r} stands where the number of {what} is to stand"
            )
        return int(found[1])

    def values(self, what: str, least: int) -> list[str]:
        """Return the values of a line, which commas part, and blanks where there are none."""
        row = self.next(what)
        values = next(csv.reader([row])) if "," in row else row.split()
        if len(values) < least:
            raise _BrokenError(f"line {self.at:,}: {row[:40]!r} has fewer values than {what} has")
        return [value.strip() for value in values]

    def vertices(self, count: int) -> npt.NDArray[np.float64]:
        """Return some vertices (count × 2)."""
        if count > len(self.rows) - self.at:
            raise _BrokenError(
                f"line {self.at:,}: counts {count:,} vertices, more than lines are left, so the file was cut off"
            )
        found = np.empty((count, 2))
        for place in range(count):
            values = self.values("a vertex", 2)
            if not all(_NUMBER.fullmatch(value) for value in values[:2]):
                raise _BrokenError(f"line {self.at:,}: {','.join(values)[:40]!r} is no vertex")
            found[place] = float(values[0]), float(values[1])
        return found

    def end(self) -> None:
        """Refuse what stands behind the end."""
        left = next(
            (place for place in range(self.at, len(self.rows)) if self.rows[place].strip(" \t\x1a")), None
        )
        if left is not None:
            raise _BrokenError(
                f"line {left + 1:,}: {self.rows[left][:40]!r} stands behind all that the file counts"
            )


@dataclass
class _Layer:
    """Values row by row, shapes, and doubts."""

    rows: list[dict[str, str]] = field(default_factory=list)
    shapes: list[shapely.Geometry | None] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def mapgis_layer(source: Source, encoding: Encoding | str | None, batch_rows: int) -> Received:
    """Read the objects of a file.

    Raises:
        InputRefusedError: it was cut, contradicts its counts, or its head is of another kind than its name.
    """
    if source.size_bytes > _MOST_BYTES:
        raise InputRefusedError(
            f"{source.name}: is larger than {_MOST_BYTES / 1e6:.0f} MB, so it is not read as a whole. Ask for it in parts."
        )
    content = source.path.read_bytes()
    how = text_encoding(source.path, content, encoding.name if isinstance(encoding, Encoding) else encoding)
    rows = re.split(r"\r\n|\n|\r", content.decode(how.name, "replace" if how.cut else "strict"))
    suffix = source.path.suffix.lower()
    head = rows[0].strip()
    if head[4:5] not in _VERSIONS or not head.endswith(_HEADS[suffix]):
        raise InputRefusedError(
            f"{source.name}: begins with {head[:12]}, and a {suffix} with WMAP9{'0' + _HEADS[suffix]}. {_ASK}"
        )
    try:
        layer = _read(rows, suffix)
    except _BrokenError as error:
        raise InputRefusedError(f"{source.name}: {error}. {_ASK}") from error
    names = list(dict.fromkeys(name for row in layer.rows for name in row)) or ["ID"]
    table = pa.table(
        {name: pa.array([row.get(name) or None for row in layer.rows], pa.string()) for name in names}
    )
    shapes = np.array(layer.shapes, dtype=object)
    doubts = [
        (
            "fields_unnamed",
            "this form has no names of fields: 样式 is how it is drawn, 属性3 and on are attributes by their place",
        )
    ]
    return Received(
        tuple(names),
        has_geometry=True,
        declared_crs=None,
        encoding=how,
        layer=source.path.stem,
        n_rows=table.num_rows,
        batches=_batches(table, shapes, layer.doubts, batch_rows),
        doubts=doubts,
    )


def _batches(
    table: pa.Table, shapes: npt.NDArray[np.object_], doubts: list[Doubt], batch_rows: int
) -> Iterator[Batch]:
    for start in range(0, table.num_rows, batch_rows):
        stop = start + batch_rows
        wkb = pa.array(shapely.to_wkb(shapes[start:stop]), pa.binary())
        yield Batch(
            start,
            table.slice(start, batch_rows),
            wkb,
            doubts=tuple(doubt for doubt in doubts if start <= doubt.row < stop),
        )


def _read(rows: list[str], suffix: str) -> _Layer:
    """Read a file with its counts taken as they are, or one lower where that makes it whole."""
    first: tuple[int, _BrokenError] | None = None
    lower = ((0, 1),) if suffix != ".wap" else ((0, 1), (1, 0), (1, 0))
    read = {".wat": _points, ".wal": _lines, ".wap": _areas}[suffix]
    for less in product(*lower):
        try:
            reader = _Rows(rows, 1)
            layer = read(reader, less)
            reader.end()
        except _BrokenError as error:
            # The counts that lead farthest are those that are meant.
            if first is None or reader.at > first[0]:
                first = (reader.at, error)
        else:
            return layer
    assert first is not None  # noqa: S101 - for the type checker
    raise first[1]


def _points(rows: _Rows, less: tuple[int, ...]) -> _Layer:
    layer = _Layer()
    for _ in range(rows.count("points") - less[0]):
        values = rows.values("a point", 5)
        if not all(_NUMBER.fullmatch(value) for value in values[:2]):
            raise _BrokenError(f"line {rows.at:,}: {','.join(values)[:40]!r} is no point")
        kind = values[3]
        if kind not in _KINDS:
            raise _BrokenError(
                f"line {rows.at:,}: {kind[:40]!r} stands where the kind of a point is to stand"
            )
        text, style = (values[4], values[5:]) if kind in _WITH_TEXT else ("", values[4:])
        layer.rows.append({"ID": values[2], "点类型": _KINDS[kind], "文字": text, "样式": ",".join(style)})
        layer.shapes.append(shapely.Point(float(values[0]), float(values[1])))
    return layer


def _lines(rows: _Rows, less: tuple[int, ...]) -> _Layer:
    layer = _Layer()
    for place in range(rows.count("lines") - less[0]):
        style = rows.values("the style of a line", 2)
        vertices = rows.vertices(rows.count("vertices"))
        layer.rows.append(
            _named(rows.values("the attributes of a line", 1), ("ID", "长度")) | {"样式": ",".join(style)}
        )
        short = len(vertices) < 2  # noqa: PLR2004 - a line
        layer.shapes.append(None if short else shapely.LineString(vertices))
        if short:
            layer.doubts.append(Doubt(place, "shape_unreadable", "a line needs two vertices"))
    return layer


def _named(values: list[str], names: tuple[str, ...]) -> dict[str, str]:
    return {
        names[place] if place < len(names) else f"属性{place + 1}": value
        for place, value in enumerate(values)
    }


def _areas(rows: _Rows, less: tuple[int, ...]) -> _Layer:
    arcs = []
    for _ in range(rows.count("arcs") - less[0]):
        rows.values("the style of an arc", 2)
        rows.values("the areas beside an arc", 2)
        rows.values("the nodes of an arc", 2)
        arcs.append(rows.vertices(rows.count("vertices")))
        rows.values("the attributes of an arc", 1)
    for _ in range(rows.count("nodes") - less[1]):
        rows.vertices(1)
        for _ in range(rows.count("arcs of a node")):
            rows.next("an arc of a node")
    layer = _Layer()
    for place in range(rows.count("areas") - less[2]):
        values = rows.values("an area", _STYLE_OF_AREA + 3)
        references = []
        for _ in range(rows.count("arcs of an area")):
            text = rows.next("an arc of an area").strip()
            if not re.fullmatch(r"[+-]?[0-9]+", text) or abs(int(text)) > len(arcs):
                raise _BrokenError(
                    f"line {rows.at:,}: {text[:40]!r} stands where an area names an arc, and there are {len(arcs):,}"
                )
            references.append(int(text))
        named = _named(values[_STYLE_OF_AREA:], ("ID", "面积", "周长"))
        layer.rows.append(named | {"样式": ",".join(values[:_STYLE_OF_AREA])})
        layer.shapes.append(_area(place, references, arcs, named["面积"], layer.doubts))
    return layer


def _area(
    place: int, references: list[int], arcs: list[npt.NDArray[np.float64]], stated: str, doubts: list[Doubt]
) -> shapely.Geometry | None:
    """Return the polygon along arcs, backwards where their number is negative; a 0 parts rings. Arcs that do not meet are joined straight."""
    rings: list[list[npt.NDArray[np.float64]]] = [[]]
    for reference in references:
        if reference == 0:
            rings.append([])
        else:
            rings[-1].append(arcs[abs(reference) - 1][:: 1 if reference > 0 else -1])
    gaps = [
        float(np.hypot(*(part[-1] - ring[(at + 1) % len(ring)][0])))
        for ring in rings
        for at, part in enumerate(ring)
        if len(part) and len(ring[(at + 1) % len(ring)])
    ]
    made = [vertices for ring in rings if ring and len(vertices := np.vstack(ring)) >= _LEAST]
    if not made:
        doubts.append(Doubt(place, "shape_unreadable", "its arcs make no ring"))
        return None
    closed = np.array([shapely.linearrings(vertices) for vertices in made], dtype=object)
    shape = shapely.polygons(closed[0]) if len(closed) == 1 else by_depth(closed)
    wide = [gap for gap in gaps if gap > _MEET_M]
    if wide:
        doubts.append(
            Doubt(
                place,
                "arcs_apart",
                f"{len(wide)} of its arcs do not meet, by up to {max(wide):,.3f}, and were joined by straight lines",
            )
        )
    if _NUMBER.fullmatch(stated) and abs(float(stated) - shape.area) > _AREA_M2 + 1e-6 * shape.area:
        doubts.append(
            Doubt(place, "stated_area_differs", f"面积 is {stated}, but the outline has {shape.area:,.4f}")
        )
    return shape
