"""`lowland layers list | show | rejects`."""

from __future__ import annotations

import click
import pandas as pd

from lowland_gis.cli import Session
from lowland_gis.cli.tables import json_option, show
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.layer import layer_definition, layer_keys


@click.group()
def layers() -> None:
    """List layers, their fields and what was set aside (图层)."""


@layers.command("list")
@json_option
@click.pass_obj
def list_layers(session: Session, as_json: bool) -> None:
    """List every layer key and what is loaded of it."""
    with session.project.transaction() as connection:
        loaded = read_frame(
            connection,
            "SELECT DISTINCT ON (layer, part) layer, part, version_id, as_of, n_loaded, n_rejected FROM land.layer_version"
            " ORDER BY layer, part, version_id DESC",
        )
    keys = pd.DataFrame({"layer": layer_keys()})
    keys["title"] = [layer_definition(key).title for key in keys["layer"]]
    rows = keys.merge(loaded.astype(object), on="layer", how="left")
    show(rows.astype(object).where(rows.notna(), None), as_json=as_json)


@layers.command("show")
@click.argument("layer")
@json_option
def show_layer(layer: str, as_json: bool) -> None:
    """Show the fields of LAYER as the standard spells them."""
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
        title=f"{definition.title} – {definition.document}",
    )


@layers.command()
@click.argument("layer")
@json_option
@click.pass_obj
def rejects(session: Session, layer: str, as_json: bool) -> None:
    """List the records of LAYER with an issue: what is wrong and what was done."""
    layer_definition(layer)
    with session.project.transaction() as connection:
        rows = read_frame(
            connection,
            "SELECT i.version_id, i.row_no, i.key, i.rule, i.action, i.message FROM land.issue i"
            " JOIN land.layer_version v USING (version_id) WHERE v.layer = %s ORDER BY i.version_id, i.row_no, i.issue_id",
            [layer],
        )
    show(rows, as_json=as_json)
