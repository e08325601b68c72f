"""What results are out of date by: deliveries, papers, rules, settings, runs or the program, in the words of the analyst."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lowland_gis.analysis.rules.amend import pack_differences
from lowland_gis.db.connect import Connection
from lowland_gis.definitions.check import CheckDefinition
from lowland_gis.definitions.layer import layer_definition, layer_keys
from lowland_gis.definitions.rule_pack import from_json, rule_pack, written_pack
from lowland_gis.errors import DefinitionError, StaleError, listed
from lowland_gis.pipeline.base import requests
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.base.program import program_version
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import (
    Record,
    Request,
    Version,
    Versions,
    digest_of,
    latest_record,
    numbered,
    recorded_versions,
)

# So many causes are named; the others are counted.
_SHOWN = 8


@dataclass(frozen=True)
class Stale:
    """What is out of date, by what, and the command that brings it up to date."""

    what: str
    causes: tuple[str, ...]
    command: str

    def __str__(self) -> str:
        """Return it for the person at the terminal."""
        return f"{self.what} out of date (已过期):\n{listed(self.causes, shown=_SHOWN)}\nBring up to date with: {self.command}"


def refuse(stale: Stale | None, what: str) -> None:
    """Refuse to make something of results that are out of date.

    Raises:
        StaleError: they are; the message names the causes and the command to type.
    """
    if stale is not None:
        raise StaleError(f"{what}, because {stale}")


def stale_verdicts(connection: Connection, project: Project, basis: Basis, current: Versions) -> Stale | None:
    """Return what a classification is out of date by, held against the deliveries in force and the project's settings."""
    causes = dict.fromkeys(_verdict_causes(connection, project, basis, current))
    if not causes:
        return None
    what = f"The classification (run {basis.run_id} of {basis.classified.started_at:%Y-%m-%d %H:%M}) is"
    return Stale(what, tuple(causes), "lowland classify run")


def stale_tabulation(
    connection: Connection, project: Project, tabulated: Record, current: Versions
) -> Stale | None:
    """Return what a tabulation is out of date by."""
    causes = tuple(
        differences(connection, tabulated, requests.tabulation(project, current, tabulated.engine), current)
    )
    if not causes:
        return None
    return Stale(f"The tabulation (run {tabulated.run_id}) is", causes, "lowland run --from tabulate")


def stale_units(
    connection: Connection, drawn: Record, request: Request, verdicts: Stale | None, current: Versions
) -> Stale | None:
    """Return what a draft of units is out of date by.

    `request` is what it would rest on now, `verdicts` what the newest classification is out of date by.
    """
    causes = dict.fromkeys(verdicts.causes if verdicts else ())
    causes |= dict.fromkeys(_newer_verdicts(connection, drawn))
    same_verdicts = {name: drawn.inputs.get(name) for name in ("classify", "classify_run")}
    now = Request(drawn.stage, {**request.inputs, **same_verdicts}, request.settings)
    causes |= dict.fromkeys(differences(connection, drawn, now, current))
    if not causes:
        return None
    what = f"The draft of units {drawn.settings['name']} (run {drawn.run_id}) is"
    name = "" if drawn.stage == requests.DELINEATE else " NAME"
    return Stale(what, tuple(causes), _after(verdicts, f"lowland unit draft{name}"))


def stale_registers(connection: Connection, drafted: Record, verdicts: Stale | None) -> Stale | None:
    """Return what the drafts of the registry are out of date by; `verdicts` as with units."""
    causes = dict.fromkeys(verdicts.causes if verdicts else ())
    causes |= dict.fromkeys(_newer_verdicts(connection, drafted))
    if drafted.code_version != program_version():
        causes[_other_program(drafted)] = None
    if not causes:
        return None
    what = f"The drafts of the registry (run {drafted.run_id}) are"
    return Stale(what, tuple(causes), _after(verdicts, "lowland registry draft"))


def _after(verdicts: Stale | None, command: str) -> str:
    return command if verdicts is None else f"{verdicts.command}, then: {command}"


def stale_checks(
    connection: Connection, checked: Record | None, chosen: Mapping[str, CheckDefinition], current: Versions
) -> Stale | None:
    """Return what the findings of some checks are out of date by; `checked` is the newest run that had them."""
    if checked is None:
        return Stale("The findings are", ("the check has not run yet",), "lowland check run")
    request, read = requests.checking(current, chosen), checked.inputs["versions"]
    if isinstance(read, dict):
        known = recorded_versions(connection, checked.run_id, read)
        read = numbered(
            [version for key in requests.checked_layers(chosen) for version in known.get(key, [])]
        )
    asked = {name: checked.settings["checks"][name] for name in chosen}
    part = checked.part({"versions": read}, {"checks": asked})
    causes = tuple(differences(connection, part, request, current))
    return Stale(f"The findings (run {checked.run_id}) are", causes, "lowland check run") if causes else None


