"""Hold the coordinate texts of a package against the layers whose outlines they are to have: the same parcels, to a millimetre."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.definitions.package import CoordinateText, PackageDefinition
from lowland_gis.errors import LowlandError
from lowland_gis.products.judging.delivered import Held, Inventory, pattern, read_layer
from lowland_gis.products.judging.findings import Finding
from lowland_gis.products.package.layers import PreparedLayer
from lowland_gis.products.package.texts import NAME, NUMBER, told_apart_by, without_zone

SUFFIX = ".txt"
# A text is written to a millimetre; half of one is lost by rounding, on each axis.
_SAME_M = 0.0015


def coordinate_text_findings(
    held: Inventory, definition: PackageDefinition, layers: Mapping[str, PreparedLayer], taken: set[str]
) -> Iterator[Finding]:
    """Yield what is wrong with each text that the definition asks for; `taken` gets the files that were one."""
    for text in definition.texts:
        file = _found(text, held, taken)
        expected = text.path if held.names is None else held.names.fill(text.path)
        if file is None:
            yield Finding("layer_missing", expected, text.layer, expected="coordinate text")
            continue
        taken.add(file)
        if not pattern(text.path, held.names).fullmatch(held.inside(file)):
            yield Finding("place", file, text.layer, value=held.inside(file), expected=expected)
        if text.layer in layers:
            yield from _compared(text, file, held, layers[text.layer])


def _found(text: CoordinateText, held: Inventory, taken: set[str]) -> str | None:
    """Return the file at its place, else one of its name anywhere."""
    free = [file for file in held.others if file.lower().endswith(SUFFIX) and file not in taken]
    name = pattern(text.path.rsplit("/", 1)[-1], held.names)
    place = pattern(text.path, held.names)
    at = [file for file in free if place.fullmatch(held.inside(file))]
    return next(iter([*at, *(file for file in free if name.fullmatch(file.rsplit("/", 1)[-1]))]), None)


def _compared(text: CoordinateText, file: str, held: Inventory, layer: PreparedLayer) -> Iterator[Finding]:
    try:
        came = read_layer(Held("coordinate_text", file, text.layer, held.folder / file))
    except LowlandError as error:
        yield Finding("unreadable", file, text.layer, value=str(error))
        return
    wanted = [str(value) for value in layer.columns[text.number]]
    column = next(
        (name for name in (told_apart_by(text), NUMBER, NAME) if name in came.table.column_names), None
    )
    said = [] if column is None else [str(value) for value in came.table.column(column).to_pylist()]
    shapes = np.empty(0, dtype=object) if came.shapes is None else came.shapes
    if came.crs is not None:
        shapes = without_zone(shapes, came.crs)
    theirs = dict(zip(said, shapes, strict=False))
    ours = dict(zip(wanted, layer.geometries, strict=True))
    for number in sorted(ours.keys() - theirs.keys()):
        yield Finding(
            "forms_differ",
            file,
            text.layer,
            key=number,
            value="no such parcel",
            expected=f"the parcel {number}",
        )
    for row, number in enumerate(said, start=1):
        if number not in ours:
            yield Finding(
                "forms_differ",
                file,
                text.layer,
                row,
                number,
                value=number,
                expected="no parcel that the layer has not",
            )
    both = [(row, number) for row, number in enumerate(said, start=1) if number in ours]
    away = _away([ours[number] for _, number in both], [theirs[number] for _, number in both])
    for (row, number), metres in zip(both, away, strict=True):
        if not metres <= _SAME_M:
            place = shapely.point_on_surface(ours[number])
            yield Finding(
                "forms_differ", file, text.layer, row, number, value=f"{metres:.3f} m away",
                expected="the outline of the layer, to a millimetre", x=place.x, y=place.y,
            )  # fmt: skip


def _away(ours: Sequence[Any], theirs: Sequence[Any]) -> npt.NDArray[np.float64]:
    """Return how far outlines lie from each other, in metres."""
    one, other = (shapely.boundary(np.array(list(shapes), dtype=object)) for shapes in (ours, theirs))
    found: npt.NDArray[np.float64] = shapely.hausdorff_distance(one, other)
    return found
