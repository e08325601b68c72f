"""What a variation may change of the answers: nothing, or a known amount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from variations.answers import Answers
from variations.differences import Difference, differences


class Effect(Protocol):
    """Judges answers after a variation by those before it."""

    def unexpected(self, before: Answers, after: Answers) -> list[Difference]:
        """Return every difference that the variation does not account for."""
        ...


@dataclass(frozen=True)
class Same:
    """Every answer stays: areas to 1e-6 m², or to what vertices that moved by `drift_m` in each direction can change.

    A verdict that differs is a difference also where vertices moved: the districts here have no evidence so close to a limit.
    """

    drift_m: float = 0.0

    def unexpected(self, before: Answers, after: Answers) -> list[Difference]:
        """Return every difference beyond the bound."""
        return differences(before, after, drift_m=self.drift_m)


@dataclass(frozen=True)
class LessKnown:
    """A layer is missing: what rests on others stays, and a settled verdict stays or becomes an open one.

    What is not known may never turn a verdict into another settled one, for then it was taken for a fact.
    """

    layer: str

    def unexpected(self, before: Answers, after: Answers) -> list[Difference]:
        """Return differences of land and other layers, and verdicts that were turned over."""
        found = [
            item
            for item in differences(before, after)
            if item.level == "land"
            or (item.level in ("overlap", "cover") and item.what.split(" ")[0] != self.layer)
        ]
        return found + self.turned_over(before, after) + self.invented(before, after)

    def turned_over(self, before: Answers, after: Answers) -> list[Difference]:
        """Return verdicts that are settled before and after, and are others."""
        both = before.levels["verdict"].join(after.levels["verdict"], suffixes=("", "_after"), how="outer")
        settled = (both["settled"] == True) & (both["settled_after"] == True)  # noqa: E712 - missing is neither
        turned = both[settled & (both["answer"] != both["answer_after"])]
        return [
            Difference(parcel, "verdict", question, row["answer"], f"{row['answer_after']} (settled)")
            for (parcel, question), row in turned.iterrows()
        ]

    def invented(self, before: Answers, after: Answers) -> list[Difference]:
        """Return evidence that there is only without the layer."""
        known, now = (answers.levels["evidence"]["value"].dropna() for answers in (before, after))
        extra = now.index.difference(known.index)
        return [
            Difference(parcel, "evidence", measure, None, now.loc[(parcel, measure)])
            for parcel, measure in extra
        ]


@dataclass(frozen=True)
class FarLessKnown:
    """Much is missing: parcels and their areas stay, nothing is measured that was not before, and no settled verdict becomes another."""

    def unexpected(self, before: Answers, after: Answers) -> list[Difference]:
        """Return differences of land, verdicts that were turned over, and evidence that there is only without the rest."""
        less = LessKnown("")
        land = [item for item in differences(before, after) if item.level == "land"]
        return land + less.turned_over(before, after) + less.invented(before, after)


@dataclass(frozen=True)
class WithoutTowns:
    """No towns are delivered: codes say them, so every verdict stays; names of towns are gone, and units may cross their borders.

    Units with more ground to choose from gather no less; a hundredth is what the search may leave.
    """

    search: float = 0.01

    def unexpected(self, before: Answers, after: Answers) -> list[Difference]:
        """Return every difference of parcels beside names and shares of towns, and units that gather less."""
        found = [item for item in differences(before, after) if self._is_held(item)]
        return LessKnown("town").unexpected(before, after) + found + self._poorer(before, after)

    def _is_held(self, item: Difference) -> bool:
        if item.level == "evidence":
            return not item.what.startswith("town_share ")
        if item.level == "package":
            of_a_parcel = not item.parcel.startswith(("record ", "row "))
            return of_a_parcel and not item.what.endswith(" XZMC value")
        return item.level in {"verdict", "registry", "legacy"}

    def _poorer(self, before: Answers, after: Answers) -> list[Difference]:
        known, now = (float(answers.levels["unit"]["value_m2"].sum()) for answers in (before, after))
        poorer = now < known * (1 - self.search)
        return [Difference("all units", "unit", "value_m2", known, now)] if poorer else []


@dataclass(frozen=True)
class WithoutParcels:
    """Parcels of one town are not delivered: all about the others stays, their units too, for no unit crosses towns."""

    town: str

    def unexpected(self, before: Answers, after: Answers) -> list[Difference]:
        """Return every difference about parcels of other towns, and parcels of this one that are still there."""
        found = differences(before, after)
        of_parcels = {
            "land",
            "overlap",
            "cover",
            "evidence",
            "verdict",
            "member",
            "unit",
            "registry",
            "legacy",
        }
        others = [
            item
            for item in found
            if item.level in of_parcels and not self._is_here(item.parcel) and not _is_ranked(item)
        ]
        left = pd.Index(after.levels["land"].index)
        return others + [
            Difference(code, "land", "", "gone", "there") for code in left if self._is_here(code)
        ]

    def _is_here(self, parcel: str) -> bool:
        return parcel.startswith(self.town)


def _is_ranked(item: Difference) -> bool:
    """Say whether a verdict is a grade: it comes from the place among all parcels of the district."""
    return item.level == "verdict" and item.what.startswith("grade ")
