"""The shipped measures and the reader of their definitions."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.definitions.own import INSTEAD, OWN_ORIGIN, SHIPPED_ORIGIN, Own, in_use
from lowland_gis.definitions.reading import FOLDER, read_toml

FILE = "measures.toml"

# Strips of line features are an addition: a survey without them is still a survey.
_STRIPS = ("xzdw2",)


class _Measure(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    title: str
    unit: str = ""
    note: str | None = None


class Drift(BaseModel):
    """By how many metres the boundaries of a layer may be off, and where that is stated."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tolerance_m: float = Field(gt=0, le=100)
    document: str
    example: bool


class OverlapMeasure(_Measure):
    """Share of the parcel that lies in a set of codes of some layers, at most 1.

    With `drift` it carries the band that a displacement of the layers by the tolerance allows; with `classes` the evidence names the
    classes that the parcel lies in. `traps` says in words what a class is easily taken for. Where the layers cover less than
    `coverage_min` of the parcel, the share is unknown: where there is no plan, nothing conforms to it and nothing is against it.
    """

    kind: Literal["overlap"]
    layers: tuple[str, ...]
    codes: str
    unit: str = "share"
    drift: Drift | None = None
    classes: str | None = None
    traps: dict[str, str] = Field(default_factory=dict)
    coverage_min: float | None = Field(default=None, gt=0, le=1)


class TownMeasure(_Measure):
    """Share of the parcel in the town that it is counted in: the one that holds most of it. Unknown where none claims it."""

    kind: Literal["town"]
    unit: Literal["share"] = "share"


class AreaMeasure(_Measure):
    """Ellipsoidal area of the parcel in 亩."""

    kind: Literal["area"]
    unit: Literal["亩"] = "亩"


class PresentMeasure(_Measure):
    """1 where a field of the parcel is filled, else 0."""

    kind: Literal["present"]
    field: str
    unit: str = "yes/no"


class EqualsMeasure(_Measure):
    """1 where a field of the parcel has one of the values, 0 where it has another, unknown where it is empty."""

    kind: Literal["equals"]
    field: str
    values: tuple[str, ...]
    unit: str = "yes/no"


class AttributeMeasure(_Measure):
    """A number that a field of the parcel holds, unknown where it is empty or no number."""

    kind: Literal["attribute"]
    field: str


class BuildingMeasure(_Measure):
    """A statistic over the buildings on the parcel; `age` counts years from the mean building year to the as-of day."""

    kind: Literal["building"]
    statistic: Literal[
        "density", "floor_area_ratio", "floor_area", "year", "age", "vacant_share", "unsafe_share"
    ]


class EnterpriseMeasure(_Measure):
    """An intensity of the firms of the parcel in the newest year that any of them reported, or `back` years before the as-of year.

    Several firms weigh by the floor area that they use (field JZMJ) where all state it, else by their land. Where a firm reports no
    intensity, its `total` of the year is spread over its parcels by the floor area of their buildings where all have some, else by ground.
    """

    kind: Literal["enterprise"]
    column: str
    total: str | None = None
    back: int | None = Field(default=None, ge=0, le=20)


CONTRACT_DATES = {
    "signed": "HTQDRQ",
    "agreed_start": "YDJDSJ",
    "actual_start": "SJJDSJ",
    "agreed_end": "YDDGSJ",
    "actual_end": "SJDGSJ",
}
# What each statistic of contracts cannot do without.
_CONTRACT_FIELDS = {
    "overdue_years": ("agreed_end", "actual_end"),
    "idle_years": ("agreed_start", "actual_start"),
    "years_since_signing": ("signed",),
    "completed": ("actual_end",),
}
_BUILDING_FIELDS = {
    "floor_area_ratio": ("JZMJ",),
    "floor_area": ("JZMJ",),
    "year": ("JCNF",),
    "age": ("JCNF",),
    "vacant_share": ("LYZT",),
    "unsafe_share": ("FWDJ",),
}


class ContractMeasure(_Measure):
    """Supply contracts that cover at least `min_share` of the parcel.

    `overdue_years` since the agreed completion and `idle_years` since the agreed start of the worst open contract, 0 without one;
    `years_since_signing` of the newest; `completed` 1 where all are.
    """

    kind: Literal["contract"]
    statistic: Literal["overdue_years", "idle_years", "years_since_signing", "completed"]
    min_share: float = Field(ge=0, le=1)


