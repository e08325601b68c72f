"""The shipped procedure, and what a project lays over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowland_gis.analysis.registry.procedure import procedure_faults
from lowland_gis.cli.registry import registry
from lowland_gis.cli.registry_moves import TYPED_AS, VERBS
from lowland_gis.definitions.own import own_definitions, using
from lowland_gis.definitions.states import procedure, procedure_digest, shipped_procedure, weaker_than_shipped
from lowland_gis.definitions.take_up import take_up
from lowland_gis.errors import DefinitionError


def own(folder: Path, text: str) -> Path:
    (folder / "definitions").mkdir(exist_ok=True)
    (folder / "definitions" / "states.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_procedure_fits():
    assert list(procedure_faults(shipped_procedure())) == []
    assert weaker_than_shipped(shipped_procedure()) == []


def test_every_verb_of_it_is_a_command():
    """Units are frozen and withdrawn by commands of their own; drafts are the program's, or entered; contracts come with a table."""
    typed = {TYPED_AS.get(name, name) for name in VERBS} | ({"promise"} & registry.commands.keys())
    registers = shipped_procedure()
    wanted = {verb for name, register in registers.items() if name != "unit" for verb in register.verbs}
    assert typed == wanted


def test_every_state_can_be_reached():
    for name, register in shipped_procedure().items():
        reached: set[str | None] = {None}
        while True:
            more = {move.reaches for state in reached for move in register.allowed(state).values()}
            if more <= reached:
                break
            reached |= more
        assert reached == {None, *register.state}, name


def test_a_stricter_procedure_of_a_project_is_taken_as_it_is(tmp_path: Path):
    project = own(tmp_path, "[low_efficiency.move.approve]\ndays = 15\n")
    with using(own_definitions(project)):
        found = procedure()
    assert found["low_efficiency"].move["approve"].days == 15
    assert found["low_efficiency"].move["approve"].document == "认定文件"
    assert found["legacy"] == shipped_procedure()["legacy"]
    assert procedure_digest(found) != procedure_digest(shipped_procedure())
    assert weaker_than_shipped(found) == []


def test_a_weaker_one_needs_its_document_and_is_said(tmp_path: Path):
    less = "[low_efficiency.move.approve]\ndays = 3\n"
    with pytest.raises(
        DefinitionError,
        match=r"states.toml:\n.*register low_efficiency, move approve, basis: it asks for less",
    ):
        take_up(own(tmp_path, less))
    project = own(tmp_path, less + 'basis = "津规资发〔2024〕1号，2024-05-01"\n')
    with using(own_definitions(project)):
        (line,) = weaker_than_shipped(procedure())
    assert line == (
        "低效用地数据库（low_efficiency） 区政府认定（approve）: it may be made after 3 days since notice, not 7 since notice –"
        " 津规资发〔2024〕1号，2024-05-01"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[low_efficiency.move.approve]\nday = 3\n", "day"),
        ('[low_efficiency.move.approve]\nreaches = "determind"\n', "Did you mean 'determined'"),
        ('[low_efficiency.move.approve]\nroles = ["mayor"]\n', "mayor"),
        ("low_efficiency = 3\n", "low_efficiency"),
    ],
)
def test_a_faulty_one_is_refused_with_the_place(tmp_path: Path, text: str, said: str):
    with pytest.raises(DefinitionError, match="states.toml") as refused:
        take_up(own(tmp_path, text))
    assert said in str(refused.value)
