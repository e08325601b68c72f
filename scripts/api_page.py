"""The page of `import lowland_gis`, from the signatures and docstrings of the API."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import lowland_gis

HEAD = """
`import lowland_gis` offers the commands as functions over frames, Arrow tables and files, and a project as frames. It loads at once; what a
function needs is loaded when it is called. Nothing else of the package is promised to stay.

```python
import geopandas
import lowland_gis

parcels = geopandas.read_file("parcels.gpkg")
zones = geopandas.read_file("land_use.shp")
table = lowland_gis.tabulate(parcels, zones, id="ZDDM", by="DLBM")
```

A **layer** is a GeoDataFrame, a GeoSeries, an Arrow table or whatever turns into one (`__arrow_c_stream__`) with a column of GeoArrow or
WKB, or the name of a vector file (`FILE:LAYER` where it holds several). Of a frame the active geometry counts, and its index
names the rows. The coordinates are read from WKB batch by batch; no other copy of them is made than the flat arrays that are computed on.

**Errors** are those of the commands, with the same sentences: where one says to type an option (`--src-crs EPSG:4548`), the argument has the same
name (`src_crs="EPSG:4548"`). All are `LowlandError`: `UsageError`, `InputRefusedError` (with `StaleError`), `DatabaseError`,
`DefinitionError`. What a command says on stderr and goes on is a `LowlandWarning`: how many geometries were repaired, for example.
"""
FUNCTIONS = (
    "tabulate", "area", "facing_neighbours", "read_delivery", "check", "classify", "draft_units", "edit_units",
    "unit_potential", "key_areas", "open_project",
)  # fmt: skip
_SECTIONS = {"Args:": "Arguments", "Returns:": "Returns", "Raises:": "Raises"}


def api_page(note: str) -> str:
    """Return the page."""
    lines = ["# import lowland_gis\n", note, HEAD]
    for name in FUNCTIONS:
        found = getattr(lowland_gis, name)
        lines += [f"\n## {name}\n", *_signature(name, found), *_described(found)]
    for offered in (lowland_gis.UnitEditing, lowland_gis.Project):
        lines += [f"\n## {offered.__name__}\n", *_described(offered), ""]
        for name, member in vars(offered).items():
            if not name.startswith("_") and inspect.getdoc(member) and name not in {"opened", "of"}:
                lines += _member(name, member)
    return "\n".join(lines) + "\n"


def _signature(name: str, found: Callable[..., Any]) -> list[str]:
    parameters = inspect.signature(found).parameters.values()
    shown = [
        re.sub(r"'", "", str(each)) if each.default is inspect.Parameter.empty else _optional(each)
        for each in parameters
    ]
    keywords = next((n for n, each in enumerate(parameters) if each.kind is each.KEYWORD_ONLY), len(shown))
    if keywords < len(shown):
        shown.insert(keywords, "*")
    text = f"{name}({', '.join(shown)})"
    if len(text) > 100:  # noqa: PLR2004 - the width of the page
        text = f"{name}(\n    " + ",\n    ".join(shown) + ",\n)"
    return ["```python", text, "```", ""]


def _optional(parameter: inspect.Parameter) -> str:
    return f"{parameter.name}={parameter.default!r}"


def _described(found: Any) -> list[str]:
    """Return a docstring as Markdown: arguments and errors as lists, examples as code."""
    return [*_markdown((inspect.getdoc(found) or "").splitlines())]


def _markdown(lines: list[str]) -> Iterator[str]:
    code = section = False
    for line in lines:
        if line.strip() in _SECTIONS:
            section = True
            yield f"**{_SECTIONS[line.strip()]}**\n"
            continue
        if line.startswith(">>>") and not code:
            code, section = True, False
            yield "```python"
        elif code and not line.strip():
            code = False
            yield "```"
        if section and line and not line.startswith(" "):
            section = False
        named = re.match(r"^    (\w+): (.*)$", line) if section else None
        yield f"- `{named[1]}`: {named[2]}" if named else (f"  {line.strip()}" if section and line else line)
    if code:
        yield "```"


def _member(name: str, member: Any) -> list[str]:
    if inspect.isfunction(member):
        parameters = [each for each in inspect.signature(member).parameters.values() if each.name != "self"]
        starred: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
        shown = [
            starred.get(each.kind, "") + (each.name if each.default is each.empty else _optional(each))
            for each in parameters
        ]
        name = f"{name}({', '.join(shown)})"
    text = (inspect.getdoc(member) or "").split("\n\nRaises:")[0]
    return [f"- `{name}`: {' '.join(text.split())}"]
