"""Read a folder of a KML as a layer; a file whose coordinates may be those of a map of the internet is refused until somebody answers."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import shapely

from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.archive import member_name
from lowland_gis.files.batches import ROW_NUMBER, Batch, Received, row_numbers
from lowland_gis.files.consents import Consents
from lowland_gis.files.encoding import Encoding, reads_as_gbk
from lowland_gis.files.kml.placemarks import BrokenError, Found, Placemark, parsed
from lowland_gis.files.source import Source

_PACKED = (".kmz", ".ovkmz")
_MOST_BYTES = 500_000_000
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["'][^>]*\?>""")
_GBK = {"gbk", "gb2312", "gb18030", "cp936"}
_SHIFTED = ("GCJ", "BD09", "BD-09", "火星", "百度")
_WGS84 = "EPSG:4326"
_ASK = "Ask the sender for it again."


def kml_layers(source: Source) -> tuple[str, ...]:
    """Return the folders that hold placemarks, each by the names on the way to it.

    Raises:
        InputRefusedError: it cannot be read.
    """
    found, _ = _read(source)
    return tuple(_by_layer(source, found)) or (source.path.stem,)


def kml_layer(source: Source, batch_rows: int, consents: Consents) -> Received:
    """Read the placemarks of a folder.

    Raises:
        InputRefusedError: nobody said that its coordinates are no map's (`--gcj02 no`), it says itself that they are, or it cannot be read.
    """
    found, how = _read(source)
    _refuse_shifted(source, found, consents)
    layers = _by_layer(source, found) or {source.path.stem: []}
    name, placemarks = _meant(source, layers)
    columns = list(dict.fromkeys(key for each in placemarks for key in each.values))
    table = pa.table(
        {key: pa.array([each.values.get(key) for each in placemarks], pa.string()) for key in columns}
    )
    shapes = np.array([each.shape for each in placemarks], dtype=object)
    doubts = [doubt for row, each in enumerate(placemarks) for doubt in _doubts(row, each)]
    batches = _batches(table if columns else None, shapes, doubts, batch_rows)
    return Received(
        tuple(columns) or (ROW_NUMBER,),
        has_geometry=True,
        declared_crs=_WGS84,
        encoding=how,
        layer=name,
        n_rows=len(placemarks),
        batches=batches,
        doubts=_beside(found),
    )


def _doubts(row: int, placemark: Placemark) -> Iterator[Doubt]:
    called = placemark.values.get("name", "without a name")
    if placemark.fault is not None:
        yield Doubt(row, "shape_unreadable", f"the placemark {called} has no whole shape: {placemark.fault}")
    if placemark.closed:
        yield Doubt(
            row,
            "ring_closed",
            f"a ring of the placemark {called} did not end where it begins, and was closed",
        )


def _beside(found: Found) -> list[tuple[str, str]]:
    told = [
        ("element_left_out", f"{number} elements {name} are no placemarks and were left out")
        for name, number in found.left_out.items()
    ]
    tables = sum("<table" in each.values.get("description", "").lower() for each in found.placemarks)
    if tables:
        told.append(
            (
                "description_table",
                f"{tables} descriptions hold a table, as ArcGIS writes attributes; they stay texts. Ask for the layer itself.",
            )
        )
    return told


def _by_layer(source: Source, found: Found) -> dict[str, list[Placemark]]:
    layers: dict[str, list[Placemark]] = {}
    # What the whole document is called tells nothing apart.
    first = {each.folders[:1] for each in found.placemarks}
    skip = 1 if len(first) == 1 and any(len(each.folders) > 1 for each in found.placemarks) else 0
    for each in found.placemarks:
        layers.setdefault(
            "/".join(each.folders[skip:]) or "/".join(each.folders) or source.path.stem, []
        ).append(each)
    return layers


def _meant(source: Source, layers: dict[str, list[Placemark]]) -> tuple[str, list[Placemark]]:
    if source.layer is not None and source.layer in layers:
        return source.layer, layers[source.layer]
    if source.layer is None and len(layers) == 1:
        return next(iter(layers.items()))
    what = (
        f"there is no folder {source.layer!r} in it"
        if source.layer is not None
        else "it holds several folders"
    )
    raise InputRefusedError(f"{source.name}: {what}. Name one of: {', '.join(layers)} – as FILE:FOLDER.")


