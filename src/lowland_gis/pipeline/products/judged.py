"""Judge a package that anybody made, and write what was found; no database is needed, and no project."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lowland_gis.definitions.judging import Judging, judging
from lowland_gis.definitions.package import PackageDefinition, package_definition, package_names
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.telling import Passing, Tell, silent
from lowland_gis.products.judging.findings import Mark
from lowland_gis.products.judging.judge import Judged, judge, package_folder, said_by_manifest
from lowland_gis.products.judging.report import write_layer, write_table
from lowland_gis.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """What was found in a package, the mark, by which rules, and by which definition."""

    judged: Judged
    mark: Mark
    how: Judging
    definition: PackageDefinition


def judge_package(
    target: Path,
    *,
    definition: str | None,
    folder: Path,
    settings: Settings | None,
    forms: Sequence[str] = (),
    tell: Tell = silent,
) -> Outcome:
    """Judge the package in a folder or a zip by a definition: the one that is named, else that of its manifest, else the project's.

    `folder` is what the path of a definition is relative to. Forms are those that are named, else those of the manifest, else of the
    definition.

    Raises:
        UsageError: there is no package, or nothing says by which definition to judge.
        InputRefusedError: a zip is broken, unsafe or too large.
    """
    how = judging()
    with package_folder(target) as package:
        said = said_by_manifest(package)
        wanted = _definition(definition, folder, settings, said.get("package"))
        built = said.get("forms")
        asked = list(forms) or (built if _is_list_of_texts(built) else None)
        judged = judge(package, wanted, how, forms=asked, tell=lambda text: tell(Passing(text)))
    if judged.mark is None:
        raise AssertionError("a package that was judged has a mark")
    return Outcome(judged, judged.mark, how, wanted)


def write_outcome(outcome: Outcome, target: Path, *, table: Path | None, layer: Path | None) -> None:
    """Write findings as a table and as a layer, where they are wanted.

    Raises:
        InputRefusedError: a file cannot be written.
    """
    if table is not None:
        day = dt.datetime.now(tz=dt.UTC).date()
        write_table(outcome.judged, outcome.mark, outcome.how, table, package=target.name, day=day)
    if layer is not None:
        write_layer(outcome.judged.findings, outcome.how, layer, crs=outcome.judged.crs)


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _definition(
    named: str | None, folder: Path, settings: Settings | None, said: object
) -> PackageDefinition:
    if named is not None:
        return package_definition(named, folder)
    own = [] if settings is None else [settings.package.definition, settings.package.changes]
    name = said.get("name") if isinstance(said, dict) else None
    if isinstance(name, str) and settings is not None:
        for each in own:
            found = package_definition(each, settings.folder)
            if found.name == name:
                return found
    if isinstance(name, str) and name in package_names():
        return package_definition(name, folder)
    if settings is not None:
        return package_definition(settings.package.definition, settings.folder)
    raise UsageError(
        "nothing says by which definition the package is to be judged: it has no manifest that names one, and there is no lowland.toml"
        f" here. Name one: --definition FILE.toml, or one of {', '.join(package_names())}"
    )
