"""Measure what keeping last year's units costs: value against land that changes its unit, price by price, after a planted change.

Type: python bench/unit_stability.py [--parcels N] [--blocks 520 1020] [--seeds N …] [--share 0.02].
Units of a generated district are drawn; then a share of the parcels turns from low-efficiency land to other land or back, in places
that lie together, and units are drawn from the earlier ones at every price. *value* is without the price of changes, by the evaluator;
*quiet units that differ* are those of which no parcel was changed and that are not the same to the parcel.
"""

from __future__ import annotations

import argparse
import sys

import geopandas as gpd
import numpy as np
import shapely

from lowland_gis.analysis.units.draw import Draft, draw_units
from lowland_gis.analysis.units.ground import Weights
from unit_instances import Instance, generated

PRICES = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
HALF = 0.5
PLACES_M = 150.0


def planted(parcels: gpd.GeoDataFrame, share: float, seed: int) -> tuple[gpd.GeoDataFrame, set[str]]:
    """Return parcels after a year in which a share of them changed, in places that lie together, and the codes of those."""
    random = np.random.default_rng(seed)
    points = shapely.centroid(parcels.geometry.to_numpy())
    tree, changed = shapely.STRtree(points), set()
    while len(changed) < share * len(parcels):
        centre = points[random.integers(len(points))]
        near = tree.query(centre, predicate="dwithin", distance=PLACES_M)
        changed |= set(near[random.random(len(near)) < HALF].tolist())
    places = np.array(sorted(changed))
    low, area = parcels["low_m2"].to_numpy().copy(), parcels["area_m2"].to_numpy()
    low[places] = np.where(low[places] > 0, 0.0, area[places])
    return parcels.assign(low_m2=low), set(parcels["parcel_id"].to_numpy()[places])


def sets(draft: Draft) -> dict[str, frozenset[str]]:
    """Return the parcels of every unit."""
    return dict(draft.members.dropna(subset="unit_id").groupby("unit_id")["parcel_id"].agg(frozenset))


def curve(instance: Instance, share: float, seed: int) -> None:
    """Print a row for every price."""
    first = draw_units(instance.parcels, instance.cells, instance.limits, instance.weights)
    now, codes = planted(instance.parcels, share, seed)
    before = now["parcel_id"].map(first.members.set_index("parcel_id")["unit_id"]).astype(object)
    now = now.assign(before=before.where(before.notna(), None))
    quiet = {name: parcels for name, parcels in sets(first).items() if not parcels & codes}
    area, free = now["area_m2"], 0.0
    for price in PRICES:
        draft = draw_units(now, instance.cells, instance.limits, Weights(changed_land=price))
        value = draft.value_m2 - draft.units["kept_value"].sum()
        free = free or value
        to = now["parcel_id"].map(draft.members.set_index("parcel_id")["unit_id"])
        moved = now["before"].fillna("") != to.fillna("")
        units = sets(draft)
        differ = sum(units.get(name) != parcels for name, parcels in quiet.items())
        cells = (
            instance.name, price, f"{value / 10_000:.2f}", f"{value / free:.2%}", int(moved.sum()),
            f"{area[moved].sum() / 10_000:.1f}", f"{differ} of {len(quiet)}", len(draft.findings),
        )  # fmt: skip
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main() -> int:
    """Print the curve of every district."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parcels", type=int, default=3_000)
    parser.add_argument("--blocks", type=int, nargs="*", default=[520, 1020])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--share", type=float, default=0.02)
    options = parser.parse_args()
    print(
        "| district | price | value ha | of price 0 | parcels that change | ha | quiet units that differ | broken rules |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for block in options.blocks:
        for seed in options.seeds:
            curve(generated(options.parcels, seed, float(block)), options.share, seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
