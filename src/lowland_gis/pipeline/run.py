"""The whole flow that `lowland.toml` describes, stage by stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lowland_gis.errors import UsageError
from lowland_gis.pipeline.classify import classify
from lowland_gis.pipeline.delineate import delineate
from lowland_gis.pipeline.determine import determine
from lowland_gis.pipeline.ingest import Loaded, ingest
from lowland_gis.pipeline.measure import measure
from lowland_gis.pipeline.package import overview_map, package
from lowland_gis.pipeline.project import Project, Tell, silent
from lowland_gis.pipeline.runs import Run
from lowland_gis.pipeline.tabulate import tabulate


@dataclass(frozen=True)
class Report:
    """What one stage did, in words for the terminal."""

    stage: str
    text: str


def _ingest_all(project: Project, *, tell: Tell) -> str:
    if not project.settings.delivery:
        raise UsageError(
            "lowland.toml names no delivery, so there is nothing to ingest. Add a [[delivery]] table."
        )
    loaded = []
    for delivery in project.settings.delivery:
        tell(f"ingest {delivery.layer} {delivery.source}")
        loaded.append(ingest(project, delivery))
    return _loaded_text(loaded)


def _loaded_text(loaded: list[Loaded]) -> str:
    fresh = [item for item in loaded if item.fresh]
    rows, rejected = sum(item.n_loaded for item in loaded), sum(item.n_rejected for item in loaded)
    issues = sum(item.n_issues for item in loaded)
    return (
        f"{len(loaded)} deliveries ({len(loaded) - len(fresh)} there already), {rows:,} records,"
        f" {rejected:,} set aside, {issues:,} issues (land.issue)"
    )


def _run_text(run: Run) -> str:
    return f"run {run.run_id}" if run.fresh else f"run {run.run_id} holds already"


def _package_all(project: Project, *, tell: Tell) -> str:
    report = package(project, tell=tell)
    picture = overview_map(project, tell=tell)
    return f"{report.target} ({len(report.files)} files), {picture}"


_STAGES: dict[str, Callable[..., Any]] = {
    "ingest": _ingest_all,
    "tabulate": tabulate,
    "measure": measure,
    "classify": classify,
    "delineate": delineate,
    "determine": determine,
    "package": _package_all,
}
STAGES = tuple(_STAGES)


def run(
    project: Project, *, first: str = STAGES[0], last: str = STAGES[-1], tell: Tell = silent
) -> list[Report]:
    """Run the stages from `first` to `last`, each in its own transaction.

    Raises:
        UsageError: there is no such stage, or the order is turned round.
    """
    for stage in (first, last):
        if stage not in _STAGES:
            raise UsageError(f"There is no stage {stage!r}. The stages are: {', '.join(STAGES)}.")
    chosen = STAGES[STAGES.index(first) : STAGES.index(last) + 1]
    if not chosen:
        raise UsageError(f"The stage {first} comes after {last}; turn them round.")
    reports = []
    for stage in chosen:
        done = _STAGES[stage](project, tell=tell)
        reports.append(Report(stage, _run_text(done) if isinstance(done, Run) else done))
    return reports
