"""Deliveries in every state that offices send them in, each with what becomes of it; docs/bad_input.md is this list.

Type `python tests/bad_input.py` to write the page anew.
"""

from __future__ import annotations

import datetime as dt
import io
import lzma
import sqlite3
import struct
import subprocess
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import rasterio
import shapely
from pyproj import CRS

from drawings import EAST, NORTH, corners, drawn
from lowland_gis.analysis.geometry.geodesy import GaussPlane
from lowland_gis.analysis.geometry.offset import gcj02_shift
from made_files import DATUM, box, dbf_bytes, write_shapefile
from workbooks import container, saved_as, write_xlsb

PAGE = Path(__file__).parents[1] / "docs" / "bad_input.md"
LOADED, ASIDE, REFUSED = "loaded", "loaded, with rejects", "refused"
Make = Callable[[Path], list[str]]


@dataclass(frozen=True)
class Case:
    """One delivery: `make` writes it and returns the arguments of `lowland ingest`.

    `said` must stand in the output. `rows` and `aside` count records; `value` is the DLMC, or what `query` gives, of the first row.
    """

    group: str
    name: str
    outcome: str
    make: Make
    said: str = ""
    rows: int = 2
    aside: int = 0
    rules: tuple[str, ...] = ()
    value: str | None = None
    query: str = "SELECT attributes->>'DLMC' FROM land.feature ORDER BY row_no LIMIT 1"


CASES: list[Case] = []


def case(group: str, name: str, outcome: str, **facts: object) -> Callable[[Make], Make]:
    """Put a delivery on the list."""

    def added(make: Make) -> Make:
        CASES.append(Case(group, name, outcome, make, **facts))  # type: ignore[arg-type]
        return make

    return added


# ------------------------------------------------------------------ what the files are made of

SIMPLIFIED, TRADITIONAL, FOUR_BYTES = "工业用地", "工業用地臺北縣", "工业用地𠀀"


def features(name: str = SIMPLIFIED, **columns: list[object]) -> gpd.GeoDataFrame:
    """Two features of the third survey."""
    rows = {"BSM": ["1", "2"], "DLBM": ["0601", "0701"], "DLMC": [name, name]} | columns
    return gpd.GeoDataFrame(rows, geometry=[box(0, 0), box(100, 0)], crs=4548)


def shapefile(
    folder: Path, rows: gpd.GeoDataFrame, encoding: str, *, cpg: str | None = None, ldid: int = 0
) -> Path:
    """Write a shapefile with these bytes, this .cpg and this language byte."""
    return write_shapefile(folder / "图斑.shp", rows, encoding, cpg=cpg, ldid=ldid)


def package(folder: Path, rows: gpd.GeoDataFrame, layer: str = "DLTB") -> Path:
    """Write a GeoPackage."""
    rows.to_file(folder / "图斑.gpkg", layer=layer, engine="pyogrio")
    return folder / "图斑.gpkg"


def ingest(path: Path | str, *more: str, layer: str = "dltb3") -> list[str]:
    """Return the arguments of `lowland ingest`."""
    return [layer, str(path), *more]


def with_shapes(folder: Path, *shapes: object) -> list[str]:
    """Deliver features of which the first is as given and the last is good."""
    codes = [str(number) for number in range(len(shapes) + 1)]
    rows = gpd.GeoDataFrame(
        {"BSM": codes, "DLBM": ["0601"] * len(codes), "DLMC": [SIMPLIFIED] * len(codes)},
        geometry=[*shapes, box(500, 0)],
        crs=4548,
    )
    return ingest(package(folder, rows))


def with_wkb(folder: Path, wkb: bytes, path: Path | None = None) -> list[str]:
    """Deliver two features of which the second has these very bytes."""
    path = path or package(folder, features())
    blob = b"GP\x00\x01" + struct.pack("<i", 4548) + wkb
    with sqlite3.connect(path) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE DLTB SET geom = ? WHERE fid = 2", (blob,))
    database.close()
    return ingest(path)


def ring(*points: tuple[float, float]) -> bytes:
    """Return the WKB of a polygon of one ring, closed or not."""
    places = [(515_000 + x, 4_345_000 + y) for x, y in points]
    return (
        struct.pack("<BII", 1, 3, 1)
        + struct.pack("<I", len(places))
        + b"".join(struct.pack("<2d", *p) for p in places)
    )


