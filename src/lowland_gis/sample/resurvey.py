"""The survey of the second year: land-use polygons that change, and the increment (DLTBGX, DLTBGXGC) that says so.

The increment keeps to the rules of the yearly survey: the process layer holds the pieces of old ∩ new; the pieces of an old polygon add up to
its area, what rounding leaves is spread over them in steps of 0.01 m²; a polygon whose shape alone changed keeps its number (标识码).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.sample.codes import THIRD_SURVEY_NAMES
from lowland_gis.sample.dice import Floats, generator
from lowland_gis.sample.geometry import CRS, ellipsoidal_area
from lowland_gis.sample.grown import Growth, halves
from lowland_gis.sample.places import DISTRICT_CODE

SECOND_YEAR = 2024
GONE, ATTRIBUTES, SHAPE, NEW = "0", "1", "2", "3"
INSIDE = "0"
DAY = np.datetime64(f"{SECOND_YEAR}-12-31", "D")
# What a polygon turns into, class by class.
TURNS = {"1104": "0102", "0301": "0102", "0201": "0102", "0102": "0201", "1201": "0810"}
RECLAIMED, WORKS = "0103", "0601"
STRIP_M, LEAST_EDGE_M, LEAST_M2 = 6.0, 40.0, 1_500.0
PAIRED = (
    ("TBBSM", "BSM"), ("TBBH", "TBBH"), ("DLBM", "DLBM"), ("DLMC", "DLMC"), ("QSXZ", "QSXZ"), ("QSDWDM", "QSDWDM"), ("QSDWMC", "QSDWMC"),
    ("ZLDWDM", "ZLDWDM"), ("ZLDWMC", "ZLDWMC"), ("KCDLBM", "KCDLBM"), ("KCXS", "KCXS"), ("KCMJ", "KCMJ"), ("TBDLMJ", "TBDLMJ"),
    ("GDLX", "GDLX"), ("GDPDJB", "GDPDJB"), ("XZDWKD", "XZDWKD"), ("TBXHDM", "TBXHDM"), ("TBXHMC", "TBXHMC"), ("ZZSXDM", "ZZSXDM"),
    ("ZZSXMC", "ZZSXMC"), ("GDDB", "GDDB"), ("FRDBS", "FRDBS"), ("CZCSXM", "CZCSXM"), ("MSSM", "MSSM"), ("HDMC", "HDMC"),
)  # fmt: skip


@dataclass(frozen=True)
class Survey:
    """The survey of both years, and the increment between them; all of EPSG:4548."""

    before: gpd.GeoDataFrame
    now: gpd.GeoDataFrame
    changed: gpd.GeoDataFrame
    process: gpd.GeoDataFrame


@dataclass
class _Piece:
    old: int
    new: str
    shape: Any
    behaviour: str
    area: float = 0.0


@dataclass
class _Changed:
    """The polygons that are others by now, by their number: the record that each is made from, its class and its pieces."""

    growth: Growth
    features: gpd.GeoDataFrame
    pieces: list[_Piece] = field(default_factory=list)
    made: dict[str, tuple[int, str]] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    listed: list[tuple[str, str, list[str], list[str]]] = field(default_factory=list)

    def number(self, row: int) -> str:
        return str(self.features["BSM"].iloc[row])

    def code(self, row: int) -> str:
        return str(self.features["DLBM"].iloc[row])

    def fresh(self) -> str:
        return f"{DISTRICT_CODE}{len(self.features) + len(self.made) + 1:012d}"

    def turn(self, row: int, code: str) -> None:
        """Give a whole polygon another class."""
        self.taken.add(row)
        self._piece(row, self.number(row), self.features.geometry.iloc[row], ATTRIBUTES, code)
        self.listed.append(("attribute_changed", "survey_increment", [self.number(row)], [self.number(row)]))

    def cut(self, row: int, rest: Any, piece: Any, code: str, cause: str) -> None:
        """Cut a polygon into the rest of it and a piece of another class, or turn all of it where nothing is left."""
        if rest.area < LEAST_SHARE_M2:
            self.turn(row, code)
            return
        self.taken.add(row)
        fresh = self.fresh()
        self._piece(row, fresh, piece, NEW, code)
        self._piece(row, self.number(row), rest, SHAPE, self.code(row))
        self.listed.append(("split", cause, [self.number(row)], [self.number(row), fresh]))

    def join(self, row: int, other: int) -> None:
        """Let a polygon go up in its neighbour."""
        self.taken |= {row, other}
        name = self.number(row)
        self._piece(row, name, self.features.geometry.iloc[row], SHAPE, self.code(row))
        self._piece(other, name, self.features.geometry.iloc[other], GONE, self.code(row))
        self.listed.append(("merged", "survey_increment", [name, self.number(other)], [name]))

    def move(self, row: int, other: int, strip: Any) -> None:
        """Move the line between two polygons: a strip of one goes over to the other."""
        self.taken |= {row, other}
        rest = shapely.difference(self.features.geometry.iloc[row], strip)
        self._piece(row, self.number(row), rest, SHAPE, self.code(row))
        self._piece(row, self.number(other), strip, SHAPE, self.code(other))
        self._piece(other, self.number(other), self.features.geometry.iloc[other], SHAPE, self.code(other))
        for one in (row, other):
            self.listed.append(("boundary_drifted", "resurvey", [self.number(one)], [self.number(one)]))

    def _piece(self, old: int, new: str, shape: Any, behaviour: str, code: str) -> None:
        self.pieces.append(_Piece(old, new, shape, behaviour))
        # The polygon that the number stood for already gives the other fields, wherever there is one.
        own = self.number(old) == new
        if own or new not in self.made:
            self.made[new] = (old, code)


LEAST_SHARE_M2 = 0.5


def survey_year(
    growth: Growth, settled: list[tuple[int, list[Any]]], reclaimed: list[tuple[int, int]]
) -> Survey:
    """Return the survey of both years and the increment; `settled` are fields with the piece of each that is works, `reclaimed` lots that are fields, each with its polygon."""
    features = growth.first.features.assign(SJNF=np.int32(SECOND_YEAR - 1))
    changed = _Changed(growth, features)
    for row, (rest, piece) in settled:
        changed.cut(row, rest, piece, WORKS, "new_construction")
    _reclaim(changed, reclaimed)
    _turn_some(changed)
    _join_some(changed)
    _move_some(changed)
    _measure(changed)
    made = _made(changed)
    before = features.drop(columns="_leaf")
    kept = before[~before["BSM"].isin({changed.number(piece.old) for piece in changed.pieces})]
    now = pd.concat([kept, made.drop(columns="GXSJ")], ignore_index=True).sort_values(
        "BSM", ignore_index=True
    )
    now = gpd.GeoDataFrame(now, geometry="geometry", crs=CRS).assign(SJNF=np.int32(SECOND_YEAR))
    _list(changed, before, made)
    return Survey(before, now.astype(before.dtypes.to_dict()), made, _process(changed, before, made))


def _reclaim(changed: _Changed, reclaimed: list[tuple[int, int]]) -> None:
    for lot, row in reclaimed:
        outline = changed.growth.shapes[lot]
        rest = shapely.difference(changed.features.geometry.iloc[row], outline)
        changed.cut(row, rest, outline, RECLAIMED, "demolished")


def _order(changed: _Changed, topic: str) -> list[int]:
    order = generator(changed.growth.seed, f"year survey {topic}").permutation(len(changed.features))
    return [int(row) for row in order]


def _turn_some(changed: _Changed) -> None:
    left = changed.growth.count()
    for row in _order(changed, "turn"):
        code = changed.code(row)
        if left == 0 or row in changed.taken or code not in TURNS:
            continue
        parts = halves(changed.features.geometry.iloc[row]) if left % 2 else []
        if parts and parts[1].area > LEAST_M2:
            changed.cut(row, parts[0], parts[1], TURNS[code], "survey_increment")
        else:
            changed.turn(row, TURNS[code])
        left -= 1


def _join_some(changed: _Changed) -> None:
    left, frame = changed.growth.count() // 2, changed.features
    shapes = frame.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    same = frame["DLBM"] + frame["ZLDWDM"] + frame["CZCSXM"].fillna("") + frame["QSXZ"]
    for row in _order(changed, "join"):
        if left == 0:
            return
        if row in changed.taken or changed.code(row) not in TURNS:
            continue
        for other in sorted(tree.query(shapes[row], predicate="touches").tolist()):
            if (
                other in changed.taken
                or same.iloc[other] != same.iloc[row]
                or not _one(shapes[row], shapes[other])
            ):
                continue
            changed.join(row, other)
            left -= 1
            break


def _one(shape: Any, other: Any) -> bool:
    whole = shapely.coverage_union(shape, other)
    return bool(
        shapely.get_num_geometries(whole) == 1
        and shapely.length(shapely.intersection(shape, other)) > LEAST_EDGE_M
    )


def _move_some(changed: _Changed) -> None:
    left, shapes = changed.growth.count() // 2, changed.features.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    for row in _order(changed, "move"):
        if left == 0:
            return
        if row in changed.taken or changed.code(row) not in TURNS:
            continue
        for other in sorted(tree.query(shapes[row], predicate="touches").tolist()):
            edge = shapely.intersection(shapes[row], shapes[other])
            if (
                other in changed.taken
                or changed.code(other) not in TURNS
                or shapely.length(edge) < LEAST_EDGE_M
            ):
                continue
            strip = shapely.intersection(shapes[row], shapely.buffer(edge, STRIP_M, cap_style="flat"))
            whole = shapely.union(shapes[other], strip)
            rest = shapely.difference(shapes[row], strip)
            if {strip.geom_type, whole.geom_type, rest.geom_type} != {"Polygon"} or rest.area < LEAST_M2:
                continue
            changed.move(row, other, strip)
            left -= 1
            break


def _measure(changed: _Changed) -> None:
    """Measure the pieces so that those of an old polygon add up to what it was, in steps of 0.01 m² spread over the largest first."""
    areas = np.round(
        ellipsoidal_area(np.array([piece.shape for piece in changed.pieces], dtype=object)) * 100
    )
    old = np.array([piece.old for piece in changed.pieces])
    for row in np.unique(old):
        mine = np.flatnonzero(old == row)
        areas[mine] += _spread(
            round(float(changed.features["TBMJ"].iloc[row]) * 100) - areas[mine].sum(), areas[mine]
        )
    for piece, area in zip(changed.pieces, areas, strict=True):
        piece.area = round(float(area) / 100, 2)


def _spread(steps: float, areas: Floats) -> Floats:
    """Spread a number of steps evenly over pieces; what does not divide goes to the largest ones.

    >>> _spread(3, np.array([10.0, 30.0])).tolist()
    [1.0, 2.0]
    """
    each, rest = divmod(abs(int(steps)), len(areas))
    more = np.full(len(areas), float(each))
    more[np.argsort(-areas, kind="stable")[:rest]] += 1
    return np.asarray(np.sign(steps) * more)


def _made(changed: _Changed) -> gpd.GeoDataFrame:
    """Return the polygons as they are now (DLTBGX)."""
    rows = []
    numbers = {
        unit: int(values.astype(int).max()) for unit, values in changed.features.groupby("ZLDWDM")["TBBH"]
    }
    for name, (old, code) in sorted(changed.made.items()):
        record = dict(changed.features.iloc[old].drop(["geometry", "_leaf"]))
        parts = [piece for piece in changed.pieces if piece.new == name]
        unit = str(record["ZLDWDM"])
        if name != record["BSM"]:
            numbers[unit] += 1
            record["TBBH"] = str(numbers[unit])
        area = round(sum(piece.area for piece in parts), 2)
        shape = parts[0].shape if len(parts) == 1 else shapely.union_all([piece.shape for piece in parts])
        rows.append(
            {**record, **_of_class(record, code), "BSM": name, "TBMJ": area, "TBDLMJ": area, "SJNF": SECOND_YEAR,
             "GXSJ": DAY, "geometry": shape}
        )  # fmt: skip
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def _of_class(record: dict[str, Any], code: str) -> dict[str, Any]:
    """Return the fields that go with a class."""
    if record["DLBM"] == code:
        return {}
    arable, built = code.startswith("01"), code == WORKS
    return {
        "DLBM": code, "DLMC": THIRD_SURVEY_NAMES[code], "KCXS": 0.0 if arable else np.nan, "GDLX": "PD" if arable else None,
        "GDPDJB": "1" if arable else None, "XZDWKD": np.nan, "ZZSXDM": "LS" if arable else None,
        "ZZSXMC": "种植粮食作物" if arable else None, "GDDB": 11 if arable else pd.NA,
        "CZCSXM": "203A" if built else record["CZCSXM"] if code == "0810" else None, "QSXZ": "10" if built else record["QSXZ"],
    }  # fmt: skip


def _process(changed: _Changed, before: gpd.GeoDataFrame, made: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the process layer (DLTBGXGC): each piece with what it was and what it is."""
    now = made.set_index("BSM", drop=False)
    rows = []
    for number, piece in enumerate(sorted(changed.pieces, key=lambda one: (one.old, one.new)), start=1):
        old, new = before.iloc[piece.old], now.loc[piece.new]
        record: dict[str, Any] = {
            "BSM": f"{DISTRICT_CODE}{number:012d}", "YSDM": "2001010100", "BGXW": piece.behaviour, "XZQTZLX": INSIDE,
            "TBBGMJ": piece.area, "GXSJ": DAY,
        }  # fmt: skip
        for name, source in PAIRED:
            record[f"BGQ{name}"], record[f"BGH{name}"] = old[source], new[source]
        record |= {"BGHKCMJ": 0.0, "BGHTBDLMJ": piece.area, "geometry": piece.shape}
        rows.append(record)
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def _list(changed: _Changed, before: gpd.GeoDataFrame, made: gpd.GeoDataFrame) -> None:
    old, new = before.set_index("BSM"), made.set_index("BSM")
    for change, cause, gone, come in changed.listed:
        areas = float(old.loc[gone, "TBMJ"].sum()), float(new.loc[come, "TBMJ"].sum())
        codes = f"DLBM:{'+'.join(sorted(set(old.loc[gone, 'DLBM'])))}>{'+'.join(sorted(set(new.loc[come, 'DLBM'])))}"
        changed.growth.changes.add(
            "dltb_annual", change, cause, before=gone, after=come, areas=areas,
            fields=[codes] if change in ("attribute_changed", "split") else [], note="年度变更调查",
        )  # fmt: skip
