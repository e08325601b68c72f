"""`lowland measures list | show`."""

from __future__ import annotations

import json
from difflib import get_close_matches

import click

from lowland_gis.cli.tables import json_option, show
from lowland_gis.errors import UsageError


@click.group()
def measures() -> None:
    """List what parcels are measured by, and where each measure comes from (指标)."""


@measures.command("list")
@json_option
def list_measures(as_json: bool) -> None:
    """List every measure with its unit, the layers that it needs, and whether it is shipped or the project's own."""
    import pandas as pd

    from lowland_gis.definitions import measure as define

    rows = [
        {
            "measure": name,
            "title": item.title,
            "unit": item.unit,
            "kind": item.kind,
            "layers": ", ".join(item.needs),
            "from": define.measure_origin(name),
        }
        for name, item in define.measures().items()
    ]
    show(pd.DataFrame(rows), as_json=as_json)


@measures.command("show")
@click.argument("measure")
@json_option
def show_measure(measure: str, as_json: bool) -> None:
    """Show all that defines MEASURE."""
    import pandas as pd

    from lowland_gis.definitions import measure as define

    known = define.measures()
    if measure not in known:
        near = get_close_matches(measure, known, n=3, cutoff=0.4)
        hint = f" Did you mean: {', '.join(near)}?" if near else " All of them: lowland measures list"
        raise UsageError(f"There is no measure called {measure!r}.{hint}")
    said = {**known[measure].model_dump(mode="json"), "from": define.measure_origin(measure)}
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False, indent=1))
        return
    rows = [(key, _plain(value)) for key, value in said.items() if value not in (None, {}, [])]
    show(pd.DataFrame(rows, columns=["key", "value"]), as_json=False, title=measure)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
