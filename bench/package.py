"""A whole package against ogr2ogr writing the same layers and tables in the same forms from PostGIS, in turn, each in processes of its own.

    python bench/package.py [--parcels 20000] [--rounds 3] [--project DIR]

The project is a demo of so many parcels, made in a temporary folder on a database of its own unless one is named. What ogr2ogr reads are
tables that hold the rows of the package as they are written: it reads, codes and writes. Ours also puts the rows together out of the
registry, looks at every value, reads the geodatabase again, and writes dictionary, sums and digests. Seconds are of the clock and of the
processor (what the server does is in the first only), memory is the peak of the largest process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import psycopg
import shapely
from project import private_project, reader
from psycopg import sql
from server import superuser

from lowland_gis.definitions.package import ListSheet, package_definition
from lowland_gis.pipeline.base.project import open_project

FORMS = ("shapefile", "filegdb")
SCHEMA = "bench_package"
PROGRAM = [sys.executable, "-m", "lowland_gis"]


@dataclass(frozen=True)
class Took:
    """Seconds of the clock and of the processor, and the peak memory in MB."""

    wall: float
    cpu: float
    peak_mb: float


def main() -> None:
    """Make the project, let both write in turn, and print a table with the ratio."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--project", type=Path)
    given = parser.parse_args()
    if given.project is not None:
        measured(given.project, os.environ.get("LOWLAND_DSN") or dsn_of(given.project), given.rounds)
        return
    with private_project() as (folder, dsn):
        demo = folder / "demo"
        run([*PROGRAM, "-q", "demo", str(demo), "--parcels", str(given.parcels)], {"LOWLAND_DSN": dsn})
        measured(demo, dsn, given.rounds)


def dsn_of(project: Path) -> str:
    """Return the connection of a project on the private database."""
    return open_project(project).dsn


def measured(project: Path, dsn: str, rounds: int) -> None:
    """Let both write in turn, and print medians and the ratio."""
    with tempfile.TemporaryDirectory(prefix="lowland-bench-package-") as name:
        folder = Path(name)
        first = folder / "first"
        build(project, dsn, first, ["geoparquet", *FORMS])
        manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
        layers = manifest["layers"]
        loaded(first, layers, dsn)
        sheets = lists_of()
        took: dict[str, list[Took]] = {"lowland package build": [], "ogr2ogr": []}
        for number in range(rounds):
            ours, theirs = folder / f"ours{number}", folder / f"theirs{number}"
            took["lowland package build"].append(
                timed(lambda to=ours: build(project, dsn, to, FORMS), folder / "log")
            )
            took["ogr2ogr"].append(
                timed(lambda to=theirs: by_ogr2ogr(layers, sheets, superuser(dsn), to), folder / "log")
            )
            shutil.rmtree(ours)
            shutil.rmtree(theirs)
    rows = {layer["name"]: layer["rows"] for layer in layers}
    print(
        f"{', '.join(f'{name} {count:,}' for name, count in rows.items())}; forms {', '.join(FORMS)} and {len(sheets)} lists in xlsx\n"
    )
    print("| who | s | CPU s | peak MB |\n|---|---|---|---|")
    middle = {}
    for who, runs in took.items():
        middle[who] = Took(
            *(
                sorted(getattr(each, key) for each in runs)[len(runs) // 2]
                for key in ("wall", "cpu", "peak_mb")
            )
        )
        print(f"| {who} | {middle[who].wall:.1f} | {middle[who].cpu:.1f} | {middle[who].peak_mb:,.0f} |")
    one, other = middle.values()
    print(
        f"\nThe package takes {one.wall / other.wall:.2f} times ogr2ogr by the clock, {one.cpu / other.cpu:.2f} times its processor time."
    )


def run(command: Sequence[str], more: dict[str, str] | None = None) -> None:
    """Run a command; what it says is shown where it fails."""
    log = os.environ.get("BENCH_LOG")
    timed_by = [] if log is None else ["/usr/bin/time", "-a", "-o", log, "-f", "%U %S %M"]
    done = subprocess.run(
        [*timed_by, *command], env=os.environ | (more or {}), capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")


def build(project: Path, dsn: str, target: Path, forms: Sequence[str]) -> None:
    """Have the program build the package in some forms."""
    asked = [word for form in forms for word in ("--form", form)]
    run(
        [*PROGRAM, "-q", "--project", str(project / "lowland.toml"), "package", "build", str(target), *asked],
        {"LOWLAND_DSN": dsn},
    )


def loaded(package: Path, layers: Sequence[dict[str, object]], dsn: str) -> None:
    """Put the rows of a package into tables of types of their own, from its GeoParquet."""
    with psycopg.connect(superuser(dsn), autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}").format(sql.Identifier(SCHEMA))
        )
        for layer in layers:
            path = package / layer["forms"]["geoparquet"]  # type: ignore[index]
            shaped = layer["crs"] is not None
            rows = gpd.read_parquet(path) if shaped else pd.read_parquet(path)
            fields = layer["fields"]
            kinds = {"C": "varchar({length})", "N": "numeric({length},{decimals})", "D": "date"}
            columns = [
                sql.SQL("{} {}").format(
                    sql.Identifier(each["name"].lower()), sql.SQL(kinds[each["type"]].format(**each))
                )
                for each in fields  # type: ignore[attr-defined]
            ]
            names = [each["name"] for each in fields]  # type: ignore[attr-defined]
            values = rows[names].astype(object).where(rows[names].notna(), None).to_numpy().tolist()
            if shaped:
                epsg = str(layer["crs"]).partition(":")[2]
                columns.append(sql.SQL("geom geometry(Geometry, {})").format(sql.SQL(epsg)))
                outlines = shapely.to_wkb(
                    shapely.set_srid(rows.geometry.to_numpy(), int(epsg)), hex=True, include_srid=True
                )
                values = [[*row, outline] for row, outline in zip(values, outlines, strict=True)]
            table = sql.Identifier(SCHEMA, str(layer["name"]).lower())
            connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(columns)))
            with (
                connection.cursor() as cursor,
                cursor.copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy,
            ):
                for row in values:
                    copy.write_row(row)
        connection.execute("ANALYZE")


