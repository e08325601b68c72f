"""Draw one district and deliver it: the files of ten offices, the truth, and the list of what was spoilt."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.errors import UsageError
from lowland_gis.sample import controls, papers
from lowland_gis.sample.buildings import Built, raise_buildings
from lowland_gis.sample.deliveries import FARMLAND, FORMS, SOURCES
from lowland_gis.sample.dice import Flags, Texts
from lowland_gis.sample.firms import YEARS, enterprise_tables
from lowland_gis.sample.further import FURTHER
from lowland_gis.sample.layout import Layout, draw_layout
from lowland_gis.sample.lots import Lots, plant, survey_lots
from lowland_gis.sample.places import Places, name_places
from lowland_gis.sample.planted import empty_cells, plant_faults
from lowland_gis.sample.spoil import NOTES, Record, SpoiltShares, drop_shape, spoil_layer, spoil_parcels
from lowland_gis.sample.survey2 import classes_2009, lines_2009, polygons_2009
from lowland_gis.sample.survey3 import features_2019, settlements_2019
from lowland_gis.sample.write import (
    write_intensity,
    write_layer,
    write_shapefile,
    write_table,
    write_workbook,
    write_zip,
)

NOTICE = "本目录全部为程序生成的合成数据，宗地、图斑、企业与年份均为虚构，不代表任何真实地块或单位。\n"
INCOMING, NOTICE_FILE = "incoming", "说明.txt"
SHAPEFILE_PARTS = (".shp", ".dbf", ".shx", ".prj", ".cpg")
FEWEST, MOST = 200, 2_000_000
AS_OF = dt.date(2023, 12, 31)
PLANAR, ZONED, DEGREES = "EPSG:4548", "EPSG:4527", "EPSG:4490"


@dataclass(frozen=True)
class Delivery:
    """What was written: sources are pairs of layer key and path (or path:layer) below `folder`."""

    folder: Path
    sources: tuple[tuple[str, str], ...]
    truth: Path
    spoilt: Path
    counts: dict[str, int]
    as_of: dt.date


@dataclass(frozen=True)
class District:
    """The district in memory, before any file is written."""

    layout: Layout
    places: Places
    old_classes: Texts
    lots: Lots
    papers: papers.Papers
    seed: int


def _silent(_text: str) -> None:
    """Say nothing."""


def write_district(
    folder: Path,
    *,
    parcels: int = 3000,
    seed: int = 1,
    progress: Callable[[str], None] = _silent,
    spoilt: SpoiltShares | None = None,
) -> Delivery:
    """Write a synthetic district below `folder`: `incoming/` as the offices deliver, `truth.csv`, `spoilt.csv`.

    The same number and seed give the same content. What an earlier call wrote there is written anew, other files are left alone.

    Raises:
        UsageError: outside 200 to 2,000,000 parcels; or files of these names are there and the notice of the sample is not.
    """
    check_size(parcels)
    _refuse_foreign(folder)
    progress("drawing the plan")
    writer = _Writer(folder, draw_district(parcels, seed), progress, spoilt or SpoiltShares())
    writer.write()
    return writer.delivery()


def draw_district(parcels: int, seed: int) -> District:
    """Draw the district in memory."""
    layout = draw_layout(parcels, seed)
    places = name_places(layout)
    old_classes = classes_2009(layout, places, seed)
    lots = plant(survey_lots(layout, places, old_classes), layout.zones, seed)
    return District(layout, places, old_classes, lots, papers.hand_out(lots, seed), seed)


def check_size(parcels: int) -> None:
    """Refuse a number of parcels that no district is made of.

    Raises:
        UsageError: outside 200 to 2,000,000.
    """
    if not FEWEST <= parcels <= MOST:
        raise UsageError(
            f"{parcels:,} parcels: the sample district has {FEWEST:,} to {MOST:,}, so nothing was written. "
            "Give a number in that range, for example --parcels 3000."
        )


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder whose files have the names of the sample's and are not the sample's."""
    notice = folder / INCOMING / NOTICE_FILE
    if notice.is_file() and notice.read_bytes() == NOTICE.encode():
        return
    there = [name for name in (INCOMING, "truth.csv", "spoilt.csv") if (folder / name).exists()]
    if there:
        raise UsageError(
            f"{folder}: {' and '.join(there)} are there and not the sample's, so nothing was written. Name another folder."
        )


def _removed(incoming: Path) -> None:
    """Take away the deliveries of an earlier district, and nothing else that lies beside them."""
    names = {source.partition(":")[0] for source in SOURCES.values()} | {_enterprise(year) for year in YEARS}
    for path in (incoming / name for name in names):
        suffixes = SHAPEFILE_PARTS if path.suffix == ".shp" else (path.suffix, "")
        for part in map(path.with_suffix, suffixes):
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink(missing_ok=True)


