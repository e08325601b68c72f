"""`facing_neighbours`, `draft_units` and `edit_units`: who lies across a lane from whom, and redevelopment units drawn over frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.geodesy import ellipsoidal_areas
from lowland_gis.analysis.units.contiguity import barrier_cells, cell_of, cut_shares, is_cut
from lowland_gis.analysis.units.draw import Draft
from lowland_gis.analysis.units.facing import facing_lengths
from lowland_gis.analysis.units.overlaps import overlapping
from lowland_gis.api.layers import Layer
from lowland_gis.api.said import warned
from lowland_gis.api.shapes import shapes
from lowland_gis.api.unit_editing import UnitEditing
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.units.draw import changed, drawn_from
from lowland_gis.pipeline.units.ground import PARCELS, TOWNS, UnitInputs, around
from lowland_gis.settings import DelineateSettings, gauss_plane

# What units may be drawn by beside the low-efficiency area; a column that is not there tells nothing apart.
_MAY_HAVE = ("zone", "kind", "plan_use", "owner", "reason")


def facing_neighbours(
    parcels: Layer,
    *,
    gap: float = 10.0,
    id: str | None = None,
    src_crs: str | None = None,
) -> pd.DataFrame:
    """Return the pairs of parcels that face each other over a lane: one, other, length_m, gap_m.

    Two edges face each other when they run nearly antiparallel and each lies on the outer side of the other, at most `gap` away;
    `length_m` is what of one lies square across from the other, `gap_m` the mean gap there, 0 where they touch. A corner that
    meets a corner faces nothing, and a parcel behind another one is hidden by it.

    Args:
        parcels: polygons on a plane in metres: a GeoDataFrame, GeoSeries, Arrow table or file.
        gap: the widest lane, in metres.
        id: field that names the parcels; without it the label of the row in a frame, elsewhere the number of the row from 0.
        src_crs: system of a layer that declares none.

    Raises:
        InputRefusedError: the layer has no coordinate system or no such field, is in degrees, or a name stands for several parcels.

    Invalid parcels are repaired, missing and empty ones face nothing; a `LowlandWarning` says how many.

    >>> import geopandas, shapely
    >>> from lowland_gis import facing_neighbours
    >>> lots = shapely.box([511_000, 511_028], 4_345_000, [511_020, 511_048], 4_345_020)
    >>> facing_neighbours(geopandas.GeoSeries(lots, index=["A", "B"], crs=4548))
      one other  length_m  gap_m
    0   A     B      20.0    8.0
    """
    with warned() as tell:
        found = shapes(parcels, "parcels", id_field=id, fields=[], src_crs=src_crs, tell=tell)
    pairs = facing_lengths(found.geometries, gap)
    names = found.index
    return pd.DataFrame(
        {
            "one": names.take(pairs["first"].to_numpy(dtype=np.intp)),
            "other": names.take(pairs["second"].to_numpy(dtype=np.intp)),
            "length_m": pairs["length_m"],
            "gap_m": pairs["gap_m"],
        }
    )


def draft_units(
    parcels: gpd.GeoDataFrame,
    *,
    id: str = "parcel_id",
    low: str = "low_m2",
    towns: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Draft:
    """Draw redevelopment units (再开发单元) over parcels, and say how far they may be from the best possible ones.

    What `lowland unit draft` does, without a project. The limits are examples: no official size is public. The same parcels give
    the same units, whatever their order.

    Args:
        parcels: polygons on a plane in metres, with the columns `id` and `low`; `area_m2` is taken from the column of that name, else
            measured. Where there are columns zone, kind, plan_use or owner, units mix them as little as the weights say; `public_m2`
            counts as land for public benefit; a parcel with a `reason` may be in no unit.
        id: column that names the parcels.
        low: column with the low-efficiency area of each parcel in m², 0 where it is none.
        towns: polygons with a column town_code, which no unit crosses; without them all parcels lie in one block.
        barriers: lines, or polygons whose outline counts, that no unit crosses: roads, rivers, red lines.
        settings: limits and weights by their names in `[delineate]` of lowland.toml (settings.md): `{"min_ha": 3, "weights.unit": 500}`.

    Returns:
        A draft: `units` (unit_id, town_code, area_m2, low_share, value_m2, …, geometry), `members` (parcel_id, unit_id, reason: why it is in
        none), `findings`, `value_m2`, `bound_m2` (no draft under these limits is worth more), `gap` and `coverage`.

    Raises:
        InputRefusedError: the parcels have no system, no such column, no shape, a name twice, or none of them may be in a unit.
        UsageError: a setting is unknown or makes no sense.

    >>> import geopandas, shapely
    >>> from lowland_gis import draft_units
    >>> lots = shapely.box([511_000, 511_105, 511_400], 4_345_000, [511_100, 511_205, 511_500], 4_345_100)
    >>> parcels = geopandas.GeoDataFrame(
    ...     {"parcel_id": ["A", "B", "C"], "low_m2": [10_000.0, 10_000.0, 0.0]}, geometry=lots, crs=4548
    ... )
    >>> draft = draft_units(parcels, settings={"min_ha": 1.5})
    >>> draft.members[["parcel_id", "unit_id"]].dropna()["parcel_id"].tolist()
    ['A', 'B']
    >>> draft.gap
    0.0
    """
    wanted = changed(DelineateSettings(), settings or {})
    inputs = _inputs(parcels, (id, low), towns, barriers, wanted)
    try:
        return drawn_from(inputs, wanted)
    except ValueError as error:
        raise InputRefusedError(f"parcels: {error}. Leave them out, or mend them.") from error


def edit_units(
    parcels: gpd.GeoDataFrame,
    drawn: Draft | pd.DataFrame,
    *,
    id: str = "parcel_id",
    low: str = "low_m2",
    towns: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    settings: Mapping[str, Any] | None = None,
) -> UnitEditing:
    """Edit redevelopment units (再开发单元) one thing at a time; each edit is answered with its cost, the rules it breaks and the best repairs.

    What `lowland unit edit` does, without a project. Only the units that an edit touches and those beside them are looked at.

    Args:
        parcels: as for `draft_units`, like all that follow but `drawn`.
        drawn: what `draft_units` returned, or a table with parcel_id and unit_id (missing where in no unit).
        id: column that names the parcels.
        low: column with the low-efficiency area of each parcel in m², 0 where it is none.
        towns: polygons with a column town_code, which no unit crosses; without them all parcels lie in one block.
        barriers: lines, or polygons whose outline counts, that no unit crosses.
        settings: limits and weights by their names in `[delineate]` of lowland.toml: those that the units were drawn under.

    Raises:
        InputRefusedError: the parcels have no system, no such column, no shape, or a name twice.
        UsageError: a setting is unknown or makes no sense.

    >>> import geopandas, shapely
    >>> from lowland_gis import draft_units, edit_units
    >>> lots = shapely.box([511_000, 511_105, 511_210], 4_345_000, [511_100, 511_205, 511_310], 4_345_100)
    >>> parcels = geopandas.GeoDataFrame(
    ...     {"parcel_id": ["A", "B", "C"], "low_m2": [10_000.0, 10_000.0, 0.0]}, geometry=lots, crs=4548
    ... )
    >>> limits = {"min_ha": 1.5, "min_low_share": 0.6}
    >>> editing = edit_units(parcels, draft_units(parcels, settings=limits), settings=limits)
    >>> editing.move("C", "-001").gain_m2 < 0
    True
    >>> answer = editing.move("B")
    >>> answer.broken[["unit_id", "rule"]].values.tolist()
    [['-001', 'min_low_share'], ['-001', 'contiguous']]
    >>> answer.repairs["edit"].iloc[0]
    'take it back'
    >>> editing.repair(1)
    >>> editing.members["unit_id"].tolist()
    ['-001', '-001', '-001']
    """
    wanted = changed(DelineateSettings(), settings or {})
    inputs = _inputs(parcels, (id, low), towns, barriers, wanted)
    try:
        return UnitEditing.of(inputs, wanted, drawn)
    except ValueError as error:
        raise InputRefusedError(f"parcels: {error}. Leave them out, or mend them.") from error


def _inputs(
    parcels: gpd.GeoDataFrame,
    fields: tuple[str, str],
    towns: gpd.GeoDataFrame | None,
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None,
    wanted: DelineateSettings,
) -> UnitInputs:
    """Return what units are drawn from, as a project would read it."""
    ground = _ground(parcels, *fields)
    here = around(ground) if towns is None else towns
    if towns is None:
        here = here.rename(columns={"code": "town_code"}).assign(town_code="")
    lines = np.empty(0, dtype=object) if barriers is None else _on(barriers, ground).to_numpy()
    here = here.set_geometry(_on(here, ground))
    cells = barrier_cells(here[["town_code", "geometry"]], lines, across_towns=wanted.across_towns)
    shapes_ = ground.geometry.to_numpy()
    cut = ground["parcel_id"][is_cut(cut_shares(shapes_, cells, cell_of(shapes_, cells)))]
    if wanted.across_towns and towns is not None:
        each = barrier_cells(here[["town_code", "geometry"]], np.empty(0, dtype=object))
        place = cell_of(shapes_, each)
        codes = each["town_code"].to_numpy(dtype=object)
        ground = ground.assign(town=[codes[at] if at >= 0 else None for at in place])
    kind = PARCELS if towns is None else TOWNS
    return UnitInputs(
        ground, cells, gpd.GeoDataFrame(geometry=lines, crs=ground.crs), here, tuple(map(str, cut)), (),
        overlapping(ground), kind,
    )  # fmt: skip


def _ground(parcels: gpd.GeoDataFrame, id_field: str, low: str) -> gpd.GeoDataFrame:
    """Return parcels with the columns that units are drawn by."""
    there = [name for name in (*_MAY_HAVE, "area_m2", "public_m2") if name in parcels.columns]
    with warned() as tell:
        found = shapes(parcels, "parcels", id_field=id_field, fields=[low, *there], src_crs=None, tell=tell)
    columns = {name: values.to_pandas() for name, values in found.fields.items()}
    frame = gpd.GeoDataFrame(
        {"parcel_id": found.index.astype(object), "low_m2": _numbers(columns[low], low)},
        geometry=found.geometries,
        crs=found.plane.crs,
    )
    for name in _MAY_HAVE:
        given = columns.get(name)
        frame[name] = None if given is None else given.astype(object).where(given.notna(), None).to_numpy()
    frame["area_m2"] = _numbers(columns["area_m2"], "area_m2") if "area_m2" in columns else _areas(frame)
    frame["public_m2"] = _numbers(columns["public_m2"], "public_m2") if "public_m2" in columns else 0.0
    return frame


def _numbers(values: pd.Series[Any], name: str) -> pd.Series[float]:
    try:
        return pd.to_numeric(values).astype(float)
    except (ValueError, TypeError) as error:
        raise InputRefusedError(
            f"parcels: the field {name} holds something else than numbers ({error}). Name the field with the areas in m²."
        ) from error


def _areas(frame: gpd.GeoDataFrame) -> Any:
    """Return areas by the survey formula where the plane allows it, else on the plane."""
    try:
        return ellipsoidal_areas(frame.geometry.to_numpy(), gauss_plane(frame.crs.to_wkt()))
    except ValueError:
        return shapely.area(frame.geometry.to_numpy())


def _on(shapes_: gpd.GeoDataFrame | gpd.GeoSeries, ground: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return geometries that divide, which must be on the plane of the parcels.

    Raises:
        InputRefusedError: they are on another plane.
    """
    if shapes_.crs is None or not shapes_.crs.equals(ground.crs, ignore_axis_order=True):
        name = "of no known system" if shapes_.crs is None else f"in {shapes_.crs.name}"
        raise InputRefusedError(
            f"What divides units is {name}, but the parcels are in {ground.crs.name}. Bring both to one plane, for example with .to_crs(…)."
        )
    return shapes_.geometry
