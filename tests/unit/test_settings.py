"""The project file: defaults, all faults together, and the environment before the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowland_gis import settings as settings_module
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.units.draw import changed
from lowland_gis.settings import (
    DelineateSettings,
    gauss_plane,
    load,
)

PROJECT = """
[project]
name = "p"
district_code = "120113"
district_name = "北辰区"
as_of = 2023-12-31
"""


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOWLAND_DSN", raising=False)


def written(folder: Path, text: str) -> Path:
    (folder / "lowland.toml").write_text(text, encoding="utf-8")
    return folder / "lowland.toml"


def test_a_short_project_file_is_enough(tmp_path: Path):
    settings = load(written(tmp_path, PROJECT))
    assert settings.project.crs == "EPSG:4548"
    assert settings.project.srid == 4548
    assert settings.dsn is None
    assert settings.delivery == ()
    assert settings.plane.central_meridian_deg == 117
    assert settings.plane.false_easting_m == 500_000
    assert settings.path("out") == tmp_path.resolve() / "out"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = written(tmp_path, f'dsn = "dbname=file"\n{PROJECT}')
    assert load(path).dsn == "dbname=file"
    monkeypatch.setenv("LOWLAND_DSN", "dbname=environment")
    assert load(path).dsn == "dbname=environment"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2023-12-31", '"soon"', ["[project], as_of = 'soon'"]),
        ('"120113"', '"12011"', ["[project], district_code = '12011'"]),
        ('name = "p"\n', "", ["[project], name: it is missing"]),
        ("2023-12-31", '2023-12-31\ncrs = "EPSG:2384"', ["not CGCS2000", "Xian"]),
        ("2023-12-31", '2023-12-31\ncrs = "EPSG:4490"', ["not a Gauss-Krüger plane"]),
        ("2023-12-31", '2023-12-31\ncrs = "EPSG:1"', ["no known coordinate system"]),
        ("2023-12-31", "2023-12-31\n[delineate]\nmin_ha = 40", ["min_ha 40.0 is above max_ha 30.0"]),
        ("2023-12-31", "2023-12-31\n[delineate]\ngap_m = 0\nmin_lenght_m = 1", ["gap_m", "min_lenght_m"]),
        (
            "2023-12-31",
            "2023-12-31\n[[delivery]]\nlayer = 'parcel'",
            ["[[delivery]] 1, source: it is missing"],
        ),
        ("2023-12-31", "2023-12-31\n[delineate]\nmax_ha = inf", ["max_ha", "finite"]),
        ("[project]", "folder = 'x'\n[project]", ["folder", "[package]"]),
        ("[project]", "[projekt]", ["project", "projekt"]),
        ("[project]", "[project", ["not readable as TOML"]),
    ],
)
def test_all_faults_are_given_together(tmp_path: Path, old: str, new: str, words: list[str]):
    assert old in PROJECT
    with pytest.raises(UsageError) as refused:
        load(written(tmp_path, PROJECT.replace(old, new, 1)))
    assert all(word in str(refused.value) for word in words), str(refused.value)
    assert "lowland.toml" in str(refused.value)


def test_a_project_file_in_gbk_is_refused(tmp_path: Path):
    (tmp_path / "lowland.toml").write_bytes(PROJECT.encode("gbk"))
    with pytest.raises(UsageError, match="not readable as TOML"):
        load(tmp_path / "lowland.toml")


def test_a_byte_order_mark_of_a_windows_editor_is_no_fault(tmp_path: Path):
    (tmp_path / "lowland.toml").write_text(PROJECT, encoding="utf-8-sig")
    assert load(tmp_path / "lowland.toml").project.name == "p"


def test_a_missing_project_file_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(UsageError, match="lowland init"):
        load(tmp_path / "lowland.toml")


@pytest.mark.parametrize(("crs", "meridian", "easting"), [("EPSG:4548", 117, 500_000), ("EPSG:4527", 117, 39_500_000), ("EPSG:4549", 120, 500_000)])  # fmt: skip
def test_the_plane_behind_a_code(crs: str, meridian: float, easting: float):
    plane = gauss_plane(crs)
    assert (plane.central_meridian_deg, plane.false_easting_m) == (meridian, easting)


def test_planes_are_known_without_pyproj_as_it_knows_them(monkeypatch: pytest.MonkeyPatch):
    codes = [f"EPSG:{code}" for code in range(4480, 4570)]
    known = {code: plane for code in codes if (plane := settings_module._known_plane(code)) is not None}
    monkeypatch.setattr(settings_module, "_PLANES", ())
    assert {code: gauss_plane(code) for code in known} == known
    assert len(known) == 64
    for code in set(codes) - set(known):
        with pytest.raises(ValueError, match=f"{code}.* is "):
            gauss_plane(code)


def test_settings_are_frozen(tmp_path: Path):
    settings = load(written(tmp_path, PROJECT))
    with pytest.raises(ValueError, match="frozen"):
        settings.dsn = "x"


def test_changed_limits_of_a_draft_are_named_with_the_nearest_setting():
    settings = DelineateSettings()
    found = changed(settings, {"min_ha": 3, "weights.outline": 20, "town_numbers.120113101": "{n}"})
    assert (found.min_ha, found.weights.outline, found.town_numbers) == (3, 20, {"120113101": "{n}"})
    with pytest.raises(UsageError) as refused:
        changed(settings, {"min_haa": 3, "weigths.outline": 20, "min_ha.x": 1, "weights.outlin": 2})
    for part in (
        "draft: 4 setting(s) are wrong",
        "--set, min_haa: there is no such setting of [delineate]. Did you mean 'min_ha'?",
        "--set, weigths.outline: there is no such setting of [delineate]. Did you mean 'weights.outline'?",
        "--set, min_ha.x: there is no such setting",
        "Did you mean 'weights.outline'?",
    ):
        assert part in str(refused.value)
