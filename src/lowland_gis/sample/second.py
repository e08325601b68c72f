"""The second year of a sample district: its deliveries, the decisions on the first year, another edition of the pack, and what was planted.

Everything follows from the number of parcels and the seed, so it is the year after `write_district` of the same two. The files lie beside
those of the first year, which are left as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.sample import controls, rebuilt, refigured, resurvey
from lowland_gis.sample.decisions import Decision, decide, listed_decisions
from lowland_gis.sample.deliveries import BUILDING, PARCEL, SOURCES, SUPPLY
from lowland_gis.sample.district import NOTICE, NOTICE_FILE, PLANAR, ZONED
from lowland_gis.sample.edition import EDITION, write_edition
from lowland_gis.sample.first import FirstYear, first_year
from lowland_gis.sample.grown import Growth, change_records, drift_points, merge_parcels, split_parcels
from lowland_gis.sample.increment_forms import DLTBGX, DLTBGXGC, XZQGX, XZQGXGC
from lowland_gis.sample.papers import with_zone_prefix
from lowland_gis.sample.spoil import NOTES, SpoiltShares
from lowland_gis.sample.town_line import MovedLine, move_line
from lowland_gis.sample.write import write_layer, write_shapefile, write_table, write_workbook

DELIVERIES = "deliveries/2025"
SURVEY = "规资分局/年度国土变更调查.gpkg"
INCREMENT = "规资分局/更新数据包"
CHANGES, TRUTH = "truth/changes.csv", "truth/2025.csv"
FIRST_DAY, SECOND_DAY = dt.date(2023, 12, 31), dt.date(2024, 12, 31)


@dataclass(frozen=True)
class SecondYear:
    """What was written: sources are layer key and path below `folder`, all of `as_of`; `base` is the survey of the year before.

    `pack` is the edition of the rule pack for this year, `decisions` what people decided on the first year, in their order.
    """

    folder: Path
    sources: tuple[tuple[str, str], ...]
    base: tuple[str, str]
    base_as_of: dt.date
    as_of: dt.date
    pack: str
    truth: Path
    changes: Path
    decisions: tuple[Decision, ...]


def _silent(_text: str) -> None:
    """Say nothing."""


def write_second_year(
    folder: Path,
    *,
    parcels: int = 3000,
    seed: int = 1,
    progress: Callable[[str], None] = _silent,
    spoilt: SpoiltShares | None = None,
) -> SecondYear:
    """Write the year after `write_district` of the same number and seed below `folder`; the same two give the same bytes.

    Faults of the first year stand in the second as they were; those of `every_layer` are not known here.
    """
    progress("growing a year")
    first = first_year(parcels, seed, spoilt or SpoiltShares())
    growth = Growth.of(first, seed)
    split_parcels(growth)
    merge_parcels(growth)
    rebuilt.build(growth)
    rebuilt.take_down(growth)
    reclaimed, settled = rebuilt.reclaim(growth), rebuilt.settle(growth)
    supplies = refigured.contract_frame(growth)
    firms, output = refigured.firm_table(growth)
    drift_points(growth)
    change_records(growth)
    survey = resurvey.survey_year(growth, settled, reclaimed)
    line = move_line(growth)
    decide(growth, folder, FIRST_DAY)
    target = folder / DELIVERIES
    target.mkdir(parents=True, exist_ok=True)
    (target / NOTICE_FILE).write_bytes(NOTICE.encode())
    write_shapefile(target / SOURCES["parcel"], growth.frame(), PARCEL, crs=PLANAR)
    write_shapefile(target / SOURCES["building"], rebuilt.building_frame(growth), BUILDING, crs=PLANAR)
    shifted = with_zone_prefix(supplies.geometry.to_numpy())
    supplies = gpd.GeoDataFrame(supplies.drop(columns="geometry"), geometry=shifted, crs=ZONED)
    write_shapefile(target / SOURCES["supply"], supplies, SUPPLY, crs=ZONED)
    _write_areas(target, first, line)
    write_workbook(target / f"税务局/企业{refigured.SECOND_YEAR}.xlsx", firms)
    progress(f"{DELIVERIES}/{SURVEY}")
    _write_survey(target, survey, line)
    truth, changes = folder / TRUTH, folder / CHANGES
    truth.parent.mkdir(parents=True, exist_ok=True)
    write_table(truth, _truth(growth))
    write_table(changes, growth.changes.table())
    write_edition(folder, output)
    return second_year(folder)


def second_year(folder: Path) -> SecondYear:
    """Return what `write_second_year` wrote below a folder."""
    return SecondYear(
        folder, _sources(), ("dltb_annual", f"{DELIVERIES}/{SURVEY}:DLTB{FIRST_DAY.year}"), FIRST_DAY, SECOND_DAY, EDITION, folder / TRUTH,
        folder / CHANGES, listed_decisions(folder),
    )  # fmt: skip


def _sources() -> tuple[tuple[str, str], ...]:
    known = [(key, SOURCES[key]) for key in ("parcel", "supply", "building", "town", "village")]
    known += [
        ("enterprise", f"税务局/企业{refigured.SECOND_YEAR}.xlsx"),
        ("dltb_annual", f"{SURVEY}:DLTB{SECOND_DAY.year}"),
        ("dltb_change", f"{INCREMENT}/DLTBGX.shp"),
        ("dltb_process", f"{INCREMENT}/DLTBGXGC.shp"),
        ("town_change", f"{INCREMENT}/XZQGX.shp"),
        ("town_process", f"{INCREMENT}/XZQGXGC.shp"),
    ]
    return tuple((key, f"{DELIVERIES}/{source}") for key, source in known)


def _write_areas(target: Path, first: FirstYear, line: MovedLine) -> None:
    """Write the file of the civil affairs office anew: its three layers are one file."""
    path = target / SOURCES["town"].partition(":")[0]
    path.unlink(missing_ok=True)
    district = controls.admin_areas(first.district.layout, first.district.places)["district"]
    for key, frame in (("district", district), ("town", line.towns), ("village", line.villages)):
        write_layer(path, SOURCES[key].partition(":")[2], frame, crs=PLANAR, driver="GPKG")


def _write_survey(target: Path, survey: resurvey.Survey, line: MovedLine) -> None:
    path = target / SURVEY
    path.unlink(missing_ok=True)
    for day, frame in ((FIRST_DAY, survey.before), (SECOND_DAY, survey.now)):
        write_layer(path, f"DLTB{day.year}", frame, crs=PLANAR, driver="GPKG")
    for name, frame, form in (
        ("DLTBGX", survey.changed, DLTBGX),
        ("DLTBGXGC", survey.process, DLTBGXGC),
        ("XZQGX", line.changed, XZQGX),
        ("XZQGXGC", line.pieces, XZQGXGC),
    ):
        write_shapefile(target / INCREMENT / f"{name}.shp", frame, form, crs=PLANAR)


def _truth(growth: Growth) -> pd.DataFrame:
    """Return what every parcel of the second year is, as `truth.csv` says it of the first."""
    first = growth.first
    lots, places = first.district.lots, first.district.places
    frame = growth.frame().drop_duplicates("ZDDM")
    codes = frame["ZDDM"].astype(str).tolist()
    clean = dict(zip(lots.codes.tolist(), lots.shapes, strict=True))
    planted = dict(zip(lots.codes.tolist(), zip(lots.kind, lots.subkind, strict=True), strict=True))
    towns = dict(zip(lots.codes.tolist(), places.town_codes[lots.town], strict=True))
    spoilt = [first.faults.get(code, "") for code in codes]
    shapes = [
        clean[code] if fault else shape
        for code, fault, shape in zip(codes, spoilt, frame.geometry, strict=True)
    ]
    kinds = [growth.kinds[code] for code in codes]
    return pd.DataFrame(
        {
            "parcel_id": codes,
            "kind": kinds,
            "subkind": [
                planted[code][1] if code in planted and planted[code][0] == kind else ""
                for code, kind in zip(codes, kinds, strict=True)
            ],
            "town_code": [towns.get(code, code[:9]) for code in codes],
            "area_m2": np.round(shapely.area(np.array(shapes, dtype=object)), 2),
            "spoilt": spoilt,
            "note": [NOTES.get(fault, "") for fault in spoilt],
        }
    )
