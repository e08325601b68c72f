"""What parcels could gain by redevelopment: land, idle land, land that a denser footprint leaves over, floor area by plan, empty floors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lowland_gis.analysis.potential.bands import NOTHING, SHARE, UNKNOWN, Band, total
from lowland_gis.analysis.potential.parameters import Parameters

# Digitising: a plan that leaves less of a parcel open covers it.
COVERED = 0.995
# What a figure hangs on, where that is not known.
PLAN, PLAN_FAR, PLAN_DENSITY = "规划用途", "规划容积率", "规划建筑密度"
FLOOR, DENSITY, VACANT, IDLE = "现状建筑面积", "现状建筑密度", "空置情况", "动工情况"


@dataclass(frozen=True)
class Plot:
    """A piece of a parcel in one plan parcel: its planned use (None: the plan says nothing of it), area (m²), FAR and density; NaN where not said."""

    use: str | None
    area_m2: float
    far: float = math.nan
    density: float = math.nan
    public: bool = False


@dataclass(frozen=True)
class Land:
    """A parcel of a unit as potential sees it; `kind` is None where it is not low-efficiency; NaN where nothing is known.

    area_m2, floor_m2 and public_m2 in m²; density and vacant_share as shares of 1; `plots` are disjoint, and what they leave open is not planned.
    """

    parcel_id: str
    area_m2: float
    kind: str | None
    zone: str | None = None
    plots: tuple[Plot, ...] = ()
    floor_m2: float = math.nan
    density: float = math.nan
    vacant_share: float = math.nan
    idle_years: float = math.nan
    public_m2: float = math.nan

    @property
    def pieces(self) -> tuple[Plot, ...]:
        """Return its plots, brought to its area, and what the plan leaves open of it."""
        planned = math.fsum(plot.area_m2 for plot in self.plots)
        scale = self.area_m2 / planned if planned >= COVERED * self.area_m2 and planned > 0 else 1.0
        scaled = tuple(
            Plot(plot.use, plot.area_m2 * scale, plot.far, plot.density, plot.public) for plot in self.plots
        )
        left = self.area_m2 - planned * scale
        return scaled if left <= (1 - COVERED) * self.area_m2 else (*scaled, Plot(None, left))


@dataclass(frozen=True)
class Gain:
    """What a parcel could gain, each as a band; `missing`: figure → what it hangs on and is not known.

    land: land that is redeveloped (m²); idle: idle land (m²); freed: land left over by a footprint as dense as planned (m²); floor_plan,
    floor_now, floor: floor area by plan, present, gained (m²); vacant: empty floors (m²). All of low-efficiency land alone.
    """

    parcel: Land
    land: Band = NOTHING
    idle: Band = NOTHING
    freed: Band = NOTHING
    floor_plan: Band = NOTHING
    floor_now: Band = NOTHING
    floor: Band = NOTHING
    vacant: Band = NOTHING
    missing: tuple[tuple[str, str], ...] = ()

    def lacks(self, figure: str) -> tuple[str, ...]:
        """Return what a figure hangs on and is not known."""
        return tuple(what for name, what in self.missing if name == figure)


FIGURES = ("land", "idle", "freed", "floor_plan", "floor_now", "floor", "vacant")


def gain(parcel: Land, parameters: Parameters) -> Gain:
    """Return what a parcel could gain.

    Floor area gained is that of the plan (area times FAR, piece by piece) less the present one where that is positive, times the share that is
    redeveloped. What is not low-efficiency gains nothing.
    """
    if parcel.kind is None:
        return Gain(parcel)
    share = redeveloped(parcel, parameters)
    floor_plan, far_lacks = _floor_plan(parcel, parameters)
    floor_now = Band.of(parcel.floor_m2)
    freed, density_lacks = _freed(parcel, parameters)
    vacant, vacant_lacks = _vacant(parcel)
    unknown_floor = (FLOOR,) if math.isnan(parcel.floor_m2) else ()
    no_start = (IDLE,) if math.isnan(parcel.idle_years) else ()
    missing = {
        "idle": no_start, "freed": density_lacks, "floor_plan": far_lacks, "floor_now": unknown_floor,
        "floor": (*far_lacks, *unknown_floor), "vacant": vacant_lacks,
    }  # fmt: skip
    return Gain(
        parcel,
        share.times(parcel.area_m2),
        _idle(parcel, parameters),
        share * freed,
        floor_plan,
        floor_now,
        share * (floor_plan - floor_now).above_zero(),
        vacant,
        tuple((name, what) for name, lacks in missing.items() for what in lacks),
    )


def redeveloped(parcel: Land, parameters: Parameters) -> Band:
    """Return the share of a parcel's land that is redeveloped."""
    return parameters.band("redeveloped", zone=parcel.zone, kind=parcel.kind) or SHARE


