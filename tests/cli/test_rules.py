"""`lowland rules`: every fault at once with its place, the examples, and packs of the district's own."""

import json
from pathlib import Path

import pytest

SHIPPED = Path(__file__).parents[2] / "src/lowland_gis/definitions/rules/example_general.toml"
SPOILT = (
    ('measure = "construction2_share"', 'measure = "construction2_shar"'),
    ('limit = "cover_max"', 'limit = "cover_mx"'),
    ('op = "<"', 'op = "=<"'),
    ('unit = "亿元/km²"', 'unit = "km²"'),
    ('unless = ["government_cause"]', 'unless = ["industrial_idle"]'),
    ('name = "grade_b"', 'name = "grade_a"'),
    ('title = "低效用地认定规则（通用示例）"\n', ""),
    ('gives = "unknown"', 'gives = "perhaps"'),
)


def own(folder, *changes):
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / "own.toml").write_text(text, encoding="utf-8")


def test_check_lists_all_faults_with_file_place_key_value_allowed_and_nearest(lowland, tmp_path):
    own(tmp_path, *SPOILT)
    done = lowland("rules", "check", "own.toml")
    assert done.returncode == 6
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("  - ")]
    for words in (
        (
            "question kind, rule legacy_built, clause 1, measure = 'construction2_shar'",
            "mean 'construction2_share'",
        ),
        ("limit = 'cover_mx'", "mean 'cover_max'", "Allowed: "),
        ("op = '=<'", "Allowed: <, <=, >, >=, ="),
        ("limit = 'output_min'", "its unit km² cannot be compared with the measure's 万元/亩"),
        ("run in a circle: industrial_idle → industrial_idle",),
        ("parameter grade_a", "defined twice"),
        ("title: it is missing",),
        ("gives = 'perhaps'", "Allowed: true, false, unknown"),
    ):
        assert any(all(word in line for word in words) for line in lines), (words, lines)
    assert f"own.toml: {len(lines)} fault(s), so nothing was run" in done.stderr


def test_check_as_json_names_the_same_faults(lowland, tmp_path):
    own(tmp_path, *SPOILT)
    done = lowland("rules", "check", "own.toml", "--json")
    assert done.returncode == 6
    rows = json.loads(done.stdout)
    fault = next(row for row in rows if row["value"] == "construction2_shar")
    assert fault["file"].endswith("own.toml")
    assert (fault["where"], fault["key"], fault["nearest"]) == (
        "question kind, rule legacy_built, clause 1", "measure", "construction2_share",
    )  # fmt: skip
    assert "construction3_share" in fault["allowed"]


def test_an_expired_parameter_is_found_on_its_day(lowland, tmp_path):
    own(tmp_path, ('name = "tax_min"\n', 'name = "tax_min"\nuntil = 2024-01-01\n'))
    assert lowland("rules", "check", "own.toml", "--on", "2023-12-31").returncode == 0
    done = lowland("rules", "check", "own.toml", "--on", "2024-01-01")
    assert done.returncode == 6
    assert "limit = 'tax_min': it expired on 2024-01-01" in done.stderr


def test_examples_run_one_a_line_and_a_wrong_one_has_exit_code_6(lowland, tmp_path):
    good = json.loads(lowland("rules", "test", str(SHIPPED), "--json").stdout)
    assert len(good) > 40
    assert all(row["holds"] for row in good)
    own(tmp_path, ('gives = "unknown"', 'gives = "true"'))
    done = lowland("rules", "test", "own.toml")
    assert done.returncode == 6
    assert f"1 of {len(good)} examples do not hold" in done.stderr


@pytest.mark.parametrize("pack", ["example_beichen", "example_general"])
def test_show_gives_every_clause_with_limit_unit_document_and_article(lowland, pack):
    rows = json.loads(lowland("rules", "show", pack, "--json").stdout)
    tax = next(row for row in rows if row["condition"] == "tax_per_mu < tax_min")
    assert "万元/亩" in tax["limit"]
    assert tax["document"].startswith("示例")
    assert tax["article"]
