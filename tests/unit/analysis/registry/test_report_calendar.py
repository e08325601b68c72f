"""When reports are due: working days, days off and worked, months that are covered, and what does not fit together."""

import datetime as dt
from itertools import pairwise

import pytest

from lowland_gis.analysis.registry.report_calendar import (
    calendar_faults,
    occasion_around,
    occasion_of,
    occasions,
)
from lowland_gis.definitions.own import own_definitions, using
from lowland_gis.definitions.reports import report_calendar
from lowland_gis.definitions.take_up import take_up
from lowland_gis.errors import DefinitionError

DAY = dt.date


@pytest.fixture
def shipped():
    return report_calendar()


def test_the_calendar_of_a_year(shipped):
    found = [
        (each.report, each.period, each.due)
        for each in occasions(shipped, DAY(2026, 1, 1), DAY(2026, 12, 31))
    ]
    assert found == [
        ("bulletin", "2026-01", DAY(2026, 1, 30)),  # the 31st is a Saturday
        ("bulletin", "2026-03", DAY(2026, 3, 31)),
        ("update", "2026", DAY(2026, 3, 31)),
        ("bulletin", "2026-05", DAY(2026, 5, 29)),
        ("midyear", "2026", DAY(2026, 6, 30)),
        ("bulletin", "2026-07", DAY(2026, 7, 31)),
        ("bulletin", "2026-09", DAY(2026, 9, 30)),
        ("bulletin", "2026-11", DAY(2026, 11, 30)),
        ("annual", "2026", DAY(2026, 11, 30)),
    ]
    once = {
        each.period: each.due
        for each in occasions(shipped, DAY(2024, 1, 1), DAY(2028, 1, 1))
        if "-" not in each.period and not each.period.isdigit()
    }
    assert once == {"cases": DAY(2024, 6, 28), "midterm": DAY(2025, 9, 30), "final": DAY(2027, 6, 30)}


def test_periods_follow_each_other_without_a_gap(shipped):
    for name in ("bulletin", "annual"):
        own = [each for each in occasions(shipped, DAY(2025, 1, 1), DAY(2028, 12, 31)) if each.report == name]
        for one, after in pairwise(own):
            assert after.first - one.last == dt.timedelta(days=1)
        assert occasion_around(shipped, name, own[2].first) == own[2]
        assert occasion_around(shipped, name, own[2].last) == own[2]


def test_only_periods_of_the_calendar_are_found(shipped):
    assert occasion_of(shipped, "bulletin", "2026-11").last == DAY(2026, 11, 30)
    for report, period in (
        ("bulletin", "2026-10"),
        ("bulletin", "2026"),
        ("annual", "x"),
        ("final", "2027"),
        ("no", "2026"),
        ("annual", "²026"),
        ("annual", "9999"),
    ):
        assert occasion_of(shipped, report, period) is None, period


def test_days_off_and_worked_in_their_place(shipped):
    assert not shipped.is_working(DAY(2025, 10, 8))  # a Wednesday of the holiday
    assert shipped.is_working(DAY(2025, 10, 11))  # a Saturday that is worked
    assert not shipped.is_working(DAY(2026, 10, 11))  # a Sunday
    assert shipped.working_days_until(DAY(2025, 9, 30), DAY(2025, 10, 11)) == 3
    assert shipped.working_days_until(DAY(2025, 10, 11), DAY(2025, 9, 30)) == -3
    after = shipped.model_copy(update={"working": shipped.working.model_copy(update={"closed": "after"})})
    assert after.working_day(DAY(2025, 10, 1)) == DAY(2025, 10, 9)
    assert shipped.working_day(DAY(2025, 10, 1)) == DAY(2025, 9, 30)


def test_every_legal_day_names_its_document(shipped):
    assert all(term.document and term.date for term in shipped.report.values())
    assert [year.year for year in shipped.year] == [2024, 2025, 2026]
    assert all("国办发明电" in year.document for year in shipped.year)
    assert shipped.working.example
    assert list(calendar_faults(shipped)) == []


def own(folder, text):
    (folder / "definitions").mkdir()
    (folder / "definitions" / "reports.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_project_adds_a_year_and_changes_a_report(tmp_path):
    text = (
        '[[year]]\nyear = 2027\ndocument = "d"\ndate = 2026-11-01\noff = [["2027-01-29", "2027-01-29"]]\n'
        '[report.bulletin]\ntitle = "月报"\nrecipient = "局"\nmonths = [1, 2]\ncovers = 1\nmade_by = "bulletin"\ndocument = "d"\ndate = 2026-01-01\n'
    )
    with using(own_definitions(own(tmp_path, text))):
        found = report_calendar()
    assert found.announced(2027)
    assert found.announced(2026)
    assert [(each.period, each.due) for each in occasions(found, DAY(2027, 1, 1), DAY(2027, 2, 28))] == [
        ("2027-01", DAY(2027, 1, 28)),
        ("2027-02", DAY(2027, 2, 26)),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[working]\nclosed = 'never'\n", "closed"),
        ("[workings]\nahead = 1\n", "Did you mean 'working'?"),
        ('[report.x]\ntitle = "t"\nrecipient = "r"\ncovers = 1\nmade_by = ""\ndocument = "d"\ndate = 2026-01-01\n', "there must be months, or else a day"),
        ('[report.x]\ntitle = "t"\nrecipient = "r"\nmonths = [13]\ncovers = 1\ndocument = "d"\ndate = 2026-01-01\n', "different numbers from 1 to 12"),
        ('[[year]]\nyear = 2027\ndocument = "d"\ndate = 2026-11-01\noff = [["2026-01-01", "2026-01-02"]]\n', "no days of that year"),
        ('[[year]]\nyear = 2027\ndocument = "d"\ndate = 2026-11-01\noff = []\nworked = ["2027-01-04"]\n', "no day of a weekend"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(tmp_path, text, said):
    with pytest.raises(DefinitionError, match="reports.toml") as refused:
        take_up(own(tmp_path, text))
    assert said in str(refused.value)
