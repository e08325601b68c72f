"""Promises in definitions: the columns of their table, and the rule of the documentation in a pack."""

import re
from pathlib import Path

import pytest

from lowland_gis.analysis.fields.attributes import arrow_table, standardise
from lowland_gis.cli import main
from lowland_gis.definitions.promise import promise_fields

ROOT = Path(__file__).parents[3]


def test_the_headings_that_offices_write_are_known_with_their_units():
    received = arrow_table(
        {
            "合同编号": ["HT-1"],
            "承诺投资（元）": [25000.0],
            "承诺年税收(亿元)": [0.5],
            "签订日期": ["2021年3月1日"],
        }
    )
    found = standardise(received, promise_fields(), {}).rows.to_pylist()[0]
    assert (found["HTBH"], found["CNTZ"], found["CNSS"], found["HTQDRQ"]) == (
        "HT-1",
        2.5,
        5000.0,
        "2021-03-01",
    )


def test_the_rule_of_the_documentation_fits_into_a_pack_and_its_examples_hold(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (rule,) = re.findall(
        r"```toml\n(.*?veto_promise.*?)```", (ROOT / "docs/registry.md").read_text("utf-8"), re.DOTALL
    )
    pack = (ROOT / "src/lowland_gis/definitions/rules/example_beichen.toml").read_text("utf-8")
    place = pack.index('[[question.rule]]\nname = "veto_environment"')
    rule = rule.rpartition("```toml\n")[2]
    own = tmp_path / "own.toml"
    own.write_text(pack[:place] + rule + pack[place:], encoding="utf-8")
    for command in ("check", "test"):
        with pytest.raises(SystemExit) as left:
            main(["rules", command, str(own)])
        assert left.value.code == 0, capsys.readouterr()
