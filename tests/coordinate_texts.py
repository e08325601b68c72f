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
                points[-1] = ",".join((label, str(shown), one, one))
        n_points = sum(len(ring.coords) - 1 for ring in rings)
        count = {"all": n_points + n_closings, "none": n_points, "less one": n_points + n_closings - 1, "as closed": n_points + len(rings)}[
            self.counts_closing
        ]  # fmt: skip
        area = lot.area if lot.area is not None else f"{lot.shape.area / self.unit_m2:.{self.area_decimals}f}"
        values = {
            "count": str(count),
            "area": area,
            "number": lot.number,
            "name": lot.name,
            "sheet": "",
            "use": lot.use,
            "code": lot.code,
        }
        line = ",".join(values.get(name, name if name in ("面", "x") else "") for name in self.line)
        return [f"{line},@{self.behind}", *points] if self.line else points

    def _point(self, label: int, ring: int, vertex: tuple[float, float]) -> str:
        x, y = vertex[0] - (0 if self.zone or self.degrees else 39_000_000), vertex[1]
        places = 9 if self.degrees else 3
        east, north = f"{x:.{places}f}", f"{y:.{places}f}"
        one, other = (east, north) if self.east_first else (north, east)
        return self.point.format(label=f"{self.prefix}{label}", ring=ring, one=one, other=other)


STANDARD = Dialect()


def _headed(**changes: str | None) -> dict[str, str]:
    return {key: value for key, value in (HEADER | changes).items() if value is not None}


