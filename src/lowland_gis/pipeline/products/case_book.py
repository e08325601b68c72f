"""What sheets of cases show, read once of one state of the database: parcels with their verdicts, overlaps, units, towns, lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.codes import code_names
from lowland_gis.definitions.layer import drawn_layers, layer_definition, sound_layers
from lowland_gis.definitions.legend import UNJUDGED
from lowland_gis.definitions.states import procedure
from lowland_gis.pipeline.base.entries import LOW_EFFICIENCY
from lowland_gis.pipeline.base.land import feature_names, layer_shapes, town_names
from lowland_gis.pipeline.base.requests import DELINEATE
from lowland_gis.pipeline.base.runs import latest_record
from lowland_gis.pipeline.base.towns import town_codes
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.products.frames import kind_titles, pack_legend, shown_parcels, units
from lowland_gis.pipeline.registry.determine import newest, with_states
from lowland_gis.pipeline.units.frozen import frozen_units
from lowland_gis.pipeline.verdicts.verdicts import kinds

PARCELS, UNITS, TOWNS = "parcels", "units", "towns"
# What occupies land, what the land is by the surveys, and what is drawn as lines: families of layers, in this order.
CONTROL, SURVEY = ("control", "plan", "detailed_plan", "survey_topic", "enforcement"), ("survey",)
LINES = ("traffic", "water")
# More numbers than these are not put on a map.
_NUMBERED = 600


class CaseBook:
    """All that sheets of one state of the database show."""

    def __init__(self, held: Reading, *, stale: str = "") -> None:
        """Read what is of all sheets.

        Raises:
            UsageError: there are no verdicts.
        """
        self.held, self.stale = held, stale
        self.legend, self.doubts = pack_legend(held)
        self.kinds = kind_titles(held.basis.pack, self.legend)
        parcels = shown_parcels(held)
        self.parcels = parcels.assign(
            answer=parcels["parcel_id"].map(kinds(held.connection, held.basis)).to_numpy()
        )
        self.place = {code: number for number, code in enumerate(self.parcels["parcel_id"])}
        self.shapes = self.parcels.geometry.to_numpy()
        self.tree = shapely.STRtree(self.shapes)
        self._towns = town_names(held.connection, held.versions("town"))
        codes = town_codes(held.connection, held.basis.measured, self.parcels["parcel_id"].tolist())
        self.town = np.array([code or "" for code in codes], dtype=object)

    @cached_property
    def lines(self) -> list[tuple[str, str, Any, shapely.STRtree]]:
        """Return what is drawn as lines over the parcels: layer, title, shapes, and where they are."""
        held, found = self.held, []
        wanted = [
            layer.key
            for layer in sound_layers().values()
            if layer.family in (*LINES, "control") and held.versions(layer.key)
        ]
        for key in wanted:
            frame = layer_shapes(
                held.connection, key, held.versions(key), held.basis.as_of, srid=held.project.srid
            )
            titles = frame["code"].astype(object).where(frame["code"].notna(), None)
            by_class = key in drawn_layers() and drawn_layers()[key].way == "classes"
            for title in dict.fromkeys(titles) if by_class else [None]:
                some = (
                    frame.geometry.to_numpy()[(titles == title).to_numpy()]
                    if title is not None
                    else frame.geometry.to_numpy()
                )
                name = str(title) if title is not None else layer_definition(key).title
                found.append((key, name, some, shapely.STRtree(some)))
        return found

    @cached_property
    def overlaps(self) -> dict[str, list[tuple[str, str, float, float]]]:
        """Return parcel → layer, code, m² and share of every class that it lies in."""
        wanted = [layer.key for layer in sound_layers().values() if layer.family in (*CONTROL, *SURVEY)]
        rows = self.held.connection.execute(
            "SELECT parcel_id, layer, code, area_m2, share FROM result.overlap WHERE run_id = %s AND layer = ANY(%s)"
            " ORDER BY parcel_id, layer, area_m2 DESC, code",
            [self.held.basis.tabulated.run_id, wanted],
        ).fetchall()
        found: dict[str, list[tuple[str, str, float, float]]] = {}
        for parcel, layer, code, area, share in rows:
            found.setdefault(parcel, []).append((layer, code, float(area), float(share)))
        return found

    @cached_property
    def zones(self) -> dict[str, str]:
        """Return the zones of the plan by code."""
        return feature_names(self.held.connection, self.held.versions("plan_zone"), "GHFQMC")

    @cached_property
    def states(self) -> dict[str, str]:
        """Return the state of each parcel that stands in the register of low-efficiency land."""
        rows = with_states(
            self.held.connection,
            LOW_EFFICIENCY,
            newest(self.held.connection, LOW_EFFICIENCY.table, ["parcel_id"]),
        )
        titles = procedure()[LOW_EFFICIENCY.register].state
        known = rows[rows["stands"].notna()]
        return {p: titles.get(s, s) for p, s in zip(known["parcel_id"], known["stands"], strict=True)}

    @cached_property
    def units(self) -> dict[str, tuple[pd.Series, list[str]]]:
        """Return the units that leave the house by their number, each with its parcels; nothing where there are none."""
        connection = self.held.connection
        frozen, drawn = frozen_units(connection), latest_record(connection, DELINEATE)
        if frozen.empty and drawn is None:
            return {}
        if len(frozen):
            members = dict(zip(frozen["number"], frozen["parcels"], strict=True))
        else:
            rows = read_frame(
                connection,
                "SELECT unit_id, parcel_id FROM result.member WHERE run_id = %s AND unit_id IS NOT NULL ORDER BY unit_id, parcel_id",
                [drawn.run_id if drawn else 0],
            )
            members = {str(unit): some["parcel_id"].tolist() for unit, some in rows.groupby("unit_id")}
        shapes = units(self.held)
        return {
            str(row["unit_id"]): (row, list(members.get(row["unit_id"], []))) for _, row in shapes.iterrows()
        }

    @cached_property
    def town_shapes(self) -> dict[str, shapely.Geometry]:
        """Return the towns by code."""
        held = self.held
        frame = layer_shapes(
            held.connection, "town", held.versions("town"), held.basis.as_of, srid=held.project.srid
        )
        return {
            str(code): shapely.union_all(some.geometry.to_numpy()) for code, some in frame.groupby("code")
        }

    def names(self, of: str) -> list[str]:
        """Return the names of all cases of a kind: parcels that are low-efficient, units, or towns."""
        if of == UNITS:
            return sorted(self.units)
        if of == TOWNS:
            return sorted(self.town_shapes)
        low = self.parcels["answer"].isin(self.held.basis.pack.low_answers)
        return sorted(self.parcels.loc[low, "parcel_id"])

    def sources(self) -> str:
        """Return the layers that sheets show, with the days of their deliveries."""
        keys = dict.fromkeys(
            [
                "parcel",
                *(
                    layer.key
                    for layer in sound_layers().values()
                    if layer.family in (*CONTROL, *SURVEY, *LINES)
                ),
            ]
        )
        found = []
        for key in keys:
            days = sorted(
                {
                    version.as_of.isoformat() if version.as_of else "无日期"
                    for version in self.held.versions(key)
                }
            )
            if days:
                found.append(f"{layer_definition(key).title} {'、'.join(days)}")
        return "，".join(found)

    def placed(self, numbered: Sequence[tuple[str, str]]) -> list[tuple[str, float, float, float]]:
        """Return numbers with the places of their parcels, and how wide these are [m]."""
        some = numbered[:_NUMBERED]
        if not some:
            return []
        shapes = self.shapes[[self.place[code] for code, _ in some]]
        inner, wide = shapely.get_coordinates(shapely.point_on_surface(shapes)), np.sqrt(shapely.area(shapes))
        return [
            (text, float(x), float(y), float(w))
            for (_, text), (x, y), w in zip(some, inner, wide, strict=True)
        ]

    def barriers(self, box: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
        """Return the roads, waters and control lines in a box, cut to it."""
        layers, titles, shapes = [], [], []
        for key, title, some, tree in self.lines:
            for shape in shapely.clip_by_rect(some[tree.query(shapely.box(*box))], *box):
                if not shapely.is_empty(shape):
                    layers.append(key)
                    titles.append(title)
                    shapes.append(shape)
        return gpd.GeoDataFrame({"layer": layers, "title": titles}, geometry=shapes, crs=self.parcels.crs)

    def class_name(self, layer: str, code: str) -> str:
        """Return a class with its name; what a layer without classes is summed by is the layer itself."""
        definition = layer_definition(layer)
        if layer == "plan_zone":
            return f"{code} {self.zones.get(code, '')}".strip()
        if code in {"", layer}:
            return "占用" if code else "类别未填"
        listed = next(
            (each.codes for each in definition.field if each.name == definition.code and each.codes), None
        )
        if listed is None or definition.tabulate == "feature":
            return "占用" if definition.tabulate == "feature" else code
        return f"{code} {code_names(listed).get(code, '')}".strip()

    def kind(self, answer: object) -> str:
        """Return the title of an answer."""
        return (
            self.kinds.get(str(answer), str(answer))
            if isinstance(answer, str)
            else self.legend.answers[UNJUDGED].title
        )

    def town_name(self, code: str) -> str:
        """Return the name of a town; its code where it has none."""
        return self._towns.get(code, code) or "不明"