def cut(path: Path, share: float) -> None:
    """Leave only the beginning of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def zipped(folder: Path, *members: tuple[str, bytes]) -> Path:
    """Write an archive."""
    with zipfile.ZipFile(folder / "来件.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return folder / "来件.zip"


def parts(folder: Path, name: str) -> list[tuple[str, bytes]]:
    """Return the parts of a shapefile as members of an archive."""
    (folder / "x").mkdir(exist_ok=True)
    path = shapefile(folder / "x", features(), "GBK")
    return [(f"{name}{part.suffix}", part.read_bytes()) for part in sorted(path.parent.iterdir())]


# ------------------------------------------------------------------ text

WRONG = {"GBK": "UTF-8", "GB18030": "ISO-8859-1", "UTF-8": "GBK"}
for _encoding, _text in (("GBK", SIMPLIFIED), ("GB18030", FOUR_BYTES), ("UTF-8", SIMPLIFIED)):
    for _what, _cpg in (("its own", _encoding), ("a wrong", WRONG[_encoding]), ("no", None)):
        case(
            "text",
            f"{_encoding} with {_what} .cpg",
            LOADED,
            value=_text,
            said=f"text read as {'utf-8' if _encoding == 'UTF-8' else 'gb18030'}",
        )(
            lambda folder, text=_text, encoding=_encoding, cpg=_cpg: ingest(
                shapefile(folder, features(text), encoding, cpg=cpg)
            )
        )


@case("text", "Big5 with its own .cpg", LOADED, value=TRADITIONAL, said="text read as big5")
def _big5(folder: Path) -> list[str]:
    return ingest(shapefile(folder, features(TRADITIONAL), "Big5", cpg="Big5"))


@case("text", "Big5 with a wrong .cpg", REFUSED, said="as big5: 工業用地")
def _big5_wrong(folder: Path) -> list[str]:
    return ingest(shapefile(folder, features(TRADITIONAL), "Big5", cpg="GBK"))


@case("text", "Big5 with no .cpg", REFUSED, said="the text encoding cannot be told")
def _big5_none(folder: Path) -> list[str]:
    return ingest(shapefile(folder, features(TRADITIONAL), "Big5"))


@case("text", "Big5 with no .cpg, and `--encoding big5`", LOADED, value=TRADITIONAL)
def _big5_said(folder: Path) -> list[str]:
    return ingest(shapefile(folder, features(TRADITIONAL), "Big5"), "--encoding", "big5")


@case("text", "GBK, language byte (LDID) 0x4D only", LOADED, value=SIMPLIFIED, said="text read as gb18030")
def _ldid(folder: Path) -> list[str]:
    return ingest(shapefile(folder, features(), "GBK", ldid=0x4D))


@case(
    "text", "UTF-8 under a language byte (LDID) of GBK", LOADED, value=SIMPLIFIED, said="text read as utf-8"
)
def _ldid_wrong(folder: Path) -> list[str]:
    return ingest(shapefile(folder, features(), "UTF-8", ldid=0x4D))


def with_cut_values(folder: Path, text: str, encoding: str, keep: int) -> Path:
    """Write a shapefile whose DLMC is the first bytes of a text."""
    path = shapefile(folder, features("x" * keep), encoding)
    content = path.with_suffix(".dbf").read_bytes()
    path.with_suffix(".dbf").write_bytes(content.replace(b"x" * keep, text.encode(encoding)[:keep]))
    return path


CUT = {"rules": ("value_cut",), "value": "北辰区"}


@case(
    "text", "UTF-8 values cut inside a character (the half character is left out and listed)", LOADED, **CUT
)
def _cut_text(folder: Path) -> list[str]:
    return ingest(with_cut_values(folder, "北辰区天", "UTF-8", 11))


@case("text", "GBK values cut inside a character (the half character is left out and listed)", LOADED, **CUT)
def _cut_gbk(folder: Path) -> list[str]:
    return ingest(with_cut_values(folder, "北辰区天", "GBK", 7))


@case("text", "GBK values cut inside a character, and `--encoding GBK`", LOADED, **CUT)
def _cut_gbk_said(folder: Path) -> list[str]:
    return [*_cut_gbk(folder), "--encoding", "GBK"]


def marked(folder: Path, text: bytes) -> Path:
    """Write a GeoPackage whose first name is these very bytes."""
    path = package(folder, features())
    with sqlite3.connect(path) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE DLTB SET DLMC = CAST(? AS TEXT) WHERE fid = 1", (text,))
    database.close()
    return path


@case(
    "text",
    "a GeoPackage with a text cut inside a character (the half character is left out and listed)",
    LOADED,
    rules=("value_cut",),
    value=SIMPLIFIED[:-1],
)
def _cut_in_a_package(folder: Path) -> list[str]:
    return ingest(marked(folder, SIMPLIFIED.encode()[:-1]))


@case("text", "a GeoPackage with texts in GBK", REFUSED, said=f"(read as GBK: '{SIMPLIFIED}')")
def _gbk_in_a_package(folder: Path) -> list[str]:
    return ingest(marked(folder, SIMPLIFIED.encode("gbk")))


# ------------------------------------------------------------------ parts and archives


@case("parts", ".dbf cut off", REFUSED, said="it was cut off, so nothing was loaded")
def _cut_dbf(folder: Path) -> list[str]:
    path = shapefile(folder, features(), "GBK")
    cut(path.with_suffix(".dbf"), 0.9)
    return ingest(path)


@case("parts", ".shp cut off", REFUSED, said=".shp is cut off")
def _cut_shp(folder: Path) -> list[str]:
    path = shapefile(folder, features(), "GBK")
    cut(path, 0.6)
    return ingest(path)


@case(
    "parts",
    "no .shx (made anew from the .shp, not in the folder of the delivery)",
    LOADED,
    said="its .shx is missing",
    rules=("index_missing",),
    value=SIMPLIFIED,
)
def _no_shx(folder: Path) -> list[str]:
    path = shapefile(folder, features(), "GBK")
    path.with_suffix(".shx").unlink()
    return ingest(path)


@case("parts", "no .shx, and the .shp cut off", REFUSED, said="cut off or damaged")
def _no_shx_cut(folder: Path) -> list[str]:
    layer, path = _no_shx(folder)
    cut(Path(path), 0.6)
    return [layer, path]


@case("parts", "no .dbf", REFUSED, said=".dbf of the shapefile is missing")
def _no_dbf(folder: Path) -> list[str]:
    path = shapefile(folder, features(), "GBK")
    path.with_suffix(".dbf").unlink()
    return ingest(path)


@case("parts", "no .prj", REFUSED, said="--src-crs EPSG:4548")
def _no_prj(folder: Path) -> list[str]:
    path = shapefile(folder, features(), "GBK")
    path.with_suffix(".prj").unlink()
    return ingest(path)


@case("parts", "no .prj, and `--src-crs EPSG:4548`", LOADED, value=SIMPLIFIED)
def _given_prj(folder: Path) -> list[str]:
    return [*_no_prj(folder), "--src-crs", "EPSG:4548"]


@case("parts", "a VRT under the name .shp", REFUSED, said="its content is not what the name .shp says")
def _vrt(folder: Path) -> list[str]:
    path = shapefile(folder, features(), "GBK")
    path.write_text("<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>")
    return ingest(path)


@case("archives", "zip with a sub-folder and GBK member names", LOADED, value=SIMPLIFIED)
def _zip(folder: Path) -> list[str]:
    named = parts(folder, "三调/图斑")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in named:
            archive.writestr(zipfile.ZipInfo(name.encode("gbk").decode("cp437")), content)
    # Chinese software of old sets no flag for UTF-8.
    raw = buffer.getvalue()
    for name, _ in named:
        utf8, gbk = name.encode("gbk").decode("cp437").encode(), name.encode("gbk")
        assert raw.count(utf8) == 2
        assert len(utf8) >= len(gbk)
    (folder / "来件.zip").write_bytes(_without_flag(named))
    return ingest(folder / "来件.zip")


def _without_flag(members: list[tuple[str, bytes]]) -> bytes:
    """Return an archive whose names are GBK and whose flags say nothing of it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, (_, content) in enumerate(members):
            archive.writestr(f"{number:09d}", content)
    raw = buffer.getvalue()
    for number, (name, _) in enumerate(members):
        gbk = name.encode("gbk")
        placeholder = f"{number:09d}".encode()
        for head, length_at in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
            fixed = 30 if head == b"PK\x03\x04" else 46
            at = raw.index(placeholder) if head == b"PK\x03\x04" else raw.rindex(placeholder)
            start = at - fixed
            raw = (
                raw[: start + length_at]
                + struct.pack("<H", len(gbk))
                + raw[start + length_at + 2 : at]
                + gbk
                + raw[at + 9 :]
            )
    return _reindexed(raw)


def _reindexed(raw: bytes) -> bytes:
    """Put the offsets of an archive right whose names have changed their lengths."""
    entries, at = [], 0
    while raw[at : at + 4] == b"PK\x03\x04":
        size, name, extra = (
            *struct.unpack("<I", raw[at + 18 : at + 22]),
            *struct.unpack("<HH", raw[at + 26 : at + 30]),
        )
        entries.append(at)
        at += 30 + name + extra + size
    directory, patched = at, bytearray(raw)
    for entry in entries:
        patched[at + 42 : at + 46] = struct.pack("<I", entry)
        name, extra, comment = struct.unpack("<HHH", patched[at + 28 : at + 34])
        at += 46 + name + extra + comment
    patched[at + 12 : at + 20] = struct.pack("<II", at - directory, directory)
    return bytes(patched)


@case("archives", "zip with `../` in a path", REFUSED, said="outside the folder")
def _zip_slip(folder: Path) -> list[str]:
    return ingest(zipped(folder, *parts(folder, "../../图斑")))


@case("archives", "zip with an absolute path", REFUSED, said="outside the folder")
def _zip_absolute(folder: Path) -> list[str]:
    return ingest(zipped(folder, *parts(folder, "/tmp/图斑")))


