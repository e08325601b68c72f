"""geopandas: overlay, area, groupby."""

import geopandas as gpd
from measured import Arguments, measured


def tabulate(arguments: Arguments) -> None:
    """Write the table that geopandas' documentation leads to."""
    parcels, zones = gpd.read_parquet(arguments.parcels), gpd.read_parquet(arguments.zones)
    pieces = gpd.overlay(parcels, zones, how="intersection", keep_geom_type=True, make_valid=False)
    areas = pieces.assign(area_m2=pieces.area)
    rows = areas.groupby(["parcel_id", "code"], as_index=False)["area_m2"].sum()
    rows[["parcel_id", "code", "area_m2"]].to_parquet(arguments.output, index=False)


measured(tabulate)
