"""The evidence of every measure, from its inputs: values with their bands, details and sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lowland_gis.analysis.rules.kleene import EQUAL_WITHIN
from lowland_gis.definitions import measure as define
from lowland_gis.pipeline.base.papers import paper_rows, said_rows, silence
from lowland_gis.pipeline.base.telling import Passing, Tell, silent
from lowland_gis.pipeline.evidence.inputs import Inputs
from lowland_gis.pipeline.evidence.kinds import Found, evaluate
from lowland_gis.pipeline.evidence.stored import COLUMNS, Column, Objects


@dataclass(frozen=True)
class Evidence:
    """What is known of one measure: a value for each parcel under one source, and rows that have a source of their own."""

    column: Column | None = None
    apart: pd.DataFrame | None = None

    def rows(self, name: str, parcels: Objects) -> pd.DataFrame:
        """Return one row for each known value: parcel_id, measure, value, low, high, source, detail."""
        found = [] if self.column is None else [self.column.rows(name, parcels)]
        found += [] if self.apart is None else [self.apart.reindex(columns=COLUMNS)]
        return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)


def evidence(
    inputs: Inputs, defined: Mapping[str, define.AnyMeasure], *, tell: Tell = silent
) -> Iterator[tuple[str, Evidence]]:
    """Yield the evidence of each measure, and at last of what papers say of other conditions."""
    for number, (name, definition) in enumerate(defined.items(), start=1):
        tell(Passing(f"measure {number} of {len(defined)}: {name} {definition.title}"))
        yield name, _evidence(name, definition, inputs)
    tell(f"measure {len(defined)} measures")
    said = said_rows(inputs.documents, set(defined))
    yield "papers", Evidence(apart=said if len(said) else None)


def _evidence(name: str, definition: define.AnyMeasure, inputs: Inputs) -> Evidence:
    if isinstance(definition, define.PaperMeasure):
        return _paper(name, definition, inputs)
    needed = definition.needs
    if any(layer not in inputs.versions for layer in needed):
        return Evidence()
    found = evaluate(definition, inputs)
    layers = (*needed, *found.used)
    cited = (version.cited for layer in layers for version in inputs.versions.get(layer, []))
    return Evidence(_column(found, "; ".join(dict.fromkeys(cited))))


def _paper(name: str, definition: define.PaperMeasure, inputs: Inputs) -> Evidence:
    """Return what papers say, and what the list of an office says of the parcels that no paper speaks of."""
    said = paper_rows(name, inputs.documents, inputs.documented) if len(inputs.documents) else None
    if definition.absent is None:
        return Evidence(apart=said)
    value = np.full(len(inputs.index), float(definition.absent))
    if said is not None:
        value[inputs.index.isin(said["parcel_id"])] = np.nan
    return Evidence(Column(value, silence(definition)), said)


def _column(found: Found, source: str) -> Column:
    if found.low is None or found.high is None:
        return Column(found.value, source, detail=found.detail)
    # A band that is but a point is none; areas are sums, so a point has the size of their rounding.
    point = np.abs(found.high - found.low) <= EQUAL_WITHIN
    low, high = (np.where(point, np.nan, end) for end in (found.low, found.high))
    return Column(found.value, source, low, high, found.detail)