@case("archives", "zip with a link", REFUSED, said="is a link")
def _zip_link(folder: Path) -> list[str]:
    info = zipfile.ZipInfo("a.shp")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(folder / "来件.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return ingest(folder / "来件.zip")


@case("archives", "a bomb", REFUSED, said="looks like a bomb")
def _bomb(folder: Path) -> list[str]:
    with (
        zipfile.ZipFile(folder / "来件.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.shp", "w") as member,
    ):
        for _ in range(120):
            member.write(bytes(1 << 20))
    return ingest(folder / "来件.zip")


@case("archives", "zip of several layers", REFUSED, said="Name one: 来件.zip:LAYER")
def _zip_two(folder: Path) -> list[str]:
    return ingest(zipped(folder, *parts(folder, "北"), *parts(folder, "南")))


@case("archives", "zip of several layers, and `来件.zip:北`", LOADED, value=SIMPLIFIED)
def _zip_one(folder: Path) -> list[str]:
    layer, path = _zip_two(folder)
    return [layer, f"{path}:北"]


@case(
    "archives",
    "zip of two data sets of one name in two folders",
    REFUSED,
    said="Name one: 来件.zip:LAYER – for example 来件.zip:东区/图斑",
)
def _zip_namesakes(folder: Path) -> list[str]:
    return ingest(zipped(folder, *parts(folder, "东区/图斑"), *parts(folder, "西区/图斑")))


@case("archives", "zip of two data sets of one name, and `来件.zip:西区/图斑`", LOADED, value=SIMPLIFIED)
def _zip_namesake(folder: Path) -> list[str]:
    layer, path = _zip_namesakes(folder)
    return [layer, f"{path}:西区/图斑"]


@case("archives", "zip in a zip", LOADED, value=SIMPLIFIED)
def _zip_in_zip(folder: Path) -> list[str]:
    inner = zipped(folder, *parts(folder, "图斑")).read_bytes()
    return ingest(zipped(folder, ("图斑.zip", inner)))


@case("archives", "zip of the files of a FileGDB, without its folder", LOADED, value=SIMPLIFIED)
def _zip_database(folder: Path) -> list[str]:
    square = "POLYGON ((515000 4345000,515100 4345000,515100 4345100,515000 4345000))"
    geodatabase(folder, "-nlt POLYGON", square, square.replace("5151", "5152"))
    files = sorted((folder / "三调.gdb").iterdir())
    return ingest(zipped(folder, *((file.name, file.read_bytes()) for file in files)))


@case("archives", "zip without data", REFUSED, said="holds no data that are read, only: 说明.txt")
def _zip_nothing(folder: Path) -> list[str]:
    return ingest(zipped(folder, ("说明.txt", b"x")))


# ------------------------------------------------------------------ files

EXCLAIMED = "重要!"


@case("files", "a folder `重要!` and a file `a!b.gpkg` beside `b.gpkg`", LOADED, value=SIMPLIFIED)
def _exclaimed(folder: Path) -> list[str]:
    (folder / EXCLAIMED).mkdir()
    package(folder, features()).rename(folder / EXCLAIMED / "a!b.gpkg")
    package(folder, features("另一个")).rename(folder / EXCLAIMED / "b.gpkg")
    return ingest(folder / EXCLAIMED / "a!b.gpkg")


@case("files", "a semicolon in the name of a shapefile", LOADED, value=SIMPLIFIED)
def _semicolon(folder: Path) -> list[str]:
    path = shapefile(folder, features(), "GBK")
    for part in list(folder.glob("图斑.*")):
        part.rename(folder / f"图斑;2023{part.suffix}")
    return ingest(path.with_name("图斑;2023.shp"))


@case("files", "GeoPackage with a layer `三调:2023`, and `图斑.gpkg:三调:2023`", LOADED, value=SIMPLIFIED)
def _colon(folder: Path) -> list[str]:
    package(folder, features(), "三调")
    return ingest(f"{package(folder, features(), '三调:2023')}:三调:2023")


@case("files", "GeoPackage with a layer and a table `layer_styles`", LOADED, value=SIMPLIFIED)
def _styles(folder: Path) -> list[str]:
    path = package(folder, features())
    pyogrio.write_dataframe(features().drop(columns="geometry"), path, layer="layer_styles")
    return ingest(path)


@case("files", "GeoPackage that is open in QGIS with changes", REFUSED, said="close it in QGIS")
def _open(folder: Path) -> list[str]:
    path = package(folder, features())
    # As an editor leaves it that was killed, or that is still at work.
    path.with_name("图斑.gpkg-wal").write_bytes(b"changes")
    return ingest(path)


# ------------------------------------------------------------------ file geodatabases

CIRCLE = "CURVEPOLYGON (CIRCULARSTRING (515100 4345500,515200 4345600,515300 4345500,515200 4345400,515100 4345500))"


def geodatabase(folder: Path, kind: str, *shapes: str) -> list[str]:
    """Write a file geodatabase with GDAL's own program: pyogrio cannot write arcs or measures."""
    lines = [f'{number},0601,{SIMPLIFIED},"{shape}"' for number, shape in enumerate(shapes)]
    (folder / "c.csv").write_text("\n".join(["BSM,DLBM,DLMC,wkt", *lines]), encoding="utf-8")
    command = ["ogr2ogr", "-f", "OpenFileGDB", "三调.gdb", "c.csv", "-oo", "GEOM_POSSIBLE_NAMES=wkt", "-oo"]
    subprocess.run(
        [*command, "KEEP_GEOM_COLUMNS=NO", "-a_srs", "EPSG:4548", "-nln", "DLTB", *kind.split()],
        cwd=folder,
        check=True,
    )
    return ingest(folder / "三调.gdb")


@case(
    "geodatabases",
    "FileGDB with arcs (lines within 1 mm of them, of the same area)",
    LOADED,
    query="SELECT (abs(ST_Area(geom) - pi() * 1e4) < 0.01)::text FROM land.feature ORDER BY row_no LIMIT 1",
    value="true",
)
def _arcs(folder: Path) -> list[str]:
    return geodatabase(
        folder,
        "-nlt CURVEPOLYGON",
        CIRCLE,
        "POLYGON ((515000 4345000,515100 4345000,515100 4345100,515000 4345000))",
    )


@case(
    "geodatabases",
    "FileGDB with heights and measures (left out)",
    LOADED,
    query="SELECT ST_NDims(geom)::text || ' ' || ST_Area(geom) FROM land.feature ORDER BY row_no LIMIT 1",
    value="2 5000",
)
def _heights(folder: Path) -> list[str]:
    solid = "POLYGON ZM ((515000 4345000 5 1,515100 4345000 5 2,515100 4345100 5 3,515000 4345000 5 1))"
    return geodatabase(folder, "-nlt POLYGON -dim XYZM", solid, solid.replace("4345", "4346"))


# ------------------------------------------------------------------ fields


def with_field_names(folder: Path, **renamed: str) -> Path:
    """Write a shapefile and change names of its fields in place."""
    path = shapefile(folder, features(ALT=["0201", "0201"]), "GBK")
    content = bytearray(path.with_suffix(".dbf").read_bytes())
    for old, new in renamed.items():
        at = content.index(old.encode().ljust(11, b"\x00"))
        content[at : at + 11] = new.encode("gbk").ljust(11, b"\x00")
    path.with_suffix(".dbf").write_bytes(content)
    return path


@case(
    "fields",
    "two fields of one name (the first one counts, the second is kept beside it)",
    LOADED,
    value="0601 0201",
    query="SELECT code || ' ' || (attributes->>'DLBM_2') FROM land.feature ORDER BY row_no LIMIT 1",
)
def _twice(folder: Path) -> list[str]:
    return ingest(with_field_names(folder, ALT="DLBM"))


@case("fields", "a field renamed by a consultant", REFUSED, said="DLBM 地类编码")
def _renamed(folder: Path) -> list[str]:
    return ingest(with_field_names(folder, DLBM="地类码"))


@case("fields", "a field renamed by a consultant, and `--mapping`", LOADED, value=SIMPLIFIED)
def _mapped(folder: Path) -> list[str]:
    text = 'supplier = "示例咨询"\nlayer = "dltb3"\n[rename]\n"地类码" = "DLBM"\n'
    (folder / "顾问.toml").write_text(text, encoding="utf-8")
    return [*_renamed(folder), "--mapping", str(folder / "顾问.toml")]


@case(
    "fields",
    "a field name cut inside a character (the half character is left out)",
    LOADED,
    rules=("name_cut",),
    value="x",
    query="SELECT attributes->>'低效用' FROM land.feature ORDER BY row_no LIMIT 1",
)
def _cut_name(folder: Path) -> list[str]:
    path = shapefile(folder, features(ALT=["x", "y"]), "UTF-8")
    content = path.with_suffix(".dbf").read_bytes()
    path.with_suffix(".dbf").write_bytes(
        content.replace(b"ALT".ljust(11, b"\x00"), "低效用地".encode()[:10] + b"\x00")
    )
    return ingest(path)


@case(
    "fields",
    "field names and values far too long for a shapefile",
    LOADED,
    value="200 300",
    query="SELECT length(key) || ' ' || length(value) FROM land.feature, jsonb_each_text(attributes)"
    " WHERE length(key) > 100 LIMIT 1",
)
def _long(folder: Path) -> list[str]:
    return ingest(package(folder, features(**{"长" * 200: ["值" * 300] * 2})))


@case(
    "fields",
    "codes that became numbers, so that their zeros are lost (put back)",
    LOADED,
    rules=("code_respelt",),
    value="0601",
    query="SELECT code FROM land.feature ORDER BY row_no LIMIT 1",
)
def _numbers(folder: Path) -> list[str]:
    return ingest(package(folder, features(DLBM=[601, 701])))


@case(
    "fields",
    "long identifiers that became numbers with a fraction",
    LOADED,
    value="1",
    query="SELECT attributes->>'BSM' FROM land.feature ORDER BY row_no LIMIT 1",
)
def _floats(folder: Path) -> list[str]:
    return ingest(package(folder, features(BSM=[1.0, 2.0])))


@case(
    "fields",
    "identifiers of 18 digits that became numbers, so that their last digits are lost",
    LOADED,
    rules=("digits_lost",),
    value="left empty",
    query="SELECT coalesce(attributes->>'BSM', 'left empty') FROM land.feature ORDER BY row_no LIMIT 1",
)
def _lost_digits(folder: Path) -> list[str]:
    return ingest(package(folder, features(BSM=[120_113_100_000_000_021.0, 2.0])))


@case(
    "fields",
    "text where a number belongs",
    LOADED,
    rules=("value_unreadable",),
    value="12.5",
    query="SELECT attributes->>'TBMJ' FROM land.feature ORDER BY row_no LIMIT 1",
)
def _text_numbers(folder: Path) -> list[str]:
    return ingest(package(folder, features(TBMJ=[" 12.50 ", "约三亩"])))


@case(
    "fields",
    "a layer name and field names that are SQL",
    LOADED,
    value="'); DROP TABLE land.parcel; --",
    query="SELECT value FROM land.feature, jsonb_each_text(attributes) WHERE key LIKE '%DROP TABLE%' LIMIT 1",
)
def _sql(folder: Path) -> list[str]:
    words = "'); DROP TABLE land.parcel; --"
    path = package(
        folder, features(**{'x"; DROP TABLE land.feature; --': [words] * 2}), layer="DLTB'; DROP TABLE land"
    )
    return ingest(f"{path}:DLTB'; DROP TABLE land")


# ------------------------------------------------------------------ geometries


@case("geometries", "a coordinate that is NaN", ASIDE, aside=1, rules=("geometry_not_finite",))
def _nan(folder: Path) -> list[str]:
    return with_wkb(folder, ring((0, 0), (1, float("nan")), (1, 1), (0, 0)))


@case("geometries", "a coordinate that is infinite", ASIDE, aside=1, rules=("geometry_not_finite",))
def _inf(folder: Path) -> list[str]:
    return with_wkb(folder, ring((0, 0), (1, float("inf")), (1, 1), (0, 0)))


@case("geometries", "a coordinate of 1e300", ASIDE, aside=1, rules=("geometry_not_finite",))
def _huge(folder: Path) -> list[str]:
    return with_wkb(folder, ring((0, 0), (1e300, 0), (1e300, 1e300), (0, 0)))


@case(
    "geometries",
    "an infinite coordinate in a layer that is declared wrongly",
    REFUSED,
    said="the coordinates are degrees",
)
def _inf_in_degrees(folder: Path) -> list[str]:
    path = package(folder, features().to_crs(4490).set_crs(4548, allow_override=True))
    return with_wkb(folder, ring((0, 0), (0, float("inf")), (1, 1), (0, 0)), path)


@case("geometries", "a surface of triangles (TIN)", ASIDE, aside=1, rules=("geometry_unreadable",))
def _tin(folder: Path) -> list[str]:
    triangle = struct.pack("<BII", 1, 17, 1) + ring((0, 0), (10, 0), (10, 10), (0, 0))[9:]
    return with_wkb(folder, struct.pack("<BII", 1, 16, 1) + triangle)


@case(
    "geometries",
    "a ring in a ring in a ring, two thousand of them (repaired)",
    LOADED,
    rules=("geometry_area_changed",),
    query="SELECT ST_IsValid(geom)::text FROM land.feature ORDER BY row_no LIMIT 1",
    value="true",
)
def _nested(folder: Path) -> list[str]:
    rings = [box(n / 50, n / 50, 100 - n / 25, 100 - n / 25).exterior for n in range(2_000)]
    return with_shapes(folder, shapely.Polygon(rings[0], rings[1:]))


@case("geometries", "an empty geometry", ASIDE, aside=1, rules=("geometry_empty",))
def _empty(folder: Path) -> list[str]:
    return with_shapes(folder, shapely.Polygon())


@case("geometries", "no geometry", ASIDE, aside=1, rules=("geometry_missing",))
def _null(folder: Path) -> list[str]:
    return with_shapes(folder, None)


@case("geometries", "no geometry, in a FlatGeobuf", REFUSED, said="Ask the sender for a GeoPackage")
def _null_in_flatgeobuf(folder: Path) -> list[str]:
    rows = gpd.GeoDataFrame(pd.concat([features(), features()], ignore_index=True), crs=4548)
    rows.loc[1, "geometry"] = None
    rows.to_file(folder / "图斑.fgb", driver="FlatGeobuf", SPATIAL_INDEX="NO")
    return ingest(folder / "图斑.fgb")


@case("geometries", "a line among polygons", ASIDE, aside=1, rules=("geometry_wrong_kind",))
def _line(folder: Path) -> list[str]:
    return with_shapes(folder, shapely.LineString([(515_000, 4_345_000), (515_100, 4_345_000)]))


@case("geometries", "a ring of two points", ASIDE, aside=1, rules=("geometry_unreadable",))
def _two_points(folder: Path) -> list[str]:
    return with_wkb(folder, ring((0, 0), (1, 1)))


@case("geometries", "a ring that is not closed", ASIDE, aside=1, rules=("geometry_unreadable",))
def _open(folder: Path) -> list[str]:
    return with_wkb(folder, ring((0, 0), (50, 0), (50, 50), (0, 50)))


@case(
    "geometries",
    "a ring that crosses itself (repaired, the received one is kept)",
    LOADED,
    rules=("geometry_area_changed",),
    value="5000 0",
    query="SELECT round(ST_Area(geom)) || ' ' || round(ST_Area(geom_received)) FROM land.feature ORDER BY row_no LIMIT 1",
)
def _crossing(folder: Path) -> list[str]:
    corners = [(515_000, 4_345_000), (515_100, 4_345_100), (515_100, 4_345_000), (515_000, 4_345_100)]
    return with_shapes(folder, shapely.Polygon(corners))


@case(
    "geometries",
    "a ring of a million vertices",
    LOADED,
    value="1000001",
    query="SELECT ST_NPoints(geom)::text FROM land.feature ORDER BY row_no LIMIT 1",
)
def _million(folder: Path) -> list[str]:
    turn = np.linspace(0, 2 * np.pi, 1_000_001)
    corners = np.column_stack([515_000 + 90 * np.cos(turn), 4_345_000 + 90 * np.sin(turn)])
    corners[-1] = corners[0]
    return with_shapes(folder, shapely.Polygon(corners))


@case("geometries", "a hole without a point", LOADED, rules=("geometry_empty_hole",), value=SIMPLIFIED)
def _empty_hole(folder: Path) -> list[str]:
    square = ring((0, 0), (10, 0), (10, 10), (0, 10), (0, 0))
    return with_wkb(folder, square[:5] + struct.pack("<I", 2) + square[9:] + struct.pack("<I", 0))


@case(
    "geometries",
    "a hole of three points, out and back",
    LOADED,
    rules=("geometry_invalid",),
    value=SIMPLIFIED,
)
def _short_hole(folder: Path) -> list[str]:
    square, hole = ring((0, 0), (10, 0), (10, 10), (0, 10), (0, 0)), ring((2, 2), (4, 2), (2, 2))
    return with_wkb(folder, square[:5] + struct.pack("<I", 2) + square[9:] + hole[9:])


@case("geometries", "a layer without rows", REFUSED, said="it has no rows, so dltb3 would be empty")
def _no_rows(folder: Path) -> list[str]:
    return ingest(package(folder, features().iloc[:0]))


@case("geometries", "a layer without rows, and `--allow-empty`", LOADED, rows=0)
def _no_rows_said(folder: Path) -> list[str]:
    return [*_no_rows(folder), "--allow-empty"]


@case(
    "geometries", "a layer whose every row would be set aside", REFUSED, said="none of its 2 rows can be used"
)
def _none_usable(folder: Path) -> list[str]:
    line = shapely.LineString([(515_000, 4_345_000), (515_100, 4_345_000)])
    return ingest(package(folder, features().set_geometry([line, line])))


# ------------------------------------------------------------------ coordinates


def moved(rows: gpd.GeoDataFrame, change: Callable[[np.ndarray], np.ndarray], crs: int) -> gpd.GeoDataFrame:
    """Change coordinates and say that they are in another system."""
    shapes = shapely.transform(rows.geometry.to_numpy(), change)
    return gpd.GeoDataFrame(rows.drop(columns="geometry"), geometry=shapes, crs=crs)


PLACE = "SELECT round(ST_X(ST_Centroid(geom))) || ' ' || round(ST_Y(ST_Centroid(geom))) FROM land.feature ORDER BY row_no LIMIT 1"
HERE = "515050 4345050"


@case("coordinates", "eastings with the zone before them, declared", LOADED, value=HERE, query=PLACE)
def _prefixed(folder: Path) -> list[str]:
    return ingest(shapefile(folder, features().to_crs(4527), "GBK"))


@case(
    "coordinates", "eastings with the zone before them, declared without", REFUSED, said="with a zone prefix"
)
def _prefixed_wrong(folder: Path) -> list[str]:
    return ingest(
        shapefile(folder, moved(features(), lambda xy: xy + np.array([39_000_000, 0]), 4548), "GBK")
    )


@case(
    "coordinates", "plain eastings, declared with the zone before them", REFUSED, said="without a zone prefix"
)
def _plain_wrong(folder: Path) -> list[str]:
    return ingest(shapefile(folder, moved(features(), lambda xy: xy, 4527), "GBK"))


@case("coordinates", "degrees, declared", LOADED, value=HERE, query=PLACE)
def _degrees(folder: Path) -> list[str]:
    return ingest(package(folder, features().to_crs(4490)))


@case("coordinates", "degrees declared as metres", REFUSED, said="the coordinates are degrees")
def _degrees_wrong(folder: Path) -> list[str]:
    return ingest(package(folder, features().to_crs(4490).set_crs(4548, allow_override=True)))


@case("coordinates", "x and y swapped", REFUSED, said="look swapped")
def _swapped(folder: Path) -> list[str]:
    return ingest(package(folder, moved(features(), lambda xy: xy[:, ::-1], 4548)))


@case("coordinates", "an old datum (Xian 1980)", REFUSED, said="only a ballpark shift is known")
def _old(folder: Path) -> list[str]:
    return ingest(package(folder, features().set_crs(2384, allow_override=True)))


@case("coordinates", "an old datum, and the bureau's `--datum`", LOADED, value="515160 4345047", query=PLACE)
def _old_given(folder: Path) -> list[str]:
    (folder / "四参数.toml").write_text(DATUM, encoding="utf-8")
    return [*_old(folder), "--datum", str(folder / "四参数.toml")]


@case(
    "coordinates",
    "shifted like maps of the internet (GCJ-02), held against the district",
    LOADED,
    rows=9,
    said="like GCJ-02",
    rules=("offset_gcj02",),
    value=SIMPLIFIED,
    query="SELECT attributes->>'DLMC' FROM land.feature WHERE layer = 'dltb3' LIMIT 1",
)
def _gcj(folder: Path) -> list[str]:
    tiles = [box(1000 * x, 1000 * y, 1000, 1000) for x in range(3) for y in range(3)]
    rows = {"BSM": [str(n) for n in range(9)], "DLBM": ["0601"] * 9, "DLMC": [SIMPLIFIED] * 9}
    plane = GaussPlane(117.0, 500_000.0)
    shifted = moved(
        gpd.GeoDataFrame(rows, geometry=tiles, crs=4548), lambda xy: xy + gcj02_shift(xy, plane), 4548
    )
    return ingest(package(folder, shifted))


ELSEWHERE = "outside China or far outside the zone"


@case("coordinates", "degrees on another continent, declared as CGCS2000", REFUSED, said=ELSEWHERE)
def _other_continent(folder: Path) -> list[str]:
    """Philadelphia: its coordinates on the plane made areas larger than the Earth's."""
    return ingest(
        package(folder, moved(features().to_crs(4490), lambda xy: xy - np.array([192, -0.5]), 4490))
    )


@case("coordinates", "another continent's metres, and `--src-crs EPSG:4548`", REFUSED, said=ELSEWHERE)
def _other_metres(folder: Path) -> list[str]:
    rows = moved(features(), lambda xy: xy - np.array([515_000 - 818_000, 4_345_000 - 72_000]), 2272)
    return [*ingest(package(folder, rows)), "--src-crs", "EPSG:4548"]


@case(
    "coordinates",
    "one feature on another continent",
    ASIDE,
    aside=1,
    rules=("geometry_off_plane",),
    value=SIMPLIFIED,
)
def _one_elsewhere(folder: Path) -> list[str]:
    rows = features()
    return ingest(package(folder, rows.set_geometry([rows.geometry[0], box(-9_000_000, 0)])))


@case(
    "coordinates",
    "all of it clear of the district, by 50 km",
    LOADED,
    rules=("outside_district",),
    said="50.0 km outside",
)
def _clear(folder: Path) -> list[str]:
    return ingest(package(folder, moved(features(), lambda xy: xy + np.array([53_000, 0]), 4548)))


NULL_SHIFT = ("datum_null_shift",)


@case("coordinates", "GeoJSON of RFC 7946 (degrees of WGS 84, taken for CGCS2000 without a shift)", LOADED,
      value=HERE, query=PLACE, rules=NULL_SHIFT, said="without a shift")  # fmt: skip
def _rfc_7946(folder: Path) -> list[str]:
    rows = features().to_crs(4490).set_crs(4326, allow_override=True)
    rows.to_file(folder / "图斑.geojson", RFC7946="YES", COORDINATE_PRECISION=9, engine="pyogrio")
    return ingest(folder / "图斑.geojson")


@case(
    "coordinates",
    "UTM on WGS 84 (taken for CGCS2000 without a shift)",
    LOADED,
    value=HERE,
    query=PLACE,
    rules=NULL_SHIFT,
)
def _utm(folder: Path) -> list[str]:
    return ingest(package(folder, features().to_crs(4490).set_crs(4326, allow_override=True).to_crs(32650)))


@case(
    "coordinates",
    "an old datum with a TOWGS84 of a program in its .prj",
    REFUSED,
    said="only a ballpark shift is known",
)
def _old_bound(folder: Path) -> list[str]:
    old = (
        CRS.from_epsg(4610)
        .to_wkt("WKT1_GDAL")
        .replace('AUTHORITY["EPSG","7049"]],', 'AUTHORITY["EPSG","7049"]],TOWGS84[24,-123,-94,0,0,0,0],')
    )
    path = shapefile(folder, features().to_crs(4490), "GBK")
    path.with_suffix(".prj").write_text(old)
    return ingest(path)


# ------------------------------------------------------------------ rasters

NORTH_UP = rasterio.Affine(10, 0, 515_000, 0, -10, 4_345_500)


def raster(
    folder: Path, way: rasterio.Affine = NORTH_UP, crs: int | None = 4548, **facts: object
) -> list[str]:
    """Write fifty by fifty cells of 10 m, with 255 in the first row."""
    values = np.arange(2500, dtype=np.uint8).reshape(50, 50) % 200
    values[0] = 255
    shape = {"width": 50, "height": 50, "count": 1, "dtype": "uint8"} | facts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(folder / "强度.tif", "w", driver="GTiff", crs=crs, transform=way, **shape) as made:
            for band in range(made.count):
                made.write(values.astype(made.dtypes[0]), band + 1)
    return ingest(folder / "强度.tif", layer="raster")


@case("rasters", "bytes whose 255 is declared as no value", LOADED, rows=1)
def _raster(folder: Path) -> list[str]:
    return raster(folder, nodata=255)


@case(
    "rasters",
    "bytes whose 255 is not declared as no value",
    LOADED,
    rows=1,
    rules=("raster_nodata",),
    said="-a_nodata 255",
)
def _raster_full(folder: Path) -> list[str]:
    return raster(folder)


@case("rasters", "-9999, not declared as no value", REFUSED, said="gdal_translate -a_nodata -9999")
def _raster_nodata(folder: Path) -> list[str]:
    arguments = raster(folder, dtype="float32")
    with rasterio.open(folder / "强度.tif", "r+") as made:
        made.write(np.where(made.read(1) == 255, -9999, made.read(1)), 1)
    return arguments


@case("rasters", "upside down (the first row is the southern one)", REFUSED, said="gdalwarp -t_srs EPSG:4548")
def _raster_south_up(folder: Path) -> list[str]:
    return raster(folder, rasterio.Affine(10, 0, 515_000, 0, 10, 4_345_000))


@case("rasters", "turned by ten degrees", REFUSED, said="gdalwarp -t_srs EPSG:4548")
def _raster_turned(folder: Path) -> list[str]:
    return raster(folder, NORTH_UP * rasterio.Affine.rotation(10))


@case("rasters", "in another system", REFUSED, said="gdalwarp -t_srs EPSG:4548")
def _raster_elsewhere(folder: Path) -> list[str]:
    return raster(folder, rasterio.Affine(10, 0, 39_515_000, 0, -10, 4_345_500), 4527, nodata=255)


@case(
    "rasters",
    "in an old datum (no program may shift it)",
    REFUSED,
    said="gdalwarp would apply without a word",
)
def _raster_old(folder: Path) -> list[str]:
    return raster(folder, crs=2384, nodata=255)


@case("rasters", "without a place", REFUSED, said="does not say where it lies")
def _raster_nowhere(folder: Path) -> list[str]:
    return raster(folder, rasterio.Affine.identity(), None)


@case("rasters", "no system, and `--src-crs EPSG:4548`", LOADED, rows=1)
def _raster_given(folder: Path) -> list[str]:
    return [*raster(folder, crs=None, nodata=255), "--src-crs", "EPSG:4548"]


@case("rasters", "on another continent", REFUSED, said="outside China or far outside the zone")
def _raster_far(folder: Path) -> list[str]:
    return raster(folder, rasterio.Affine(10, 0, 515_000, 0, -10, -4_345_500), nodata=255)


@case(
    "rasters",
    "inside a zip, where it would be gone when it is read",
    REFUSED,
    said="cannot stay inside a zip",
)
def _raster_zipped(folder: Path) -> list[str]:
    raster(folder, nodata=255)
    return ingest(zipped(folder, ("强度.tif", (folder / "强度.tif").read_bytes())), layer="raster")


# ------------------------------------------------------------------ dates


@case(
    "dates",
    "9999-09-09 in a shapefile",
    LOADED,
    value="9999-09-09",
    query="SELECT attributes->>'BHJSSJ' FROM land.feature ORDER BY row_no LIMIT 1",
)
def _far_shapefile(folder: Path) -> list[str]:
    days = [dt.date(9999, 9, 9)] * 2
    rows = gpd.GeoDataFrame({"BSM": ["1", "2"], "BHJSSJ": days}, geometry=[box(0, 0), box(100, 0)], crs=4548)
    path = folder / "农田.shp"
    rows.assign(BHJSSJ="99990909").to_file(path, encoding="GBK", engine="pyogrio")
    content = bytearray(path.with_suffix(".dbf").read_bytes())
    # The field as office software writes it: eight digits of kind D.
    at = content.index(b"BHJSSJ")
    content[at + 11 : at + 12], content[at + 16] = b"D", content[at + 16]
    path.with_suffix(".dbf").write_bytes(content)
    return ingest(path, layer="farmland")


@case(
    "dates",
    "9999-09-09 in a GeoPackage",
    LOADED,
    value="9999-09-09",
    query="SELECT attributes->>'BHJSSJ' FROM land.feature ORDER BY row_no LIMIT 1",
)
def _far_package(folder: Path) -> list[str]:
    days = [dt.date(9999, 9, 9)] * 2
    rows = gpd.GeoDataFrame({"BSM": ["1", "2"], "BHJSSJ": days}, geometry=[box(0, 0), box(100, 0)], crs=4548)
    return ingest(package(folder, rows), layer="farmland")


@case(
    "dates",
    "days that do not exist",
    LOADED,
    rules=("value_unreadable",),
    value="none",
    query="SELECT coalesce(attributes->>'BHJSSJ', 'none') FROM land.feature ORDER BY row_no LIMIT 1",
)
def _no_day(folder: Path) -> list[str]:
    days = ["2023-02-29", "2024-02-29"]
    rows = gpd.GeoDataFrame({"BSM": ["1", "2"], "BHJSSJ": days}, geometry=[box(0, 0), box(100, 0)], crs=4548)
    return ingest(package(folder, rows), layer="farmland")


# ------------------------------------------------------------------ values of a .dbf


def with_values(
    folder: Path, kind: str, width: int, *values: bytes, deleted: tuple[int, ...] = ()
) -> list[str]:
    """Deliver features with a field of this kind that holds these very bytes."""
    names = [str(number).encode() for number in range(len(values))]
    rows = gpd.GeoDataFrame({"BSM": names}, geometry=[box(100 * n, 0) for n in range(len(values))], crs=4548)
    path = shapefile(folder, rows.assign(BSM="1"), "GBK")
    fields = [("BSM", "C", 4, 0), ("DLBM", "C", 4, 0), ("DLMC", kind, width, 2 if kind == "N" else 0)]
    records = [[name, b"0601", value] for name, value in zip(names, values, strict=True)]
    path.with_suffix(".dbf").write_bytes(dbf_bytes(fields, records, deleted=deleted))
    return ingest(path)


for _kind, _width, _bad, _rule in (
    ("D", 8, b"20200230", "value_unreadable"),
    ("D", 8, b"20201301", "value_unreadable"),
    ("N", 12, b"1,000.5", "value_unreadable"),
    ("N", 12, b"*" * 12, "value_unreadable"),
    ("F", 20, b"-1.#IND", "value_unreadable"),
    ("L", 1, b"X", "value_unreadable"),
    ("M", 10, b"1", "memo_not_read"),
):
    case(
        "values of a .dbf",
        f"`{_bad.decode()}` in a field of the kind {_kind} (left empty)",
        LOADED,
        rules=(_rule,),
        value="left empty",
        query="SELECT coalesce(attributes->>'DLMC', 'left empty') FROM land.feature ORDER BY row_no LIMIT 1",
    )(
        lambda folder, kind=_kind, width=_width, bad=_bad: with_values(
            folder, kind, width, bad, b"00000000" if kind == "D" else b""
        )
    )


@case("values of a .dbf", "records that are marked as deleted (left out)", LOADED, rules=("records_deleted",))
def _deleted(folder: Path) -> list[str]:
    return with_values(folder, "N", 12, b"1", b"2", b"3", deleted=(1,))


# ------------------------------------------------------------------ tables

FIRM = {"宗地代码": "120113100001GB00001", "年份": 2023, "统一社会信用代码": "91120113MA00000001"}
TAX = "SELECT coalesce(attributes->>'SSZE', 'left empty') FROM land.enterprise ORDER BY row_no LIMIT 1"
PARCEL = "SELECT coalesce(parcel_id, 'left empty') FROM land.enterprise ORDER BY row_no LIMIT 1"


def sheet(folder: Path, *rows: dict[str, object], title: str | None = None) -> list[str]:
    """Deliver a workbook of firms; every row adds to `FIRM`, and its columns are those of the first one."""
    book = openpyxl.Workbook()
    names = list(FIRM | rows[0])
    if title is not None:
        book.active.append([title])
        book.active.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(names))
    book.active.append(names)
    for row in rows:
        book.active.append([(FIRM | row).get(name) for name in names])
    book.save(folder / "企业.xlsx")
    return ingest(folder / "企业.xlsx", layer="enterprise")


