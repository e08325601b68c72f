"""The layers of a vector file, and which one is meant where none is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyogrio

from lowland_gis.files.gdal_words import GdalWords

# What QGIS keeps in a file beside the data; nobody delivers it.
_OF_PROGRAMS = {"layer_styles", "qgis_projects"}


class Layer(NamedTuple):
    """A layer: its name as people type it, the name under which GDAL has it, its kind of geometry; None for a table."""

    name: str
    gdal_name: str
    kind: str | None


def layers_of(path: Path, through: Path) -> list[Layer]:
    """Return the layers of a file that GDAL opens through another path (see `gdal_source`), without those of programs.

    Raises:
        DataSourceError: pyogrio cannot open it.
    """
    # What GDAL says of the file is told where its rows are read.
    with GdalWords().heard():
        listed = pyogrio.list_layers(through)
    stand_in = through.stem if through.stem != path.stem else None
    return [
        Layer(path.stem if name == stand_in else str(name), str(name), kind)
        for name, kind in listed
        if name not in _OF_PROGRAMS
    ]


def meant(layers: Sequence[Layer], named: str | None) -> Layer | None:
    """Return the layer that is named; without a name the only one, or the only one that is more than a table; else None."""
    if named is not None:
        return next((layer for layer in layers if layer.name == named), None)
    drawn = [layer for layer in layers if layer.kind is not None]
    return next((some[0] for some in (layers, drawn) if len(some) == 1), None)
