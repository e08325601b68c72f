"""The locked packages of one kind of environment hold those that it is built upon: a lock that was not made anew lacks what was added since."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def locked(kind: str) -> set[str]:
    lines = (REQUIREMENTS / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    return {found[0] for line in lines if (found := re.match(r"[a-z0-9._-]+==[^ ;]+", line, re.IGNORECASE))}


@pytest.mark.parametrize(("kind", "base"), [("dev", "run"), ("bench", "run"), ("sedona", "dev")])
def test_a_lock_holds_what_it_is_built_upon_at_the_same_versions(kind, base):
    assert len(locked(base)) > 50
    assert locked(base) - locked(kind) == set()