@case(
    "tables",
    "a title over the headings; half-width brackets, line breaks, full-width letters in them",
    LOADED,
    value="12",
    query=TAX,
)
def _titled(folder: Path) -> list[str]:
    row = {"税收总额\n(万元)": 12, "ＱＹＭＣ": "甲"}
    return sheet(folder, row, row, title="2023年企业税收")


@case(
    "tables",
    "headings in another unit (converted, and said so)",
    LOADED,
    rules=("unit_converted",),
    value="12",
    query=TAX,
)
def _other_unit(folder: Path) -> list[str]:
    return sheet(folder, {"税收总额（元）": 120_000}, {"税收总额（元）": 1})


@case(
    "tables",
    "a heading without the unit that is wanted (the column is not used)",
    LOADED,
    rules=("column_unused",),
    value="left empty",
    query=TAX,
)
def _no_unit(folder: Path) -> list[str]:
    return sheet(folder, {"税收总额": 12}, {"税收总额": 1})


@case(
    "tables",
    "units in a line over the table, as 单位：亩、元 (the headings without a unit are converted, and it is said)",
    LOADED,
    rules=("unit_stated",),
    value="12",
    query=TAX,
)
def _stated_units(folder: Path) -> list[str]:
    row = {"税收总额": 120_000, "占地面积": 1}
    return sheet(folder, row, row, title="2023年企业税收（单位：亩、元）")


