"""The terms of the plan: the shipped ones hold, a project changes them kind by kind, and what does not fit is named."""

import pytest

from lowland_gis.definitions.own import own_definitions, using
from lowland_gis.definitions.plan import plan_terms
from lowland_gis.definitions.take_up import take_up
from lowland_gis.errors import DefinitionError


def own(folder, text):
    (folder / "definitions").mkdir()
    (folder / "definitions" / "plan.toml").write_text(text, encoding="utf-8")
    return folder


def test_every_shipped_kind_has_its_own_steps_and_says_where_they_are_from():
    terms = plan_terms()
    assert set(terms.kind) == {"enterprise", "urban_village", "town_renewal", "village_exchange", "other"}
    assert [kind for kind, content in terms.kind.items() if content.quota] == ["village_exchange"]
    assert len({content.steps for content in terms.kind.values()}) == len(terms.kind)
    assert all(content.source and content.example for content in terms.kind.values())
    assert terms.status.numbered(0)[2] == "2 已完成"
    assert (terms.balance.ratio, terms.balance.example) == (1.0, True)


def test_a_project_takes_the_place_of_a_kind_and_changes_a_key(tmp_path):
    text = '[kind.other]\ntitle = "其他"\nsource = "区文件"\nstep = [{ title = "一步" }]\n[balance]\nratio = 1.2\n'
    with using(own_definitions(own(tmp_path, text))):
        terms = plan_terms()
    assert terms.kind["other"].steps == ("一步",)
    assert len(terms.kind) == 5
    assert (terms.balance.ratio, terms.balance.date.year) == (1.2, 2008)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[balance]\nratio = 0\n", "ratio"),
        ("[phase]\nvalues = []\n", "Did you mean 'phases'?"),
        ('[kind.x]\ntitle = "企业"\nsource = "s"\nstep = [{ title = "a" }]\n', "two kinds have this title"),
        ('[kind.x]\ntitle = "新"\nsource = "s"\nstep = [{ title = "a" }, { title = "a" }]\n', "a step stands twice"),
        ('[status]\nstates = ["a", "b", "c"]\n', "the states of a project are not_started, in_progress, done"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(tmp_path, text, said):
    with pytest.raises(DefinitionError, match="plan.toml") as refused:
        take_up(own(tmp_path, text))
    assert said in str(refused.value)
