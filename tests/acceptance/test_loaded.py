"""What commands load that only show what is there: no frames, which take longer to load than a list to make."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from acceptance.conftest import Demo

_COMMAND = """
import sys
from lowland_gis.cli import main
try:
    main(sys.argv[1:])
except SystemExit as leaving:
    assert not leaving.code, leaving.code
print()
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
FRAMES = {"pandas", "geopandas", "pyarrow", "pyproj", "scipy", "numba"}


@pytest.mark.parametrize(
    "command",
    [
        ("unit", "list"), ("registry", "problems"), ("rules", "show"), ("rules", "list"), ("classify", "explain", "PARCEL"),
        ("unit", "list", "--json"), ("registry", "list"), ("registry", "show", "PARCEL"), ("registry", "history", "PARCEL"),
        ("registry", "verify"), ("registry", "procedure"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_list_is_shown_without_frames(demo: Demo, command: tuple[str, ...]) -> None:
    parcel = demo.rows("SELECT min(parcel_id) FROM registry.low_efficiency")[0][0]
    words = [str(parcel) if word == "PARCEL" else word for word in command]
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, "--project", str(demo.folder / "lowland.toml"), *words],
        env=os.environ | {"LOWLAND_DSN": demo.dsn, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"lowland_gis", "click"} <= loaded
    assert loaded & FRAMES == set()