@case(
    "tables",
    "a unit in a line over the table that is not known, or two that measure the same (not applied)",
    LOADED,
    rules=("column_unused", "unit_doubtful"),
    value="left empty",
    query=TAX,
)
def _doubtful_units(folder: Path) -> list[str]:
    row = {"税收总额": 120_000}
    return sheet(folder, row, row, title="2023年企业税收（单位：担、元、万元）")


@case(
    "tables",
    "parcel codes typed as numbers, so that their last digits are lost (left empty)",
    LOADED,
    rules=("digits_lost", "value_missing"),
    value="left empty",
    query=PARCEL,
)
def _numbered(folder: Path) -> list[str]:
    return sheet(folder, {"宗地代码": 1201130010010000123}, {"宗地代码": 1201130010010000124})


@case(
    "tables",
    "codes with an apostrophe, in small letters, of full width (set right, and said so)",
    LOADED,
    rules=("code_respelt",),
    value="120113100001GB00001",
    query=PARCEL,
)
def _spelt(folder: Path) -> list[str]:
    return sheet(folder, {"宗地代码": "'120113100001gb00001"}, {"宗地代码": '="１２０１１３100001GB00002"'})


@case(
    "tables",
    "codes that a spreadsheet wrote as 1.2E+18 (left empty)",
    LOADED,
    rules=("digits_lost", "value_missing"),
    value="left empty",
    query=PARCEL,
)
def _exponents(folder: Path) -> list[str]:
    return sheet(folder, {"宗地代码": "1.20113E+18"}, {})


