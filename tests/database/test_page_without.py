"""A page of a district that has not come so far is refused with the command to type, and nothing is written."""

from click.testing import CliRunner

from drawn_units import ready
from lowland_gis.cli import lowland
from lowland_gis.errors import UsageError


def page(project, target):
    settings = project.settings.folder / "lowland.toml"
    return CliRunner().invoke(lowland, ["--project", str(settings), "map", "page", str(target)]).exception


def test_without_verdicts_and_without_units(project, tmp_path):
    target = tmp_path / "p.html"
    said = page(project, target)
    assert isinstance(said, UsageError)
    assert "lowland" in str(said)
    ready(project)
    said = page(project, target)
    assert isinstance(said, UsageError)
    assert "delineate" in str(said) or "unit draft" in str(said)
    assert not target.exists()
