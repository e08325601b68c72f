"""A simple balance of money (资金测算) of a unit, in 万元: the land is bought and sold, or its owners build and pay for what they gain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lowland_gis.analysis.potential.bands import UNKNOWN, Band, total
from lowland_gis.analysis.potential.gain import Gain, Plot, redeveloped
from lowland_gis.analysis.potential.parameters import MEANINGS, Parameter, Parameters
from lowland_gis.quantities import MU_M2, converted

_WEIGHTS = ("weight_plan", "weight_kind", "weight_zone", "weight_public")
# 元 of a 元/m² in 万元.
_WAN = converted(1.0, "元", "万元")
RESERVE, OWNER = "reserve", "owner"


@dataclass(frozen=True)
class Line:
    """One line of a balance: what is paid (negative) or received, in 万元, and the names of parameters that are not given."""

    title: str
    band: Band
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Balance:
    """The lines of one way of redevelopment, and what is left, in 万元."""

    way: str
    lines: tuple[Line, ...]
    left: Band


@dataclass(frozen=True)
class _Rates:
    """What a parcel costs and brings at full redevelopment, in 万元."""

    acquisition: Band
    sale: Band
    public: Band
    top_up: Band
    lacks: dict[str, tuple[str, ...]]


def balances(gains: Sequence[Gain], parameters: Parameters) -> tuple[Balance, Balance]:
    """Return the balance of both ways, for the low-efficiency land of a unit.

    reserve (收储出让): all land is bought, what is planned for public benefit is built, the rest is sold. owner (自主改造): owners pay for floor
    area gained, and the government builds on the public-benefit land that is handed over. Ends are taken parcel by parcel at the same share of
    redeveloped land, so the balance is narrower than the difference of its lines.
    """
    rows = [
        (each, _rates(each, parameters), redeveloped(each.parcel, parameters))
        for each in gains
        if each.parcel.kind
    ]
    lacks = {
        name: tuple(dict.fromkeys(title for _, rates, _ in rows for title in rates.lacks[name]))
        for name in ("acquisition", "sale_price", "public_cost", "top_up")
    }
    cost = total(_minus(share * rates.acquisition) for _, rates, share in rows)
    public = total(_minus(share * rates.public) for _, rates, share in rows)
    sale = total(share * rates.sale for _, rates, share in rows)
    top_up = total(rates.top_up for _, rates, _ in rows)
    building = Line("公益性用地建设", public, lacks["public_cost"])
    reserve = Balance(
        RESERVE,
        (Line("收储成本", cost, lacks["acquisition"]), building, Line("出让收入", sale, lacks["sale_price"])),
        total(share * (rates.sale - rates.acquisition - rates.public) for _, rates, share in rows),
    )
    owner = Balance(OWNER, (building, Line("补缴地价", top_up, lacks["top_up"])), top_up + public)
    return reserve, owner


def _minus(band: Band) -> Band:
    return band.times(-1.0)


def _rates(each: Gain, parameters: Parameters) -> _Rates:
    parcel, lacks = (
        each.parcel,
        dict[str, list[str]](acquisition=[], sale_price=[], public_cost=[], top_up=[]),
    )
    pieces = parcel.pieces

    def price(name: str, piece: Plot) -> Band:
        found = parameters.band(name, use=piece.use, zone=parcel.zone, kind=parcel.kind)
        if found is None:
            lacks[name].append(
                MEANINGS[name].title + (f"（用途 {piece.use}）" if piece.use else "（无详细规划）")
            )
        return UNKNOWN if found is None else found

    built = [piece for piece in pieces if not piece.public]
    acquisition = total(price("acquisition", piece).times(piece.area_m2 / MU_M2) for piece in pieces)
    sale = total(price("sale_price", piece).times(piece.area_m2 / MU_M2) for piece in built)
    public = total(
        price("public_cost", piece).times(piece.area_m2 / MU_M2) for piece in pieces if piece.public
    )
    area = sum(piece.area_m2 for piece in built)
    # A parcel's floors are gained on what is not public, in proportion to its land.
    rate = total(price("top_up", piece).times(piece.area_m2 / area) for piece in built)
    top_up = each.floor * rate.times(_WAN) if built else Band(0.0, 0.0)
    return _Rates(
        acquisition, sale, public, top_up, {name: tuple(dict.fromkeys(said)) for name, said in lacks.items()}
    )


def resting_on(gains: Sequence[Gain], parameters: Parameters) -> list[Parameter]:
    """Return the parameters that the figures of a unit rest on, in their order."""
    held: list[Parameter | None] = [parameters.find(name) for name in ("public_share", *_WEIGHTS)]
    for each in gains:
        parcel = each.parcel
        if parcel.kind is None:
            continue
        held += [
            parameters.find(name, zone=parcel.zone, kind=parcel.kind) for name in ("redeveloped", "idle_from")
        ]
        for piece in parcel.pieces:
            names = (
                ["acquisition", "public_cost"] if piece.public else ["acquisition", "sale_price", "top_up"]
            )
            names += [name for name in ("far", "density") if math.isnan(getattr(piece, name))]
            held += [
                parameters.find(name, use=piece.use, zone=parcel.zone, kind=parcel.kind) for name in names
            ]
    keys = {each.key for each in held if each is not None}
    return [each for each in parameters.parameter if each.key in keys]
