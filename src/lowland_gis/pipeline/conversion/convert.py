"""Bring a file, or a layer of one, into another form, and look at what came of it before it takes its place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import shapely

from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files import crs as reference
from lowland_gis.files import inspect, transform
from lowland_gis.files.batches import ROW_NUMBER, Batch, Received, bounds
from lowland_gis.files.consents import NONE, Consents
from lowland_gis.files.coordinate_text.looks import SUFFIX as TEXT
from lowland_gis.files.coordinate_text.templates import STANDARD, template
from lowland_gis.files.dbf_table import CODE_PAGE
from lowland_gis.files.exported.compared import Comparison, compared
from lowland_gis.files.exported.coordinate_text import with_zone, write_txt
from lowland_gis.files.exported.geodatabase import write_gdb, write_gpkg
from lowland_gis.files.exported.geoparquet import write_parquet
from lowland_gis.files.exported.layer import Layer, Written
from lowland_gis.files.exported.shapefile import write_dbf, write_shp
from lowland_gis.files.exported.vct import write_vct
from lowland_gis.files.gdal_path import GDAL_ERRORS, gdal_source
from lowland_gis.files.read import received
from lowland_gis.files.source import DRIVERS, OWN_READERS, Source, opened
from lowland_gis.files.whole import refused, whole_set
from lowland_gis.pipeline.base.telling import Tell, silent

FORMS: dict[str, Callable[[Sequence[Layer], Path, dt.date], list[Written]]] = {
    ".shp": write_shp, ".dbf": write_dbf, ".gpkg": write_gpkg, ".gdb": write_gdb, ".parquet": write_parquet,
    ".vct": write_vct, TEXT: write_txt,
}  # fmt: skip
# What stands beside a file of a form and belongs to it.
PARTS = {".shp": (".shx", ".dbf", ".prj", ".cpg"), ".dbf": (".cpg",)}
# What programs put beside a shapefile to find its rows faster: of other rows it would be wrong.
_INDEXES = (".sbn", ".sbx", ".qix", ".idx", ".ain", ".aih", ".atx")
_MOMENT = "OFTDateTime"
# Forms whose layers have names.
_OF_LAYERS = (".gpkg", ".gdb", ".vct")


@dataclass(frozen=True)
class Asked:
    """How to read, and where to bring it: a system the file does not declare, the system to write, an encoding, what the bureau answered; None leaves it to the file.

    `template` is the form of a coordinate text that is written, whose planes have the number of the zone before the east unless `crs` says otherwise.
    """

    src_crs: str | None = None
    crs: str | None = None
    encoding: str | None = None
    consents: Consents = NONE
    template: str | None = None


@dataclass(frozen=True)
class Converted:
    """What became of one layer, in words and figures; `lost` is what the file does not hold as it came."""

    name: str
    comparison: Comparison
    read_as: str
    written_as: str
    system: str
    notes: tuple[str, ...]
    lost: tuple[str, ...]
    n_aside: int = 0


@dataclass
class _Came:
    """A layer as it came: what is handed on, and what there is to say."""

    layer: Layer
    read_as: str
    system: str
    notes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    n_aside: int = 0
    in_degrees: bool = False


def parts_of(target: Path) -> tuple[Path, ...]:
    """Return all files that a target is made of; a folder stands for itself.

    Raises:
        UsageError: files of that kind are not written.
    """
    suffix = target.suffix.lower()
    if suffix not in FORMS:
        raise UsageError(
            f"{target}: files of this kind are not written. Give it one of the endings {', '.join(FORMS)}."
        )
    return (target, *(target.with_suffix(part) for part in PARTS.get(suffix, ())))


def convert(source: str, target: Path, asked: Asked, *, folder: Path, tell: Tell = silent) -> list[Converted]:
    """Write all layers of a source, or the one that `FILE:LAYER` names, as a file of the form that the target's ending says.

    The file is read again before it takes its place, and held against what was read first; what differs is `lost`, by name.

    Raises:
        InputRefusedError: it cannot be read, its system is unknown or only roughly the other's, or the form cannot hold it.
        UsageError: the target is of a kind that is not written, or in the way of something.
    """
    parts_of(target)
    _refuse_in_the_way(target)
    write = FORMS[target.suffix.lower()]
    if target.suffix.lower() == TEXT:
        form = asked.template or STANDARD
        template(form)
        asked, write = replace(asked, template=form), partial(write_txt, form=form)
    elif asked.template is not None:
        raise UsageError(
            f"--template {asked.template}: is for a coordinate text, {TEXT}, and {target.name} is none. Leave it away."
        )
    with opened(source, folder) as found:
        came = list(_layers(found, asked, tell))
        dated = _last_changed(found)
        with whole_set(target) as path, refused(target, *GDAL_ERRORS, pa.ArrowException):
            tell(f"writes {target.name}")
            written = write([each.layer for each in came], path, dated)
            tell("reads it again")
            return [
                _outcome(one, how, path, n_layers=len(came)) for one, how in zip(came, written, strict=True)
            ]


def _refuse_in_the_way(target: Path) -> None:
    if target.suffix.lower() == ".gdb" and target.exists():
        raise UsageError(
            f"{target}: is there already, and a geodatabase is never replaced. Name another, or remove it."
        )
    indexes = [target.with_suffix(each) for each in _INDEXES if target.with_suffix(each).exists()]
    if target.suffix.lower() == ".shp" and indexes:
        raise UsageError(
            f"{target}: an index of other rows lies beside it ({', '.join(each.name for each in indexes)}). Remove it, or name another file."
        )


def _last_changed(source: Source) -> dt.date:
    """Return the day that a DBF says it is of: that of the file it was made from, so that the same input gives the same bytes."""
    newest = max(part.stat().st_mtime for part in source.members)
    return dt.datetime.fromtimestamp(newest, dt.UTC).date()


def _layers(source: Source, asked: Asked, tell: Tell) -> Iterator[_Came]:
    if source.driver == "GTiff":
        raise InputRefusedError(f"{source.name}: is a raster. Convert it with gdal_translate.")
    names = inspect.layer_names(source, asked.encoding)
    if not names:
        raise InputRefusedError(f"{source.name}: holds no layer. Ask the sender for it again.")
    for name in names:
        tell(f"reads {name or source.path.name}")
        yield _came(replace(source, layer=name), asked)


def _came(source: Source, asked: Asked) -> _Came:
    with received(source, encoding=asked.encoding, consents=asked.consents) as arrived:
        batches = list(arrived.batches)
        remarks = [*source.doubts, *arrived.doubts]
    attributes = _attributes(arrived, batches)
    shapes = None
    if arrived.has_geometry:
        parts = [batch.wkb for batch in batches if batch.wkb is not None]
        shapes = np.concatenate(parts) if parts else np.empty(0, dtype=object)
    read_as = (
        f"{arrived.encoding.name} ({arrived.encoding.reason})" if arrived.encoding else "as the form says"
    )
    came = _Came(Layer(arrived.layer or source.path.stem, attributes, None, None), read_as, "none")
    if source.driver in ("TXT", "CSV") and arrived.has_geometry and arrived.encoding:
        came.notes.append(f"read as: {arrived.encoding.reason}")
    came.notes += [words for _, words in remarks]
    came.lost += [f"row {doubt.row + 1}: {doubt.words}" for batch in batches for doubt in batch.doubts]
    aside = [each for batch in batches for each in batch.aside]
    came.n_aside = len(aside)
    came.notes += [f"row {each.row + 1} is no record and was set aside: {each.words}" for each in aside]
    if shapes is not None:
        _with_shapes(came, shapes, arrived.declared_crs, source, asked)
    came.layer = replace(came.layer, attributes=_with_moments(came.layer.attributes, source))
    return came


def _attributes(arrived: Received, batches: Sequence[Batch]) -> pa.Table:
    if not batches:
        return pa.table({name: pa.array([], pa.string()) for name in arrived.columns})
    table = pa.concat_tables([batch.attributes for batch in batches], promote_options="permissive")
    # Rows without fields come with their numbers, which are no field.
    return (
        table.select([]) if table.column_names == [ROW_NUMBER] and arrived.columns == (ROW_NUMBER,) else table
    )


def _with_moments(table: pa.Table, source: Source) -> pa.Table:
    """Return the table with fields of moments as such; GDAL hands texts on."""
    if source.driver in OWN_READERS or source.driver == "ESRI Shapefile":
        return table
    try:
        with gdal_source(source.path) as path:
            info = pyogrio.read_info(path, layer=source.layer)
    except GDAL_ERRORS:
        return table
    kinds = dict(zip(info["fields"].tolist(), info["ogr_types"], strict=True))
    for place, name in enumerate(table.column_names):
        if kinds.get(name) == _MOMENT:
            column = table.column(name)
            # A geodatabase has no offsets; GDAL says of every moment that it is one of UTC.
            spelt = pc.utf8_rtrim(column, characters="Z") if source.driver == "OpenFileGDB" else column
            table = table.set_column(place, name, _moments(spelt))
    return table


def _moments(spelt: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return moments without an offset, or all with one; where some have one and others none they stay texts."""
    for kind in (pa.timestamp("ms"), pa.timestamp("ms", tz="UTC")):
        try:
            return spelt.cast(kind)
        except pa.ArrowInvalid:
            continue
    return spelt


