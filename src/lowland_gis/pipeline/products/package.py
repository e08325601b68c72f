"""File a package for the city bureau, and draw the overview map: each of one state of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from lowland_gis.db.connect import Connection
from lowland_gis.definitions.legend import Legend
from lowland_gis.definitions.package import package_definition
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.chain import chain_head
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.protection import said_of_units
from lowland_gis.pipeline.base.requests import DELINEATE, DETERMINE
from lowland_gis.pipeline.base.runs import Record, needed_record
from lowland_gis.pipeline.base.stale import Stale, refuse
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.reading import Reading, reading
from lowland_gis.pipeline.products.frames import (
    delivery_frames,
    kind_titles,
    map_frames,
    pack_legend,
    shown_parcels,
)
from lowland_gis.pipeline.products.still_filed import Filed, as_filed, keep_filed, products_basis
from lowland_gis.pipeline.products.together import stale_on_the_map, stale_results
from lowland_gis.pipeline.units.frozen import frozen_units
from lowland_gis.pipeline.units.frozen_changes import affected_frozen, stale_frozen
from lowland_gis.products.package.build import PackageNames, PackageReport, build

if TYPE_CHECKING:
    from lowland_gis.products.maps import overview as maps
else:
    # A package alone draws no map, and Matplotlib takes a tenth of what a package of a whole district does.
    maps = when_used("lowland_gis.products.maps.overview")


@dataclass(frozen=True)
class Contents:
    """What a package holds, all of one state of the database; `stale` says which frozen units rest on other verdicts.

    `doubts` say of which units it is not known whether they lie in protected land; they stand in the manifest too.
    """

    frames: Mapping[str, pd.DataFrame]
    provenance: Mapping[str, Any]
    stale: Stale | None
    doubts: tuple[str, ...] = ()


def package_contents(held: Reading, shown: gpd.GeoDataFrame | None = None) -> Contents:
    """Return what a package holds; `shown` are the `shown_parcels`, where they have been read already.

    Raises:
        UsageError: a stage before this one has not run.
        StaleError: verdicts, units and registry do not rest on each other and on the deliveries in force, or a correction has touched
            frozen units.
    """
    for stale in (*stale_results(held), affected_frozen(held)):
        refuse(stale, "No package was built")
    basis, connection = held.basis, held.connection
    runs = [basis.tabulated, basis.measured, basis.classified]
    runs += [needed_record(connection, stage) for stage in (DELINEATE, DETERMINE)]
    frozen_on = sorted({int(run) for run in frozen_units(connection)["run_id"]})
    doubts = () if frozen_on else _doubts(connection)
    settings, legend = held.project.settings, held.project.legend
    provenance = {
        "synthetic": settings.project.synthetic,
        "crs": settings.project.crs,
        "rule_pack": settings.classify.pack,
        "registry_head": chain_head(connection),
        "runs": {run.stage: _cited(run) for run in runs},
        "deliveries": sorted(version.cited for versions in basis.versions.values() for version in versions),
        **({} if legend.digest is None else {"legend": legend.digest}),
        **({"frozen_from_drafts": frozen_on} if frozen_on else {}),
        **({"doubts": list(doubts)} if doubts else {}),
    }
    return Contents(delivery_frames(held, shown), provenance, stale_frozen(held), doubts)


def _doubts(connection: Connection) -> tuple[str, ...]:
    """Return what is not known of the units of the flow; frozen ones cannot have such doubts."""
    run = needed_record(connection, DELINEATE).run_id
    row = connection.execute("SELECT findings FROM result.draft WHERE run_id = %s", [run]).fetchone()
    return tuple(said_of_units(pd.DataFrame(row[0] if row else [])))


def _cited(run: Record) -> dict[str, Any]:
    return {"run": run.run_id, "digest": run.digest, "program": run.code_version}


def file_package(
    project: Project,
    contents: Contents,
    target: Path | None = None,
    *,
    forms: Sequence[str] = (),
    overwrite: bool = False,
    tell: Tell = silent,
) -> PackageReport:
    """Write a package from the registry as it stood; one that is as lowland built it is replaced.

    `forms` take the place of those that the definition names.

    Raises:
        UsageError: the target holds something else and `overwrite` is not set.
        InputRefusedError: a value does not fit a field; nothing was written.
    """
    settings = project.settings
    names = PackageNames(
        settings.project.district_code, settings.project.district_name, settings.project.as_of.year
    )
    definition = package_definition(settings.package.definition, settings.folder).in_forms(forms)
    target = target or settings.path(settings.package.folder) / "package"
    project.outputs.check(target, overwrite=True)
    tell(f"package {definition.title} → {target}")
    for doubt in contents.doubts:
        tell(f"Warning: {doubt}")
    return build(
        contents.frames,
        definition,
        names,
        target,
        provenance=contents.provenance,
        replace=True,
        overwrite=overwrite,
    )


@dataclass(frozen=True)
class MapContents:
    """What the overview map shows, all of one state of the database: `kinds` are titles; and what of it is out of date.

    `frozen` says which frozen units a correction has touched, or that they rest on other verdicts. `legend` knows every kind; `doubts`
    say which of them it had to find a colour for.
    """

    frames: Mapping[str, gpd.GeoDataFrame]
    kinds: Mapping[str, str]
    stale: Stale | None
    frozen: Stale | None
    legend: Legend
    doubts: tuple[str, ...] = ()


def map_contents(held: Reading, shown: gpd.GeoDataFrame | None = None) -> MapContents:
    """Return what the overview map shows; `shown` are the `shown_parcels`, where they have been read already."""
    legend, doubts = pack_legend(held)
    titles = kind_titles(held.basis.pack, legend)
    return MapContents(
        map_frames(held, shown), titles, stale_on_the_map(held), stale_frozen(held), legend, tuple(doubts)
    )


def draw_overview(
    project: Project,
    contents: MapContents,
    target: Path | None = None,
    *,
    overwrite: bool = False,
    tell: Tell = silent,
) -> Path:
    """Draw the overview map as a PNG; where it is out of date, the sheet says so too.

    Raises:
        UsageError: the file is there, is not as lowland wrote it, and `overwrite` is not set.
    """
    settings = project.settings
    target = target or settings.path(settings.package.folder) / "overview.png"
    tell(f"map {target}")
    for doubt in contents.doubts:
        tell(f"Warning: {doubt}")
    notes = ["认定阈值为示例"] if settings.project.synthetic else []
    notes += [] if contents.stale is None and contents.frozen is None else ["成果已过期，与现行数据不一致"]
    with project.outputs.writing(target, overwrite=overwrite):
        maps.overview(
            contents.frames,
            target,
            title=f"{settings.project.district_name}低效用地与再开发单元",
            note="；".join(notes),
            data_date=settings.project.as_of.isoformat(),
            mark="合成数据 示例" if settings.project.synthetic else "",
            kinds=contents.kinds,
            legend=contents.legend,
        )
    return target


def package_and_map(project: Project, *, tell: Tell = silent) -> Filed:
    """Build the package and draw the map of one state of the database, and note what they rest on."""
    with reading(project) as held:
        shown = shown_parcels(held)
        contents, drawn = package_contents(held, shown), map_contents(held, shown)
        basis = products_basis(held.connection, project)
    report = file_package(project, contents, tell=tell)
    picture = draw_overview(project, drawn, tell=tell)
    warnings = tuple(f"Warning: {doubt}" for doubt in (*contents.doubts, *drawn.doubts))
    stale = None if contents.stale is None else str(contents.stale)
    filed = as_filed(basis or "", report.target, len(report.files), picture, warnings, stale)
    if basis is not None:
        keep_filed(project, filed)
    return filed
