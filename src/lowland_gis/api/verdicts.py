"""`classify`: a rule pack decides over a frame of measures."""

from __future__ import annotations

import datetime as dt
from difflib import get_close_matches
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.rules.decide import Facts, decide
from lowland_gis.analysis.rules.pack import RulePack
from lowland_gis.api.said import warned
from lowland_gis.definitions.measure import measure_units
from lowland_gis.definitions.rule_pack import rule_pack
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.base.telling import Tell

_TOWN, _ZONE = "town_code", "zone"


def classify(
    frame: pd.DataFrame,
    pack: str | Path,
    *,
    id: str | None = None,
    as_of: dt.date | None = None,
) -> pd.DataFrame:
    """Return what a rule pack answers for parcels: question, parcel_id, answer, settled, rule, candidate, trace.

    What `lowland classify run` decides, on measures that you bring. Rules are three-valued: a measure that is missing is unknown, never
    zero, and a parcel whose answer an unknown could still change is open (`settled` is false, `candidate` what the first
    undecided rule would give). `trace` has one letter a clause: t true, f false, u unknown.

    Args:
        frame: one row a parcel and one column a measure (measures.md), in the unit of the measure; yes/no as 1 and 0. The columns
            town_code and zone say where law differs by town or plan zone.
        pack: name of a shipped rule pack, or a TOML file of your own.
        id: column that names the parcels; without it the index.
        as_of: the day whose law holds; without it the day on which the pack came into force.

    Raises:
        DefinitionError: there is no such pack, or it has faults.
        InputRefusedError: a measure holds something else than numbers, there is no such column, or a name stands for several parcels.

    A `LowlandWarning` says which columns are no measures of the pack.

    >>> import pandas
    >>> from lowland_gis import classify
    >>> measures = pandas.DataFrame(
    ...     {
    ...         "registered": [1, 1],
    ...         "industrial3_share": [0.9, 0.9],
    ...         "tax_per_mu": [1.0, 1.0],
    ...         "output_per_mu": [10.0, 10.0],
    ...         "paper_exempt": [0.0, None],
    ...     },
    ...     index=["A", "B"],
    ... )
    >>> verdicts = classify(measures, "example_beichen")
    >>> verdicts[verdicts["question"] == "kind"][["parcel_id", "answer", "candidate"]].values.tolist()
    [['A', 'industrial', None], ['B', 'open', 'industrial']]
    """
    read = rule_pack(str(pack), Path.cwd(), as_of)
    with warned() as tell:
        facts = _facts(frame, read, id, as_of, tell)
    return decide(read, facts).frame()


def _facts(
    frame: pd.DataFrame, pack: RulePack, id_field: str | None, as_of: dt.date | None, tell: Tell
) -> Facts:
    if id_field is not None and id_field not in frame.columns:
        known = ", ".join(map(str, frame.columns)) or "no fields"
        raise InputRefusedError(f"frame: there is no field {id_field!r}. It has: {known}.")
    names = pd.Series(frame.index if id_field is None else frame[id_field].to_numpy(), dtype=object)
    if names.duplicated().any():
        doubled = names[names.duplicated()].unique()
        raise InputRefusedError(
            f"frame: {len(doubled)} values of {id_field or 'the index'} stand for several parcels, for example {doubled[0]!r}."
            " Name a field with one value a parcel, or leave --id away."
        )
    asked = pack.measures
    _tell_unused(frame, {*asked, _TOWN, _ZONE, id_field}, asked, tell)
    measured = {name: _numbers(frame[name], name) for name in asked if name in frame.columns}
    return Facts(
        names.to_numpy(),
        measured,
        units=measure_units(),
        towns=_places(frame, _TOWN),
        zones=_places(frame, _ZONE),
        day=pack.day(as_of or pack.in_force),
    )


def _tell_unused(frame: pd.DataFrame, used: set[str | None], asked: tuple[str, ...], tell: Tell) -> None:
    geometry = frame.active_geometry_name if isinstance(frame, gpd.GeoDataFrame) else None
    for column in map(str, frame.columns):
        if column not in used and column != geometry:
            near = get_close_matches(column, asked, n=1, cutoff=0.6)
            hint = f" Did you mean {near[0]}?" if near else ""
            tell(f"frame: the column {column} is no measure of the pack, so it says nothing.{hint}")


def _numbers(values: pd.Series[float], name: str) -> npt.NDArray[np.float64]:
    try:
        numbers = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputRefusedError(
            f"frame: the field {name} holds something else than numbers ({error}). Give the measure as numbers, yes/no as 1 and 0."
        ) from error
    return np.asarray(numbers)


def _places(frame: pd.DataFrame, column: str) -> npt.NDArray[np.object_] | None:
    if column not in frame.columns:
        return None
    values = frame[column].astype(object)
    return np.asarray(values.where(values.notna(), None), dtype=object)
