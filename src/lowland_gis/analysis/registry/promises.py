"""Promises of firms (承诺): what a contract says, and what of it is met, breached, due, unknown or not yet due by the figures that came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# 已兑现, 未兑现, 到期待核 (the figures of then have not been delivered), 资料不足 (they have, and do not say it), 未到期.
MET, BREACHED, DUE, UNKNOWN, NOT_DUE = "met", "breached", "due", "unknown", "not_due"
STATUS = {MET: "已兑现", BREACHED: "未兑现", DUE: "到期待核", UNKNOWN: "资料不足", NOT_DUE: "未到期"}
INVESTMENT, TAX, OUTPUT, START, END = "investment", "tax", "output", "start", "end"
ITEMS = {INVESTMENT: "投资", TAX: "税收", OUTPUT: "产出", START: "动工", END: "竣工"}

Pair = tuple[str, str]


@dataclass(frozen=True)
class Promise:
    """What a contract promises: firms and parcels as pairs, sums in 万元, days. What it does not promise is None.

    Tax and output hold for each whole year from `from_year` on; the investment is to be made by `invest_by`.
    """

    contract: str
    signed_on: dt.date
    pairs: tuple[Pair, ...]
    investment_wan: float | None = None
    invest_by: dt.date | None = None
    tax_wan: float | None = None
    output_wan: float | None = None
    from_year: int | None = None
    start_on: dt.date | None = None
    end_on: dt.date | None = None

    @property
    def firms(self) -> tuple[str, ...]:
        """Return the firms, each once."""
        return tuple(dict.fromkeys(firm for firm, _ in self.pairs))

    @property
    def parcels(self) -> tuple[str, ...]:
        """Return the parcels, each once."""
        return tuple(dict.fromkeys(parcel for _, parcel in self.pairs))

    @property
    def first_year(self) -> int | None:
        """Return the first year of tax and output: the one that is named, else the first whole one after the completion.

        >>> Promise("1", dt.date(2020, 1, 1), (), end_on=dt.date(2021, 6, 30)).first_year
        2022
        """
        if self.from_year is not None or self.end_on is None:
            return self.from_year
        return self.end_on.year if (self.end_on.month, self.end_on.day) == (1, 1) else self.end_on.year + 1

    def as_json(self) -> dict[str, Any]:
        """Return it as an event of the registry keeps it."""
        plain = {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in vars(self).items()
        }
        return {**plain, "pairs": [list(pair) for pair in self.pairs]}


def promise_of(content: Mapping[str, Any]) -> Promise:
    """Return a promise as an event of the registry kept it.

    >>> promise_of(Promise("1", dt.date(2020, 1, 1), (("f", "p"),), start_on=dt.date(2021, 1, 1)).as_json()).start_on
    datetime.date(2021, 1, 1)
    """
    days = {
        name: dt.date.fromisoformat(content[name])
        for name in ("signed_on", "invest_by", "start_on", "end_on")
        if content[name] is not None
    }
    pairs = tuple((firm, parcel) for firm, parcel in content["pairs"])
    return Promise(**{**content, **days, "pairs": pairs})


@dataclass(frozen=True)
class Figures:
    """What was delivered of firms: the years of the tables; by firm and year the figures of each of its parcels, and its totals.

    `parcels` has the parcels that a firm reported in a year with their tax, output and investment (万元), `totals` those of all its parcels.
    """

    years: frozenset[int]
    parcels: Mapping[tuple[str, int], Mapping[str, Mapping[str, float | None]]]
    totals: Mapping[tuple[str, int], Mapping[str, float | None]]


@dataclass(frozen=True)
class Works:
    """What the records of supplied land say of parcels: when works began and were finished; a parcel without a record is not in it."""

    as_of: dt.date | None
    started: Mapping[str, dt.date | None] = field(default_factory=dict)
    finished: Mapping[str, dt.date | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """One thing that was promised: due on a day, with what was promised and what is known (万元, or a day), and how it stands."""

    contract: str
    item: str
    year: int | None
    due: dt.date
    promised: str
    actual: str
    status: str
    words: str = ""


def items(promise: Promise, figures: Figures, works: Works, day: dt.date) -> list[Item]:
    """Return everything that a contract promises and how it stands on a day, by the day on which it is due."""
    found = [
        *_investment(promise, figures, day), *_yearly(promise, figures, day, TAX, promise.tax_wan),
        *_yearly(promise, figures, day, OUTPUT, promise.output_wan),
        *_day(promise, works.started, works, day, START, promise.start_on),
        *_day(promise, works.finished, works, day, END, promise.end_on),
    ]  # fmt: skip
    return sorted(found, key=lambda item: (item.due, list(ITEMS).index(item.item)))


def known_sum(promise: Promise, figures: Figures, year: int, what: str) -> tuple[float, str]:
    """Return what the firms of a contract had of something on its parcels in a year, at least, and why that is not all (no letter: it is all).

    The total of a firm is taken where all parcels that it reported are of the contract, else the sum over those of its parcels that are.
    """
    total, missing = 0.0, []
    for firm in promise.firms:
        own = [parcel for each, parcel in promise.pairs if each == firm]
        reported = figures.parcels.get((firm, year), {})
        whole = figures.totals.get((firm, year), {}).get(what)
        if not reported:
            missing.append(f"{firm} is not in the table of {year}")
        elif whole is not None and set(reported) <= set(own):
            total += whole
        else:
            values = [reported.get(parcel, {}).get(what) for parcel in own]
            total += sum(value for value in values if value is not None)
            lacking = [parcel for parcel, value in zip(own, values, strict=True) if value is None]
            missing += [f"no figure of {firm} on {parcel} in {year}" for parcel in lacking]
    return total, "; ".join(missing)


def _yearly(
    promise: Promise, figures: Figures, day: dt.date, what: str, wanted: float | None
) -> Iterator[Item]:
    """Yield one item for each whole year that has come, and the first one that has not."""
    first = promise.first_year
    if wanted is None or first is None:
        return
    # The year of the day is not over: it is the one that is not yet due.
    for year in range(first, max(first, day.year) + 1):
        due = dt.date(year, 12, 31)
        status, actual, words = _judged(promise, figures, year, what, wanted, is_due=due <= day)
        yield Item(promise.contract, what, year, due, f"{wanted:,.2f}", actual, status, words)


def _judged(
    promise: Promise, figures: Figures, year: int, what: str, wanted: float, *, is_due: bool
) -> tuple[str, str, str]:  # fmt: skip
    if year not in figures.years:
        return (DUE if is_due else NOT_DUE), "", f"no table of {year} was delivered" if is_due else ""
    known, missing = known_sum(promise, figures, year, what)
    if known >= wanted:
        return MET, f"{known:,.2f}", ""
    if missing:
        return (UNKNOWN if is_due else NOT_DUE), "", missing if is_due else ""
    return (BREACHED if is_due else NOT_DUE), f"{known:,.2f}", ""


def _investment(promise: Promise, figures: Figures, day: dt.date) -> Iterator[Item]:
    """Yield the investment: the tables say what is invested by the end of their year, so a day within a year lies between two of them."""
    wanted, due = promise.investment_wan, promise.invest_by or promise.end_on
    if wanted is None or due is None:
        return
    whole = (due.month, due.day) == (12, 31)
    for year in sorted(year for year in figures.years if year < due.year or (whole and year == due.year)):
        known, _ = known_sum(promise, figures, year, INVESTMENT)
        if known >= wanted:
            yield Item(promise.contract, INVESTMENT, None, due, f"{wanted:,.2f}", f"{known:,.2f}", MET)
            return
    status, actual, words = _judged(promise, figures, due.year, INVESTMENT, wanted, is_due=due <= day)
    if status == MET and not whole:
        status, words = (UNKNOWN if due <= day else NOT_DUE), f"it was reached within {due.year}; whether by {due} no table says"  # fmt: skip
    yield Item(promise.contract, INVESTMENT, None, due, f"{wanted:,.2f}", actual, status, words)


def _day(
    promise: Promise,
    days: Mapping[str, dt.date | None],
    works: Works,
    day: dt.date,
    what: str,
    due: dt.date | None,
) -> Iterator[Item]:
    """Yield the beginning or the end of works: begun with the first parcel, finished with the last one."""
    if due is None:
        return
    there = [days[parcel] for parcel in promise.parcels if parcel in days]
    happened = [each for each in there if each is not None and each <= day]
    every = len(there) == len(promise.parcels)
    done = min(happened, default=None) if what == START else None
    if what == END and every and len(happened) == len(there):
        done = max(happened, default=None)
    actual = "" if done is None else done.isoformat()
    status, words = _of_day(done, due, day, works.as_of, every=every)
    yield Item(promise.contract, what, None, due, due.isoformat(), actual, status, words)


def _of_day(
    done: dt.date | None, due: dt.date, day: dt.date, as_of: dt.date | None, *, every: bool
) -> tuple[str, str]:
    if done is not None:
        late = (done - due).days
        return (MET, "") if late <= 0 else (BREACHED, f"{late} days late")
    if due > day:
        return NOT_DUE, ""
    if not every:
        return UNKNOWN, "no record of supplied land says it of every parcel"
    if as_of is not None and as_of < due:
        return DUE, f"the records of supplied land are of {as_of}"
    return BREACHED, f"not by {as_of or day}"


def contracts_of(
    rows: Sequence[Mapping[str, Any]],
) -> tuple[list[tuple[Promise, int]], list[tuple[int, str, str]]]:
    """Return the contracts of a table with the place of their first row, and faults: place, column, words.

    Rows of one contract are its firms and parcels; what it promises stands in its first row, and the same or nothing in the others.
    """
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row["HTBH"]:
            groups.setdefault(row["HTBH"], []).append(place)
    found, faults = [], []
    for contract, places in groups.items():
        first = rows[places[0]]
        for place in places[1:]:
            faults += [
                (place, name, f"the contract {contract} has another {name} in its first row ({first[name]})")
                for name in _SAID
                if rows[place][name] is not None and rows[place][name] != first[name]
            ]
        pairs = [(rows[place]["TYSHXYDM"], rows[place]["ZDDM"]) for place in places]
        faults += [
            (place, "ZDDM", f"the contract {contract} names this firm and parcel twice")
            for order, place in enumerate(places)
            if pairs[order] in pairs[:order]
        ]
        promise = Promise(contract, first["HTQDRQ"], tuple(dict.fromkeys(pairs)), *(first[name] for name in _SAID[1:]))  # fmt: skip
        faults += [(places[0], name, words) for name, words in _of_promise(promise)]
        found.append((promise, places[0]))
    return found, faults


# In the order of the fields of a promise.
_SAID = ("HTQDRQ", "CNTZ", "TZQX", "CNSS", "CNCC", "QSNF", "YDJDSJ", "YDDGSJ")


def _of_promise(promise: Promise) -> Iterator[tuple[str, str]]:
    sums = {"CNTZ": promise.investment_wan, "CNSS": promise.tax_wan, "CNCC": promise.output_wan}
    if all(value is None for value in (*sums.values(), promise.start_on, promise.end_on)):
        yield "HTBH", "the contract promises nothing: investment, tax, output, beginning and end are empty"
    for name, value in sums.items():
        if value is not None and value <= 0:
            yield name, f"{value:g} is nothing to be promised"
    if promise.investment_wan is not None and promise.invest_by is None and promise.end_on is None:
        yield "TZQX", "an investment needs its day: TZQX or YDDGSJ"
    if (promise.tax_wan is not None or promise.output_wan is not None) and promise.first_year is None:
        yield "QSNF", "tax and output need the year from which they hold: QSNF or YDDGSJ"
    if promise.start_on and promise.end_on and promise.end_on < promise.start_on:
        yield "YDDGSJ", f"the end ({promise.end_on}) lies before the beginning ({promise.start_on})"
