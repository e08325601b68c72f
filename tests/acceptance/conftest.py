"""The sample district after `lowland demo`, on a database of its own: made once, looked at by many tests."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

import own_process
from databases import DEMO, created
from lowland_gis.db.private import cluster as clusters
from registered import owned

PARCELS = 400


@dataclass(frozen=True)
class Demo:
    """A finished demo: its folder, its database, and what the first run printed."""

    folder: Path
    dsn: str
    output: str

    def lowland(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line on the demo's project."""
        return run_lowland("--project", str(self.folder / "lowland.toml"), *arguments, dsn=self.dsn)

    def lowland_alone(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line on the demo's database, without naming the project."""
        return run_lowland(*arguments, dsn=self.dsn)

    def json(self, *arguments: str) -> object:
        """Run a command that prints JSON and return what it said."""
        done = self.lowland(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """Return the rows of a query: a test looks at all tables, also at those that the program may not read."""
        with psycopg.connect(owned(self.dsn)) as connection:
            return connection.execute(query, parameters).fetchall()


def run_lowland(*arguments: str, dsn: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m lowland_gis` as a person would."""
    return own_process.run(*arguments, env=known(dsn))


def known(dsn: str) -> dict[str, str]:
    """Return the environment of a command that works on a database."""
    return os.environ | {"LOWLAND_DSN": dsn, "PYTHONUTF8": "1"}


@pytest.fixture(scope="session")
def project_at() -> Callable[[Path, str], Demo]:
    """What runs commands on the project in a folder and its database."""
    return lambda folder, dsn: Demo(folder, dsn, "")


@pytest.fixture(scope="session")
def demo(cluster: clusters.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`lowland demo` in a folder with a Chinese name, on an empty database."""
    folder = tmp_path_factory.mktemp("示范 区")
    with created(cluster, DEMO) as dsn:
        line = ("demo", str(folder / "demo"), "--parcels", str(PARCELS))
        done = own_process.run_afresh(*line, env=known(dsn))
        assert done.returncode == 0, done.stderr
        yield Demo(folder / "demo", dsn, done.stdout)


@pytest.fixture(scope="session")
def demo_project(demo: Demo) -> Path:
    """The folder of the demo's project, whose settings name its database."""
    file = demo.folder / "lowland.toml"
    text = file.read_text(encoding="utf-8")
    if not text.startswith("dsn"):
        file.write_text(f"dsn = {json.dumps(demo.dsn)}\n{text}", encoding="utf-8")
    return demo.folder
