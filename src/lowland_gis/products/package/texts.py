"""Coordinate texts (勘测定界 TXT) of a package: the outlines of a layer in the form that a receiving system asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from lowland_gis.definitions.package import CoordinateText, PackageDefinition
from lowland_gis.files.coordinate_text.templates import template
from lowland_gis.files.exported.coordinate_text import plane_of, with_zone, write_txt
from lowland_gis.files.exported.layer import Layer
from lowland_gis.products.package.layers import PackageNames, PreparedLayer

# What tells parcels apart in a text: the number, or where a form has no place for it the name.
NUMBER, NAME = "地块编号", "地块名称"
_USE = "地块用途"
_ZONE_M = 1_000_000.0


def write_texts(
    root: Path, layers: Sequence[PreparedLayer], definition: PackageDefinition, names: PackageNames
) -> dict[str, Path]:
    """Write every text that a definition asks for, below `root`, and return path in the definition → file.

    Raises:
        InputRefusedError: a layer is in a plane that no header can say, a row has no outline, or a value has no place in GBK.
    """
    by_name = {layer.definition.name: layer for layer in layers}
    found = {}
    for text in definition.texts:
        path = root / names.fill(text.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_txt([_as_layer(text, by_name[text.layer])], path, date(names.year, 1, 1), text.template)
        found[text.path] = path
    return found


def told_apart_by(text: CoordinateText) -> str:
    """Return the value of a parcel's line that tells parcels apart in the form of a text."""
    return NUMBER if NUMBER in template(text.template).line else NAME


def without_zone(shapes: npt.NDArray[np.object_], system: str) -> npt.NDArray[np.object_]:
    """Return shapes without the number of the zone before their east, where their system has it there."""
    plane = plane_of(system)
    return _moved(shapes, -_ZONE_M * plane.zone) if plane is not None and plane.before else shapes


def _as_layer(text: CoordinateText, layer: PreparedLayer) -> Layer:
    columns = {NUMBER: layer.columns[text.number]}
    columns[NAME] = layer.columns[text.name or text.number]
    if text.use is not None:
        columns[_USE] = layer.columns[text.use]
    shapes = np.empty(layer.n_rows, dtype=object)
    shapes[:] = layer.geometries
    shapes, system = shapely.force_2d(shapes), layer.crs
    if system is not None and (zoned := with_zone(system)) != system:
        plane = plane_of(zoned)
        shapes, system = _moved(shapes, _ZONE_M * plane.zone if plane is not None else 0.0), zoned
    table = pa.table({name: pa.array(map(_text, values), pa.string()) for name, values in columns.items()})
    return Layer(layer.definition.name, table, shapes, system)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _moved(shapes: npt.NDArray[np.object_], east_m: float) -> npt.NDArray[np.object_]:
    moved: npt.NDArray[np.object_] = shapely.transform(
        shapes, lambda corners: corners + np.array([east_m, 0.0])
    )
    return moved