def _refuse_shifted(source: Source, found: Found, consents: Consents) -> None:
    said = (found.system or "").upper()
    if any(word in said for word in _SHIFTED):
        raise InputRefusedError(
            f"{source.name}: it says itself that its coordinates are those of a map of the internet (OvCoordType {found.system}), hundreds of metres off. Have it"
            " exported in CGCS2000, or ask for the survey's coordinates."
        )
    if consents.gcj02 != "no":
        told = (
            f" It says OvCoordType {found.system}, which programs write without looking."
            if found.system
            else ""
        )
        raise InputRefusedError(
            f"{source.name}: a KML that was drawn on or exported from a map of the internet lies 100 to 700 m off (GCJ-02 火星坐标), and a file does not show it.{told}"
            ' Ask who made it; if its coordinates come from a survey or a GPS, type --gcj02 no (in lowland.toml: gcj02 = "no"; for tabulate, convert it first).'
        )


def _batches(
    table: pa.Table | None, shapes: np.ndarray, doubts: list[Doubt], batch_rows: int
) -> Iterator[Batch]:
    for start in range(0, len(shapes), batch_rows):
        some = shapes[start : start + batch_rows]
        rows = row_numbers(start, len(some)) if table is None else table.slice(start, batch_rows)
        wkb = pa.array(shapely.to_wkb(some, output_dimension=3), pa.binary())
        yield Batch(
            start,
            rows,
            wkb,
            doubts=tuple(doubt for doubt in doubts if start <= doubt.row < start + len(some)),
        )


def _read(source: Source) -> tuple[Found, Encoding]:
    content = _unpacked(source) if source.path.suffix.lower() in _PACKED else _whole(source)
    content, how = _in_utf_8(source, content)
    try:
        return parsed(content), how
    except BrokenError as error:
        raise InputRefusedError(f"{source.name}: cannot be read as KML: {error}. {_ASK}") from error


def _whole(source: Source) -> bytes:
    if source.size_bytes > _MOST_BYTES:
        raise InputRefusedError(
            f"{source.name}: is larger than {_MOST_BYTES / 1e6:.0f} MB, so it is not read as a whole. Ask for it in parts."
        )
    return source.path.read_bytes()


def _unpacked(source: Source) -> bytes:
    """Return the KML of a KMZ: the one called doc.kml, else the first."""
    try:
        with zipfile.ZipFile(source.path) as archive:
            infos = [
                info for info in archive.infolist() if member_name(info).lower().endswith((".kml", ".ovkml"))
            ]
            infos.sort(key=lambda info: member_name(info).lower() != "doc.kml")
            if not infos:
                raise InputRefusedError(f"{source.name}: holds no .kml. {_ASK}")
            if infos[0].file_size > _MOST_BYTES:
                raise InputRefusedError(
                    f"{source.name}: unpacks to more than {_MOST_BYTES / 1e6:.0f} MB, so it is not read as a whole. Ask for it in parts."
                )
            # The header may lie about the size.
            with archive.open(infos[0]) as member:
                return member.read(infos[0].file_size)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputRefusedError(f"{source.name}: cannot be unpacked ({error}). {_ASK}") from error


def _in_utf_8(source: Source, content: bytes) -> tuple[bytes, Encoding]:
    """Return the text in UTF-8 without its declaration of another encoding."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _recoded(source, content, "utf-16", "it begins with a byte order mark")
    declared = _DECLARED.search(content[:400])
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name in _GBK:
        return _recoded(source, content, "gb18030", f"it declares {name}")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        if reads_as_gbk(content):
            return _recoded(
                source, content, "gb18030", f"common Chinese in GBK; it declares {name}, which is wrong"
            )
        line = content.count(b"\n", 0, error.start) + 1
        raise InputRefusedError(
            f"{source.name}: line {line:,} holds bytes that are no {name}, so it was cut or changed. {_ASK}"
        ) from None
    return _undeclared(content), Encoding("utf-8", "every byte is valid UTF-8, which KML is in")


def _recoded(source: Source, content: bytes, encoding: str, reason: str) -> tuple[bytes, Encoding]:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputRefusedError(
            f"{source.name}: line {line:,} holds bytes that are no {encoding}, so it was cut or changed. {_ASK}"
        ) from None
    return _undeclared(text.encode()), Encoding(encoding, reason)


def _undeclared(content: bytes) -> bytes:
    return re.sub(
        rb"^(\xef\xbb\xbf)?\s*<\?xml[^>]*\?>", lambda found: b"\n" * found[0].count(b"\n"), content, count=1
    )
