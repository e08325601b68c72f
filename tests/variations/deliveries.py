"""The same land delivered another way: in parts, twice, corrected, in another folder, with a layer or a town less."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely

from variations.forms import as_delivered
from variations.incoming import Delivered, Incoming, rows_of
from variations.shapes import rewritten

SPLIT = ("parcel", "dltb3", "dltb2", "building", "farmland", "plan_parcel", "approval", "supply")
# No measure, unit or package rests on them.
_UNREAD = {"village"}
_NAMES = {"XZQMC", "MC"}
_MOVED_M = 130.0
FIRST_TOWN = "120113100"


def split_by_town(incoming: Incoming) -> Incoming:
    """Deliver large layers in one part a town, by where the middle of each feature lies."""
    towns = rows_of(incoming.the("town"))
    layers: list[Delivered] = []
    for item in incoming.layers:
        layers += _parts(item, towns) if item.layer in SPLIT else [item]
    return replace(incoming, layers=tuple(layers))


def _parts(item: Delivered, towns: gpd.GeoDataFrame) -> list[Delivered]:
    rows = rows_of(item)
    if item.layer == "parcel":
        names = rows["ZDDM"].str[:9].to_numpy()
    else:
        middles = shapely.centroid(rows.to_crs(towns.crs).geometry.to_numpy())
        names = np.full(len(rows), str(towns["XZQDM"].iloc[0]), dtype=object)
        for code, shape in zip(towns["XZQDM"], towns.geometry, strict=True):
            names[shapely.contains(shape, middles)] = str(code)
    return [
        replace(item, part=f"乡镇{name}", rows=rows[names == name], write=item.write or as_delivered)
        for name in sorted(set(names))
    ]


def twice(incoming: Incoming) -> Incoming:
    """Run the whole flow over the same files a second time."""
    return replace(incoming, again=True)


def same_rows_again(incoming: Incoming) -> Incoming:
    """Deliver every vector layer a second time: the same rows in other bytes."""
    return replace(incoming.each(rewritten), before=incoming.layers)


def corrected(*layers: str) -> Callable[[Incoming], Incoming]:
    """Return what delivers layers wrongly first – moved, with old names, a third missing – and then as they are."""

    def changed(incoming: Incoming) -> Incoming:
        read = not layers or not _UNREAD.issuperset(layers)
        return replace(incoming, before=incoming.each(_wrong, *layers).layers, mixes=read)

    return changed


def town_of_the_whole(incoming: Incoming) -> Incoming:
    """Deliver parcels, plans and buildings whole, in one town wrongly; then that town alone as it is, beside the same whole."""
    towns = rows_of(incoming.the("town"))
    whole: list[Delivered] = []
    parts: list[Delivered] = []
    for item in incoming.layers:
        if item.layer not in ("parcel", "plan_parcel", "building"):
            whole.append(item)
            continue
        rows = rows_of(item)
        here = _mostly_in(rows, towns, FIRST_TOWN)
        wrong = rows[here][np.arange(here.sum()) % 3 != 1]
        # One file that both states name: written twice it would have other bytes, and be another delivery.
        written = replace(item, rows=pd.concat([wrong, rows[~here]]))
        source = (item.write or as_delivered)(Path(tempfile.mkdtemp(prefix="lowland-whole-")), written)
        whole.append(replace(item, source=source))
        parts.append(replace(item, part=FIRST_TOWN, rows=rows[here], write=item.write or as_delivered))
    return replace(incoming, layers=(*whole, *parts), before=tuple(whole))


def _mostly_in(rows: gpd.GeoDataFrame, towns: gpd.GeoDataFrame, code: str) -> np.ndarray:
    """Tell which features lie in a town by the largest share of their area."""
    # Some shapes are spoilt on purpose.
    shapes = shapely.make_valid(
        rows.to_crs(towns.crs).geometry.to_numpy(), method="structure", keep_collapsed=False
    )
    shares = [shapely.area(shapely.intersection(shapes, town)) for town in towns.geometry]
    return (towns["XZQDM"].astype(str).to_numpy()[np.argmax(shares, axis=0)] == code) & (
        np.max(shares, axis=0) > 0
    )


def _wrong(item: Delivered) -> Delivered:
    """Leave out every third row, move the others to the north-east, and put a word before names."""
    rows = rows_of(item)
    rows = rows[np.arange(len(rows)) % 3 != 1].copy()
    for name in _NAMES & set(rows.columns):
        rows[name] = "旧" + rows[name].astype(str)
    if "geometry" in rows.columns:
        step = _MOVED_M / 111_320 if rows.crs.is_geographic else _MOVED_M
        rows = rows.set_geometry(rows.geometry.translate(step, step))
    return replace(item, rows=rows, write=item.write or as_delivered)


def corrected_raster(incoming: Incoming) -> Incoming:
    """Deliver a raster first whose every cell is half of the right value."""
    wrong = replace(incoming.the("raster"), write=_half_raster)
    layers = tuple(wrong if item.layer == "raster" else item for item in incoming.layers)
    return replace(incoming, before=layers)


def _half_raster(folder: Path, item: Delivered) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    with rasterio.open(item.source) as source:
        values, profile = source.read(1), source.profile
    values[values != profile["nodata"]] *= 0.5
    with rasterio.open(folder / "建成强度.tif", "w", **profile) as target:
        target.write(values, 1)
    return str(folder / "建成强度.tif")


def without_town(incoming: Incoming) -> Incoming:
    """Deliver no parcels of the first town."""

    def fewer(item: Delivered) -> Delivered:
        rows = rows_of(item)
        here = rows["ZDDM"].str.startswith(FIRST_TOWN)
        assert here.any()
        return replace(item, rows=rows[~here], write=as_delivered)

    return incoming.each(fewer, "parcel")


def missing(layer: str) -> Callable[[Incoming], Incoming]:
    """Return what leaves one layer out."""
    return lambda incoming: incoming.without(layer)


def in_odd_folder(incoming: Incoming) -> Incoming:
    """Put the project with all its files into a folder whose name has blanks, `!`, `#`, `%`, quotes and brackets."""
    return replace(incoming, folder="第1批！ new! (终稿) #2 100% 'a' &b", copied=True)


def in_gbk_locale(incoming: Incoming) -> Incoming:
    """Call every command in the locale zh_CN.GBK, as `make` does: in Python's UTF-8 mode."""
    return replace(incoming, environment=_gbk("1"))


def in_gbk_locale_alone(incoming: Incoming) -> Incoming:
    """Call every command in the locale zh_CN.GBK without Python's UTF-8 mode; names on the disk stay in UTF-8."""
    return replace(incoming, environment=_gbk("0"))


def _gbk(utf8_mode: str) -> dict[str, str]:
    return {
        "LC_ALL": "zh_CN.GBK",
        "LANG": "zh_CN.GBK",
        "LOCPATH": gbk_locale(),
        "PYTHONUTF8": utf8_mode,
        "PYTHONCOERCECLOCALE": "0",
    }


@cache
def gbk_locale() -> str:
    """Compile the locale zh_CN.GBK into a folder of its own, which needs no administrator, and return the folder."""
    folder = Path(tempfile.mkdtemp(prefix="lowland-locale-"))
    command = ["localedef", "-i", "zh_CN", "-f", "GBK", str(folder / "zh_CN.GBK")]
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=os.environ | {"LC_ALL": "C"})
    return str(folder)
