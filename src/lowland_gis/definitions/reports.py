"""Read the calendar of reports (报告日历): the shipped `reports.toml`, and over it what a project changes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from lowland_gis.analysis.registry.report_calendar import ADAPTER, Calendar, calendar_faults
from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.definitions.over import in_force, table_by_table
from lowland_gis.definitions.own import Own, in_use
from lowland_gis.definitions.reading import FOLDER, fitted, parsed

FILE = "reports.toml"


def report_calendar() -> Calendar:
    """Return the calendar of reports, with what the project at work changes about it.

    Raises:
        DefinitionError: the project's own file has faults.
    """
    return _calendar(in_use())


@cache
def _calendar(own: Own) -> Calendar:
    return in_force(FILE, own, _over)


def own_faults(path: Path) -> Iterable[Fault]:
    """Return the faults of a project's own file: of its form, and of what does not fit together."""
    return _over(parsed(path))[1]


def _over(added: dict[str, Any]) -> tuple[Calendar | None, list[Fault]]:
    """Return the shipped calendar with that of a file laid over it: a report and a year are taken as a whole."""
    content, years = parsed(FOLDER / FILE), added.get("year")
    if isinstance(years, list):
        own = {each.get("year") for each in years if isinstance(each, dict)}
        added = added | {"year": [each for each in content["year"] if each["year"] not in own] + years}
    fit = fitted(table_by_table(content, added), ADAPTER)
    found, faults = fit
    return found, faults if found is None else list(calendar_faults(found))
