"""Layer definitions: what each layer key means, which fields it has, and how it is stored and tabulated."""

from __future__ import annotations

import datetime as dt
from difflib import get_close_matches
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.definitions.own import LAYERS, Own, in_use, names, path_of
from lowland_gis.definitions.reading import read_toml
from lowland_gis.errors import DefinitionError, UsageError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldDefinition(_Frozen):
    """One field of a layer as the standard spells it; numbers are in `unit`, a `code` is capital letters and digits without spaces.

    `digits` is how many a code of the layer has where its list has longer and shorter ones too. Without a `required` field a record is
    set aside; one without a `mandatory` field is a finding of the checks.
    """

    name: str
    title: str
    type: Literal["text", "integer", "number", "date"]
    length: int | None = None
    required: bool = False
    codes: str | None = None
    digits: int | None = None
    synonyms: tuple[str, ...] = ()
    unit: str | None = None
    code: bool = False
    mandatory: bool = False


class Drawn(_Frozen):
    """How the overview map draws a layer: what has the higher `order` lies above, and `heading` is where the legend lists it.

    `way` is `area` in the layer's style of the legend, `classes` for lines in the style of their code (as road grades have), or `names`
    for areas whose names, of the field `name`, stand on the map.
    """

    order: int = Field(ge=1, le=9)
    way: Literal["area", "classes", "names"] = "area"
    name: str | None = None
    heading: str


class LayerDefinition(_Frozen):
    """One layer: what it is (`family`), its fields, where it is stored, and by which code overlaps are summed.

    `family` is what checks name in place of a list of layers; within one, layers stand by `place`, then by key. `identifier` is the field
    by which people name a record; it is `unique` where no two may have the same. `area_field` is the area as the office states it.
    `drawn` says how the overview map shows it, nothing that it does not. `tabulate` is `code` (sum by the class code), `feature` (keep each feature apart, because its attributes are
    needed beside the overlap) or `no`. `width` names the field that makes a strip of
    a line, `strips` the layer of such lines whose strips take the place of this one's ground. `valid_from` and `valid_to` name date fields outside which a feature counts no more. `names` are
    the names of the layer in databases, by which layers of like fields are told apart. `checked_as` is the layer whose checks it
    goes through as well.
    """

    key: str
    title: str
    family: str = Field(pattern=r"^[a-z][a-z_]*$")
    place: int = 0
    geometry: Literal["polygon", "line", "point", "table", "raster"]
    stored: Literal["feature", "parcel", "enterprise", "raster"]
    identifier: str | None = None
    unique: bool = False
    area_field: str | None = None
    drawn: Drawn | None = None
    code: str | None = None
    tabulate: Literal["code", "feature", "no"] = "no"
    as_of: dt.date | None = None
    width: str | None = None
    strips: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    document: str
    note: str | None = None
    names: tuple[str, ...] = ()
    checked_as: str | None = None
    field: tuple[FieldDefinition, ...] = ()


ADAPTER = TypeAdapter(LayerDefinition)


def layer_keys() -> list[str]:
    """Return every known layer key, those of the project's own layers among them."""
    return names(LAYERS, in_use())


def layer_definition(key: str) -> LayerDefinition:
    """Return the definition of a layer key.

    Raises:
        UsageError: there is no such layer; the message names the nearest ones.
        DefinitionError: the project's own definition is wrong; with every fault.
    """
    return _layer(key, in_use())


@cache
def _layer(key: str, own: Own) -> LayerDefinition:
    known = names(LAYERS, own)
    if key not in known:
        near = get_close_matches(key, known, n=3, cutoff=0.4) or known
        raise UsageError(f"There is no layer called {key!r}. Did you mean: {', '.join(near)}?")
    return read_toml(path_of(f"{LAYERS}/{key}.toml", own), ADAPTER)


def layer_title(key: str) -> str:
    """Return the title of a layer; its key where it was delivered once and is defined no more."""
    return layer_definition(key).title if key in layer_keys() else key


def families() -> dict[str, list[str]]:
    """Return family → keys of its layers in their order; one that is checked as another stands where that one does, not here."""
    return _families(in_use())


@cache
def _families(own: Own) -> dict[str, list[str]]:
    layers = [_layer(key, own) for key in names(LAYERS, own)]
    found: dict[str, list[str]] = {}
    for layer in sorted(layers, key=lambda layer: (layer.place, layer.key)):
        if layer.checked_as is None:
            found.setdefault(layer.family, []).append(layer.key)
    return found


def sound_layers() -> dict[str, LayerDefinition]:
    """Return the layers whose definitions can be read, by key; what is wrong with the others is told where a project's are taken up."""
    found = {}
    for key in layer_keys():
        try:
            found[key] = layer_definition(key)
        except DefinitionError:
            continue
    return found


def drawn_layers() -> dict[str, Drawn]:
    """Return the layers that the overview map draws, by key."""
    return {key: layer.drawn for key, layer in sound_layers().items() if layer.drawn is not None}
