"""Whether what leaves the house belongs together: verdicts, units and registry of one state of the land."""

from __future__ import annotations

from collections.abc import Iterator

from lowland_gis.pipeline.base.requests import DELINEATE, DETERMINE, units
from lowland_gis.pipeline.base.runs import needed_record
from lowland_gis.pipeline.base.stale import Stale, stale_registers, stale_units
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.units.frozen import frozen_units


def stale_results(held: Reading) -> Iterator[Stale]:
    """Yield which of verdicts, units of the flow and registry drafts are out of date; the command is that of the whole flow.

    Raises:
        UsageError: a stage has not run.
    """
    if held.stale is not None:
        yield Stale(held.stale.what, held.stale.causes, _from("tabulate"))
        return
    drawn = stale_flow(held)
    if drawn is not None:
        yield Stale(drawn.what, drawn.causes, _from(DELINEATE))
    drafted = stale_drafted(held)
    if drafted is not None:
        yield Stale(drafted.what, drafted.causes, _from(DETERMINE if drawn is None else DELINEATE))


def stale_flow(held: Reading) -> Stale | None:
    """Return what the units of the flow are out of date by, None also where units are frozen: those leave the house instead."""
    if len(frozen_units(held.connection)):
        return None
    drawn = needed_record(held.connection, DELINEATE)
    settings = held.project.settings.delineate
    wanted = units(DELINEATE, str(drawn.settings["name"]), settings, held.current, held.basis.classified)
    return stale_units(held.connection, drawn, wanted, held.stale, held.current)


def stale_drafted(held: Reading) -> Stale | None:
    """Return what the drafts of the registry are out of date by."""
    return stale_registers(held.connection, needed_record(held.connection, DETERMINE), held.stale)


def stale_on_the_map(held: Reading) -> Stale | None:
    """Return what a map of kinds and units is out of date by; of frozen units see `frozen_changes.stale_frozen`."""
    return held.stale or stale_flow(held)


def _from(stage: str) -> str:
    return f"lowland run --from {stage}"
