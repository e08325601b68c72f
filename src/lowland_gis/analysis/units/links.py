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
    if not links:
        return problem
    place = pd.Series(np.arange(len(problem.ids)), index=problem.ids)
    known = [link for link in links if link.one in place.index and link.other in place.index]
    table = problem.links
    pairs = {tuple(sorted((int(place[link.one]), int(place[link.other])))): link for link in known}
    said = pd.MultiIndex.from_tuples(list(pairs), names=["first", "second"]) if pairs else None
    if said is None:
        return problem
    given = pd.MultiIndex.from_frame(table[["first", "second"]])
    cut = given.isin([pair for pair, link in pairs.items() if not link.joined])
    made = [pair for pair, link in pairs.items() if link.joined and pair not in given]
    shapes = problem.parcels.geometry.to_numpy()
    new = pd.DataFrame(
        {
            "first": [first for first, _ in made],
            "second": [second for _, second in made],
            "length_m": 0.0,
            "gap_m": [float(shapely.distance(shapes[first], shapes[second])) for first, second in made],
            "linked": True,
        }
    )
    parts = [part for part in (table[~cut], new) if len(part)]
    whole = pd.concat(parts, ignore_index=True) if parts else table.iloc[:0]
    return relinked(problem, whole.sort_values(["first", "second"], ignore_index=True))


def link_fault(problem: Problem, cells: gpd.GeoDataFrame, link: HandLink) -> str | None:
    """Return why two parcels cannot be linked by hand, or their link cannot be cut; None where they can.

    A link crosses no barrier and no land that may be in no unit: it is for what the rule does not see, not for what it forbids. `problem` is
    the ground before, with the links that were made until then.
    """
    name = f"{link.one} and {link.other}"
    codes = problem.ids.astype(str)
    missing = [code for code in link.pair if code not in set(codes)]
    if missing:
        return f"there is no parcel {', '.join(missing)}"
    if link.one == link.other or not link.reason or not link.said_by:
        same = link.one == link.other
        return f"{link.one} cannot be linked with itself" if same else f"{name}: say why, and who says so"
    first, second = (int(at) for at in np.searchsorted(codes, np.array(link.pair)))
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