def _verdict_causes(
    connection: Connection, project: Project, basis: Basis, current: Versions
) -> Iterator[str]:
    yield from differences(
        connection, basis.tabulated, requests.tabulation(project, current, basis.tabulated.engine), current
    )
    measuring = requests.measuring(connection, project, current, basis.tabulated)
    yield from differences(connection, basis.measured, measuring, current)
    settings = project.settings
    written = written_pack(settings.classify.pack, settings.folder)
    # What the run recorded of its pack was looked at when it ran, with every example.
    if written is not None:
        request = requests.classification(project, written, basis.measured)
        if request.digest == basis.classified.digest:
            return
    try:
        pack = rule_pack(settings.classify.pack, settings.folder, settings.project.as_of)
    except DefinitionError as error:
        yield f"the rule pack {settings.classify.pack} cannot be used any more: {str(error).splitlines()[0]}"
        return
    yield from differences(
        connection, basis.classified, requests.classification(project, pack, basis.measured), current
    )


def _newer_verdicts(connection: Connection, record: Record) -> Iterator[str]:
    newest = latest_record(connection, requests.CLASSIFY)
    if newest is not None and newest.digest != record.inputs["classify"]:
        before = record.inputs.get("classify_run")
        rests = "" if before is None else f"; this rests on run {before}"
        yield f"parcels were classified anew (run {newest.run_id}) since{rests}"


def differences(connection: Connection, record: Record, request: Request, current: Versions) -> Iterator[str]:
    """Yield in words what a run rests on that is another now; nothing where it would hold."""
    if record.digest == request.digest:
        return
    if record.code_version != program_version():
        yield _other_program(record)
    found = [
        *_deliveries(connection, record, request, current),
        *_papers(connection, record, request),
        *_settings(record, request),
    ]
    yield from found
    if not found and record.code_version == program_version():
        yield f"the stage {record.stage} (run {record.run_id}) read something else than what is there now"


def _other_program(record: Record) -> str:
    return f"lowland itself is another one: {record.code_version} then, {program_version()} now"


def _deliveries(connection: Connection, record: Record, request: Request, current: Versions) -> Iterator[str]:
    """Yield the layers whose deliveries in force are others than those that were read."""
    read = record.inputs.get("versions", {})
    wanted = request.inputs.get("versions", {})
    if not isinstance(read, dict) or read == wanted:
        return
    known = recorded_versions(connection, record.run_id, read)
    for key in layer_keys():
        before = known.get(key, [])
        after = [version for version in current.get(key, []) if str(version.version_id) in wanted]
        if {version.version_id for version in before} != {version.version_id for version in after}:
            yield f"{layer_definition(key).title} {key}: {_replaced(before, after)}"


def _replaced(before: list[Version], after: list[Version]) -> str:
    held = {version.version_id for version in before}
    fresh = [version for version in after if version.version_id not in held]
    came = ", ".join(_delivered(version) for version in fresh) or "no delivery is in force any more"
    rests = ", ".join(f"version {version.version_id}" for version in before) or "no delivery"
    return f"{came}; the results rest on {rests}"


def _delivered(version: Version) -> str:
    part = "" if version.part is None else f" (part {version.part})"
    day = "" if version.loaded_at is None else f" delivered {version.loaded_at:%Y-%m-%d %H:%M}"
    return f"version {version.version_id}{part}{day}"


def _papers(connection: Connection, record: Record, request: Request) -> Iterator[str]:
    name = "last_document"
    before, after = record.inputs.get(name), request.inputs.get(name)
    if before is not None and before != after:
        row = connection.execute(
            "SELECT count(*) FROM registry.document WHERE entry_id > %s", [before]
        ).fetchone()
        yield f"登记材料: {row[0] if row else 0} paper(s) registered or withdrawn since"


def _settings(record: Record, request: Request) -> Iterator[str]:
    for name in sorted({*record.settings, *request.settings}):
        before, after = record.settings.get(name), request.settings.get(name)
        if digest_of(before) != digest_of(after):
            yield from _setting(name, before, after)


def _setting(name: str, before: Any, after: Any) -> Iterator[str]:
    if name == "as_of":
        yield f"as_of: the results are judged for {before}, lowland.toml says {after}"
    elif name == requests.DEFINITIONS:
        before, after = before or {}, after or {}
        changed = [kind for kind in sorted({*before, *after}) if before.get(kind) != after.get(kind)]
        yield f"definitions/ of the project: {', '.join(changed)} other than then"
    elif name == "pack":
        yield from _pack(before, after)
    elif isinstance(before, dict) and isinstance(after, dict):
        changed = [
            key
            for key in sorted({*before, *after})
            if digest_of(before.get(key)) != digest_of(after.get(key))
        ]
        yield f"{name}: other than then: {', '.join(changed)}"
    else:
        yield f"{name}: {_short(before)} then, {_short(after)} now"


def _pack(before: Any, after: Any) -> Iterator[str]:
    if before is None or after is None or before.get("name") != after.get("name"):
        yield "the rule pack of lowland.toml is another one"
        return
    words = [
        f"{where}: {text}" if where else text
        for where, text in pack_differences(from_json(before), from_json(after))
    ]
    yield f"the rule pack {after.get('name')} was changed: {'; '.join(words[:_SHOWN]) or 'other words'}"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
