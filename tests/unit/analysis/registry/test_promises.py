"""How promises stand: met, breached, due, unknown, not yet due; what was not delivered is never a breach."""

import datetime as dt

import pytest

from lowland_gis.analysis.registry.promises import (
    Figures,
    Promise,
    Works,
    contracts_of,
    items,
    promise_of,
)

D = dt.date
F, G = "firm", "other"
P, Q = "parcel", "second"
DAY = D(2024, 6, 30)


def promise(**given):
    return Promise("HT-1", D(2020, 1, 1), given.pop("pairs", ((F, P),)), **given)


def figures(*years, parcels=None, totals=None):
    return Figures(frozenset(years), parcels or {}, totals or {})


def of(parcel_values, total=None, firm=F, year=2023, what="tax"):
    """The figures of one firm in one year: what stands for each parcel, and its total."""
    return figures(
        year,
        parcels={(firm, year): {parcel: {what: value} for parcel, value in parcel_values.items()}},
        totals={} if total is None else {(firm, year): {what: total}},
    )


def status(made, found=None, works=None, day=DAY):
    return [(item.item, item.year, item.status) for item in items(made, found or figures(), works or Works(None), day)]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (of({P: 99.0}), "breached"),
        (of({P: 100.0}), "met"),
        (of({P: None}), "unknown"),  # the firm is in the table, and its figure is not
        (of({}, firm=G), "unknown"),  # the table came, and the firm is not in it
        (figures(2022), "due"),  # the table of the year has not come
        (of({P: None, Q: None}, total=500.0), "unknown"),  # a total of more parcels than the contract's says nothing of it
        (of({P: None}, total=100.0), "met"),  # a total of the contract's parcels alone does
        (of({P: 100.0, Q: None}), "met"),
    ],
)  # fmt: skip
def test_the_tax_of_a_year(found, wanted):
    assert status(promise(tax_wan=100.0, from_year=2023), found)[0] == ("tax", 2023, wanted)


def test_every_whole_year_counts_and_the_running_one_is_not_due():
    made = promise(output_wan=10.0, end_on=D(2021, 6, 30))
    found = figures(2022, 2023, parcels={(F, 2022): {P: {"output": 9.0}}, (F, 2023): {P: {"output": 11.0}}})
    assert [each for each in status(made, found) if each[0] == "output"] == [
        ("output", 2022, "breached"), ("output", 2023, "met"), ("output", 2024, "not_due"),
    ]  # fmt: skip
    # A year is over with its last day.
    assert ("output", 2023, "not_due") in status(made, figures(), day=D(2023, 12, 30))
    assert ("output", 2023, "due") in status(made, figures(), day=D(2023, 12, 31))


def test_several_firms_and_parcels_are_summed_and_one_that_is_missing_leaves_it_open():
    made = promise(tax_wan=100.0, from_year=2023, pairs=((F, P), (F, Q), (G, P)))
    both = {(F, 2023): {P: {"tax": 30.0}, Q: {"tax": 30.0}}, (G, 2023): {P: {"tax": 39.9}}}
    assert status(made, figures(2023, parcels=both))[0][2] == "breached"
    assert status(made, figures(2023, parcels={(F, 2023): both[F, 2023]}))[0][2] == "unknown"
    # What is known is enough already.
    enough = {(F, 2023): {P: {"tax": 60.0}, Q: {"tax": 40.0}}}
    assert status(made, figures(2023, parcels=enough))[0][2] == "met"


