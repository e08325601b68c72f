"""Run the command line as a person would: another process, its own environment."""

import os

import pytest

import own_process


@pytest.fixture
def lowland(tmp_path):
    """A function that runs `python -m lowland_gis` in an empty folder."""

    def run(*arguments, dsn=None, folder=tmp_path, **environment):
        variables = {name: value for name, value in os.environ.items() if name != "LOWLAND_DSN"}
        if dsn is not None:
            variables["LOWLAND_DSN"] = dsn
        return own_process.run(*arguments, cwd=folder, env=variables | environment)

    return run
