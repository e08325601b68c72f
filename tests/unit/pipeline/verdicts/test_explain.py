"""How a clause reads on the screen."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from lowland_gis.cli.explanation import _against, _clauses, _Notes
from lowland_gis.pipeline.verdicts.clause_words import measured_words
from lowland_gis.pipeline.verdicts.explain import ClauseLine, RuleLine


def line(value, limit, unit, op=">=", **others):
    given = {
        "title": "主导", "outcome": "false", "condition": "m", "measure": "m", "measure_title": "占比", "value": value, "low": None,
        "high": None, "unit": unit, "op": op, "limit": limit, "answer": None, "source": "三调地类图斑 2019-12-31", "detail": None,
        "notes": (), "paper": None, "document": None, "in_force": None, "example": False, "needed": None, "office": None,
    }  # fmt: skip
    return ClauseLine(**(given | others))


def said(clause):
    return measured_words(clause) + _against(clause)


def shown(*clauses, width=14, columns=140):
    out = Console(file=io.StringIO(), width=columns, no_color=True)
    out.print(_clauses(RuleLine("r", "t", "a", "甲", "x", "false", (), clauses), _Notes(), width))
    return out.file.getvalue()


@pytest.mark.parametrize(
    ("value", "limit", "unit", "text"),
    [
        (1.0, 0.5, "share", "100%，要求 ≥ 50%"),
        (0.49999, 0.5, "share", "49.999%，要求 ≥ 50%"),
        (0.5, 0.5, "share", "50%，要求 ≥ 50%"),
        (1990.4, 1990, "calendar year", "1990.4 年，要求 ≥ 1990.0 年"),
        (1978.0, 1990, "calendar year", "1978 年，要求 ≥ 1990 年"),
        (2.0, 3, "year", "2 年，要求 ≥ 3 年"),
        (4.999, 5, "万元/亩", "4.999 万元/亩，要求 ≥ 5 万元/亩"),
        (1200.0, 100, "万元/亩", "1,200 万元/亩，要求 ≥ 100 万元/亩"),
        (0.0, 1, "yes/no", "占比：否，须为是"),
    ],
)
def test_a_value_never_reads_as_its_limit(value, limit, unit, text):
    assert said(line(value, limit, unit)) == text


def test_a_band_is_told_beside_its_value():
    assert said(line(0.6, 0.5, "share", low=0.48, high=0.7)) == "60%（48–70%），要求 ≥ 50%"


def test_an_unknown_clause_names_paper_and_office():
    text = shown(
        line(None, 1, "yes/no", op="=", outcome="unknown", source=None, needed="消防意见", office="区住建委")
    )
    assert "?" in text
    assert "未知" in text
    assert "需 消防意见（区住建委）" in text


def test_one_line_a_clause_with_sign_value_limit_source_and_classes():
    text = shown(line(0.92, 0.5, "share", outcome="true", detail="203村庄 92%"))
    assert len(text.strip().splitlines()) == 1
    for part in ("✔", "主导", "92%", "≥ 50%", "三调地类图斑 2019-12-31", "203村庄 92%"):
        assert part in text


def test_a_name_with_brackets_is_no_markup():
    assert "[red]" in shown(line(1.0, 0.5, "share", title="[red]主导"))


def test_notes_are_numbered_once():
    notes = _Notes()
    first = line(0.9, 0.5, "share", document="文一", notes=("村庄为轮廓",))
    assert notes.mark(first) == " ① ②"
    assert notes.mark(line(0.8, 0.5, "share", document="文一")) == " ①"
    out = Console(file=io.StringIO(), width=60)
    out.print(notes.table())
    assert [line.split() for line in out.file.getvalue().splitlines()] == [
        ["①", "≥", "50%：文一"],
        ["②", "村庄为轮廓"],
    ]


def test_a_narrow_terminal_has_the_source_below_and_loses_nothing():
    clause = line(
        0.92,
        0.5,
        "share",
        outcome="true",
        title="二调为建设用地",
        detail="203村庄 92%",
        source="二调地类图斑 2009-12-31 v4、v5",
    )
    text = shown(clause, width=0, columns=60)
    first, second = text.strip("\n").splitlines()
    assert first.strip() == "✔ 二调为建设用地  92%  ≥ 50%"
    assert second.strip() == "二调地类图斑 2009-12-31；203村庄 92%"
    assert all(cell_len(row) <= 60 for row in (first, second))
