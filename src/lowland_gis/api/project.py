"""`open_project`: a project as frames – its parcels, what was measured of them, what was decided, and units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from matplotlib.figure import Figure

from lowland_gis.analysis.units.draw import Draft
from lowland_gis.analysis.units.edit import units_of
from lowland_gis.analysis.units.heirs import unit_changes
from lowland_gis.api.said import warned
from lowland_gis.api.unit_editing import UnitEditing
from lowland_gis.db.frames import read_frame
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base import project as opening
from lowland_gis.pipeline.base.runs import Run
from lowland_gis.pipeline.intake.reading import Reading, reading
from lowland_gis.pipeline.products import figures
from lowland_gis.pipeline.products.frames import kind_table
from lowland_gis.pipeline.products.key_areas import key_areas
from lowland_gis.pipeline.products.package import draw_overview, map_contents
from lowland_gis.pipeline.products.potential_tables import potential_table
from lowland_gis.pipeline.products.unit_brief import unit_brief
from lowland_gis.pipeline.products.unit_sheet import unit_sheet
from lowland_gis.pipeline.units import compared, drafts
from lowland_gis.pipeline.units.draw import changed, draft, drawn_from
from lowland_gis.pipeline.units.ground import (
    Inherited,
    UnitInputs,
    limits_of,
    read_unit_inputs,
    weights_of,
)
from lowland_gis.pipeline.units.tiers import tiers_of_drawn
from lowland_gis.pipeline.verdicts.explain import explain
from lowland_gis.pipeline.verdicts.verdicts import all_verdicts
from lowland_gis.pipeline.verdicts.what_if import flips, summed
from lowland_gis.products.maps.drafts import draft_page, drafts_figure
from lowland_gis.products.maps.fonts import font_families
from lowland_gis.settings import DelineateSettings

_EVIDENCE = (
    "SELECT parcel_id, measure, value, low, high, source, detail FROM result.evidence WHERE run_id = %s"
    " ORDER BY parcel_id, measure"
)
_CLAUSE = ["question", "rule", "clause", "value", "unit", "op", "limit", "outcome", "source", "detail"]


def open_project(path: str | Path) -> Project:
    """Open the project in a folder, or behind its lowland.toml, on its running database (`lowland db up`).

    Raises:
        UsageError: there is no project there, or its settings are wrong.
        DefinitionError: its own legend is wrong.
        DatabaseError: the database is not running, not at the newest schema, or made for another plane.

    >>> from lowland_gis import UsageError, open_project
    >>> try:
    ...     open_project("no/such/folder")
    ... except UsageError as error:
    ...     print(str(error)[:45])
    no/such/folder: there is no project file here
    """
    return Project(opening.open_project(path))


@dataclass(frozen=True)
class Project:
    """A project that is open. Every frame is read when it is asked for, from the newest classification and what that read.

    Where results are out of date a `LowlandWarning` says by what. Nothing is written but by `keep_draft` and the methods that
    draw to a file.
    """

    opened: opening.Project

    @property
    def name(self) -> str:
        """Return the name of the project."""
        return self.opened.settings.project.name

    @property
    def out(self) -> Path:
        """Return the folder of its products."""
        settings = self.opened.settings
        return settings.path(settings.package.folder)

    @property
    def fonts(self) -> list[str]:
        """Return the families of fonts in which figures show Chinese, for `matplotlib.rcParams["font.family"]`."""
        return list(font_families())

    @property
    def limits(self) -> DelineateSettings:
        """Return the limits and weights of units, as `[delineate]` of lowland.toml has them."""
        return self.opened.settings.delineate

    @property
    def parcels(self) -> gpd.GeoDataFrame:
        """Return the parcels: parcel_id, town_code, area_m2 (ellipsoidal), planar_m2, the delivered fields, geometry."""
        with self._reading() as held:
            rows = land.parcels(held.connection, held.basis.versions, srid=self.opened.srid)
        fields = pd.DataFrame(rows.pop("attributes").tolist(), index=rows.index)
        new = fields[[name for name in fields.columns if name not in rows.columns]]
        return gpd.GeoDataFrame(pd.concat([rows.drop(columns="version_id"), new], axis=1), crs=rows.crs)

    @property
    def verdicts(self) -> pd.DataFrame:
        """Return the verdicts: parcel_id, question, answer, settled, rule, trace, town_code, area_m2."""
        with self._reading() as held:
            return all_verdicts(held.connection, held.basis)

    @property
    def evidence(self) -> pd.DataFrame:
        """Return what was measured: parcel_id, measure, value, low, high (the band), source, detail; no row: not known."""
        with self._reading() as held:
            return read_frame(held.connection, _EVIDENCE, [held.basis.measured.run_id])

    @property
    def units(self) -> gpd.GeoDataFrame:
        """Return the units of the draft that people work on, with their ledgers: unit_id, town_code, area_m2, value_m2, …, geometry."""
        with self._drafted() as held:
            return held.units()

    def layers(self) -> pd.DataFrame:
        """Return the deliveries in force: layer, title, part, as_of, n_loaded, n_rejected, n_issues, loaded_share."""
        return figures.loaded_layers(self.opened)

    def quality(self) -> pd.DataFrame:
        """Return the doubts about what was delivered by layer, rule and action, most frequent first."""
        return figures.quality(self.opened)

    def coverage(self) -> pd.DataFrame:
        """Return how much of the parcels each polygon layer covers: layer, title, parcels, share."""
        with self._reading() as held:
            return figures.coverage(held)

    def measures(self) -> pd.DataFrame:
        """Return, for every measure: parcels with a value, least, median and greatest value."""
        with self._reading() as held:
            return figures.evidence_summary(held)

    def kinds(self) -> pd.DataFrame:
        """Return kinds of low-efficiency land: kind, title, parcels, area_m2, area_mu (亩)."""
        with self._reading() as held:
            return kind_table(held)

    def explain(self, parcel_id: str) -> pd.DataFrame:
        """Return the verdicts on a parcel clause by clause: what was asked, measured and answered, and where it comes from.

        Raises:
            UsageError: there is no such parcel.
        """
        with self._reading() as held:
            found = explain(held, parcel_id)
        rows = [
            (question.title, rule.title, clause.title, clause.value, clause.unit, clause.op, clause.limit, clause.outcome,
             clause.source, clause.detail)
            for question in found.questions
            for rule in question.rules
            for clause in rule.clauses
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=_CLAUSE)

    def what_if(self, *changes: str) -> pd.DataFrame:
        """Return how many parcels and hectares would get another answer under other limits, each `[RULE.]PARAM=VALUE`.

        Raises:
            UsageError: a change makes no sense; the nearest names are given.
        """
        with self._reading() as held:
            return summed(flips(held, list(changes)))

    @cached_property
    def ground(self) -> UnitInputs:
        """Return what units are drawn from, read once: parcels with their verdicts, cells, barriers and towns."""
        with self._reading() as held:
            return read_unit_inputs(held)

    def draw_units(self, changes: Mapping[str, Any] | None = None, start: Draft | None = None) -> Draft:
        """Return units drawn under other limits or weights (`{"min_ha": 3, "weights.unit": 500}`), kept nowhere.

        With `start` they begin with the units of another draft: those that live on keep their names, and a m² that changes its unit
        costs `weights.changed_land`.

        Raises:
            UsageError: a setting is unknown or makes no sense.
        """
        return drawn_from(self._starting(start), changed(self.limits, changes or {}))

    def edit_units(self, drawn: Draft, changes: Mapping[str, Any] | None = None) -> UnitEditing:
        """Return units to be edited one thing at a time, each edit answered at once; nothing is kept.

        `changes` are the limits and weights that `drawn` was drawn under.

        Raises:
            UsageError: a setting is unknown or makes no sense.
        """
        return UnitEditing.of(self.ground, changed(self.limits, changes or {}), drawn, self.opened.legend)

    def changes(self, drawn: Draft, start: Draft, changes: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Return the parcels whose unit is another one than in the draft that was started from: from, to, area, gain and reason.

        `changes` are the limits and weights that `drawn` was drawn under. The gain is what it would be worth less, without the price of
        changes, if this parcel alone were back.

        Raises:
            UsageError: a setting is unknown or makes no sense.
        """
        settings, inputs = changed(self.limits, changes or {}), self._starting(start)
        problem = inputs.problem(limits_of(settings), weights_of(settings))
        return unit_changes(problem, units_of(problem, drawn.members), drawn.members, {})

    def planning(self, drawn: Draft) -> gpd.GeoDataFrame:
        """Return the planning units (规划单元) with what each holds: plan_id, town_code, area_ha, low_ha, n_units, …, geometry."""
        return tiers_of_drawn(self.ground, self.limits, drawn).planning

    def places(self, drawn: Draft) -> gpd.GeoDataFrame:
        """Return the parcels with their place in both tiers: plan_id (规划单元) and unit_id (实施单元), None where in none."""
        return tiers_of_drawn(self.ground, self.limits, drawn).parcels

    def _starting(self, start: Draft | None) -> UnitInputs:
        if start is None:
            return self.ground
        inside = start.members.dropna(subset="unit_id")
        units = dict(zip(inside["parcel_id"].astype(str), inside["unit_id"].astype(str), strict=True))
        names = frozenset(units.values())
        return replace(self.ground, inherited=Inherited("another draft", units, {}, names))

    def preview(self, **changes: float) -> pd.DataFrame:
        """Return the figures of units under other limits: what the sliders of a notebook call."""
        return self.compare({"settings": self.draw_units(changes)}).T

    def compare(self, drawn: Mapping[str, Draft]) -> pd.DataFrame:
        """Return drafts side by side: units, parcels, hectares, value, bound, gap, coverage, compactness."""
        return compared.compared_drafts(dict(drawn))

    def left_out(self, drawn: Draft) -> pd.DataFrame:
        """Return the low-efficiency parcels that no unit holds, by the rule that keeps them out: parcels and hectares."""
        return compared.why_left_out(drawn, self.ground)

    def keep_draft(self, name: str, changes: Mapping[str, Any] | None = None) -> Run:
        """Keep a draft under a name beside the others (`lowland unit list`).

        Raises:
            UsageError: a setting is unknown or makes no sense.
            StaleError: the classification is not that of the deliveries in force.
        """
        with warned() as tell:
            return draft(self.opened, name, changes, tell=tell)

    def figure(self, drawn: Mapping[str, Draft] | None = None) -> Figure:
        """Draw parcels by kind with what divides them, and drafts over them side by side."""
        ground = self.ground
        nothing = {self.name: ground.parcels.iloc[:0]}
        units = {name: each.units for name, each in drawn.items()} if drawn else nothing
        return drafts_figure(units, ground.parcels, ground.barriers, ground.towns, self.opened.legend)

    def page(self, drawn: Draft) -> Any:
        """Return a map to drag (folium), without background tiles: parcels with their reasons, units with their ledgers."""
        parcels = self.ground.parcels.drop(columns="reason").merge(drawn.members, on="parcel_id")
        return draft_page(drawn.units, parcels, self.opened.legend)

    def overview(self, target: Path | None = None, *, overwrite: bool = False) -> Path:
        """Draw the map of the district as a PNG and return its place.

        Raises:
            UsageError: the file is there, is not as lowland wrote it, and `overwrite` is not set.
        """
        with self._reading() as held:
            contents = map_contents(held)
        with warned() as tell:
            for doubt in contents.doubts:
                tell(doubt)
        return draw_overview(self.opened, contents, target, overwrite=overwrite)

    def unit_sheet(self, unit_id: str, target: Path, *, overwrite: bool = False) -> Path:
        """Draw the planning sheet (单元规划一页图) of a unit of `units` and return its place.

        Raises:
            UsageError: there is no such unit, or the file is not as lowland wrote it and `overwrite` is not set.
        """
        with self._drafted() as held:
            return unit_sheet(held, unit_id, target, overwrite=overwrite)

    def unit_potential(self, unit_id: str | None = None, show: str = "figures") -> pd.DataFrame:
        """Return what the units of `units` could gain (再开发潜力), one a row; or of one unit its figures, next uses or parcels.

        `show` is figures, uses or parcels. Low and high are what a figure can be; an end that is missing is not known.

        Raises:
            UsageError: there is no such unit, or nothing of that name to show.
            DefinitionError: the project's parameters have faults.
        """
        with self._drafted() as held:
            return potential_table(held, unit_id, show)

    def key_areas(self, by: str | None = None, rules: str | Path | None = None) -> gpd.GeoDataFrame:
        """Return where low-efficiency land gathers (重点区域), ranked with reasons: rank, key, area_id, low_ha, …, reason, geometry.

        `by` is planning or block, without it as the rules say; `rules` is a TOML file of criteria and weights instead of the shipped one.

        Raises:
            DefinitionError: the rules, or the parameters of potential, make no sense.
            UsageError: there is no low-efficiency land.
        """
        with self._drafted() as held:
            return key_areas(held, None if rules is None else Path(rules), by).areas

    def unit_brief(
        self, unit_id: str, target: Path, *, template: Path | None = None, overwrite: bool = False
    ) -> Path:
        """Write the planning brief (单元规划策划简报) of a unit of `units` as .docx or .pdf and return its place.

        Raises:
            UsageError: there is no such unit, template or LibreOffice; or the file is not as lowland wrote it and `overwrite` is not set.
            InputRefusedError: the template has placeholders that nothing stands for; nothing was written.
        """
        with self._drafted() as held, warned() as tell:
            return unit_brief(held, unit_id, target, template=template, overwrite=overwrite, tell=tell)

    @contextmanager
    def _drafted(self) -> Iterator[drafts.HeldDraft]:
        """Yield the draft that people work on."""
        with self.opened.snapshot() as connection:
            newest = drafts.current_draft(connection)
            held = drafts.held_draft(connection, self.opened, "latest" if newest is None else str(newest))
            with warned() as tell:
                if held.stale is not None:
                    tell(f"Stale: {held.stale}")
            yield held

    @contextmanager
    def _reading(self) -> Iterator[Reading]:
        with reading(self.opened) as held, warned() as tell:
            if held.stale is not None:
                tell(f"Stale: {held.stale}")
            yield held