def lists_of() -> list[str]:
    """Return the layers that a list in a workbook holds; the sums beside them are written by ours only."""
    wanted = package_definition("example_city", Path())
    return [sheet.layer for book in wanted.workbooks for sheet in book.sheets if isinstance(sheet, ListSheet)]


def by_ogr2ogr(layers: Sequence[dict[str, object]], sheets: Sequence[str], dsn: str, target: Path) -> None:
    """Write shapefiles, a geodatabase and a workbook a list, a process each, as a script of an office does."""
    target.mkdir()
    source = f"PG:{dsn} schemas={SCHEMA}"
    for layer in layers:
        name = str(layer["name"])
        table = name.lower()
        run(
            [
                "ogr2ogr",
                "-f",
                "ESRI Shapefile",
                "-lco",
                "ENCODING=GBK",
                str(target / f"{name}.{'shp' if layer['crs'] else 'dbf'}"),
                source,
                table,
            ]
        )
        there = ["-update"] if (target / "p.gdb").exists() else []
        kind = ["-nlt", "PROMOTE_TO_MULTI"] if layer["crs"] else []
        run(
            [
                "ogr2ogr",
                *there,
                "-f",
                "OpenFileGDB",
                *kind,
                str(target / "p.gdb"),
                source,
                table,
                "-nln",
                name,
            ]
        )
        if name in sheets:
            columns = ", ".join(f'"{each["name"].lower()}"' for each in layer["fields"])  # type: ignore[attr-defined]
            query = f'SELECT {columns} FROM "{SCHEMA}"."{table}"'  # noqa: S608 - names of the definition
            run(["ogr2ogr", "-f", "XLSX", str(target / f"{name}.xlsx"), source, "-sql", query, "-nln", name])


def timed(work: Callable[[], None], log: Path) -> Took:
    """Run something and return what it took; of its commands GNU time says what each used."""
    log.unlink(missing_ok=True)
    os.environ["BENCH_LOG"] = str(log)
    begun = time.perf_counter()
    work()
    wall = time.perf_counter() - begun
    del os.environ["BENCH_LOG"]
    used = [
        tuple(map(float, line.split()))
        for line in log.read_text(encoding="ascii").splitlines()
        if line[:1].isdigit()
    ]
    return Took(wall, sum(user + system for user, system, _ in used), max(peak for *_, peak in used) / 1024)


if __name__ == "__main__":
    main()
