"""Every fault of a rule file is named with place, key, value, what is allowed and the nearest name; all of them together."""

from __future__ import annotations

import datetime as dt
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lowland_gis.analysis.rules.pack_faults import pack_faults
from lowland_gis.definitions.rule_pack import checked, pack_path
from lowland_gis.errors import DefinitionError

MEASURES = {
    "vacant_share": "share", "tax_per_mu": "万元/亩", "building_year": "calendar year", "registered": "yes/no", "area": "亩",
    "stopped": "month",
}  # fmt: skip
DAY = dt.date(2024, 6, 1)
PACK = """
name = "own"
title = "自定"
document = "d"
in_force = 2024-04-17
example = true

[[parameter]]
name = "empty_min"
value = 0.5
unit = "share"
document = "d"
in_force = 2024-04-17
example = true

[[parameter]]
name = "tax_min"
value = 5
unit = "万元/亩"
document = "d"
in_force = 2024-04-17
example = true

[[score]]
name = "points"
title = "得分"
document = "d"
term = [ { measure = "tax_per_mu", weight = 100, base = "tax_min", cap = 1.5 } ]

[[rank]]
name = "place"
title = "排名"
document = "d"
of = "points"

[[estimate]]
name = "money"
title = "估算"
document = "d"
unit = "万元"
term = [ { factors = ["area", "tax_min"] } ]

[[question]]
name = "kind"
title = "类型"
otherwise = "none"
answers = { low = "低效", none = "非低效" }
means = { low = ["low"], not = ["none"] }

[[question.rule]]
name = "r"
title = "t"
answer = "low"
article = "a"
unless = ["spared"]
all = [
  { measure = "vacant_share", op = ">=", limit = "empty_min", title = "空置" },
  { measure = "tax_per_mu", op = "<", limit = 80, unit = "元/m²", title = "税收" },
  { measure = "place", op = ">", limit = 0.95, unit = "share", title = "末位" },
]

[[question.exception]]
name = "spared"
title = "例外"
article = "a"
all = [ { measure = "registered", op = "=", limit = 1, title = "已登记" } ]

[[question]]
name = "group"
title = "专班"
otherwise = "none"
answers = { a = "甲", none = "无" }
only = { kind = ["low"] }

[[question.rule]]
name = "first"
title = "t"
answer = "a"
article = "a"
all = [ { question = "kind", answers = ["low"], title = "低效" } ]
"""


def faults(text: str, day: dt.date | None = DAY) -> list[str]:
    return [str(fault) for fault in pack_faults(tomllib.loads(text), MEASURES, day)]


def changed(old: str, new: str) -> str:
    assert PACK.count(old) >= 1, old
    return PACK.replace(old, new, 1)


