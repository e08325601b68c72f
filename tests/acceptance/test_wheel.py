"""What a stranger does: install the wheel in a fresh environment, and tabulate two frames from an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).parent / "stranger.py"


def run(*command: str | Path, folder: Path) -> str:
    """Run a program without anything that points back to this checkout, and return what it prints."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LOWLAND", "PIP"))
    }
    environment = kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built without a network by the locked hatchling."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, ROOT)
    run(sys.executable, "-m", *build, folder=folder)
    return next(folder.glob("lowland_gis-*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """The Python of a fresh environment with the wheel; the libraries that it needs are those of the tests."""
    home = tmp_path_factory.mktemp("stranger") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", home, folder=home.parent)
    program = home / "bin" / "python"
    install = ("pip", "-q", "--python", program, "install", "--no-deps", "--no-index", wheel)
    run(sys.executable, "-m", *install, folder=home.parent)
    packages = next(home.glob("lib/python*/site-packages"))
    # A path in a .pth file is no site folder, so the links of this checkout that stand there are not followed.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return program


def test_ten_lines_of_a_stranger_tabulate_two_frames(python, tmp_path):
    lines = [line for line in SCRIPT.read_text(encoding="utf-8").splitlines() if line]
    assert len(lines) <= 10
    (tmp_path / "stranger.py").write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    printed = run(python, "stranger.py", folder=tmp_path)
    assert printed.split() == ["parcel_id,code,area_m2,share", "A,0601,5000.0,0.5", "B,0601,5000.0,0.5"]


def test_the_package_is_the_installed_one(python, tmp_path):
    where = run(python, "-c", "import lowland_gis; print(lowland_gis.__file__)", folder=tmp_path)
    assert Path(where.strip()).is_relative_to(python.parents[1])


def test_the_wheel_carries_types_definitions_and_migrations(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in ("py.typed", "__init__.pyi", "definitions/measures.toml", "migrations/env.py"):
        assert f"lowland_gis/{name}" in names
