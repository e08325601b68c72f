"""Every variation of a district: its name, what it rewrites, and what it may change of the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lowland_gis.sample.deliveries import SOURCES
from variations import deliveries, forms, shapes, sheets
from variations.effects import Effect, FarLessKnown, LessKnown, Same, WithoutParcels, WithoutTowns
from variations.incoming import Delivered, Incoming, rows_of

# Coordinates come back from degrees, or without a zone's prefix of eight digits, to a hundredth of a micrometre.
_ROUNDED = Same(drift_m=1e-8)
# A file geodatabase keeps whole steps of 0.1 mm, so what lies between two of them moves by half a step.
_ON_GRID = Same(drift_m=5.1e-5)
# Of degrees its steps are a thousand millionth, 0.11 mm; the third survey comes in one.
_DEGREES_ON_GRID = Same(drift_m=6e-5)
_LAYERS = tuple(layer for layer in SOURCES if layer != "parcel")


@dataclass(frozen=True)
class Variation:
    """One way to deliver the same land, or land that differs by a known amount."""

    name: str
    change: Callable[[Incoming], Incoming]
    effect: Effect = field(default_factory=Same)

    def __str__(self) -> str:
        """Return the name, as the tests show it."""
        return self.name


def each(
    change: Callable[[Delivered], Delivered], *layers: str, kind: str = "vector"
) -> Callable[[Incoming], Incoming]:
    """Return what changes the named layers, or all of a kind."""
    return lambda incoming: incoming.each(change, *layers, kind=kind)


def tables(change: Callable[[Delivered], Delivered]) -> Callable[[Incoming], Incoming]:
    """Return what changes every table."""
    return each(change, kind="table")


def together(*changes: Callable[[Incoming], Incoming]) -> Callable[[Incoming], Incoming]:
    """Return one change after the other."""

    def all_of_them(incoming: Incoming) -> Incoming:
        for change in changes:
            incoming = change(incoming)
        return incoming

    return all_of_them


def in_form(write: Callable[..., str]) -> Callable[[Delivered], Delivered]:
    """Return what writes a layer in another form."""
    return lambda item: replace(item, rows=rows_of(item), write=write)


def nothing_but_parcels(incoming: Incoming) -> Incoming:
    """Leave out every other layer, and every field but the codes of the parcels."""
    return incoming.without(*_LAYERS).each(sheets.only_required, "parcel")


VARIATIONS = (
    Variation("rewritten as it is", each(shapes.rewritten)),
    Variation("rows shuffled", together(each(shapes.shuffled), tables(shapes.shuffled))),
    Variation("rings started elsewhere", each(shapes.started_elsewhere)),
    Variation("rings turned round", together(each(in_form(forms.gpkg)), each(shapes.turned_round))),
    Variation("multipolygons", together(each(in_form(forms.gpkg)), each(shapes.as_multi))),
    Variation("with Z", together(each(in_form(forms.gpkg)), each(shapes.with_z))),
    Variation("shapefiles with Z", together(each(in_form(forms.shp_gbk)), each(shapes.with_z))),
    Variation("vertices doubled", each(shapes.doubled)),
    Variation("noise of 0.1 mm", each(shapes.with_noise), Same(drift_m=shapes.NOISE_M)),
    *(
        Variation(f"every layer as {name}", each(in_form(write)), _ON_GRID if name == "gdb" else Same())
        for name, write in forms.VECTOR_FORMS.items()
    ),
    Variation("tables as CSV in UTF-8", tables(in_form(forms.csv_utf8))),
    Variation("tables as CSV in GBK", tables(in_form(forms.csv_gbk))),
    *(
        Variation(f"every layer in {crs}", each(shapes.in_system(crs)), bound)
        for crs, bound in (("EPSG:4548", _ROUNDED), ("EPSG:4527", _ROUNDED), ("EPSG:4490", _DEGREES_ON_GRID))
    ),
    Variation("split by town into parts", deliveries.split_by_town),
    Variation("a town as a part of the whole", deliveries.town_of_the_whole),
    Variation("run twice", deliveries.twice),
    Variation("delivered twice in other bytes", deliveries.same_rows_again),
    *(
        Variation(f"corrected {layer}", deliveries.corrected(layer))
        for layer in ("parcel", *(layer for layer in _LAYERS if layer not in ("raster", "district")))
    ),
    Variation("corrected raster", deliveries.corrected_raster),
    Variation("more columns", together(each(sheets.with_more_columns, "parcel", "dltb3", "eco_redline", "road"), tables(sheets.with_more_columns))),
    Variation("columns in another order", together(each(sheets.reordered), tables(sheets.reordered))),
    Variation("headings in half width", tables(sheets.half_width)),
    Variation("headings with line breaks", tables(sheets.broken_headings)),
    Variation("headings with blanks", tables(sheets.spaced_headings)),
    Variation("headings under a title row", tables(sheets.under_title)),
    Variation("saved by LibreOffice", tables(sheets.by_libreoffice)),
    *(Variation(f"workbooks as {suffix}", tables(sheets.in_kind(suffix))) for suffix in (".xls", ".et", ".ods")),
    Variation("workbooks as .xlsb", tables(sheets.as_xlsb)),
    Variation("numbers as text", tables(sheets.numbers_as_text)),
    Variation("codes of the second survey as numbers", together(each(in_form(forms.gpkg), "dltb2"), each(sheets.codes_as_numbers("DLBM"), "dltb2"))),
    Variation("planned zones as numbers", together(each(in_form(forms.gpkg), "plan_zone"), each(sheets.codes_as_numbers("GHFQDM"), "plan_zone"))),
    Variation("codes of districts as numbers", together(each(in_form(forms.gpkg), "town", "village", "district"), each(sheets.codes_as_numbers("XZQDM"), "town", "village", "district"))),
    Variation("folder with blanks and !", deliveries.in_odd_folder),
    Variation("locale zh_CN.GBK", deliveries.in_gbk_locale),
    Variation("locale zh_CN.GBK without UTF-8 mode", deliveries.in_gbk_locale_alone),
    *(Variation(f"missing {layer}", deliveries.missing(layer), WithoutTowns() if layer == "town" else LessKnown(layer)) for layer in _LAYERS),
    Variation("nothing but parcels", nothing_but_parcels, FarLessKnown()),
    Variation("nothing but required fields", together(each(sheets.only_required), tables(sheets.only_required)), FarLessKnown()),
    Variation("parcels of a town missing", deliveries.without_town, WithoutParcels(deliveries.FIRST_TOWN)),
)  # fmt: skip
