"""What a run hands on of its overlaps is what the database would give of the rows that it wrote."""

import dataclasses

import numpy as np
import pandas as pd

from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.analysis.overlay.tabulate import Overlaps
from lowland_gis.pipeline.overlaps.handed_on import HandedOn, hand_on, handed_on

PARCELS = np.array(["A", "B", "C", "D"], dtype=object)
# Of the classes the second one meets no parcel; the parts come in no order.
NAMES = np.array(["", "0601", "10", "9"], dtype=object)
PARTS = [([2, 2, 3], [0, 3, 2], [5.0, 1.0, 2.5]), ([0, 0], [2, 3], [4.0, 0.125])]


def handed():
    overlaps = HandedOn(PARCELS)
    for parcel, klass, area in PARTS:
        found = Overlaps(np.array(parcel), np.array(klass), np.array(area))
        overlaps.add("dltb3", NAMES, found, np.array(area) / 8)
    return overlaps


def test_it_is_what_comes_out_of_the_rows():
    rows = pd.DataFrame(
        [
            (PARCELS[p], NAMES[k], a, a / 8)
            for parcel, klass, area in PARTS
            for p, k, a in zip(parcel, klass, area, strict=True)
        ],
        columns=["parcel_id", "code", "area_m2", "share"],
    )
    index = pd.Index(PARCELS, dtype=object)
    wanted = LayerOverlaps.of(index, rows).sorted()
    found = handed().layer("dltb3", index)
    assert (found.count, found.codes) == (wanted.count, wanted.codes) == (4, ("", "10", "9"))
    for column in ("parcel", "code", "area", "share"):
        one, other = (dataclasses.asdict(item)[column] for item in (found, wanted))
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_of_other_parcels_and_layers_it_says_nothing():
    overlaps = handed()
    assert overlaps.layer("dltb3", pd.Index(["A", "B", "C", "E"], dtype=object)) is None
    assert overlaps.layer("dltb3", pd.Index(PARCELS[::-1], dtype=object)) is None
    assert overlaps.layer("dltb2", pd.Index(PARCELS, dtype=object)) is None


def test_it_is_taken_once_and_by_the_run_that_it_is_of():
    kept, overlaps = {}, handed()
    hand_on(kept, 7, overlaps)
    assert handed_on(kept, 8) is None
    assert handed_on(kept, 7) is overlaps
    assert handed_on(kept, 7) is None