@case(
    "tables",
    "a formula without a stored result, and an error (left empty)",
    LOADED,
    rules=("cell_error", "formula_without_result"),
    value="left empty",
    query=TAX,
)
def _formulas(folder: Path) -> list[str]:
    return sheet(folder, {"税收总额（万元）": "=1+2"}, {"税收总额（万元）": "#DIV/0!"})


@case(
    "tables",
    "`NA` where a number belongs (left empty)",
    LOADED,
    rules=("value_unreadable",),
    value="left empty",
    query=TAX,
)
def _not_available(folder: Path) -> list[str]:
    return sheet(folder, {"税收总额（万元）": "NA"}, {"税收总额（万元）": 1})


@case(
    "tables",
    "a total under the records (set aside)",
    ASIDE,
    rows=3,
    aside=1,
    rules=("total_row",),
    value="1",
    query=TAX,
)
def _total(folder: Path) -> list[str]:
    row = {"税收总额（万元）": 1}
    return sheet(folder, row, row, dict.fromkeys(FIRM) | {"宗地代码": "合 计", "税收总额（万元）": 2})


@case("tables", "hidden rows (read, and said so)", LOADED, rules=("rows_hidden",))
def _hidden_rows(folder: Path) -> list[str]:
    arguments = sheet(folder, {}, {})
    book = openpyxl.load_workbook(folder / "企业.xlsx")
    book.active.row_dimensions[3].hidden = True
    book.save(folder / "企业.xlsx")
    return arguments


