"""What the survey increment says became of its polygons, held against their outlines, and against both surveys on the land of changed parcels.

Polygons of the survey (图斑) are no parcels (宗地): a parcel lies on several of them. So what is compared is the area that each old polygon
gave to each new one, as stated and as their outlines meet; and on each changed parcel the area of every pair of classes before and after
(地类), as the process layer has it and as the two surveys lie over each other. Areas are m² on the ellipsoid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lowland_gis.analysis.update.limits import Tolerance

# Doubts: rules of issue rows.
APART, AREA, CLASSES, NOT_SHOWN = (
    "lineage_survey_apart",
    "lineage_survey_area",
    "lineage_survey_class",
    "lineage_survey_not_shown",
)
Turns = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Pair:
    """An old polygon and the new one that it became, by number: the area that is stated, and the one that their outlines share."""

    before: str
    after: str
    stated_m2: float
    shared_m2: float


@dataclass(frozen=True)
class Seen:
    """A changed parcel: its area, and the area of each (class before, class after) that are not the same.

    `said` is by the process layer, `shown` by both surveys; `needed` whether it came or went and nothing but the survey would say why.
    """

    parcel: str
    area_m2: float
    said: Turns
    shown: Turns
    needed: bool = False


@dataclass(frozen=True)
class SurveyDoubt:
    """A disagreement: its rule, what it is at (two numbers of polygons, or the parcel and ""), the classes, and both areas, m²."""

    rule: str
    at: tuple[str, str]
    classes: tuple[str, str]
    said_m2: float
    shown_m2: float


def pair_doubts(pairs: Iterable[Pair], tolerance: Tolerance) -> Iterator[SurveyDoubt]:
    """Yield the pairs whose outlines do not meet, or share another area than is stated.

    >>> [doubt.rule for doubt in pair_doubts([Pair("A", "B", 60.0, 0.0), Pair("A", "C", 60.0, 50.0)], Tolerance(1.0, 0.01))]
    ['lineage_survey_apart', 'lineage_survey_area']
    """
    for pair in pairs:
        limit = tolerance.of(max(pair.stated_m2, pair.shared_m2))
        if abs(pair.stated_m2 - pair.shared_m2) > limit:
            rule = APART if pair.shared_m2 <= tolerance.area_m2 else AREA
            yield SurveyDoubt(rule, (pair.before, pair.after), ("", ""), pair.stated_m2, pair.shared_m2)


def parcel_doubts(parcels: Iterable[Seen], tolerance: Tolerance) -> Iterator[SurveyDoubt]:
    """Yield what the process layer says of the land of parcels, and both surveys do not show, or the other way round.

    Of parcels that came or went, and whose land neither shows as changed, that is told too: the increment is not what made it.

    >>> field_to_works = {("0103", "0601"): 800.0}
    >>> seen = [Seen("P", 900.0, field_to_works, field_to_works), Seen("Q", 900.0, field_to_works, {}), Seen("R", 900.0, {}, {}, True)]
    >>> [(doubt.rule, doubt.at[0]) for doubt in parcel_doubts(seen, Tolerance(1.0, 0.001))]
    [('lineage_survey_class', 'Q'), ('lineage_survey_not_shown', 'R')]
    """
    for parcel in parcels:
        limit = tolerance.of(parcel.area_m2)
        for classes in sorted({*parcel.said, *parcel.shown}):
            said, shown = parcel.said.get(classes, 0.0), parcel.shown.get(classes, 0.0)
            if abs(said - shown) > limit:
                yield SurveyDoubt(CLASSES, (parcel.parcel, ""), classes, said, shown)
        most = max([*parcel.said.values(), *parcel.shown.values()], default=0.0)
        if parcel.needed and most <= limit:
            yield SurveyDoubt(NOT_SHOWN, (parcel.parcel, ""), ("", ""), most, most)
