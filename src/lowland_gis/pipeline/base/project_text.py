"""The text of a project file: every setting with what it means, those that keep their default as comments."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit
from pydantic import BaseModel
from tomlkit.items import KeyType, SingleKey

from lowland_gis.definitions.layer import LayerDefinition, layer_definition, layer_keys
from lowland_gis.settings import (
    ClassifySettings,
    DelineateSettings,
    DeliverySettings,
    MeasureSettings,
    PackageSettings,
    ProjectSettings,
    TabulateSettings,
)

_HEAD = """\
# The settings of one lowland project. Every command reads this file. What stands behind # keeps its default: take the # away
# to change it. docs/settings.md lists all of it.

# dsn = "host=… dbname=…"    # a PostGIS server that exists already (LOWLAND_DSN wins over it); without it: lowland db up
"""
_DELIVERIES = """
# ------------------------------------------------------------------------------------------------ deliveries 来件
# One [[delivery]] for each file; only parcel must be there, what other layers would tell is unknown without them.
# `lowland inspect FILE` says which layer a file fits, and what its delivery needs. Under `layer` and `source` may stand:
"""
_CHECKS = """
# ------------------------------------------------------------------------------------------------ checks 质检
# [check.overlap]            # the name of a check: docs/checks.md
"""
_SUFFIXES = {"table": "xlsx", "raster": "tif"}
_WIDTH = 110


@dataclass(frozen=True)
class Block:
    """A delivery that is proposed, with the comments above it; one that is `off` is a comment itself."""

    delivery: DeliverySettings
    notes: tuple[str, ...] = ()
    off: bool = False


def project_text(
    project: ProjectSettings,
    deliveries: Sequence[DeliverySettings | Block] = (),
    *,
    units: DelineateSettings | None = None,
    classify: ClassifySettings | None = None,
    missing: Sequence[str] = (),
) -> str:
    """Return the text of a project file; without deliveries, a commented pattern of one for each layer, else of those `missing`."""
    units = units or DelineateSettings()
    lines = [
        *_section("project", project),
        *_section("tabulate", TabulateSettings()),
        *_section("measure", MeasureSettings()),
        *_section("classify", classify or ClassifySettings()),
        *_section("delineate", units, leave_out=("weights", "planning")),
        *_section("delineate.weights", units.weights),
        *_section("delineate.planning", units.planning),
        *_section("package", PackageSettings()),
    ]
    text = _HEAD + "\n".join(lines) + "\n" + _DELIVERIES + "\n".join(_optional_keys()) + "\n"
    text += "".join(map(_block, deliveries))
    text += "".join(_patterns(missing if deliveries else layer_keys()))
    return text + _CHECKS + '# severity = "warning"\n# enabled = false\n'


def _section(name: str, values: BaseModel, leave_out: Sequence[str] = ()) -> Iterator[str]:
    yield f"\n[{name}]"
    for key, info in type(values).model_fields.items():
        if key in leave_out:
            continue
        value = getattr(values, key)
        yield from _comment(info.description or "")
        kept = not info.is_required() and value == info.get_default(call_default_factory=True)
        yield f"{'# ' if kept else ''}{key} = {toml_value(value)}"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _optional_keys() -> Iterator[str]:
    for key, info in DeliverySettings.model_fields.items():
        if not info.is_required():
            yield from _comment(f"{key}: {info.description}")


def _delivery(delivery: DeliverySettings) -> str:
    given = delivery.model_dump(exclude_defaults=True)
    return "\n[[delivery]]\n" + "".join(f"{key} = {toml_value(value)}\n" for key, value in given.items())


def _block(one: DeliverySettings | Block) -> str:
    if isinstance(one, DeliverySettings):
        return _delivery(one)
    text = _delivery(one.delivery).strip("\n")
    if one.off:
        text = "\n".join(f"# {line}" for line in text.split("\n"))
    comments = [line for note in one.notes for line in _comment(_plain(note))]
    return "\n" + "".join(f"{line}\n" for line in comments) + f"{text}\n"


def _plain(note: str) -> str:
    """Return a note for a comment: what no comment may hold is a space."""
    return "".join(letter if letter.isprintable() else " " for letter in note)


def _patterns(keys: Sequence[str]) -> Iterator[str]:
    for layer in sorted(map(layer_definition, keys), key=lambda layer: layer.key != "parcel"):
        yield (
            f"\n# {layer.title} ({layer.document})\n# [[delivery]]\n"
            f"# layer = {toml_value(layer.key)}\n# source = {toml_value(_example(layer))}\n"
        )


def _example(layer: LayerDefinition) -> str:
    return f"incoming/{layer.title}.{_SUFFIXES.get(layer.geometry, 'shp')}"


def toml_value(value: Any) -> str:
    """Return a value as TOML spells it on one line; tables are inline, their keys quoted.

    >>> toml_value("北辰"), toml_value(["a", 1]), toml_value({"a": 1.5})
    ('"北辰"', '["a", 1]', '{"a" = 1.5}')
    """
    if not isinstance(value, dict):
        return str(tomlkit.item(value).as_string())
    table = tomlkit.inline_table()
    for key, item in value.items():
        table.append(SingleKey(key, KeyType.Basic), tomlkit.item(item))
    return table.as_string()
