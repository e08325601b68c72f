"""Files of the exchange format of land surveys, written row by row as its grammar says, by no code of the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import shapely

HEAD_V3 = (
    "Datamark:LANDUSE-VCT", "Version:3.0", "CoordinateSystemType:P", "Dim:2", "XAxisDirection:E", "YAxisDirection:N", "XYUnit:M",
    "Spheroid:CGCS2000,6378137,298.257222101", "PrimeMeridian:Greenwich", "Projection:高斯-克吕格投影",
    "Parameters:117.0,1.0,39500000,0,3,39", "ExtentMin:0,0", "ExtentMax:1,1", "MapScale:2000", "Offset:0,0", "Date:20201231", "Separator:,",
)  # fmt: skip
HEAD_V2 = (
    "Datamark: CNSDTF-VCT",
    "Version: GB/T17798-2007",
    "Unit:M",
    "Dim:2",
    "Topo:1",
    "Meridian:117",
    "Separator:,",
)
HEAD_V1 = ("DataMark:CNSDTF-VCT", "Version:1.0", "Unit:M", "Dim:2", "Topo:1", "Separator:,")
DLTB, DLJX = 2001010100, 2001010400


@dataclass
class Lot:
    """A polygon and its attributes."""

    shape: shapely.Geometry
    values: Sequence[str]


@dataclass
class Grammar:
    """How a file is written: its version, what ends its lines, and oddities of programs."""

    version: int = 3
    end: str = "\r\n"
    head: tuple[str, ...] = HEAD_V3
    columns: tuple[str, ...] = ("BSM,Int,10", "DLBM,Char,5", "TBMJ,Float,15,2", "BZ,Char,30", "SJ,Date")
    upper: bool = False
    per_row: int = 8
    direct: bool = False
    first_line: int = 5_000_001
    extra: tuple[str, ...] = field(
        default=("AnnotationBegin", "AnnotationEnd", "TopologyBegin", "TopologyEnd")
    )
    style: str = "unknown"

    def text(self, lots: Sequence[Lot]) -> str:
        """Return the whole file. Each ring is a line of its own."""
        lines: list[str] = []
        polygons: list[str] = []
        number = self.first_line
        for place, lot in enumerate(lots, 1):
            references: list[int] = []
            rings = _rings(lot.shape)
            for ring in rings:
                coordinates = list(ring.coords)
                backwards = number % 2 == 0
                lines += self._line(number, coordinates[::-1] if backwards else coordinates)
                references += [*([0] if references else []), -number if backwards else number]
                number += 1
            polygons += self._polygon(place, lot.shape, references, [list(ring.coords) for ring in rings])
        rows = [
            *self._block("Head", self.head), *self._block("FeatureCode", self._classes()),
            *self._block("TableStructure", [f"DLTB,{len(self.columns)}", *self.columns, *(["0"] if self.version == 3 else [])]),
            *self._block("Point", []), *self._block("Line", lines), *self._block("Polygon", polygons),
            *(self._spelt(row) for row in self.extra),
            *self._block("Attribute", ["DLTB", *(f"{place},{','.join(lot.values)}" for place, lot in enumerate(lots, 1)), self._spelt("TableEnd")]),
        ]  # fmt: skip
        return self.end.join(rows) + self.end

    def _spelt(self, word: str) -> str:
        return word.upper() if self.upper else word

    def _block(self, name: str, rows: Sequence[str]) -> list[str]:
        return [self._spelt(f"{name}Begin"), *rows, self._spelt(f"{name}End")]

    def _classes(self) -> list[str]:
        if self.version == 3:
            return [f"{DLTB},地类图斑,Polygon,DLTB", f"{DLJX},地类界线,Line,DLJX"]
        return [f"{DLTB},地类图斑,Polygon,0,0,0,DLTB", f"{DLJX},地类界线,Line,0,0,0,DLJX"]

    def _line(self, number: int, coordinates: list[tuple[float, float]]) -> list[str]:
        points = [f"{x!r},{y!r}" for x, y in coordinates]
        if self.version == 3:
            return [str(number), str(DLJX), self.style, "1", "1", "11", str(len(points)), *points, "0"]
        return [str(number), str(DLJX), self.style, "1", str(len(points)), *points]

    def _polygon(self, number: int, shape: shapely.Geometry, references: list[int], rings: list) -> list[str]:
        inside = shape.representative_point()
        label = f"{inside.x!r},{inside.y!r}"
        rows = [
            ",".join(map(str, references[start : start + self.per_row]))
            for start in range(0, len(references), self.per_row)
        ]
        if self.direct:
            points = [
                row for ring in rings for row in ("11", str(len(ring)), *(f"{x!r},{y!r}" for x, y in ring))
            ]
            return [str(number), str(DLTB), self.style, "1", label, *points, "0"]
        if self.version == 3:
            return [str(number), str(DLTB), self.style, "100", label, "21", str(len(references)), *rows, "0"]
        return [str(number), str(DLTB), self.style, label, str(len(references)), *rows]


def _rings(shape: shapely.Geometry) -> list:
    return [ring for part in shapely.get_parts(shape) for ring in (part.exterior, *part.interiors)]
