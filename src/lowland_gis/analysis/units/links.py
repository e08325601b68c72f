"""Links by hand: two parcels that are neighbours, or are none, because a person says so and not because they face each other.

A link that is made (a footbridge, a lane between walls) lets a unit hang together by it. It shortens no outline, since what lies between the
two stays as it is. A link that is cut (a wall, a railing) takes the facing length away with it, so both outlines are whole there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis.units.contiguity import explain_contact
from lowland_gis.analysis.units.ground import Problem, relinked

# A way that only touches the corner of a parcel does not run over it, m.
_OVER_M = 0.01


@dataclass(frozen=True)
class HandLink:
    """Two parcels (the lower code first) that are neighbours (`joined`) or are none, why, and who says so."""

    one: str
    other: str
    joined: bool
    reason: str
    said_by: str

    @classmethod
    def of(cls, pair: tuple[str, str], *, joined: bool, reason: str, said_by: str) -> HandLink:
        """Return a link whatever the order of its parcels."""
        one, other = sorted(pair)
        return cls(one, other, joined, reason.strip(), said_by.strip())

    @property
    def pair(self) -> tuple[str, str]:
        """Return the codes of its parcels."""
        return self.one, self.other

    def to_json(self) -> dict[str, Any]:
        """Return it as a run records it."""
        return {
            "one": self.one,
            "other": self.other,
            "joined": self.joined,
            "reason": self.reason,
            "said_by": self.said_by,
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> HandLink:
        """Return it as a run recorded it."""
        return cls.of(
            (str(kept["one"]), str(kept["other"])),
            joined=bool(kept["joined"]),
            reason=str(kept["reason"]),
            said_by=str(kept["said_by"]),
        )


def with_links(problem: Problem, links: Sequence[HandLink]) -> Problem:
    """Return the ground with links by hand laid over those of the rule; parcels that are not there are passed over."""
    count = len(problem.ids)
    said: dict[int, HandLink] = {}
    for link in links:
        ends = sorted(at for at in (_position(problem, code) for code in link.pair) if at is not None)
        if len(ends) == len(link.pair):
            said[ends[0] * count + ends[1]] = link
    if not said:
        return problem
    table = problem.links
    given = table["first"].to_numpy(dtype=np.int64) * count + table["second"].to_numpy(dtype=np.int64)
    cut = np.isin(given, [key for key, link in said.items() if not link.joined])
    made = np.array([key for key, link in said.items() if link.joined], dtype=np.int64)
    made = np.sort(made[~np.isin(made, given)])
    first, second = made // count, made % count
    shapes = problem.parcels.geometry.to_numpy()
    new = {
        "first": first,
        "second": second,
        "length_m": np.zeros(len(made)),
        "gap_m": shapely.distance(shapes[first], shapes[second]),
        "linked": np.ones(len(made), dtype=bool),
    }
    # The rows stand in the order of their pairs.
    places = np.searchsorted(given[~cut], made)
    whole = {name: np.insert(table[name].to_numpy()[~cut], places, values) for name, values in new.items()}
    return relinked(problem, pd.DataFrame(whole))


def _position(problem: Problem, code: str) -> int | None:
    """Return where a parcel stands in the order of the codes, None where it is not there."""
    at = int(np.searchsorted(problem.ids, code))
    return at if at < len(problem.ids) and problem.ids[at] == code else None


def link_fault(problem: Problem, cells: gpd.GeoDataFrame, link: HandLink) -> str | None:
    """Return why two parcels cannot be linked by hand, or their link cannot be cut; None where they can.

    A link crosses no barrier and no land that may be in no unit: it is for what the rule does not see, not for what it forbids. `problem` is
    the ground before, with the links that were made until then.
    """
    name = f"{link.one} and {link.other}"
    first, second = (_position(problem, code) for code in link.pair)
    if first is None or second is None:
        missing = [code for code in link.pair if _position(problem, code) is None]
        return f"there is no parcel {', '.join(missing)}"
    if link.one == link.other or not link.reason or not link.said_by:
        same = link.one == link.other
        return f"{link.one} cannot be linked with itself" if same else f"{name}: say why, and who says so"
    linked = _linked(problem, first, second)
    if linked == link.joined:
        return (
            f"{name} are neighbours already"
            if linked
            else f"{name} are no neighbours, so there is no link to cut"
        )
    return _barred(problem, cells, (first, second), name) if link.joined else None


def _barred(problem: Problem, cells: gpd.GeoDataFrame, pair: tuple[int, int], name: str) -> str | None:
    """Say why two parcels cannot be neighbours whatever anybody says."""
    first, second = pair
    codes = problem.ids
    barred = [
        f"{codes[at]} ({problem.reason[at]})" for at in (first, second) if problem.reason[at] is not None
    ]
    if barred:
        return f"may be in no unit: {', '.join(barred)}"
    return _crossed(problem, cells, (first, second), name)


def _linked(problem: Problem, first: int, second: int) -> bool:
    ground = problem.ground
    return bool((ground.neighbour[ground.start[first] : ground.start[first + 1]] == second).any())


def _crossed(problem: Problem, cells: gpd.GeoDataFrame, pair: tuple[int, int], name: str) -> str | None:
    """Say which barrier or which protected land a link would cross."""
    shapes, places = problem.parcels.geometry.to_numpy(), list(pair)
    cell = problem.cell[places]
    if cell[0] != cell[1] or cell[0] < 0:
        contact = explain_contact(
            shapes[places], cells, gap_m=problem.limits.gap_m, min_length_m=problem.limits.min_length_m
        )
        return f"{name}: {contact.why}; a link by hand crosses no barrier"
    way = shapely.shortest_line(shapes[pair[0]], shapes[pair[1]])
    face = cells.geometry.to_numpy()[cell[0]]
    # A parcel that a barrier cuts reaches out of its block; only the way between the two counts.
    if shapely.length(shapely.difference(way, face)) > _OVER_M:
        return (
            f"{name}: the way between them leaves their block ({cell[0]}); a link by hand crosses no barrier"
        )
    kept = problem.parcels["reason"].to_numpy(dtype=object)
    barred = np.flatnonzero(pd.notna(kept))
    over = barred[shapely.length(shapely.intersection(shapes[barred], way)) > _OVER_M]
    if len(over):
        first = over[0]
        return f"{name}: the way between them runs over {problem.ids[first]}, which may be in no unit: {kept[first]}"
    return None
