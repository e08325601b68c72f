"""The shipped measures and the reader of their definitions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, reduce
from itertools import chain
from operator import or_
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.definitions.layer import sound_layers
from lowland_gis.definitions.own import INSTEAD, OWN_ORIGIN, SHIPPED_ORIGIN, Own, in_use
from lowland_gis.definitions.reading import FOLDER, read_toml
from lowland_gis.errors import UsageError

FILE = "measures.toml"

Place = tuple[str, str]
# The layers that a kind of measure stands for by its own name.
_PARCEL, _TOWN, _BUILDING, _SUPPLY, _ENTERPRISE = "parcel", "town", "building", "supply", "enterprise"
# What the value of a parcel rests on: its own row and what lies on it; the other parcels of its firms too; or any parcel.
ONE_PARCEL, FIRMS, ALL_PARCELS = "one parcel", "firms", "all parcels"
# What firms are told apart by.
FIRM_CODE, FIRM_NAME = "TYSHXYDM", "QYMC"


class AnyMeasure(BaseModel):
    """What every measure says. A new kind is a class below this one: what its table in the file has, and on what it rests.

    `one_by_one` are the layers whose features it looks at one by one, beside their overlaps. `rests_on` says by which other parcels
    the value of one may change; where it is any, a run measures all parcels whenever one has changed. How it is computed is a function of
    `pipeline.evidence.kinds`, since definitions are read where nothing is computed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    one_by_one: ClassVar[tuple[str, ...]] = ()
    rests_on: ClassVar[str] = ALL_PARCELS

    kind: str
    title: str
    unit: str = ""
    note: str | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the layers that it cannot do without."""
        return ()

    @property
    def may_use(self) -> tuple[str, ...]:
        """Return the layers that it uses where they were delivered."""
        return ()

    @property
    def fields(self) -> tuple[Place, ...]:
        """Return the fields (layer, field) without which it is unknown: where one is in no column, nothing is said of it."""
        return ()

    @property
    def named_fields(self) -> dict[str, Place]:
        """Return the fields that its table names: key of the table → (layer, field)."""
        return {}


class Drift(BaseModel):
    """By how many metres the boundaries of a layer may be off, and where that is stated."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tolerance_m: float = Field(gt=0, le=100)
    document: str
    example: bool


class OverlapMeasure(AnyMeasure):
    """Share of the parcel that lies in a set of codes of some layers, at most 1.

    With `drift` it carries the band that a displacement of the layers by the tolerance allows; with `classes` the evidence names the
    classes that the parcel lies in. `traps` says in words what a class is easily taken for. Where the layers cover less than
    `coverage_min` of the parcel, the share is unknown: where there is no plan, nothing conforms to it and nothing is against it.
    """

    rests_on: ClassVar[str] = ONE_PARCEL

    kind: Literal["overlap"]
    layers: tuple[str, ...]
    codes: str
    unit: str = "share"
    drift: Drift | None = None
    classes: str | None = None
    traps: dict[str, str] = Field(default_factory=dict)
    coverage_min: float | None = Field(default=None, gt=0, le=1)

    @property
    def needs(self) -> tuple[str, ...]:
        """Return its layers; strips of lines are an addition: a survey without them is still a survey."""
        return tuple(layer for layer in self.layers if layer not in self.may_use)

    @property
    def may_use(self) -> tuple[str, ...]:
        """Return those of its layers that are the strips of another one."""
        known = sound_layers()
        strips = {known[layer].strips for layer in self.layers if layer in known}
        return tuple(layer for layer in self.layers if layer in strips)


class TownMeasure(AnyMeasure):
    """Share of the parcel in the town that it is counted in: the one that holds most of it. Unknown where none claims it."""

    one_by_one: ClassVar[tuple[str, ...]] = (_TOWN,)
    rests_on: ClassVar[str] = ONE_PARCEL

    kind: Literal["town"]
    unit: Literal["share"] = "share"

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the layers that it cannot do without."""
        return (_TOWN,)


class AreaMeasure(AnyMeasure):
    """Ellipsoidal area of the parcel in 亩."""

    rests_on: ClassVar[str] = ONE_PARCEL

    kind: Literal["area"]
    unit: Literal["亩"] = "亩"

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the layers that it cannot do without."""
        return (_PARCEL,)


class FieldMeasure(AnyMeasure):
    """A measure of one field of the parcel."""

    rests_on: ClassVar[str] = ONE_PARCEL

    field: str

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the layers that it cannot do without."""
        return (_PARCEL,)

    @property
    def fields(self) -> tuple[Place, ...]:
        """Return the field."""
        return ((_PARCEL, self.field),)

    @property
    def named_fields(self) -> dict[str, Place]:
        """Return the field."""
        return {"field": (_PARCEL, self.field)}


class PresentMeasure(FieldMeasure):
    """1 where a field of the parcel is filled, else 0."""

    kind: Literal["present"]
    unit: str = "yes/no"


class EqualsMeasure(FieldMeasure):
    """1 where a field of the parcel has one of the values, 0 where it has another, unknown where it is empty."""

    kind: Literal["equals"]
    values: tuple[str, ...]
    unit: str = "yes/no"


class AttributeMeasure(FieldMeasure):
    """A number that a field of the parcel holds, unknown where it is empty or no number."""

    kind: Literal["attribute"]


class BuildingMeasure(AnyMeasure):
    """A statistic over the buildings on the parcel; `age` counts years from the mean building year to the as-of day."""

    one_by_one: ClassVar[tuple[str, ...]] = (_BUILDING,)
    rests_on: ClassVar[str] = ONE_PARCEL

    kind: Literal["building"]
    statistic: Literal[
        "density", "floor_area_ratio", "floor_area", "year", "age", "vacant_share", "unsafe_share"
    ]

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the layers that it cannot do without."""
        return (_BUILDING,)

    @property
    def fields(self) -> tuple[Place, ...]:
        """Return the fields that its statistic cannot do without."""
        return tuple((_BUILDING, field) for field in _BUILDING_FIELDS.get(self.statistic, ()))


