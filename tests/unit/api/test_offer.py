"""`import lowland_gis`: it loads at once, offers what it says, and its examples hold."""

from __future__ import annotations

import ast
import doctest
import inspect
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

import pytest

import lowland_gis

HOME = Path(lowland_gis.__file__).parent
FUNCTIONS = [
    "area", "check", "classify", "draft_units", "edit_units", "facing_neighbours", "key_areas", "open_project",
    "read_delivery", "tabulate", "unit_potential",
]  # fmt: skip


def test_importing_loads_nothing_but_itself():
    """What a script needs is loaded when it asks for it."""
    code = "import sys, lowland_gis; print(*sorted(name for name in sys.modules if name.split('.')[0] in"
    code += " {'numpy', 'pandas', 'geopandas', 'shapely', 'numba', 'pyarrow', 'lowland_gis'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["lowland_gis"]


def test_every_name_is_there_and_no_other():
    assert set(FUNCTIONS) < set(lowland_gis.__all__)
    assert dir(lowland_gis) == sorted(lowland_gis.__all__)
    for name in lowland_gis.__all__:
        assert getattr(lowland_gis, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nix'"):
        lowland_gis.nix  # noqa: B018


def test_type_checkers_are_told_the_same_names():
    stub = ast.parse((HOME / "__init__.pyi").read_text(encoding="utf-8"))
    told = {
        (str(node.module), name.asname)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert {name for _, name in told} | {"__version__"} == set(lowland_gis.__all__)
    for module, name in told:
        assert getattr(import_module(module), name) is getattr(lowland_gis, name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_examples_hold(name: str):
    """Each function has an example that runs; none of them warns."""
    found = getattr(lowland_gis, name)
    test = doctest.DocTestFinder(recurse=False).find(found, name, globs={})[0]
    assert test.examples
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_explained_or_said_in_the_first_lines(name: str):
    found = getattr(lowland_gis, name)
    text = inspect.getdoc(found) or ""
    parameters = list(inspect.signature(found).parameters)
    explained = text if "Args:" not in text else text.split("Args:")[1]
    assert [each for each in parameters if f"{each}:" not in explained and each != "path"] == []
