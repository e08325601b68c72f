"""`tabulate`: how many m² of each parcel lie in each class of zones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, overload

import pandas as pd
import pyarrow as pa

from lowland_gis.api.layers import Layer, layer
from lowland_gis.api.said import warned
from lowland_gis.engines import named
from lowland_gis.pipeline.intake.given_crs import given_crs
from lowland_gis.pipeline.overlaps.engine import database_for
from lowland_gis.pipeline.overlaps.two_files import tabulate_files


class Tabulated(NamedTuple):
    """Overlaps, and how each parcel is covered: parcel_id, area_m2, rest_m2 (what no zone covers), excess_m2 (covered beyond once)."""

    overlaps: pd.DataFrame
    cover: pd.DataFrame


@overload
def tabulate(
    parcels: Layer,
    zones: Layer,
    *,
    by: str | None = None,
    id: str | None = None,
    width: str | None = None,
    cover: Literal[False] = False,
    src_crs: str | Sequence[str] = (),
    threads: int = 1,
    engine: str = named.DEFAULT,
) -> pd.DataFrame: ...


@overload
def tabulate(
    parcels: Layer,
    zones: Layer,
    *,
    by: str | None = None,
    id: str | None = None,
    width: str | None = None,
    cover: Literal[True],
    src_crs: str | Sequence[str] = (),
    threads: int = 1,
    engine: str = named.DEFAULT,
) -> Tabulated: ...


def tabulate(
    parcels: Layer,
    zones: Layer,
    *,
    by: str | None = None,
    id: str | None = None,
    width: str | None = None,
    cover: bool = False,
    src_crs: str | Sequence[str] = (),
    threads: int = 1,
    engine: str = named.DEFAULT,
) -> pd.DataFrame | Tabulated:
    """Return how many m² of each parcel lie in each class of the zones: parcel_id, code, area_m2, share.

    What `lowland tabulate` prints, of GeoDataFrames, GeoSeries, Arrow tables (GeoArrow or WKB) and files, in any mixture. The rows
    are sorted by parcel and code. `area_m2` is in m² on the plane of the parcels, which need a coordinate system in metres; zones
    in another system are brought there. `share` is of the parcel's own planar area. A parcel that no zone meets has no row; a
    place that several zones of one code cover counts once for each.

    Args:
        parcels: polygons on a plane.
        zones: polygons, or with `width` lines.
        by: field of the zones whose values are summed apart; without it there is one code `all`. A zone without a value has the
            code "".
        id: field that names the parcels; without it the label of the row in a frame, elsewhere the number of the row from 0.
        width: field of lines with their width in metres: each is a strip with flat ends; where two cross, the wider has the ground.
        cover: return also what of each parcel no zone covers, and what zones cover beyond once.
        src_crs: system of a layer that declares none, as `EPSG:4548`, or `parcels=EPSG:4548` and `zones=EPSG:4490` for one that
            declares it wrongly.
        threads: threads that compute; the result is the same to the last digit.
        engine: `local`, lowland itself; `postgis`, SQL in the database of LOWLAND_DSN or of the project in the working folder: to hold one
            against the other; or `sedona`, Apache Spark with Apache Sedona on all cores of this machine, which needs the extra `sedona`, a
            jar and Java (docs/sedona.md), and some seconds to start. They agree to 1e-6 m².

    Returns:
        A frame, or with `cover` two: `overlaps` and `cover`.

    Raises:
        InputRefusedError: a layer has no coordinate system or no such field, the parcels are in degrees, no exact way leads from
            the zones to their plane, or a name stands for several parcels.
        UsageError: there is no such engine.
        DatabaseError: the engine computes in a database, and none can be reached.

    Geometries that are invalid are repaired, missing and empty ones meet nothing; a `LowlandWarning` says how many of each.

    >>> import geopandas, shapely
    >>> from lowland_gis import tabulate
    >>> corner = 515_000, 4_345_000
    >>> lots = shapely.box(*corner, 515_100, 4_345_100), shapely.box(515_100, 4_345_000, 515_200, 4_345_100)
    >>> parcels = geopandas.GeoDataFrame({"ZDDM": ["B", "A"]}, geometry=list(lots), crs=4548)
    >>> use = shapely.box(515_050, 4_345_000, 515_150, 4_345_100)
    >>> zones = geopandas.GeoDataFrame({"DLBM": ["0601"]}, geometry=[use], crs=4548)
    >>> tabulate(parcels, zones, id="ZDDM", by="DLBM")
      parcel_id  code  area_m2  share
    0         A  0601   5000.0    0.5
    1         B  0601   5000.0    0.5
    >>> tabulate(parcels, zones, id="ZDDM", cover=True).cover
      parcel_id  area_m2  rest_m2  excess_m2
    0         A  10000.0   5000.0        0.0
    1         B  10000.0   5000.0        0.0
    """
    named.refuse_unknown(engine, "engine")
    given = given_crs([src_crs] if isinstance(src_crs, str) else src_crs)
    with warned() as tell:
        tables = list(
            tabulate_files(
                layer(parcels, "parcels"),
                layer(zones, "zones"),
                id_field=id,
                by_field=by,
                width_field=width,
                cover=cover,
                given=given,
                engine=named.engine(engine, _database),
                threads=threads,
                tell=tell,
            )
        )
    overlaps = _frame([each.overlaps for each in tables])
    return Tabulated(overlaps, _frame([each.cover for each in tables])) if cover else overlaps


def _database() -> str:
    return database_for(Path.cwd(), os.environ.get("LOWLAND_DSN"))


def _frame(tables: Sequence[pa.Table | None]) -> pd.DataFrame:
    """Return tables one after the other as a frame; values that stand once in a table stand in every row of it."""
    plain = [_plain(table) for table in tables if table is not None]
    frame: pd.DataFrame = pa.concat_tables(plain).to_pandas()
    return frame


def _plain(table: pa.Table) -> pa.Table:
    for number, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            values = table.column(number).cast(field.type.value_type)
            table = table.set_column(number, field.name, values)
    return table