def _enterprise(year: int) -> str:
    return f"税务局/企业{year}.xlsx"


class _Writer:
    """Writes layer by layer, so that only one layer is in memory at a time."""

    def __init__(
        self, folder: Path, district: District, progress: Callable[[str], None], spoilt: SpoiltShares
    ) -> None:
        self._folder = folder
        self._district = district
        self._progress = progress
        self._shares = spoilt
        self._records: list[Record] = []
        self._faults: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def write(self) -> None:
        """Write every file."""
        incoming = self._folder / INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        # First of all, because it says that what follows is the sample's.
        (incoming / NOTICE_FILE).write_bytes(NOTICE.encode())
        _removed(incoming)
        built = self._buildings()
        self._parcels(built)
        self._third_survey()
        self._second_survey()
        self._plans()
        self._legal(built)
        self._base()
        self._further()
        self._firms()
        self._progress("truth")
        write_table(self._folder / "truth.csv", truth_table(self._district, self._faults))
        records = [
            ("parcel", code, fault, NOTES[fault]) for code, fault in self._faults.items()
        ] + self._records
        write_table(
            self._folder / "spoilt.csv", pd.DataFrame(records, columns=["layer", "key", "fault", "note"])
        )

    def delivery(self) -> Delivery:
        """Return what was written."""
        sources = [(key, source) for key, source in SOURCES.items() if key != "enterprise"]
        sources += [("enterprise", _enterprise(year)) for year in YEARS]
        relative = tuple((key, f"incoming/{source}") for key, source in sources)
        return Delivery(
            self._folder,
            relative,
            self._folder / "truth.csv",
            self._folder / "spoilt.csv",
            self._counts,
            AS_OF,
        )

    def _path(self, key: str) -> tuple[Path, str]:
        name, _, layer = SOURCES[key].partition(":")
        return self._folder / "incoming" / name, layer

    def _planted(self, key: str, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return a layer with the faults of `every_layer`; records that are spoilt already are left alone."""
        spoilt = [name for layer, name, _, _ in self._records if layer == key]
        if key in ("parcel", "enterprise"):
            spoilt += list(self._faults)
        frame, records = plant_faults(
            key, frame, seed=self._district.seed, share=self._shares.every_layer, spoilt=spoilt
        )
        self._records += records
        return frame

    def _layer(self, key: str, frame: gpd.GeoDataFrame, crs: str = PLANAR) -> None:
        self._progress(SOURCES[key])
        self._counts[key] = len(frame)
        path, layer = self._path(key)
        if key in FORMS:
            write_shapefile(path, frame, FORMS[key], crs=crs)
        else:
            driver = "OpenFileGDB" if path.suffix == ".gdb" else "GPKG"
            write_layer(path, layer, frame, crs=crs, driver=driver)

    def _spoil(
        self, layer: str, frame: gpd.GeoDataFrame, key: str, code: str, free: Flags | None = None
    ) -> gpd.GeoDataFrame:
        free = np.ones(len(frame), dtype=bool) if free is None else free
        frame, records = spoil_layer(
            layer,
            frame,
            key=key,
            code=code,
            free=free,
            seed=self._district.seed,
            share=self._shares.other_layers,
        )
        self._records += records
        return frame

    def _parcels(self, built: Built) -> None:
        district = self._district
        frame = papers.parcel_frame(district.lots, district.places, district.papers, built, district.seed)
        frame, self._faults = spoil_parcels(frame, district.lots, district.seed, self._shares)
        self._layer("parcel", self._planted("parcel", frame))
        self._counts["distinct parcels"] = len(district.lots)

    def _third_survey(self) -> None:
        district = self._district
        features = features_2019(district.layout, district.places)
        self._layer("czcdyd3", self._planted("czcdyd3", settlements_2019(features, district.places)))
        fields = controls.farmland(district.layout, district.lots, features, district.seed)
        self._farmland(self._planted("farmland", self._spoil("farmland", fields, "BSM", "DLBM")))
        calm = features["DLBM"].isin(["0301", "0201", "1006", "1104"]).to_numpy()
        spoilt = self._spoil("dltb3", features, "BSM", "DLBM", calm)
        if self._shares.other_layers > 0:
            spoilt, records = drop_shape("dltb3", spoilt, key="BSM", row=int(np.flatnonzero(calm)[-1]))
            self._records += records
        self._layer("dltb3", self._planted("dltb3", spoilt))

    def _farmland(self, frame: gpd.GeoDataFrame) -> None:
        self._progress(SOURCES["farmland"])
        self._counts["farmland"] = len(frame)
        path, _ = self._path("farmland")
        unpacked = path.with_suffix("")
        write_shapefile(unpacked / "永久基本农田.shp", frame, FARMLAND, crs=PLANAR)
        write_zip(path, unpacked, "永久基本农田成果")
        shutil.rmtree(unpacked)

    def _second_survey(self) -> None:
        district = self._district
        old = polygons_2009(district.layout, district.places, district.old_classes, district.seed)
        calm = old["DLBM"].isin(["011", "012", "013", "031", "033", "021"]).to_numpy()
        self._layer("dltb2", self._planted("dltb2", self._spoil("dltb2", old, "BSM", "DLBM", calm)))
        lines = lines_2009(district.layout, district.old_classes, district.places, district.seed)
        self._layer("xzdw2", self._planted("xzdw2", lines))

    def _plans(self) -> None:
        layout, lots, seed = self._district.layout, self._district.lots, self._district.seed
        self._layer("eco_redline", self._planted("eco_redline", controls.red_lines(layout, lots)))
        boundary = controls.development_boundary(layout)
        self._layer("development_boundary", self._planted("development_boundary", boundary))
        self._layer("plan_zone", self._planted("plan_zone", controls.plan_zones(layout)))
        plans = self._spoil("plan_parcel", controls.plan_parcels(layout, lots, seed), "DKBH", "YDDM")
        self._layer("plan_parcel", self._planted("plan_parcel", plans))

    def _legal(self, built: Built) -> None:
        district = self._district
        approved = papers.approvals(district.lots, district.papers, built, district.seed)
        approved = self._planted("approval", self._spoil("approval", approved, "PZWH", "YT"))
        self._layer("approval", approved.to_crs(DEGREES), DEGREES)
        supplied = papers.supplies(district.lots, district.papers, built, district.seed)
        supplied = self._planted("supply", self._spoil("supply", supplied, "DZJGH", "TDYT"))
        moved = papers.with_zone_prefix(supplied.geometry.to_numpy())
        self._layer(
            "supply", gpd.GeoDataFrame(supplied.drop(columns="geometry"), geometry=moved, crs=ZONED), ZONED
        )

    def _buildings(self) -> Built:
        """Write the largest layer and what needs it, and keep only what it adds up to."""
        district = self._district
        self._progress("raising buildings")
        buildings, built = raise_buildings(district.layout, district.lots, district.seed)
        areas = controls.admin_areas(district.layout, district.places)
        self._progress(SOURCES["raster"])
        path, _ = self._path("raster")
        write_intensity(path, buildings, areas["district"].geometry.to_numpy())
        if self._shares.every_layer > 0:
            empty_cells(path, areas["village"].geometry.to_numpy(), seed=district.seed)
            self._records.append(("raster", path.name, "no_value", NOTES["no_value"]))
        spoilt = self._planted("building", self._spoil("building", buildings, "JZBH", "JZLX"))
        self._layer("building", spoilt)
        for key, frame in areas.items():
            self._layer(key, self._planted(key, frame))
        return built

    def _base(self) -> None:
        layout = self._district.layout
        self._layer("road", self._planted("road", controls.roads(layout)))
        self._layer("river", self._planted("river", controls.rivers(layout)))

    def _further(self) -> None:
        district = self._district
        for layer in FURTHER:
            frame = layer.draw(district.layout, district.lots, district.seed)
            self._layer(layer.key, self._planted(layer.key, frame))

    def _firms(self) -> None:
        district = self._district
        hidden = [code for code, fault in self._faults.items() if fault == "no_enterprise"]
        for year, rows in enterprise_tables(district.lots, district.places, district.seed).items():
            self._progress(f"税务局/企业{year}.xlsx")
            shown = rows[~rows["宗地代码"].isin(hidden)]
            # One year is enough: a fault of three years would be three faults of one firm.
            shown = self._planted("enterprise", shown) if year == YEARS[-1] else shown
            self._counts[f"enterprise {year}"] = len(shown)
            write_workbook(self._folder / "incoming" / "税务局" / f"企业{year}.xlsx", shown)


def truth_table(district: District, faults: dict[str, str]) -> pd.DataFrame:
    """Return what every parcel was planted as, and what was spoilt on it."""
    lots = district.lots
    spoilt = [faults.get(code, "") for code in lots.codes]
    return pd.DataFrame(
        {
            "parcel_id": lots.codes,
            "kind": lots.kind,
            "subkind": lots.subkind,
            "town_code": district.places.town_codes[lots.town],
            "area_m2": np.round(shapely.area(lots.shapes), 2),
            "spoilt": spoilt,
            "note": [NOTES.get(fault, "") for fault in spoilt],
        }
    )