def test_a_good_pack_has_no_faults():
    assert faults(PACK) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        # names
        ('"vacant_share", op', '"vacant_shar", op', ["question kind, rule r, clause 1, measure = 'vacant_shar'", "no such measure", "mean 'vacant_share'"]),
        ('limit = "empty_min"', 'limit = "empty_mn"', ["rule r, clause 1, limit = 'empty_mn'", "no such parameter", "mean 'empty_min'", "Allowed: empty_min, tax_min"]),
        ('unless = ["spared"]', 'unless = ["spare"]', ["rule r, unless = 'spare'", "mean 'spared'"]),
        ('otherwise = "none"', 'otherwise = "nothing"', ["question kind, otherwise = 'nothing'", "Allowed: low, none"]),
        ('answer = "low"', 'answer = "lo"', ["rule r, answer = 'lo'", "mean 'low'"]),
        ('of = "points"', 'of = "point"', ["rank place, of = 'point'", "mean 'points'"]),
        ('only = { kind = ["low"] }', 'only = { kind = ["lo"] }', ["question group, only = 'lo'", "never gives"]),
        ('only = { kind = ["low"] }', 'only = { kinds = ["low"] }', ["question group, only = 'kinds'", "no earlier question"]),
        ('question = "kind", answers', 'question = "group", answers', ["rule first, clause 1, question = 'group'", "no earlier question", "Allowed: kind"]),
        ('factors = ["area", "tax_min"]', 'factors = ["aera", "tax_min"]', ["estimate money, term 1, factors = 'aera'", "mean 'area'"]),
        ('name = "kind"', 'name = "sort"', ["no question named kind", "Allowed: sort, group"]),
        # what the answers mean
        ('means = { low = ["low"], not = ["none"] }\n', "", ["question kind, means: nothing says which answers mean low-efficiency land", 'Add under answers, corrected where it is wrong: means = { low = ["low"], not = ["none"] }']),
        ('low = ["low"], not', 'low = ["lo"], not', ["question kind, means.low = 'lo': it has no title in answers", "mean 'low'", "means = 'low': nothing says what it means"]),
        ('low = ["low"], not = ["none"]', 'low = ["low", "none"], not = ["none"]', ["means = 'none': it stands twice"]),
        ('low = ["low"], not', 'lows = ["low"], not', ["means = 'lows': there is no such meaning", "mean 'low'"]),
        ('low = ["low"], not = ["none"]', 'not = ["none", "low"]', ["means.low: no answer means low-efficiency land"]),
        ('only = { kind = ["low"] }', 'only = { kind = ["low"] }\nmeans = { low = ["a"] }', ["question group, means: only the question kind says"]),
        # keys and kinds of values
        ('title = "自定"\n', "", ["title: it is missing"]),
        ('title = "空置"', 'titel = "空置"', ["rule r, clause 1, titel: there is no such key", "mean 'title'", "clause 1, title: it is missing"]),
        ("value = 0.5", 'value = "half"', ["parameter empty_min, value = 'half': it should be a number"]),
        ("value = 0.5", "value = inf", ["parameter empty_min, value = inf: it is no number between"]),
        ("value = 0.5", "value = nan", ["value = nan"]),
        ("value = 0.5", "value = 1e99", ["value = 1e+99"]),
        ("value = 0.5", "value = true", ["value = True: it should be a number"]),
        ("in_force = 2024-04-17", 'in_force = "2024-04-17"', ["in_force = '2024-04-17': it should be a date such as 2024-04-17 without quotes"]),
        ("in_force = 2024-04-17", "in_force = 2024-04-17T00:00:00", ["it should be a date"]),
        ('op = ">="', 'op = "=>"', ["rule r, clause 1, op = '=>'", "Allowed: <, <=, >, >=, ="]),
        ('title = "类型"', 'title = ""', ["question kind, title = ''", "it is empty"]),
        ('title = "类型"', 'title = "\\u001b[31m"', ["not printable"]),
        # units and dimensions
        ('unit = "share"\ndocument', 'unit = "shares"\ndocument', ["parameter empty_min, unit = 'shares'", "no such unit", "mean 'share'"]),
        ('unit = "元/m²"', 'unit = "元/平米"', ["rule r, clause 2, unit = '元/平米'", "Allowed: 万元/亩, 万元/公顷, 元/m², 亿元/km²"]),
        ('unit = "元/m²"', 'unit = "万元"', ["clause 2, unit = '万元'", "cannot be compared with the measure's 万元/亩"]),
        (', unit = "元/m²"', "", ["clause 2, unit: a number needs its unit; the measure is in 万元/亩"]),
        ('limit = "empty_min"', 'limit = "tax_min"', ["clause 1, limit = 'tax_min'", "its unit 万元/亩 cannot be compared with the measure's share"]),
        ('limit = "empty_min"', 'limit = "empty_min", unit = "%"', ["the parameter empty_min is in share"]),
        ('op = "=", limit = 1', 'op = ">", limit = 1', ["exception spared, clause 1, limit = 1", "yes-or-no"]),
        ('op = "=", limit = 1', 'op = "=", limit = 2', ["limit = 2", "0 or 1"]),
        ('factors = ["area", "tax_min"]', 'factors = ["area"]', ["their units 亩 do not make 万元"]),
        ('base = "tax_min"', 'base = "empty_min"', ["score points, term 1, base = 'empty_min'", "cannot be compared"]),
        # doubles and circles
        ('name = "tax_min"', 'name = "empty_min"', ["parameter empty_min", "defined twice for one place and date"]),
        ('name = "tax_min"', 'name = "area"', ["parameter area", "a measure has this name already"]),
        ('name = "group"', 'name = "kind"', ["question kind, name = 'kind': it is defined twice"]),
        ('name = "spared"', 'name = "r"', ["rule r, name = 'r': it is defined twice"]),
        ('title = "例外"', 'title = "例外"\nunless = ["r"]', ["the exceptions run in a circle: r → spared → r"]),
        ('unless = ["spared"]', 'unless = ["r"]', ["the exceptions run in a circle: r → r"]),
        # dates and places
        ('unit = "万元/亩"\ndocument = "d"\nin_force = 2024-04-17', 'unit = "万元/亩"\ndocument = "d"\nin_force = 2024-01-01\nuntil = 2024-05-01', ["it expired on 2024-05-01, before 2024-06-01"]),
        ('unit = "share"\ndocument = "d"\nin_force = 2024-04-17', 'unit = "share"\ndocument = "d"\nin_force = 2025-01-01', ["clause 1, limit = 'empty_min': it is not in force on 2024-06-01, only from 2025-01-01"]),
        ("value = 0.5", "value = 0.5\nuntil = 2024-04-17", ["until = '2024-04-17': it is not after in_force"]),
        ("value = 0.5", 'value = 0.5\ntown = "120113"', ["town = '120113'", "nine digits"]),
        # shapes
        ('answers = { low = "低效", none = "非低效" }', 'answers = { low = "低效", none = "非低效", open = "x" }', ["answers = 'open'", "kept for"]),
        ('all = [ { measure = "registered", op = "=", limit = 1, title = "已登记" } ]', "all = []", ["exception spared, all: it has no clause"]),
        ('all = [ { measure = "registered", op = "=", limit = 1, title = "已登记" } ]', 'all = "registered = 1"', ["it should be a list"]),
        ('{ measure = "registered", op = "=", limit = 1, title = "已登记" }', '"registered"', ["exception spared, all[1] = 'registered': it should be a table"]),
        ('unless = ["spared"]', 'unless = ["spared", 3]', ["question kind, rule r, unless[2] = 3: it should be a text"]),
        ('{ low = "低效", none = "非低效" }', '{ low = "低效", none = 3 }', ["question kind, answers.none = 3: it should be a text"]),
        # code is only text here
        ('limit = "empty_min"', "limit = \"__import__('os').system('id')\"", ["no such parameter"]),
        ('"vacant_share", op', '"lambda: 1", op', ["no such measure"]),
        ('name = "own"', 'name = "own"\nplugin = "evil"', ["plugin: there is no such key"]),
    ],
)  # fmt: skip
def test_a_fault_is_named(old: str, new: str, words: list[str]):
    found = faults(changed(old, new))
    for word in words:
        assert any(word in text for text in found), found


