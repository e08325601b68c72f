"""Each sample district with its answers, made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from variations.flow import Flow, NewDatabase, run_flow
from variations.incoming import Incoming, base_district

Districts = Callable[[int, int], tuple[Incoming, Flow]]


@pytest.fixture(scope="session")
def districts(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Districts:
    """What gives the sample district of a size and seed as it is delivered, and the answers about it."""

    @cache
    def district(parcels: int, seed: int) -> tuple[Incoming, Flow]:
        folder = tmp_path_factory.mktemp(f"district-{parcels}-{seed}-")
        incoming = base_district(folder / "offices", parcels=parcels, seed=seed)
        return incoming, run_flow(incoming, folder / "flow", new_database)

    return district
