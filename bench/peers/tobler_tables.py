"""tobler: its area table of parcels and zones (a sparse matrix), summed by code.

The public `area_interpolate(categorical_variables=["code"])` gives shares by code from the same table, more slowly.
"""

import geopandas as gpd
import pandas as pd
from measured import Arguments, measured
from tobler.area_weighted.area_interpolate import _area_tables_binning


def tabulate(arguments: Arguments) -> None:
    """Write the table from tobler's matrix of areas."""
    parcels, zones = gpd.read_parquet(arguments.parcels), gpd.read_parquet(arguments.zones)
    table = _area_tables_binning(parcels, zones, spatial_index="auto").tocoo()
    pieces = pd.DataFrame(
        {
            "parcel_id": parcels["parcel_id"].to_numpy()[table.row],
            "code": zones["code"].to_numpy()[table.col],
            "area_m2": table.data,
        }
    )
    rows = pieces.groupby(["parcel_id", "code"], as_index=False)["area_m2"].sum()
    rows.to_parquet(arguments.output, index=False)


measured(tabulate)
