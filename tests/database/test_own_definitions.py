"""Each project works with its own definitions, also where another one was opened since; runs rest on them."""

import shutil
from pathlib import Path

import pytest

from lowland_gis.definitions import own
from lowland_gis.definitions.layer import layer_keys
from lowland_gis.definitions.measure import measures
from lowland_gis.errors import DefinitionError
from lowland_gis.pipeline.base import requests
from lowland_gis.pipeline.base.project import open_project

LAYER = """
key = "noise"
title = "噪声区"
family = "plan"
geometry = "polygon"
stored = "feature"
code = "DJ"
tabulate = "code"
document = "示例"
field = [ { name = "DJ", title = "等级", type = "text" } ]
"""
MEASURE = '[noise_share]\nkind = "overlap"\nlayers = ["noise"]\ncodes = "all"\ntitle = "噪声占比"\n'


@pytest.fixture
def with_own(project, tmp_path):
    """The same project in another folder, with a layer and a measure of its own."""
    folder = tmp_path / "own"
    (folder / "definitions" / "layers").mkdir(parents=True)
    shutil.copy(tmp_path / "lowland.toml", folder)
    (folder / "definitions" / "layers" / "noise.toml").write_text(LAYER, encoding="utf-8")
    (folder / "definitions" / "measures.toml").write_text(MEASURE, encoding="utf-8")
    yield open_project(folder)
    own.use(own.SHIPPED)


def test_a_project_comes_back_to_its_own_definitions(project, with_own):
    with project.snapshot():
        assert "noise" not in layer_keys()
        assert "noise_share" not in measures()
    with with_own.snapshot():
        assert "noise" in layer_keys()
        assert "noise_share" in measures()
    with project.transaction():
        assert "noise" not in layer_keys()


def test_a_run_rests_on_the_definitions_of_the_project_and_of_no_other(project, with_own):
    with project.snapshot():
        shipped = requests.tabulation(project, {})
    with with_own.snapshot():
        first = requests.tabulation(with_own, {})
    assert "definitions" not in shipped.settings
    assert set(first.settings["definitions"]) == {"layers"}
    file = Path(with_own.settings.folder) / "definitions" / "layers" / "noise.toml"
    file.write_text(LAYER.replace("噪声区", "噪声功能区"), encoding="utf-8")
    changed = open_project(with_own.settings.folder)
    with changed.snapshot():
        second = requests.tabulation(changed, {})
    assert len({shipped.digest, first.digest, second.digest}) == 3


def test_a_wrong_definition_opens_nothing(with_own):
    file = Path(with_own.settings.folder) / "definitions" / "measures.toml"
    file.write_text(MEASURE.replace('"noise"', '"nois"'), encoding="utf-8")
    with pytest.raises(DefinitionError, match="Did you mean 'noise'"):
        open_project(with_own.settings.folder)
