"""The error family: distinct exit codes, and messages that count what they do not show."""

from __future__ import annotations

import pytest

from lowland_gis import errors
from lowland_gis.errors import LowlandError, listed

CODES = {
    "LowlandError": 1,
    "UsageError": 2,
    "InputRefusedError": 3,
    "StaleError": 3,
    "MoveRefusedError": 3,
    "NotAllowedError": 3,
    "DatabaseError": 4,
    "RerunDiffersError": 5,
    "DefinitionError": 6,
}


def test_the_family_and_its_exit_codes():
    family = {
        name: value.exit_code
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, LowlandError)
    }
    assert family == CODES


@pytest.mark.parametrize(
    ("count", "lines", "rest"), [(0, 0, None), (5, 5, None), (6, 6, "1 more"), (60, 6, "55 more")]
)
def test_five_faults_are_shown_and_the_rest_counted(count: int, lines: int, rest: str | None):
    text = listed([f"fault {number}" for number in range(count)])
    assert len(text.splitlines()) == lines
    assert rest is None or text.endswith(f"… and {rest}")
