"""Pages of what a district brings: which layers and fields, and how a file with other names is mapped."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator

import pyarrow as pa

from lowland_gis.analysis.fields.attributes import standardise
from lowland_gis.analysis.fields.written_quantities import known_units
from lowland_gis.definitions.check import checks
from lowland_gis.definitions.layer import LayerDefinition, layer_definition, layer_keys
from lowland_gis.definitions.mapping import Mapping, apply
from lowland_gis.definitions.measure import measures
from lowland_gis.settings import DelineateSettings

EXAMPLE_FILE = """企业,宗地编码,占地,实缴税金,产值,镇
甲机械厂,120113100001GB00001,1.5,1200000,25000,01
乙仓储公司,120113100001GB00002,0.4,,3000,
"""

EXAMPLE_MAPPING = """supplier = "某区税务局"           # whose files come so; it stands in messages
layer = "enterprise"             # the layer that it is for

[rename]                         # received name = field; every name must be in the file
"企业" = "QYMC"
"宗地编码" = "ZDDM"
"占地" = "ZDMJM"
"实缴税金" = "SSZE"
"产值" = "CZZE"
"镇" = "SZZJ"

[constants]                      # field = value, where the file lacks it and it is the same for every row
NF = 2023

[replace.SZZJ]                   # of one field: received value = ours; a value that is not named stays
"01" = "天穆镇"
"" = "未填"                       # an empty value

[unit]                           # field = unit that its numbers come in; they are converted
ZDMJM = "公顷"
SSZE = "元"

[factor]                         # field = factor, where no unit says it: here thousands of 元 in a field of 万元
CZZE = 0.1
"""

MAPPINGS = """
A layer is recognised by its field names, in the spelling of the standard, its Chinese title or a known synonym, with the unit of a heading in
brackets. Where an office calls them otherwise, a mapping file says which column is which. `lowland inspect FILE --mapping-out mapping.toml`
proposes one, with every column and field that is left over as a comment; correct it by hand and give it to `lowland inspect` and
`lowland ingest` (`--mapping mapping.toml`) or in `lowland.toml` (`mapping = "mapping.toml"` below the `[[delivery]]`).

## The file
"""

AFTER = """
- Order: names, constants, values, factors, units. `[replace]`, `[unit]` and `[factor]` name the field, not the received column.
- A heading that states its unit, such as 占地面积（公顷）, needs no `[unit]`; one that states another unit than the mapping is refused.
- Values are compared as text: 601 and 601.0 as `601`.
- A column that has the name of a field that another one is renamed to is kept under that name with `_2` behind it.
- Columns that are not named keep their names; those that are fields by name are taken as such.
- A column that is named and not in the file, a constant that the file has, two columns for one field, a field that the layer does not have, a
  unit that does not become that of the field: each is refused with its place and the nearest name (exit code 6; 3 where the file does not fit).
- The digest of the mapping is recorded with the delivery; the same file under another mapping is another delivery.
"""


def mappings_page(note: str) -> str:
    """Return the page of mapping files, with an example and what becomes of it."""
    lines = ["# Mapping files\n", note, MAPPINGS]
    lines += ["| key | meaning |", "|---|---|"]
    lines += [f"| {name} | {info.description} |" for name, info in Mapping.model_fields.items()]
    lines += ["\n## An example\n", "As it came (`企业.csv`):\n", f"```csv\n{EXAMPLE_FILE}```\n"]
    lines += ["Its mapping:\n", f"```toml\n{EXAMPLE_MAPPING}```\n", "What is stored:\n"]
    lines += _example()
    lines += ["\n## What holds\n", AFTER.strip(), "\n## Units\n"]
    lines += [f"- {title}: {', '.join(names)}" for title, names in known_units().items()]
    return "\n".join(lines) + "\n"


def _example() -> Iterator[str]:
    rows = list(csv.DictReader(io.StringIO(EXAMPLE_FILE)))
    received = pa.table({name: [row[name] or None for row in rows] for name in rows[0]})
    mapping = Mapping.model_validate(tomllib.loads(EXAMPLE_MAPPING))
    found = standardise(apply(mapping, received), layer_definition(mapping.layer).field, {}).rows
    shown = found.select([name for name in found.column_names if found.column(name).null_count < len(rows)])
    yield f"| {' | '.join(shown.column_names)} |"
    yield "|---" * shown.num_columns + "|"
    for row in shown.to_pylist():
        yield "| " + " | ".join("" if value is None else str(value) for value in row.values()) + " |"


BROUGHT = """
## What a district must bring, and what it may leave out

Only the layer `parcel` must be there. Every other layer may be left out: what rests on it is then *unknown*, never assumed, and says so in
`classify explain`, in the problem list and in the findings of units. A file without a field that must be there is refused. Any
other field may be missing or empty; whatever asks for it is unknown for that record. What came beside the fields below is kept with the record and not read.

A layer comes whole, or in parts: a year, a town or a district each (`part = "…"` in `lowland.toml`, `--part` of `lowland ingest`). All
newest parts together are the layer; a newer delivery of a part takes the place of that part only, and a whole delivery that of every part.
On a layer that was delivered whole, the part of a town (its code or name) takes the place of its pieces of the whole, and the difference is
told before; `--dry-run` tells it and keeps nothing.
The same file is not two parts, and of two deliveries in `lowland.toml` none may take the place of the other.

| layer | 名称 | kind | fields that must be there | without the layer |
|---|---|---|---|---|
"""


def brought_table() -> str:
    """Return the section of layers that a district must bring, and what follows where it leaves one out."""
    ordered = sorted(
        map(layer_definition, layer_keys()), key=lambda layer: (layer.key != "parcel", layer.key)
    )
    rows = (
        f"| {layer.key} | {layer.title} | {layer.geometry} | "
        f"{', '.join(field.name for field in layer.field if field.required) or 'none'} | {_without(layer)} |"
        for layer in ordered
    )
    return BROUGHT + "\n".join(rows) + "\n"


def _without(layer: LayerDefinition) -> str:
    if layer.key == "parcel":
        return "**nothing can be decided**"
    unknown = [name for name, item in measures().items() if layer.key in item.needs]
    coarser = [name for name, item in measures().items() if layer.key in item.may_use]
    silent = [name for name, item in checks().items() if item.other == layer.key]
    parts = []
    if unknown:
        parts.append(f"unknown: {', '.join(unknown)}")
    if coarser:
        parts.append(f"less exact: {', '.join(coarser)}")
    if layer.key in {"road", *DelineateSettings().barriers}:
        parts.append("units are not divided along it")
    if layer.key == "town":
        parts.append("the town of a parcel comes from its code, and units are not told apart by towns")
    if layer.key == "plan_zone":
        parts.append("parameters of a zone hold nowhere, and units are not told apart by zones")
    if silent:
        parts.append(f"not checked: {', '.join(silent)}")
    return "; ".join(parts) or "nothing rests on it"
