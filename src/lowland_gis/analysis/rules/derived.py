"""What a pack derives itself before it asks: scores of performance, ranks among the scored, and estimates of money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.rules import kleene
from lowland_gis.analysis.rules.kleene import TRUE, Outcomes
from lowland_gis.analysis.rules.limits import Places, parameter_of
from lowland_gis.analysis.rules.means import Summed, summed
from lowland_gis.analysis.rules.pack import Clause, Estimate, RulePack, Score, Term
from lowland_gis.quantities import UNITS

Floats = npt.NDArray[np.float64]


class Measured(Places, Protocol):
    """Places with the values that were measured there."""

    @property
    def measured(self) -> Mapping[str, Floats]:
        """Return the values of each measure, NaN where nothing is known."""


# A term of a score: the name of the score, and the number of the term.
Place = tuple[str, int]


@dataclass(frozen=True)
class Whole:
    """What is known of all parcels, where only some of them are at hand.

    `means` has the mean points of the terms of scores that fill what is missing with it; `ranks` the ranks of the parcels at hand.
    """

    means: Mapping[Place, float] = field(default_factory=dict)
    ranks: Mapping[str, Floats] = field(default_factory=dict)


def derived_values(
    pack: RulePack, facts: Measured, outcome: Callable[[Clause], Outcomes], whole: Whole | None = None
) -> dict[str, Floats]:
    """Return every score, rank and estimate of a pack by name, one value a parcel, NaN where it is unknown.

    `outcome` gives the outcome of a clause for every parcel. Without `whole` the parcels at hand are all that there are.
    """
    means = None if whole is None else whole.means
    found = scores(pack, facts, outcome, means)
    for rank in pack.rank:
        found[rank.name] = ranked(found[rank.of]) if whole is None else whole.ranks[rank.name]
    for estimate in pack.estimate:
        found[estimate.name] = estimated(pack, estimate, facts)
    return found


def scores(
    pack: RulePack,
    facts: Measured,
    outcome: Callable[[Clause], Outcomes],
    means: Mapping[Place, float] | None = None,
) -> dict[str, Floats]:
    """Return every score of a pack by name; `means` are those of all parcels where only some are at hand."""
    return {
        score.name: scored(pack, score, facts, _among(score, facts, outcome), means) for score in pack.score
    }


def known_points(
    pack: RulePack, facts: Measured, outcome: Callable[[Clause], Outcomes]
) -> dict[Place, Summed]:
    """Return the sums of the points that are known of the terms whose mean stands for what is missing; those of parts add up."""
    return {
        (score.name, number): summed(points[~np.isnan(points)])
        for score in pack.score
        if score.missing == "mean"
        for number, term in enumerate(score.term)
        for points in [np.where(_among(score, facts, outcome), _points(pack, term, facts), np.nan)]
    }


def _among(score: Score, facts: Measured, outcome: Callable[[Clause], Outcomes]) -> npt.NDArray[np.bool_]:
    among: npt.NDArray[np.bool_] = (
        kleene.both([outcome(clause) for clause in score.among], len(facts)) == TRUE
    )
    return among


def scored(
    pack: RulePack,
    score: Score,
    facts: Measured,
    among: npt.NDArray[np.bool_],
    means: Mapping[Place, float] | None = None,
) -> Floats:
    """Return Σ min(weight × value / base, cap × weight) where `among` holds, else NaN.

    A missing indicator makes the score unknown, or counts as the mean of those that have it: of all of them by `means`, or of those
    at hand. A value below 0 counts 0.
    """
    total = np.zeros(len(facts))
    for number, term in enumerate(score.term):
        points = np.where(among, _points(pack, term, facts), np.nan)
        if score.missing == "mean":
            known = points[~np.isnan(points)]
            mean = summed(known).mean if means is None else means[score.name, number]
            points = np.where(among & np.isnan(points), mean, points)
        total += points
    return total


def ranked(scores: Floats) -> Floats:
    """Return the share of scored parcels that are at least as good as each; NaN where there is no score.

    >>> ranked(np.array([10.0, 30.0, np.nan, 20.0, 20.0])).tolist()
    [1.0, 0.25, nan, 0.75, 0.75]
    """
    known = ~np.isnan(scores)
    shares = np.full(len(scores), np.nan)
    downwards = np.sort(-scores[known])
    if len(downwards):
        shares[known] = np.searchsorted(downwards, -scores[known], side="right") / len(downwards)
    return shares


def estimated(pack: RulePack, estimate: Estimate, facts: Measured) -> Floats:
    """Return the sum of products of an estimate in its unit; NaN where a factor is unknown."""
    total = np.zeros(len(facts))
    for term in estimate.term:
        product: Floats | float = 1.0
        for factor in term.factors:
            product = product * _factor(pack, factor, facts)
        total += product if term.sign == "+" else -product
    if estimate.at_least is not None:
        total = np.maximum(total, estimate.at_least)
    return total / UNITS[estimate.unit].factor


def _points(pack: RulePack, term: Term, facts: Measured) -> Floats:
    values = facts.measured.get(term.measure)
    if values is None:
        return np.full(len(facts), np.nan)
    weight = _number(pack, term.weight, facts)
    base = _number(pack, term.base, facts, unit=facts.units.get(term.measure))
    cap = _number(pack, term.cap, facts)
    points: Floats = np.clip(values / base, 0.0, cap) * weight
    return points


def _number(pack: RulePack, given: str | float, places: Places, *, unit: str | None = None) -> Floats | float:
    return parameter_of(pack, given, places, unit=unit) if isinstance(given, str) else float(given)


def _factor(pack: RulePack, name: str, facts: Measured) -> Floats | float:
    """Return a parameter or a measure in base units."""
    entries = pack.entries(name)
    if entries:
        return parameter_of(pack, name, facts, unit=None) * UNITS[entries[0].unit].factor
    values = facts.measured.get(name)
    if values is None:
        return np.full(len(facts), np.nan)
    unit = facts.units.get(name)
    return values * (UNITS[unit].factor if unit else 1.0)
