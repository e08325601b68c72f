"""A handful of variations, each several of `catalogue.py` in one; `make test-variations` runs every one by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from variations import deliveries, forms, shapes, sheets
from variations.catalogue import VARIATIONS, Variation, each, in_form, tables, together
from variations.effects import LessKnown, Same, WithoutParcels
from variations.incoming import Delivered, Incoming
from variations.judged import judge
from variations.known import KNOWN_DIFFERENCES

PARCELS, SEED = 200, 5


def in_forms_in_turn(incoming: Incoming) -> Incoming:
    """Deliver each layer in another form than the layer before it."""
    writers = list(forms.VECTOR_FORMS.values())

    def changed(place: int, item: Delivered) -> Delivered:
        return in_form(writers[place % len(writers)])(item) if item.is_vector else item

    return replace(incoming, layers=tuple(changed(*pair) for pair in enumerate(incoming.layers)))


def in_systems_in_turn(incoming: Incoming) -> Incoming:
    """Deliver layers in degrees, in the plane, and in the plane with the prefix of its zone, in turn."""
    systems = ("EPSG:4490", "EPSG:4548", "EPSG:4527")

    def changed(place: int, item: Delivered) -> Delivered:
        return shapes.in_system(systems[place % len(systems)])(item) if item.is_vector else item

    return replace(incoming, layers=tuple(changed(*pair) for pair in enumerate(incoming.layers)))


HANDFUL = (
    Variation(
        "rows and columns shuffled, more columns, rings started elsewhere, turned and doubled, with Z",
        together(
            each(in_form(forms.gpkg)),
            each(shapes.shuffled),
            each(shapes.started_elsewhere),
            each(shapes.turned_round),
            each(shapes.doubled),
            each(shapes.with_z),
            each(sheets.reordered),
            each(sheets.with_more_columns),
            tables(in_form(forms.csv_gbk)),
            tables(shapes.shuffled),
            tables(sheets.reordered),
        ),
    ),
    Variation(
        "every form, in parts by town",
        together(in_forms_in_turn, deliveries.split_by_town),
        Same(drift_m=1e-7),
    ),
    Variation("every system", in_systems_in_turn, Same(drift_m=1e-8)),
    Variation("noise of 0.1 mm", each(shapes.with_noise), Same(drift_m=shapes.NOISE_M)),
    Variation(
        "everything corrected",
        together(
            deliveries.corrected(
                "parcel", "dltb3", "dltb2", "eco_redline", "supply", "building", "road", "enterprise"
            ),
        ),
    ),
    Variation("a layer missing", deliveries.missing("supply"), LessKnown("supply")),
    Variation("parcels of a town missing", deliveries.without_town, WithoutParcels(deliveries.FIRST_TOWN)),
)


@pytest.mark.parametrize("variation", HANDFUL, ids=str)
def test_a_variation_changes_what_it_says(districts, new_database, tmp_path, variation):
    judge(variation, *districts(PARCELS, SEED), tmp_path, new_database)


def test_known_differences_are_variations():
    assert set(KNOWN_DIFFERENCES) <= {variation.name for variation in VARIATIONS}
