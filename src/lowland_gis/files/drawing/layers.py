"""The layers of a drawing as they are named: `宗地` its outlines, `宗地:lines`, `宗地:hatches`, `宗地:points` and `宗地:blocks` the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from lowland_gis.files.drawing.records import AREA, HATCH, LINE, POINT, Head

# In this order a layer is what it has first; no name of a layer holds a colon.
_KINDS = {AREA: "outlines", HATCH: "hatches", LINE: "lines", POINT: "points"}
_BLOCKS = "blocks"
_SHOWN = 5


@dataclass(frozen=True)
class Drawn:
    """A layer: which kind of parts it is, and their rows; `ends` of a line that was meant to be closed are where it is open."""

    kind: str
    rows: pa.Table


def layers_of(table: pa.Table) -> dict[str, Drawn]:
    """Return the layers in the order of their first part. Names that differ in their capitals only are one, as in a CAD program.

    A layer with outlines has open lines as rows without a shape: each is an outline that does not close. Lines without any stay lines.
    """
    found: dict[str, Drawn] = {}
    folded = [name.casefold() for name in table["layer"].to_pylist()]
    names: dict[str, str] = {}
    places: dict[str, list[int]] = {}
    for place, (key, name) in enumerate(zip(folded, table["layer"].to_pylist(), strict=True)):
        names.setdefault(key, name)
        places.setdefault(key, []).append(place)
    for key, name in names.items():
        rows = table.take(pa.array(places[key], pa.int64()))
        found |= _of_layer(name, rows)
    return found


def _of_layer(name: str, rows: pa.Table) -> dict[str, Drawn]:
    in_block = rows["in_block"]
    drawn = rows.filter(pc.invert(in_block))
    by_kind = {kind: drawn.filter(pc.equal(drawn["kind"], kind)) for kind in _KINDS}
    made: dict[str, Drawn] = {}
    for kind, some in by_kind.items():
        if some.num_rows == 0:
            continue
        if not made:
            held = _with_open(drawn) if kind == AREA else some
            made[name] = Drawn(kind, _told(held))
        else:
            # Where it is open, its row among the outlines says.
            bare = some.set_column(
                some.column_names.index("gap"), "gap", pa.nulls(some.num_rows, pa.float64())
            )
            made[f"{name}:{_KINDS[kind]}"] = Drawn(kind, _told(bare))
    inner = rows.filter(pc.and_(in_block, pc.not_equal(rows["kind"], POINT)))
    if inner.num_rows:
        held = _with_open(inner) if AREA in inner["kind"].to_pylist() else inner
        kind = AREA if held is not inner else inner["kind"][0].as_py()
        made[f"{name}:{_BLOCKS}"] = Drawn(kind, _told(held))
    texts = rows.filter(pc.and_(in_block, pc.and_(pc.equal(rows["kind"], POINT), pc.is_valid(rows["text"]))))
    if texts.num_rows:
        made[f"{name}:{_BLOCKS}:points"] = Drawn(POINT, _told(texts))
    return made


def _with_open(rows: pa.Table) -> pa.Table:
    """Return outlines and open lines in the order of the drawing; an open line has no shape, since none is bounded by it."""
    some = rows.filter(pc.is_in(rows["kind"], pa.array([AREA, LINE])))
    ends = _ends(some)
    is_line = pc.equal(some["kind"], LINE)
    apart = pa.array(
        [None if each is None else float(np.hypot(each[2] - each[0], each[3] - each[1])) for each in ends],
        pa.float64(),
    )
    some = some.set_column(some.column_names.index("gap"), "gap", pc.if_else(is_line, apart, None))
    some = some.append_column("ends", pa.array(ends, pa.list_(pa.float64())))
    shapeless = pc.if_else(is_line, pa.scalar(None, pa.binary()), some["wkb"])
    return some.set_column(some.column_names.index("wkb"), "wkb", shapeless)


def _told(rows: pa.Table) -> pa.Table:
    if "ends" in rows.column_names:
        return rows
    return rows.append_column("ends", pa.array(_ends(rows), pa.list_(pa.float64())))


def _ends(rows: pa.Table) -> list[list[float] | None]:
    """Return the first and the last place of each line."""
    ends: list[list[float] | None] = [None] * rows.num_rows
    places = pc.indices_nonzero(pc.equal(rows["kind"], LINE))
    shapes = shapely.from_wkb(rows["wkb"].take(places).to_numpy(zero_copy_only=False), on_invalid="ignore")
    for place, shape in zip(places.to_pylist(), shapes, strict=True):
        if shape is not None:
            ends[place] = [*shape.coords[0], *shape.coords[-1]]
    return ends


def remarks_of(head: Head, layers: Mapping[str, Drawn], name: str) -> list[tuple[str, str]]:
    """Return what is to be said of a layer and of the drawing as a whole, each a code and words."""
    found: list[tuple[str, str]] = []
    own = name.split(":", maxsplit=1)[0]
    if own.casefold() in {each.casefold() for each in head.hidden}:
        found.append(
            ("layer_hidden", f"the layer {own} is off or frozen in the drawing, and was read all the same")
        )
    # Open lines are rows among outlines already.
    lines = f"{own}:{_KINDS[LINE]}" if layers[name].kind == AREA else ""
    beside = [
        f"{each} ({drawn.rows.num_rows:,})"
        for each, drawn in layers.items()
        if each.startswith(f"{own}:") and each not in (name, lines)
    ]
    if beside and name == own:
        found.append(
            ("parts_beside", f"other parts of the layer are no rows of it; they are {', '.join(beside)}")
        )
    put = set(layers[name].rows["block"].to_pylist()) if name in layers else set()
    symbols = {
        block: times
        for block, times in head.symbols.items()
        if block in {each.casefold() for each in put if each}
    }
    if symbols and not name.endswith(_BLOCKS):
        some = ", ".join(f"{block} ({times:,})" for block, times in list(symbols.items())[:_SHOWN])
        found.append(
            ("symbols", f"of blocks that are put so often as to be symbols only the places are read: {some}")
        )
    if head.said:
        some = "; ".join(head.said[:_SHOWN])
        found.append(
            (
                "drawing_faulty",
                f"the drawing has faults, and parts of it may be missing ({len(head.said):,}): {some}",
            )
        )
    if head.unread:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in head.unread.items())
        found.append(
            (
                "parts_not_read",
                f"parts of the drawing that have no place on a map, or are of a program alone, are not read: {kinds}",
            )
        )
    if head.in_layouts:
        found.append(
            (
                "parts_not_read",
                f"{head.in_layouts:,} parts lie on sheets (layouts), not in the model, and are not read",
            )
        )
    if head.references:
        some = ", ".join(head.references[:_SHOWN])
        found.append(
            (
                "reference_missing",
                f"the drawing shows other drawings, which are files of their own and are not read: {some}",
            )
        )
    return found
