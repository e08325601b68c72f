"""What the pages show works as they show it: the mapping file of `mappings.md`, the whole pack of `writing_rules.md`."""

import re
import shutil
from pathlib import Path

import psycopg
import pytest

from lowland_gis.cli import main

DOCS = Path(__file__).parents[2] / "docs"


def block(page: str, kind: str) -> str:
    """Return the first block of a kind on a page."""
    found = re.search(rf"```{kind}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def table(page: str, after: str) -> list[dict[str, str]]:
    """Return the rows of the first table behind a sentence."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(after)[2]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *rest = lines[
        : next(n for n, line in enumerate(text.strip().splitlines()) if not line.startswith("|"))
    ]
    names = [cell.strip() for cell in head.strip("|").split("|")]
    return [
        dict(zip(names, (cell.strip() for cell in row.strip("|").split("|")), strict=True)) for row in rest
    ]


@pytest.fixture
def lowland(project, capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["--project", str(project.settings.folder / "lowland.toml"), *map(str, arguments)])
        said = capsys.readouterr()
        return left.value.code, said.out + said.err

    return run


def test_the_mapping_of_the_page_stores_what_the_page_says(project, lowland, tmp_path):
    (tmp_path / "企业.csv").write_text(block("mappings.md", "csv"), encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(block("mappings.md", "toml"), encoding="utf-8")
    code, said = lowland("inspect", tmp_path / "企业.csv", "--mapping", tmp_path / "mapping.toml")
    assert code == 0, said
    code, said = lowland(
        "ingest", "enterprise", tmp_path / "企业.csv", "--mapping", tmp_path / "mapping.toml"
    )
    assert code == 0, said
    with psycopg.connect(project.dsn) as connection:
        rows = connection.execute("SELECT attributes FROM land.enterprise ORDER BY row_no").fetchall()
    wanted = table("mappings.md", "What is stored:")
    assert len(wanted) == len(rows) == 2
    for (stored,), row in zip(rows, wanted, strict=True):
        for name, text in row.items():
            value = stored.get(name)
            assert ("" if value is None else str(value)) in (text, text.removesuffix(".0")), name


def test_the_pack_of_the_page_is_whole(lowland, tmp_path, monkeypatch):
    text = block("writing_rules.md", "toml")
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code, said = lowland("rules", "check", "own.toml")
    assert code == 0, said
    assert "all 1 examples hold" in said
    code, said = lowland("rules", "test", "own.toml")
    assert code == 0, said
    assert "no example" not in said
    # Without its example it says what follows.
    bare = text.partition("[[question.rule.example]]")[0]
    (tmp_path / "bare.toml").write_text(bare, encoding="utf-8")
    code, said = lowland("rules", "check", "bare.toml")
    assert code == 0
    assert "own_rules: it has no examples, so nothing shows that its rules say what is meant" in said
    assert "Add [[question.rule.example]]" in said
    code, said = lowland("rules", "test", "bare.toml")
    assert code == 0
    assert "it has no examples" in said


def test_the_legend_of_the_page_is_read(lowland, tmp_path):
    text = (DOCS / "writing_rules.md").read_text(encoding="utf-8").partition("## Colours")[2]
    found = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "legend.toml").write_text(found[1], encoding="utf-8")
    code, said = lowland("check", "show", "overlap")
    assert code == 2
    assert "nothing was delivered" in said


def test_a_run_says_of_all_deliveries_which_layers_there_are_not(project, lowland, tmp_path):
    file = tmp_path / "lowland.toml"
    more = "".join(
        f'[[delivery]]\nlayer = "{key}"\nsource = "a{key}.shp"\n' for key in ("parcl", "dltb3", "twn")
    )
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    code, said = lowland("run")
    assert code == 2
    assert "lowland.toml: 2 setting(s) are wrong" in said
    assert "[[delivery]] 1, layer = 'parcl': there is no such layer. Did you mean 'parcel'?" in said
    assert "[[delivery]] 3, layer = 'twn': there is no such layer. Did you mean 'town'?" in said
    # A mapping that is wrong is told before anything is loaded.
    shutil.copy(DOCS / "mappings.md", tmp_path / "a.shp")
    text = file.read_text(encoding="utf-8").partition("[[delivery]]")[0]
    file.write_text(
        text + '[[delivery]]\nlayer = "parcel"\nsource = "a.shp"\nmapping = "m.toml"\n', encoding="utf-8"
    )
    (tmp_path / "m.toml").write_text(
        'supplier = "局"\nlayer = "parcel"\n[rename]\na = "ZDDM"\nb = "ZDDM"\n', encoding="utf-8"
    )
    code, said = lowland("run")
    assert code == 6
    assert "[rename], b = 'ZDDM': a becomes ZDDM too, and a field has one column" in said
