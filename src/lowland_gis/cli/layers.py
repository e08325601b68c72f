"""`lowland layers list | show | diff | rejects`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowland_gis.cli import Session
from lowland_gis.cli.lists import on_terminal
from lowland_gis.cli.outputs import OutputPath, overwrite_option
from lowland_gis.cli.tables import json_option, show

if TYPE_CHECKING:
    import pandas as pd

    from lowland_gis.pipeline.intake.versions_compared import Difference

# So many rows of each kind are shown on a terminal; --json gives all.
_SHOWN = 20


@click.group()
def layers() -> None:
    """List layers, their fields and what was set aside (图层)."""


@layers.command("list")
@json_option
@click.pass_obj
def list_layers(session: Session, as_json: bool) -> None:
    """List every layer key and the deliveries of it that are in force."""
    import pandas as pd

    from lowland_gis.definitions.layer import layer_definition, layer_keys
    from lowland_gis.definitions.own import LAYERS, origin_of
    from lowland_gis.pipeline.products.figures import deliveries_in_force

    with session.project.snapshot() as connection:
        loaded = deliveries_in_force(connection)
    keys = pd.DataFrame({"layer": layer_keys()})
    keys["title"] = [layer_definition(key).title for key in keys["layer"]]
    keys["from"] = [origin_of(f"{LAYERS}/{key}.toml") for key in keys["layer"]]
    rows = keys.merge(loaded.astype(object), on="layer", how="left")
    show(rows.astype(object).where(rows.notna(), None), as_json=as_json)


@layers.command("show")
@click.argument("layer")
@json_option
def show_layer(layer: str, as_json: bool) -> None:
    """Show the fields of LAYER as the standard spells them."""
    import pandas as pd

    from lowland_gis.definitions.layer import layer_definition
    from lowland_gis.definitions.own import LAYERS, origin_of

    definition = layer_definition(layer)
    rows = pd.DataFrame(
        [
            field.model_dump(include={"name", "title", "type", "length", "required"})
            for field in definition.field
        ]
    )
    show(
        rows.astype(object).where(rows.notna(), None),
        as_json=as_json,
        title=f"{definition.title} – {definition.document} ({origin_of(f'{LAYERS}/{layer}.toml')})",
    )


@layers.command()
@click.argument("layer")
@click.option(
    "-o",
    "output",
    type=OutputPath(dir_okay=False),
    help="Export the records that were set aside, as they came, to a .gpkg, .xlsx, .csv or .parquet file.",
)
@overwrite_option
@json_option
@click.pass_obj
def rejects(session: Session, layer: str, output: Path | None, overwrite: bool, as_json: bool) -> None:
    """List the records of LAYER with an issue: what is wrong and what was done."""
    from lowland_gis.pipeline.intake.rejects import export_rejects, issues_of

    if output is None:
        rows = issues_of(session.project, layer)
        if not as_json:
            same, more = ["rule", "action", "message"], f"lowland layers rejects {layer} --json"
            rows = on_terminal(rows, same, "key", one_by_one=more, session=session)
        show(rows, as_json=as_json)
        return
    count = export_rejects(session.project, layer, output, overwrite=overwrite)
    session.tell(f"{count:,} records that were set aside → {output}")


@layers.command("diff")
@click.argument("layer")
@click.argument("old", metavar="V1")
@click.argument("new", metavar="V2")
@json_option
@click.pass_obj
def diff_versions(session: Session, layer: str, old: str, new: str, as_json: bool) -> None:
    """Compare version V1 of LAYER with V2: added, removed, other fields, other geometry, area (m²).

    A version is its number in `lowland layers list`, or latest.
    """
    from lowland_gis.pipeline.intake.versions_compared import layer_difference

    found = layer_difference(session.project, layer, old, new)
    if as_json:
        click.echo(json.dumps(_plain(found), ensure_ascii=False, default=str, indent=1))
        return
    show(_counts(found), as_json=False, title=f"{layer}: version {found.old_version} → {found.new_version}")
    for title, rows in _parts(found).items():
        if len(rows):
            more = f", the first {_SHOWN} of {len(rows):,}" if len(rows) > _SHOWN else ""
            show(rows.head(_SHOWN), as_json=False, title=f"{title}{more}")


def _parts(found: Difference) -> dict[str, pd.DataFrame]:
    return {
        "added 新增": found.added,
        "removed 减少": found.removed,
        "attributes 属性变化": found.fields,
        "geometry 图形变化": found.geometries,
    }


def _records(rows: pd.DataFrame) -> list[dict[str, object]]:
    return [
        {str(name): value for name, value in row.items()}
        for row in rows.astype(object).where(rows.notna(), None).to_dict("records")
    ]


def _counts(found: Difference) -> pd.DataFrame:
    """Return what the areas of the two versions are made of; the first, less removed, with the rest, is the last."""
    import pandas as pd

    balance = found.balance
    return pd.DataFrame(
        [
            ("old 变化前", None, balance.old_m2),
            ("removed 减少", len(found.removed), 0.0 - balance.removed_m2),
            ("added 新增", len(found.added), balance.added_m2),
            ("geometry 图形变化", len(found.geometries), balance.changed_m2),
            ("attributes 属性变化", int(found.fields["key"].nunique()), None),
            ("unchanged 未变化", found.unchanged, None),
            ("new 变化后", None, balance.new_m2),
        ],
        columns=["change", "features", "area_m2"],
        dtype=object,
    )


def _plain(found: Difference) -> dict[str, object]:
    return {
        "layer": found.layer,
        "old_version": found.old_version,
        "new_version": found.new_version,
        "unchanged": found.unchanged,
        **{name.split()[0]: _records(rows) for name, rows in _parts(found).items()},
        "balance": asdict(found.balance) | {"residual_m2": found.balance.residual_m2},
    }
