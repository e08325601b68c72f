"""What units are drawn from: parcels with everything that counts, blocks, barriers and towns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.units.contiguity import barrier_cells, cell_of, cut_shares, is_cut
from lowland_gis.analysis.units.ground import Limits, Problem, Weights, build_problem
from lowland_gis.analysis.units.links import HandLink, with_links
from lowland_gis.analysis.units.overlaps import no_pairs, overlapping
from lowland_gis.analysis.units.search import Effort
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.measure import measures
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.protection import protection, refuse_unknown_names
from lowland_gis.pipeline.base.runs import Versions
from lowland_gis.pipeline.base.towns import parcel_towns
from lowland_gis.pipeline.evidence.facts import evidence_table, greatest_codes
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.units.planned import inside_planning, plan_areas, planning_units, with_borders
from lowland_gis.pipeline.verdicts.verdicts import kinds
from lowland_gis.settings import DelineateSettings

TOWNS, DISTRICT, PARCELS = "town", "district", "parcel"
# Without a boundary the ground of units ends so far from the outermost parcels, in metres, so that none touches the line.
_AROUND_PARCELS_M = 100.0
# What stands before a grade of roads among the barriers that are missing.
NO_GRADE = "road of the grade "


@dataclass(frozen=True)
class Inherited:
    """The earlier units that a draft starts from: of a draft, or the frozen ones (`source`).

    `units`: parcel → its earlier unit, for parcels that are there now; `lost`: parcel → unit for those that are not; `names`: every
    name that was given there; `quiet`: those of which nothing has changed and that are to stay as they are; `links` by hand that they may
    hang together by.
    """

    source: str
    units: Mapping[str, str]
    lost: Mapping[str, str]
    names: frozenset[str]
    quiet: tuple[str, ...] = ()
    links: tuple[HandLink, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as a run records it."""
        return {
            "source": self.source,
            "units": dict(self.units),
            "lost": dict(self.lost),
            "names": sorted(self.names),
            "quiet": list(self.quiet),
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Inherited:
        """Return it as a run recorded it."""
        return cls(
            str(kept["source"]), kept["units"], kept["lost"], frozenset(kept["names"]), tuple(kept["quiet"])
        )


@dataclass(frozen=True)
class UnitInputs:
    """What units are drawn from.

    `parcels`: parcel_id, town_code, area_m2, low_m2, public_m2, kind (missing where not low-efficiency), answer (missing: no verdict), zone, plan_use, owner,
    reason (why it may be in no unit), unknown (what is not known of its protection), where units may cross the borders of towns town, geometry. `cut`: codes of parcels that a barrier cuts. `missing`: barrier layers, and grades
    of roads, that were not delivered. `overlaps`: pairs of parcels that share ground (`unit_overlaps.overlapping`). `towns` is the ground
    that units lie in, and `ground` what it was made of: towns; without these the boundary of the district; without this all parcels.
    `lines` are the barriers, None where the blocks that they cut were taken over from a draft before. `inherited` are the earlier units
    that are started from, None where there are none. `plan_areas` (plan_id, geometry) are the planning units that were delivered, None where
    blocks are put together. `links` are those by hand.
    """

    parcels: gpd.GeoDataFrame
    cells: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame | None
    towns: gpd.GeoDataFrame
    cut: tuple[str, ...]
    missing: tuple[str, ...]
    overlaps: pd.DataFrame = field(default_factory=no_pairs)
    ground: str = TOWNS
    inherited: Inherited | None = None
    plan_areas: gpd.GeoDataFrame | None = None
    links: tuple[HandLink, ...] = ()

    @property
    def barriers(self) -> gpd.GeoDataFrame:
        """Return what divides: layer, code and geometry. Who draws only does not ask for it."""
        if self.lines is None:
            raise AssertionError("the blocks were taken over from a draft before, so no barrier was read")
        return self.lines

    def problem(self, limits: Limits, weights: Weights) -> Problem:
        """Return the ground under these limits and weights, with the links by hand."""
        return with_links(self.by_rule(limits, weights), self.links)

    def by_rule(self, limits: Limits, weights: Weights) -> Problem:
        """Return the ground under these limits and weights, with the links of the rule alone."""
        parcels, names = self.parcels, frozenset[str]()
        if self.inherited is not None:
            before = parcels["parcel_id"].map(self.inherited.units).astype(object)
            parcels, names = parcels.assign(before=before.where(before.notna(), None)), self.inherited.names
        return build_problem(parcels, self.cells, limits, weights, overlaps=self.overlaps, old_names=names)


def limits_of(settings: DelineateSettings) -> Limits:
    """Return the limits of the settings as the drawing takes them."""
    names = Limits.__dataclass_fields__
    return Limits(**{name: getattr(settings, name) for name in names})


def weights_of(settings: DelineateSettings) -> Weights:
    """Return the weights of the settings as the drawing takes them."""
    return Weights(**settings.weights.model_dump())


def effort_of(settings: DelineateSettings) -> Effort:
    """Return how long to search."""
    return Effort(settings.rounds, seed=settings.seed, threads=settings.threads, proof=settings.proof)


@dataclass(frozen=True)
class Blocks:
    """The blocks that barriers cut out of the ground (as of `barrier_cells`), and the layers and grades of roads that should divide and are not there.

    `run_id` is the draft that cut them; None: the one at hand.
    """

    cells: gpd.GeoDataFrame
    missing: tuple[str, ...]
    run_id: int | None = None


def read_unit_inputs(
    held: Reading,
    settings: DelineateSettings | None = None,
    dividing: Versions | None = None,
    *,
    blocks: Blocks | None = None,
) -> UnitInputs:
    """Return what units are drawn from: verdicts with the parcels that they were given for, and what divides them.

    `settings` say what is a barrier and what is protected; without them it is what lowland.toml says. `dividing` are the deliveries of
    towns, roads and barriers; without them those in force. With `blocks`, which rest on the same, no barrier is read.

    Raises:
        UsageError: a stage before has not run, or the settings name what is not there.
    """
    connection, project = held.connection, held.project
    if settings is not None:
        project = replace(project, settings=project.settings.model_copy(update={"delineate": settings}))
    refuse_unknown_names(project.settings.delineate)
    versions = held.current if dividing is None else dividing
    parcels = _parcels(connection, project, held.basis)
    ground = ground_of(versions)
    towns = (
        around(parcels)
        if ground == PARCELS
        else _shapes(connection, project, ground, versions, held.basis.as_of)
    )
    towns = towns.rename(columns={"code": "town_code"})
    if ground != TOWNS:
        towns["town_code"] = project.settings.project.district_code
    barriers, areas = None, plan_areas(connection, project, versions, held.basis.as_of)
    if blocks is None:
        barriers = _barriers(connection, project, versions, held.basis.as_of)
        cells = barrier_cells(
            towns[["town_code", "geometry"]],
            with_borders(barriers, areas),
            across_towns=project.settings.delineate.across_towns,
        )
        blocks = Blocks(cells, _missing(project.settings.delineate, versions, barriers))
    cells, shapes = blocks.cells, parcels.geometry.to_numpy()
    cell = cell_of(shapes, cells)
    cut = parcels["parcel_id"][is_cut(cut_shares(shapes, cells, cell))]
    if areas is not None:
        parcels = inside_planning(parcels, cell, planning_units(cells, areas, project.settings.delineate))
    if ground == TOWNS and project.settings.delineate.across_towns:
        parcels = parcels.assign(town=parcels["town_code"])
    return UnitInputs(
        parcels, cells, barriers, towns, tuple(map(str, cut)), blocks.missing, overlapping(parcels), ground,
        plan_areas=areas,
    )  # fmt: skip


def ground_of(versions: Versions) -> str:
    """Return what the ground that units lie in is made of."""
    return next((key for key in (TOWNS, DISTRICT) if versions.get(key)), PARCELS)


def around(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return one block over all parcels."""
    west, south, east, north = parcels.total_bounds
    away = _AROUND_PARCELS_M
    block = shapely.box(west - away, south - away, east + away, north + away)
    return gpd.GeoDataFrame({"code": [None]}, geometry=[block], crs=parcels.crs)


def _missing(settings: DelineateSettings, versions: Versions, barriers: gpd.GeoDataFrame) -> tuple[str, ...]:
    """Return the layers, and the grades of roads, that should divide and are not there: a grade spelt otherwise divides nothing."""
    roads = ("road",) if settings.road_grades else ()
    layers = [key for key in (*roads, *settings.barriers) if not versions.get(key)]
    there = set(barriers["code"][barriers["layer"] == "road"])
    grades = [grade for grade in settings.road_grades if grade not in there] if versions.get("road") else []
    return (*layers, *(f"{NO_GRADE}{grade}" for grade in grades))


def _shapes(
    connection: Connection, project: Project, key: str, versions: Versions, day: dt.date
) -> gpd.GeoDataFrame:
    return land.layer_shapes(connection, key, versions.get(key, []), day, srid=project.srid)


def _barriers(connection: Connection, project: Project, versions: Versions, day: dt.date) -> gpd.GeoDataFrame:
    """Return what divides on a day: roads of the grades that count, and the outlines of the other layers, merged."""
    settings = project.settings.delineate
    roads = _shapes(connection, project, "road", versions, day)
    found = [roads[roads["code"].isin(settings.road_grades)].assign(layer="road")]
    for key in settings.barriers:
        shapes = _shapes(connection, project, key, versions, day)
        if len(shapes):
            whole = shapely.get_parts(shapely.union_all(shapes.geometry.to_numpy()))
            found.append(
                gpd.GeoDataFrame({"layer": [key] * len(whole), "code": None}, geometry=whole, crs=roads.crs)
            )
    return gpd.GeoDataFrame(
        pd.concat([part[["layer", "code", "geometry"]] for part in found], ignore_index=True), crs=roads.crs
    )


def _parcels(connection: Connection, project: Project, basis: Basis) -> gpd.GeoDataFrame:
    settings = project.settings.delineate
    parcels = land.parcels(
        connection,
        basis.versions,
        srid=project.srid,
        columns=("parcel_id", "area_m2"),
        kept=project.kept,
    )
    owners = _owners(connection, basis.versions)
    codes = parcels["parcel_id"].to_numpy(dtype=object)
    answer = parcels["parcel_id"].map(kinds(connection, basis))
    low = answer.isin(basis.pack.low_answers).to_numpy()
    evidence = evidence_table(connection, basis.measured, project.kept).reindex(parcels["parcel_id"])
    tabulated = basis.tabulated.run_id
    protected = protection(evidence, settings, _not_delivered(basis, settings))
    area = parcels["area_m2"].astype(float)
    return gpd.GeoDataFrame(
        {
            "parcel_id": parcels["parcel_id"],
            "town_code": parcel_towns(connection, basis.measured, codes).town,
            "area_m2": area,
            "low_m2": area.where(low, 0.0),
            "public_m2": _public(connection, tabulated, parcels, settings.public_uses),
            "kind": answer.where(low, None),
            "answer": answer,
            "zone": greatest_codes(connection, tabulated, "plan_zone", codes),
            "plan_use": greatest_codes(connection, tabulated, "plan_parcel", codes),
            "owner": owners["owner"].tolist(),
            "ownership": owners["ownership"].tolist(),
            "reason": protected.reason,
            "unknown": protected.unknown,
        },
        geometry=parcels.geometry,
        crs=parcels.crs,
    )


def _owners(connection: Connection, versions: Versions) -> pd.DataFrame:
    """Return who holds each parcel and the nature of the ownership, in the order of the codes; all other attributes stay unread."""
    return read_frame(
        connection,
        "SELECT coalesce(nullif(attributes->>'TBDW', ''), attributes->>'QSXZ') AS owner, attributes->>'QSXZ' AS ownership"
        " FROM land.parcel WHERE version_id = ANY(%s) ORDER BY parcel_id",
        [[version.version_id for version in versions["parcel"]]],
    )


def _not_delivered(basis: Basis, settings: DelineateSettings) -> dict[str, tuple[str, ...]]:
    """Return, for each measure that keeps parcels out of units, the layers that it cannot do without and that were not there."""
    return {
        name: tuple(layer for layer in measures()[name].needs if layer not in basis.versions)
        for name in (*settings.protected, *settings.inside)
    }


def _public(
    connection: Connection, tabulate_run: int, parcels: gpd.GeoDataFrame, prefixes: tuple[str, ...]
) -> npt.NDArray[np.float64]:
    """Return the area of each parcel that the detailed plan gives to public benefit, m²."""
    rows = read_frame(
        connection,
        "SELECT parcel_id, code, area_m2 FROM result.overlap WHERE run_id = %s AND layer = 'plan_parcel' ORDER BY 1, 2",
        [tabulate_run],
    )
    public = rows[rows["code"].astype(str).str.startswith(prefixes)] if prefixes else rows.iloc[:0]
    sums = public.groupby("parcel_id")["area_m2"].sum().reindex(parcels["parcel_id"], fill_value=0.0)
    return np.asarray(
        np.minimum(sums.to_numpy(dtype=np.float64), parcels["area_m2"].to_numpy(dtype=np.float64))
    )
