"""docs/own_district.md, word for word: a district of foreign files goes from `init` to the package by that page alone."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

import pytest

from lowland_gis.db.private import cluster as clusters
from pages import Line, Shell, agrees, programs, steps

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "own_district.md"


@pytest.fixture(scope="module")
def folder(state_dir: Path):
    """A folder with the data of the page where the page has them, and `lowland` among the programs."""
    place = state_dir / "journey"
    (place / "tests").mkdir(parents=True)
    shutil.copytree(ROOT / "tests" / "open_district", place / "tests" / "open_district")
    state = {"LOWLAND_STATE": str(state_dir / "journey-state"), "PYTHONUTF8": "1"}
    known = state | {"PATH": f"{programs(place)}:{os.environ['PATH']}"}
    yield place, known
    for project in place.glob("*/lowland.toml"):
        clusters.remove(clusters.locate(project.parent, env=os.environ | state))


def test_the_page_shows_what_happens(folder):
    shell = Shell(*folder)
    for step in steps(PAGE):
        printed = shell.take(step)
        if isinstance(step, Line):
            assert agrees(step.shown, printed), f"$ {step.command}\nshown:\n{step.shown}\nprinted:\n{printed}"


def test_the_page_types_every_kind_of_command():
    typed = " ".join(step.command for step in steps(PAGE) if isinstance(step, Line))
    for words in (
        *("init", "inspect", "rules check", "rules test", "run", "check run", "explain", "freeze"),
        *("--part", "--replaces", "package build", "package check"),
    ):
        assert words in typed, words


def test_the_data_of_the_page_stay_out_of_the_wheel():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    wheel = built["targets"]["wheel"]
    assert wheel["packages"] == ["src/lowland_gis"]
    assert set(wheel["force-include"]) == {"migrations"}
