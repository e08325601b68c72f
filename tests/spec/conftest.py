"""The engines that every specification of overlaps runs on; a further engine joins by one line."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import pandas as pd
import pytest

from lowland_gis.engines import local

Engine = Callable[[gpd.GeoDataFrame, gpd.GeoDataFrame], pd.DataFrame]
ENGINES: dict[str, Engine] = {
    local.NAME: local.overlaps,
}


@pytest.fixture(params=list(ENGINES))
def overlaps(request: pytest.FixtureRequest) -> Engine:
    """The function that tabulates parcels against zones."""
    return ENGINES[request.param]
