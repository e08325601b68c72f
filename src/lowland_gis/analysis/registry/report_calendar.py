"""When reports are due (报告日历): occasions of each report, on working days, as `reports.toml` gives them."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.analysis.rules.faults import Fault

_SATURDAY = 5
MONTHS = 12
# A month far enough away that no list of off days reaches over it.
_FARTHEST = 60


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Term(_Frozen):
    """A report: when it is due, how many months it covers, and the command that makes it."""

    title: str = Field(min_length=1)
    recipient: str
    document: str = Field(min_length=1)
    date: dt.date
    covers: int = Field(ge=0, le=240)
    made_by: Literal["bulletin", "midyear", "annual", "evaluation", "update", ""] = ""
    months: tuple[int, ...] = ()
    day: int | None = Field(default=None, ge=1, le=28)
    once: dt.date | None = None
    period: str = ""
    how: str = ""
    example: bool = False


class Working(_Frozen):
    """How working days count."""

    closed: Literal["before", "after", "stays"] = "before"
    ahead: int = Field(default=10, ge=0, le=60)
    document: str
    date: dt.date
    example: bool = False


class Year(_Frozen):
    """The days off of a year (`off`, from and to), and the days of weekends that are worked (`worked`)."""

    year: int = Field(ge=2000, le=2100)
    document: str = Field(min_length=1)
    date: dt.date
    off: tuple[tuple[dt.date, dt.date], ...]
    worked: tuple[dt.date, ...] = ()
    example: bool = False


class Calendar(_Frozen):
    """The reports with their days, and the working days."""

    report: dict[str, Term]
    working: Working
    year: tuple[Year, ...] = ()

    @cached_property
    def days_off(self) -> frozenset[dt.date]:
        """Return every announced day off."""
        return frozenset(
            first + dt.timedelta(days=number)
            for year in self.year
            for first, last in year.off
            for number in range((last - first).days + 1)
        )

    @cached_property
    def days_worked(self) -> frozenset[dt.date]:
        """Return every day of a weekend that is worked."""
        return frozenset(day for year in self.year for day in year.worked)

    def announced(self, year: int) -> bool:
        """Return whether the days off of a year are known."""
        return any(each.year == year for each in self.year)

    def is_working(self, day: dt.date) -> bool:
        """Return whether a day is worked."""
        return day in self.days_worked or (day.weekday() < _SATURDAY and day not in self.days_off)

    def working_day(self, day: dt.date) -> dt.date:
        """Return the day to which a due day goes where it is no working day."""
        step = {"before": -1, "after": 1, "stays": 0}[self.working.closed]
        for _ in range(_FARTHEST):
            if step == 0 or self.is_working(day):
                break
            day += dt.timedelta(days=step)
        return day

    def working_days_until(self, first: dt.date, last: dt.date) -> int:
        """Return how many working days lie after `first` up to `last`; below 0 where `last` is past."""
        if last < first:
            return -self.working_days_until(last, first)
        return sum(self.is_working(first + dt.timedelta(days=n)) for n in range(1, (last - first).days + 1))


ADAPTER = TypeAdapter(Calendar)


@dataclass(frozen=True)
class Occasion:
    """One report that is to be made: its name and period, the days that it covers, and the working day on which it is due."""

    report: str
    period: str
    title: str
    recipient: str
    first: dt.date
    last: dt.date
    due: dt.date
    made_by: str
    how: str
    document: str

    @property
    def said_period(self) -> str:
        """Return the period in words.

        >>> import datetime as dt
        >>> Occasion("annual", "2026", "", "", dt.date(2026, 1, 1), dt.date(2026, 11, 30), dt.date(2026, 11, 30), "", "", "").said_period
        '2026年1月1日至2026年11月30日'
        """
        return "至".join(f"{day.year}年{day.month}月{day.day}日" for day in (self.first, self.last))


def occasions(found: Calendar, first: dt.date, last: dt.date) -> list[Occasion]:
    """Return what is due from a day to a day, in the order of the days."""
    made = [
        occasion
        for name, term in found.report.items()
        for occasion in _of_term(found, name, term, range(first.year - 1, last.year + 2))
        if first <= occasion.due <= last
    ]
    return sorted(made, key=lambda each: (each.due, list(found.report).index(each.report)))


def occasion_of(found: Calendar, name: str, period: str) -> Occasion | None:
    """Return a report of a period (2026-11, 2026, midterm); None where there is none of it."""
    term = found.report.get(name)
    if term is None:
        return None
    years = range(0)
    if term.once is None:
        if not period[:4].isascii() or not period[:4].isdigit():
            return None
        years = range(int(period[:4]), int(period[:4]) + 1)
    return next((each for each in _of_term(found, name, term, years) if each.period == period), None)


def occasion_around(found: Calendar, name: str, day: dt.date) -> Occasion:
    """Return the report of the period in which a day lies, or of the one that comes next.

    Raises:
        ValueError: no period of the report ends on or after the day.
    """
    term = found.report[name]
    for each in _of_term(found, name, term, range(day.year, day.year + 2)):
        if each.last >= day:
            return each
    raise ValueError(name)


def _of_term(found: Calendar, name: str, term: Term, years: Sequence[int] | range) -> Iterator[Occasion]:
    if term.once is not None:
        yield _occasion(found, name, term, term.once, term.period or name)
        return
    for year in years:
        if dt.MINYEAR < year < dt.MAXYEAR:
            for month in sorted(term.months):
                last = dt.date(year, month, term.day or calendar.monthrange(year, month)[1])
                yield _occasion(
                    found, name, term, last, f"{year}-{month:02}" if len(term.months) > 1 else f"{year}"
                )


def _occasion(found: Calendar, name: str, term: Term, last: dt.date, period: str) -> Occasion:
    begins = last.month - term.covers if term.covers else 0
    first = dt.date(last.year + begins // MONTHS, begins % MONTHS + 1, 1)
    return Occasion(
        name, period, term.title, term.recipient, first, last, found.working_day(last), term.made_by, term.how, term.document
    )  # fmt: skip


def calendar_faults(found: Calendar) -> Iterator[Fault]:
    """Yield what does not fit together: a report without a day, days of another year, a year twice, worked days that are off."""
    for name, term in found.report.items():
        if bool(term.months) == (term.once is not None):
            yield Fault(
                f"report.{name}", "months", list(term.months), "there must be months, or else a day `once`"
            )
        if any(not 1 <= month <= MONTHS for month in term.months) or len(set(term.months)) != len(
            term.months
        ):
            yield Fault(
                f"report.{name}", "months", list(term.months), "they are different numbers from 1 to 12"
            )
    years = [each.year for each in found.year]
    for year in sorted({year for year in years if years.count(year) > 1}):
        yield Fault("year", "year", year, "it stands there twice")
    for each in found.year:
        where = f"year {each.year}"
        for first, last in each.off:
            if first > last or {first.year, last.year} != {each.year}:
                yield Fault(
                    where, "off", f"{first} to {last}", "these are no days of that year in their order"
                )
        for day in each.worked:
            if day.year != each.year or day.weekday() < _SATURDAY or day in found.days_off:
                yield Fault(
                    where, "worked", str(day), "it is no day of a weekend of that year that is worked"
                )
