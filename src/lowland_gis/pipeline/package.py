"""File a package for the city bureau, and draw the overview map."""

from __future__ import annotations

from pathlib import Path

from lowland_gis.definitions.package import package_definition
from lowland_gis.deliver.package import PackageNames, PackageReport, build
from lowland_gis.deliver.sheet import overview
from lowland_gis.pipeline.frames import current_pack, delivery_frames, kind_titles, map_frames
from lowland_gis.pipeline.project import Project, Tell, silent
from lowland_gis.pipeline.runs import needed_run

_STAGES = ("tabulate", "measure", "classify", "delineate", "determine")


def package(
    project: Project, target: Path | None = None, *, overwrite: bool = False, tell: Tell = silent
) -> PackageReport:
    """Build the package from the registry as it stands now; one that is as lowland built it is replaced.

    Raises:
        UsageError: a stage before this one has not run, or the target holds something else and `overwrite` is not set.
        InputRefusedError: a value does not fit a field; nothing was written.
    """
    settings = project.settings
    names = PackageNames(
        settings.project.district_code, settings.project.district_name, settings.project.as_of.year
    )
    definition = package_definition(settings.package.definition, settings.folder)
    target = target or settings.path(settings.package.folder) / "package"
    project.outputs.check(target, overwrite=True)
    tell(f"package {definition.title} → {target}")
    with project.transaction() as connection:
        frames = delivery_frames(connection, project)
        runs = {stage: needed_run(connection, stage) for stage in _STAGES}
    provenance = {
        "synthetic": settings.project.synthetic,
        "crs": settings.project.crs,
        "rule_pack": settings.classify.pack,
        "runs": {stage: {"run": run.run_id, "digest": run.digest} for stage, run in runs.items()},
    }
    return build(frames, definition, names, target, provenance=provenance, replace=True, overwrite=overwrite)


def overview_map(
    project: Project, target: Path | None = None, *, overwrite: bool = False, tell: Tell = silent
) -> Path:
    """Draw the overview map as a PNG.

    Raises:
        UsageError: the file is there, is not as lowland wrote it, and `overwrite` is not set.
    """
    settings = project.settings
    target = target or settings.path(settings.package.folder) / "overview.png"
    tell(f"map {target}")
    with project.outputs.writing(target, overwrite=overwrite):
        with project.transaction() as connection:
            frames = map_frames(connection, project)
            kinds = kind_titles(current_pack(connection))
        overview(
            frames,
            target,
            title=f"{settings.project.district_name}低效用地与再开发单元",
            note="认定阈值为示例" if settings.project.synthetic else "",
            data_date=settings.project.as_of.isoformat(),
            mark="合成数据 示例" if settings.project.synthetic else "",
            kinds=kinds,
        )
    return target