def test_every_shown_fault_is_there_at_once():
    broken = PACK
    for old, new in (
        ('"vacant_share", op', '"vacancy", op'), ('unit = "元/m²"', 'unit = "万元"'), ('title = "自定"\n', ""),
        ('unless = ["spared"]', 'unless = ["nobody"]'), ('of = "points"', 'of = "nothing"'), ('op = "="', 'op = "=="'),
    ):  # fmt: skip
        assert old in broken
        broken = broken.replace(old, new, 1)
    found = faults(broken)
    for word in ("vacancy", "万元", "title: it is missing", "nobody", "nothing", "'=='"):
        assert sum(word in text for text in found) >= 1, word
    assert len(found) == len(set(found))


def test_what_stands_where_tables_belong_is_a_fault_of_its_place():
    found = faults("question = [1, 2]\nparameter = {}\nscore = [[]]\n")
    for words in (
        "question[1] = 1: it should be a table.",
        "parameter: it should be a list.",
        "score[1] = []: it should be a table.",
    ):
        assert words in found, found


def test_an_expired_parameter_is_no_fault_where_a_newer_entry_holds():
    text = changed(
        '"share"\ndocument = "d"\nin_force = 2024-04-17',
        '"share"\ndocument = "d"\nin_force = 2024-01-01\nuntil = 2024-05-01',
    )
    entry = '\n[[parameter]]\nname = "empty_min"\nvalue = 0.6\nunit = "share"\ndocument = "e"\nin_force = 2024-05-01\nexample = true\n'
    assert any("expired" in fault for fault in faults(text))
    assert faults(text + entry) == []


def test_a_pack_that_is_not_in_force_yet_is_judged_by_its_own_first_day():
    assert faults(PACK, dt.date(2023, 12, 31)) == []


def example(given: str, gives: str) -> str:
    return changed(
        '[[question.exception]]\nname = "spared"',
        f'[[question.rule.example]]\ngiven = {{ {given} }}\ngives = "{gives}"\n\n[[question.exception]]\nname = "spared"',
    )


def own(folder: Path, text: str) -> Path:
    text = text.replace('"stopped"', '"stopped_months"').replace('"area"', '"parcel_area"')
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return folder / "own.toml"


