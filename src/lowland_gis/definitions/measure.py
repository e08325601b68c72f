"""The shipped measures and the reader of their definitions."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.definitions.reading import FOLDER, read_toml


class _Measure(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    title: str
    unit: str = ""
    note: str | None = None


class OverlapMeasure(_Measure):
    """Share of the parcel that lies in a set of codes of some layers, at most 1."""

    kind: Literal["overlap"]
    layers: tuple[str, ...]
    codes: str
    unit: str = "share"


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


class BuildingMeasure(_Measure):
    """A statistic over the buildings on the parcel."""

    kind: Literal["building"]
    statistic: Literal["density", "floor_area_ratio", "year", "vacant_share", "unsafe_share"]


class EnterpriseMeasure(_Measure):
    """A column of the newest year in which a firm of the parcel reported; several firms weigh by their land."""

    kind: Literal["enterprise"]
    column: str


class OverdueMeasure(_Measure):
    """Years since the agreed completion of a supply contract that is not completed; 0 without such a contract.

    A contract counts where it covers at least `min_share` of the parcel.
    """

    kind: Literal["overdue"]
    agreed: str
    actual: str
    min_share: float


class RasterMeasure(_Measure):
    """Mean of the raster cells under the parcel, weighted by coverage."""

    kind: Literal["raster"]
    layer: str


class PaperMeasure(_Measure):
    """What only a document can say: 1 or 0 once one is registered, unknown until then."""

    kind: Literal["paper"]
    unit: str = "yes/no"


Measure = Annotated[
    OverlapMeasure
    | PresentMeasure
    | EqualsMeasure
    | BuildingMeasure
    | EnterpriseMeasure
    | OverdueMeasure
    | RasterMeasure
    | PaperMeasure,
    Field(discriminator="kind"),
]
AnyMeasure = (
    OverlapMeasure
    | PresentMeasure
    | EqualsMeasure
    | BuildingMeasure
    | EnterpriseMeasure
    | OverdueMeasure
    | RasterMeasure
    | PaperMeasure
)
_ADAPTER: TypeAdapter[dict[str, AnyMeasure]] = TypeAdapter(dict[str, Measure])


@cache
def measures() -> dict[str, AnyMeasure]:
    """Return every measure by name, in the order of the file."""
    return read_toml(FOLDER / "measures.toml", _ADAPTER)
