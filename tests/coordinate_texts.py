"""Coordinate texts of land approvals, written line by line as each published writer does, by no code of the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import shapely

EAST, NORTH = 39_515_000.125, 4_345_300.5
BOX = shapely.box(EAST, NORTH, EAST + 100, NORTH + 80)
HOLED = shapely.box(EAST + 200, NORTH, EAST + 300, NORTH + 100).difference(
    shapely.box(EAST + 220, NORTH + 20, EAST + 240, NORTH + 40)
)
ISLANDS = shapely.MultiPolygon(
    [
        HOLED,
        shapely.box(EAST + 225, NORTH + 25, EAST + 235, NORTH + 35),
        shapely.box(EAST + 400, NORTH, EAST + 410, NORTH + 9),
    ]
)
HEADER = {
    "格式版本号": "1.01版本", "数据产生单位": "某勘测公司", "数据产生日期": "2024-03-05", "坐标系": "2000国家大地坐标系", "几度分带": "3",
    "投影类型": "高斯克吕格", "计量单位": "米", "带号": "39", "精度": "0.001", "转换参数": ",,,,,,",
}  # fmt: skip


@dataclass(frozen=True)
class Lot:
    """A parcel and the values of its line."""

    shape: shapely.Geometry
    number: str = "1"
    name: str = "地块一"
    use: str = "工业用地"
    code: str = "0601"
    area: str | None = None


LOTS = (
    Lot(BOX, "1", "甲地块", "工业用地", "0601"),
    Lot(HOLED, "2", "乙地块", "住宅用地", "0701"),
    Lot(ISLANDS, "3", "丙地块", "工业用地", "0601"),
)


@dataclass(frozen=True)
class Dialect:
    """How one writer writes: `line` names the values before the @, `closing` is what the last point of a ring is called."""

    header: dict[str, str] | None = field(default_factory=lambda: dict(HEADER))
    line: tuple[str, ...] = ("count", "area", "number", "name", "面", "sheet", "use", "code")
    end: str = "\r\n"
    encoding: str = "gbk"
    east_first: bool = False
    zone: bool = True
    unit_m2: float = 10_000.0
    area_decimals: int = 4
    counts_closing: str = "all"
    closing: str = "same"
    restart: bool = False
    ring: str = "ring"
    prefix: str = "J"
    behind: str = ""
    point: str = "{label},{ring},{one},{other}"
    degrees: bool = False
    project: dict[str, str] | None = None
    wrong_last: bool = False

    def but(self, **changes) -> Dialect:
        """Return another dialect."""
        return replace(self, **changes)

    def text(self, lots: Sequence[Lot] = LOTS) -> str:
        """Return the whole file."""
        rows = []
        if self.project is not None:
            rows += ["[项目信息]", *(f"{key}={value}" for key, value in self.project.items())]
        if self.header is not None:
            rows += ["[属性描述]", *(f"{key}={value}" for key, value in self.header.items())]
        rows.append("[地块坐标]")
        for feature, lot in enumerate(lots, 1):
            rows += self._parcel(lot, feature)
        return self.end.join(rows) + self.end

    def content(self, lots: Sequence[Lot] = LOTS) -> bytes:
        """Return its bytes."""
        return self.text(lots).encode(self.encoding)

    def _parcel(self, lot: Lot, feature: int) -> list[str]:
        points, number, n_closings = [], 0, 0
        rings = [ring for part in shapely.get_parts(lot.shape) for ring in (part.exterior, *part.interiors)]
        for at, ring in enumerate(rings, 1):
            vertices = list(ring.coords)[:-1]
            number = 0 if self.restart else number
            first = number + 1
            labelled = [(first + place, vertex) for place, vertex in enumerate(vertices)]
            number += len(vertices)
            if self.closing != "none":
                n_closings += 1
                closes = {"same": first, "next": number + 1, "one": 1}[self.closing]
                labelled.append((closes, vertices[0]))
                number += self.closing == "next"
            shown = {"ring": at, "feature": feature, "one": 1}[self.ring]
            points += [self._point(label, shown, vertex) for label, vertex in labelled]
        if self.wrong_last:
            label, shown, one, _ = points[-1].split(",")
            points[-1] = ",".join((label, shown, one, one))
        n_points = sum(len(ring.coords) - 1 for ring in rings)
        count = {"all": n_points + n_closings, "none": n_points, "less one": n_points + n_closings - 1, "as closed": n_points + len(rings)}[
            self.counts_closing
        ]  # fmt: skip
        area = lot.area if lot.area is not None else f"{lot.shape.area / self.unit_m2:.{self.area_decimals}f}"
        values = {"count": str(count), "area": area, "number": lot.number, "name": lot.name, "sheet": "", "use": lot.use, "code": lot.code}
        line = ",".join(values.get(name, name if name in ("面", "x") else "") for name in self.line)
        return [f"{line},@{self.behind}", *points] if self.line else points

    def _point(self, label: int, ring: int, vertex: tuple[float, float]) -> str:
        x, y = vertex[0] - (0 if self.zone or self.degrees else 39_000_000), vertex[1]
        places = 9 if self.degrees else 3
        east, north = f"{x:.{places}f}", f"{y:.{places}f}"
        one, other = (east, north) if self.east_first else (north, east)
        return self.point.format(label=f"{self.prefix}{label}", ring=ring, one=one, other=other)


STANDARD = Dialect()
