"""The shipped parameters of potential, and a project's own over them."""

import pytest

from lowland_gis.analysis.potential.bands import Band
from lowland_gis.definitions.own import SHIPPED, use
from lowland_gis.definitions.potential import potential_parameters
from lowland_gis.definitions.take_up import take_up
from lowland_gis.errors import DefinitionError

OWN = """
[[parameter]]
name = "acquisition"
kind = "industrial"
value = 55
{unit}
document = "区自定"
date = 2026-01-01
"""


@pytest.fixture(autouse=True)
def shipped_again():
    yield
    use(SHIPPED)


def taken(folder, text):
    (folder / "definitions").mkdir()
    (folder / "definitions/potential.toml").write_text(text, encoding="utf-8")
    take_up(folder)
    return potential_parameters()


def test_the_shipped_ones_hold_and_every_number_that_is_invented_says_so():
    shipped = potential_parameters()
    assert [each.name for each in shipped.parameter if not each.example] == ["idle_from"]
    assert all(
        "示例" in each.document or "参照" in each.document for each in shipped.parameter if each.example
    )
    assert all(use.example for use in shipped.use.values())


def test_a_projects_own_number_holds_and_the_others_stay(tmp_path):
    before = potential_parameters()
    own = taken(tmp_path, OWN.format(unit='unit = "万元/亩"'))
    assert own.band("acquisition", kind="industrial") == Band(55.0, 55.0)
    assert own.band("acquisition", kind="town") == before.band("acquisition", kind="town")
    assert len(own.parameter) == len(before.parameter)


def test_a_number_without_a_unit_is_refused_by_its_place(tmp_path):
    with pytest.raises(
        DefinitionError,
        match=r"potential\.toml:\n.*parameter acquisition \(kind industrial\), unit: it is missing",
    ):
        taken(tmp_path, OWN.format(unit=""))
    assert potential_parameters().band("acquisition", kind="industrial") == Band(40.0, 90.0)


def test_a_slip_in_the_name_of_the_file_is_told(tmp_path):
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions/potentials.toml").write_text("", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"potential\.toml"):
        take_up(tmp_path)
