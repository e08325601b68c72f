"""The whole flow that `lowland.toml` describes, stage by stage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from lowland_gis.analysis.rules.faults import Fault, fault_lines
from lowland_gis.definitions.layer import layer_keys
from lowland_gis.definitions.mapping import read_mapping
from lowland_gis.definitions.measure import measures, refuse_beyond_parts
from lowland_gis.definitions.package import package_definition
from lowland_gis.definitions.rule_pack import rule_pack
from lowland_gis.errors import SHOWN_IN_FILES, InputRefusedError, UsageError, listed
from lowland_gis.files.source import located
from lowland_gis.pipeline.base.holding import held_runs
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import DETERMINE
from lowland_gis.pipeline.base.runs import Run
from lowland_gis.pipeline.base.stages import STAGES
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.evidence.lacking import lacking
from lowland_gis.pipeline.intake.reading import reading
from lowland_gis.pipeline.intake.replacing import refuse_contradicting
from lowland_gis.pipeline.intake.there_already import Loaded, there_already
from lowland_gis.pipeline.products.still_filed import product_text, still_filed
from lowland_gis.settings import DeliverySettings, Settings


@dataclass(frozen=True)
class Report:
    """What one stage did, in words for the terminal; `n_rejected` rows of the deliveries were set aside."""

    stage: str
    text: str
    n_rejected: int = 0


def _ingest_all(project: Project, *, tell: Tell) -> Report:
    if not project.settings.delivery:
        raise UsageError(
            "lowland.toml names no delivery, so there is nothing to ingest. Add a [[delivery]] table."
        )
    deliveries = project.settings.delivery
    loaded: list[Loaded] = []
    while len(loaded) < len(deliveries):
        for there in there_already(project, deliveries[len(loaded) :]):
            _tell_delivery(deliveries[len(loaded)], tell)
            _tell_doubts(there, tell)
            loaded.append(there)
        if len(loaded) < len(deliveries):
            delivery = deliveries[len(loaded)]
            _tell_delivery(delivery, tell)
            loaded.append(_worker("intake.ingest", "ingest")(project, delivery, back=False, tell=tell))
            _tell_doubts(loaded[-1], tell)
    return Report("ingest", _loaded_text(loaded), sum(item.n_rejected for item in loaded))


def _tell_delivery(delivery: DeliverySettings, tell: Tell) -> None:
    tell(f"ingest {delivery.layer} {delivery.source}")


def _tell_doubts(loaded: Loaded, tell: Tell) -> None:
    for warning in loaded.warnings:
        tell(f"Warning: {loaded.layer}: {warning}")
    if loaded.by_town:
        tell(f"{loaded.layer}: records by town, before → now: {loaded.by_town}")


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
    return product_text(
        still_filed(project, tell=tell) or _worker("products.package", "package_and_map")(project, tell=tell)
    )


def _worker(module: str, name: str) -> Callable[..., Any]:
    """Return the function that does the work of a stage; its libraries are loaded where there is work, which in most runs is nowhere."""
    worker: Callable[..., Any] = getattr(import_module(f"lowland_gis.pipeline.{module}"), name)
    return worker


def _stage(module: str, name: str) -> Callable[..., Any]:
    """Return a stage that loads what it takes when it is called."""

    def work(project: Project, *, tell: Tell, **said: Any) -> Any:
        return _worker(module, name)(project, tell=tell, **said)

    return work


_WORK: tuple[Callable[..., Any], ...] = (
    _ingest_all,
    _stage("overlaps.tabulate", "tabulate"),
    _stage("evidence.measure", "measure"),
    _stage("verdicts.classify", "classify"),
    _stage("units.draw", "delineate"),
    _stage("registry.determine", "determine"),
    _package_all,
)
_STAGES = dict(zip(STAGES, _WORK, strict=True))


def _check_named(project: Project, chosen: tuple[str, ...]) -> None:
    """Look at every name in lowland.toml before the first row is written, so that a slip changes nothing.

    Raises:
        UsageError, DefinitionError: there is no such layer, rule pack or package definition; a measure cannot be computed on Spark.
        InputRefusedError: files are missing, or deliveries contradict each other; all of them are named.
    """
    settings = project.settings
    if "classify" in chosen:
        rule_pack(settings.classify.pack, settings.folder, settings.project.as_of)
    if "measure" in chosen and project.spark is not None:
        refuse_beyond_parts(measures())
    if "package" in chosen:
        package_definition(settings.package.definition, settings.folder)
    if "ingest" not in chosen:
        return
    _refuse_unknown_layers(settings)
    for mapping in dict.fromkeys(item.mapping for item in settings.delivery if item.mapping):
        read_mapping(settings.path(mapping))
    refuse_contradicting(settings.delivery)
    missing = [
        item.source for item in settings.delivery if not located(item.source, settings.folder)[0].exists()
    ]
    if missing:
        raise InputRefusedError(
            f"{len(missing)} of {len(settings.delivery)} deliveries of lowland.toml are not there, so nothing was loaded:\n"
            f"{listed(missing)}\nPut them there, or mend their paths."
        )


def _refuse_unknown_layers(settings: Settings) -> None:
    faults = [
        Fault(
            f"[[delivery]] {number}", "layer", delivery.layer, "there is no such layer", tuple(layer_keys())
        )
        for number, delivery in enumerate(settings.delivery, start=1)
        if delivery.layer not in layer_keys()
    ]
    if faults:
        raise UsageError(
            f"lowland.toml: {len(faults)} setting(s) are wrong:\n{listed(fault_lines(faults), shown=SHOWN_IN_FILES)}\n"
            "The layers are listed by: lowland layers list"
        )


def run(
    project: Project,
    *,
    first: str = STAGES[0],
    last: str = STAGES[-1],
    drafted_on: dt.date | None = None,
    tell: Tell = silent,
) -> list[Report]:
    """Run the stages from `first` to `last`, each in its own transaction.

    Drafts count from today, or from the day `drafted_on` (see `determine`).

    Raises:
        UsageError: there is no such stage, or the order is turned round.
        InputRefusedError, DefinitionError: a file or a definition that lowland.toml names is not there; nothing was written.
    """
    for stage in (first, last):
        if stage not in _STAGES:
            raise UsageError(f"There is no stage {stage!r}. The stages are: {', '.join(STAGES)}.")
    chosen = STAGES[STAGES.index(first) : STAGES.index(last) + 1]
    if not chosen:
        raise UsageError(f"The stage {first} comes after {last}; turn them round.")
    _check_named(project, chosen)
    with project.one_connection():
        return _run_stages(project, chosen, drafted_on, tell)


def _run_stages(
    project: Project, chosen: Sequence[str], drafted_on: dt.date | None, tell: Tell
) -> list[Report]:
    reports = []
    held: dict[str, Run] | None = None
    for stage in chosen:
        if held is None and stage != STAGES[0]:
            held = held_runs(project)
        # A stage that runs anew takes none of those that hold away: what rests on it does not hold.
        said = {"on": drafted_on} if stage == DETERMINE else {}
        done = (held or {}).get(stage) or _STAGES[stage](project, tell=tell, **said)
        reports.append(_report(stage, done))
        if stage == "classify":
            _tell_lacking(project, tell)
    return reports


def _tell_lacking(project: Project, tell: Tell) -> None:
    with reading(project) as held:
        for sentence in lacking(held):
            tell(f"Note: {sentence}")


def _report(stage: str, done: Report | Run | str) -> Report:
    if isinstance(done, Report):
        return done
    return Report(stage, _run_text(done) if isinstance(done, Run) else done)
