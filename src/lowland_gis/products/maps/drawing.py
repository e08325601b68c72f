"""What every page is drawn with: settings and filled shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.path import Path as Outline

from lowland_gis.analysis.geometry.repair import parts_of_kind
from lowland_gis.definitions.legend import Style


def page_settings(families: Sequence[str]) -> Any:
    """Return the settings of Matplotlib that every page is drawn and saved with; a PDF keeps its letters as letters."""
    return {
        "text.parse_math": False,
        "font.family": list(families),
        "axes.unicode_minus": False,
        "hatch.linewidth": 0.5,
        "pdf.fonttype": 42,
    }


def fill(axes: Axes, geometries: Sequence[Any], style: Style, order: int) -> None:
    """Draw polygons in a style; `order` says what lies above what."""
    axes.add_collection(
        PathCollection(
            _outlines(geometries),
            facecolors=style.fill,
            edgecolors=style.outline,
            linewidths=style.width,
            linestyles=[(0, style.dash)] if style.dash else "solid",
            hatch=style.hatch or None,
            zorder=order,
        ),
        autolim=False,
    )


def _outlines(geometries: Sequence[Any]) -> list[Outline]:
    """Return one path per polygon, holes turned against the shell so that they stay empty; what has no area is not drawn."""
    polygons = shapely.orient_polygons(
        shapely.get_parts(parts_of_kind(np.asarray(geometries, dtype=object), "polygon"))
    )
    return [
        Outline.make_compound_path(
            *(Outline(shapely.get_coordinates(ring), closed=True) for ring in shapely.get_rings(polygon))
        )
        for polygon in polygons
        if not polygon.is_empty
    ]
