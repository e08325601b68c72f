"""What several measurements need: a project with a private PostGIS of its own, a stopwatch, a reader of options."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lowland_gis.db.migrate import upgrade
from lowland_gis.db.private import cluster as clusters

SRID = 4548
SETTINGS = """
[project]
name = "bench"
district_code = "120113"
district_name = "北辰区"
as_of = 2023-12-31
"""


@contextmanager
def private_project() -> Iterator[tuple[Path, str]]:
    """Yield the folder of an empty project and its database, both gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="lowland-bench-", dir="/tmp") as name:
        folder = Path(name)
        # The server may run as another user.
        folder.chmod(0o755)
        cluster = clusters.locate(folder, env=os.environ | {"LOWLAND_STATE": str(folder / "state")})
        clusters.up(cluster)
        try:
            dsn = clusters.dsn(cluster)
            upgrade(dsn, SRID)
            (folder / "lowland.toml").write_text(SETTINGS, encoding="utf-8")
            yield folder, dsn
        finally:
            clusters.remove(cluster)


def seconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes on the wall."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def reader(what: str | None) -> argparse.ArgumentParser:
    """Return a reader of options that shows the head of a script as it is written."""
    return argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
