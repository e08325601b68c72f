"""Read and write divisions into units as files that QGIS edits: members as parcels with unit_id, or units as polygons, and links by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.repair import parts_of_kind
from lowland_gis.analysis.units.links import HandLink
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.gdal_path import GDAL_ERRORS, gdal_source, gdal_target
from lowland_gis.files.layers import Layer, layers_of, meant
from lowland_gis.files.whole import refused, whole

MEMBERS, UNITS, PLANNING, LINKS = "members", "units", "planning", "links"
_LINK_FIELDS = ("one", "other", "joined", "reason", "said_by")


@dataclass(frozen=True)
class Edited:
    """What a file holds: a membership table (parcel_id, unit_id), polygons (unit_id, geometry) where it is a drawing, links where it has them."""

    members: pd.DataFrame
    polygons: gpd.GeoDataFrame | None
    links: tuple[HandLink, ...] | None = None


def write_editable(target: Path, layers: dict[str, gpd.GeoDataFrame]) -> Path:
    """Write a GeoPackage with the layers `members`, `units` and, where they are given, `planning` and `links` by hand; the file appears by rename.

    Raises:
        UsageError: the target does not end in .gpkg.
        InputRefusedError: it cannot be written.
    """
    if target.suffix.lower() != ".gpkg":
        raise UsageError(f"{target}: units are exported as a GeoPackage. Give a name that ends in .gpkg.")
    with refused(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with whole(target) as partial, gdal_target(partial) as path, refused(target, *GDAL_ERRORS):
        partial.unlink()
        for layer, frame in layers.items():
            texts = {
                name: frame[name].astype(object).where(frame[name].notna(), None) for name in _texts(frame)
            }
            # An empty layer has no shape to tell its kind by.
            kind = {"geometry_type": "LineString"} if layer == LINKS else {}
            frame.assign(**texts).to_file(path, layer=layer, driver="GPKG", engine="pyogrio", **kind)
    return target


def _texts(frame: gpd.GeoDataFrame) -> list[str]:
    return [name for name in frame.columns if name != "geometry" and frame[name].dtype == object]


def read_edited(source: Path, layer: str | None, *, srid: int) -> Edited:
    """Read a division that was edited or drawn: parcel_id and unit_id (members), or unit_id and polygons.

    Without a layer, `members` is read where the file has it, else its first layer. Empty unit_id means in no unit.

    Raises:
        InputRefusedError: the file cannot be read, lacks the fields, or is not in the project's plane.
    """
    found = _chosen(source, layer)
    chosen = found.name
    try:
        with gdal_source(source) as path:
            rows = gpd.read_file(path, layer=found.gdal_name, engine="pyogrio")
    except UnicodeDecodeError as error:
        raise InputRefusedError(
            f"{source}: the layer {chosen} holds texts that are no UTF-8, as texts of this format are, so units cannot be told by name."
            " Type the names again in QGIS and import again."
        ) from error
    except (*GDAL_ERRORS, OSError) as error:
        raise InputRefusedError(
            f"{source}: the layer {chosen} cannot be read ({error}). Check the file."
        ) from error
    if "unit_id" not in rows.columns:
        raise InputRefusedError(
            f"{source}, layer {chosen}: there is no field unit_id, so no unit can be told. Its fields are:"
            f" {', '.join(map(str, rows.columns))}. Export a draft with `lowland unit export` and edit that"
            f"{', or name its layer with --layer' if layer is None else ', or name another layer'}."
        )
    names = rows["unit_id"].astype(object).where(rows["unit_id"].notna(), None)
    rows["unit_id"] = [None if name is None or not str(name).strip() else str(name).strip() for name in names]
    links = _links(source)
    if "parcel_id" in rows.columns:
        return Edited(pd.DataFrame(rows[["parcel_id", "unit_id"]]), None, links)
    return Edited(
        pd.DataFrame(columns=["parcel_id", "unit_id"]), _polygons(source, chosen, rows, srid), links
    )


def _links(source: Path) -> tuple[HandLink, ...] | None:
    """Return the links by hand of a file, None where it has no such layer; one that says nothing of `joined` is a link that is made."""
    with gdal_source(source) as path:
        found = meant(layers_of(source, path), LINKS)
        if found is None:
            return None
        rows = pd.DataFrame(gpd.read_file(path, layer=found.gdal_name, engine="pyogrio"))
    missing = [name for name in _LINK_FIELDS if name not in rows.columns]
    if missing:
        raise InputRefusedError(
            f"{source}, layer {LINKS}: there is no field {', '.join(missing)}, so no link can be told. Take the layer out, or export the draft again."
        )
    texts = {
        name: rows[name].astype(object).where(rows[name].notna(), "").astype(str)
        for name in _LINK_FIELDS
        if name != "joined"
    }
    joined = rows["joined"].astype(object).where(rows["joined"].notna(), other=True)
    return tuple(
        HandLink.of((one.strip(), other.strip()), joined=bool(made), reason=reason, said_by=by)
        for one, other, made, reason, by in zip(
            texts["one"], texts["other"], joined, texts["reason"], texts["said_by"], strict=True
        )
    )


def _chosen(source: Path, named: str | None) -> Layer:
    if not source.exists():
        raise InputRefusedError(f"{source}: there is no such file, so nothing was imported. Check the path.")
    try:
        with gdal_source(source) as path:
            layers = layers_of(source, path)
    except GDAL_ERRORS as error:
        raise InputRefusedError(f"{source}: not a vector file that can be read ({error}).") from error
    if not layers:
        raise InputRefusedError(f"{source}: the file holds no layer.")
    if named is None:
        return meant(layers, MEMBERS) or meant(layers, None) or layers[0]
    found = meant(layers, named)
    if found is None:
        names = ", ".join(layer.name for layer in layers)
        raise InputRefusedError(f"{source}: there is no layer {named!r} in it. Name one of: {names}.")
    return found


def _polygons(source: Path, layer: str, rows: gpd.GeoDataFrame, srid: int) -> gpd.GeoDataFrame:
    code = rows.crs.to_epsg() if isinstance(rows, gpd.GeoDataFrame) and rows.crs is not None else None
    if code != srid:
        raise InputRefusedError(
            f"{source}, layer {layer}: in the system {code or 'unknown'}, not in the project's EPSG:{srid}, so places would be"
            " wrong. Save it in QGIS with that system."
        )
    drawn = shapely.make_valid(rows.geometry.to_numpy(), method="structure", keep_collapsed=False)
    areas = parts_of_kind(drawn, "polygon")
    bare = rows["unit_id"].isna() | shapely.is_empty(areas) | shapely.is_missing(areas)
    if bare.any():
        where = ", ".join(str(row) for row in rows.index[bare][:5])
        raise InputRefusedError(
            f"{source}, layer {layer}: polygons without a unit_id or a shape (rows {where}). Name them and import again."
        )
    return gpd.GeoDataFrame(rows[["unit_id"]], geometry=areas, crs=rows.crs)