def _with_shapes(
    came: _Came, wkb: npt.NDArray[np.object_], declared: str | None, source: Source, asked: Asked
) -> None:
    with np.errstate(invalid="ignore"):
        shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    given = np.array([item is not None for item in wkb], dtype=bool)
    unreadable = np.flatnonzero(shapely.is_missing(shapes) & given)
    if len(unreadable):
        came.lost.append(f"{len(unreadable):,} geometries cannot be read, first in row {unreadable[0] + 1}")
    kinds = inspect.raw_kinds(source)
    if kinds.n_curves:
        came.notes.append(f"{kinds.n_curves:,} geometries have arcs, which became chords at most 1 mm away")
    if kinds.n_m:
        came.lost.append(f"measures (M) of {kinds.n_m:,} geometries are left out")
    system = reference.resolve(declared, asked.src_crs, bounds(shapes), source.name)
    used = system
    wanted = asked.crs or (with_zone(system.name) if asked.template is not None else system.name)
    if wanted != system.name:
        used = reference.reference(wanted, "--crs")
        way = transform.path_between(system, used, source.name)
        if (words := transform.null_shift(system, used)) is not None:
            came.notes.append(words)
        if way is not None:
            came.notes.append(f"brought from {system.name} to {used.name}")
            shapes = transform.transformed(shapes, way)
    came.in_degrees = used.in_degrees
    came.system = used.name if used.name.startswith("EPSG:") else used.crs.name
    came.layer = replace(came.layer, geometries=shapes, crs=used.name)


