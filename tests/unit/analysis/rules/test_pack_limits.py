"""A hostile rule pack is refused by its size and its entanglement, before anything runs through it."""

from __future__ import annotations

import datetime as dt
import tomllib

import pytest

from lowland_gis.analysis.rules import pack_limits
from lowland_gis.analysis.rules.pack_faults import MAX_FAULTS, pack_faults
from lowland_gis.analysis.rules.pack_limits import day_faults, size_faults
from lowland_gis.definitions.measure import measure_units
from lowland_gis.definitions.reading import FOLDER, shipped
from lowland_gis.definitions.rule_pack import checked

HEAD = 'name = "p"\ntitle = "p"\ndocument = "d"\nin_force = 2020-01-01\nexample = true\n'
PARAMETER = '[[parameter]]\nname = "p0"\nvalue = 0.1\nunit = "share"\ndocument = "d"\nin_force = {start}\nexample = true\n'
QUESTION = '[[question]]\nname = "kind"\ntitle = "t"\notherwise = "none"\nanswers = { low = "l", none = "n" }\nmeans = { low = ["low"], not = ["none"] }\n'
CLAUSE = '{ measure = "vacant_share", op = ">", limit = "p0", title = "x" }'


def part(kind: str, name: str, unless: list[str], clauses: int = 1, examples: int = 0) -> str:
    answer = 'answer = "low"\n' if kind == "rule" else ""
    names = ", ".join(f'"{other}"' for other in unless)
    return (
        f'[[question.{kind}]]\nname = "{name}"\ntitle = "t"\n{answer}article = "a"\nunless = [{names}]\n'
        f"all = [{', '.join([CLAUSE] * clauses)}]\n"
        + f'[[question.{kind}.example]]\ngiven = {{ vacant_share = 0.5 }}\ngives = "true"\n'
        * examples
    )


def pack(*parts: str, start: str = "2020-01-01") -> str:
    return HEAD + PARAMETER.format(start=start) + QUESTION + "".join(parts)


def exceptions(count: int, unless) -> list[str]:
    return [part("exception", f"e{n}", unless(n)) for n in range(count)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # Each exception asks the next one twice: 2 to the 40th.
        (pack(part("rule", "r", ["e0"]), *exceptions(41, lambda n: [f"e{n + 1}"] * 2 if n < 40 else [])),
         "question kind, rule r, unless: its exceptions and theirs are asked more than 500 times"),
        # All ways through 25 exceptions that name each other.
        (pack(part("rule", "r", ["e0"]), *exceptions(25, lambda _: [f"e{n}" for n in range(25)])), "asked more than 500 times"),
        (pack(*(part("rule", f"r{n}", []) for n in range(301))), "it has 301 rules and exceptions; 300 are read"),
        (pack(part("rule", "r", [], clauses=90, examples=50)), "all examples together ask 4,500 clauses; 4,000 are run"),
        (HEAD + f"x = [{'1, ' * 30_001}]", "more than 30,000 values"),
    ],
)  # fmt: skip
def test_a_pack_that_would_take_hours_is_refused_at_once(text, words):
    found = pack_faults(tomllib.loads(text), measure_units())
    assert words in str(found[0])
    assert all("asked" in str(fault) or fault == found[0] for fault in found)


def test_exceptions_that_run_through_each_other_are_named_as_circles():
    """Few enough to be looked at, so the fault is the circle and not the size."""
    found = pack_faults(
        tomllib.loads(pack(part("rule", "r", ["e0"]), *exceptions(4, lambda _: ["e0", "e1"]))),
        measure_units(),
    )
    assert any("run in a circle: e0 → e0" in str(fault) for fault in found)


def test_a_thousand_faults_are_two_hundred_and_a_word():
    text = (
        HEAD + "".join(f"k{n} = 1\n" for n in range(1_000)) + PARAMETER.format(start="2020-01-01") + QUESTION
    )
    found = pack_faults(tomllib.loads(text), measure_units())
    assert len(found) == MAX_FAULTS + 1
    assert "there are more faults" in str(found[-1])


@pytest.mark.parametrize("name", shipped("rules"))
def test_shipped_packs_are_far_below_the_limits(name, monkeypatch):
    content = tomllib.loads((FOLDER / "rules" / f"{name}.toml").read_text(encoding="utf-8"))
    for limit in ("MAX_VALUES", "MAX_PARTS", "MAX_WAYS", "MAX_ASKED"):
        monkeypatch.setattr(pack_limits, limit, getattr(pack_limits, limit) // 4)
    assert list(size_faults(content)) == []


@pytest.mark.parametrize(
    ("text", "day", "words"),
    [
        (pack(), dt.date(2020, 1, 1), None),
        (pack(), dt.date(2019, 12, 31), "in_force = '2020-01-01': nothing of the pack is in force on 2019-12-31"),
        (pack(start="2030-01-01"), dt.date(2026, 1, 1), "parameter: not one of 1 entries is in force on 2026-01-01"),
        (pack(start="2020-01-01\nuntil = 2021-01-01"), dt.date(2021, 1, 1), "not one of 1 entries is in force on 2021-01-01"),
        (pack(start="2020-01-01\nuntil = 2021-01-01"), dt.date(2020, 12, 31), None),
    ],
)  # fmt: skip
def test_a_pack_in_which_nothing_is_in_force(text, day, words):
    found = [str(fault) for fault in day_faults(tomllib.loads(text), day)]
    assert found == [] if words is None else words in found[0]


def test_rules_check_asks_for_its_day_and_classify_takes_the_first_day_of_a_later_pack(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(pack(part("rule", "r", [])), encoding="utf-8")
    early = dt.date(2019, 6, 1)
    assert checked(file, early)[1] == []
    assert "nothing of the pack is in force" in str(checked(file, early, in_force_then=True)[1][0])
    assert checked(file, dt.date(2020, 6, 1), in_force_then=True)[1] == []
