"""Uses that a unit could be given next (再开发用途比选): scored by the plan, its kinds, its plan zones and what it lacks of public-benefit land."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lowland_gis.analysis.potential.bands import SHARE, Band, total
from lowland_gis.analysis.potential.gain import Land, Public
from lowland_gis.analysis.potential.parameters import Parameters, Use
from lowland_gis.quantities import M2_PER_HA


@dataclass(frozen=True)
class Scored:
    """A next use with its score (0 to 1) and the reasons for it; the rank counts from 1."""

    key: str
    title: str
    score: Band
    reasons: tuple[str, ...]
    rank: int = 0


def next_uses(parcels: Sequence[Land], public: Public, parameters: Parameters) -> list[Scored]:
    """Return every use of the parameters for a unit, best first: by the least score, then by the most, then in their order."""
    scored = [_scored(key, use, parcels, public, parameters) for key, use in parameters.use.items()]
    ordered = sorted(scored, key=lambda each: (-round(each.score.low, 9), -round(each.score.high, 9)))
    return [
        Scored(each.key, each.title, each.score, each.reasons, rank)
        for rank, each in enumerate(ordered, start=1)
    ]


def _scored(key: str, use: Use, parcels: Sequence[Land], public: Public, parameters: Parameters) -> Scored:
    found = {
        "weight_plan": _by_plan(use, parcels),
        "weight_kind": _by_kind(use, parcels),
        "weight_zone": _by_zone(use, parcels),
        "weight_public": _by_public(use, public),
    }
    weights = {name: parameters.band(name) or SHARE for name in found}
    whole = math.fsum(weight.low for weight in weights.values())
    score = total(band.times(weights[name].low / whole) for name, (band, _) in found.items())
    return Scored(key, use.title, score.at_most(1.0), tuple(reason for _, reason in found.values()))


def _by_plan(use: Use, parcels: Sequence[Land]) -> tuple[Band, str]:
    area = math.fsum(each.area_m2 for each in parcels)
    pieces = [piece for each in parcels for piece in each.pieces]
    fits = math.fsum(piece.area_m2 for piece in pieces if piece.use and piece.use.startswith(use.codes))
    open_ = math.fsum(piece.area_m2 for piece in pieces if piece.use is None)
    band = _shares(fits, open_, area)
    if open_ >= area:
        return band, "详细规划：未知（没有详细规划）"
    said = f"详细规划：{fits / area:.1%} 为此用途" if fits > 0 else "详细规划：未安排此用途，须先调整规划"
    return band, said + (f"，{open_ / area:.1%} 没有详细规划" if open_ > 0 else "")


def _by_kind(use: Use, parcels: Sequence[Land]) -> tuple[Band, str]:
    low = math.fsum(each.area_m2 for each in parcels if each.kind is not None)
    if low <= 0:
        return Band(0.0, 0.0), "低效类型：单元内没有低效用地"
    share = math.fsum(each.area_m2 for each in parcels if each.kind in use.kinds) / low
    return _shares(share, 0.0, 1.0), f"低效类型：{share:.1%} 的低效用地属适宜类型"


def _by_zone(use: Use, parcels: Sequence[Land]) -> tuple[Band, str]:
    if not use.zones:
        return Band(1.0, 1.0), "规划分区：不限"
    area = math.fsum(each.area_m2 for each in parcels)
    fits = math.fsum(each.area_m2 for each in parcels if each.zone in use.zones)
    open_ = math.fsum(each.area_m2 for each in parcels if each.zone is None)
    said = f"规划分区：{fits / area:.1%} 位于适宜分区"
    return _shares(fits, open_, area), said + (f"，{open_ / area:.1%} 分区未知" if open_ > 0 else "")


def _shares(fits: float, unknown: float, whole: float) -> Band:
    """Return which share of an area fits, if what is unknown does not, and if it does; sums of areas leave a last digit."""
    return Band(min(1.0, fits / whole), min(1.0, (fits + unknown) / whole))


def _by_public(use: Use, public: Public) -> tuple[Band, str]:
    """Return how much a use meets what is lacking: one of public benefit by the lack, any other by what is not lacking."""
    if not public.known:
        return SHARE, "公益性用地：未知（没有详细规划）"
    wanted = public.wanted.high
    lack = public.short.times(1 / wanted).at_most(1.0) if wanted > 0 else Band(0.0, 0.0)
    short = public.short.high / M2_PER_HA
    said = f"公益性用地：尚缺 {short:.2f} 公顷" if short > 0 else "公益性用地：已达最低占比"
    return (lack if use.public else Band(1.0 - lack.high, 1.0 - lack.low)), said