def _outcome(came: _Came, written: Written, path: Path, *, n_layers: int) -> Converted:
    name = came.layer.name
    back, lost = (
        _read_again(path, name if n_layers > 1 or path.suffix.lower() in _OF_LAYERS else None),
        list(came.lost),
    )
    if back.crs is None and came.layer.crs is not None:
        lost.append(f"the coordinate system {came.system} is not found again in the file")
    # GDAL changes names that a form does not allow; the order of fields stays.
    names = (
        written.names
        if written.by_name
        else dict(zip(written.names, back.attributes.column_names, strict=True))
    )
    result = compared(came.layer, back, names, in_degrees=came.in_degrees)
    if result.n_before != result.n_after:
        raise InputRefusedError(
            f"{path.name}, {name}: {result.n_before:,} rows were written and {result.n_after:,} read again, so it was not kept."
        )
    if result.n_moved:
        lost.append(f"{result.n_moved:,} geometries came back otherwise, first in row {result.first_moved}")
    lost += [f"field {field} is left out: {why}" for field, why in written.left_out.items()]
    lost += [f"field {field} is called {short}" for field, short in names.items() if field != short]
    lost += [
        f"{change.field}: {change.n_rows:,} values came back otherwise, first in row {change.row}: {change.before} → {change.after}"
        for change in result.changes
    ]
    return Converted(
        name,
        result,
        came.read_as,
        written.encoding,
        came.system,
        (*came.notes, *written.notes),
        tuple(lost),
        came.n_aside,
    )


def _read_again(path: Path, layer: str | None) -> Layer:
    with _again(path, layer) as (arrived, batches):
        attributes = _attributes(arrived, batches)
        shapes = None
        if arrived.has_geometry:
            parts = [batch.wkb for batch in batches if batch.wkb is not None]
            shapes = (
                shapely.from_wkb(np.concatenate(parts), on_invalid="ignore")
                if parts
                else np.empty(0, dtype=object)
            )
        source = Source(path.name, path, layer, DRIVERS[path.suffix.lower()], (), 0)
        attributes = _with_moments(attributes, source)
        return Layer(layer or path.stem, attributes, shapes, arrived.declared_crs)


@contextmanager
def _again(path: Path, layer: str | None) -> Iterator[tuple[Received, list[Batch]]]:
    name = str(path) if layer is None else f"{path}:{layer}"
    # A few texts may look as if they were of another encoding; this file's is known.
    encoding = CODE_PAGE if path.suffix.lower() in (".shp", ".dbf") else None
    try:
        with opened(name, path.parent) as source, received(source, encoding=encoding) as arrived:
            yield arrived, list(arrived.batches)
    except InputRefusedError as error:
        raise OSError(f"it cannot be read again: {error}") from error
