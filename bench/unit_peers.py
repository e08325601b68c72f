"""The peers that `bench/units.py peers` measures against: regions of spopt and pygeoda over a graph of parcels."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

GEODA_SEED = 1


class TimedOutError(Exception):
    """A peer took too long on one component."""


@contextmanager
def limited(most: int) -> Iterator[None]:
    """Stop what runs inside after so many seconds."""

    def stop(*_: object) -> None:
        raise TimedOutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(most)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# Takes the parcels, their graph, a number of regions and the least area; gives a label for each parcel.
Region = Callable[[gpd.GeoDataFrame, Any, int, float], Any]


def names_of(frame: gpd.GeoDataFrame) -> list[str]:
    """Return the columns that regions are made alike by."""
    return [name for name in frame.columns if name not in ("area_m2", "geometry")]


def _weights(graph: Any) -> Any:
    from libpysal.weights import W  # noqa: PLC0415 - a peer

    return W(
        {row: list(map(int, graph[row].indices)) for row in range(graph.shape[0])}, silence_warnings=True
    )


def ward(frame: gpd.GeoDataFrame, graph: Any, count: int, _: float) -> Any:
    """Return the regions of spopt's Ward."""
    from spopt.region import WardSpatial  # noqa: PLC0415 - a peer

    model = WardSpatial(frame, _weights(graph), names_of(frame), n_clusters=count)
    model.solve()
    return model.labels_


def skater(frame: gpd.GeoDataFrame, graph: Any, count: int, _: float) -> Any:
    """Return the regions of spopt's SKATER."""
    from spopt.region import Skater  # noqa: PLC0415 - a peer

    with limited(60):
        model = Skater(frame, _weights(graph), names_of(frame), n_clusters=count, floor=1)
        model.solve()
    return model.labels_


def azp(frame: gpd.GeoDataFrame, graph: Any, count: int, _: float) -> Any:
    """Return the regions of spopt's AZP."""
    from spopt.region import AZP  # noqa: PLC0415 - a peer

    with limited(60):
        model = AZP(frame, _weights(graph), names_of(frame), n_clusters=count, random_state=1)
        model.solve()
    return model.labels_


def max_p(frame: gpd.GeoDataFrame, graph: Any, _: int, least: float) -> Any:
    """Return the regions of spopt's max-p, which takes the least area and no number."""
    from spopt.region import MaxPHeuristic  # noqa: PLC0415 - a peer

    with limited(20):
        model = MaxPHeuristic(
            frame,
            _weights(graph),
            names_of(frame),
            "area_m2",
            least,
            2,
            max_iterations_construction=20,
            max_iterations_sa=5,
        )
        model.solve()
    return np.asarray(model.labels_).astype(np.int64) - 1


def geoda(method: str) -> Region:
    """Return a method of pygeoda that takes a number of regions."""

    def run(frame: gpd.GeoDataFrame, graph: Any, count: int, least: float) -> Any:
        import pygeoda  # noqa: PLC0415 - a peer

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "w.gal"
            lines = [f"0 {graph.shape[0]} none id"]
            for row in range(graph.shape[0]):
                near = graph[row].indices
                lines += [f"{row} {len(near)}", " ".join(map(str, near))]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            weights = pygeoda.read_gal(str(path), [str(row) for row in range(graph.shape[0])])
            data = frame[names_of(frame)]
            if method == "maxp":
                found = pygeoda.maxp_greedy(
                    weights, data, frame["area_m2"].tolist(), least, random_seed=GEODA_SEED
                )
            elif method == "redcap":
                found = pygeoda.redcap(count, weights, data, "fullorder-wardlinkage")
            else:
                found = pygeoda.skater(count, weights, data)
        return np.asarray(found["Clusters"]).astype(np.int64) - 1

    return run


# These take no number of regions, so they run once.
UNCOUNTED = ("spopt max-p", "pygeoda max-p")
METHODS: dict[str, tuple[Region, int]] = {
    "spopt Ward": (ward, 200_000),
    "spopt SKATER": (skater, 20_000),
    "spopt AZP": (azp, 20_000),
    "spopt max-p": (max_p, 20_000),
    "pygeoda SKATER": (geoda("skater"), 200_000),
    "pygeoda REDCAP": (geoda("redcap"), 200_000),
    "pygeoda max-p": (geoda("maxp"), 200_000),
}
