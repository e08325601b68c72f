"""The project file that is written says everything, and is read back as it was meant."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from lowland_gis.definitions.layer import layer_keys
from lowland_gis.pipeline.base.project_text import project_text
from lowland_gis.settings import (
    DelineateSettings,
    DeliverySettings,
    ProjectSettings,
    Settings,
    UnitWeights,
    load,
)

PROJECT = ProjectSettings(
    name="p", district_code="120113", district_name="北辰区", as_of=dt.date(2023, 12, 31)
)


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOWLAND_DSN", raising=False)


def read(folder: Path, text: str) -> Settings:
    (folder / "lowland.toml").write_text(text, encoding="utf-8")
    return load(folder / "lowland.toml")


def test_what_is_written_is_read_back(tmp_path: Path):
    project = ProjectSettings(
        name='北辰 "示例"\\',
        district_code="120113",
        district_name="北辰区",
        as_of=dt.date(2023, 12, 31),
        synthetic=True,
    )
    deliveries = (
        DeliverySettings(layer="parcel", source="incoming/宗地.shp"),
        DeliverySettings(layer="enterprise", source="a b'c\".xlsx", part="2023", as_of=dt.date(2023, 12, 31)),
    )
    units = DelineateSettings(gap_m=12, min_length_m=3, min_ha=2, max_ha=20)
    settings = read(tmp_path, project_text(project, deliveries, units=units))
    assert settings.project == project
    assert settings.delivery == deliveries
    assert settings.delineate == units


def test_every_commented_setting_may_be_taken_as_it_stands(tmp_path: Path):
    """With every # in front of a setting taken away, the file says what it said before, and a delivery of each layer."""
    text = project_text(PROJECT)
    bare = re.sub(r"^# (?=\w+ = |\[)", "", text, flags=re.MULTILINE)
    settings = read(tmp_path, bare.replace('dsn = "host=… dbname=…"', ""))
    plain = read(tmp_path, text)
    assert plain.delivery == ()
    assert settings.model_dump(exclude={"delivery", "check"}) == plain.model_dump(
        exclude={"delivery", "check"}
    )
    assert sorted(one.layer for one in settings.delivery) == sorted(layer_keys())
    assert settings.delivery[0].layer == "parcel"
    assert settings.check["overlap"].enabled is False


def test_what_differs_from_its_default_stands_without_a_comment(tmp_path: Path):
    units = DelineateSettings(min_ha=1.0, weights=UnitWeights(outline=3.0), town_numbers={"120113100": "{n}"})
    text = project_text(PROJECT, units=units)
    assert read(tmp_path, text).delineate == units
    assert "\nmin_ha = 1.0\n" in text
    assert "\n# max_ha = 30.0\n" in text


def test_every_setting_says_what_it_means():
    models = [Settings]
    for model in models:
        for name, info in model.model_fields.items():
            inner = [
                one
                for one in (info.annotation, *getattr(info.annotation, "__args__", ()))
                if isinstance(one, type)
            ]
            tables = [one for one in inner if hasattr(one, "model_fields")]
            models += tables
            assert tables or info.description or name in {"folder", "dsn"}, f"{model.__name__}.{name}"
    assert len(models) > 6
