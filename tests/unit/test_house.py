"""The tests stand as the house does: what holds a module is found in the folder of its name."""

from __future__ import annotations

from pathlib import Path

import lowland_gis

PACKAGE = Path(lowland_gis.__file__).parent
HERE = Path(__file__).parent


def test_every_folder_of_unit_tests_is_one_of_the_package():
    folders = {path.parent.relative_to(HERE) for path in HERE.rglob("test_*.py")}
    assert [folder for folder in sorted(folders) if not (PACKAGE / folder).is_dir()] == []


def test_every_wing_of_pure_functions_has_unit_tests():
    """`analysis` does no input or output, so nothing needs more than a unit test there."""
    wings = {path.parent.relative_to(PACKAGE) for path in (PACKAGE / "analysis").rglob("*.py")}
    held = {path.parent.relative_to(HERE) for path in HERE.rglob("test_*.py")}
    assert wings - held == set()
