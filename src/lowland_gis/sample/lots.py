"""The lots as parcels: shape, place, identity, and what each is planted as (the truth)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from lowland_gis.sample.codes import FACILITIES, FARMING, OLD_SETTLEMENT, Leaf, Purpose, Zone
from lowland_gis.sample.dice import Flags, Floats, Ints, Shapes, Texts, generator, lattice_noise, smooth_noise
from lowland_gis.sample.layout import Layout, boxes_of
from lowland_gis.sample.places import Places

LEGACY, INDUSTRIAL, TOWN, VILLAGE, NONE = "legacy", "industrial", "town", "village", "none"


@dataclass(frozen=True)
class TargetMix:
    """Shares of all parcels that are planted as low-efficiency, and the most that a group of candidates gives."""

    legacy: float = 0.06
    industrial: float = 0.09
    residential: float = 0.05
    commercial: float = 0.02
    facility: float = 0.02
    village: float = 0.08
    most_of_candidates: float = 0.7


@dataclass(frozen=True)
class Lots:
    """Columns of equal length, one value a parcel."""

    shapes: Shapes
    boxes: Ints
    leaf: Ints
    cell: Ints
    purpose: Ints
    town: Ints
    village: Ints
    x: Floats
    y: Floats
    area: Floats
    codes: Texts
    built_2009: Flags
    collective: Flags
    kind: Texts = field(default_factory=lambda: np.empty(0, dtype=object))
    subkind: Texts = field(default_factory=lambda: np.empty(0, dtype=object))

    def __len__(self) -> int:
        """Return the number of parcels."""
        return len(self.leaf)

    def of(self, *purposes: Purpose) -> Flags:
        """Return which parcels have one of the purposes."""
        return np.isin(self.purpose, purposes)


def survey_lots(layout: Layout, places: Places, old_classes: Texts) -> Lots:
    """Measure and number the lots; `old_classes` is the second-survey class of every block."""
    leaf, purpose = layout.lots["leaf"], layout.lots["purpose"]
    cell = layout.cell_of_leaf[leaf]
    village = places.village_of_cell[cell]
    boxes = boxes_of(layout.lots)
    shapes = layout.shapes(boxes, leaf, cell)
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    rural_leaf = np.isin(layout.blocks.kind[leaf], (Leaf.VILLAGE, Leaf.WORKSHOP))
    collective = rural_leaf | np.isin(purpose, FARMING)
    order = np.argsort(village, kind="stable")
    rank = np.empty(len(leaf), dtype=np.int64)
    rank[order] = np.arange(len(leaf)) - np.searchsorted(village[order], village[order])
    codes = [
        f"{code[:12]}{'JB' if owned else 'GB'}{number + 1:05d}"
        for code, owned, number in zip(places.village_codes[village], collective, rank, strict=True)
    ]
    return Lots(
        shapes=shapes,
        boxes=boxes,
        leaf=leaf,
        cell=cell,
        purpose=purpose,
        town=places.village_town[village],
        village=village,
        x=centres[:, 0],
        y=centres[:, 1],
        area=shapely.area(shapes),
        codes=np.array(codes, dtype=object),
        built_2009=np.isin(old_classes[leaf], OLD_SETTLEMENT),
        collective=collective,
    )


def plant(lots: Lots, zones: Ints, seed: int, mix: TargetMix | None = None) -> Lots:
    """Choose which parcels are low-efficiency and why; they cluster because decay is a smooth field."""
    mix = mix or TargetMix()
    random = generator(seed, "decay")
    decay = (
        0.8 * smooth_noise(lots.x, lots.y, wavelength=1_100, random=random)
        + 1.1 * lattice_noise(lots.leaf, seed + 11)
        + 0.5 * random.random(len(lots))
    )
    kind = np.full(len(lots), NONE, dtype=object)
    subkind = np.full(len(lots), "", dtype=object)
    _plant_legacy(lots, kind, subkind, mix, generator(seed, "legacy"))
    groups = (
        (INDUSTRIAL, "", lots.of(Purpose.WORKS), mix.industrial),
        (TOWN, "residential", lots.of(Purpose.HOME_OLD), mix.residential),
        (
            TOWN,
            "commercial",
            lots.of(Purpose.SHOP, Purpose.OFFICE) & (zones[lots.cell] != Zone.RURAL),
            mix.commercial,
        ),
        (TOWN, "facility", lots.of(*FACILITIES), mix.facility),
        (VILLAGE, "", lots.of(Purpose.RURAL_HOME), mix.village),
    )
    for name, detail, candidates, share in groups:
        chosen = _worst(decay, candidates & (kind == NONE), round(share * len(lots)), mix.most_of_candidates)
        kind[chosen], subkind[chosen] = name, detail
    low_works = kind == INDUSTRIAL
    causes = random.choice(["tax", "stopped", "overdue"], size=len(lots), p=[0.6, 0.2, 0.2])
    subkind[low_works] = causes[low_works]
    return replace(lots, kind=kind, subkind=subkind)


LEGACY_MIX = (
    ((Purpose.WORKS,), 0.34),
    ((Purpose.HOME_OLD,), 0.16),
    ((Purpose.STORE,), 0.06),
    ((Purpose.SHOP, Purpose.OFFICE), 0.06),
    (FACILITIES, 0.06),
    ((Purpose.HOME_NEW,), 0.02),
    ((Purpose.RURAL_HOME,), 0.30),
)


CONFLICTS = ("redline", "farmland", "off_plan", "farmland_expired")


def _plant_legacy(
    lots: Lots, kind: Texts, subkind: Texts, mix: TargetMix, random: np.random.Generator
) -> None:
    wanted = round(mix.legacy * len(lots))
    neglect = (
        smooth_noise(lots.x, lots.y, wavelength=800, random=random)
        + 1.2 * lattice_noise(lots.leaf, 5)
        + 0.4 * random.random(len(lots))
    )
    for purposes, share in LEGACY_MIX:
        candidates = lots.of(*purposes) & lots.built_2009 & (kind == NONE)
        chosen = _worst(neglect, candidates, max(1, round(share * wanted)), 0.45)
        kind[chosen] = LEGACY
        subkind[chosen] = "commodity" if purposes == (Purpose.HOME_NEW,) else "plain"
    plain = np.flatnonzero(subkind == "plain")
    special = random.permutation(plain)[: max(len(CONFLICTS), len(plain) // 7)]
    for name, part in zip(CONFLICTS, np.array_split(special, len(CONFLICTS)), strict=True):
        subkind[part] = name


def _worst(decay: Floats, candidates: Flags, count: int, most: float) -> Ints:
    places = np.flatnonzero(candidates)
    count = min(count, int(most * len(places)))
    return places[np.argsort(-decay[places], kind="stable")[:count]]
