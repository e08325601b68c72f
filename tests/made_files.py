"""Small layers near Beichen, written as offices write them."""

import struct
from pathlib import Path

import geopandas as gpd
import shapely


def box(x: float, y: float, width: float = 100, height: float = 100) -> shapely.Polygon:
    """A rectangle near Beichen, placed from a corner of its own."""
    return shapely.box(515_000 + x, 4_345_000 + y, 515_000 + x + width, 4_345_000 + y + height)


def write_parcels(path: Path, rows: dict[str, shapely.Geometry], **columns: list[object]) -> Path:
    """Write a parcel shapefile in GBK without a .cpg, as offices do."""
    frame = gpd.GeoDataFrame(
        {"ZDDM": list(rows), "ZL": ["北辰区示例路"] * len(rows), **columns},
        geometry=list(rows.values()),
        crs=4548,
    )
    frame.to_file(path, encoding="GBK", engine="pyogrio")
    path.with_suffix(".cpg").unlink()
    return path


def write_shapefile(
    path: Path, rows: gpd.GeoDataFrame, encoding: str, *, cpg: str | None = None, ldid: int = 0
) -> Path:
    """Write a shapefile with these bytes, this .cpg and this language byte."""
    rows.to_file(path, engine="pyogrio", encoding=encoding)
    path.with_suffix(".cpg").unlink()
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    with path.with_suffix(".dbf").open("r+b") as dbf:
        dbf.seek(29)
        dbf.write(bytes([ldid]))
    return path


# Parameters such as a bureau gives them with an old layer; these are made up.
DATUM = """
kind = "four"
source_crs = "EPSG:2384"
target_crs = "EPSG:4548"
axes = "east_north"
dx = 110.0
dy = -3.0
rotation = 0.0
rotation_unit = "arc-second"
scale_ppm = 0.0
document = "试验参数"
date = 2020-01-01
accuracy_m = 0.1
"""


def dbf_bytes(
    fields: list[tuple[str, str, int, int]], records: list[list[bytes]], *, deleted: tuple[int, ...] = ()
) -> bytes:
    """A .dbf of these very bytes; a field is its name, kind, width and decimals, and values are padded as their kind is."""
    width = 1 + sum(size for _, _, size, _ in fields)
    head = struct.pack("<B3BIHH20x", 3, 124, 1, 1, len(records), 33 + 32 * len(fields), width)
    for name, kind, size, decimals in fields:
        head += (
            name.encode("gbk").ljust(11, b"\0")
            + kind.encode()
            + bytes(4)
            + bytes([size, decimals])
            + bytes(14)
        )
    body = b""
    for number, values in enumerate(records):
        body += b"*" if number in deleted else b" "
        for value, (_, kind, size, _) in zip(values, fields, strict=True):
            padded = value.rjust(size) if kind in "NF" else value.ljust(size)
            assert len(padded) == size
            body += padded
    return head + b"\r" + body + b"\x1a"
