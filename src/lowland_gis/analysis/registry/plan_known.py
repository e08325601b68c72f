"""What is known beside a plan when it is looked at: towns, frozen units with their parcels, projects, and what was reported of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class KnownUnit:
    """A frozen unit: its town, its area, and of its parcels those that are filed, those that are not, and those of control lines.

    `unfiled` holds a parcel and the title of the state in which it stands, `protected` a parcel and why it may be in no unit,
    `unknown` a parcel and what is not known of that.
    """

    town_code: str | None
    area_m2: float
    filed: tuple[str, ...] = ()
    unfiled: tuple[tuple[str, str], ...] = ()
    protected: tuple[tuple[str, str], ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class KnownProject:
    """A project that is in the register: its state there, and what the newest plan says of it; `reported_on` is the day of the newest report."""

    state: str
    town_code: str | None
    kind: str | None = None
    unit: str | None = None
    area_m2: float | None = None
    reported_on: dt.date | None = None


@dataclass(frozen=True)
class Known:
    """All of it. `withdrawn` are units that were frozen once, with the reason; `taken` the units of other towns' plans of the year, with the project."""

    towns: Mapping[str, str]
    units: Mapping[str, KnownUnit]
    projects: Mapping[str, KnownProject]
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
