"""The placemarks of a KML out of its XML: folder, name, attributes and shape of each, and what stands beside them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from xml.parsers import expat

import numpy as np
import numpy.typing as npt
import shapely

_BLOCK = 1 << 20
_BETWEEN = re.compile(r"\s*,\s*")
_SHAPES = {"Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack"}
_CONTAINERS = {"Document", "Folder"}
# What KML holds beside placemarks that could be taken for data.
_LEFT_OUT = {"NetworkLink", "GroundOverlay", "PhotoOverlay", "ScreenOverlay", "Model"}
_TEXTS = {"name", "description", "value", "SimpleData", "coordinates", "coord", "OvCoordType"}
_MOST_DEPTH = 200
_LEAST = 4


class BrokenError(ValueError):
    """The XML is broken or hostile; the words say where."""


@dataclass
class Placemark:
    """A placemark: the names of its folders, its attributes by name, its shape (None without one), and why it has none."""

    folders: tuple[str, ...]
    values: dict[str, str] = field(default_factory=dict)
    shape: shapely.Geometry | None = None
    fault: str | None = None
    closed: bool = False


@dataclass
class Found:
    """What a KML holds: placemarks in their order, how many things of other kinds, and the system that 奥维 says (OvCoordType)."""

    placemarks: list[Placemark] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    system: str | None = None


@dataclass
class _Shape:
    """A geometry that is being read: its kind, its coordinates or its parts."""

    kind: str
    texts: list[str] = field(default_factory=list)
    parts: list[shapely.Geometry] = field(default_factory=list)
    holes: list[shapely.Geometry] = field(default_factory=list)


def parsed(content: bytes) -> Found:
    """Read a KML in UTF-8.

    Raises:
        BrokenError: it is no well-formed XML, was cut off, has a document type, or no element kml.
    """
    reader = _Reader()
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for start in range(0, len(content), _BLOCK):
            parser.Parse(content[start : start + _BLOCK], False)  # noqa: FBT003 - expat's signature
        parser.Parse(b"", True)  # noqa: FBT003
    except expat.ExpatError as error:
        raise BrokenError(f"line {error.lineno:,}: {expat.errors.messages[error.code]}") from error
    if not reader.is_kml:
        raise BrokenError("it has no element kml")
    return reader.found


def _refuse_doctype(*_: object) -> None:
    raise BrokenError(
        "it has a document type (DOCTYPE), which no KML needs and which can make a reader open other files"
    )


@dataclass
class _Reader:
    """Takes the events of the parser."""

    found: Found = field(default_factory=Found)
    path: list[str] = field(default_factory=list)
    folders: list[list[str]] = field(default_factory=list)
    placemark: Placemark | None = None
    shapes: list[_Shape] = field(default_factory=list)
    inner: bool = False
    key: str | None = None
    words: list[str] | None = None
    is_kml: bool = False

    def begin(self, name: str, given: dict[str, str]) -> None:
        """Begin an element."""
        name = name.rpartition("}")[2]
        self.path.append(name)
        if len(self.path) > _MOST_DEPTH:
            raise BrokenError(f"elements are nested {_MOST_DEPTH} deep")
        self.is_kml |= name == "kml" and len(self.path) == 1
        if name in _CONTAINERS:
            self.folders.append([])
        elif name == "Placemark":
            self.placemark = Placemark(tuple(words[0] for words in self.folders if words))
        elif name in _SHAPES and self.placemark is not None:
            self.shapes.append(_Shape(name))
        elif name in _LEFT_OUT:
            self.found.left_out[name] += 1
        elif name in ("outerBoundaryIs", "innerBoundaryIs"):
            self.inner = name == "innerBoundaryIs"
        elif name in ("Data", "SimpleData"):
            self.key = next((value for key, value in given.items() if key.rpartition("}")[2] == "name"), None)
        if name in _TEXTS:
            self.words = []

    def text(self, words: str) -> None:
        """Take a piece of text."""
        if self.words is not None:
            self.words.append(words)

    def end(self, name: str) -> None:
        """End an element."""
        name = name.rpartition("}")[2]
        self.path.pop()
        words = "".join(self.words).strip() if name in _TEXTS and self.words is not None else ""
        if name in _TEXTS:
            self.words = None
            self._text(name, words)
        elif name in _CONTAINERS:
            self.folders.pop()
        elif name in _SHAPES and self.shapes:
            self._shape(self.shapes.pop())
        elif name == "Placemark" and self.placemark is not None:
            self.found.placemarks.append(self.placemark)
            self.placemark, self.shapes = None, []

    def _text(self, name: str, words: str) -> None:
        around = self.path[-1] if self.path else ""
        if name == "OvCoordType":
            self.found.system = self.found.system or words
        elif name in ("coordinates", "coord"):
            if self.shapes:
                self.shapes[-1].texts.append(words)
        elif self.placemark is None:
            if name == "name" and around in _CONTAINERS and self.folders:
                self.folders[-1][:] = [words] if words else []
        elif name in ("name", "description"):
            if around == "Placemark" and words:
                self.placemark.values[name] = words
        elif self.key is not None:
            key = self.key if self.key not in ("name", "description") else f"{self.key}_2"
            if key in self.placemark.values and self.placemark.values[key] != words:
                key = next(
                    f"{key}_{number}"
                    for number in range(2, len(self.placemark.values) + 3)
                    if f"{key}_{number}" not in self.placemark.values
                )
            self.placemark.values[key] = words

    def _shape(self, shape: _Shape) -> None:
        assert self.placemark is not None  # noqa: S101 - for the type checker
        try:
            made = self._made(shape)
        except (ValueError, shapely.errors.GEOSException) as error:
            self.placemark.fault = self.placemark.fault or str(error)
            return
        if made is None:
            return
        if not self.shapes:
            self.placemark.shape = made
        elif self.shapes[-1].kind == "Polygon":
            (self.shapes[-1].holes if self.inner else self.shapes[-1].parts).append(made)
        else:
            self.shapes[-1].parts.append(made)

    def _made(self, shape: _Shape) -> shapely.Geometry | None:
        if shape.kind in ("MultiGeometry", "MultiTrack"):
            return _together(shape.parts)
        if shape.kind == "Polygon":
            if len(shape.parts) != 1:
                raise ValueError("a polygon has no outer ring")
            return shapely.Polygon(shape.parts[0], shape.holes)
        if shape.kind == "Track":
            return shapely.LineString(
                _coordinates(_BETWEEN.sub(",", " ".join(",".join(text.split()) for text in shape.texts)))
            )
        vertices = _coordinates(" ".join(shape.texts))
        if shape.kind == "Point":
            return shapely.Point(vertices[0])
        if shape.kind == "LineString":
            return shapely.LineString(vertices)
        ends = bool((vertices[0] == vertices[-1]).all())
        if not ends:
            vertices = np.vstack([vertices, vertices[:1]])
        if len(vertices) < _LEAST:
            raise ValueError(f"a ring has {len(vertices)} vertices, the last being the first")
        if self.placemark is not None:
            self.placemark.closed |= not ends
        return shapely.LinearRing(vertices)


def _together(parts: list[shapely.Geometry]) -> shapely.Geometry | None:
    kinds = {part.geom_type for part in parts}
    if not parts:
        return None
    if kinds == {"Polygon"}:
        return shapely.MultiPolygon(parts)
    if kinds == {"LineString"}:
        return shapely.MultiLineString(parts)
    if kinds == {"Point"}:
        return shapely.MultiPoint(parts)
    return shapely.GeometryCollection(parts)


def _coordinates(text: str) -> npt.NDArray[np.float64]:
    """Return vertices (n × 2, or 3 where a height is not 0)."""
    rows = [row.split(",") for row in _BETWEEN.sub(",", text).split()]
    try:
        found = np.array([[float(value) for value in (*row, "0")[:3]] for row in rows if row], np.float64)
    except ValueError:
        raise ValueError(
            "coordinates hold something that is no number, or no longitude with its latitude"
        ) from None
    if found.size == 0:
        raise ValueError("it has no coordinates")
    if not np.isfinite(found).all():
        raise ValueError("a coordinate is infinite or no number")
    return found if found[:, 2].any() else found[:, :2]
