"""The parts of a drawing as ezdxf has read it: outlines, lines, hatches and places, with what hangs on them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from ezdxf.document import Drawing
from ezdxf.entities.boundary_paths import ArcEdge, EllipseEdge, LineEdge, PolylinePath, SplineEdge
from ezdxf.entities.dxfentity import DXFEntity
from ezdxf.entities.dxfgfx import DXFGraphic
from ezdxf.entities.insert import Insert
from ezdxf.entities.lwpolyline import LWPolyline
from ezdxf.entities.mtext import MText
from ezdxf.entities.polygon import DXFPolygon
from ezdxf.entities.polyline import Polyline
from ezdxf.lldxf.const import DXFError

from lowland_gis.analysis.drawing import polylines
from lowland_gis.analysis.drawing.blocks import Block, circle, counted
from lowland_gis.analysis.drawing.escapes import shown, unescaped
from lowland_gis.analysis.geometry.curves import MAX_DEVIATION_M
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.drawing.records import AREA, HATCH, LINE, POINT, Head
from lowland_gis.files.drawing.text import Text

Points = npt.NDArray[np.float64]
Row = dict[str, Any]

# So many parts the blocks of a drawing may stand for.
MOST_PARTS = 300_000
# A block that is put more often than this is a symbol, such as that of a boundary point: nobody looks for land in it.
MOST_TIMES = 100
_DEVIATION = MAX_DEVIATION_M
_ATTACHED = ("SEQEND", "VERTEX", "ATTRIB", "ATTDEF")
_FIRST_PAIR, _LAST_NUMBER = 1000, 1071
_FAULTS = (
    DXFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ZeroDivisionError,
    shapely.GEOSException,
)
_DEEPEST = 64


class Parts:
    """The parts of a drawing, one by one; `head` is complete when they are at their end."""

    def __init__(self, drawing: Drawing, text: Text) -> None:
        """Take a drawing that ezdxf has read, and what was found of its text."""
        self._drawing, self._cut = drawing, text.encoding.cut
        self._unread: Counter[str] = Counter()
        self._symbols: dict[str, int] = {}
        hidden = [layer.dxf.name for layer in drawing.layers if layer.is_off() or layer.is_frozen()]
        self.head = Head(
            text.version, text.encoding.name, text.encoding.reason, int(drawing.header.get("$INSUNITS", 0)),
            hidden=[self._name(name) for name in hidden],
            layers=[self._name(layer.dxf.name) for layer in drawing.layers],
        )  # fmt: skip

    def rows(self) -> Iterator[Row]:
        """Yield a row for each part of the model.

        Raises:
            InputRefusedError: a block holds itself, or blocks stand for more parts than can be read.
        """
        self._refuse_blocks()
        for entity in self._drawing.modelspace():
            yield from self._of(entity)
        layouts = (layout for layout in self._drawing.layouts if not layout.is_modelspace)
        self.head.in_layouts = sum(1 for layout in layouts for each in layout if each.dxftype() != "VIEWPORT")
        self.head.unread = dict(self._unread.most_common())

    def _of(self, entity: DXFEntity) -> Iterator[Row]:
        if isinstance(entity, Insert):
            yield self._symbol(entity)
            if entity.dxf.name.casefold() in self._symbols:
                return
            yield from self._inside(entity, self._name(entity.dxf.get("layer", "0")), 1)
            return
        row = self._drawn(entity)
        if row is not None:
            yield row

    def _drawn(self, entity: DXFEntity) -> Row | None:
        draw = _DRAWN.get(entity.dxftype())
        if draw is None:
            if entity.dxftype() not in _ATTACHED:
                self._unread[entity.dxftype()] += 1
            return None
        row = self._plain(entity)
        try:
            draw(entity, row)
        except _FAULTS as error:
            row |= {
                "kind": row["kind"] or AREA,
                "fault": " ".join(str(error).split())[:200] or type(error).__name__,
            }
        if row["text"] is not None:
            row["text"] = self._whole(row["text"])
        return row

    def _plain(self, entity: DXFEntity) -> Row:
        more = {name: self._whole(unescaped(value)) for name, value in _hung_on(entity).items()}
        color = entity.dxf.get("color", None) if entity.dxf.is_supported("color") else None
        return {
            "layer": self._name(entity.dxf.get("layer", "0")), "kind": "", "in_block": False, "entity": entity.dxftype(),
            "handle": entity.dxf.get("handle", None), "color": color, "elevation": None, "text": None, "block": None,
            "more": json.dumps(more, ensure_ascii=False) if more else None, "fault": None, "gap": None, "wkb": None,
        }  # fmt: skip

    def _symbol(self, insert: Insert) -> Row:
        """Return the place of a block, with its attributes as further values."""
        row = self._plain(insert)
        more = json.loads(row["more"] or "{}")
        for attribute in insert.attribs:
            more[self._name(attribute.dxf.tag)] = self._whole(shown(attribute.dxf.text))
        place = insert.ocs().to_wcs(insert.dxf.insert)
        row |= {
            "kind": POINT, "block": self._name(insert.dxf.name), "elevation": _height(place.z),
            "more": json.dumps(more, ensure_ascii=False) if more else None, "wkb": _point(place.x, place.y),
        }  # fmt: skip
        return row

    def _inside(self, insert: Insert, layer: str, depth: int) -> Iterator[Row]:
        """Yield the parts of a block where it was put, each with the handle and the attributes of the block.

        What lies on layer 0 of a block is on the layer where the block was put.
        """
        symbol = self._symbol(insert)
        try:
            inner = [
                each
                for one in _repeated(insert)
                for each in one.virtual_entities(skipped_entity_callback=self._skipped)
            ]
        except _FAULTS as error:
            yield symbol | {
                "layer": layer,
                "kind": AREA,
                "in_block": True,
                "fault": " ".join(str(error).split())[:200],
                "wkb": None,
            }
            return
        for entity in inner:
            if isinstance(entity, Insert):
                if depth < _DEEPEST:
                    own = self._name(entity.dxf.get("layer", "0"))
                    yield from self._inside(entity, layer if own == "0" else own, depth + 1)
                continue
            row = self._drawn(entity)
            if row is not None:
                more = json.loads(symbol["more"] or "{}") | json.loads(row["more"] or "{}")
                yield row | {
                    "layer": layer if row["layer"] == "0" else row["layer"], "in_block": True, "handle": insert.dxf.get("handle", None) or symbol["handle"],
                    "block": symbol["block"], "more": json.dumps(more, ensure_ascii=False) if more else None,
                }  # fmt: skip

    def _skipped(self, entity: DXFGraphic, _: str) -> None:
        if entity.dxftype() not in _ATTACHED:
            self._unread[entity.dxftype()] += 1

    def _refuse_blocks(self) -> None:
        held = {block.name.casefold(): _block(block) for block in self._drawing.blocks}
        self.head.references = [
            self._name(block.name)
            for block in self._drawing.blocks
            if block.block is not None and block.block.is_xref
        ]
        round_ = circle(held)
        if round_ is not None:
            names = " → ".join(self._name(name) for name in [*round_[:5], round_[0]])
            raise InputRefusedError(
                f"the block {self._name(round_[0])} holds itself ({names}), so it has no end."
                " In the CAD program purge or redefine it (BEDIT), then save again"
            )
        put = _block(self._drawing.modelspace()).inserted
        self._symbols = {name: times for name, times in put.items() if times > MOST_TIMES}
        self.head.symbols = {self._name(name): times for name, times in self._symbols.items()}
        totals = counted(held)
        n_parts = sum(times * totals.get(name, 0) for name, times in put.items() if times <= MOST_TIMES)
        if n_parts > MOST_PARTS:
            raise InputRefusedError(
                f"its blocks stand for {n_parts:,} parts, more than the {MOST_PARTS:,} that are read."
                " Save the layers that are needed in a drawing of their own (WBLOCK)"
            )

    def _name(self, name: str) -> str:
        return self._whole(unescaped(name))

    def _whole(self, text: str) -> str:
        """Return a text without halves of characters, which only a file that is cut inside some has."""
        return text.encode("utf-8", "ignore").decode() if self._cut else text


def _block(block: Any) -> Block:
    inserted: Counter[str] = Counter()
    parts = 0
    for entity in block:
        if isinstance(entity, Insert):
            inserted[entity.dxf.name.casefold()] += _times(entity)
        else:
            parts += 1
    return Block(parts, inserted)


def _times(insert: Insert) -> int:
    rows, columns = insert.dxf.get("row_count", 1), insert.dxf.get("column_count", 1)
    return int(max(rows, 1) * max(columns, 1))


def _repeated(insert: Insert) -> Iterator[Insert]:
    if insert.mcount > 1:
        yield from insert.multi_insert()
    else:
        yield insert


def _hung_on(entity: DXFEntity) -> dict[str, str]:
    """Return the values that programs hang on a part (XDATA): by the name of the program and their number, from 1."""
    found: dict[str, str] = {}
    if entity.xdata is None:
        return found
    for app, tags in entity.xdata.data.items():
        values = [tag.value for tag in tags[1:] if tag.code not in (1001, 1002)]
        for number, value in enumerate(values, 1):
            found[f"{app}_{number}"] = str(value)
    return found


def _point(x: float, y: float) -> bytes:
    made: bytes = shapely.to_wkb(shapely.Point(x, y))
    return made


def _height(z: float) -> float | None:
    return z or None


def _line_or_area(points: Points, row: Row) -> None:
    """Put a line into its row: an outline where its ends meet."""
    if len(points) == 0 or not np.isfinite(points).all():
        row |= {"kind": AREA, "fault": "it has no vertices, or some that are no numbers"}
    elif polylines.is_ring(points):
        row |= {"kind": AREA, "wkb": shapely.to_wkb(polylines.polygon(points))}
    elif len(np.unique(points, axis=0)) < 2:  # noqa: PLR2004 - a line has two ends
        row |= {"kind": LINE, "fault": "all its vertices are one point"}
    else:
        near = polylines.nearly_closed(points)
        row |= {
            "kind": LINE,
            "gap": polylines.gap(points) if near else None,
            "wkb": shapely.to_wkb(shapely.LineString(points)),
        }


def _in_plane(entity: Any, points: Points) -> Points:
    """Return points of the own plane of a part on the map: what is drawn from below (mirrored) has its own."""
    ocs = entity.ocs()
    if not ocs.transform:
        return points
    height = entity.dxf.get("elevation", 0)
    z = height if isinstance(height, float | int) else height.z
    return np.array([(each.x, each.y) for each in ocs.points_to_wcs([(x, y, z) for x, y in points])]).reshape(
        -1, 2
    )


def _lwpolyline(entity: LWPolyline, row: Row) -> None:
    values = np.array(entity.lwpoints.values, dtype=np.float64).reshape(-1, 5)
    points = polylines.straightened(
        values[:, :2], values[:, 4].tolist(), closed=bool(entity.closed), deviation=_DEVIATION
    )
    row["elevation"] = _height(entity.dxf.get("elevation", 0.0))
    _line_or_area(_in_plane(entity, points), row)


def _polyline(entity: Polyline, row: Row) -> None:
    if not (entity.is_2d_polyline or entity.is_3d_polyline):
        raise DXFError("a mesh is no outline")
    # The points that a smoothed line was bent by are none of its own.
    vertices = [each for each in entity.vertices if not each.dxf.get("flags", 0) & 16]
    points = np.array([(each.dxf.location.x, each.dxf.location.y) for each in vertices]).reshape(-1, 2)
    if entity.is_3d_polyline:
        bulges, in_plane = [0.0] * len(points), points
    else:
        bulges, in_plane = [each.dxf.get("bulge", 0.0) for each in vertices], None
    made = polylines.straightened(points, bulges, closed=bool(entity.is_closed), deviation=_DEVIATION)
    row["elevation"] = _height(vertices[0].dxf.location.z) if vertices else None
    _line_or_area(made if in_plane is not None else _in_plane(entity, made), row)


def _line(entity: Any, row: Row) -> None:
    start, end = entity.dxf.start, entity.dxf.end
    row["elevation"] = _height(start.z)
    _line_or_area(np.array([(start.x, start.y), (end.x, end.y)]), row)


def _arc(entity: Any, row: Row) -> None:
    start, end = entity.dxf.start_angle, entity.dxf.end_angle
    centre = np.array([entity.dxf.center.x, entity.dxf.center.y])
    row["elevation"] = _height(entity.dxf.center.z)
    _line_or_area(_in_plane(entity, polylines.arc(centre, entity.dxf.radius, start, end, _DEVIATION)), row)


def _circle(entity: Any, row: Row) -> None:
    centre = np.array([entity.dxf.center.x, entity.dxf.center.y])
    row["elevation"] = _height(entity.dxf.center.z)
    _line_or_area(_in_plane(entity, polylines.arc(centre, entity.dxf.radius, 0, 360, _DEVIATION)), row)


def _flattened(entity: Any, row: Row) -> None:
    points = np.array([(each.x, each.y) for each in entity.flattening(_DEVIATION)]).reshape(-1, 2)
    _line_or_area(points, row)


def _hatch(entity: DXFPolygon, row: Row) -> None:
    loops = [loop for path in entity.paths for loop in [_loop(path)] if len(loop)]
    open_ones = [loop for loop in loops if not polylines.is_ring(loop)]
    row["kind"] = HATCH
    row["elevation"] = _height(entity.dxf.get("elevation", (0, 0, 0))[2])
    if not loops or open_ones:
        row["fault"] = f"{len(open_ones)} of its {len(loops)} boundaries do not close"
        return
    shape = polylines.filled([_in_plane(entity, loop) for loop in loops], entity.dxf.get("hatch_style", 0))
    row["wkb"] = shapely.to_wkb(shape)


def _loop(path: Any) -> Points:
    """Return the points of a boundary of a hatch, closed."""
    if isinstance(path, PolylinePath):
        values = np.array(path.vertices, dtype=np.float64).reshape(-1, 3)
        return polylines.straightened(values[:, :2], values[:, 2].tolist(), closed=True, deviation=_DEVIATION)
    parts = [_edge(edge) for edge in path.edges]
    points: Points = np.concatenate(parts) if parts else np.empty((0, 2))
    return points


def _edge(edge: Any) -> Points:
    if isinstance(edge, LineEdge):
        return np.array([(edge.start.x, edge.start.y), (edge.end.x, edge.end.y)])
    if isinstance(edge, ArcEdge):
        centre = np.array([edge.center.x, edge.center.y])
        points = polylines.arc(centre, edge.radius, edge.start_angle, edge.end_angle, _DEVIATION)
        return points if edge.ccw else points[::-1]
    if isinstance(edge, EllipseEdge | SplineEdge):
        tool = edge.construction_tool()
        return np.array([(each.x, each.y) for each in tool.flattening(_DEVIATION)]).reshape(-1, 2)
    raise DXFError(f"a boundary of the kind {type(edge).__name__} is not known")


def _face(entity: Any, row: Row) -> None:
    corners = [(each.x, each.y) for each in entity.wcs_vertices()]
    points = np.array([*corners, corners[0]])
    _line_or_area(points, row)
    row["kind"] = HATCH


def _text(entity: Any, row: Row) -> None:
    place = entity.ocs().to_wcs(entity.dxf.get("align_point", None) or entity.dxf.insert)
    if entity.dxf.get("halign", 0) == 0 and entity.dxf.get("valign", 0) == 0:
        place = entity.ocs().to_wcs(entity.dxf.insert)
    row |= {
        "kind": POINT,
        "text": shown(entity.dxf.text),
        "elevation": _height(place.z),
        "wkb": _point(place.x, place.y),
    }


def _mtext(entity: MText, row: Row) -> None:
    place = entity.dxf.insert
    entity.text = unescaped(entity.text)
    row |= {
        "kind": POINT, "text": entity.plain_text(), "elevation": _height(place.z), "wkb": _point(place.x, place.y),
    }  # fmt: skip


def _dot(entity: Any, row: Row) -> None:
    place = entity.dxf.location
    row |= {"kind": POINT, "elevation": _height(place.z), "wkb": _point(place.x, place.y)}


_DRAWN: dict[str, Callable[[Any, Row], None]] = {
    "LWPOLYLINE": _lwpolyline, "POLYLINE": _polyline, "LINE": _line, "ARC": _arc, "CIRCLE": _circle, "ELLIPSE": _flattened,
    "SPLINE": _flattened, "HATCH": _hatch, "MPOLYGON": _hatch, "SOLID": _face, "TRACE": _face, "3DFACE": _face,
    "TEXT": _text, "MTEXT": _mtext, "POINT": _dot,
}  # fmt: skip
