"""The pure parts of the bootstrap: what is missing, what is installed, when an environment is stale."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root = tmp_path / "我的 checkout"
    (root / "requirements").mkdir(parents=True)
    for kind in ("run", "dev", "bench", "sedona"):
        (root / "requirements" / f"{kind}.txt").write_text(f"{kind}==1\n")
    (root / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setattr(module, "VENV", root / ".venv")
    monkeypatch.setattr(module, "STAMP", root / ".venv" / "lowland-ready")
    return module


def make_venv(bootstrap, *, version="3.11.7", made_at=None):
    venv = bootstrap.VENV
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text("")
    (venv / "bin" / "python").chmod(0o755)
    (venv / "lib" / "python3.11" / "site-packages" / "pip").mkdir(parents=True)
    command = f"/usr/bin/python3 -m venv {made_at or venv}"
    (venv / "pyvenv.cfg").write_text(f"version = {version}\ncommand = {command}\n", encoding="utf-8")


def stamp(bootstrap, kind):
    bootstrap.STAMP.write_text(bootstrap.digest(kind, bootstrap.venv_version()))


def test_an_environment_made_here_stays(bootstrap):
    make_venv(bootstrap)
    assert bootstrap.why_unusable() == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"made_at": "/elsewhere/.venv"}, "another folder"),
        ({"version": "3.9.2"}, "too old"),
    ],
)
def test_a_moved_or_old_environment_is_made_anew(bootstrap, change, reason):
    make_venv(bootstrap, **change)
    assert reason in bootstrap.why_unusable()


def test_an_environment_without_its_python_or_pip_is_made_anew(bootstrap):
    make_venv(bootstrap)
    (bootstrap.VENV / "lib" / "python3.11" / "site-packages" / "pip").rmdir()
    assert "half made" in bootstrap.why_unusable()
    (bootstrap.VENV / "bin" / "python").unlink()
    assert "gone" in bootstrap.why_unusable()


def test_no_stamp_means_not_ready(bootstrap):
    make_venv(bootstrap)
    assert not bootstrap.is_ready("run")
    stamp(bootstrap, "run")
    assert bootstrap.is_ready("run")


def test_a_later_kind_serves_the_earlier_ones_and_not_the_other_way(bootstrap):
    make_venv(bootstrap)
    stamp(bootstrap, "dev")
    assert bootstrap.is_ready("run")
    assert not bootstrap.is_ready("bench")
    stamp(bootstrap, "run")
    assert not bootstrap.is_ready("dev")
    stamp(bootstrap, "bench")
    assert bootstrap.is_ready("dev")


@pytest.mark.parametrize("changed", ["requirements/run.txt", "pyproject.toml"])
def test_a_changed_file_makes_the_stamp_stale(bootstrap, changed):
    make_venv(bootstrap)
    stamp(bootstrap, "run")
    (bootstrap.ROOT / changed).write_text("changed\n")
    assert not bootstrap.is_ready("run")


def test_only_what_is_missing_is_installed(bootstrap, monkeypatch, tmp_path):
    conf = tmp_path / "createcluster.conf"
    monkeypatch.setattr(bootstrap, "CLUSTER_CONF", str(conf))
    font = bootstrap.install_lines(["font"])
    assert [line[-1] for line in font] == ["update", "fonts-wqy-microhei"]
    server = bootstrap.install_lines(["postgis", "gdal"])
    assert server[-1][-2:] == ["postgresql-postgis", "gdal-bin"]
    assert "create_main_cluster = false" in server[0][-1]
    conf.write_text("# the administrator's own\n")
    assert "create_main_cluster" not in str(bootstrap.install_lines(["postgis"]))


def test_a_given_server_needs_no_server_here(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap, "has_postgis", lambda: False)
    monkeypatch.delenv("LOWLAND_DSN", raising=False)
    assert "postgis" in bootstrap.missing_capabilities(dev=False)
    monkeypatch.setenv("LOWLAND_DSN", "host=db")
    assert "postgis" not in bootstrap.missing_capabilities(dev=False)


def test_the_package_is_found_by_a_relative_path_in_ascii(bootstrap):
    make_venv(bootstrap)
    packages = bootstrap.VENV / "lib" / "python3.11" / "site-packages"
    link, other = packages / "_editable_impl_lowland_gis.pth", packages / "other.pth"
    link.write_text(f"{bootstrap.ROOT / 'src'}\n", encoding="utf-8")
    other.write_text("import os\n", encoding="utf-8")
    bootstrap.make_paths_relative()
    assert (packages / link.read_text(encoding="ascii").strip()).resolve() == bootstrap.ROOT / "src"
    assert other.read_text(encoding="utf-8") == "import os\n"


def test_settings_of_pip_are_handed_to_uv_and_a_variable_wins_over_a_file(bootstrap):
    listed = r"""
:env:.find-links='/wheels /more'
global.find-links='/old'
global.index-url='https://mirror.example/simple'
install.trusted-host='a.example\nb.example'
global.progress-bar='off'
"""
    assert bootstrap.uv_settings(listed) == {
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INSECURE_HOST": "a.example b.example",
    }
