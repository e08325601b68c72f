"""Read a layer of a VCT: its objects with their shapes, joined with the rows of their table by the id, and what does not fit named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import shapely

from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.analysis.vct import lexing, objects, shapes
from lowland_gis.analysis.vct.blocks import LINE, POLYGON, Column, FeatureClass, FormatError, Table
from lowland_gis.analysis.vct.lexing import Integers
from lowland_gis.analysis.vct.shapes import MEET_M, Drawn
from lowland_gis.analysis.vct.system import system
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import METRES_PER_DEGREE, Batch, Received
from lowland_gis.files.encoding import Encoding
from lowland_gis.files.source import Source
from lowland_gis.files.vct.text import Text, cut, layers_of, opened_text, table_span

_WHOLE, _REAL, _DAY = ("int", "integer", "int1", "int2", "int4", "int8"), ("float", "double"), ("date",)
_DEGREE_LIMIT = 360
_OBJECT_ID = "OBJECTID"


@dataclass
class _Rows:
    """The rows of a table: the id of the object of each, the values, and doubts by the row."""

    ids: Integers
    values: pa.Table
    doubts: list[Doubt] = field(default_factory=list)


@dataclass
class _Drawer:
    """The objects of a layer, whose shapes are drawn some at a time."""

    ids: Integers
    places: Integers
    lines: objects.Lines | None = None
    polygons: objects.Polygons | None = None
    points: objects.Points | None = None
    offset: tuple[float, float] = (0.0, 0.0)
    swapped: bool = False

    def drawn(self, some: Integers) -> Drawn:
        """Return the shapes of some of them, by their places among these."""
        wanted = self.places[some]
        if self.polygons is not None and self.lines is not None:
            made = shapes.drawn_polygons(self.polygons, wanted, self.lines, self._meet())
        elif self.lines is not None:
            made = shapes.drawn_lines(self.lines, wanted)
        elif self.points is not None:
            made = Drawn(shapely.points(self.points.coordinates[wanted]))
        else:
            made = Drawn(np.full(len(wanted), None, dtype=object))
        if self.swapped or self.offset != (0.0, 0.0):
            made.shapes = shapely.transform(made.shapes, self._moved)
        return made

    def _moved(self, coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return (coordinates[:, ::-1] if self.swapped else coordinates) + self.offset

    def _meet(self) -> float:
        assert self.lines is not None  # noqa: S101 - for the type checker
        degrees = len(self.lines.coordinates) and np.abs(self.lines.coordinates).max() <= _DEGREE_LIMIT
        return MEET_M / METRES_PER_DEGREE if degrees else MEET_M


@contextmanager
def vct_layer(source: Source, encoding: Encoding | str | None, batch_rows: int) -> Iterator[Received]:
    """Open a layer of a VCT and yield it with its batches.

    Raises:
        InputRefusedError: there is no such layer, or the file contradicts its format.
    """
    forced = encoding.name if isinstance(encoding, Encoding) else encoding
    with opened_text(source, forced) as text:
        layers = layers_of(text)
        name = _meant(source, list(layers))
        classes = layers[name]
        table = _table(text, name, classes)
        has_geometry = bool(classes)
        batches = _batches(text, classes, table, batch_rows, source.name)
        names = tuple(column.name for column in table.columns) or (_OBJECT_ID,)
        crs = system(text.head) if has_geometry else None
        yield Received(names, has_geometry, crs, _how(text), name, None, batches)


def _how(text: Text) -> Encoding:
    """Return how the text is read, and by which version of the format, which is looked for where encodings are."""
    how = text.encoding
    return replace(how, reason=f"{how.reason}; version {text.head.version} of the format")


def _meant(source: Source, layers: list[str]) -> str:
    if source.layer is not None:
        found = next((name for name in layers if name.casefold() == source.layer.casefold()), None)
        if found is None:
            raise InputRefusedError(
                f"{source.name}: there is no layer {source.layer}; there are: {', '.join(layers)}."
            )
        return found
    if len(layers) != 1:
        raise InputRefusedError(
            f"{source.name}: holds {len(layers)} layers, so say which: FILE:LAYER with one of {', '.join(layers) or 'none'}."
        )
    return layers[0]


def _table(text: Text, name: str, classes: tuple[FeatureClass, ...]) -> Table:
    key = (classes[0].table or name).upper() if classes else name.upper()
    return text.tables.get(key, Table(name, ()))


def _batches(
    text: Text, classes: tuple[FeatureClass, ...], table: Table, batch_rows: int, where: str
) -> Iterator[Batch]:
    try:
        # Values take more room than shapes, so they come when the rows of lines are gone.
        drawer = _drawer(text, classes)
        rows = _rows(text, table)
        yield from _joined(rows, drawer, table, batch_rows, has_geometry=bool(classes))
    except FormatError as error:
        # Batches are gone through when the one who opened the file has left the block that says it.
        raise InputRefusedError(f"{where}: {error}. Ask the sender for it again.") from error


def _joined(
    rows: _Rows, drawer: _Drawer, table: Table, batch_rows: int, *, has_geometry: bool
) -> Iterator[Batch]:
    """Yield the rows of a table in their order with the objects of their ids, then objects that no row has."""
    if not has_geometry:
        yield from _plain(rows, batch_rows)
        return
    object_of, doubts = _objects_of(rows, drawer)
    n_rows = len(rows.ids)
    for start in range(0, len(object_of), batch_rows):
        stop = min(start + batch_rows, len(object_of))
        wanted = object_of[start:stop]
        drawn = drawer.drawn(wanted[wanted >= 0])
        shapes_of = np.full(stop - start, None, dtype=object)
        shapes_of[wanted >= 0] = drawn.shapes
        at = np.flatnonzero(wanted >= 0)
        found = [
            Doubt(
                start + int(at[place]),
                "shape_unreadable",
                f"object {drawer.ids[wanted[at[place]]]} has no shape: {why}",
            )
            for place, why in sorted(drawn.faults.items())
        ]
        found += [doubt for doubt in doubts if start <= doubt.row < stop]
        if table.columns:
            numbers = np.arange(start, stop)
            values = rows.values.take(pa.array(numbers, pa.int64(), mask=numbers >= n_rows))
        else:
            values = pa.table({_OBJECT_ID: pa.array(drawer.ids[wanted])})
        yield Batch(start, values, pa.array(shapely.to_wkb(shapes_of), pa.binary()), doubts=tuple(found))


def _plain(rows: _Rows, batch_rows: int) -> Iterator[Batch]:
    for start in range(0, rows.values.num_rows, batch_rows):
        some = rows.values.slice(start, batch_rows)
        yield Batch(
            start,
            some,
            None,
            doubts=tuple(doubt for doubt in rows.doubts if start <= doubt.row < start + batch_rows),
        )


def _objects_of(rows: _Rows, drawer: _Drawer) -> tuple[Integers, list[Doubt]]:
    """Return the place of the object of each row by its id, -1 where there is none, and at the end the objects that no row has."""
    known, first = np.unique(drawer.ids, return_index=True)
    at = np.minimum(np.searchsorted(known, rows.ids), max(len(known) - 1, 0))
    there = known[at] == rows.ids if len(known) else np.zeros(len(rows.ids), dtype=bool)
    row_again = np.ones(len(rows.ids), dtype=bool)
    row_again[np.unique(rows.ids, return_index=True)[1]] = False
    object_of = np.where(there & ~row_again, first[at] if len(first) else -1, -1)
    alone = np.setdiff1d(np.arange(len(drawer.ids)), object_of)
    object_again = np.ones(len(drawer.ids), dtype=bool)
    object_again[first] = False
    doubts = list(rows.doubts)
    doubts += [
        _alone(row, f"the row of the id {rows.ids[row]}", row_again[row], "object_missing", "object")
        for row in np.flatnonzero(object_of < 0).tolist()
    ]
    if rows.values.column_names:
        lacks = "row in the table of its class"
        doubts += [
            _alone(place, f"object {drawer.ids[each]}", object_again[each], "attributes_missing", lacks)
            for place, each in enumerate(alone.tolist(), len(rows.ids))
        ]
    return np.concatenate([object_of, alone]), doubts


def _alone(place: int, what: str, again: bool, rule: str, lacks: str) -> Doubt:
    """Return the doubt about a row without an object or an object without a row."""
    if again:
        return Doubt(place, "id_twice", f"{what} stands below another of that id")
    return Doubt(place, rule, f"{what} has no {lacks}")


def _drawer(text: Text, classes: tuple[FeatureClass, ...]) -> _Drawer:
    if not classes:
        return _Drawer(np.empty(0, np.int64), np.empty(0, np.int64))
    kinds = {each.kind for each in classes}
    if len(kinds) > 1:
        raise FormatError(0, f"one table is of objects of several kinds: {', '.join(sorted(kinds))}")
    codes = np.array([each.code for each in classes], np.int64)
    kind = kinds.pop()
    lines = _lines(text) if kind in (LINE, POLYGON) else None
    if kind == POLYGON:
        found = objects.polygons(_tokens(text, "polygon"), text.head.version)
        drawer = _made(found.ids, found.classes, codes)
        drawer.polygons, drawer.lines = found, lines
    elif kind == LINE and lines is not None:
        drawer = _made(lines.ids, lines.classes, codes)
        drawer.lines = lines
    else:
        dots = objects.points(_tokens(text, "point"), text.head.version)
        drawer = _made(dots.ids, dots.classes, codes)
        drawer.points = dots
    drawer.offset = text.head.offset
    drawer.swapped = text.head.values.get("xaxisdirection", "E").upper().startswith("N")
    return drawer


def _made(ids: Integers, of: Integers, codes: Integers) -> _Drawer:
    places = np.flatnonzero(np.isin(of, codes))
    return _Drawer(ids[places], places)


def _lines(text: Text) -> objects.Lines:
    block = text.found.get("line")
    rows = lexing.rows(text.pieces("line"), ord(text.head.separator), block.first_row if block else 0)
    return objects.lines(rows, text.head.version)


def _tokens(text: Text, name: str) -> lexing.Tokens:
    block = text.found.get(name)
    return lexing.tokens(text.pieces(name), ord(text.head.separator), block.first_row if block else 0)


def _rows(text: Text, table: Table) -> _Rows:
    """Read the rows of a table: the id of the object, then as many values as the table has fields."""
    span = table_span(text, table.name)
    names = [f"{place}" for place in range(len(table.columns) + 1)]
    if span is None or not table.columns:
        empty = pa.table({column.name: pa.array([], pa.string()) for column in table.columns})
        return _Rows(np.empty(0, np.int64), empty)
    start, stop, first_row = span
    parts, wrong = [], list[str]()
    for piece in cut(text.data, start, stop):
        content = text.decoded(piece, "Attribute").encode()
        if not content.strip():
            continue
        width = content.split(b"\n", 1)[0].count(text.head.separator.encode()) + 1
        if width == len(table.columns):
            raise FormatError(
                first_row,
                f"the rows of {table.name} have {width} values: as many as it has fields, so the id of the object is missing",
            )
        parts.append(_parsed(content, names, text.head.separator, wrong))
    if wrong:
        raise FormatError(
            0,
            f"{len(wrong):,} rows of the table {table.name} have another number of values than it has fields, the first: {wrong[0]}",
        )
    whole = (
        pa.concat_tables(parts) if parts else pa.table({name: pa.array([], pa.string()) for name in names})
    )
    ids = lexing.whole_numbers(whole.column("0"))
    if (ids == lexing.WORD).any():
        bad = whole.column("0")[int(np.flatnonzero(ids == lexing.WORD)[0])].as_py()
        raise FormatError(
            0, f"{bad!r} stands in the table {table.name} where the id of an object is to stand"
        )
    parts.clear()
    rows = _Rows(ids, pa.table({}))
    columns = {}
    for place, column in enumerate(table.columns, 1):
        columns[column.name] = _column(column, whole.column(str(place)), rows.doubts)
        # Texts of numbers and days need not lie beside these to the end.
        whole = whole.drop_columns([str(place)])
    rows.values = pa.table(columns)
    return rows


def _parsed(content: bytes, names: list[str], separator: str, wrong: list[str]) -> pa.Table:
    def refuse(row: pacsv.InvalidRow) -> str:
        wrong.append(f"{row.text[:60]!r} with {row.actual_columns}")
        return "skip"

    return pacsv.read_csv(
        pa.BufferReader(content),
        read_options=pacsv.ReadOptions(column_names=names, use_threads=False, block_size=len(content) + 1),
        parse_options=pacsv.ParseOptions(
            delimiter=separator, quote_char=False, double_quote=False, invalid_row_handler=refuse
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )


def _column(column: Column, texts: pa.ChunkedArray, doubts: list[Doubt]) -> pa.ChunkedArray:
    """Return values of their type; one that is none of it is left empty, with a doubt. An empty text is none."""
    texts = pc.utf8_trim_whitespace(texts)
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    kind = (
        pa.int64()
        if column.kind in _WHOLE
        else pa.float64()
        if column.kind in _REAL
        else pa.date32()
        if column.kind in _DAY
        else None
    )
    if kind is None:
        return texts
    spelt = texts
    if kind == pa.date32():
        spelt = pc.replace_substring_regex(texts, r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3")
    try:
        return spelt.cast(kind)
    except pa.ArrowInvalid:
        return _one_by_one(column, texts, spelt, kind, doubts)


def _one_by_one(
    column: Column, texts: pa.ChunkedArray, spelt: pa.ChunkedArray, kind: pa.DataType, doubts: list[Doubt]
) -> pa.ChunkedArray:
    values = []
    for row, text in enumerate(spelt):
        try:
            values.append(text.cast(kind).as_py())
        except pa.ArrowInvalid:
            values.append(None)
            what = {pa.int64(): "whole number", pa.float64(): "number"}.get(kind, "day")
            doubts.append(
                Doubt(
                    row,
                    "value_unreadable",
                    f"{column.name}: {texts[row].as_py()!r} is no {what}; it was left empty",
                )
            )
    return pa.chunked_array([pa.array(values, kind)])