@pytest.mark.parametrize(
    ("given", "gives"),
    [
        ("vacant_share = 0.6, tax_per_mu = 1, place = 1.0, registered = 0", "true"),
        ("vacant_share = 0.6, tax_per_mu = 1, place = 1.0, registered = 1", "false"),
        ("vacant_share = 0.6, tax_per_mu = 1, place = 1.0", "unknown"),
        ("vacant_share = [0.45, 0.7], tax_per_mu = 1, place = 1.0, registered = 0", "unknown"),
        ("vacant_share = [0.45, 0.49], registered = 0", "false"),
        ("vacant_share = 0.6, tax_per_mu = 6, place = 1.0, registered = 0", "false"),
    ],
)
def test_an_example_that_holds_is_no_fault(tmp_path: Path, given: str, gives: str):
    """80 元/m² are 5.33 万元/亩: the limit is compared in the unit of the measure."""
    pack, found = checked(own(tmp_path, example(given, gives)))
    assert [str(fault) for fault in found] == []
    assert pack is not None


def test_an_example_that_does_not_hold_is_a_fault(tmp_path: Path):
    _, found = checked(
        own(tmp_path, example("vacant_share = 0.6, tax_per_mu = 1, place = 1.0, registered = 0", "false"))
    )
    assert [str(fault) for fault in found] == [
        "question kind, rule r, example 1, gives = 'false': the rule gives true, not false."
    ]


def test_an_example_of_a_measure_that_no_clause_asks_for_is_a_fault():
    assert any(
        "given.stopped: no clause asks for it" in text for text in faults(example("stopped = 3", "unknown"))
    )
    assert any(
        "the band ends below its start" in text
        for text in faults(example("vacant_share = [0.7, 0.2]", "true"))
    )


@pytest.mark.parametrize("name", ["rules.yaml", "rules.YML", "rules.json", "rules.py"])
def test_other_formats_are_not_read(tmp_path: Path, name: str):
    (tmp_path / name).write_text("!!python/object/apply:os.system ['touch hacked']", encoding="utf-8")
    with pytest.raises(DefinitionError, match="TOML"):
        pack_path(name, tmp_path)
    assert not Path("hacked").exists()


@pytest.mark.parametrize(
    "hostile",
    [
        "a = " + "[" * 20_000,
        "a" + ".a" * 20_000 + " = 1",
        "x = " + "9" * 4_000,
        "name = 'a'\nname = 'b'",
        "!!python/object/apply:os.system ['id']",
        "[[question]]\nname = 1\nrule = 3\nanswers = 5\nonly = [1]\n[[parameter]]\nname = []\n",
        "question = [1, 2]\nparameter = {}\nscore = [[]]\n",
        "[[question]]\n" * 5_000,
    ],
    ids=[
        "deep list",
        "deep key",
        "huge number",
        "double key",
        "yaml",
        "wrong kinds",
        "wrong lists",
        "many tables",
    ],
)
def test_a_hostile_file_is_refused_soon_and_with_little_memory(tmp_path: Path, hostile: str):
    (tmp_path / "own.toml").write_text(hostile, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "lowland_gis", "rules", "check", str(tmp_path / "own.toml")],
        capture_output=True, text=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (20, 20)),
    )  # fmt: skip
    assert done.returncode == 6, done.stderr
    assert "Traceback" not in done.stderr
    assert "own.toml" in done.stderr


def test_policy_tools_name_answers_of_the_kind():
    good = '\n[policy]\ndocument = "d"\n[policy.tools]\nlow = ["自主开发"]\n'
    assert faults(PACK + good) == []
    (said,) = faults(PACK + good.replace("low =", "lwo ="))
    assert said.startswith("policy, tools.lwo: the question kind never gives this answer. Allowed: low, none")
    said = faults(PACK + good.replace("document", "documnt").replace('["自主开发"]', '"自主开发"'))
    assert any("policy, documnt: there is no such key. Did you mean 'document'?" in line for line in said)
    assert any("tools.low = '自主开发': it should be a list" in line for line in said)


def test_a_pack_whose_limits_are_numbers_needs_no_parameters():
    content = tomllib.loads(PACK)
    for part in ("parameter", "score", "rank", "estimate"):
        del content[part]
    kind = content["question"][0]
    kind["rule"][0]["all"] = [kind["rule"][0]["all"][1]]
    content["question"] = [kind]
    assert list(map(str, pack_faults(content, MEASURES, DAY))) == []