class RasterMeasure(_Measure):
    """A statistic of the raster cells under the parcel, weighted by coverage."""

    kind: Literal["raster"]
    layer: str
    statistic: Literal["mean", "min", "max", "median", "stdev"] = "mean"


class PaperMeasure(_Measure):
    """What only a document can say: 1 or 0 once one is registered. Until then it is unknown, or `absent` where an office keeps a list.

    `office` says who keeps the list.
    """

    kind: Literal["paper"]
    unit: str = "yes/no"
    absent: Literal[0, 1] | None = None
    office: str | None = None


AnyMeasure = (
    OverlapMeasure
    | TownMeasure
    | AreaMeasure
    | PresentMeasure
    | EqualsMeasure
    | AttributeMeasure
    | BuildingMeasure
    | EnterpriseMeasure
    | ContractMeasure
    | RasterMeasure
    | PaperMeasure
)
Measure = Annotated[AnyMeasure, Field(discriminator="kind")]
ADAPTER: TypeAdapter[dict[str, AnyMeasure]] = TypeAdapter(dict[str, Measure])


def needed_layers(definition: AnyMeasure) -> tuple[str, ...]:
    """Return the layers that a measure cannot do without."""
    match definition:
        case OverlapMeasure():
            return tuple(layer for layer in definition.layers if layer not in _STRIPS)
        case RasterMeasure():
            return (definition.layer,)
        case PaperMeasure():
            return ()
        case TownMeasure() | BuildingMeasure() | EnterpriseMeasure():
            return (definition.kind,)
        case ContractMeasure():
            return ("supply",)
        case _:
            return ("parcel",)


def needed_fields(definition: AnyMeasure) -> tuple[tuple[str, str], ...]:
    """Return the fields (layer, field) without which a measure is unknown: where one is in no column, nothing is said of it."""
    match definition:
        case PresentMeasure() | EqualsMeasure() | AttributeMeasure():
            return (("parcel", definition.field),)
        case BuildingMeasure():
            fields = _BUILDING_FIELDS.get(definition.statistic, ())
            return tuple((definition.kind, field) for field in fields)
        case ContractMeasure():
            names = _CONTRACT_FIELDS[definition.statistic]
            return tuple(("supply", CONTRACT_DATES[name]) for name in names)
        case EnterpriseMeasure() if definition.total is None:
            return (("enterprise", definition.column),)
        case _:
            return ()


def optional_layers(definition: AnyMeasure) -> tuple[str, ...]:
    """Return the layers that a measure uses where they were delivered."""
    if isinstance(definition, OverlapMeasure):
        return tuple(layer for layer in definition.layers if layer in _STRIPS)
    if isinstance(definition, EnterpriseMeasure) and definition.total is not None:
        return ("building",)
    return ()


def measures() -> dict[str, AnyMeasure]:
    """Return every measure by name in the order of the file, those of the project in their place or behind them."""
    return _measures(in_use())


@cache
def _measures(own: Own) -> dict[str, AnyMeasure]:
    shipped, added = _read(FOLDER / FILE), own.file(FILE)
    return shipped if added is None else shipped | _read(added)


def _read(path: Path) -> dict[str, AnyMeasure]:
    return read_toml(path, ADAPTER)


def measure_origin(name: str) -> str:
    """Return where a measure comes from: shipped, or the project's own."""
    added = in_use().file(FILE)
    if added is None or name not in _read(added):
        return SHIPPED_ORIGIN
    return INSTEAD if name in _read(FOLDER / FILE) else OWN_ORIGIN


def to_json(defined: dict[str, AnyMeasure]) -> dict[str, Any]:
    """Return measures as JSON, for the record of a run."""
    return {name: measure.model_dump(mode="json") for name, measure in defined.items()}


def from_json(recorded: dict[str, Any]) -> dict[str, AnyMeasure]:
    """Return the measures that a run recorded."""
    return ADAPTER.validate_python(recorded)


def measure_units() -> dict[str, str]:
    """Return the unit of every measure by name."""
    return {name: measure.unit for name, measure in measures().items()}
