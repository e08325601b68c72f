"""Small packages for the tests, with areas that are those of their outlines, and what other programs make of such files."""

import shutil
import subprocess
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.geodesy import ellipsoidal_areas
from lowland_gis.definitions.package import FORMS, package_definition
from lowland_gis.products.package.build import PackageNames, build
from lowland_gis.settings import gauss_plane

CRS = "EPSG:4548"
NAMES = PackageNames("120113", "北辰区", 2024)
ROOT = "北辰区(120113)低效用地2024"
SPACE, TABLES = f"{ROOT}/1空间数据库", f"{ROOT}/3统计表格"
FIRST_TABLE = f"{TABLES}/表1 北辰区(120113)低效用地汇总表.xlsx"


def definition(*forms):
    """The shipped example, in the forms that are named, or in all."""
    return package_definition("example_city", Path()).in_forms(forms or FORMS)


def lots(n, first=0):
    """Lots beside each other, one with a hole and one of two parts."""
    made = [
        shapely.box(500_000 + 100 * i, 4_340_000, 500_080.123 + 100 * i, 4_340_050.456 + i)
        for i in range(first, first + n)
    ]
    if n > 2:
        made[1] = made[1].difference(shapely.box(500_120, 4_340_010, 500_130, 4_340_020))
        made[2] = shapely.union(made[2], shapely.box(500_200, 4_340_200, 500_230, 4_340_230))
    return np.array(made, dtype=object)


def _areas(shapes):
    areas = ellipsoidal_areas(shapes, gauss_plane(CRS))
    return {"area_m2": areas, "area_mu": np.round(areas * 3 / 2000, 4)}


def frames(n=8):
    """Frames of the example: codes with zeros in front, texts like formulas, texts that are missing."""
    codes = [f"0{113101001 + i:010d}GB{i:05d}" for i in range(n)]
    towns = {"town_code": ["020113101", "120113100"] * (n // 2), "town_name": ["北仓镇", "天穆镇"] * (n // 2)}
    kinds = ["industrial", "town", "village", "legacy"] * (n // 4)
    titles = {
        "industrial": "低效工业用地",
        "town": "低效城镇用地",
        "village": "低效村庄用地",
        "legacy": "历史遗留用地",
    }
    shapes = lots(n)
    told = {
        "location": ["=1+1", "示例路1号", None, "-", "@x", "+8", "路", "道"][:n],
        "land_use": "0601",
        "ownership": "10",
    }
    low = {"parcel_id": codes, **towns, "kind": kinds, "kind_title": [titles[kind] for kind in kinds], "rule": "R1", "rule_title": "亩均税收低", **told}  # fmt: skip
    legacy = {"parcel_id": codes, **towns, "retention": ["yes", "no"] * (n // 2), "retention_title": ["符合保留条件", "不符合保留条件"] * (n // 2),
              "failed": ["", "突破生态保护红线"] * (n // 2), "unknown": "", **told}  # fmt: skip
    problem = {"parcel_id": [codes[2], codes[2], codes[3]], "town_code": "120113101", "town_name": "北仓镇", "question_title": "能否保留",
               "clause_title": ["规划用途", "房屋安全", "规划用途"], "needed": "控规图则", "office": "规资分局"}  # fmt: skip
    unit = {"unit_id": ["120113101-001"], "town_code": "120113101", "town_name": "北仓镇", "n_parcels": 3, "area_m2": 25000.0,
            "area_mu": 37.5, "low_share": 0.91234, "compactness": 0.5}  # fmt: skip
    return {
        "low_efficiency": gpd.GeoDataFrame(low | _areas(shapes), geometry=shapes, crs=CRS),
        "legacy": gpd.GeoDataFrame(legacy | _areas(shapes), geometry=shapes, crs=CRS),
        "problem": pd.DataFrame(problem),
        "unit": gpd.GeoDataFrame(
            unit, geometry=[shapely.box(500_000, 4_340_000, 500_300, 4_340_100)], crs=CRS
        ),
    }


def make(target, given=None, *forms, **options):
    """Build the example."""
    return build(
        given or frames(), definition(*forms), NAMES, target, provenance={"synthetic": True}, **options
    )


def copied(package: Path, target: Path) -> Path:
    """Copy a package without its manifest, as one of somebody else."""
    shutil.copytree(package, target, ignore=shutil.ignore_patterns("manifest.json"))
    return target


def by_ogr(path: Path, *arguments: str) -> None:
    """Have ogr2ogr write a shapefile anew in its place."""
    other = path.with_name("rewritten.shp")
    done = subprocess.run(
        ["ogr2ogr", "-f", "ESRI Shapefile", str(other), str(path), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for part in path.parent.glob(f"{path.stem}.*"):
        if part.suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
            part.unlink()
    for part in path.parent.glob("rewritten.*"):
        part.rename(path.with_suffix(part.suffix))


def retyped(path: Path, change) -> None:
    """Open a workbook, change its cells, and save it again."""
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)
