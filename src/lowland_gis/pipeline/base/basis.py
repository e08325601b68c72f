"""What belongs together: a classification, the measuring and tabulation below it, and the deliveries below those."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from lowland_gis.analysis.rules.pack import RulePack
from lowland_gis.db.connect import Connection
from lowland_gis.definitions import measure as define
from lowland_gis.definitions.rule_pack import from_json
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.requests import CLASSIFY, MEASURE, TABULATE
from lowland_gis.pipeline.base.runs import (
    Record,
    Versions,
    latest_record,
    needed_record,
    record_of,
    recorded_versions,
)

LATEST = "latest"


@dataclass(frozen=True)
class Basis:
    """A classification with the runs below it, and `versions`, the deliveries that they read, by layer."""

    classified: Record
    measured: Record
    tabulated: Record
    versions: Versions

    @property
    def run_id(self) -> int:
        """Return the number of the classification."""
        return self.classified.run_id

    @cached_property
    def pack(self) -> RulePack:
        """Return the rule pack that decided."""
        return from_json(self.classified.settings["pack"])

    @cached_property
    def measures(self) -> dict[str, define.AnyMeasure]:
        """Return the measures as they were defined."""
        return define.from_json(self.measured.settings["measures"])

    @property
    def as_of(self) -> dt.date:
        """Return the day that was judged for."""
        return dt.date.fromisoformat(self.measured.settings["as_of"])

    @property
    def parcels(self) -> list[int]:
        """Return the numbers of the deliveries of parcels."""
        return [version.version_id for version in self.versions.get("parcel", [])]


def basis_of(connection: Connection, run: str = LATEST) -> Basis:
    """Return the basis of a classification by its name: a number, or latest.

    Raises:
        UsageError: it is neither, there is no such classification, or the stage has not run.
        InputRefusedError: a delivery that it rests on is not there any more.
    """
    classified = _classification(connection, run)
    measured = record_of(connection, int(classified.inputs["measure_run"]), MEASURE)
    tabulated = record_of(connection, int(measured.inputs["tabulate_run"]), TABULATE)
    # Runs of older programs listed digests for the tabulation; the measuring says the numbers of all that counts.
    read = tabulated.inputs["versions"]
    read = (read if isinstance(read, dict) else {}) | measured.inputs["versions"]
    versions = recorded_versions(connection, classified.run_id, read)
    return Basis(classified, measured, tabulated, versions)


def _classification(connection: Connection, name: str) -> Record:
    if name == LATEST:
        return needed_record(connection, CLASSIFY)
    if not name.isascii() or not name.isdigit():
        newest = latest_record(connection, CLASSIFY)
        hint = f", for example {newest.run_id}," if newest else ""
        raise UsageError(f"{name!r} is no run. Give its number{hint} or: {LATEST}")
    return record_of(connection, int(name), CLASSIFY)
