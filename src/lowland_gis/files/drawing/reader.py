"""Read a layer of a drawing (DXF): its outlines as polygons, or its lines, hatches, places and what lies in its blocks."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from lowland_gis.analysis.drawing import units
from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.apart.run import Limits, TooLongError, run
from lowland_gis.files.batches import Batch, Received
from lowland_gis.files.drawing.layers import Drawn, layers_of, remarks_of
from lowland_gis.files.drawing.records import AREA, HATCH, POINT, Head, head_of
from lowland_gis.files.encoding import Encoding
from lowland_gis.files.source import Source

_CHILD = "lowland_gis.files.drawing.child"
# As `child` ends; it is not imported here, since it loads the library.
_MAY_NOT, _NO_MEMORY = 10, 12
# A drawing takes thirteen times its size in memory, so this much would not be read within the limits.
MOST_BYTES = 250_000_000
LIMITS = Limits(seconds=600, memory_bytes=4_000_000_000)
_WORDS = 600
# So many parts tell where a drawing lies.
_LOOKED_AT = 100_000


@dataclass(frozen=True)
class Drawing:
    """A drawing that was read: its head, its parts by layer, the unit of its coordinates (None where it cannot be told)."""

    head: Head
    layers: dict[str, Drawn]
    texts: pa.Table
    unit: units.Unit | None
    bounds: tuple[float, ...]


@contextmanager
def drawing_layer(source: Source, encoding: Encoding | str | None, batch_rows: int) -> Iterator[Received]:
    """Open a layer of a drawing and yield it with its batches.

    Raises:
        InputRefusedError: it is too large or broken, there is no such layer, or its unit cannot be told.
    """
    forced = encoding.name if isinstance(encoding, Encoding) else encoding
    drawing = _read(source, forced)
    name = _meant(source, list(drawing.layers))
    if drawing.unit is None:
        x0, y0, x1, y1 = drawing.bounds
        raise InputRefusedError(
            f"{source.name}: its unit cannot be told: $INSUNITS is {drawing.head.units}, and the coordinates (x {x0:.10g} … {x1:.10g},"
            f" y {y0:.10g} … {y1:.10g}) are not metres of a plane of China then. In the CAD program scale it to metres and place it on the"
            " plane (SCALE, MOVE), set INSUNITS to 6 and save again."
        )
    drawn = drawing.layers[name]
    head = drawing.head
    how = Encoding(head.encoding, head.reason)
    doubts = remarks_of(drawing.head, drawing.layers, name)
    if drawing.unit.words is not None:
        doubts.append(("unit_other", f"{source.name}: {drawing.unit.words}"))
    table = _attributes(drawn, drawing.texts)
    batches = _batches(drawn, table, drawing.unit.factor, batch_rows)
    names, has_geometry = tuple(table.column_names), True
    yield Received(names, has_geometry, None, how, name, drawn.rows.num_rows, batches, doubts=doubts)


def drawing_layers(source: Source, encoding: str | None = None) -> tuple[str, ...]:
    """Return the layers that `FILE:LAYER` may name, read by the encoding that the user gives, else by what the bytes say.

    Raises:
        InputRefusedError: the drawing cannot be read.
    """
    return tuple(_read(source, encoding).layers)


def _meant(source: Source, layers: list[str]) -> str:
    if source.layer is not None:
        found = next((name for name in layers if name.casefold() == source.layer.casefold()), None)
        if found is None:
            raise InputRefusedError(
                f"{source.name}: there is no layer {source.layer} with anything in it; there are: {', '.join(layers) or 'none'}."
            )
        return found
    if len(layers) != 1:
        raise InputRefusedError(
            f"{source.name}: holds {len(layers)} layers, so say which: FILE:LAYER with one of {', '.join(layers) or 'none'}."
        )
    return layers[0]


def _read(source: Source, forced: str | None) -> Drawing:
    if source.size_bytes > MOST_BYTES:
        raise InputRefusedError(
            f"{source.name}: has {source.size_bytes / 1e6:,.0f} MB; drawings up to {MOST_BYTES / 1e6:,.0f} MB are read."
            " Save the layers that are needed in a drawing of their own (WBLOCK), or one for each town."
        )
    state = source.path.stat()
    try:
        return _remembered(source.path, forced, state.st_mtime_ns, state.st_size)
    except InputRefusedError as error:
        raise InputRefusedError(f"{source.name}: {error}") from error


# All layers of a drawing are asked for one after the other, each of them several times.
@lru_cache(maxsize=1)
def _remembered(path: Path, forced: str | None, changed: int, size: int) -> Drawing:  # noqa: ARG001 - of the same state
    table = _parts(path, forced)
    head = head_of(table)
    middle, bounds = _middle(table)
    texts = table.filter(pc.and_(pc.equal(table["kind"], POINT), pc.is_valid(table["text"])))
    return Drawing(head, layers_of(table), texts, units.unit(head.units, middle), bounds)


def _parts(path: Path, forced: str | None) -> pa.Table:
    with tempfile.TemporaryFile() as out:
        command = [sys.executable, "-P", "-m", _CHILD, str(path), forced or ""]
        try:
            code, beside = run(command, LIMITS, out)
        except TooLongError as error:
            raise InputRefusedError(
                f"it was not read within {LIMITS.seconds / 60:g} minutes. Save the layers that are needed in a drawing of their own (WBLOCK)."
            ) from error
        out.seek(0)
        if code == 0:
            with pa.ipc.open_stream(out) as stream:
                return stream.read_all()
        said = out.read(_WORDS * 4).decode("utf-8", "replace")
    if code == _MAY_NOT:
        raise InputRefusedError(said.removeprefix(f"{path}: ").removesuffix(".") + ".")
    if code == _NO_MEMORY or "MemoryError" in beside or "memory" in beside.rpartition("\n")[2]:
        raise InputRefusedError(
            f"to read it takes more than {LIMITS.memory_bytes / 1e9:g} GB of memory. Save the layers that are needed in a drawing of"
            " their own (WBLOCK)."
        )
    why = (said or beside.strip().rpartition("\n")[2] or "its reader broke off")[:_WORDS]
    raise InputRefusedError(
        f"cannot be read as a drawing ({why}). In the CAD program repair it (AUDIT, RECOVER) and save it again."
    )


def _middle(table: pa.Table) -> tuple[tuple[float, float] | None, tuple[float, ...]]:
    """Return a place amidst the parts, which a symbol that somebody left at 0, 0 does not move, and the bounds of all."""
    drawn = table["wkb"].drop_null()
    step = max(len(drawn) // _LOOKED_AT, 1)
    some = drawn.take(pa.array(np.arange(0, len(drawn), step)))
    shapes = shapely.from_wkb(some.to_numpy(zero_copy_only=False))
    boxes = shapely.bounds(shapes)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if len(boxes) == 0:
        return None, (np.nan,) * 4
    x, y = np.median(boxes[:, 0]), np.median(boxes[:, 1])
    return (float(x), float(y)), (
        *map(float, boxes[:, :2].min(axis=0)),
        *map(float, boxes[:, 2:].max(axis=0)),
    )


def _attributes(drawn: Drawn, texts: pa.Table) -> pa.Table:
    """Return what is known of each row: its own values, those that hang on it, and the texts that lie in it."""
    rows = drawn.rows
    columns = {"HANDLE": rows["handle"], "ENTITY": rows["entity"]}
    for name in ("color", "elevation", "text", "block"):
        if rows[name].null_count < rows.num_rows:
            columns[name.upper()] = rows[name]
    hung = [json.loads(each) if each else {} for each in rows["more"].to_pylist()]
    for name in dict.fromkeys(key for each in hung for key in each):
        free = name if name not in columns else f"{name}_1"
        columns[free] = pa.chunked_array([pa.array([each.get(name) for each in hung], pa.string())])
    if drawn.kind in (AREA, HATCH):
        columns |= _labels(rows, texts, taken=set(columns))
    return pa.table(columns)


def _labels(rows: pa.Table, texts: pa.Table, taken: set[str]) -> dict[str, pa.ChunkedArray]:
    """Return the texts that lie in each polygon, a column for each layer of texts, in the order of the drawing."""
    shapes = shapely.from_wkb(rows["wkb"].to_numpy(zero_copy_only=False), on_invalid="ignore")
    places = shapely.from_wkb(texts["wkb"].to_numpy(zero_copy_only=False))
    if len(places) == 0:
        return {}
    shapely.prepare(shapes)
    area, text = shapely.STRtree(places).query(shapes, predicate="contains")
    layers, words = texts["layer"].to_pylist(), texts["text"].to_pylist()
    found: dict[str, list[str | None]] = {}
    for place, number in sorted(zip(area.tolist(), text.tolist(), strict=True)):
        column = found.setdefault(layers[number], [None] * rows.num_rows)
        before = column[place]
        column[place] = words[number] if before is None else f"{before} / {words[number]}"
    return {
        _free(f"TEXT_{layer}", taken): pa.chunked_array([pa.array(values, pa.string())])
        for layer, values in found.items()
    }


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _batches(drawn: Drawn, table: pa.Table, factor: float, batch_rows: int) -> Iterator[Batch]:
    for start in range(0, table.num_rows, batch_rows):
        rows = drawn.rows.slice(start, batch_rows)
        shapes = rows["wkb"].combine_chunks()
        if factor != 1:
            made = shapely.from_wkb(shapes.to_numpy(zero_copy_only=False))
            shapes = pa.array(
                shapely.to_wkb(shapely.transform(made, lambda points: points * factor)), pa.binary()
            )
        yield Batch(start, table.slice(start, batch_rows), shapes, doubts=tuple(_doubts(rows, start, factor)))


def _doubts(rows: pa.Table, start: int, factor: float) -> Iterator[Doubt]:
    for place, row in enumerate(
        rows.select(["kind", "handle", "entity", "fault", "gap", "ends"]).to_pylist()
    ):
        what = f"{row['entity']} {row['handle'] or ''}".strip()
        if row["fault"]:
            yield Doubt(start + place, "shape_unreadable", f"{what} has no shape: {row['fault']}")
        elif row["gap"] is not None:
            x0, y0, x1, y1 = (each * factor for each in row["ends"])
            yield Doubt(
                start + place,
                "line_open",
                f"{what} does not close: its ends ({x0:.3f} {y0:.3f}) and ({x1:.3f} {y1:.3f}) lie {row['gap'] * factor:.3f} m apart",
            )
