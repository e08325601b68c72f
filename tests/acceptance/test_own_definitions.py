"""docs/own_definitions.md, word for word: a layer, a measure, a rule and a check of a district's own, on a real database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lowland_gis.db.private import cluster as clusters
from pages import Line, Shell, agrees, programs, steps

PAGE = Path(__file__).parents[2] / "docs" / "own_definitions.md"


@pytest.fixture
def shell(state_dir: Path):
    """A shell in an empty folder, with `lowland` among its programs."""
    place = state_dir / "definitions"
    state = {"LOWLAND_STATE": str(state_dir / "definitions-state"), "PYTHONUTF8": "1"}
    yield Shell(place, state | {"PATH": f"{programs(place)}:{os.environ['PATH']}"})
    for project in place.glob("*/lowland.toml"):
        clusters.remove(clusters.locate(project.parent, env=os.environ | state))


def test_the_page_shows_what_happens(shell):
    for step in steps(PAGE):
        printed = shell.take(step)
        if isinstance(step, Line):
            assert agrees(step.shown, printed), f"$ {step.command}\nshown:\n{step.shown}\nprinted:\n{printed}"
