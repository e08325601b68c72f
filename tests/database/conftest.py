"""A project on a fresh database."""

from pathlib import Path

import pytest

from lowland_gis.pipeline.base.project import Project, open_project
from registered import PROJECT


@pytest.fixture
def project(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project whose database is at the newest schema."""
    monkeypatch.delenv("LOWLAND_DSN", raising=False)
    (tmp_path / "lowland.toml").write_text(PROJECT.format(dsn=database), encoding="utf-8")
    return open_project(tmp_path)
