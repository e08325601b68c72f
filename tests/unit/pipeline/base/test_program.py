"""The digest of the program: another source or definition is another program, another way of showing is not."""

import pytest

from lowland_gis.pipeline.base.program import program_version, source_digest


@pytest.fixture
def home(tmp_path):
    for name in (
        "analysis/rules.py",
        "definitions/codes/dltb.csv",
        "definitions/measures.toml",
        "cli/map.py",
        "schema/land.py",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["analysis/rules.py", "definitions/codes/dltb.csv", "definitions/measures.toml", "schema/land.py"]
)
def test_another_source_is_another_program(home, name):
    before = source_digest(home)
    (home / name).write_text("changed", encoding="utf-8")
    assert source_digest(home) != before


def test_a_source_under_another_name_or_a_new_one_is_another_program(home):
    before = source_digest(home)
    (home / "analysis" / "rules.py").rename(home / "analysis" / "facts.py")
    renamed = source_digest(home)
    (home / "analysis" / "more.py").write_text("", encoding="utf-8")
    assert len({before, renamed, source_digest(home)}) == 3


def test_what_is_only_shown_is_no_other_program(home):
    before = source_digest(home)
    (home / "cli" / "map.py").write_text("changed", encoding="utf-8")
    (home / "analysis" / "__pycache__").mkdir()
    (home / "analysis" / "__pycache__" / "rules.pyc").write_bytes(b"compiled")
    assert source_digest(home) == before


def test_the_version_of_this_program_has_its_digest():
    assert program_version().split("+")[0] == "0.1.0"
    assert len(program_version().split("+")[1]) == 12