@pytest.mark.parametrize(
    ("invest_by", "years", "wanted"),
    [
        (D(2023, 12, 31), {2023: 100.0}, "met"),
        (D(2023, 12, 31), {2023: 99.0}, "breached"),
        (D(2023, 6, 30), {2022: 100.0, 2023: 120.0}, "met"),
        (D(2023, 6, 30), {2022: 90.0, 2023: 99.0}, "breached"),
        (D(2023, 6, 30), {2022: 90.0, 2023: 120.0}, "unknown"),  # within the year, before or after the day
        (D(2023, 6, 30), {2022: 90.0}, "due"),
        (D(2025, 6, 30), {2023: 90.0}, "not_due"),
        (D(2025, 6, 30), {2023: 100.0}, "met"),
    ],
)
def test_an_investment_by_a_day_within_a_year(invest_by, years, wanted):
    found = figures(*years, parcels={(F, year): {P: {"investment": value}} for year, value in years.items()})
    assert status(promise(investment_wan=100.0, invest_by=invest_by), found) == [("investment", None, wanted)]


@pytest.mark.parametrize(
    ("works", "wanted"),
    [
        (Works(D(2024, 1, 1), {P: D(2023, 3, 1)}), "met"),
        (Works(D(2024, 1, 1), {P: D(2023, 3, 2)}), "breached"),
        (Works(D(2024, 1, 1), {P: None}), "breached"),
        (Works(D(2023, 1, 1), {P: None}), "due"),
        (Works(D(2024, 1, 1)), "unknown"),
    ],
)
def test_the_beginning_of_works(works, wanted):
    assert status(promise(start_on=D(2023, 3, 1)), works=works) == [("start", None, wanted)]


def test_works_end_with_the_last_parcel_and_begin_with_the_first():
    made = promise(start_on=D(2023, 3, 1), end_on=D(2023, 9, 1), pairs=((F, P), (F, Q)))
    works = Works(D(2024, 1, 1), {P: D(2023, 2, 1), Q: D(2023, 8, 1)}, {P: D(2023, 8, 1), Q: None})
    assert [each[2] for each in status(made, works=works)] == ["met", "breached"]
    half = Works(D(2024, 1, 1), {P: D(2023, 2, 1)}, {P: D(2023, 8, 1)})
    assert [each[2] for each in status(made, works=half)] == ["met", "unknown"]


def test_a_promise_is_kept_as_it_is():
    made = promise(tax_wan=1.5, from_year=2022, start_on=D(2021, 2, 3), pairs=((F, P), (G, Q)))
    assert promise_of(made.as_json()) == made


def row(**given):
    empty = dict.fromkeys(("CNTZ", "TZQX", "CNSS", "CNCC", "QSNF", "YDJDSJ", "YDDGSJ"))
    return {"HTBH": "HT-1", "HTQDRQ": D(2020, 1, 1), "TYSHXYDM": F, "ZDDM": P, **empty, **given}


def test_rows_of_a_contract_are_one_promise():
    (found,), faults = contracts_of([row(CNSS=5.0, QSNF=2022), row(ZDDM=Q), row(HTQDRQ=D(2020, 1, 1), TYSHXYDM=G)])  # fmt: skip
    assert faults == []
    assert found[0].pairs == ((F, P), (F, Q), (G, P))
    assert (found[0].tax_wan, found[0].first_year, found[1]) == (5.0, 2022, 0)


@pytest.mark.parametrize(
    ("rows", "place", "name"),
    [
        ([row()], 0, "HTBH"),
        ([row(CNSS=5.0)], 0, "QSNF"),
        ([row(CNTZ=5.0)], 0, "TZQX"),
        ([row(CNTZ=-5.0, TZQX=D(2022, 1, 1))], 0, "CNTZ"),
        ([row(YDJDSJ=D(2022, 1, 1), YDDGSJ=D(2021, 1, 1))], 0, "YDDGSJ"),
        ([row(CNSS=5.0, QSNF=2022), row(CNSS=6.0, ZDDM=Q)], 1, "CNSS"),
        ([row(CNSS=5.0, QSNF=2022), row(CNSS=5.0, QSNF=2022)], 1, "ZDDM"),
    ],
)
def test_what_does_not_go_together_is_named_by_row_and_column(rows, place, name):
    assert [fault[:2] for fault in contracts_of(rows)[1]] == [(place, name)]
