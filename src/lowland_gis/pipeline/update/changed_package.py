"""The package of what an update has changed, beside the whole one: entries that were added or changed, and those that are no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from lowland_gis.db.frames import read_geoframe
from lowland_gis.definitions.package import package_definition
from lowland_gis.pipeline.base.chain import chain_head
from lowland_gis.pipeline.base.entries import LOW_EFFICIENCY, NOT_IN_FORCE
from lowland_gis.pipeline.base.land import town_names
from lowland_gis.pipeline.base.runs import Record
from lowland_gis.pipeline.base.telling import Tell
from lowland_gis.pipeline.base.towns import town_codes
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.products.frames import kind_titles
from lowland_gis.pipeline.registry.determine import newest, with_states
from lowland_gis.pipeline.update.entries import low_now
from lowland_gis.pipeline.update.listed import Found
from lowland_gis.pipeline.update.opening import bases, filed_entries
from lowland_gis.products.package.build import PackageNames, PackageReport, build
from lowland_gis.quantities import MU_M2
from lowland_gis.schema.frames import FRAMES

_TITLES = {
    "added": "新增", "changed": "变更", "withdrawn": "撤销", "disposed": "已处置", "gone": "宗地已不存在", "not_low": "不再认定",
}  # fmt: skip
_ENDED = ("withdrawn", "disposed")
_SEPARATOR = "、"


def build_changed(
    held: Reading, found: Found, target: Path | None, *, overwrite: bool, tell: Tell
) -> PackageReport:
    """Build the package of an update beside the whole one; one that is as lowland built it is replaced.

    Raises:
        UsageError: the target holds something else and `overwrite` is not set.
        InputRefusedError: a value does not fit a field; nothing was written.
    """
    project = held.project
    settings = project.settings
    definition = package_definition(settings.package.changes, settings.folder)
    target = target or settings.path(settings.package.folder) / f"changes-{found.update.year}"
    project.outputs.check(target, overwrite=True)
    tell(f"package {definition.title} → {target}")
    names = PackageNames(settings.project.district_code, settings.project.district_name, found.update.year)
    provenance = {
        "synthetic": settings.project.synthetic,
        "crs": settings.project.crs,
        "registry_head": chain_head(held.connection),
        "update": {"year": found.update.year, "run": found.run_id},
        "before": dict(found.update.before),
        "after": dict(found.update.after),
    }
    frames = changed_frames(held, found)
    return build(frames, definition, names, target, provenance=provenance, replace=True, overwrite=overwrite)


def changed_frames(held: Reading, found: Found) -> dict[str, pd.DataFrame]:
    """Return the frames of the package: update_changed (new outlines) and update_gone (old outlines).

    Added is what stands in the register of low-efficient land and was not filed before; changed what was, and its parcel has a change;
    gone is what was filed and is in force no more, on a parcel that is no more, or not low-efficient any more.
    """
    rows = with_states(
        held.connection, LOW_EFFICIENCY, newest(held.connection, LOW_EFFICIENCY.table, ["parcel_id"])
    )
    filed = {
        entry.subject: entry.state
        for entry in filed_entries(held.connection)
        if entry.register == LOW_EFFICIENCY.register
    }
    told = _told(found.changes)
    before, after = bases(held.connection, found.update)
    shapes_now, shapes_then = _shapes(held, after.parcels), _shapes(held, before.parcels)
    present = set(shapes_now["parcel_id"])
    rows = rows[~rows["stands"].isin([*NOT_IN_FORCE, *_ENDED])]
    standing = rows[rows["parcel_id"].isin(present)].set_index("parcel_id")
    low = {code for code, still in low_now(held.basis, held.connection).items() if still}
    changed = {
        code: "changed" if code in filed else "added"
        for code in standing.index
        if code not in filed or code in told.index
    }
    every = ((code, _gone(code, state, present, low)) for code, state in filed.items())
    gone = {code: why for code, why in every if why is not None}
    changed = {code: why for code, why in changed.items() if code not in gone}
    return {
        "update_changed": _frame(held, changed, shapes_now, told, standing, measured=after.measured),
        "update_gone": _frame(
            held, gone, shapes_then, told, rows.set_index("parcel_id"), measured=before.measured
        ),
    }


def _gone(code: str, state: str, present: set[Any], low: set[Any]) -> str | None:
    if state in _ENDED:
        return state
    if code not in present:
        return "gone"
    return None if code in low else "not_low"


def _told(changes: pd.DataFrame) -> pd.DataFrame:
    """Return by parcel what its changes are called, what made them, and the parcels before and after, where these are others."""
    rows: dict[str, dict[str, list[str]]] = {}
    for change in changes.to_dict("records"):
        olds = change["old_parcels"].split(_SEPARATOR) if change["old_parcels"] else []
        news = change["new_parcels"].split(_SEPARATOR) if change["new_parcels"] else []
        for code in dict.fromkeys([*olds, *news]):
            row = rows.setdefault(code, {"kinds": [], "causes": [], "from": [], "into": []})
            row["kinds"].append(change["kind_title"])
            row["causes"].append(change["cause_title"])
            row["from"] += [old for old in olds if code in news and old != code]
            row["into"] += [new for new in news if code in olds and new != code]
    joined = {
        code: {name: _SEPARATOR.join(dict.fromkeys(texts)) or None for name, texts in row.items()}
        for code, row in rows.items()
    }
    frame = pd.DataFrame.from_dict(
        joined, orient="index", columns=["kinds", "causes", "from", "into"], dtype=object
    )
    return frame.rename_axis("parcel_id")


def _shapes(held: Reading, versions: list[int]) -> gpd.GeoDataFrame:
    return read_geoframe(
        held.connection,
        "SELECT parcel_id, area_m2, ST_AsBinary(geom) AS geom FROM land.parcel WHERE version_id = ANY(%s) ORDER BY parcel_id",
        [versions],
        srid=held.project.srid,
    )


def _frame(
    held: Reading,
    chosen: dict[str, str],
    shapes: gpd.GeoDataFrame,
    told: pd.DataFrame,
    entries: pd.DataFrame,
    *,
    measured: Record,
) -> gpd.GeoDataFrame:
    rows = shapes[shapes["parcel_id"].isin(list(chosen))].reset_index(drop=True)
    codes = rows["parcel_id"].tolist()
    towns = town_codes(held.connection, measured, codes)
    names = town_names(held.connection, held.versions("town"))
    titles = kind_titles(held.basis.pack, held.project.legend)
    about = told.reindex(codes)
    entry = entries.reindex(codes)
    made = rows.assign(
        town_code=towns,
        town_name=[names.get(town) if town is not None else None for town in towns],
        change=[chosen[code] for code in codes],
        change_title=[_TITLES[chosen[code]] for code in codes],
        change_kinds=about["kinds"].to_numpy(),
        causes=about["causes"].to_numpy(),
        came_from=about["from"].to_numpy(),
        became=about["into"].to_numpy(),
        area_before_m2=_areas_before(held, codes),
        area_mu=(rows["area_m2"] / MU_M2).round(4),
        kind_title=entry["kind"].map(titles).to_numpy(),
        state=entry["stands"].to_numpy(),
        reason=[_TITLES[chosen[code]] for code in codes],
    )
    columns = [*FRAMES["update_gone"].column_names, "geometry"]
    texts = [
        column
        for column in columns
        if column != "geometry" and not pd.api.types.is_numeric_dtype(made[column])
    ]
    made = made.assign(
        **{column: made[column].astype(object).where(made[column].notna(), None) for column in texts}
    )
    return gpd.GeoDataFrame(made[columns], geometry="geometry", crs=rows.crs)


def _areas_before(held: Reading, codes: list[str]) -> list[float | None]:
    """Return the area that each parcel was filed with, where it was."""
    rows = held.connection.execute(
        "SELECT DISTINCT ON (parcel_id) parcel_id, area_m2 FROM registry.low_efficiency WHERE parcel_id = ANY(%s) ORDER BY parcel_id, entry_id",
        [codes],
    ).fetchall()
    known = dict(rows)
    return [known.get(code) for code in codes]