@case(
    "tables",
    "cells merged over two records (the second is left empty)",
    LOADED,
    rules=("cell_merged",),
    value="12",
    query=TAX,
)
def _merged_cells(folder: Path) -> list[str]:
    arguments = sheet(folder, {"税收总额（万元）": 12}, {"税收总额（万元）": None})
    book = openpyxl.load_workbook(folder / "企业.xlsx")
    book.active.merge_cells("D2:D3")
    book.save(folder / "企业.xlsx")
    return arguments


@case(
    "tables",
    "a CSV in GBK with texts cut inside a character (the half character is left out and listed)",
    LOADED,
    rules=("value_cut",),
    value="北辰区双街",
    query="SELECT attributes->>'QYMC' FROM land.enterprise ORDER BY row_no LIMIT 1",
)
def _cut_csv(folder: Path) -> list[str]:
    name = "北辰区双街镇".encode("gbk")[:-1]
    rows = [b"120113100001GB0000%d,2023,%s" % (number, name) for number in (1, 2)]
    (folder / "企业.csv").write_bytes(b"\r\n".join(["宗地代码,年份,企业名称".encode("gbk"), *rows, b""]))
    return ingest(folder / "企业.csv", layer="enterprise")


@case(
    "tables",
    "a .dbf without a .shp, in GBK, with a text cut inside a character",
    LOADED,
    rules=("value_cut",),
    value="北辰区双街",
    query="SELECT attributes->>'QYMC' FROM land.enterprise ORDER BY row_no LIMIT 1",
)
def _cut_lone_dbf(folder: Path) -> list[str]:
    fields = [("ZDDM", "C", 19, 0), ("NF", "N", 4, 0), ("QYMC", "C", 11, 0)]
    name = "北辰区双街镇".encode("gbk")[:-1]
    content = dbf_bytes(fields, [[b"120113100001GB00001", b"2023", name]] * 2)
    (folder / "企业.dbf").write_bytes(content)
    return ingest(folder / "企业.dbf", layer="enterprise")


@case(
    "tables",
    "a .dbf without a .shp",
    LOADED,
    value="12.50",
    query="SELECT to_char((attributes->>'SSZE')::float, 'FM99.00') FROM land.enterprise ORDER BY row_no LIMIT 1",
)
def _lone_dbf(folder: Path) -> list[str]:
    fields = [("ZDDM", "C", 19, 0), ("NF", "N", 4, 0), ("SSZE", "N", 12, 2)]
    content = dbf_bytes(fields, [[b"120113100001GB00001", b"2023", b"12.50"]] * 2)
    (folder / "企业.dbf").write_bytes(content)
    return ingest(folder / "企业.dbf", layer="enterprise")


def other_sheet(folder: Path, suffix: str, *rows: dict[str, object]) -> Path:
    """Write a table of the tax office as a workbook of another kind, and return where it is."""
    sheet(folder, *rows)
    first = folder / "企业.xlsx"
    path = write_xlsb(openpyxl.load_workbook(first), folder / "企业.xlsb") if suffix == ".xlsb" else None
    if path is None:
        (saved,) = saved_as(".xls" if suffix == ".et" else suffix, folder, first)
        path = saved.rename(saved.with_suffix(suffix))
    first.unlink()
    return path


def firms(path: Path) -> list[str]:
    """Return the arguments that ingest a table of the tax office."""
    return ingest(path, layer="enterprise")


for _suffix in (".xls", ".et", ".xlsb", ".ods"):

    @case("workbooks", f"a table as {_suffix}", LOADED, value="12", query=TAX)
    def _of_another_kind(folder: Path, suffix: str = _suffix) -> list[str]:
        row = {"税收总额（万元）": 12}
        return firms(other_sheet(folder, suffix, row, row))

    @case(
        "workbooks",
        f"parcel codes typed as numbers in an {_suffix} (left empty)",
        LOADED,
        rules=("digits_lost", "value_missing"),
        value="left empty",
        query=PARCEL,
    )
    def _numbers_of_another_kind(folder: Path, suffix: str = _suffix) -> list[str]:
        return firms(
            other_sheet(folder, suffix, {"宗地代码": 1201130010010000123}, {"宗地代码": 1201130010010000124})
        )

    if _suffix != ".et":

        @case("workbooks", f"an {_suffix} that was cut short", REFUSED, said="cannot be read as a workbook")
        def _cut_of_another_kind(folder: Path, suffix: str = _suffix) -> list[str]:
            path = other_sheet(folder, suffix, {}, {})
            cut(path, 0.6)
            return firms(path)


@case("workbooks", "an .xlsx under the name .xls (read, and said so)", LOADED, rules=("suffix_other",))
def _xlsx_as_xls(folder: Path) -> list[str]:
    sheet(folder, {}, {})
    return firms((folder / "企业.xlsx").rename(folder / "企业.xls"))


@case("workbooks", "an .xls under the name .xlsx (read, and said so)", LOADED, rules=("suffix_other",))
def _xls_as_xlsx(folder: Path) -> list[str]:
    return firms(other_sheet(folder, ".xls", {}, {}).rename(folder / "企业.xlsx"))


def written(folder: Path, content: bytes, name: str = "企业.xls") -> list[str]:
    """Deliver these bytes under the name of a workbook."""
    (folder / name).write_bytes(content)
    return firms(folder / name)


@case(
    "workbooks",
    "a web page under the name .xls, as systems export tables (read, and said so)",
    LOADED,
    value="12",
    query=TAX,
    rules=("suffix_other",),
)
def _page_as_xls(folder: Path) -> list[str]:
    row = {"税收总额（万元）": 12}
    sheet(folder, row, row)
    first = folder / "企业.xlsx"
    lines = openpyxl.load_workbook(first).active.iter_rows(values_only=True)
    cells = "".join(
        "<tr>" + "".join(f"<td>{'' if value is None else value}" for value in line) for line in lines
    )
    first.unlink()
    page = f"<html><meta charset=gb2312><table>{cells}</table></html>"
    return written(folder, page.encode("gbk"))


@case("workbooks", "text with tabs under the name .xls", REFUSED, said="plain text under the name .xls")
def _text_as_xls(folder: Path) -> list[str]:
    return written(folder, "宗地代码\t年份\n120113100001GB00001\t2023\n".encode("gbk"))


@case("workbooks", "an XML table of Excel 2003", REFUSED, said="an XML table of Excel 2003")
def _xml_as_xls(folder: Path) -> list[str]:
    return written(
        folder, b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
    )


@case("workbooks", "a workbook with a password", REFUSED, said="protected by a password")
def _with_password(folder: Path) -> list[str]:
    return written(folder, container("EncryptionInfo", "EncryptedPackage"), "企业.xlsx")


