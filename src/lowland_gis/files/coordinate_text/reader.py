"""Read a coordinate text, or all of a folder as one delivery: a row for each parcel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely
from pyproj import Geod

from lowland_gis.analysis.coordinate_text.lines import FormatError
from lowland_gis.analysis.coordinate_text.parcel_lines import AREA
from lowland_gis.analysis.coordinate_text.reading import Reading, read_text
from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.analysis.fields.stated_quantities import Stated
from lowland_gis.analysis.geometry.extent import DATUMS
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import Batch, Received
from lowland_gis.files.consents import NONE, Consents
from lowland_gis.files.encoding import Encoding, text_encoding
from lowland_gis.files.source import Source

# The file of a parcel, where a folder is one delivery.
FILE = "文件"
_MOST_BYTES = 500_000_000
_ZONE_M = 1e6
_ASK = "Ask the sender for it again."
_ENDS = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class _Text:
    """A file that was read: its name in the folder (or of itself), how its text was decoded, and what it holds."""

    name: str
    encoding: Encoding
    reading: Reading


def coordinate_text(
    source: Source, encoding: Encoding | str | None, batch_rows: int, consents: Consents = NONE
) -> Received:
    """Read all parcels; a folder is read as its files one after the other, in the order of their names.

    Raises:
        InputRefusedError: a file contradicts itself, was cut or stays unclear; it has parameters of a shift that nobody answered for;
            or the files of a folder are of different systems.
    """
    forced = encoding.name if isinstance(encoding, Encoding) else encoding
    folder = source.path.is_dir()
    texts = [
        _read(
            path,
            path.relative_to(source.path).as_posix() if folder else source.path.name,
            source,
            forced,
            consents,
        )
        for path in source.members
    ]
    crs = _one_system(source, texts)
    table = _table(texts, with_files=folder)
    doubts = _doubts(texts, with_files=folder)
    shapes = np.concatenate([text.reading.shapes for text in texts])
    remarks = [
        (code, f"{text.name}: {words}" if folder else words)
        for text in texts
        for code, words in text.reading.whole
    ]
    opened = Received(
        tuple(table.column_names),
        has_geometry=True,
        declared_crs=crs,
        encoding=_how(texts),
        layer=Path(source.name).stem,
        n_rows=table.num_rows,
        batches=_batches(table, shapes, doubts, batch_rows),
        doubts=remarks,
    )
    return replace(opened, stated=Stated({"公顷": f"{AREA} of a coordinate text, in hectares"}))


def _read(path: Path, name: str, source: Source, forced: str | None, consents: Consents) -> _Text:
    called = source.name if path == source.path else f"{source.name}, {name}"
    if path.stat().st_size > _MOST_BYTES:
        raise InputRefusedError(
            f"{called}: is larger than {_MOST_BYTES / 1e6:.0f} MB, so it is not read as a whole. Ask for it in parts."
        )
    content = path.read_bytes()
    how = _encoding(path, called, content, forced)
    try:
        reading = read_text(content.decode(how.name), _areas_in_degrees)
    except FormatError as error:
        raise InputRefusedError(f"{called}: {error}. {_ASK}") from error
    if reading.system.parameters is not None:
        if consents.conversion != "done":
            raise InputRefusedError(
                f"{called}: it records parameters of a shift (转换参数 {reading.system.parameters}), and it cannot be told whether its coordinates"
                ' went through it, so they may be metres off. Ask the sender; if they did, type --conversion done (in lowland.toml: conversion = "done"; for tabulate, convert it first).'
            )
        reading.decisions.append("转换参数 taken for applied, as the user says")
    return _Text(name, how, reading)


def _encoding(path: Path, called: str, content: bytes, forced: str | None) -> Encoding:
    if not content.strip():
        raise InputRefusedError(f"{called}: it is empty. {_ASK}")
    try:
        how = text_encoding(path, content, forced)
    except InputRefusedError:
        # A few words may be of any encoding; the format has one.
        if forced is not None or _broken_at(content, "gb18030") is not None:
            raise
        how = Encoding("gb18030", "every byte fits GBK, which the format is in")
    broken = _broken_at(content, how.name)
    if broken is not None:
        raise InputRefusedError(
            f"{called}: line {broken:,}: a character is cut in half ({how.name}), so the file was cut or changed. {_ASK}"
        )
    return how


def _broken_at(content: bytes, encoding: str) -> int | None:
    """Return the line of the first byte that is none of an encoding."""
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        return len(_ENDS.findall(content[: error.start])) + 1
    return None


def _areas_in_degrees(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    ellipsoid = Geod(ellps="GRS80")
    return np.array(
        [abs(ellipsoid.geometry_area_perimeter(shapely.orient_polygons(shape))[0]) for shape in shapes]
    )


def _one_system(source: Source, texts: list[_Text]) -> str | None:
    """Return the system of all files, whose coordinates are brought to the spelling of the first: with or without the zone.

    Raises:
        InputRefusedError: they are of several systems.
    """
    first = texts[0].reading.system.name
    for text in texts[1:]:
        name = text.reading.system.name
        shift = None if first is None or name is None else _zone_before(first) - _zone_before(name)
        if name != first and (shift is None or _without_zone(name) != _without_zone(first)):
            raise InputRefusedError(
                f"{source.name}: {texts[0].name} is of {first or 'an unknown system'} ({texts[0].reading.system.words}), {text.name} of"
                f" {name or 'an unknown system'} ({text.reading.system.words}), so they are no one delivery. Ingest them one by one."
            )
        if shift:
            text.reading.shapes[:] = shapely.transform(
                text.reading.shapes, partial(_moved, by=shift * _ZONE_M)
            )
            text.reading.decisions.append("brought to the zone as in the first file")
    return first


def _moved(xy: npt.NDArray[np.float64], by: float) -> npt.NDArray[np.float64]:
    return np.asarray(xy + np.array([by, 0.0]))


def _zone_before(name: str) -> int:
    """Return the zone that coordinates of a system have before the east, 0 for none."""
    number = int(name.partition(":")[2])
    for numbered_3, _, numbered_6, _ in DATUMS.values():
        if 0 <= number - numbered_3 <= 20:  # noqa: PLR2004 - zones 25 to 45
            return number - numbered_3 + 25
        if 0 <= number - numbered_6 <= 10:  # noqa: PLR2004 - zones 13 to 23
            return number - numbered_6 + 13
    return 0


def _without_zone(name: str | None) -> int | None:
    """Return the EPSG number of the same plane without a zone before the east."""
    if name is None:
        return None
    number = int(name.partition(":")[2])
    for numbered_3, plain_3, numbered_6, plain_6 in DATUMS.values():
        if 0 <= number - numbered_3 <= 20:  # noqa: PLR2004
            return number - numbered_3 + plain_3
        if 0 <= number - numbered_6 <= 10:  # noqa: PLR2004
            return number - numbered_6 + plain_6
    return number


def _table(texts: list[_Text], *, with_files: bool) -> pa.Table:
    names = list(dict.fromkeys(name for text in texts for name in text.reading.columns))
    columns: dict[str, list[str | float | None]] = {name: [] for name in names}
    for text in texts:
        for name in names:
            columns[name] += text.reading.columns.get(name, [None] * len(text.reading.rows))
    made = {
        name: pa.array(values, pa.float64() if name == AREA else pa.string())
        for name, values in columns.items()
    }
    if with_files:
        made[FILE] = pa.array([text.name for text in texts for _ in text.reading.rows], pa.string())
    return pa.table(made)


def _doubts(texts: list[_Text], *, with_files: bool) -> list[Doubt]:
    found, first = [], 0
    for text in texts:
        found += [
            replace(doubt, row=doubt.row + first, words=f"{text.name}, line {text.reading.rows[doubt.row]:,}: {doubt.words}" if with_files else f"line {text.reading.rows[doubt.row]:,}: {doubt.words}")
            for doubt in text.reading.doubts
        ]  # fmt: skip
        first += len(text.reading.rows)
    return found


def _how(texts: list[_Text]) -> Encoding:
    """Return how the text was read and what was decided, where encodings are looked for; of files that differ, how many each."""
    ways: dict[str, list[str]] = {}
    for text in texts:
        ways.setdefault("; ".join((text.encoding.reason, *text.reading.decisions)), []).append(text.name)
    if len(ways) == 1:
        return Encoding(texts[0].encoding.name, next(iter(ways)))
    names = " and ".join(sorted({text.encoding.name for text in texts}))
    return Encoding(
        names, " | ".join(f"{len(files)} files ({files[0]} …): {way}" for way, files in ways.items())
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
