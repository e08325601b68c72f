"""The planning brief (单元规划策划简报) of a unit as a Word document: a template of the office, filled with texts, tables and a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from lowland_gis.definitions.legend import Legend
from lowland_gis.products.maps.drawing import page_settings
from lowland_gis.products.maps.fonts import drawn, font_families
from lowland_gis.products.maps.sheet_map import MapView, draw_map
from lowland_gis.products.reports.document import filled, opened, picture_of
from lowland_gis.products.reports.figures import clean

Rows = Sequence[Mapping[str, str]]
# The page that says what templates of a brief can say.
LISTED_IN = "docs/units.md"
_MAP_INCH, _MAP_MM = (6.4, 3.9), 162
# Below the map stands its legend, in rows.
_LEGEND_INCH = 0.5


@dataclass(frozen=True)
class Brief:
    """What a brief says: `said` by the names of placeholders, and rows of its tables by the names of these; all as they are printed."""

    said: Mapping[str, str]
    tables: Mapping[str, Rows]
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)


def draw_brief_map(view: MapView, legend: Legend) -> bytes:
    """Return the map of a brief as PNG.

    Raises:
        UsageError: no font can show the text.
    """
    families, (width, height) = font_families(), _MAP_INCH
    whole = height + _LEGEND_INCH
    with mpl.rc_context(page_settings(families)):
        figure = Figure(figsize=(width, whole), facecolor="white")
        axes = figure.add_axes((0.0, _LEGEND_INCH / whole, 1.0, height / whole))
        draw_map(axes, view, legend, _MAP_INCH, "A4")
        return drawn(figure, families, "map.png")


def brief_document(template: Path, brief: Brief, plan: bytes) -> bytes:
    """Return a brief as the bytes of a document; equal input gives equal bytes.

    Raises:
        UsageError: there is no such template.
        InputRefusedError: it is no document, or has placeholders that nothing stands for.
    """
    document = opened(template)
    values: dict[str, Any] = {name: clean(text) for name, text in brief.said.items()}
    values |= {
        name: [{key: clean(text) for key, text in row.items()} for row in rows]
        for name, rows in brief.tables.items()
    }
    values |= {name: [clean(text) for text in texts] for name, texts in brief.lists.items()}
    return filled(document, template, values | {"map": picture_of(document, plan, _MAP_MM)}, LISTED_IN)
