"""The engines that every specification of overlaps runs on: all that `engines.named` knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import geopandas as gpd
import pandas as pd
import pytest

from lowland_gis.engines import frames, named
from lowland_gis.engines.base import Engine

Overlaps = Callable[[gpd.GeoDataFrame, gpd.GeoDataFrame], pd.DataFrame]


_ENGINES = [
    pytest.param(name, marks=[pytest.mark.sedona] if name in named.ON_SPARK else []) for name in named.NAMES
]


@pytest.fixture(params=_ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """One engine after the other; none leaves anything behind in the database of the module."""
    return named.engine(request.param, lambda: request.getfixturevalue("module_database"))


@pytest.fixture
def overlaps(engine: Engine) -> Overlaps:
    """The function that tabulates parcels against zones."""
    return partial(frames.overlaps, engine)


@pytest.fixture
def cover(engine: Engine) -> Overlaps:
    """The function that tells what of each parcel no zone covers, and what zones cover beyond once."""
    return partial(frames.cover, engine)