class EnterpriseMeasure(AnyMeasure):
    """An intensity of the firms of the parcel in the newest year that any of them reported, or `back` years before the as-of year.

    Several firms weigh by the floor area that they use (field JZMJ) where all state it, else by their land. Where a firm reports no
    intensity, its `total` of the year is spread over its parcels by the floor area of their buildings where all have some, else by ground.
    """

    rests_on: ClassVar[str] = FIRMS

    kind: Literal["enterprise"]
    column: str
    total: str | None = None
    back: int | None = Field(default=None, ge=0, le=20)

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the layers that it cannot do without."""
        return (_ENTERPRISE,)

    @property
    def may_use(self) -> tuple[str, ...]:
        """Return the buildings, by whose floor area a total is spread."""
        return () if self.total is None else (_BUILDING,)

    @property
    def fields(self) -> tuple[Place, ...]:
        """Return its column, where no total can stand in for it."""
        return ((_ENTERPRISE, self.column),) if self.total is None else ()

    @property
    def named_fields(self) -> dict[str, Place]:
        """Return the column, and the total if there is one."""
        named = {"column": self.column, "total": self.total}
        return {key: (_ENTERPRISE, field) for key, field in named.items() if field is not None}


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


class ContractMeasure(AnyMeasure):
    """Supply contracts that cover at least `min_share` of the parcel.

    `overdue_years` since the agreed completion and `idle_years` since the agreed start of the worst open contract, 0 without one;
    `years_since_signing` of the newest; `completed` 1 where all are.
    """

    one_by_one: ClassVar[tuple[str, ...]] = (_SUPPLY,)
    rests_on: ClassVar[str] = ONE_PARCEL

    kind: Literal["contract"]
    statistic: Literal["overdue_years", "idle_years", "years_since_signing", "completed"]
    min_share: float = Field(ge=0, le=1)

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the layers that it cannot do without."""
        return (_SUPPLY,)

    @property
    def fields(self) -> tuple[Place, ...]:
        """Return the dates that its statistic cannot do without."""
        return tuple((_SUPPLY, CONTRACT_DATES[name]) for name in _CONTRACT_FIELDS[self.statistic])


class RasterMeasure(AnyMeasure):
    """A statistic of the raster cells under the parcel, weighted by coverage."""

    rests_on: ClassVar[str] = ONE_PARCEL

    kind: Literal["raster"]
    layer: str
    statistic: Literal["mean", "min", "max", "median", "stdev"] = "mean"

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the layers that it cannot do without."""
        return (self.layer,)


class PaperMeasure(AnyMeasure):
    """What only a document can say: 1 or 0 once one is registered. Until then it is unknown, or `absent` where an office keeps a list.

    `office` says who keeps the list.
    """

    rests_on: ClassVar[str] = ONE_PARCEL

    kind: Literal["paper"]
    unit: str = "yes/no"
    absent: Literal[0, 1] | None = None
    office: str | None = None


def _kinds(base: type[AnyMeasure]) -> tuple[type[AnyMeasure], ...]:
    """Return the classes below a class that say their kind."""
    found = (
        (kind,) if kind.model_fields["kind"].annotation is not str else _kinds(kind)
        for kind in base.__subclasses__()
    )
    return tuple(chain.from_iterable(found))


# Every class above; the one named `kind` in a table is what its other keys are held to.
KINDS = _kinds(AnyMeasure)
_TABLES: Any = dict[str, Annotated[reduce(or_, KINDS), Field(discriminator="kind")]]  # type: ignore[misc]
ADAPTER: TypeAdapter[dict[str, AnyMeasure]] = TypeAdapter(_TABLES)


def features_read() -> tuple[str, ...]:
    """Return the layers whose features some kind of measure looks at one by one."""
    return tuple(sorted({layer for kind in KINDS for layer in kind.one_by_one}))


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


def refuse_beyond_parts(defined: Mapping[str, AnyMeasure]) -> None:
    """Refuse measures whose value rests on any parcel, where parcels are measured part by part (on Spark).

    Raises:
        UsageError: there are such measures, which are named.
    """
    unfit = [name for name, item in defined.items() if item.rests_on == ALL_PARCELS]
    if unfit:
        raise UsageError(
            f"{len(unfit)} measure(s) rest on all parcels at once, so the engine sedona cannot compute them part by part: {', '.join(unfit)}."
            " Nothing was computed. Without Spark: lowland run --engine local"
        )


def measure_units() -> dict[str, str]:
    """Return the unit of every measure by name."""
    return {name: measure.unit for name, measure in measures().items()}
