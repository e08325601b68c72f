"""Geometries as bytes that no library would write, or that libraries understand differently; and files that hold them."""

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS

X, Y = 515_000.0, 4_345_000.0
Ring = Sequence[tuple[float, float]]
NAN, INF = float("nan"), float("inf")
SQUARE: Ring = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]
HOLE: Ring = [(20, 20), (40, 20), (40, 40), (20, 40), (20, 20)]
BEYOND: Ring = [(50, 50), (150, 50), (150, 150), (50, 150), (50, 50)]


def head(kind: int, order: str = "<") -> bytes:
    return (b"\x01" if order == "<" else b"\x00") + struct.pack(f"{order}I", kind)


def points(ring: Ring, order: str = "<", extra: tuple[float, ...] = ()) -> bytes:
    body = (struct.pack(f"{order}{2 + len(extra)}d", X + x, Y + y, *extra) for x, y in ring)
    return struct.pack(f"{order}I", len(ring)) + b"".join(body)


def polygon(*rings: Ring, kind: int = 3, order: str = "<", extra: tuple[float, ...] = ()) -> bytes:
    body = b"".join(points(ring, order, extra) for ring in rings)
    return head(kind, order) + struct.pack(f"{order}I", len(rings)) + body


def several(*parts: bytes, kind: int = 6) -> bytes:
    return head(kind) + struct.pack("<I", len(parts)) + b"".join(parts)


NOTHING = polygon()
TRIANGLE: Ring = [(0, 0), (100, 0), (0, 100), (0, 0)]
LINE = head(2) + points([(0, 0), (5, 5)])
ARCS = head(8) + points([(0, 50), (50, 100), (100, 50), (50, 0), (0, 50)])

ODD: dict[str, bytes | None] = {
    "square": polygon(SQUARE),
    "hole": polygon(SQUARE, HOLE),
    "empty hole": polygon(SQUARE, []),
    "hole and empty hole": polygon(SQUARE, HOLE, []),
    "hole of three points": polygon(SQUARE, [(20, 20), (40, 20), (20, 20)]),
    "hole of two points": polygon(SQUARE, [(20, 20), (20, 20)]),
    "hole of no area": polygon(SQUARE, [(20, 20), (40, 20), (20, 20), (20, 20)]),
    "empty shell": polygon([]),
    "empty shell with a hole": polygon([], HOLE),
    "empty": NOTHING,
    "empty part": several(polygon(SQUARE), NOTHING),
    "no part": several(),
    "part with an empty hole": several(polygon(SQUARE, [])),
    "part of three points": several(polygon(SQUARE), polygon([(200, 0), (300, 0), (200, 0)])),
    "height": polygon(SQUARE, kind=1003, extra=(5.0,)),
    "measure": polygon(SQUARE, kind=2003, extra=(5.0,)),
    "height and measure": polygon(SQUARE, kind=3003, extra=(5.0, 6.0)),
    "height as PostGIS writes it": polygon(SQUARE, kind=0x80000003, extra=(5.0,)),
    "height that is NaN": polygon(SQUARE, kind=1003, extra=(NAN,)),
    "big endian": polygon(SQUARE, order=">"),
    "SRID": head(0x20000003) + struct.pack("<I", 4548) + polygon(SQUARE)[5:],
    "collection with a line": several(polygon(SQUARE), LINE, kind=7),
    "collection in a collection": several(several(polygon(SQUARE), several(polygon(TRIANGLE)), kind=7), kind=7),
    "collection of nothing": several(kind=7),
    "collection that overlaps itself": several(polygon(SQUARE), polygon(BEYOND), kind=7),
    "collection with an empty hole": several(polygon(SQUARE, []), LINE, kind=7),
    "bow tie": polygon([(0, 0), (100, 100), (100, 0), (0, 100), (0, 0)]),
    "spike": polygon([(0, 0), (100, 0), (150, 0), (100, 0), (100, 100), (0, 100), (0, 0)]),
    "doubled vertices": polygon([(0, 0), (0, 0), (100, 0), (100, 0), (100, 100), (0, 100), (0, 0)]),
    "no area": polygon([(0, 0), (100, 0), (0, 0), (0, 0)]),
    "three points": polygon([(0, 0), (100, 0), (0, 0)]),
    "not closed": polygon(SQUARE[:-1]),
    "one point": polygon([(0, 0)]),
    "hole outside": polygon(SQUARE, [(x + 200, y) for x, y in HOLE]),
    "hole as large as the shell": polygon(SQUARE, SQUARE),
    "hole that touches": polygon(SQUARE, [(0, 0), (40, 20), (20, 40), (0, 0)]),
    "holes that overlap": polygon(SQUARE, HOLE, [(30, 30), (60, 30), (60, 60), (30, 60), (30, 30)]),
    "parts that overlap": several(polygon(SQUARE), polygon(BEYOND)),
    "parts that touch": several(polygon(SQUARE), polygon([(100, 0), (200, 0), (200, 100), (100, 100), (100, 0)])),
    "NaN": polygon([(0, 0), (NAN, 0), (100, 100), (0, 100), (0, 0)]),
    "infinite": polygon([(0, 0), (INF, 0), (100, 100), (0, 100), (0, 0)]),
    "farther than the Earth": polygon([(0, 0), (1e9, 0), (100, 100), (0, 100), (0, 0)]),
    "point": head(1) + struct.pack("<2d", X, Y),
    "line": head(2) + points(SQUARE),
    "points": several(head(1) + struct.pack("<2d", X, Y), kind=4),
    "missing": None,
    "no bytes": b"",
    "rubbish": b"\x01\x09",
    "cut off": polygon(SQUARE)[:-9],
    "arcs": several(ARCS, kind=10),
    "compound curve": several(several(head(8) + points([(0, 0), (50, 50), (100, 0)]), head(2) + points([(100, 0), (0, 0)]), kind=9), kind=10),
    "surfaces": several(polygon(SQUARE), several(head(2) + points(BEYOND), kind=10), kind=12),
    "arcs with an empty hole": several(head(2) + points(SQUARE), head(8) + points([]), kind=10),
    "triangle": polygon(TRIANGLE, kind=17),
    "irregular net": several(polygon(TRIANGLE, kind=17), kind=16),
    "polyhedron": several(polygon(SQUARE), kind=15),
    "tiny": polygon([(0, 0), (1e-6, 0), (0, 1e-6), (0, 0)]),
    "sliver": polygon([(0, 0), (1e5, 1e-9), (1e5, 0), (0, 0)]),
    "clockwise": polygon(SQUARE[::-1], HOLE),
}  # fmt: skip


def write_odd(
    path: Path | str, shapes: Sequence[bytes | None], crs: CRS | None = None, **columns: Sequence[object]
) -> None:
    """Write rows of a GeoParquet file, which takes any bytes for a geometry."""
    told = {
        "encoding": "WKB",
        "geometry_types": [],
        "crs": json.loads((crs or CRS.from_epsg(4548)).to_json()),
    }
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": told}}
    rows = pa.table({**columns, "geometry": pa.array(shapes, pa.binary())})
    pq.write_table(rows.replace_schema_metadata({"geo": json.dumps(geo)}), path)
