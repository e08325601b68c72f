"""What is known of one layer of a delivery, as plain facts that can be printed or made JSON of."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from lowland_gis.analysis.fields import recognise
from lowland_gis.analysis.geometry.curves import MAX_DEVIATION_M
from lowland_gis.analysis.geometry.forensics import LARGE_RING, Kinds, Shapes
from lowland_gis.definitions.layer import FieldDefinition, layer_definition
from lowland_gis.definitions.mapping import Mapping
from lowland_gis.files import inspect

_EQUAL = 1e-9


@dataclass
class Inspection:
    """All that is known of one layer of a source.

    `said` is what a geodatabase says of the layer beside its rows: titles, lists of codes, relationships.

    `plane` says that it is in another system than the project's, and how it gets there. `refusals` are the reasons why ingest would refuse the file, `warnings` what it would take but a person should know.
    """

    source: str
    layer: str | None
    driver: str
    size_bytes: int
    sha256: str
    encoding: str | None = None
    encoding_reason: str | None = None
    text: inspect.TextFacts | None = None
    counts: inspect.Counts | None = None
    said: list[tuple[str, str]] = field(default_factory=list)
    n_rows: int = 0
    declared_crs: str | None = None
    used_crs: str | None = None
    plane: str | None = None
    extent: tuple[float, ...] | None = None
    readings: tuple[str, ...] = ()
    datum: str = "unknown"
    geometry: dict[str, Any] | None = None
    columns: tuple[recognise.Column, ...] = ()
    fits: tuple[recognise.Fit, ...] = ()
    chosen: str | None = None
    layer_named: bool = False
    field_faults: tuple[recognise.FieldFault, ...] = ()
    replace: dict[str, dict[str, str]] = field(default_factory=dict)
    issues: dict[str, int] = field(default_factory=dict)
    n_loaded: int = 0
    n_repaired: int = 0
    n_rejected: int = 0
    refusals: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Return whether ingest would take every row."""
        return not self.refusals and not self.n_rejected

    def as_json(self) -> dict[str, Any]:
        """Return everything as what JSON holds."""
        content = asdict(self) | {"would": self.would}
        for column in content["columns"]:
            column["codes"] = None if column["codes"] is None else sorted(column["codes"])
        return content

    @property
    def would(self) -> str:
        """Return what ingest would do with it, in one word."""
        return "refuse" if self.refusals else "load" if not self.n_rejected else "load with rejects"

    @property
    def fit(self) -> recognise.Fit | None:
        """Return how the fields fit the chosen layer; None where they have nothing in common."""
        return next((fit for fit in self.fits if fit.key == self.chosen), None)

    @property
    def not_taken(self) -> list[recognise.Column]:
        """Return the received columns that stand for no field of the chosen layer."""
        taken = {match.received for match in self.fit.matches} if self.fit else set()
        return [column for column in self.columns if column.name not in taken]

    @property
    def wanted(self) -> list[FieldDefinition]:
        """Return the fields of the chosen layer that no received column stands for."""
        found = {match.standard for match in self.fit.matches} if self.fit else set()
        fields = () if self.chosen is None else layer_definition(self.chosen).field
        return [item for item in fields if item.name not in found]

    def mapping(self, supplier: str) -> Mapping | None:
        """Return the mapping that the proposals make, empty where no field fits; None where no layer was recognised or named."""
        if self.chosen is None:
            return None
        fit = self.fit
        if fit is None:
            return Mapping(supplier=supplier, layer=self.chosen)
        unit = {
            match.standard: match.unit
            for match in fit.matches
            if match.unit and (match.line or not match.certain)
        }
        return Mapping(
            supplier=supplier, layer=self.chosen, rename=fit.rename, replace=self.replace, unit=unit
        )


def geometry_facts(kinds: Kinds, seen: Shapes) -> dict[str, Any]:
    """Return counts of kinds and faults by name."""
    return {
        "kinds": dict(kinds.kinds), "curves": kinds.n_curves, "z": kinds.n_z, "m": kinds.n_m,
        "null": seen.n_null, "unreadable": seen.n_unreadable, "empty": seen.n_empty,
        "not_finite": seen.n_not_finite, "invalid": seen.n_invalid, "reasons": dict(seen.reasons),
        "places": dict(seen.places), "duplicates": seen.n_duplicates, "multipart": seen.n_multipart,
        "largest_ring": seen.largest_ring, "large_rings": seen.n_large_rings,
    }  # fmt: skip


def doubts(found: Inspection) -> list[str]:
    """Return what ingest would take, but a person should know."""
    told = []
    if found.extent is not None and not found.readings:
        told.append("The extent lies nowhere in China, neither in degrees nor in metres.")
    if (
        not found.layer_named
        and len(found.fits) > 1
        and abs(found.fits[0].score - found.fits[1].score) < _EQUAL
    ):
        told.append(
            f"The fields fit {found.fits[0].key} and {found.fits[1].key} alike; only the data year or the name"
            " of the file decided. Say which it is with --layer."
        )
    if found.encoding_reason and "wrong" in found.encoding_reason:
        told.append(f"The declared text encoding is wrong: {found.encoding_reason}.")
    facts = found.geometry or {}
    if facts.get("curves"):
        told.append(
            f"{facts['curves']} geometries have arcs; they become lines within {MAX_DEVIATION_M} m of them, of the same area."
        )
    if facts.get("z") or facts.get("m"):
        told.append("Heights and measures (Z, M) are left out.")
    if facts.get("large_rings"):
        told.append(f"{facts['large_rings']} rings have over {LARGE_RING:,} vertices; overlays will be slow.")
    if not found.n_rows:
        told.append("It has no rows.")
    return told