def _floor_plan(parcel: Land, parameters: Parameters) -> tuple[Band, tuple[str, ...]]:
    floors, lacks = [], []
    for piece in parcel.pieces:
        found = _said(piece.far, parcel, piece, "far", parameters)
        if found is None:
            lacks.append(PLAN if piece.use is None else PLAN_FAR)
        floors.append((found or UNKNOWN).times(piece.area_m2))
    return total(floors), tuple(dict.fromkeys(lacks))


def _freed(parcel: Land, parameters: Parameters) -> tuple[Band, tuple[str, ...]]:
    """Return the land that the present footprint would leave over if it stood as dense as is planned."""
    densities, lacks = [], []
    for piece in parcel.pieces:
        found = _said(piece.density, parcel, piece, "density", parameters)
        if found is None:
            lacks.append(PLAN if piece.use is None else PLAN_DENSITY)
        densities.append((found or SHARE).times(piece.area_m2 / parcel.area_m2))
    planned = total(densities).at_most(1.0)
    now = SHARE if math.isnan(parcel.density) else Band.of(min(parcel.density, 1.0))
    if math.isnan(parcel.density):
        lacks.append(DENSITY)
    freed = Band(_left(now.high, planned.low), _left(now.low, planned.high))
    return freed.times(parcel.area_m2), tuple(dict.fromkeys(lacks))


def _left(now: float, planned: float) -> float:
    """Return the share of land that a footprint (share of the land) leaves over at a density; where nothing may be built there is none."""
    return max(0.0, 1.0 - now / planned) if planned > 0 else 0.0


def _vacant(parcel: Land) -> tuple[Band, tuple[str, ...]]:
    if parcel.floor_m2 == 0:
        return NOTHING, ()
    share = SHARE if math.isnan(parcel.vacant_share) else Band.of(parcel.vacant_share)
    lacks = ((FLOOR,) if math.isnan(parcel.floor_m2) else ()) + (
        (VACANT,) if math.isnan(parcel.vacant_share) else ()
    )
    return Band.of(parcel.floor_m2) * share, lacks


def _idle(parcel: Land, parameters: Parameters) -> Band:
    """Return the idle land: all of it from so many years after the agreed start on."""
    if math.isnan(parcel.idle_years):
        return Band(0.0, parcel.area_m2)
    limit = parameters.band("idle_from", zone=parcel.zone, kind=parcel.kind)
    if limit is None:
        raise AssertionError("parameters without the years from which land is idle were not refused")
    least, most = (parcel.area_m2 if parcel.idle_years >= end else 0.0 for end in (limit.high, limit.low))
    return Band(least, most)


def _said(own: float, parcel: Land, piece: Plot, name: str, parameters: Parameters) -> Band | None:
    """Return what the plan says of a piece, else what is taken for granted of its use."""
    if not math.isnan(own):
        return Band.of(own)
    return parameters.band(name, use=piece.use, zone=parcel.zone, kind=parcel.kind)


@dataclass(frozen=True)
class Figure:
    """A figure of a unit: its band, the land (m²) of which an input is not known, and what that is."""

    band: Band
    unknown_m2: float = 0.0
    lacks: tuple[str, ...] = ()


def summed(gains: Sequence[Gain]) -> dict[str, Figure]:
    """Return the figures of land by name (`FIGURES`): sums over its parcels."""
    return {name: _sum(name, gains) for name in FIGURES}


def _sum(name: str, gains: Sequence[Gain]) -> Figure:
    found = [getattr(each, name) for each in gains]
    unknown = [each for each in gains if each.lacks(name)]
    return Figure(
        total(found), math.fsum(each.parcel.area_m2 for each in unknown),
        tuple(dict.fromkeys(what for each in unknown for what in each.lacks(name))),
    )  # fmt: skip


@dataclass(frozen=True)
class Public:
    """Public-benefit land (公益性用地) of a unit: planned, wanted and short of that, in m²; unknown where no detailed plan was delivered."""

    planned: Band
    wanted: Band
    short: Band
    known: bool


def public(parcels: Iterable[Land], parameters: Parameters) -> Public:
    """Return the public-benefit land of a unit: planned on all of its parcels, and held against the least share."""
    rows = list(parcels)
    area = math.fsum(each.area_m2 for each in rows)
    share = parameters.band("public_share")
    if share is None:
        raise AssertionError("parameters without the least share of public-benefit land were not refused")
    known = not any(math.isnan(each.public_m2) for each in rows)
    planned = total(
        Band(0.0, each.area_m2) if math.isnan(each.public_m2) else Band.of(each.public_m2) for each in rows
    )
    wanted = share.times(area)
    return Public(planned, wanted, (wanted - planned).above_zero(), known)
