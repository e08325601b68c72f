"""Facts that a file gives about itself: layers, declared and possible text encodings, counts in headers, raw geometry kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyogrio.raw

from lowland_gis.analysis.geometry.forensics import Kinds, kinds
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.drawing.reader import drawing_layers
from lowland_gis.files.encoding import dbf_header
from lowland_gis.files.gdal_path import GDAL_ERRORS, gdal_source
from lowland_gis.files.gdal_words import GdalWords
from lowland_gis.files.geodatabase import described
from lowland_gis.files.kml.reader import kml_layers
from lowland_gis.files.layers import layers_of, meant
from lowland_gis.files.mdb.reader import mdb_described, mdb_layers
from lowland_gis.files.sound_parts import sound
from lowland_gis.files.source import OWN_READERS, Source, sidecar
from lowland_gis.files.spreadsheet.book import sheet_names
from lowland_gis.files.spreadsheet.kinds import WORKBOOKS
from lowland_gis.files.udbx import udbx_layers
from lowland_gis.files.vct.text import vct_layers

READINGS = ("utf-8", "gb18030", "big5")
_ERRORS = (*GDAL_ERRORS, ValueError)
# What lists the layers of a file that GDAL does not read.
_SAMPLES = 3
_CODES_SHOWN = 8
_SAMPLE_ROWS = 20_000
_BATCH_ROWS = 50_000
_LAST_ASCII = 127
_SHAPE_HEADER, _INDEX_RECORD = 100, 8
# As GDAL spells it: under another name it leaves field names as they are, which then cannot be read.
_BYTE_FOR_BYTE = "ISO-8859-1"
_LANGUAGES = {
    0x00: "none", 0x03: "Windows 1252", 0x13: "Japanese", 0x4D: "GBK (cp936)", 0x4F: "Big5 (cp950)", 0x57: "ANSI",
    0x78: "Big5", 0x7A: "GBK",
}  # fmt: skip


@dataclass(frozen=True)
class TextFacts:
    """What a shapefile declares of its text, and the same values in each reading."""

    declared_cpg: str | None
    declared_ldid: str
    readings: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Counts:
    """Records by the headers of a shapefile; `complete` is whether the .shp is as long as it says."""

    dbf: int
    shx: int
    complete: bool


def layer_names(source: Source, encoding: str | None = None) -> tuple[str | None, ...]:
    """Return the layers or sheets to look at: the one that is named, else all; None where a file is its own layer.

    `encoding` is the one that the user gives; names of layers of a drawing are texts of it.

    Raises:
        InputRefusedError: the file cannot be opened.
    """
    if source.layer is not None:
        return (source.layer,)
    if source.driver in ("CSV", "Parquet", "GTiff", "TXT", "MapGIS"):
        return (None,)
    try:
        if source.driver == "DXF":
            return drawing_layers(source, encoding)
        own = _LAYERS_OF.get(source.driver)
        if own is not None:
            return own(source)
        with gdal_source(source.path) as path:
            return tuple(layer.name for layer in layers_of(source.path, path))
    except (*_ERRORS, OSError, KeyError, EOFError) as error:
        raise InputRefusedError(
            f"{source.name}: cannot be opened ({error}). Ask the sender for it again."
        ) from error


# What names the layers of forms that are read by readers of the project's own; those of a drawing are texts of an encoding.
_LAYERS_OF: dict[str, Callable[[Source], tuple[str, ...]]] = {
    **dict.fromkeys(WORKBOOKS, sheet_names),
    "VCT": vct_layers,
    "UDBX": udbx_layers,
    "KML": kml_layers,
    "PGeo": mdb_layers,
}


def text_facts(source: Source) -> TextFacts | None:
    """Return what is declared of the text of a shapefile, and up to three values in each reading; None for other files.

    Raises:
        InputRefusedError: the .dbf contradicts itself.
    """
    dbf = sidecar(source.path, ".dbf") if source.driver == "ESRI Shapefile" else None
    if dbf is None:
        return None
    cpg = sidecar(source.path, ".cpg")
    ldid = dbf_header(dbf).ldid
    samples = list(_samples(dbf))
    return TextFacts(
        None if cpg is None else cpg.read_bytes()[:40].decode("ascii", "replace").strip(),
        f"0x{ldid:02X} {_LANGUAGES.get(ldid, 'other')}",
        {name: tuple(text.decode(name, "replace") for text in samples) for name in READINGS}
        if samples
        else {},
    )


def _samples(dbf: Path) -> Iterator[bytes]:
    """Yield up to three distinct names or values with a byte over 127."""
    header = dbf_header(dbf)
    found = dict.fromkeys(name for name, _, _ in header.fields if not name.isascii())
    rows = min(header.records, _SAMPLE_ROWS)
    shape = (rows, header.record_bytes)
    records = np.memmap(dbf, np.uint8, "r", header.header_bytes, shape) if rows else np.empty(shape, np.uint8)
    position = 1
    for _, kind, width in header.fields:
        if kind == "C" and width and len(found) < _SAMPLES * 4:
            column = np.ascontiguousarray(records[:, position : position + width])
            strange = column[(column > _LAST_ASCII).any(axis=1)][:_SAMPLES]
            found |= dict.fromkeys(bytes(row).rstrip(b" \x00") for row in strange)
        position += width
    yield from list(found)[:_SAMPLES]


def counts(source: Source) -> Counts | None:
    """Return what the headers of a shapefile count; None for other files."""
    dbf, shx = sidecar(source.path, ".dbf"), sidecar(source.path, ".shx")
    if source.driver != "ESRI Shapefile" or dbf is None or shx is None:
        return None
    with source.path.open("rb") as shp:
        length = int.from_bytes(shp.read(28)[24:], "big") * 2
    return Counts(
        int.from_bytes(dbf.read_bytes()[4:8], "little"),
        max(0, (shx.stat().st_size - _SHAPE_HEADER) // _INDEX_RECORD),
        source.path.stat().st_size >= length,
    )


def _gdal_name(source: Source, path: Path) -> str | None:
    layers = layers_of(source.path, path)
    found = meant(layers, source.layer)
    if found is None and source.layer is not None:
        found = meant(layers, described(source).layer_called(source.layer) or source.layer)
    return source.layer if found is None else found.gdal_name


def said_beside(source: Source) -> list[tuple[str, str]]:
    """Return what a geodatabase says of a layer beside its rows, in pairs: what, and the words.

    These are the titles of the layer and of its fields, the lists that codes of fields are of, and relationships to other tables.
    """
    said = mdb_described(source) if source.driver == "PGeo" else described(source)
    name = source.layer or ""
    layer = name if name in said.fields else said.layer_called(name) or name
    found = [("title 别名", said.titles[layer])] if layer in said.titles else []
    for field, about in said.fields.get(layer, {}).items():
        codes = said.codes.get(about.codes or "", {})
        shown = ", ".join(f"{code} {words}" for code, words in list(codes.items())[:_CODES_SHOWN])
        more = f" … ({len(codes)})" if len(codes) > _CODES_SHOWN else ""
        of = f"{about.codes}: {shown}{more}" if about.codes else ""
        found.append((f"  {field}", "; ".join(each for each in (about.title, of) if each)))
    found += [
        ("relationship 关系", each) for each in said.relations if layer in each.replace(":", " ").split()
    ]
    return found


def raw_kinds(source: Source) -> Kinds:
    """Return the kinds of geometry as they lie in the file, before arcs and heights are taken out.

    Raises:
        InputRefusedError: the geometries cannot be read.
    """
    total = Kinds()
    if source.driver in OWN_READERS:
        return total
    try:
        # What GDAL says of the file is told where its rows are read.
        with GdalWords().heard(), gdal_source(source.path) as path:
            opened = pyogrio.raw.open_arrow(
                path, layer=_gdal_name(source, path), columns=[], batch_size=_BATCH_ROWS, use_pyarrow=True,
                encoding=_BYTE_FOR_BYTE if source.driver == "ESRI Shapefile" else None,
            )  # fmt: skip
            with opened as (meta, reader):
                name = meta["geometry_name"] or "wkb_geometry"
                for batch in sound(reader, source):
                    position = batch.schema.get_field_index(name)
                    if position >= 0:
                        values = np.empty(batch.num_rows, dtype=object)
                        values[:] = batch.column(position).to_pylist()
                        total += kinds(values)
    except (*_ERRORS, OSError) as error:
        raise InputRefusedError(
            f"{source.name}: its geometries cannot be read ({error}). Ask the sender for it again."
        ) from error
    return total
