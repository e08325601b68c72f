"""Files of formats that other programs write, made by their written grammars: UDBX of SuperMap, the text form of MapGIS, KML."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence
from pathlib import Path

import shapely
from pyproj import CRS

NAMESPACE = "http://www.opengis.net/kml/2.2"


def gaia(shape: shapely.Geometry, srid: int = 4548, z: bool = False) -> bytes:
    """A shape as SpatiaLite stores it."""
    kinds = {"Point": 1, "MultiLineString": 5, "MultiPolygon": 6}
    more, size = (1000, 3) if z else (0, 2)
    head = struct.pack("<BBi4dBi", 0, 1, srid, *shape.bounds, 0x7C, kinds[shape.geom_type] + more)

    def vertices(line) -> bytes:
        return struct.pack(
            f"<{size * len(line.coords)}d", *(value for vertex in line.coords for value in vertex[:size])
        )

    if shape.geom_type == "Point":
        body = vertices(shape)
    elif shape.geom_type == "MultiLineString":
        body = struct.pack("<i", len(shape.geoms)) + b"".join(
            struct.pack("<Bii", 0x69, 2 + more, len(line.coords)) + vertices(line) for line in shape.geoms
        )
    else:
        body = struct.pack("<i", len(shape.geoms))
        for part in shape.geoms:
            rings = [part.exterior, *part.interiors]
            body += struct.pack("<Bii", 0x69, 3 + more, len(rings))
            body += b"".join(struct.pack("<i", len(ring.coords)) + vertices(ring) for ring in rings)
    return head + body + b"\xfe"


def udbx(
    file: Path, data_sets: dict[str, tuple[int, dict[str, int], Sequence[tuple]]], srid: int = 4548
) -> Path:
    """A UDBX; each data set is its kind, its fields with their kinds, and rows of values with the blob of the shape at the end."""
    base = sqlite3.connect(file)
    base.executescript(
        """CREATE TABLE spatial_ref_sys (srid INTEGER PRIMARY KEY, auth_name TEXT, auth_srid INTEGER, ref_sys_name TEXT, proj4text TEXT, srtext TEXT);
        CREATE TABLE geometry_columns (f_table_name TEXT, f_geometry_column TEXT, geometry_type INTEGER, coord_dimension INTEGER, srid INTEGER,
          spatial_index_enabled INTEGER);
        CREATE TABLE SmRegister (SmDatasetID INTEGER PRIMARY KEY, SmDatasetName TEXT, SmTableName TEXT, SmDatasetType INTEGER, SmObjectCount INTEGER, SmSRID INTEGER);
        CREATE TABLE SmFieldInfo (SmID INTEGER PRIMARY KEY, SmDatasetID INTEGER, SmFieldName TEXT, SmFieldCaption TEXT, SmFieldType INTEGER);"""
    )
    base.execute(
        "INSERT INTO spatial_ref_sys VALUES (?, 'epsg', ?, '', '', ?)",
        [srid, srid, CRS.from_epsg(srid).to_wkt("WKT1_GDAL")],
    )
    base.execute("INSERT INTO spatial_ref_sys VALUES (0, 'none', 0, 'Undefined', '', 'Undefined')")
    for number, (name, (kind, fields, rows)) in enumerate(data_sets.items(), 1):
        shaped = kind != 0
        base.execute(
            "INSERT INTO SmRegister VALUES (?, ?, ?, ?, ?, ?)",
            [number, name, name, kind, len(rows), srid if shaped else 0],
        )
        columns = "".join(f', "{field}"' for field in fields)
        base.execute(
            f'CREATE TABLE "{name}" (SmID INTEGER PRIMARY KEY, SmUserID INTEGER{columns}{", SmGeometry BLOB" if shaped else ""})'
        )
        for field, sort in fields.items():
            base.execute(
                "INSERT INTO SmFieldInfo (SmDatasetID, SmFieldName, SmFieldCaption, SmFieldType) VALUES (?, ?, ?, ?)",
                [number, field, "标题", sort],
            )
        marks = ", ".join("?" * (len(fields) + 2 + shaped))
        for at, row in enumerate(rows, 1):
            base.execute(f'INSERT INTO "{name}" VALUES ({marks})', [at, 0, *row])  # noqa: S608 - names of the tests
        if shaped:
            gaia_kind = {1: 1, 3: 5, 5: 6, 105: 1006}.get(kind, 6)
            base.execute(
                "INSERT INTO geometry_columns VALUES (lower(?), 'SmGeometry', ?, 2, ?, 0)",
                [name, gaia_kind, srid],
            )
    base.commit()
    base.close()
    return file


def wap(polygons: Sequence[shapely.Polygon], *, less: bool = True, areas: Sequence[str] | None = None) -> str:
    """Areas of MapGIS in text, each ring an arc of its own, every second one backwards."""
    arcs, faces = [], []
    for place, polygon in enumerate(polygons):
        references = []
        for ring in (polygon.exterior, *polygon.interiors):
            number = len(arcs) + 1
            backwards = number % 2 == 0
            coordinates = list(ring.coords)[:: -1 if backwards else 1]
            arcs.append((coordinates, number))
            references += [*([0] if references else []), -number if backwards else number]
        area = areas[place] if areas else f"{polygon.area:.6f}"
        faces.append(
            [
                f"9,8,2.3,2.3,0,1,171,0,{place + 1},{area},{polygon.length:.6f},属性值",
                str(len(references) + 1),
                *map(str, references),
                "0",
            ]
        )
    rows = ["WMAP9023", str(len(arcs))]
    for coordinates, number in arcs:
        rows += [
            "1,0,1,0.1,10.0,10.0,1,171,0",
            "1,0",
            "1,1",
            str(len(coordinates)),
            *(f"{x:.6f},{y:.6f}" for x, y in coordinates),
            f"{number},1.0",
        ]
    nodes = [["500000.000000,4000000.000000", "1N", "1"]]
    rows += [
        str(len(nodes) + less),
        *(row for node in nodes for row in node),
        str(len(faces)),
        *(row for face in faces for row in face),
    ]
    return "\n".join(rows) + "\n\n"


def kml(body: str, encoding: str = "UTF-8") -> bytes:
    """A KML in its frame."""
    text = f'<?xml version="1.0" encoding="{encoding}"?><kml xmlns="{NAMESPACE}" xmlns:gx="http://www.google.com/kml/ext/2.2">{body}</kml>'
    return text.encode(encoding)


def placemark(name: str, shape: str = "", **data: str) -> str:
    """A placemark with attributes without a schema, as 奥维 and many others write them."""
    given = "".join(f'<Data name="{key}"><value>{value}</value></Data>' for key, value in data.items())
    return f"<Placemark><name>{name}</name>{f'<ExtendedData>{given}</ExtendedData>' if given else ''}{shape}</Placemark>"


def ring(*vertices: tuple[float, float]) -> str:
    """A ring of KML."""
    return (
        f"<LinearRing><coordinates>{' '.join(f'{x},{y},0' for x, y in vertices)}</coordinates></LinearRing>"
    )


def polygon(*rings: str) -> str:
    """A polygon of KML, the outer ring first."""
    inner = "".join(f"<innerBoundaryIs>{each}</innerBoundaryIs>" for each in rings[1:])
    return f"<Polygon><outerBoundaryIs>{rings[0]}</outerBoundaryIs>{inner}</Polygon>"
