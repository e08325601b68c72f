"""What is shown of the potential of units: of all of them, or of one its figures, next uses or parcels; or the parameters."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lowland_gis.errors import UsageError
from lowland_gis.pipeline.products import potential_rows as rows
from lowland_gis.pipeline.products.frames import kind_titles
from lowland_gis.pipeline.products.potential import Potentials, unit_potentials
from lowland_gis.pipeline.units.drafts import HeldDraft

OF_UNIT = ("figures", "uses", "parcels")


def rows_of(
    draft: HeldDraft, found: Potentials, shown: str, *, one: bool
) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the columns and rows of what is shown; `one` says that a unit was asked for, and not all."""
    if shown == "parameters":
        return rows.PARAMETER_COLUMNS, rows.parameter_rows(found.parameters)
    if not one:
        return rows.UNIT_COLUMNS, [rows.unit_row(each) for each in found.units]
    (unit,) = found.units
    if shown == "uses":
        return rows.USE_COLUMNS, rows.use_rows(unit)
    if shown == "parcels":
        titles = kind_titles(draft.held.basis.pack, draft.held.project.legend)
        return rows.PARCEL_COLUMNS, rows.parcel_rows(unit, titles)
    return rows.FIGURE_COLUMNS, rows.figure_rows(unit, found.parameters)


def potential_table(draft: HeldDraft, unit_id: str | None, shown: str) -> pd.DataFrame:
    """Return the potential of all units of a draft, or what is asked of one, as a frame.

    Raises:
        UsageError: there is no such unit, nothing of that name is shown, or it is shown of one unit only.
        DefinitionError: the project's own parameters have faults.
    """
    if shown not in OF_UNIT:
        raise UsageError(f"There is no {shown!r} of a unit to show. Ask for {', '.join(OF_UNIT)}.")
    if unit_id is None and shown != OF_UNIT[0]:
        raise UsageError(f"The {shown} are those of one unit. Name it.")
    found = unit_potentials(draft, () if unit_id is None else (unit_id,))
    columns, held = rows_of(draft, found, shown, one=unit_id is not None)
    return pd.DataFrame(held, columns=columns)