def repeated(folder: Path, rows: int, columns: int, value: str) -> list[str]:
    """Deliver an .ods whose third row, of so many cells, is repeated."""
    named = " ".join(
        f'xmlns:{key}="urn:oasis:names:tc:opendocument:xmlns:{key}:1.0"'
        for key in ("office", "table", "text")
    )
    text = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    lines = [HEADINGS, ["120113100001GB00001", "甲", "2023"], ["120113100001GB00002", "乙", "2023"]]
    table = "".join(f"<table:table-row>{''.join(map(text.format, line))}</table:table-row>" for line in lines)
    cell = text.format(value).replace("cell ", f'cell table:number-columns-repeated="{columns}" ', 1)
    table += f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'
    body = f'<office:body><office:spreadsheet><table:table table:name="企业">{table}</table:table></office:spreadsheet></office:body>'
    with zipfile.ZipFile(folder / "企业.ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f"<office:document-content {named}>{body}</office:document-content>")
    return firms(folder / "企业.ods")


HEADINGS = ["宗地代码", "企业名称", "年份"]


@case("workbooks", "an .ods with a million empty rows", LOADED)
def _million_empty(folder: Path) -> list[str]:
    return repeated(folder, 1_000_000, 16_000, "")


@case("workbooks", "an .ods of 16,000 million filled cells", REFUSED, said="more than can be read at once")
def _million_filled(folder: Path) -> list[str]:
    return repeated(folder, 1_000_000, 16_000, "x")


@case(
    "workbooks",
    "an .xlsb with a cell far away from its table",
    REFUSED,
    said="Delete what stands far from the table",
)
def _far_cell(folder: Path) -> list[str]:
    book = openpyxl.Workbook()
    book.active.append(HEADINGS)
    far = book.active.cell(1_000_000, 16_000, "x")
    # Only the cells that there are are written.
    book.active.iter_rows = lambda: [[*cells] for cells in ([book.active.cell(1, 1)], [far])]
    return firms(write_xlsb(book, folder / "企业.xlsb"))


# ------------------------------------------------------------------ drawings and personal geodatabases


def survey_drawing(
    folder: Path, *, open_by: float = 0, swapped: bool = False, version: str = "R2010"
) -> list[str]:
    """Deliver a drawing with two outlines and what a survey program hangs on them, the kind of land as a text in each."""

    def draw(drawing: Any) -> None:
        model = drawing.modelspace()
        for number in (1, 2):
            ring = corners(number * 100, 100, 60, 50)
            if number == 2 and open_by:
                ring = [*ring, (ring[0][0], ring[0][1] + open_by)]
            ring = [(y, x) if swapped else (x, y) for x, y in ring]
            add = model.add_polyline2d if version == "R12" else model.add_lwpolyline
            outline = add(ring, close=not (number == 2 and open_by), dxfattribs={"layer": "图斑"})
            outline.set_xdata("SOUTH", [(1000, each) for each in ("300000", str(number), "", "0601")])
            place = (EAST + number * 100 + 30, NORTH + 125)
            place = place[::-1] if swapped else place
            model.add_text(r"\U+5DE5\U+4E1A\U+7528\U+5730", dxfattribs={"layer": "注记", "insert": place})

    file = drawn(folder / "图斑.dxf", draw, version=version)
    (folder / "图.toml").write_text(
        'supplier = "某测绘院"\nlayer = "dltb3"\n[rename]\nSOUTH_2 = "BSM"\nSOUTH_4 = "DLBM"\n"TEXT_注记" = "DLMC"\n', encoding="utf-8"
    )  # fmt: skip
    return ingest(f"{file}:图斑", "--src-crs", "EPSG:4548", "--mapping", str(folder / "图.toml"))


@case(
    "drawings",
    "a DXF with lot numbers in its XDATA and escapes in its texts, and `--mapping`",
    LOADED,
    value=SIMPLIFIED,
)
def _drawing(folder: Path) -> list[str]:
    return survey_drawing(folder, version="R12")


@case(
    "drawings",
    "a DXF with an outline that does not close",
    ASIDE,
    aside=1,
    rules=("line_open", "geometry_missing"),
)
def _open_outline(folder: Path) -> list[str]:
    return survey_drawing(folder, open_by=0.35)


@case("drawings", "a DXF without `--src-crs`", REFUSED, said="the coordinate system is unknown")
def _drawing_of_nowhere(folder: Path) -> list[str]:
    layer, path, _, _, *mapping = survey_drawing(folder)
    return [layer, path, *mapping]


@case("drawings", "a DXF with x and y exchanged", REFUSED, said="x and y look swapped")
def _swapped_drawing(folder: Path) -> list[str]:
    return survey_drawing(folder, swapped=True)


@case("drawings", "a DXF that was cut off", REFUSED, said="was cut off: it does not end with EOF")
def _cut_drawing(folder: Path) -> list[str]:
    arguments = survey_drawing(folder)
    cut(folder / "图斑.dxf", 0.9)
    return arguments


@case("drawings", "a DWG", REFUSED, said="Save it as DXF")
def _dwg(folder: Path) -> list[str]:
    (folder / "图斑.dwg").write_bytes(b"AC1032" + bytes(100))
    return ingest(folder / "图斑.dwg")


def second_survey(folder: Path, kept: int | None = None) -> list[str]:
    """Deliver the personal geodatabase that `scripts/make_mdb.sh` made, or its beginning."""
    made = Path(__file__).parent / "data" / "二调.mdb.xz"
    (folder / "二调.mdb").write_bytes(lzma.decompress(made.read_bytes())[:kept])
    return ingest(f"{folder / '二调.mdb'}:地类图斑")


@case(
    "personal geodatabases", "a layer with a Chinese name, of which one row has no shape and one a shape that was cut", ASIDE, rows=7,
    aside=2, rules=("character_lost", "shape_unreadable", "geometry_missing", "value_missing"),
)  # fmt: skip
def _mdb(folder: Path) -> list[str]:
    return second_survey(folder)


@case(
    "personal geodatabases", "an .mdb that was cut off", REFUSED, said="cannot be read as an Access database"
)
def _cut_mdb(folder: Path) -> list[str]:
    return second_survey(folder, 69_632)


# ------------------------------------------------------------------ the page

HEAD = """# Bad input

<!-- Written by tests/bad_input.py; do not edit. Every line is tested with a real file. -->

What `lowland ingest` does with deliveries in the states that offices send them in. *Loaded*: every record is there, and doubts are
listed (`lowland layers rejects LAYER`). *With rejects*: the records named are set aside whole, with the reason, and can be exported
(`-o FILE`). *Refused*: exit code 3, the database is untouched, and the message says what to type or to ask for.

| | delivery | outcome | doubts that are listed |
|---|---|---|---|
"""


TAIL = """
## Settings and definitions

A file of settings or definitions is refused as a whole and before anything runs, with all of its faults: place, key, value, what is allowed
and the nearest name; what is wrong in the same way at many places is one line with their number. Exit code 2 for `lowland.toml`, 6 for a rule
pack, mapping, package definition, legend or datum file.

| file | state | what follows |
|---|---|---|
| legend | no colour for an answer of the rule pack | drawn in a spare colour; the command says which, and the lines to add |
|  | a colour for what no rule answers | told, with the nearest answer |
|  | no colour, a wrong hatching, a layer that no map draws | refused by every command of the project |
| rule pack | no examples, or rules without one | told by `rules check` and `classify`: nothing shows that the rules say what is meant |
| mapping | two columns for one field; a column and a constant for one field | refused; both are named, and which line to take out |
|  | a layer or field that there is not, a unit that is not that of the field | refused, with the nearest name |
| package definition | nothing of ours in it | refused, with what a definition has and where the pattern lies |
|  | frames, columns, keys, sheets or units that do not fit | refused, with those that there are |
| `lowland.toml` | layers that there are not, in any `[[delivery]]` | refused before the first file is read, all of them |
| findings | `check show` before `check`, or of a layer that was not delivered | exit code 2, with what to type: no findings are not no faults |
"""


def page() -> str:
    """Return the page as Markdown."""
    lines, group = [], ""
    for one in CASES:
        rules = ", ".join(f"`{rule}`" for rule in one.rules)
        lines.append(f"| {one.group if one.group != group else ''} | {one.name} | {one.outcome} | {rules} |")
        group = one.group
    return HEAD + "\n".join(lines) + "\n" + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
