"""`unit_potential` and `key_areas`: what units could gain, and where low-efficiency land gathers, over frames."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lowland_gis.analysis.potential.gain import Land, Plot
from lowland_gis.analysis.units.key_areas import NAMES, rank_areas
from lowland_gis.definitions.key_areas import key_rules
from lowland_gis.definitions.potential import potential_parameters
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.products.potential import potential_of
from lowland_gis.pipeline.products.potential_rows import UNIT_COLUMNS, unit_row

_NEEDED = ("parcel_id", "unit_id", "area_m2", "kind")
# What is known of a parcel and of the plan for it; a column that is not there is not known.
_MEASURED = ("floor_m2", "density", "vacant_share", "idle_years", "public_m2")
_PLANNED = {"plan_use": "use", "plan_far": "far", "plan_density": "density"}


def unit_potential(parcels: pd.DataFrame, *, parameters: str | Path | None = None) -> pd.DataFrame:
    """Say of every unit what it could gain by redevelopment, and what that costs (再开发潜力): what `lowland unit potential` does.

    Low and high are what a figure can be as far as its inputs are known; an end that is missing is not known. The shipped parameters are
    examples: no price, cost or share of Tianjin is public.

    Args:
        parcels: one row a parcel of a unit: parcel_id, unit_id, area_m2 and kind (missing where it is not low-efficiency). Where there are
            columns town_code, zone, floor_m2 (present floor area), density and vacant_share (shares of 1), idle_years, public_m2 (planned
            for public benefit), plan_use, plan_far and plan_density (a share of 1), they count; what is missing is not known.
        parameters: a `potential.toml` that is laid over the shipped one.

    Returns:
        One row a unit: unit_id, area_ha, low_ha, land (ha), floor (m²), public-benefit land that is short (ha) and what is left over in two
        ways (万元), each low and high, and next_use.

    Raises:
        InputRefusedError: a column is missing, an area is not positive, or a parcel is there twice.
        DefinitionError: the parameters have faults.

    >>> import pandas
    >>> from lowland_gis import unit_potential
    >>> lots = pandas.DataFrame({
    ...     "parcel_id": ["A", "B"], "unit_id": "U1", "area_m2": [10_000.0, 5_000.0], "kind": ["industrial", None],
    ...     "floor_m2": [6_000.0, 0.0], "plan_use": "100102", "plan_far": 1.6,
    ... })
    >>> row = unit_potential(lots).iloc[0]
    >>> float(row["area_ha"]), float(row["low_ha"]), row["next_use"]
    (1.5, 1.0, '产业提升（工业、研发）')
    >>> bool(0 < row["floor_low_m2"] <= row["floor_high_m2"] <= 10_000)
    True
    """
    _refuse(parcels)
    known = potential_parameters(None if parameters is None else Path(parameters))
    rows = []
    for unit, part in parcels.sort_values(["unit_id", "parcel_id"]).groupby("unit_id", sort=True):
        town = next((_text(row, "town_code") for row in part.to_dict("records")), None)
        rows.append(unit_row(potential_of(str(unit), town or "", list(_lands(part)), known)))
    return pd.DataFrame(rows, columns=UNIT_COLUMNS)


def key_areas(areas: pd.DataFrame, *, rules: str | Path | None = None) -> pd.DataFrame:
    """Rank areas where low-efficiency land gathers as key areas (重点区域), each rank with its reasons: what `lowland unit key-areas` does.

    A mark is the value of a criterion as a share of the greatest one, or the share that it is; the score is their mean under the weights,
    over the criteria that are known. In the order of the score, areas are key areas until they hold `gathered_share` of all such land.

    Args:
        areas: one row an area: area_id and low_ha; where there are columns low_share, ownership_share, papers_share, near_share (shares of
            1), potential_ha and floor_ha (hectares), they count; what is missing is not known.
        rules: a TOML file of criteria and weights instead of the shipped one, whose numbers are examples.

    Returns:
        The areas in the order of their rank with rank, key, score, known_share (of the weights), reason and gathered_share.

    Raises:
        InputRefusedError: a column is missing, or an area is there twice.
        DefinitionError: the rules make no sense.

    >>> import pandas
    >>> from lowland_gis import key_areas
    >>> found = key_areas(pandas.DataFrame({"area_id": ["A", "B", "C"], "low_ha": [12.0, 30.0, 3.0]}))
    >>> found[["rank", "area_id", "key"]].values.tolist()
    [[1, 'B', True], [2, 'A', False], [3, 'C', False]]
    >>> found["reason"].iloc[1].split("；")[0]
    '低效用地规模（公顷） 12.00: 0.40 × 1.00'
    """
    _lacking(areas, ("area_id", "low_ha"), "areas")
    _twice(areas["area_id"], "areas")
    every = areas.reindex(columns=[*areas.columns, *(name for name in NAMES if name not in areas.columns)])
    ranked = rank_areas(every, key_rules(None if rules is None else Path(rules)))
    return ranked.drop(columns=[name for name in NAMES if name not in areas.columns])


def _lands(rows: pd.DataFrame) -> Iterator[Land]:
    for row in rows.to_dict("records"):
        area = float(row["area_m2"])
        plan = {name: _number(row, column) for column, name in _PLANNED.items() if name != "use"}
        use = _text(row, "plan_use")
        said = use is not None or not all(map(math.isnan, plan.values()))
        public_m2 = _number(row, "public_m2")
        plots = (Plot(use, area, **plan, public=public_m2 >= area),) if said else ()
        measured = {name: _number(row, name) for name in _MEASURED}
        yield Land(str(row["parcel_id"]), area, _text(row, "kind"), _text(row, "zone"), plots, **measured)


def _number(row: Mapping[Any, Any], name: str) -> float:
    value = row.get(name)
    return math.nan if value is None or pd.isna(value) else float(value)


def _text(row: Mapping[Any, Any], name: str) -> str | None:
    value = row.get(name)
    return None if value is None or pd.isna(value) or not str(value).strip() else str(value).strip()


def _refuse(parcels: pd.DataFrame) -> None:
    _lacking(parcels, _NEEDED, "parcels")
    _twice(parcels["parcel_id"], "parcels")
    bad = parcels["parcel_id"][~(pd.to_numeric(parcels["area_m2"], errors="coerce") > 0)]
    if len(bad):
        raise InputRefusedError(
            f"parcels: area_m2 of {', '.join(map(str, bad[:5]))} is no positive number. Leave such parcels out, or give their areas in m²."
        )


def _lacking(frame: pd.DataFrame, names: tuple[str, ...], what: str) -> None:
    lacking = [name for name in names if name not in frame.columns]
    if lacking:
        raise InputRefusedError(
            f"{what}: there is no column {', '.join(lacking)}. The columns are: {', '.join(map(str, frame.columns))}."
        )


def _twice(names: pd.Series, what: str) -> None:
    twice = sorted(set(map(str, names[names.duplicated()])))
    if twice:
        raise InputRefusedError(f"{what}: there twice: {', '.join(twice[:5])}. Each may have one row.")
