"""Layers of the database out of a package definition that was adopted: what is delivered so can be ingested, checked and tabulated."""

from __future__ import annotations

import json
import re
from collections.abc import Collection

from lowland_gis.definitions.package import FieldDefinition, LayerDefinition, PackageDefinition
from lowland_gis.quantities import unit_named

# What the layer is nothing says, so no check but those of its own fields looks at it.
FAMILY = "adopted"
_CODE = re.compile(r".*(BSM|BH|DM|BM)$")


def layer_texts(definition: PackageDefinition, taken: Collection[str]) -> dict[str, str]:
    """Return key → definition (TOML) of a layer for each layer of a package that has outlines; keys that are `taken` are left alone.

    The key is the name in small letters, with `_adopted` behind it where a layer of that key is there.
    """
    found: dict[str, str] = {}
    for layer in definition.layers:
        if layer.geometry != "polygon":
            continue
        key = layer.name.lower()
        key = f"{key}_adopted" if key in taken else key
        found[key] = _text(key, layer, definition.source)
    return found


def _text(key: str, layer: LayerDefinition, source: str) -> str:
    identifier = layer.key_field
    area = next((field for field in layer.fields if field.of_shape), None)
    lines = [
        f"key = {_said(key)}",
        f"title = {_said(layer.title)}",
        f"family = {_said(FAMILY)}",
        'geometry = "polygon"',
        'stored = "feature"',
        f"identifier = {_said(identifier.name)}",
        f"unique = {'true' if layer.unique else 'false'}",
        *([] if area is None else [f"area_field = {_said(area.name)}"]),
        f"document = {_said(source)}",
        f"names = [{_said(layer.name)}]",
        "field = [",
        *(f"  {_field(field, is_key=field.name == identifier.name)}," for field in layer.fields),
        "]",
    ]
    return "\n".join(lines) + "\n"


def _field(field: FieldDefinition, *, is_key: bool) -> str:
    kind = {"C": "text", "D": "date"}.get(field.type, "number" if field.decimals else "integer")
    said = {
        "name": field.name,
        "title": field.title,
        "type": kind,
        "length": field.length,
        # A record without its key is set aside; another field that must be filled is looked at by the checks.
        **({"required": True} if is_key else {}),
        **({"mandatory": True} if field.required and not is_key else {}),
        **({"unit": field.unit} if field.type == "N" and unit_named(field.unit) is not None else {}),
        **({"code": True} if field.type == "C" and _CODE.fullmatch(field.name) else {}),
        **({"synonyms": [field.short]} if field.short and field.short != field.name else {}),
    }
    return "{ " + ", ".join(f"{name} = {_said(value)}" for name, value in said.items()) + " }"


def _said(value: object) -> str:
    """Return a value as TOML spells it; texts as JSON does, whose escapes are TOML's too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
