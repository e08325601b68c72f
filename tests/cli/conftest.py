"""Run the command line as a person would: another process, its own environment."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def lowland(tmp_path):
    """A function that runs `python -m lowland_gis` in an empty folder."""

    def run(*arguments, dsn=None, folder=tmp_path, **environment):
        variables = {name: value for name, value in os.environ.items() if name != "LOWLAND_DSN"}
        if dsn is not None:
            variables["LOWLAND_DSN"] = dsn
        return subprocess.run(
            [sys.executable, "-m", "lowland_gis", *map(str, arguments)],
            cwd=folder,
            env=variables | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run