_EIGHT = ("count", "area", "number", "name", "面", "sheet", "use", "code")
_LON, _LAT = 117.1234, 39.2345
DEGREES = (
    Lot(shapely.box(_LON, _LAT, _LON + 0.001, _LAT + 0.001), "1", "甲地块", "工业用地", "0601", "0.9585"),
    Lot(
        shapely.box(_LON + 0.01, _LAT, _LON + 0.011, _LAT + 0.001).difference(
            shapely.box(_LON + 0.0103, _LAT + 0.0003, _LON + 0.0106, _LAT + 0.0006)
        ),
        "2", "乙地块", "住宅用地", "0701", "0.8722",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A dialect, what is special about it in words, the system and some words of what is decided, and columns that it does not have."""

    dialect: Dialect
    special: str
    crs: str | None = "EPSG:4527"
    says: tuple[str, ...] = ("north first",)
    lacks: tuple[str, ...] = ()
    lots: tuple[Lot, ...] = LOTS
    doubts: tuple[str, ...] = ()


_NO_VERSION = {"格式版本号": None, "数据产生单位": None, "数据产生日期": None}
CASES = {
    "official text, provincial template": Case(STANDARD, "as the format says: GBK, CRLF, J, closed, hectares, zone before the east"),
    "shapefile converter (C#)": Case(
        STANDARD.but(restart=True, closing="next", unit_m2=1.0, area_decimals=2),
        "labels begin again in each ring, the closing point gets the next number, areas in m²", says=("areas in 平方米",),
    ),
    "supply of land, land for building (C#, 供地, 报批)": Case(
        STANDARD.but(header=_headed(精度="3"), counts_closing="less one"), "the count leaves one closing point out; 精度=3"
    ),
    "one map (C#, 一张图)": Case(
        STANDARD.but(header=_headed(**_NO_VERSION, 精度="0.01"), line=("number", "name", "面", "x4"), zone=True),
        "a line of number, name and kind; no version", lacks=("地块面积", "地块用途", "地类编码"),
    ),
    "enforcement by imagery (C#, 卫片)": Case(
        STANDARD.but(line=("count", "name", "面", "use"), east_first=True), "a line of count, name, kind and use; east first",
        says=("east first",), lacks=("地块面积", "地块编号", "地类编码"),
    ),
    "increase and decrease (C#, 增减挂钩)": Case(
        STANDARD.but(line=("count", "area", "", "name", "", "", "", "code"), point="{label},{one},{other},,{ring},", east_first=True, behind=" "),
        "points as number, east, north, nothing, ring; a blank behind the @", says=("two coordinates, ring", "east first"),
        lacks=("地块编号", "图形属性", "地块用途"),
    ),
    "plot to text (C#, CR only)": Case(
        STANDARD.but(line=("count", "name", "面", "use"), end="\r", ring="feature", east_first=True, behind=" "),
        "lines end with CR, the ring column numbers parcels", says=("lines end with CR", "east first"), lacks=("地块面积", "地块编号", "地类编码"),
    ),
    "text to geodatabase (arcpy)": Case(
        STANDARD.but(encoding="utf-8-sig", closing="none", counts_closing="none", prefix=""), "UTF-8 with a mark, no J, rings left open",
        says=("that no point closes were closed",),
    ),
    "converter in Rust": Case(STANDARD.but(encoding="utf-8", end="\n"), "UTF-8, LF, ring numbers run over all parts and holes", says=("LF",)),
    "converter in Python": Case(
        STANDARD.but(encoding="utf-8", end="\n", east_first=True, ring="one"), "east first, one ring number for all, labels run on", says=("east first",)
    ),
    "electronic submission (电子报盘)": Case(
        STANDARD.but(header=_headed(计量单位="度", 带号="", 几度分带="", 投影类型=""), degrees=True, closing="one"),
        "degrees, latitude first; the closing point is number 1", crs="EPSG:4490", says=("latitude first",), lots=DEGREES,
    ),
    "longitude and latitude without a header (JS)": Case(
        STANDARD.but(header=None, degrees=True, east_first=True, end="\n"), "no header at all, longitude first", crs=None,
        says=("longitude first",), lots=DEGREES,
    ),
    "Shanghai (arcpy)": Case(
        STANDARD.but(prefix="", east_first=True, wrong_last=True), "no J, east first, the closing line writes one coordinate twice",
        says=("east first",), doubts=("closing_wrong",) * 7,
    ),
    "converter that says 分带 (C#)": Case(
        STANDARD.but(header=_headed(几度分带=None, 分带="3度带"), closing="none", counts_closing="none"), "another key of the zone's width, rings left open",
        says=("that no point closes were closed",),
    ),
    "from a spreadsheet (Java)": Case(STANDARD.but(header=_headed(转换参数="0,0,0,0,0,0,0")), "seven zeros as parameters"),
    "no zone before the east": Case(STANDARD.but(zone=False), "带号=39 and six digits of east", crs="EPSG:4548", says=("no zone before the east",)),
    "six-degree zone, Xi'an 1980": Case(
        STANDARD.but(header=_headed(坐标系="80国家大地坐标系", 几度分带="6", 带号="20"), zone=False), "another datum, zones of 6 degrees",
        crs="EPSG:2345",
    ),
    "thirteen values a parcel": Case(
        STANDARD.but(line=(*_EIGHT, "", "", "", "", "")), "TBLX, DL, GZQ, GZH, BZ behind the eight values"
    ),
    "twelve values a parcel": Case(STANDARD.but(line=(*_EIGHT, "", "", "", "")), "four more values, called 属性9 to 属性12"),
    "labels 1, 2, 3, all rings closed by 1": Case(STANDARD.but(prefix="", closing="one", counts_closing="none", area_decimals=1, unit_m2=666.6666666667), "areas in mu", says=("areas in 亩",)),
    "points only": Case(
        STANDARD.but(line=()), "no line of a parcel, so one parcel", lots=LOTS[2:], lacks=("地块面积", "地块编号", "地块名称", "图形属性", "地块用途", "地类编码")
    ),
    "a project before the header": Case(STANDARD.but(project={"项目名称": "某项目", "项目编号": "XM-1"}), "its keys become columns"),
}  # fmt: skip


TEXT = STANDARD.text()
ROWS = TEXT.split("\r\n")
FIRST = ROWS.index("[地块坐标]") + 2


def changed(place: int, row: str) -> str:
    """The standard text with one line in place of another."""
    return "\r\n".join([*ROWS[:place], row, *ROWS[place + 1 :]])


def headed(key: str, value: str) -> str:
    """The standard text with another value in its header."""
    return TEXT.replace(f"{key}={HEADER[key]}", f"{key}={value}")


BAD = {
    "empty": ("", "it is empty"),
    "a note": ("Dear colleagues,\r\nplease find attached", "it is no coordinate text"),
    "header only": (TEXT.split("[地块坐标]")[0], "it has no \\[地块坐标\\]"),
    "no parcels": (TEXT.split("[地块坐标]")[0] + "[地块坐标]\r\n", "nothing stands behind \\[地块坐标\\]"),
    "two headers": (TEXT + TEXT, "line 51: there is a second \\[属性描述\\]"),
    "a key twice": (TEXT.replace("带号=39", "带号=39\r\n带号=40"), "line 10: 带号 is '40' here and '39' in line 9"),
    "another zone in the header": (headed("带号", "38"), "line 9: 带号 is 38, but the coordinates are of zone 39"),
    "a zone that there is not": (STANDARD.but(zone=False, header=HEADER | {"带号": "50"}).text(), "there is no zone 50"),
    "zone and width": (headed("几度分带", "6"), "line 6: there is no zone 39 of 6 degrees"),
    "a zone in words": (headed("带号", "三十九"), "line 9: 带号 is '三十九'"),
    "another unit": (headed("计量单位", "度"), "line 8: 计量单位 is '度', but the coordinates are metres"),
    "parameters": (headed("转换参数", "12.5,-3,0,0,0,0,0"), "转换参数 12.5,-3,0,0,0,0,0.*--conversion done"),
    "parameters that are no numbers": (headed("转换参数", "见附件"), "转换参数 is '见附件'"),
    "wrong count": (TEXT.replace("\r\n5,0.8", "\r\n9,0.8"), "line 13: the parcel is to have 9 points, and 4 are there"),
    "a count in words": (TEXT.replace("\r\n5,0.8", "\r\n五,0.8"), "line 13: '五' stands where the number of points"),
    "an area with thousands": (TEXT.replace(",0.8000,", ",1 234.5,"), "line 13: '1 234.5' stands where the area"),
    "a line that does not close": (changed(FIRST + 4, "J1,1,4345300.500,39515101.125"), "line 18: the ring does not close: J1 is to be the point of line 14 and lies 1 from it"),
    "thousands parted by commas": (changed(FIRST + 1, "J2,1,4,345,380.5,39,515,100.125"), "line 15: .* has 8 values where points are .*thousands are parted"),
    "thousands parted by blanks": (changed(FIRST + 1, "J2,1,4 345 380.5,39 515 100.125"), "line 15: '4 345 380.5' stands where a coordinate"),
    "full-width digits": (changed(FIRST + 1, "J2,1,４345380.5,39515100.125"), "line 15: '４345380.5' stands where a coordinate"),
    "not a number": (changed(FIRST + 1, "J2,1,nan,39515100.125"), "line 15: 'nan' stands"),
    "a point in another zone": (changed(FIRST + 1, "J2,1,4345380.5,40515100.125"), "line 15: the point is of zone 40"),
    "a digit lost": (changed(FIRST + 1, "J2,1,434538.5,3951510.125"), "line 15: 434538.5, 3951510.125 are no north and east"),
    "axes changed within": (changed(FIRST + 1, "J2,1,39515100.125,4345380.5"), "line 15: .* are no north and east as those of the other"),
    "a crossing ring": (
        STANDARD.text([Lot(shapely.Polygon([(EAST, NORTH), (EAST + 100, NORTH + 80), (EAST + 100, NORTH), (EAST, NORTH + 81)]), area="0.1")]),
        "the outline crosses itself near here, at 395150",
    ),
    "rings that cross": (
        STANDARD.text([Lot(shapely.MultiPolygon([BOX, shapely.transform(BOX, lambda xy: xy + 30)]), area="1.6")]), "the outline crosses itself near here"
    ),
    "a word behind the mark": (TEXT.replace(",0601,@", ",0601,@x"), "line 13: 'x' stands behind the @"),
    "parcels of unlike lines": (TEXT.replace("10,0.9600,2,乙地块,面,,住宅用地,0701,@", "10,乙地块,面,住宅用地,@"), "line 19: the parcel has 4 values"),
    "seven values": (TEXT.replace(",面,,", ",,"), "line 13: the parcel has 7 values before the @"),
    "a parcel without points": (TEXT + "5,1.0,9,丁,面,,,,@\r\n", "line 51: the parcel has no points"),
    "a ring of two points": ("\r\n".join([*ROWS[:FIRST], "J1,1,4345300.500,39515000.125", "J2,1,4345380.500,39515000.125"]).replace("5,0.8", ",0.8"), "a ring of 2 points"),
    "a point before the parcels": (TEXT.replace("[地块坐标]\r\n", "[地块坐标]\r\nJ1,1,4345300.500,39515000.125\r\n"), "line 13: a point stands before"),
    "NUL": (changed(FIRST + 1, "J2,1,\0\0\0"), "line 15: holds NUL"),
    "words among points": (changed(FIRST + 1, "备注=略"), "line 15: '备注=略' is no key with its value, no parcel and no point"),
    "both six digits": (
        STANDARD.but(zone=False).text([Lot(shapely.box(39_500_000, 400_000, 39_500_100, 400_100))]), "500000 can both be north and east|can both be north and east"
    ),
}  # fmt: skip
