"""Plant faults in every layer, each of a kind that a check or the ingest of that layer must find."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import shapely

from lowland_gis.sample.dice import generator
from lowland_gis.sample.further import FURTHER
from lowland_gis.sample.spoil import NOTES, SHAPE, Planted, Record, bow_tie, new_keys, sliver, swollen

Change = Callable[[pd.Series, str], Any]

STRANGE_CODES = {"CZCLX": "999", "QSXZ": "99"}
DAY_BEFORE = pd.Timestamp("1999-01-01")
# Beyond any district that the sample draws; still a place of the same plane.
AWAY_M = 20_000.0
SHORT_M = 1.0
EMPTY_CELLS = 4


PLANTED = {
    "parcel": Planted("ZDDM", (("wrong_area", "ZDMJ"), ("unknown_code", "QSXZ"))),
    "dltb3": Planted(
        "BSM", (("wrong_area", "TBMJ"), ("twice", SHAPE), ("short_code", "ZLDWDM"), ("outside", SHAPE))
    ),
    "czcdyd3": Planted(
        "BSM",
        (
            ("overlap", SHAPE),
            ("twice", SHAPE),
            ("unknown_code", "CZCLX"),
            ("missing_value", "CZCMJ"),
            ("short_code", "CZCDM"),
            ("wrong_area", "CZCMJ"),
            ("sliver", SHAPE),
        ),
    ),
    "dltb2": Planted(
        "BSM", (("wrong_area", "TBMJ"), ("twice", SHAPE), ("foreign_code", "ZLDWDM"), ("null_geometry", SHAPE))
    ),
    "xzdw2": Planted(
        "BSM",
        (
            ("unknown_code", "DLBM"),
            ("missing_value", "KD"),
            ("twice", SHAPE),
            ("short_line", SHAPE),
            ("null_geometry", SHAPE),
        ),
    ),
    "eco_redline": Planted(
        "BSM",
        (("bow_tie", SHAPE), ("overlap", SHAPE), ("twice", SHAPE), ("wrong_area", "MJ"), ("outside", SHAPE)),
    ),
    "farmland": Planted("BSM", (("wrong_date", "BHJSSJ"), ("twice", SHAPE), ("outside", SHAPE))),
    "development_boundary": Planted(
        "BSM", (("bow_tie", SHAPE), ("missing_value", "GHFQMC"), ("twice", SHAPE), ("wrong_area", "MJ"))
    ),
    "plan_zone": Planted(
        "BSM",
        (
            ("bow_tie", SHAPE),
            ("overlap", SHAPE),
            ("missing_value", "GHFQDM"),
            ("twice", SHAPE),
            ("wrong_area", "MJ"),
            ("sliver", SHAPE),
            ("null_geometry", SHAPE),
        ),
    ),
    "plan_parcel": Planted("DKBH", (("wrong_area", "YDMJ"), ("twice", SHAPE), ("outside", SHAPE))),
    "approval": Planted("PZWH", (("wrong_area", "DKMJ"), ("twice", SHAPE), ("null_geometry", SHAPE))),
    "supply": Planted("DZJGH", (("wrong_area", "GYMJ"), ("wrong_date", "YDDGSJ"), ("twice", SHAPE))),
    "building": Planted("JZBH", (("wrong_area", "JZMJ"), ("twice", SHAPE), ("null_geometry", SHAPE))),
    "road": Planted("MC", (("missing_value", "GRADE"), ("short_line", SHAPE), ("null_geometry", SHAPE))),
    "river": Planted("MC", (("bow_tie", SHAPE), ("twice", SHAPE), ("null_geometry", SHAPE))),
    "district": Planted("XZQDM", (("missing_value", "XZQMC"),)),
    "town": Planted("XZQDM", (("missing_value", "XZQMC"), ("overlap", SHAPE), ("twice", SHAPE))),
    "village": Planted(
        "XZQDM",
        (
            ("missing_value", "XZQMC"),
            ("bow_tie", SHAPE),
            ("overlap", SHAPE),
            ("sliver", SHAPE),
            ("outside", SHAPE),
            ("null_geometry", SHAPE),
            ("foreign_code", "XZQDM"),
        ),
    ),
    "enterprise": Planted(
        "宗地代码",
        (
            ("wrong_check_digit", "统一社会信用代码"),
            ("missing_value", "统一社会信用代码"),
            ("twice", "宗地代码"),
            ("foreign_code", "宗地代码"),
        ),
    ),
    **{layer.key: layer.planted for layer in FURTHER},
}  # fmt: skip
# These stand in the layer beside the record that they were made from.
ADDED = {"twice", "sliver", "short_line", "outside"}
# These would be told by their key from the record that they were made from, if they did not carry it on purpose.
RENAMED = {"sliver", "short_line", "outside"}


def plant_faults(
    layer: str,
    frame: gpd.GeoDataFrame,
    *,
    seed: int,
    share: float,
    spoilt: Collection[str] = (),
) -> tuple[gpd.GeoDataFrame, list[Record]]:
    """Return a layer with its faults, and the list of them; `share` is that of the records, at least one of each kind.

    Records whose key is in `spoilt` are left alone. A frame without geometries is planted too. Nothing is planted where `share`
    is 0.
    """
    if share <= 0:
        return frame, []
    planted = PLANTED[layer]
    frame = frame.reset_index(drop=True)
    random = generator(seed, f"plant {layer}")
    free = random.permutation(np.flatnonzero(~frame[planted.key].astype(str).isin(list(spoilt)).to_numpy()))
    each = max(1, round(share * len(frame) / len(planted.faults)))
    records: list[Record] = []
    for number, (fault, field) in enumerate(planted.faults):
        for row in free[number * each : (number + 1) * each].tolist():
            frame, key = _with_fault(frame, row, fault, field, planted.key)
            records.append((layer, str(key), fault, NOTES[fault]))
    return frame, records


def _with_fault(
    frame: gpd.GeoDataFrame, row: int, fault: str, field: str, key: str
) -> tuple[gpd.GeoDataFrame, object]:
    """Spoil a record, or put a spoilt copy of it at the end; return the key of the spoilt one too."""
    value = CHANGES[fault](frame.iloc[row], field)
    if fault not in ADDED:
        if field == SHAPE:
            shapes = frame.geometry.to_numpy().copy()
            shapes[row] = value
            return frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs)), frame[key].iloc[row]
        # The key itself may be what is spoilt; then the record goes by the wrong one.
        return frame.assign(**{field: _replaced(frame[field], row, value)}), (
            value if field == key else frame[key].iloc[row]
        )
    copy = frame.iloc[[row]].copy()
    if field == SHAPE:
        copy = copy.set_geometry(gpd.GeoSeries([value], index=copy.index, crs=frame.crs))
    if fault in RENAMED:
        copy[key] = new_keys(frame[key], 1)
    joined = pd.concat([frame, copy], ignore_index=True)
    if isinstance(frame, gpd.GeoDataFrame):
        joined = gpd.GeoDataFrame(joined, geometry=SHAPE, crs=frame.crs)
    return joined, copy[key].iloc[0]


def _replaced(values: pd.Series, row: int, value: object) -> pd.Series:
    changed = values.copy()
    changed.iloc[row] = value
    return changed


def _swollen(record: pd.Series, _field: str) -> Any:
    return swollen(record[SHAPE])


def _away(record: pd.Series, _field: str) -> Any:
    return shapely.transform(record[SHAPE], lambda xy: xy + np.array([-AWAY_M, 0.0]))


def _shortened(record: pd.Series, _field: str) -> Any:
    return shapely.LineString(shapely.line_interpolate_point(record[SHAPE], [0.0, SHORT_M]))


def _with_wrong_check_digit(record: pd.Series, field: str) -> str:
    code = str(record[field])
    return code[:-1] + ("1" if code[-1] != "1" else "2")


def _of_another_town(record: pd.Series, field: str) -> str:
    """Return a code of the neighbouring district."""
    code = str(record[field])
    return code[:5] + ("8" if code[5] != "8" else "9") + code[6:]


CHANGES: dict[str, Change] = {
    "bow_tie": lambda record, _: bow_tie(record[SHAPE]),
    "overlap": _swollen,
    "outside": _away,
    "sliver": lambda record, _: sliver(record[SHAPE]),
    "short_line": _shortened,
    "null_geometry": lambda _record, _field: None,
    "twice": lambda record, field: record[field],
    "missing_value": lambda _record, _field: None,
    "unknown_code": lambda _record, field: STRANGE_CODES.get(field, "999"),
    "short_code": lambda record, field: str(record[field])[:-1],
    "foreign_code": _of_another_town,
    "wrong_check_digit": _with_wrong_check_digit,
    "wrong_area": lambda record, field: round(0.9 * float(record[field]) - 10.0, 2),
    "wrong_date": lambda _record, _field: DAY_BEFORE,
}


def empty_cells(path: Path, ground: npt.NDArray[np.object_], *, seed: int) -> None:
    """Take the values out of a few cells of a raster, inside some ground."""
    random = generator(seed, "plant raster")
    with rasterio.open(path, "r+") as raster:
        spot = shapely.get_coordinates(shapely.point_on_surface(ground[random.integers(len(ground))]))[0]
        row, column = raster.index(*spot)
        values = raster.read(1)
        values[row : row + EMPTY_CELLS, column : column + EMPTY_CELLS] = raster.nodata
        raster.write(values, 1)
