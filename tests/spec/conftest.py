"""The engines that every specification of overlaps runs on; a further engine joins by one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import geopandas as gpd
import pandas as pd
import psycopg
import pytest

from lowland_gis.engines import local, postgis

Engine = Callable[[gpd.GeoDataFrame, gpd.GeoDataFrame], pd.DataFrame]
ENGINES: dict[str, Callable[[psycopg.Connection], Engine]] = {
    local.NAME: lambda _: local.overlaps,
    postgis.NAME: lambda connection: partial(postgis.frame_overlaps, connection),
}


@pytest.fixture(scope="module")
def spec_connection(module_database: str) -> Iterator[psycopg.Connection]:
    """A connection that the specifications of a module share; no engine leaves anything behind."""
    with psycopg.connect(module_database) as made:
        yield made


@pytest.fixture(params=list(ENGINES))
def overlaps(request: pytest.FixtureRequest) -> Engine:
    """The function that tabulates parcels against zones."""
    return ENGINES[request.param](request.getfixturevalue("spec_connection"))
